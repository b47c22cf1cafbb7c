"""What a regular expression cannot do without, said only where it is certain."""

import re

import pytest
import re2
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.unit.compiler.strategies import REPEATABLE

from fileaudit_engine.compiler.required import required
from fileaudit_engine.text import fold


@pytest.mark.parametrize(
    ("expression", "texts"),
    [
        ("shadow", ("shadow",)),
        ("^/etc/shadow$", ("/etc/shadow",)),
        (r"/etc/(passwd|shadow)", ("passwd", "shadow")),
        ("shadow{0,3}x", ("shado",)),
        (r"(passwd|shadow)-?", ("passwd", "shadow")),
        (r"(?:curl|wget)\s+http", ("http",)),
        (r"(?P<tool>curl|wget)\s", ("curl", "wget")),
        (r"a{2,}bcde", ("bcde",)),
        (r"id_rsa(\.pub)?$", ("id_rsa",)),
        (r"\.ssh/id_[a-z]+", (".ssh/id_",)),
        (r"\$\{jndi", ("${jndi",)),
        (r"\bsudo\b", ("sudo",)),
        ("abcd+ef", ("abcd",)),
        ("(?i)SHADOW", ("SHADOW",)),
        ("(?i:SHADOW)x", ("SHADOW",)),
        ("foo|barbaz", ("foo", "barbaz")),
        (r"[[:alpha:]]+/\.hidden", ("/.hidden",)),
        (r"[]x]/secret", ("/secret",)),
        (r"[^]x]/secret", ("/secret",)),
        (r"(abc|def)+ghi", ("ghi",)),
    ],
)
def test_the_best_text_that_must_be_there_is_found(expression: str, texts: tuple[str, ...]) -> None:
    assert required(expression).texts == texts


@pytest.mark.parametrize(
    "expression",
    [
        "", ".*", "ab", "(shadow)?", "(shadow)*", "(foo|b)", "(foo|)", "[a-z]+",
        r"\x41\x42\x43\x44", r"\Qabcd\E", "(abc|d.)+x", "é" * 5, "x{,5}abcd", "(" * 40 + "abcd" + ")" * 40,
    ],
)  # fmt: skip
def test_nothing_is_said_where_nothing_is_certain(expression: str) -> None:
    assert required(expression).texts == ()


QUANTIFIERS = st.sampled_from(("", "", "", "?", "*", "+", "{2}", "{0,2}", "+?"))
ATOMS = st.sampled_from(
    ("abc", "sh", "/", r"\.", ".", "[a-c]", "[^x]", r"\d", "k", "S", "(foo|bar)", "(?:ab|c)")
)
ALONE = st.sampled_from(("^", "$", r"\b", "(?:x)?", "(?:sh|abc)", "abc", "shadow"))
PARTS = st.one_of(st.tuples(ATOMS, QUANTIFIERS).map("".join), ALONE)
EXPRESSIONS = st.lists(PARTS, min_size=1, max_size=6).map("".join)
QUIET = re2.Options()
QUIET.log_errors = False


def in_python(expression: str) -> re.Pattern[str]:
    """The expression as Python has it, which means the same for all that is generated here."""
    try:
        re2.compile(expression, QUIET)
        return re.compile(expression)
    except (re.error, re2.error):
        assume(False)
        raise


@settings(REPEATABLE, max_examples=250, suppress_health_check=list(HealthCheck))
@given(EXPRESSIONS, st.sampled_from(("", "i")), st.data())
def test_every_text_that_is_found_has_one_of_them(expression: str, flags: str, data: st.DataObject) -> None:
    in_python(expression)
    wanted = required(expression).texts
    assume(wanted)
    whole = f"(?{flags}){expression}" if flags else expression
    text = data.draw(st.from_regex(in_python(whole)))
    assume(re2.search(whole, text))
    assert any(fold(literal) in fold(text) for literal in wanted)


@pytest.mark.parametrize(
    ("expression", "characters"),
    [
        ("", 0),
        ("abc", 3),
        ("[^/]{100,}$", 100),
        (r"^\d{4}-\d\d?$", 6),
        ("(ab|cde){3}x*", 6),
        ("(ab)?c+", 1),
        ("(?i)a.c|de", 2),
        (r"\bfoo\b", 3),
        (r"\x41{50}", 0),
    ],
)
def test_so_many_characters_must_be_there(expression: str, characters: int) -> None:
    assert required(expression).characters == characters


@settings(REPEATABLE, max_examples=250, suppress_health_check=list(HealthCheck))
@given(EXPRESSIONS, st.data())
def test_nothing_shorter_is_found(expression: str, data: st.DataObject) -> None:
    found = re2.search(expression, data.draw(st.from_regex(in_python(expression))), QUIET)
    assume(found)
    assert len(found.group()) >= required(expression).characters
