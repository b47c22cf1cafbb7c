import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.rules.values import (
    Pattern,
    Wildcard,
    anywhere,
    at_end,
    at_start,
    has_wildcards,
    joined,
    literal_of,
    parse_path,
    parse_pattern,
    spelled_path,
    spelled_pattern,
)

ANY, ONE = Wildcard.ANY, Wildcard.ONE
SEGMENT, SEGMENT_ONE = Wildcard.SEGMENT, Wildcard.SEGMENT_ONE


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


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("/home/*/.ssh", ("/home/", SEGMENT, "/.ssh")),
        ("/srv/**", ("/srv/", ANY)),
        ("/srv/***", ("/srv/", ANY)),
        ("/srv/**/x?", ("/srv/", ANY, "/x", SEGMENT_ONE)),
        (r"/a\*\?b", ("/a*?b",)),
        (r"/a\**", ("/a*", SEGMENT)),
        ("/plain", ("/plain",)),
        ("", ()),
    ],
)
def test_in_a_path_wildcards_stop_at_a_slash_unless_they_are_doubled(text: str, pattern: Pattern) -> None:
    assert parse_path(text) == pattern


def patterns_with(*wildcards: Wildcard) -> st.SearchStrategy[Pattern]:
    literals = st.text(alphabet="ab*?\\/\n", min_size=1)
    return st.lists(st.one_of(literals, st.sampled_from(wildcards))).map(joined)


@given(patterns_with(ANY, ONE))
def test_a_spelled_pattern_means_itself(pattern: Pattern) -> None:
    assert parse_pattern(spelled_pattern(pattern)) == pattern


@given(patterns_with(ANY, SEGMENT, SEGMENT_ONE))
def test_a_spelled_path_means_itself(pattern: Pattern) -> None:
    assert parse_path(spelled_path(pattern)) == pattern
    if {SEGMENT, SEGMENT_ONE}.intersection(pattern):
        assert spelled_pattern(pattern) == spelled_path(pattern)


@given(st.sampled_from((parse_pattern, parse_path)), st.text(alphabet="ab*?\\/"))
def test_neighbours_are_always_joined(parse: Callable[[str], Pattern], text: str) -> None:
    for one, other in itertools.pairwise(parse(text)):
        assert not (isinstance(one, str) and isinstance(other, str))
        assert not ({one, other} <= {ANY, SEGMENT})


@given(st.text(alphabet="ab*?\\/"))
def test_a_value_without_wildcards_is_the_same_text_to_both_readings(text: str) -> None:
    pattern = parse_pattern(text)
    if not has_wildcards(pattern):
        assert parse_path(text) == pattern == ((literal_of(pattern),) if literal_of(pattern) else ())


def test_a_comparison_puts_wildcards_around_the_value() -> None:
    assert anywhere(("x",)) == (ANY, "x", ANY)
    assert at_start(("x",)) == ("x", ANY)
    assert at_end(("x",)) == (ANY, "x")


def test_a_wildcard_at_the_end_of_the_value_is_not_doubled() -> None:
    assert anywhere((ANY, "x", ANY)) == (ANY, "x", ANY)
    assert anywhere(()) == (ANY,)
