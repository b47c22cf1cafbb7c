"""Windows to the nanosecond, for every type. What is asked of the correlator is asked of the oracle, too."""

from collections.abc import Mapping
from fractions import Fraction

import pytest
from tests.unit.detect.correlation_answers import alerts, times
from tests.unit.detect.correlation_examples import (
    START,
    Pack,
    at,
    both,
    correlation,
    either,
    match,
    pack,
    without,
)
from tests.unit.detect.correlation_oracle import Act

from fileaudit_engine.rules.ast import CorrelationType as T

TWO = pack(correlation(T.EVENT_COUNT, "a", gte=2))
BOTH_OF_TWO = Fraction(3, 2)
"""The mean, the median and every middle of 1 and 2, and of nothing less."""

PAIRS: Mapping[str, tuple[T, Mapping[str, object]]] = {
    "event_count": (T.EVENT_COUNT, {"gte": 2}),
    "value_count": (T.VALUE_COUNT, {"gte": 2}),
    "value_sum": (T.VALUE_SUM, {"gte": 3}),
    "value_avg": (T.VALUE_AVG, {"eq": BOTH_OF_TWO}),
    "value_median": (T.VALUE_MEDIAN, {"eq": BOTH_OF_TWO}),
    "value_percentile": (T.VALUE_PERCENTILE, {"eq": BOTH_OF_TWO, "percentile": 50}),
    "value_percentile of a share": (T.VALUE_PERCENTILE, {"lte": 50}),
    "temporal": (T.TEMPORAL, {}),
    "temporal with a number": (T.TEMPORAL, {"gt": 1}),
    "temporal in words": (T.TEMPORAL, {"condition": both("a", "b")}),
    "temporal_ordered": (T.TEMPORAL_ORDERED, {}),
    "temporal_ordered in words": (T.TEMPORAL_ORDERED, {"condition": both("b", "a")}),
}
"""Correlations within 10 ns that need a call that matches a and has value 1, and one with b and value 2."""


def pair(kind: str) -> Pack:
    type_, how = PAIRS[kind]
    of = ("V",) if type_.value.startswith("value") else ()
    return pack(correlation(type_, "a", "b", of=of, **how))  # type: ignore[arg-type]  # a table of arguments


def a_then_b(distance: int) -> list[Act]:
    return [*at(0, rules="a", V=1), *at(distance, rules="b", V=2)]


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("distance", [0, 1, 9, 10])
def test_what_is_no_further_apart_than_the_timespan_counts_together(kind: str, distance: int) -> None:
    assert times(pair(kind), a_then_b(distance)) == [distance]


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("distance", [11, 12, 1000])
def test_one_nanosecond_more_is_too_far(kind: str, distance: int) -> None:
    assert times(pair(kind), a_then_b(distance)) == []


@pytest.mark.parametrize(
    "kind", [kind for kind in PAIRS if "eq" not in PAIRS[kind][1] and "share" not in kind]
)
def test_what_stays_true_is_told_once(kind: str) -> None:
    acts = [*a_then_b(3), *at(8, rules="a", V=1), *at(9, rules="b", V=2)]
    assert times(pair(kind), acts) == [3]


@pytest.mark.parametrize("kind", [kind for kind in PAIRS if "ordered" not in kind])
def test_what_turned_false_is_told_again(kind: str) -> None:
    assert times(pair(kind), [*a_then_b(3), *at(13, rules="a", V=1)]) == [3, 13]
    assert times(pair(kind), [*a_then_b(3), *at(14, rules="a", V=1), *at(24, rules="b", V=2)]) == [3, 24]


def test_a_chain_of_correlations_has_the_same_bounds() -> None:
    twice = correlation(T.EVENT_COUNT, "a", key="twice", within=3, gte=2)
    outer = correlation(T.TEMPORAL_ORDERED, "twice", "b", key="outer", within=10)
    for distance, expected in ((9, [11]), (10, [12]), (11, [])):
        assert times(pack(twice, outer), [*at(0, 2), *at(2 + distance, rules="b")]) == expected


# --- turning false, and true by leaving --------------------------------------------------------------------


def test_an_event_at_the_very_end_of_the_window_keeps_the_condition_true() -> None:
    assert times(TWO, at(0, 1, 10, 11)) == [1]


def test_a_condition_turns_false_and_true_again_at_one_instant() -> None:
    assert times(TWO, at(0, 1, 11, 12)) == [1, 11, 12]


