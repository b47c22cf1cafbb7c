r"""Sigma's text values: literal text, wildcards and the escapes between them.

C:\Windows\*    C:\Windows*          a backslash before a wildcard makes it an ordinary character
C:\Windows\\*   C:\Windows\ + any    so a backslash before a wildcard is itself escaped
C:\Windows      C:\Windows           any other backslash is just a backslash
a\\b            a\b                  two of them are one, everywhere
a\\\b           a\\b                 three of them are two, as the specification says
"""

import enum
import re
from collections.abc import Iterable


class Wildcard(enum.Enum):
    """The two wildcards of a Sigma value."""

    ANY = "*"
    """Any number of any characters, newlines and slashes included."""
    ONE = "?"
    """Exactly one character."""


Pattern = tuple[str | Wildcard, ...]
"""Literal runs and wildcards in order; neither two literals nor two `ANY` stand side by side."""

_TOKEN = re.compile(r"\\([*?\\])|([*?])|([^*?\\]+|\\)")
_ESCAPED = re.compile(r"[*?\\]")


def parse_pattern(text: str) -> Pattern:
    """What a value means. Every text is one; the empty text is the empty pattern."""
    if not _ESCAPED.search(text):
        return (text,) if text else ()
    return joined(
        Wildcard(wildcard) if wildcard else escaped or literal
        for escaped, wildcard, literal in (found.groups() for found in _TOKEN.finditer(text))
    )


def spelled_pattern(pattern: Pattern) -> str:
    """A text that means `pattern`: the inverse of `parse_pattern`, every special character escaped."""
    return "".join(
        part.value if isinstance(part, Wildcard) else _ESCAPED.sub(r"\\\g<0>", part) for part in pattern
    )


def joined(parts: Iterable[str | Wildcard]) -> Pattern:
    """`parts` as a pattern: literals run together, repeated `ANY` is one, empty literals go."""
    result: list[str | Wildcard] = []
    for part in parts:
        last = result[-1] if result else None
        if isinstance(part, str) and isinstance(last, str):
            result[-1] = last + part
        elif part and not (part is Wildcard.ANY and last is Wildcard.ANY):
            result.append(part)
    return tuple(result)


def anywhere(pattern: Pattern) -> Pattern:
    """The pattern, with anything before and after it."""
    return joined((Wildcard.ANY, *pattern, Wildcard.ANY))


def at_start(pattern: Pattern) -> Pattern:
    """The pattern, with anything after it."""
    return joined((*pattern, Wildcard.ANY))


def at_end(pattern: Pattern) -> Pattern:
    """The pattern, with anything before it."""
    return joined((Wildcard.ANY, *pattern))
