"""Rule files after accidents: a rule that was right, with some of it torn out, doubled or swapped.

What comes in its place means something to YAML or to Sigma, or stood in another file; or a bit is flipped.
"""

import functools
import itertools
import re
from pathlib import Path

from hypothesis import strategies as st
from tests.conformance import suite

from fileaudit_engine.resources import rules_dir

_WORD = re.compile(rb"[\w*/.-]+")

PIECES: tuple[bytes, ...] = tuple(
    piece.encode("utf-8", "surrogatepass")
    for piece in (
        *("---\n", "...\n", "- ", "? ", ": ", ", ", "[", "]", "{", "}", "&a ", "*a", "<<: *a\n", "!!str "),
        *("!!int ", "!!binary ", "!x ", "%YAML 1.1\n", "%TAG ! x\n", "|\n", ">-\n", "|9\n", "#", "'", '"'),
        *("\\", "\t", "\r", "\n", "\n  ", "\n      ", "\u0085", "\u2028", "\ufeff", "\0", "\x1b[2J", "\x7f"),
        *("\ud800", "😀", "\u017f", "\u0130", "null", "~", "true", ".inf", "-.nan", "1e999", "0x" + "f" * 40),
        *(
            "9" * 400,
            "1_0",
            "0o9",
            "1:2:3",
            "=",
            "-0.0",
            "title",
            "id",
            "logsource",
            "detection",
            "condition",
        ),
        *(
            "filter",
            "correlation",
            "rules",
            "related",
            "tags",
            "selection",
            "1 of ",
            "all of ",
            "them",
            "not ",
        ),
        *(" and ", " or ", "(", ")", "sel*", "_x", "*", "|contains", "|re", "|i", "|all", "|neq", "|cidr"),
        *("|windash", "|base64offset", "|wide", "|utf16", "|expand", "|fieldref", "|exists", "|lt", "|hour"),
        *("|path", "|under", "|cased", "|", "||", "|" * 30, "a*" * 60 + "b", "?" * 300, "(a+)+$", "(" * 40),
        *(
            "[a-",
            "(?=x)",
            "\\1",
            "x{1000}{1000}",
            "%a%%b%",
            "%x",
            "\\%a%",
            "-a -b -c -d -e -f",
            "10.0.0.0/33",
        ),
        *("::/0", "fe80::1%eth0/64", "\\\\\\*", "/" * 200, "**", "2026-02-30", "@timestamp", "UtcTime"),
        *("Arguments", "UserId", "TargetFilename", "x" * 3_000, "é" * 500),
    )
)
"""What means something to YAML, to Sigma or to a regular expression, and what tries its bounds."""


@functools.cache
def good_files() -> tuple[bytes, ...]:
    """Every shipped rule, and every rule of the conformance suite (some of which are refused on purpose)."""
    shipped = [path.read_bytes() for path in sorted(Path(rules_dir()).rglob("*.yml"))]
    cases = [case.text.encode() for case in suite.all_cases()]
    return (*shipped, *dict.fromkeys(cases))


@st.composite
def torn_files(draw: st.DrawFn) -> bytes:
    """A file that was right, after one to four accidents."""
    raw = draw(st.sampled_from(good_files()))
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 4)))):
        raw = _ACCIDENTS[draw(st.integers(0, len(_ACCIDENTS) - 1))](draw, raw)
    return raw[:50_000]


def _span(draw: st.DrawFn, raw: bytes, longest: int) -> tuple[int, int]:
    start = draw(st.integers(0, len(raw)))
    return start, min(len(raw), start + draw(st.integers(0, longest)))


def _insert(draw: st.DrawFn, raw: bytes) -> bytes:
    start, end = _span(draw, raw, 12)
    return raw[:start] + draw(st.sampled_from(PIECES)) + raw[end:]


def _flip(draw: st.DrawFn, raw: bytes) -> bytes:
    if not raw:
        return raw
    at, bit = draw(st.integers(0, len(raw) - 1)), draw(st.integers(0, 7))
    return raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]


def _double(draw: st.DrawFn, raw: bytes) -> bytes:
    start, end = _span(draw, raw, 200)
    return raw[:end] + raw[start:end] * draw(st.integers(1, 4)) + raw[end:]


def _cut(draw: st.DrawFn, raw: bytes) -> bytes:
    start, end = _span(draw, raw, 200)
    return raw[:start] + raw[end:]


def _splice(draw: st.DrawFn, raw: bytes) -> bytes:
    other = draw(st.sampled_from(good_files()))
    start, end = _span(draw, other, 300)
    at = draw(st.integers(0, len(raw)))
    return raw[:at] + other[start:end] + raw[at:]


def _swap_word(draw: st.DrawFn, raw: bytes) -> bytes:
    """A word of the file becomes a piece: keys, values and modifiers are hit rather than what is between."""
    words = list(itertools.islice(_WORD.finditer(raw), 400))
    if not words:
        return raw
    word = draw(st.sampled_from(words))
    return raw[: word.start()] + draw(st.sampled_from(PIECES)) + raw[word.end() :]


def _swap_words(draw: st.DrawFn, raw: bytes) -> bytes:
    """A word of the file becomes a word of another: it stays YAML, and most likely means something."""
    mine, other = _WORD.findall(raw)[:400], _WORD.findall(draw(st.sampled_from(good_files())))[:400]
    if not mine or not other:
        return raw
    return raw.replace(draw(st.sampled_from(mine)), draw(st.sampled_from(other)), 1)


_ACCIDENTS = (_insert, _flip, _double, _cut, _splice, _swap_word, _swap_word, *(_swap_words,) * 5)
