"""Which matches count together, what they count as, and what chains hand on. The oracle is asked, too."""

from fractions import Fraction

import pytest
from tests.unit.detect.correlation_answers import IN_ORDER, alerts, answers, fresh, times
from tests.unit.detect.correlation_examples import START, at, both, correlation, match, pack, without
from tests.unit.detect.correlation_oracle import Act

from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.rules.ast import CorrelationType as T

TWO_BY_G = pack(correlation(T.EVENT_COUNT, "a", by=("G",), gte=2))


def valued(*values: object) -> list[Act]:
    """One match a nanosecond, with these values of V."""
    return [match(ts, V=value) for ts, value in enumerate(values)]


# --- groups ------------------------------------------------------------------------------------------------


def test_groups_count_apart() -> None:
    assert times(TWO_BY_G, [match(0, G="p"), match(1, G="q"), match(2, G="q"), match(3, G="p")]) == [2, 3]


def test_what_lacks_the_field_counts_together() -> None:
    (only,) = alerts(TWO_BY_G, [match(0), match(1, G="p"), match(2)])
    assert (only.ts_ns - START, only.group) == (2, {"G": None})


def test_a_list_counts_as_its_first_member_and_an_empty_one_as_nothing() -> None:
    (only,) = alerts(TWO_BY_G, [match(0, G=["p", "q"]), match(1, G="q"), match(2, G=["p"])])
    assert only.group == {"G": "p"}
    assert times(TWO_BY_G, [match(0, G=[]), match(1)]) == [1]


def test_values_are_compared_exactly() -> None:
    assert (
        times(TWO_BY_G, [match(ts, G=value) for ts, value in enumerate(("p", "P", 1, "1", True, None))]) == []
    )
    distinct = pack(correlation(T.VALUE_COUNT, "a", of=("V",), gte=5))
    assert times(distinct, valued("p", "P", 1, "1", True, 1, "p")) == [4]


def test_all_fields_of_a_group_must_agree() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", by=("User", "G"), gte=2))
    (only,) = alerts(it, [match(0, User="u", G="p"), match(1, User="u", G="q"), match(2, User="u", G="p")])
    assert list(only.group.items()) == [("User", "u"), ("G", "p")]


WHO = {"who": {"a": "G", "b": "User"}}


def test_an_alias_is_another_field_of_each_rule() -> None:
    it = pack(correlation(T.TEMPORAL, "a", "b", by=("who",), aliases=WHO))
    (only,) = alerts(it, [match(0, "a", G="p", User="q"), match(1, "b", User="p", G="q")])
    assert only.group == {"who": "p"}


def test_an_alias_that_leaves_a_rule_out_is_the_name_of_its_field() -> None:
    it = pack(correlation(T.TEMPORAL, "a", "b", by=("H",), aliases={"H": {"a": "G"}}))
    assert times(it, [match(0, "a", G="p"), match(1, "b", H="p")]) == [1]


def test_a_call_counts_once_however_many_rules_it_matches() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", "b", "c", gte=2))
    assert times(it, [match(0, "abc"), match(5, "b")]) == [5]


def test_a_call_counts_in_every_group_that_a_rule_of_it_says() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", "b", by=("who",), aliases=WHO, gte=2))
    acts = [match(0, "ab", G="p", User="q"), match(1, "a", G="p"), match(2, "b", User="q")]
    assert [only.group["who"] for only in alerts(it, acts)] == ["p", "q"]


# --- values ------------------------------------------------------------------------------------------------


def test_what_lacks_the_value_does_not_count() -> None:
    distinct = pack(correlation(T.VALUE_COUNT, "a", of=("V",), gte=2))
    assert times(distinct, valued("x", None, [], "y")) == [3]
    pairs = pack(correlation(T.VALUE_COUNT, "a", of=("V", "W"), gte=2))
    assert times(pairs, [match(0, V=1, W=1), match(1, V=2), match(2, W=2), match(3, V=1, W=2)]) == [3]


def test_a_value_that_comes_again_counts_from_then_on() -> None:
    distinct = pack(correlation(T.VALUE_COUNT, "a", of=("V",), gte=2))
    (only,) = alerts(distinct, [match(0, V="x"), match(9, V="x"), match(19, V="y")])
    assert (only.ts_ns - START, only.total, only.first_ns - START) == (19, 2, 9)


