"""What correlations remember is bounded, and what is forgotten changes no answer but where it is told."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.strategies import REPEATABLE
from tests.unit.detect.correlation_answers import answers, fresh
from tests.unit.detect.correlation_examples import (
    START,
    all_shown,
    at,
    both,
    correlation,
    match,
    pack,
    without,
)
from tests.unit.detect.correlation_strategies import chained_packs, packs, streams

from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.detect.occurrence import MOST_OF_CROSSING
from fileaudit_engine.events.model import Loss
from fileaudit_engine.rules.ast import CorrelationType as T

ANY = st.sampled_from(tuple(T)).flatmap(packs) | chained_packs()


@settings(REPEATABLE, max_examples=300)
@given(st.data())
def test_how_many_events_are_held_in_full_changes_no_answer(data: st.DataObject) -> None:
    it = data.draw(ANY)
    stream = data.draw(streams(it))
    few, many = (Limits(lateness_ns=stream.lateness_ns, held=held) for held in (2, 1_000))
    assert all_shown(answers(it, stream.acts, few)) == all_shown(answers(it, stream.acts, many))


def test_what_waits_under_a_not_is_shown_whatever_came_since() -> None:
    it = pack(correlation(T.TEMPORAL, "a", "b", condition=both("a", without("b")), by=("G",)))
    acts = [match(0, G="p", User="eve"), *(match(ts, G=f"q{ts}") for ts in range(1, 9))]
    alert = next(one for one in answers(it, acts, Limits(lateness_ns=0, held=2)) if one.group == {"G": "p"})
    assert alert.event is not None
    assert alert.event.user_name == "eve"


def test_an_outer_correlation_remembers_the_newest_events_of_an_inner_one() -> None:
    many = MOST_OF_CROSSING + 20
    inner = correlation(T.EVENT_COUNT, "a", key="inner", within=1_000, gte=many)
    outer = correlation(T.EVENT_COUNT, "inner", key="outer", within=1_000, gte=1)
    (alert,) = answers(pack(inner, outer), at(*range(many)), Limits(lateness_ns=0))
    assert [one.ts_ns - START for one in alert.events] == [*range(many - MOST_OF_CROSSING, many)]


def test_the_ids_of_inner_alerts_are_no_more_than_are_listed() -> None:
    inner = correlation(T.EVENT_COUNT, "a", key="inner", within=0, gte=1)
    outer = correlation(T.EVENT_COUNT, "inner", key="outer", within=100, gte=9, generate=True)
    found = answers(pack(inner, outer), at(*range(0, 18, 2)), Limits(lateness_ns=0, listed=4))
    assert len(found[-1].chained) == 4


def test_events_that_crossings_were_made_of_are_bounded_all_together() -> None:
    inner = correlation(T.EVENT_COUNT, "a", key="inner", within=0, gte=1, by=("G",))
    outer = correlation(T.EVENT_COUNT, "inner", key="outer", within=10_000, gte=400)
    correlator = fresh(pack(inner, outer), Limits(lateness_ns=0, entries=300))
    correlator.feed([match(ts, G=str(ts)) for ts in range(1_000)])
    window = next(iter(correlator.tracked[1].groups.values()))
    assert sum(len(one.chain.events) for one in window.occurrences() if one.chain) <= 300


def test_events_that_wait_for_earlier_ones_are_bounded() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", within=1_000_000, gte=150))
    correlator = fresh(it, Limits(lateness_ns=1_000_000, waiting=100))
    found = correlator.feed([match(ts) for ts in range(200)])
    assert len(correlator.pending) <= 100
    assert [one.ts_ns - START for one in [*found, *correlator.finish()]] == [149]
    assert correlator.counts.late == 0


def test_who_is_earlier_than_what_could_not_wait_is_late() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", within=1_000_000, gte=2))
    correlator = fresh(it, Limits(lateness_ns=1_000_000, waiting=10))
    correlator.feed([match(ts) for ts in range(10, 30)])
    correlator.feed([match(0)])
    assert correlator.counts.late == 1


@settings(REPEATABLE, max_examples=100)
@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 60))
def test_it_makes_no_difference_how_a_crowd_is_cut(times: list[int], size: int) -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", within=5, gte=3))
    limits = Limits(lateness_ns=20, waiting=8)
    acts = [match(ts) for ts in times]
    whole, cut = fresh(it, limits), fresh(it, limits)
    found = [*whole.feed(acts), *whole.finish()]
    told = [one for first in range(0, len(acts), size) for one in cut.feed(acts[first : first + size])]
    assert all_shown([*told, *cut.finish()]) == all_shown(found)
    assert whole.counts.late == cut.counts.late


def test_long_names_take_the_room_of_several_events() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", within=10_000, gte=2, by=("G",)))
    correlator = fresh(it, Limits(lateness_ns=0, entries=1_000))
    correlator.feed([match(ts, G=f"{ts:06}" * 10_000) for ts in range(600)])
    assert correlator.counts.evicted_groups
    assert correlator.counts.groups * 60_000 <= 1_000 * 256 + 60_000 * 256


def test_long_values_are_told_apart_and_not_kept() -> None:
    it = pack(correlation(T.VALUE_COUNT, "a", of=("V",), within=100, gte=3))
    correlator = fresh(it, Limits(lateness_ns=0, held=0))
    names = ["x" * 100_000, "x" * 100_000, "x" * 99_999 + "y", "z" * 100_000]
    found = correlator.feed([match(ts, V=name) for ts, name in enumerate(names)])
    assert [one.ts_ns - START for one in [*found, *correlator.finish()]] == [3]
    assert len(correlator.save()) < 10_000


def test_a_lower_limit_holds_after_a_restart() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", within=10_000, gte=2, by=("G",)))
    before = fresh(it, Limits(lateness_ns=0))
    before.feed([match(ts, G=str(ts)) for ts in range(50)])
    after = fresh(it, Limits(lateness_ns=0, groups=10))
    after.resume(before.save())
    assert after.counts.groups == 10


def test_a_loss_that_is_told_late_disarms_nothing() -> None:
    it = pack(correlation(T.TEMPORAL, "a", "b", lt=2, suspected=True))
    acts = [match(0), match(11)]
    quiet = [one.ts_ns - START for one in answers(it, [*acts, match(15)], Limits(lateness_ns=0))]
    correlator = fresh(it, Limits(lateness_ns=0))
    found = correlator.feed(acts)
    found += correlator.lose(Loss(first_ns=START + 1, last_ns=START + 2, counts={"open": 5}))
    found += [*correlator.feed([match(15)]), *correlator.finish()]
    assert [one.ts_ns - START for one in found if not one.suspected] == quiet


def test_what_happened_after_a_loss_was_not_part_of_it() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", gte=3, by=("G",), suspected=True))
    correlator = fresh(it, Limits(lateness_ns=0))
    correlator.feed([match(20, G="p"), match(21, G="p")])
    found = correlator.lose(Loss(first_ns=START + 1, last_ns=START + 2, counts={"open": 2}))
    assert all(one.group != {"G": "p"} for one in found)


@pytest.mark.parametrize("losses", [1, 30])
def test_losses_of_one_second_are_judged_at_once(losses: int) -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", gte=100, suspected=True))
    correlator = fresh(it, Limits(lateness_ns=10**10))
    correlator.advance(START)
    for number in range(losses):
        correlator.lose(Loss(first_ns=START + number, last_ns=START + number + 1, counts={"open": 4}))
    assert len(correlator.losses.unjudged) == 1
    (suspicion,) = [*correlator.finish()] if losses == 30 else [None]
    assert suspicion is None or suspicion.losses[0].total == 120


def test_events_that_are_only_listed_are_not_told_as_forgotten() -> None:
    it = pack(correlation(T.TEMPORAL, "a", "b", within=1_000))
    correlator = fresh(it, Limits(lateness_ns=0, events=5))
    found = correlator.feed([*(match(ts) for ts in range(20)), match(20, "b")])
    (alert,) = [*found, *correlator.finish()]
    assert (alert.total, alert.evicted.events) == (5, 0)