def test_leaving_is_looked_at_a_nanosecond_after_the_timespan() -> None:
    at_most_one = pack(correlation(T.EVENT_COUNT, "a", lte=1))
    assert times(at_most_one, at(0, 5, 6)) == [0, 5 + 11]
    assert times(at_most_one, at(0, 5, 6, 16)) == [0, 16, 17]  # one leaves, one comes, one leaves
    (_, second) = alerts(at_most_one, at(0, 5, 6))
    assert (second.total, second.value, second.first_ns - START, second.last_ns - START) == (1, 1, 6, 6)


def test_entries_of_one_time_leave_together() -> None:
    two = pack(correlation(T.EVENT_COUNT, "a", eq=2))
    assert times(two, at(0, 0, 5, 6)) == [0, 11]
    assert times(two, at(0, 0, 5)) == [0]


def test_a_range_can_be_entered_from_above() -> None:
    assert times(pack(correlation(T.EVENT_COUNT, "a", gte=2, lt=4)), at(0, 1, 2, 3, 4)) == [1, 12]


def test_an_empty_window_meets_no_condition() -> None:
    assert times(pack(correlation(T.EVENT_COUNT, "a", lt=2)), at(0, 100)) == [0, 100]
    assert times(pack(correlation(T.EVENT_COUNT, "a", neq=1)), at(0, 100)) == []
    assert times(pack(correlation(T.VALUE_SUM, "a", of="V", gte=0)), at(0, V=-1)) == []


def valued(*numbers: tuple[int, object]) -> list[Act]:
    return [match(ts, V=value) for ts, value in numbers]


@pytest.mark.parametrize(
    ("kind", "how", "values"),
    [
        (T.VALUE_COUNT, {"lt": 2}, [(0, "x"), (4, "y")]),
        (T.VALUE_SUM, {"gte": 0}, [(0, -5), (4, 3)]),
        (T.VALUE_AVG, {"gt": 2}, [(0, 1), (4, 3)]),
        (T.VALUE_MEDIAN, {"gt": 2}, [(0, 1), (4, 3)]),
        (T.VALUE_PERCENTILE, {"gt": 2, "percentile": 50}, [(0, 1), (4, 3)]),
        (T.VALUE_PERCENTILE, {"gt": 50}, [(0, 1), (4, 3)]),
    ],
)
def test_a_number_gets_there_when_another_leaves(
    kind: T, how: dict[str, int], values: list[tuple[int, object]]
) -> None:
    it = pack(correlation(kind, "a", of="V", **how))  # type: ignore[arg-type]  # a table of arguments
    assert times(it, valued(*values))[-1] == 11


def test_fewer_rules_than_before_can_be_asked_for() -> None:
    one_of_two = pack(correlation(T.TEMPORAL, "a", "b", lt=2))
    assert times(one_of_two, [*at(0, rules="a"), *at(3, rules="b")]) == [0, 11]


# --- time and order ----------------------------------------------------------------------------------------


def test_order_within_one_nanosecond_is_that_of_arrival() -> None:
    ordered = pack(correlation(T.TEMPORAL_ORDERED, "a", "b"))
    assert times(ordered, [*at(5, rules="a"), *at(5, rules="b")]) == [5]
    assert times(ordered, [*at(5, rules="b"), *at(5, rules="a")]) == []


def test_one_call_is_one_link_of_a_chain() -> None:
    ordered = pack(correlation(T.TEMPORAL_ORDERED, "a", "b"))
    assert times(ordered, at(0, rules="ab")) == []
    assert times(ordered, at(0, 1, rules="ab")) == [1]
    assert times(ordered, [*at(0, rules="a"), *at(10, rules="ab")]) == [10]


def test_a_later_start_of_a_chain_carries_it_further() -> None:
    ordered = pack(correlation(T.TEMPORAL_ORDERED, "a", "b", "c"))
    assert times(ordered, [*at(0, 4, rules="a"), *at(5, rules="b"), *at(14, rules="c")]) == [14]
    assert times(ordered, [*at(0, rules="a"), *at(3, rules="b"), *at(4, rules="a"), *at(14, rules="c")]) == []


def test_the_longest_chain_is_counted() -> None:
    ordered = pack(correlation(T.TEMPORAL_ORDERED, "a", "b", "c", "d", gte=2, lte=3))
    (only,) = alerts(ordered, [*at(0, rules="d"), *at(1, rules="a"), *at(2, rules="c")])
    assert (only.ts_ns - START, only.value, only.total) == (2, 2, 3)


