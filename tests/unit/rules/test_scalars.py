import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.rules.examples import scalar

from fileaudit_engine.rules.ast import Scalar
from fileaudit_engine.rules.scalars import core_scalar


@pytest.mark.parametrize("text", ["yes", "no", "on", "off", "y", "Yes", "NO"])
def test_the_truth_values_of_yaml_1_1_are_text(text: str) -> None:
    assert core_scalar(text) == text


@pytest.mark.parametrize(
    "text",
    ["0755", "00", "-012", "007.5", "12:30:45", "2024-01-02", "1_000", "0b11", "0o8", "0xg", "1e", "."],
)
def test_what_only_looks_like_a_number_is_text(text: str) -> None:
    assert core_scalar(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("12", 12), ("-7", -7), ("+7", 7), ("0o17", 15), ("0x1f", 31), ("0xFF", 255)],
)
def test_whole_numbers_are_decimal_octal_and_hexadecimal(text: str, value: int) -> None:
    assert core_scalar(text) == value
    assert type(core_scalar(text)) is int


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0), ("-0.25", -0.25), ("1E-2", 0.01)],
)
def test_numbers_with_a_point_or_an_exponent_are_floats(text: str, value: float) -> None:
    assert core_scalar(text) == value
    assert type(core_scalar(text)) is float


@pytest.mark.parametrize("text", [".inf", "+.Inf", "-.INF", ".nan"])
def test_infinities_and_nan_are_no_finite_numbers(text: str) -> None:
    value = core_scalar(text)
    assert isinstance(value, float)
    assert not math.isfinite(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_the_words_of_the_core_schema_have_their_values(text: str, value: Scalar) -> None:
    assert core_scalar(text) is value


@pytest.mark.parametrize("text", ["tRUE", "nULL", "truE", "none", "nil"])
def test_no_other_spelling_of_them_has(text: str) -> None:
    assert core_scalar(text) == text


def test_a_number_of_absurd_length_stays_text() -> None:
    digits = "9" * 100_000
    assert core_scalar(digits) == digits


@given(st.text())
def test_every_text_has_a_value(text: str) -> None:
    assert isinstance(core_scalar(text), (str, int, float, bool, type(None)))


@pytest.mark.parametrize("written", ["'12'", '"true"', "'null'", "!!str 12", "! 12"])
def test_a_quoted_or_tagged_scalar_is_text(written: str) -> None:
    assert isinstance(scalar(f"k: {written}").value, str)
