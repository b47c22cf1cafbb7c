"""What correlations may hold: a flood pushes out nothing that counts; what is let go is counted and named."""

import collections

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.strategies import REPEATABLE
from tests.unit.detect.correlation_answers import answers, fresh, heard
from tests.unit.detect.correlation_examples import START, Pack, at, both, correlation, match, pack, without
from tests.unit.detect.correlation_oracle import Act, expected
from tests.unit.detect.correlation_strategies import packs, streams
from tests.unit.detect.correlation_window import names

from fileaudit_engine.detect.crossing import Crossing, Evicted, Limits
from fileaudit_engine.rules.ast import CorrelationType as T

BOUNDED = (T.EVENT_COUNT, T.VALUE_COUNT, T.TEMPORAL, T.TEMPORAL_ORDERED)
"""The types that need few entries for their answer, however many there are."""


def limited(**limits: int) -> Limits:
    return Limits(lateness_ns=0, **limits)


def awaits_absence(it: Pack) -> bool:
    """Whether a condition has a `not`: then every event is judged by itself, and all must be held."""
    conditions = [one.rule.condition for one in it.plan.correlations]
    return any(condition is not None and names(condition, negated=True) for condition in conditions)


def turns(crossings: list[Crossing]) -> collections.Counter[tuple[object, ...]]:
    """When, which and for whom: all that must not depend on what an alert can list."""
    return collections.Counter(
        (one.ts_ns - START, one.correlation.rule.key, str(list(one.group.items()))) for one in crossings
    )


# --- floods ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BOUNDED)
def test_where_few_events_decide_a_limit_on_them_changes_no_answer(kind: T) -> None:
    seen: collections.Counter[str] = collections.Counter()

    @settings(REPEATABLE, max_examples=200)
    @given(st.data())
    def law(data: st.DataObject) -> None:
        it = data.draw(packs(kind).filter(lambda it: not awaits_absence(it)))
        stream = data.draw(streams(it))
        limits = Limits(lateness_ns=stream.lateness_ns, events=1)
        wanted = heard(expected(it.plan, stream.acts, limits=limits))
        assert turns(answers(it, stream.acts, limits)) == turns(wanted)
        seen["crossings"] += len(wanted)

    law()
    assert seen["crossings"] >= 500


FLOOD = 3_000


@pytest.mark.parametrize(
    "it",
    [
        pack(correlation(T.TEMPORAL, "a", "b", within=FLOOD)),
        pack(correlation(T.TEMPORAL_ORDERED, "a", "c", "b", within=FLOOD)),
        pack(correlation(T.VALUE_COUNT, "a", "b", "c", of=("V",), within=FLOOD, gte=3)),
        pack(correlation(T.TEMPORAL, "a", "b", "c", condition=both("a", "b"), within=FLOOD)),
    ],
    ids=["temporal", "temporal_ordered", "value_count", "words"],
)
@pytest.mark.parametrize("distance", [FLOOD, FLOOD + 1])
def test_a_flood_of_one_thing_does_not_push_out_another(it: Pack, distance: int) -> None:
    flood: list[Act] = [match(ts, "c", V="c") for ts in range(1, FLOOD)]
    acts = [match(0, "a", V="a"), *flood, match(distance, "b", V="b")]
    found = answers(it, acts, limited(events=10))
    crossed = [one.ts_ns - START for one in found]
    assert (distance in crossed) == (distance == FLOOD)


def test_a_threshold_above_the_limit_still_counts() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", gte=50, within=1000))
    (only,) = answers(it, at(*range(60)), limited(events=10))
    assert (only.ts_ns - START, only.total, only.evicted) == (49, 50, Evicted())


def test_what_must_be_absent_is_not_pushed_out() -> None:
    it = pack(correlation(T.TEMPORAL, "a", "b", "c", condition=both("a", without("b")), within=FLOOD))
    flood: list[Act] = [match(ts, "c") for ts in range(1, FLOOD)]
    assert answers(it, [match(0, "b"), *flood, match(FLOOD, "a")], limited(events=10)) == []
    assert len(answers(it, [match(0, "b"), *flood, match(FLOOD + 1, "a")], limited(events=10))) == 1


# --- what is let go ----------------------------------------------------------------------------------------


