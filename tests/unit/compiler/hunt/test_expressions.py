"""Regular expressions of rules as Lucene has them."""

import re

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.hunt.hunting import MORE_EXPRESSIONS
from tests.unit.compiler.strategies import EXPRESSIONS, REPEATABLE

from fileaudit_engine.compiler.hunt.expression import Unwritable, is_exact, written
from fileaudit_engine.compiler.hunt.re2 import lucene_of


def lucene(expression: str, flags: str = "") -> str:
    return written(lucene_of(expression, flags, folded="i" in flags))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a.c", ".*a.c.*"),
        ("^/etc/(passwd|shadow)$", r"\/etc\/(passwd|shadow)"),
        (r"\.ssh(/|$)", r".*\.ssh(\/.*|())"),
        ("(^|/)x", r"(()|.*\/)x.*"),
        ("^a|b$", "(a.*|.*b)"),
        (r"\d{2,}", ".*[0-9]{2,}.*"),
        (r"\S+", ".*[^ ]+.*"),
        (r"^\s", "([ ]|[^ -\U0003134a]).*"),
        ("[^/\\n]+?x", r".*[^\/]+x.*"),
        (r"^\Qa.b\E$", r"(a\.b)"),
        ("^$", "()"),
        ("(?s)^.$", "."),
        ('["#@&<>~]', r".*[\"#\&<>@\~].*"),
        (r"\x41\x{1F600}", ".*A\U0001f600.*"),
    ],
)
def test_an_expression_becomes_one_of_the_whole_text(expression: str, expected: str) -> None:
    assert lucene(expression) == expected


def test_an_expression_without_case_is_written_in_lower_case() -> None:
    assert lucene("SSH[A-C]", "i") == ".*ssh[A-Ca-c].*"


@pytest.mark.parametrize(
    "expression",
    [r"\bsh\b", "(?i:a)", r"\pL", "[[:alpha:]]", "a^b", "(a|^b)+", "a$b", r"\C", "(?P<x>a)(^)"],
)
def test_what_lucene_does_not_have_is_refused(expression: str) -> None:
    with pytest.raises(Unwritable):
        lucene(expression)


def test_anchors_of_lines_are_refused() -> None:
    with pytest.raises(Unwritable, match="anchor of lines"):
        lucene("^a", "m")


@settings(REPEATABLE, max_examples=2_000)
@given(
    st.sampled_from((*EXPRESSIONS, *MORE_EXPRESSIONS)),
    st.text(alphabet="ab/.etcshgzx 019-\n\té", max_size=12),
)
def test_what_re2_finds_lucene_describes(expression: str, text: str) -> None:
    """The written part of Lucene's dialect means the same to Python's `re`."""
    try:
        node = lucene_of(expression, "", folded=False)
    except Unwritable:
        return
    described = re.compile(written(node), re.DOTALL).fullmatch(text) is not None
    found = re2.search(expression, text) is not None
    assert described or not found
    assert found or not described or not is_exact(node)
