r"""Sigma's text values: literal text, wildcards and the escapes between them.

C:\Windows\*    C:\Windows*          a backslash before a wildcard makes it an ordinary character
C:\Windows\\*   C:\Windows\ + any    so a backslash before a wildcard is itself escaped
C:\Windows      C:\Windows           any other backslash is just a backslash
a\\b            a\b                  two of them are one, everywhere
a\\\b           a\\b                 three of them are two, as the specification says

With the modifier `path` the wildcards know what a path is made of: `*` and `?` stop at a slash, `**` does
not.
"""

import enum
import re
from collections.abc import Iterable, Mapping
from typing import Final


class Wildcard(enum.Enum):
    """What may stand in a pattern beside literal text."""

    ANY = "*"
    """Any number of any characters, newlines and slashes included."""
    ONE = "?"
    """Exactly one character."""
    SEGMENT = "[^/]*"
    """Any number of any characters but slashes; only in patterns of paths."""
    SEGMENT_ONE = "[^/]"
    """Exactly one character that is no slash; only in patterns of paths."""


Pattern = tuple[str | Wildcard, ...]
"""Literal runs and wildcards in order; neither two literals nor two wildcards for any number of characters
stand side by side."""

PATH_WILDCARDS: Final = frozenset({Wildcard.SEGMENT, Wildcard.SEGMENT_ONE})
"""Those that stop at a slash."""

_MANY: Final = frozenset({Wildcard.ANY, Wildcard.SEGMENT})
_SIGMA: Final = {"*": Wildcard.ANY, "?": Wildcard.ONE}
_PATH: Final = {"**": Wildcard.ANY, "*": Wildcard.SEGMENT, "?": Wildcard.SEGMENT_ONE}

_TOKEN = re.compile(r"\\([*?\\])|([*?])|([^*?\\]+|\\)")
_PATH_TOKEN = re.compile(r"\\([*?\\])|(\*\*|[*?])|([^*?\\]+|\\)")
_ESCAPED = re.compile(r"[*?\\]")


def parse_pattern(text: str) -> Pattern:
    """What a value means. Every text is one; the empty text is the empty pattern."""
    return _parsed(text, _TOKEN, _SIGMA)


def parse_path(text: str) -> Pattern:
    """What a value means to the modifier `path`."""
    return _parsed(text, _PATH_TOKEN, _PATH)


def _parsed(text: str, token: re.Pattern[str], wildcards: Mapping[str, Wildcard]) -> Pattern:
    if not _ESCAPED.search(text):
        return (text,) if text else ()
    return joined(
        wildcards[wildcard] if wildcard else escaped or literal
        for escaped, wildcard, literal in (found.groups() for found in token.finditer(text))
    )


def spelled_pattern(pattern: Pattern) -> str:
    """A text that means `pattern`: the inverse of `parse_pattern`, every special character escaped.

    A pattern with wildcards that stop at a slash is spelled as the modifier `path` reads it.
    """
    return spelled_path(pattern) if PATH_WILDCARDS.intersection(pattern) else _spelled(pattern, _SIGMA)


def spelled_path(pattern: Pattern) -> str:
    """The inverse of `parse_path`."""
    return _spelled(pattern, _PATH)


def _spelled(pattern: Pattern, wildcards: Mapping[str, Wildcard]) -> str:
    written = {wildcard: text for text, wildcard in wildcards.items()}
    return "".join(
        written.get(part, part.value) if isinstance(part, Wildcard) else _ESCAPED.sub(r"\\\g<0>", part)
        for part in pattern
    )


def joined(parts: Iterable[str | Wildcard]) -> Pattern:
    """`parts` as a pattern: literals run together, repeated wildcards are one, empty literals go."""
    result: list[str | Wildcard] = []
    for part in parts:
        last = result[-1] if result else None
        if isinstance(part, str) and isinstance(last, str):
            result[-1] = last + part
        elif part in _MANY and last in _MANY:
            if part is Wildcard.ANY:  # takes in whatever stops at a slash
                result[-1] = part
        elif part:
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


def unchanged(pattern: Pattern) -> Pattern:
    """The pattern itself: the whole value."""
    return pattern


def has_wildcards(pattern: Pattern) -> bool:
    """Whether it stands for more than one text."""
    return any(isinstance(part, Wildcard) for part in pattern)


def literal_of(pattern: Pattern) -> str:
    """The text of a pattern without wildcards."""
    return "".join(part for part in pattern if isinstance(part, str))
