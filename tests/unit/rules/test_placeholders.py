"""`expand`: percent signs, escapes, and what the configuration says."""

import pytest

from fileaudit_engine.rules.placeholders import expanded
from fileaudit_engine.rules.refusal import UnusableValue
from fileaudit_engine.rules.values import Wildcard, parse_pattern

VALUES = {"a": ("x", "y"), "b-1": ("1*",), "trailing": ("z\\",), "two": ("q\\\\",), "many": ("m",) * 40}


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("%a%", ("x", "y")),
        ("/%a%/%b-1%", ("/x/1*", "/y/1*")),
        ("%a%%a%", ("xx", "xy", "yx", "yy")),
        ("plain", ("plain",)),
        ("", ("",)),
        ("100%", ("100%",)),
        ("50% of 100%", ("50% of 100%",)),
        (r"\%a%", ("%a%",)),
        (r"\%plain%a%", ("%plainx", "%plainy")),
        (r"\\%a%", (r"\\x", r"\\y")),
        (r"a\*%a%", (r"a\*x", r"a\*y")),
    ],
)
def test_a_placeholder_stands_for_each_of_its_values(text: str, texts: tuple[str, ...]) -> None:
    assert expanded(text, VALUES) == texts


def test_a_backslash_at_the_end_of_a_value_escapes_nothing_behind_it() -> None:
    (text,) = expanded("%trailing%*", VALUES)
    assert parse_pattern(text) == ("z\\", Wildcard.ANY)
    (text,) = expanded("%two%*", VALUES)
    assert parse_pattern(text) == ("q\\", Wildcard.ANY)


def test_a_value_is_not_expanded_again() -> None:
    assert expanded("%a%", {"a": ("%a%",)}) == ("%a%",)


def test_an_empty_list_of_values_is_called_so() -> None:
    with pytest.raises(UnusableValue, match="the list of the placeholder 'admins' is empty") as raised:
        expanded("%admins%", {"admins": ()})
    assert raised.value.help.startswith("give it a value under 'placeholders:'")


def test_one_without_values_is_named() -> None:
    with pytest.raises(UnusableValue, match="'Admins'") as raised:
        expanded("x%Admins%", {"admins": ("a",)})
    assert (raised.value.code, raised.value.span) == ("FA038", (1, 9))
    assert raised.value.help == "did you mean '%admins%'?"
    with pytest.raises(UnusableValue) as raised:
        expanded("%none%", {"none": ()})
    assert "'placeholders:'" in raised.value.help


def test_too_many_combinations_are_refused() -> None:
    with pytest.raises(UnusableValue, match="1,024"):
        expanded("%many%%many%", VALUES)
    with pytest.raises(UnusableValue, match="1,024"):
        expanded("%many%" * 10_000, VALUES)