def test_an_alternative_of_a_condition_in_words_is_a_chain_in_the_order_of_the_rules() -> None:
    either_way = either(both("c", "a"), "d")
    ordered = pack(correlation(T.TEMPORAL_ORDERED, "a", "b", "c", "d", condition=either_way))
    assert times(ordered, [*at(0, rules="a"), *at(1, rules="c")]) == [1]
    assert times(ordered, [*at(0, rules="c"), *at(1, rules="a")]) == []
    assert times(ordered, [*at(0, rules="c"), *at(1, rules="d")]) == [1]


# --- not ---------------------------------------------------------------------------------------------------

ALONE = pack(correlation(T.TEMPORAL, "a", "b", condition=both("a", without("b"))))


def test_an_absence_is_told_when_its_time_is_over() -> None:
    (only,) = alerts(ALONE, at(5, rules="a"))
    assert (only.ts_ns, only.first_ns, only.last_ns) == (START + 15, START + 5, START + 5)
    assert (only.value, only.total) == (None, 1)


@pytest.mark.parametrize("b", [-10, -9, -1, 0, 1, 9, 10])
def test_what_must_be_absent_is_looked_for_on_both_sides(b: int) -> None:
    assert (
        times(
            ALONE, [*at(min(b, 0), rules="b" if b < 0 else "a"), *at(max(b, 0), rules="b" if b >= 0 else "a")]
        )
        == []
    )


@pytest.mark.parametrize(("first", "second"), [("ba", [21]), ("ab", [10])])
def test_one_nanosecond_beyond_the_timespan_it_does_not_matter(first: str, second: list[int]) -> None:
    assert times(ALONE, [*at(0, rules=first[0]), *at(11, rules=first[1])]) == second


@pytest.mark.parametrize(("distance", "expected"), [(9, [10]), (10, [10]), (11, [])])
def test_what_must_be_present_beside_an_absence_comes_within_the_timespan(
    distance: int, expected: list[int]
) -> None:
    it = pack(correlation(T.TEMPORAL, "a", "b", "c", condition=both("a", "b", without("c"))))
    assert times(it, [*at(0, rules="a"), *at(distance, rules="b")]) == expected


@pytest.mark.parametrize(("next_", "expected"), [(1, [10]), (10, [10]), (11, [10, 21])])
def test_an_absence_is_told_again_after_a_pause(next_: int, expected: list[int]) -> None:
    assert times(ALONE, at(0, next_, rules="a")) == expected


def test_an_absence_is_told_again_after_a_presence() -> None:
    acts = [*at(0, rules="a"), *at(11, rules="b"), *at(12, 22, rules="a"), *at(23, rules="a")]
    assert times(ALONE, acts) == [10, 22 + 10]


def test_equal_times_are_one_absence() -> None:
    (only,) = alerts(ALONE, at(0, 0, 4, rules="a"))
    assert (only.ts_ns - START, only.total) == (10, 3)


def test_a_name_may_be_wanted_and_unwanted() -> None:
    condition = either(both("a", without("b")), both("b", without("a")))
    it = pack(correlation(T.TEMPORAL, "a", "b", condition=condition))
    assert times(it, [*at(0, rules="a"), *at(20, rules="b")]) == [10, 30]
    assert times(it, [*at(0, rules="a"), *at(10, rules="b")]) == []


def test_not_goes_through_parentheses() -> None:
    it = pack(correlation(T.TEMPORAL, "a", "b", "c", condition=both("a", without(either("b", "c")))))
    assert times(it, [*at(0, rules="a"), *at(10, rules="c")]) == []
    assert times(it, [*at(0, rules="a"), *at(11, rules="c")]) == [10]
    twice = pack(correlation(T.TEMPORAL, "a", "b", condition=both("a", without(without("b")))))
    assert times(twice, [*at(0, rules="a"), *at(10, rules="b")]) == [10]


def test_an_absence_is_an_entry_of_a_chain_when_it_is_told() -> None:
    alone = correlation(T.TEMPORAL, "a", "b", key="alone", condition=both("a", without("b")))
    outer = correlation(T.TEMPORAL_ORDERED, "c", "alone", key="outer", within=4)
    assert times(pack(alone, outer), [*at(0, rules="a"), *at(6, rules="c")]) == [10]
    assert times(pack(alone, outer), [*at(0, rules="a"), *at(5, rules="c")]) == []
    assert times(pack(alone, outer), [*at(0, rules="a"), *at(10, rules="c")]) == [10]
    assert times(pack(alone, outer), [*at(0, rules="a"), *at(11, rules="c")]) == []
