"""What correlations ask, in words."""

import re
from fractions import Fraction

import pytest
from tests.unit.ruletest.correlated_packs import RENAMED, TRIO, correlation
from tests.unit.ruletest.packs import compiled

from fileaudit_engine.compiler.correlation_wording import asked, listed, measure, number
from fileaudit_engine.rules.ast import Correlation


def read(text: str, *rules: str) -> Correlation:
    """A correlation from what stands in its map, but for group and timespan."""
    document = correlation("it", f"{text}, group-by: [], timespan: 1m")
    (found,) = compiled(*rules or (RENAMED,), document).correlations.correlations
    return found.rule


def of_renames(text: str) -> Correlation:
    return read(f"rules: [renamed], {text}")


def in_time(text: str) -> Correlation:
    return read(f"rules: [shadow_file_read, shadow_written], {text}", *TRIO)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("type: event_count, condition: {gte: 1}", "at least 1 event"),
        ("type: event_count, condition: {gt: 1200}", "more than 1,200 events"),
        ("type: event_count, condition: {gte: 2, lt: 5}", "at least 2 and fewer than 5 events"),
        ("type: event_count, condition: {eq: 2}", "exactly 2 events"),
        ("type: event_count, condition: {neq: 2}", "not exactly 2 events"),
        (
            "type: value_count, condition: {gte: 3, field: User}",
            "at least 3 different users",
        ),
        (
            "type: value_count, condition: {gte: 3, field: [User, TargetFilename]}",
            "at least 3 different combinations of User and TargetFilename",
        ),
        ("type: value_sum, condition: {gt: 5, field: FileSize}", "the sum of FileSize is greater than 5"),
        (
            "type: value_avg, condition: {lt: 0.5, field: FileSize}",
            "the average of FileSize is less than 0.5",
        ),
        ("type: value_median, condition: {lte: 5, field: FileSize}", "the median of FileSize is at most 5"),
        (
            "type: value_percentile, condition: {gte: 5, field: FileSize, percentile: 99.9}",
            "percentile 99.9 of FileSize is at least 5",
        ),
        (
            "type: value_percentile, condition: {lt: 1, field: Image}",
            "the newest value of Image makes less than 1 % of the events",
        ),
    ],
)
def test_a_condition_over_numbers_is_told_in_words(text: str, words: str) -> None:
    assert asked(of_renames(text)) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("type: temporal", "shadow_file_read and shadow_written"),
        ("type: temporal_ordered", "shadow_file_read, then shadow_written"),
        ("type: temporal, condition: {gte: 1}", "at least 1 of shadow_file_read, shadow_written"),
        (
            "type: temporal_ordered, condition: {gte: 2}",
            "at least 2 of shadow_file_read, shadow_written in this order",
        ),
        (
            "type: temporal, condition: shadow_file_read and not (shadow_written or shadow_file_read)",
            "shadow_file_read and not (shadow_written or shadow_file_read)",
        ),
        (
            "type: temporal_ordered, condition: shadow_written and shadow_file_read",
            "shadow_file_read, then shadow_written",
        ),
    ],
)
def test_a_condition_over_rules_is_told_in_words(text: str, words: str) -> None:
    assert asked(in_time(text)) == words


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("a and b", "a, then b"),
        ("d and (c or b) and a", "a, then b or c, then d"),
        ("b or a or d or c", "a, b, c or d"),
        ("(a or a) and (b or (c or d))", "a, then b, c or d"),
        ("(a or c) and b", "(a or c) and b, in the order a, b, c, d"),
        ("(a or b) and (b or c)", "(a or b) and (b or c), in the order a, b, c, d"),
        ("(a and c) or (b and d)", "(a and c) or (b and d), in the order a, b, c, d"),
        ("a and (b or (c and d))", "a and (b or (c and d)), in the order a, b, c, d"),
    ],
)
def test_what_comes_in_order_is_told_in_order_where_each_place_has_its_rules(
    condition: str, words: str
) -> None:
    rules = [re.sub("id: .*", f"name: {name}", RENAMED.replace("name: renamed", "")) for name in "abcd"]
    text = f"type: temporal_ordered, rules: [a, b, c, d], condition: {condition}"
    assert asked(read(text, *rules)) == words


def test_what_is_counted_or_computed_is_told_without_what_is_asked_of_it() -> None:
    assert measure(of_renames("type: event_count, condition: {gte: 1}")) == "events"
    share = of_renames("type: value_percentile, condition: {lt: 1, field: Image}")
    assert measure(share) == "the share of the newest value of Image, in %"
    assert measure(in_time("type: temporal_ordered")) == "rules in their order"


NUMBERS: dict[str, int | Fraction] = {
    "0": 0,
    "-1,234,567": -1234567,
    "0.333333": Fraction(1, 3),
    "-3.5": Fraction(-7, 2),
    "999,999,999,999,999": 10**15 - 1,
    "10^15.0": 10**15,
    "-10^5000.0": -(10**5000),
    "10^4999.5": Fraction(10**5000, 3),
    "0 ": Fraction(1, 10**5000),
}
"""By their words."""


@pytest.mark.parametrize("words", NUMBERS)
def test_numbers_are_short_however_large_or_fine_they_are(words: str) -> None:
    assert number(NUMBERS[words]) == words.strip()


def test_names_are_listed_as_in_a_sentence() -> None:
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert listed(["a", "b"], "or") == "a or b"
