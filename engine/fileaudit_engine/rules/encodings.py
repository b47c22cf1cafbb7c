r"""What transformations make of a value: its other spellings, and its bytes in other encodings.

    -enc            windash          -enc   /enc   and with each of three longer dashes
    cmd             wide             c\0m\0d\0
    foo             base64offset     Zm9v   Zvb   mb2

They work on patterns, so that a wildcard stays one where that has a meaning. Bytes are those that the kernel
would have (`text.to_kernel`); bytes that are no UTF-8 come back as `text.from_kernel` reads them, so that
none is lost on the way and a second encoding begins with exactly what the first one gave.
"""

import base64 as codec
import itertools
import re
from typing import Final

from fileaudit_engine.rules.refusal import UnusableValue, bound_forms
from fileaudit_engine.rules.values import Pattern, Wildcard, has_wildcards, joined, literal_of
from fileaudit_engine.text import from_kernel, to_kernel

DASHES: Final = ("-", "/", "\u2013", "\u2014", "\u2015")
"""What introduces an option on a Windows command line: hyphen, slash, en dash, em dash, horizontal bar."""

_DASH = re.compile(rf"\B[{re.escape(''.join(DASHES))}]\b")
_MARK = from_kernel(b"\xff\xfe")
"""The byte-order mark of UTF-16, little end first."""

_SHIFTS: Final = ((0, 0), (1, 2), (2, 3))
"""Bytes before the value, modulo three, and the characters of Base64 that they have a part in."""

_TAILS: Final = (0, 3, 2)
"""By the number of bytes modulo three: characters at the end that what follows has a part in, or padding."""


def windash(pattern: Pattern) -> tuple[Pattern, ...]:
    """Every form of the value, each dash that introduces an option being any of `DASHES`.

    Raises:
        UnusableValue: They are too many.
    """
    pieces = [piece for part in pattern for piece in _pieces(part)]
    dashes = pieces.count(DASHES)
    bound_forms("windash", len(DASHES) ** min(dashes, 20), sum(len(p) for p in pattern if isinstance(p, str)))
    return tuple(joined(choice) for choice in itertools.product(*pieces))


def _pieces(part: str | Wildcard) -> list[tuple[str | Wildcard, ...]]:
    """A part of a pattern, cut at its dashes: each piece with what may stand in its place."""
    if isinstance(part, Wildcard):
        return [(part,)]
    result: list[tuple[str | Wildcard, ...]] = []
    position = 0
    for found in _DASH.finditer(part):
        result += [(part[position : found.start()],), DASHES]
        position = found.end()
    return [*result, (part[position:],)]


def base64(pattern: Pattern) -> tuple[Pattern, ...]:
    """The value in Base64, as it stands where it is encoded alone.

    Raises:
        UnusableValue: It has wildcards.
    """
    return (joined((codec.b64encode(_bytes("base64", pattern)).decode(),)),)


def base64offset(pattern: Pattern) -> tuple[Pattern, ...]:
    """What is sure to stand in the Base64 of any text that the value is a part of, by its place in it.

    Characters that neighbours have a part in are left out at both ends.

    Raises:
        UnusableValue: It has wildcards, or is too short to leave anything.
    """
    raw = _bytes("base64offset", pattern)
    if len(raw) < 2:
        raise UnusableValue(
            "FA035",
            "so short a value leaves nothing that is sure to stand in the encoded text",
            "give it two characters or more",
        )
    return tuple((_shifted(raw, before, head),) for before, head in _SHIFTS)


def _shifted(raw: bytes, before: int, head: int) -> str:
    encoded = codec.b64encode(b"\0" * before + raw).decode()
    return encoded[head : len(encoded) - _TAILS[(before + len(raw)) % 3]]


def _bytes(modifier: str, pattern: Pattern) -> bytes:
    if has_wildcards(pattern):
        raise UnusableValue(
            "FA033",
            f"'{modifier}' cannot encode a wildcard",
            "write '\\*' or '\\?' if the character is meant, or encode the parts beside it one by one",
        )
    return to_kernel(literal_of(pattern))


def utf16le(pattern: Pattern) -> tuple[Pattern, ...]:
    """Two bytes for each character, the low one first; wildcards stay where they are."""
    return (_encoded(pattern, "utf-16-le"),)


def utf16be(pattern: Pattern) -> tuple[Pattern, ...]:
    """Two bytes for each character, the high one first."""
    return (_encoded(pattern, "utf-16-be"),)


def utf16(pattern: Pattern) -> tuple[Pattern, ...]:
    """As `utf16le`, with the byte-order mark in front."""
    return (joined((_MARK, *_encoded(pattern, "utf-16-le"))),)


def _encoded(pattern: Pattern, encoding: str) -> Pattern:
    return joined(
        from_kernel(part.encode(encoding, "surrogatepass")) if isinstance(part, str) else part
        for part in pattern
    )
