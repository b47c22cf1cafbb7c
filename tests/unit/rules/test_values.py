import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.rules.values import (
    Pattern,
    Wildcard,
    anywhere,
    at_end,
    at_start,
    joined,
    parse_pattern,
    spelled_pattern,
)

ANY, ONE = Wildcard.ANY, Wildcard.ONE


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("", ()),
        ("plain", ("plain",)),
        ("*", (ANY,)),
        ("?", (ONE,)),
        ("a*b?c", ("a", ANY, "b", ONE, "c")),
        ("??", (ONE, ONE)),
        ("a**b", ("a", ANY, "b")),
        (r"a\*b", ("a*b",)),
        (r"a\?b", ("a?b",)),
        (r"C:\Windows", (r"C:\Windows",)),
        (r"a\\b", (r"a\b",)),
        (r"a\\*", ("a\\", ANY)),
        (r"a\\\*", (r"a\*",)),
        (r"a\\\\*", ("a\\\\", ANY)),
        (r"a\\\b", (r"a\\b",)),
        (r"a\\\\b", (r"a\\b",)),
        ("end\\", ("end\\",)),
        ("end\\\\", ("end\\",)),
        (r"\*", ("*",)),
        ("a\nb*", ("a\nb", ANY)),
    ],
)
def test_escapes_and_wildcards_mean_what_the_specification_says(text: str, pattern: Pattern) -> None:
    assert parse_pattern(text) == pattern


patterns = st.lists(st.one_of(st.text(alphabet="ab*?\\/\n", min_size=1), st.sampled_from(Wildcard))).map(
    joined
)


@given(patterns)
def test_a_spelled_pattern_means_itself(pattern: Pattern) -> None:
    assert parse_pattern(spelled_pattern(pattern)) == pattern


@given(st.text(alphabet="ab*?\\"))
def test_neighbours_are_always_joined(text: str) -> None:
    pattern = parse_pattern(text)
    for one, other in itertools.pairwise(pattern):
        assert not (isinstance(one, str) and isinstance(other, str))
        assert not (one is ANY and other is ANY)


def test_a_comparison_puts_wildcards_around_the_value() -> None:
    assert anywhere(("x",)) == (ANY, "x", ANY)
    assert at_start(("x",)) == ("x", ANY)
    assert at_end(("x",)) == (ANY, "x")


def test_a_wildcard_at_the_end_of_the_value_is_not_doubled() -> None:
    assert anywhere((ANY, "x", ANY)) == (ANY, "x", ANY)
    assert anywhere(()) == (ANY,)
