"""What was lost is named where it may matter, and nowhere else; who asks is told what it may have hidden."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.strategies import REPEATABLE
from tests.unit.detect.correlation_answers import IN_ORDER, alerts, fresh, heard
from tests.unit.detect.correlation_answers import given as doing
from tests.unit.detect.correlation_examples import (
    START,
    Pack,
    all_shown,
    at,
    both,
    correlation,
    match,
    pack,
    without,
)
from tests.unit.detect.correlation_oracle import Act, expected
from tests.unit.detect.correlation_strategies import SEEDS, chained_packs, packs, streams

from fileaudit_engine.detect.crossing import Crossing, Limits
from fileaudit_engine.events.model import Loss
from fileaudit_engine.rules.ast import CorrelationType as T

TWO = pack(correlation(T.EVENT_COUNT, "a", gte=2))


def lost(first: int, last: int, **counts: int) -> Loss:
    return Loss(first_ns=START + first, last_ns=START + last, counts=counts or {"open": 3})


# --- losses that are named ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "named"),
    [
        (0, 20, True),
        (0, 10, True),  # the window of the alert at 20 begins at 10
        (0, 9, False),
        (20, 30, True),
        (21, 30, False),
        (15, 15, True),
    ],
)
def test_a_loss_is_named_if_it_touches_the_window(first: int, last: int, named: bool) -> None:  # noqa: FBT001
    loss = lost(first, last)
    (only,) = alerts(TWO, at(15, 20), losses=[loss])
    assert only.losses == ((loss,) if named else ())


@pytest.mark.parametrize(("last", "named"), [(9, False), (10, True)])
def test_an_absence_names_the_losses_of_both_sides(last: int, named: bool) -> None:  # noqa: FBT001
    alone = pack(correlation(T.TEMPORAL, "a", "b", condition=both("a", without("b"))))
    (only,) = alerts(alone, at(20), losses=[lost(0, last)])
    assert only.ts_ns == START + 30
    assert len(only.losses) == named


@pytest.mark.parametrize(("last", "named"), [(5, False), (6, True)])
def test_a_crossing_by_leaving_names_those_of_its_own_window(last: int, named: bool) -> None:  # noqa: FBT001
    at_most_one = pack(correlation(T.EVENT_COUNT, "a", lte=1))
    (_, second) = alerts(at_most_one, at(0, 5, 6), losses=[lost(4, last)])
    assert second.ts_ns == START + 16
    assert len(second.losses) == named


def test_every_loss_is_named() -> None:
    losses = [lost(14, 15, open=2), lost(16, 18, rename=1), lost(18, 19)]
    (only,) = alerts(TWO, at(15, 20), losses=losses)
    assert only.losses == tuple(losses)


def test_a_time_in_which_nobody_watched_is_named_too() -> None:
    unwatched = Loss(first_ns=START + 16, last_ns=START + 17, counts={})
    (only,) = alerts(TWO, at(15, 20), losses=[unwatched])
    assert only.losses == (unwatched,)


@settings(REPEATABLE, max_examples=200)
@given(st.data())
def test_losses_are_named_as_the_oracle_says(data: st.DataObject) -> None:
    """Losses come one after the other, each before what it may have spoiled has been told."""
    it = data.draw(st.sampled_from(tuple(T)).flatmap(packs) | chained_packs())
    stream = data.draw(streams(it))
    dice = random.Random(data.draw(SEEDS))
    limits = Limits(lateness_ns=stream.lateness_ns)
    correlator = fresh(it, limits)
    found, losses, newest = list[Crossing](), list[Loss](), 0
    for act in stream.acts:
        if not dice.randrange(5):
            first = max(newest, losses[-1].last_ns - START if losses else 0) + 1 + dice.randrange(6)
            losses.append(lost(first, first + dice.randrange(9)))
            found += correlator.lose(losses[-1])
        found += doing(correlator, [act])
        newest = max(newest, (act if isinstance(act, int) else act.ts_ns) - START)
    found += correlator.finish()
    answer = expected(it.plan, stream.acts, limits=limits, losses=losses)
    assert answer.undecided or all_shown(found) == all_shown(heard(answer))


# --- losses that may have hidden a match -------------------------------------------------------------------


def suspicious(kind: T, *sources: str, **how: object) -> Pack:
    return pack(correlation(kind, *sources, suspected=True, **how))  # type: ignore[arg-type]


def suspicions(it: Pack, acts: list[Act], *losses: Loss) -> list[Crossing]:
    """What is told of losses that come after all acts."""
    correlator = fresh(it)
    found = [*doing(correlator, acts)]
    for loss in losses:
        found += correlator.lose(loss)
        found += correlator.advance(loss.last_ns + 1)
    return [one for one in [*found, *correlator.finish()] if one.suspected]


THREE = suspicious(T.EVENT_COUNT, "a", by=("G",), gte=3, within=100)


@pytest.mark.parametrize(("missing", "told"), [(1, 0), (2, 1), (3, 1)])
def test_a_loss_that_could_have_reached_the_threshold_is_told(missing: int, told: int) -> None:
    assert len(suspicions(THREE, at(0, G="p"), lost(1, 5, open=missing))) == told


def test_a_suspicion_says_what_it_is() -> None:
    loss = lost(1, 5, open=1)
    (only,) = suspicions(THREE, [*at(0, 1, G="p"), *at(2, G="q")], loss)
    assert (only.ts_ns, only.event, only.losses, only.group) == (START + 5, None, (loss,), {"G": "p"})
    assert only.id != alerts(THREE, at(0, 1, 2, G="p"))[0].id


def test_only_operations_of_its_rules_are_suspicious() -> None:
    assert suspicions(THREE, at(0, G="p"), lost(1, 5, rename=1000, process=1000)) == []
    assert len(suspicions(THREE, at(0, G="p"), lost(1, 5, rename=1000, read=1, write=1))) == 1


def test_a_time_in_which_nobody_watched_is_no_suspicion() -> None:
    assert suspicions(THREE, at(0, 1, G="p"), Loss(first_ns=START + 1, last_ns=START + 5, counts={})) == []


def test_who_does_not_ask_is_not_told() -> None:
    unasked = pack(correlation(T.EVENT_COUNT, "a", gte=2))
    assert suspicions(unasked, at(0), lost(1, 5, open=1000)) == []


def test_one_suspicion_within_the_timespan_is_enough() -> None:
    losses = [lost(ts, ts + 1, open=5) for ts in range(1, 100, 10)]
    assert len(suspicions(THREE, at(0, G="p"), *losses)) == 1


def test_a_step_that_is_missing_is_suspicious() -> None:
    it = suspicious(T.TEMPORAL, "a", "b", within=100)
    assert len(suspicions(it, at(0), lost(1, 5, open=1))) == 1


def test_a_suspicion_survives_a_restart_and_is_not_told_twice() -> None:
    correlator = fresh(THREE)
    correlator.feed([match(0, G="p")])
    correlator.lose(lost(1, 5, open=2))
    before = correlator.advance(START + 6)
    resumed = fresh(THREE)
    assert resumed.resume(correlator.save()) == []
    resumed.lose(lost(7, 8, open=2))
    after = [*resumed.advance(START + 9), *resumed.finish()]
    assert [one.suspected for one in (*before, *after)] == [True]


def test_losses_survive_a_restart() -> None:
    correlator = fresh(TWO)
    correlator.feed([match(0)])
    loss = lost(1, 2)
    correlator.lose(loss)
    resumed = fresh(TWO, IN_ORDER)
    assert resumed.resume(correlator.save()) == []
    resumed.feed([match(9)])
    (only,) = resumed.finish()
    assert only.losses == (loss,)


def test_a_window_that_is_over_is_not_suspicious() -> None:
    it = suspicious(T.VALUE_SUM, "a", by=("G",), of=("V",), gte=5, within=1)
    acts: list[Act] = [match(20, G="over", V=2), match(26, G="q", V=7)]
    assert [one.group for one in suspicions(it, acts, lost(24, 27, open=3))] in ([], [{}])
