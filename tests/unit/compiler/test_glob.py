"""Patterns with `*` and `?`, compared with a matcher that is obviously right, and on what stops others."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.compiler.examples import ANY, ONE
from tests.unit.compiler.oracle import glob_holds
from tests.unit.compiler.strategies import REPEATABLE

from fileaudit_engine.compiler.glob import Glob, compile_glob
from fileaudit_engine.compiler.ir import Pattern, Wildcard

SEGMENT, SEGMENT_ONE = Wildcard.SEGMENT, Wildcard.SEGMENT_ONE
TOKENS = st.one_of(st.text("ab/", min_size=1, max_size=3), st.sampled_from((ANY, ONE)))
LONG = "a" * 100_000
TraceFunction = Callable[[FrameType, str, Any], Any]


def joined(tokens: list[str | Wildcard]) -> Pattern:
    """A legal pattern: two literals never stand side by side."""
    result: list[str | Wildcard] = []
    for token in tokens:
        if isinstance(token, str) and result and isinstance(result[-1], str):
            result[-1] += token
        else:
            result.append(token)
    return tuple(result)


@settings(REPEATABLE, max_examples=2_000)
@given(
    st.lists(TOKENS, max_size=8).map(joined), st.lists(st.text("ab/", max_size=12), min_size=1, max_size=8)
)
@example((ANY, "ab", ANY, "ba", ANY), ["aba", "abba"])
@example(("a", ANY, "a"), ["a", "aa", "aba"])
@example((ANY, "a", ONE, "a", ANY), ["aaa", "aab", "baab"])
@example((ANY, ANY), ["", "a"])
def test_a_pattern_matches_what_the_naive_matcher_matches(pattern: Pattern, texts: list[str]) -> None:
    compiled = compile_glob(pattern)
    assert [compiled(text) for text in texts] == [glob_holds(pattern, text) for text in texts]


PATH_TOKENS = st.one_of(
    st.text("ab/", min_size=1, max_size=3), st.sampled_from((ANY, SEGMENT, SEGMENT, SEGMENT_ONE))
)


@settings(REPEATABLE, max_examples=2_000)
@given(
    st.lists(PATH_TOKENS, max_size=8).map(joined),
    st.lists(st.text("ab/", max_size=12), min_size=1, max_size=8),
)
@example((SEGMENT, "a"), ["a", "aa", "/a", "a/a"])
@example((ANY, "/", SEGMENT), ["/", "a/b/", "a"])
@example((SEGMENT_ONE, ANY), ["/", "a", "a/", ""])
@example(("/", SEGMENT, SEGMENT, "/"), ["//", "/ab/", "/"])
@example((SEGMENT,), ["", "a", "/"])
def test_a_pattern_of_a_path_matches_what_the_naive_matcher_matches(
    pattern: Pattern, texts: list[str]
) -> None:
    compiled = compile_glob(pattern)
    assert [compiled(text) for text in texts] == [glob_holds(pattern, text) for text in texts]


@given(st.lists(TOKENS, max_size=6).map(joined), st.text("ab", max_size=12))
def test_without_slashes_the_wildcards_of_a_path_are_the_ordinary_ones(pattern: Pattern, text: str) -> None:
    of_path = tuple(
        token if isinstance(token, str) else SEGMENT if token is ANY else SEGMENT_ONE for token in pattern
    )
    assert compile_glob(of_path)(text) is compile_glob(pattern)(text)


@pytest.mark.parametrize("pattern", [(SEGMENT,), ("/", SEGMENT_ONE, "/", ANY)])
@pytest.mark.parametrize("character", ["\n", "é", "\U0001f600", "\udcff", "\0"])
def test_only_a_slash_stops_a_wildcard_of_a_path(pattern: Pattern, character: str) -> None:
    assert compile_glob(pattern)(character if len(pattern) == 1 else f"/{character}/")
    assert not compile_glob(pattern)("/" if len(pattern) == 1 else "///")


@pytest.mark.parametrize("character", ["/", "\n", "é", "\U0001f600", "\udcff", "\0"])
def test_a_question_mark_is_exactly_one_character_of_any_kind(character: str) -> None:
    question = compile_glob(("a", ONE, "b"))
    assert question(f"a{character}b")
    assert not question("ab")
    assert not question(f"a{character}{character}b")


def test_a_star_crosses_slashes_and_newlines() -> None:
    assert compile_glob(("/etc/", ANY, "d"))("/etc/a/b\nc/d")


def test_beginning_and_ending_do_not_overlap() -> None:
    assert not compile_glob(("/aa", ANY, "aa"))("/aa")
    assert not compile_glob(("aba", ANY, ONE, "ba"))("ababa"[:4])


def test_the_empty_pattern_is_the_empty_text() -> None:
    assert compile_glob(())("")
    assert not compile_glob(())("a")


def many(*tokens: str | Wildcard, times: int = 500) -> Pattern:
    return tokens * times


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param((ANY, *many("a", ANY), "b", ANY), id="*a*a*a…b*"),
        pytest.param((*many(ANY, "a"), ANY, "b"), id="*a*a*a…*b"),
        pytest.param((ANY, *many(ONE, "a"), "b", ANY), id="*?a?a?a…b*"),
        pytest.param((ANY, *many(ONE), "b", ANY), id="*????…b*"),
        pytest.param((*many(ANY, ONE), "b", ANY), id="*?*?*?…b*"),
        pytest.param((ANY, *many(ONE, times=50_000), "b", ANY), id="more ? than a file name has characters"),
        pytest.param((ANY, *many("a", ONE, times=2_000), ANY, "c", ANY), id="*a?a?…*c*"),
        pytest.param((*many(ANY, "aaaa", ONE), "b", ANY), id="*aaaa?*aaaa?…b*"),
        pytest.param((ANY, "a" * 50_000 + "b", ANY), id="a literal that nearly fits everywhere"),
        pytest.param((*many(SEGMENT, "a", times=200), SEGMENT, "b"), id="path: *a*a*a…*b"),
        pytest.param((*many(ANY, "a", SEGMENT, times=200), "b"), id="path: **a***a*…b"),
        pytest.param((ANY, *many(SEGMENT_ONE, times=2_000), "b", SEGMENT), id="path: **????…b*"),
    ],
)
def test_a_pattern_made_to_be_slow_decides(pattern: Pattern) -> None:
    compiled = compile_glob(pattern)
    assert not compiled(LONG)


@pytest.mark.parametrize(
    "pattern",
    [(*many(ANY, "a", times=200), ANY, "b"), (*many(SEGMENT, "a", times=200), ANY, "/", SEGMENT, "b")],
)
def test_the_work_of_matching_grows_with_the_text_and_not_faster(pattern: Pattern) -> None:
    compiled = compile_glob(pattern)
    assert _steps(compiled, "a" * 10_000) <= 2 * _steps(compiled, "a" * 5_000) + 1_000


def _steps(compiled: Glob, text: str) -> int:
    """Lines that Python runs to find out that a text does not match."""
    steps = 0

    def count(frame: FrameType, event: str, argument: object) -> TraceFunction:  # noqa: ARG001 - the form of a trace
        nonlocal steps
        steps += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        assert not compiled(text)
    finally:
        sys.settrace(before)
    return steps


def test_a_run_too_large_for_the_automaton_is_found_all_the_same() -> None:
    different = "".join(map(chr, range(0x4E00, 0x4E00 + 6_000)))
    run = (different, ONE, different)
    assert compile_glob((ANY, *run, ANY))(f"x{different}?{different}y")
    assert not compile_glob((ANY, *run, ANY))(f"x{different}{different}y")