@pytest.mark.parametrize(
    "no_number", [None, True, "x", "", "nan", "inf", "-Infinity", "1_0", " 1", "٣", [], "0x1"]
)
def test_what_is_no_number_does_not_count(no_number: object) -> None:
    lowest = pack(correlation(T.VALUE_PERCENTILE, "a", of=("V",), percentile=0, lte=10**6))
    assert times(lowest, valued(no_number)) == []
    (only,) = alerts(lowest, valued(no_number, 7))
    assert (only.value, only.total) == (7, 1)


@pytest.mark.parametrize("monster", ["1e999999999", "-1e999999999", "1e-999999999", "9" * 65, "9" * 10**6])
def test_a_number_that_would_fill_the_memory_is_none(monster: str) -> None:
    total = pack(correlation(T.VALUE_SUM, "a", of=("V",), gte=1))
    (only,) = answers(total, valued(monster, 1))
    assert (only.value, only.total) == (1, 1)


def test_sums_are_exact() -> None:
    third = pack(correlation(T.VALUE_SUM, "a", of=("V",), eq=Fraction(3, 10)))
    assert times(third, valued(0.1, "0.2")) == [1]
    large = pack(correlation(T.VALUE_SUM, "a", of=("V",), eq=2**64 + 1))
    assert times(large, valued(2**64, "1e30", "1.0", "-1e30")) == [3]


def test_a_mean_is_exact() -> None:
    (only,) = alerts(pack(correlation(T.VALUE_AVG, "a", of=("V",), lt=1)), valued(1, "1", 0))
    assert only.value == Fraction(2, 3)


@pytest.mark.parametrize(
    ("percentile", "value"),
    [(0, 1), (25, Fraction(7, 4)), (50, Fraction(5, 2)), (Fraction(199, 2), Fraction(797, 200)), (100, 4)],
)
def test_a_percentile_lies_between_the_numbers_beside_it(percentile: int | Fraction, value: Fraction) -> None:
    it = pack(correlation(T.VALUE_PERCENTILE, "a", of=("V",), percentile=percentile, eq=value))
    last = alerts(it, valued(3, 1, 4, 2))[-1]
    assert last.value == value


def test_without_a_percentile_the_share_of_the_newest_value_is_meant() -> None:
    rare = pack(correlation(T.VALUE_PERCENTILE, "a", of=("V",), lte=25))
    (only,) = alerts(rare, valued("x", "x", "x", "y", "x"))
    assert (only.ts_ns - START, only.value, only.total) == (3, 25, 4)


# --- order of arrival --------------------------------------------------------------------------------------


def test_who_is_exactly_as_late_as_allowed_is_put_in_its_place() -> None:
    limits = Limits(lateness_ns=5)
    it = pack(correlation(T.TEMPORAL_ORDERED, "a", "b"))
    assert times(it, [match(10, "b"), match(5, "a")], limits=limits) == [10]
    assert times(it, [match(10, "b"), match(4, "a")], limits=limits) == []


def test_who_is_too_late_is_counted() -> None:
    correlator = fresh(TWO_BY_G, Limits(lateness_ns=5))
    correlator.feed([match(10), match(4), match(5)])
    assert correlator.counts.late == 1
    (only,) = correlator.advance(START + 20)
    assert (only.total, only.late) == (2, 1)
    correlator.feed([match(14), match(15)])
    assert correlator.counts.late == 2


# --- chains ------------------------------------------------------------------------------------------------

TWICE = correlation(T.EVENT_COUNT, "a", key="twice", by=("G",), gte=2)


def test_what_is_referred_to_is_silent() -> None:
    outer = correlation(T.EVENT_COUNT, "twice", key="outer", gte=1)
    (only,) = alerts(pack(TWICE, outer), [match(0), match(1)])
    assert only.correlation.rule.key == "outer"


def test_generate_lets_it_be_heard() -> None:
    outer = correlation(T.EVENT_COUNT, "twice", key="outer", gte=1, generate=True)
    inner, last = alerts(pack(TWICE, outer), [match(0), match(1)])
    assert (inner.correlation.rule.key, last.correlation.rule.key) == ("twice", "outer")
    assert last.chained == (inner.id,)


