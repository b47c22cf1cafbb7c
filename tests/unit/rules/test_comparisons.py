"""Thresholds: exact as written, and held against what can be counted."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.rules.examples import scalar

from fileaudit_engine.rules.ast import Comparator, Comparison, CorrelationType
from fileaudit_engine.rules.comparisons import Number, Range, holds, number_of, range_of

COUNT = range_of(CorrelationType.EVENT_COUNT, 1, share=True)
SUM = range_of(CorrelationType.VALUE_SUM, 1, share=True)
SHARE = range_of(CorrelationType.VALUE_PERCENTILE, 1, share=True)
THREE = range_of(CorrelationType.TEMPORAL, 3, share=True)


def comparisons(text: str) -> list[Comparison]:
    """`gt 5, lte 1/2`."""
    pairs = (part.split() for part in text.split(", "))
    return [Comparison(comparator=Comparator(word), number=Fraction(number)) for word, number in pairs]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10", 10),
        ("-7", -7),
        ("0x10", 16),
        ("0.1", Fraction(1, 10)),
        ("1.50", Fraction(3, 2)),
        ("10.0", 10),
        ("1e3", 1000),
        ("-.5", Fraction(-1, 2)),
        ("0.0", 0),
        ("0e-99999999", 0),
        ("123456789.000000001", Fraction(123456789000000001, 10**9)),
        ("1e30", 10**30),
    ],
)
def test_a_number_is_what_is_written(text: str, number: Number) -> None:
    read = number_of(scalar(f"k: {text}"))
    assert (read, type(read)) == (number, type(number))


@pytest.mark.parametrize(
    "text",
    [
        *(".inf", "-.inf", ".nan", "1e31", "1e-31", "1e99999999999", "1e-99999999999"),
        *(str(10**31), "'10'", "true", "null", "ten"),
    ],
)
def test_what_is_no_number_or_out_of_all_bounds_is_none(text: str) -> None:
    assert number_of(scalar(f"k: {text}")) is None


@pytest.mark.parametrize(
    ("possible", "text", "can"),
    [
        (COUNT, "gt 5, lt 3", False),
        (COUNT, "gt 5, lt 6", False),
        (COUNT, "gt 5, lt 7", True),
        (COUNT, "lt 1", False),
        (COUNT, "eq 0", False),
        (COUNT, "eq 5, neq 5", False),
        (COUNT, "gte 5, lte 5", True),
        (COUNT, "gte 1, lt 3, neq 1", True),
        (COUNT, "gte 1, lt 2, neq 1", False),
        (SUM, "gt 5, lt 6", True),
        (SUM, "gt 5, lte 5", False),
        (SUM, "lt 0", True),
        (SHARE, "lte 0", False),
        (SHARE, "lte 1/10", True),
        (SHARE, "gt 100", False),
        (THREE, "gte 3", True),
        (THREE, "gte 4", False),
        (THREE, "gt 3", False),
        (THREE, "eq 4", False),
        (THREE, "lt 9", True),
    ],
)
def test_a_condition_is_possible_or_not(possible: Range, text: str, can: bool) -> None:  # noqa: FBT001 - a column
    assert possible.can_fulfil(comparisons(text)) == can


@pytest.mark.parametrize(
    ("possible", "text", "at_once"),
    [
        (COUNT, "gte 1", False),
        (COUNT, "gt 0", False),
        (COUNT, "eq 1", False),
        (COUNT, "gte 1, lt 5", False),
        (COUNT, "gte 10", False),
        (COUNT, "lt 5", True),
        (COUNT, "lte 5", True),
        (COUNT, "neq 5", True),
        (COUNT, "gte 0", True),
        (SHARE, "gte 50", True),
        (SHARE, "lte 1", False),
        (THREE, "lt 3", True),
        (SUM, "lt 5", False),
    ],
)
def test_the_first_match_is_enough_or_not(possible: Range, text: str, at_once: bool) -> None:  # noqa: FBT001 - a column
    assert possible.is_fulfilled_at_once(comparisons(text)) == at_once


numbers = st.fractions(-3, 8, max_denominator=2)
drawn = st.lists(
    st.builds(Comparison, comparator=st.sampled_from(Comparator), number=numbers), min_size=1, max_size=4
)


@given(drawn, st.sampled_from([COUNT, SUM, SHARE, THREE]))
def test_what_trying_some_numbers_says_is_what_trying_all_says(
    found: list[Comparison], possible: Range
) -> None:
    step = 1 if possible.whole else Fraction(1, 8)
    every = (number * step for number in range(-10 * 8, 101 * 8))
    assert possible.can_fulfil(found) == any(holds(found, one) for one in every if one in possible)