def test_a_full_group_lets_its_oldest_events_go_and_says_so() -> None:
    it = pack(correlation(T.VALUE_SUM, "a", of=("V",), gte=100, within=1000))
    acts: list[Act] = [match(ts, V=1) for ts in range(20)]
    (only,) = answers(it, [*acts, match(20, V=99)], limited(events=5))
    assert (only.ts_ns - START, only.value, only.total) == (20, 103, 5)
    assert only.evicted.events == 16
    assert only.evicted.groups == 0


def test_the_group_that_was_used_least_recently_goes() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", by=("G",), gte=3, within=1000))
    acts = [*at(0, 1, G="p"), *at(2, 3, G="q"), *at(4, G="r"), *at(5, G="q"), *at(6, 7, G="p")]
    correlator = fresh(it, limited(groups=2))
    found = [*correlator.feed(acts), *correlator.finish()]  # type: ignore[arg-type]  # all of them are matches
    assert [(one.group["G"], one.ts_ns - START, one.evicted.groups) for one in found] == [("q", 5, 1)]
    assert correlator.counts.evicted_groups == 2  # p for r, and r for p


def test_use_keeps_a_group() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", by=("G",), gte=3, within=1000))
    acts = [*at(0, G="p"), *at(1, G="q"), *at(2, G="p"), *at(3, G="r"), *at(4, G="p")]
    assert [one.group["G"] for one in answers(it, acts, limited(groups=2))] == ["p"]


def test_groups_of_one_correlation_do_not_push_out_those_of_another() -> None:
    few = correlation(T.EVENT_COUNT, "a", key="few", gte=2, within=10_000)
    many = correlation(T.EVENT_COUNT, "b", key="many", by=("G",), gte=2, within=10_000)
    flood: list[Act] = [match(ts, "b", G=str(ts)) for ts in range(1, 500)]
    (only,) = answers(pack(few, many), [match(0), *flood, match(501)], limited(groups=10))
    assert (only.correlation.rule.key, only.evicted) == ("few", Evicted())


def test_groups_without_end_are_held_in_bounded_number() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", by=("G",), gte=2, within=10**9))
    correlator = fresh(it, limited(groups=100))
    for ts in range(5_000):
        correlator.feed([match(ts, G=str(ts))])
        assert correlator.counts.groups <= 100
    correlator.advance(START + 5_000)
    assert (correlator.counts.groups, correlator.counts.evicted_groups) == (100, 4_900)


def test_events_of_all_groups_together_are_bounded() -> None:
    sums = [
        correlation(T.VALUE_SUM, "a", key=f"it{n}", by=("G",), of=("V",), gte=10**6, within=10**9)
        for n in "12"
    ]
    correlator = fresh(pack(*sums), limited(entries=1_000))
    for ts in range(6_000):
        correlator.feed([match(ts, G=ts % 300, V=1)])
        assert correlator.counts.entries <= 2_000  # it is not looked at with every event
    assert correlator.counts.evicted_groups + correlator.counts.evicted_events >= 1_000


def test_windows_that_are_over_are_let_go() -> None:
    it = pack(
        correlation(T.EVENT_COUNT, "a", key="it1", by=("G",), gte=2),
        correlation(T.VALUE_SUM, "a", key="it2", by=("G",), of=("V",), gte=10**6),
        correlation(T.TEMPORAL, "a", "b", key="it3", by=("G",), condition=both("b", without("a"))),
    )
    correlator = fresh(it)
    correlator.feed([match(ts, "ab", G=str(ts), V=1) for ts in range(500)])
    correlator.feed([match(ts, "ab", G="last", V=1) for ts in range(10_000, 12_000)])
    correlator.advance(START + 12_000)
    assert correlator.counts.groups < 50  # they are looked for a few at a time
    assert correlator.counts.evicted_groups == 0


def test_the_newest_events_are_listed_and_all_are_counted() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", gte=20, within=1000))
    (only,) = answers(it, at(*range(20)), limited(listed=5))
    assert [part.ts_ns - START for part in only.events] == [15, 16, 17, 18, 19]
    assert (only.total, only.first_ns - START) == (20, 0)


def test_of_old_events_only_the_id_is_held() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", gte=20, within=1000))
    (only,) = answers(it, at(*range(20)), limited(held=3))
    assert [part.event is None for part in only.events[:10]] == [True] * 10
    assert [part.event is None for part in only.events[-3:]] == [False] * 3
    assert len({part.id for part in only.events}) == 20