def test_an_outer_alert_lists_the_events_of_the_inner_ones() -> None:
    outer = correlation(T.TEMPORAL_ORDERED, "twice", "b", key="outer")
    acts = [match(0), match(1), match(3, "b")]
    (only,) = alerts(pack(TWICE, outer), acts)
    assert [part.ts_ns - START for part in only.events] == [0, 1, 3]
    assert (only.total, only.first_ns - START, only.last_ns - START) == (2, 1, 3)


def test_events_of_one_nanosecond_are_listed_as_they_came_also_in_a_chain() -> None:
    outer = correlation(T.TEMPORAL_ORDERED, "twice", "b", key="outer")
    acts = [match(5), match(5), match(5, "b")]
    *_, last = alerts(pack(TWICE, outer), acts)
    assert [one.event for one in last.events] == [act.event for act in acts]


def test_a_call_that_completes_the_inner_condition_is_one_entry_with_it() -> None:
    ordered = correlation(T.TEMPORAL_ORDERED, "twice", "a", key="outer")
    assert times(pack(TWICE, ordered), [match(0), match(1)]) == []
    assert times(pack(TWICE, ordered), [match(0), match(1), match(2)]) == [2]
    count = correlation(T.EVENT_COUNT, "twice", "a", key="outer", gte=3)
    assert times(pack(TWICE, count), [match(0), match(1)]) == []


def test_if_their_groups_differ_it_is_an_entry_in_each() -> None:
    outer = correlation(
        T.EVENT_COUNT,
        "twice",
        "a",
        key="outer",
        by=("who",),
        aliases={"who": {"twice": "G", "a": "User"}},
        gte=1,
    )
    found = alerts(pack(TWICE, outer), [match(0, G="p", User="u"), match(1, G="p", User="v")])
    assert {(only.ts_ns - START, only.group["who"]) for only in found} == {(0, "u"), (1, "p"), (1, "v")}


def test_the_names_that_the_inner_one_groups_by_are_known_to_the_outer_one() -> None:
    inner = correlation(T.EVENT_COUNT, "a", "b", key="inner", by=("who",), aliases=WHO, gte=2)
    outer = correlation(T.EVENT_COUNT, "inner", key="outer", by=("who", "G"), gte=1)
    (only,) = alerts(pack(inner, outer), [match(0, "a", G="p"), match(1, "b", User="p", G="other")])
    assert only.group == {"who": "p", "G": "other"}


def test_a_chain_may_be_three_deep_and_written_in_any_order() -> None:
    middle = correlation(T.TEMPORAL, "twice", "b", key="middle", by=("G",))
    outer = correlation(T.VALUE_COUNT, "middle", key="outer", of=("G",), gte=2)
    acts = [*at(0, 0, G="p"), *at(1, 1, G="q"), match(5, "b", G="p"), match(6, "b", G="q")]
    assert times(pack(outer, middle, TWICE), acts) == [6]


def test_an_inner_crossing_by_leaving_stands_at_its_own_time() -> None:
    inner = correlation(T.EVENT_COUNT, "a", key="inner", within=10, eq=1)
    outer = correlation(T.TEMPORAL_ORDERED, "b", "inner", key="outer", within=3)
    acts = [*at(0, 4), match(8, "b")]
    assert times(pack(inner, outer), acts) == [11]  # the first one left
    assert times(pack(inner, outer), [*at(0, 4), match(7, "b")]) == []


def test_an_absence_is_told_after_everything_of_its_last_instant() -> None:
    alone = correlation(T.TEMPORAL, "a", "b", key="alone", condition=both("a", without("b")))
    outer = correlation(T.TEMPORAL_ORDERED, "alone", "c", key="outer")
    assert times(pack(alone, outer), [match(0, "a"), match(10, "c")]) == []
    assert times(pack(alone, outer), [match(0, "a"), match(10, "c"), match(10, "b")], limits=IN_ORDER) == []
    assert times(pack(alone, outer), [match(0, "a"), match(11, "c")]) == [11]
