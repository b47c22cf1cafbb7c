r"""What a search says of a name, and how names that fit are found without trying them all.

    /etc/passwd       one name                      an equality in the index of names
    /etc/**           all that begin with /etc/     a range of it
    /home/*/.ssh/*    begins with /home/, …         the same range, and each of its names is tried
    **/id_rsa         has /id_rsa in it             all names of the dimension, most dropped by one look

In a path `*` and `?` stop at a slash and `**` does not; in other names they stop nowhere. Upper and lower
case are told apart, as the file system does. What output shows of a name can be given as it is: `\xNN` is a
byte that is no UTF-8, and a backslash before `*`, `?` or `\` makes it an ordinary character.

Names stand in the store as documents have them (`text.to_document`). What is tried against a pattern is the
name itself, so that `?` is one byte of a name that is no text, not a quarter of its escape.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.compiler.glob import compile_glob
from fileaudit_engine.rules.values import Pattern, Wildcard, has_wildcards, joined, literal_of
from fileaudit_engine.text import fold, from_document, from_kernel, to_document, to_kernel

MAX_PATTERN: Final = 8_192
"""Characters of a pattern: twice the longest path. A longer one could only cost time."""

_TOKEN: Final = re.compile(r"\\([*?\\])|\\x([0-9a-fA-F]{2})|(\*\*+|[*?])|([^*?\\]+|\\)")
_IN_PATHS: Final = {"*": Wildcard.SEGMENT, "?": Wildcard.SEGMENT_ONE}
_ELSEWHERE: Final = {"*": Wildcard.ANY, "?": Wildcard.ONE}
_HALF_ESCAPE: Final = re.compile(r"\\(?:x[0-9a-fA-F]?)?\Z")
"""What may be the beginning of an escape once more follows."""
_NEVER_ESCAPED: Final = re.compile(r"[^\\\ud800-\udfff]+")
"""Characters that stand in documents as they are, whatever stands beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamePattern:
    """Which names are meant. All texts are as documents have them.

    Attributes:
        exact: The only one; None if there may be several.
        prefix: What all of them begin with.
        part: What all of them hold.
        fits: Whether a name is meant; None if beginning with the prefix is enough.
    """

    exact: str | None = None
    prefix: str = ""
    part: str = ""
    fits: Callable[[str], bool] | None = None

    @property
    def is_everything(self) -> bool:
        """Whether every name is meant."""
        return self.exact is None and not self.prefix and self.fits is None


def path_pattern(text: str) -> NamePattern:
    """The paths that a glob means.

    Raises:
        ValueError: It is longer than any path.
    """
    return _of(_parsed(text, _IN_PATHS))


def name_pattern(text: str) -> NamePattern:
    """The names that a glob means whose wildcards stop nowhere.

    Raises:
        ValueError: It is longer than any name.
    """
    return _of(_parsed(text, _ELSEWHERE))


def last_component(text: str) -> NamePattern:
    """The paths whose last component fits a glob.

    Raises:
        ValueError: As `path_pattern`.
    """
    return _of(joined((Wildcard.ANY, "/", *_parsed(text, _IN_PATHS))))


def beginning_with(text: str) -> NamePattern:
    """The names that begin with a text of ASCII letters and digits."""
    return NamePattern(prefix=text)


def has_wildcard(text: str) -> bool:
    """Whether a glob stands for more than one name."""
    return has_wildcards(_parsed(text, _ELSEWHERE))


def caseless(text: str, *, stops_at_slash: bool) -> Callable[[str], bool]:
    """Whether a name, as documents have it, is described by a glob; upper and lower case are one.

    Args:
        text: The glob.
        stops_at_slash: Whether `*` and `?` do, as in paths.

    Raises:
        ValueError: It is longer than any name.
    """
    pattern = _parsed(text, _IN_PATHS if stops_at_slash else _ELSEWHERE)
    matches = compile_glob(joined(part if isinstance(part, Wildcard) else fold(part) for part in pattern))
    return lambda name: matches(fold(from_document(name)))


def folded(words: str) -> str:
    """What is looked for where upper and lower case do not count, as it stands in folded documents."""
    return fold(to_document(_bytes_joined(words)))


def _parsed(text: str, wildcards: Mapping[str, Wildcard]) -> Pattern:
    if len(text) > MAX_PATTERN:
        raise ValueError(f"has {len(text):,} characters, more than any name ({MAX_PATTERN:,})")
    parts = joined(_token(found, wildcards) for found in _TOKEN.finditer(text))
    return tuple(part if isinstance(part, Wildcard) else _bytes_joined(part) for part in parts)


def _token(found: re.Match[str], wildcards: Mapping[str, Wildcard]) -> str | Wildcard:
    escaped, byte, wildcard, literal = found.groups()
    if byte:
        code = int(byte, 16)
        return chr(code) if code < 0x80 else chr(0xDC00 + code)
    if wildcard:
        return Wildcard.ANY if len(wildcard) > 1 else wildcards[wildcard]
    return str(escaped or literal)


def _bytes_joined(literal: str) -> str:
    """The literal with bytes that are UTF-8 when taken together as the character that they are."""
    return literal if literal.isascii() else from_kernel(to_kernel(literal))


def _of(pattern: Pattern) -> NamePattern:
    if not has_wildcards(pattern):
        return NamePattern(exact=to_document(literal_of(pattern)))
    prefix = pattern[0] if isinstance(pattern[0], str) else ""
    written = to_document(prefix)
    safe = _HALF_ESCAPE.sub("", written)
    if written == safe and pattern[1 if prefix else 0 :] == (Wildcard.ANY,):
        return NamePattern(prefix=written)
    matches = compile_glob(pattern)
    return NamePattern(prefix=safe, part=_longest(pattern), fits=lambda text: matches(from_document(text)))


def _longest(pattern: Pattern) -> str:
    """The longest run of characters that every name has, as the document has them."""
    literals = (part for part in pattern if isinstance(part, str))
    runs = [run for part in literals for run in _NEVER_ESCAPED.findall(part)]
    return max(runs, key=len, default="")
