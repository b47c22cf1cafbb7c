r"""Texts of which one stands in everything that a regular expression finds.

    ^/etc/(passwd|shadow)$     /etc/
    (curl|wget)\s+http         curl or wget
    .{3,}\.(sh|py)             none: `.sh` and `.py` are assembled from pieces, and this reads no further
    [^/]{100,}$                none, but no text of fewer than 100 characters

It reads RE2's syntax with a scanner that knows sequences, groups, alternatives, classes and quantifiers. A
construct that it does not know for certain ends the run of literal text before it, and an expression that it
cannot follow has no required text at all: that costs time, never a match.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

MIN_CHARACTERS: Final = 3
"""A shorter text stands nearly everywhere."""

_MOST: Final = 64
"""Alternatives past this many are as good as none: each is looked for on its own."""
_DEEPEST: Final = 20
_QUANTIFIERS: Final = frozenset("*+?{")
_ASSERTIONS: Final = frozenset("bBAz")
_ESCAPED_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


class _Unreadable(Exception):
    """The scanner cannot follow the expression."""


@dataclass(frozen=True, slots=True)
class Required:
    """What is in every text that an expression is found in.

    Attributes:
        texts: At least one of these; none if nothing is certain.
        characters: So many characters.
    """

    texts: tuple[str, ...]
    characters: int


_NOTHING: Final = Required((), 0)
_ONE: Final = Required((), 1)


def required(expression: str) -> Required:
    """What every text must have that the expression is found in.

    Args:
        expression: RE2 syntax, checked. Whatever its flags, the texts are to be compared without regard to
            case.
    """
    try:
        scanner = _Scanner(expression)
        found = scanner.alternatives(0)
        if scanner.rest:
            return _NOTHING
    except _Unreadable:
        return _NOTHING
    texts = found.texts if all(len(text) >= MIN_CHARACTERS for text in found.texts) else ()
    return Required(texts, found.characters)


@dataclass(slots=True)
class _Sequence:
    """What is known of a sequence while it is read.

    Attributes:
        run: Literal text that has been read last and may go on.
        best: The best choice of texts so far; empty if there is none.
        characters: At least so many so far.
    """

    characters: int = 0
    run: str = ""
    best: tuple[str, ...] = field(default=())

    def add(self, text: str) -> None:
        """Literal text follows."""
        self.run += text

    def end_run(self) -> None:
        """Something else follows."""
        self.offer((self.run,) if self.run else ())
        self.run = ""

    def offer(self, choice: tuple[str, ...]) -> None:
        """Keep the choice whose shortest text is longest, and of two such the one with fewer texts."""
        if choice and _worth(choice) > _worth(self.best):
            self.best = choice


def _worth(choice: tuple[str, ...]) -> tuple[int, int]:
    return min(map(len, choice), default=0), -len(choice)


class _Scanner:
    """Reads an expression once, from left to right."""

    def __init__(self, expression: str) -> None:
        self.rest = expression

    def alternatives(self, depth: int) -> Required:
        """Up to a closing parenthesis or the end: what every alternative requires.

        Raises:
            _Unreadable: There is something here that this module does not know.
        """
        if depth > _DEEPEST:
            raise _Unreadable
        branches = [self._sequence(depth)]
        while self.rest.startswith("|"):
            self.rest = self.rest[1:]
            branches.append(self._sequence(depth))
        texts = tuple(dict.fromkeys(text for branch in branches for text in branch.texts))
        certain = all(branch.texts for branch in branches) and len(texts) <= _MOST
        return Required(texts if certain else (), min(branch.characters for branch in branches))

    def _sequence(self, depth: int) -> Required:
        read = _Sequence()
        while self.rest and self.rest[0] not in "|)":
            self._item(read, depth)
        read.end_run()
        return Required(read.best, read.characters)

    def _item(self, read: _Sequence, depth: int) -> None:
        """One atom with its quantifier."""
        literal, inside = self._atom(depth)
        least, once = self._quantifier()
        optional = least == 0
        read.characters += least * inside.characters
        if literal and once:
            read.add(literal)
            return
        if literal and not optional:  # `a+`: the run before goes on with one, and then ends
            read.add(literal)
            read.end_run()
            return
        if literal is not None and not literal and once:  # an assertion: it takes no character
            return
        read.end_run()
        if not optional:
            read.offer(inside.texts)

    def _atom(self, depth: int) -> tuple[str | None, Required]:
        """A literal character (empty for an assertion, None for anything else), and what it requires."""
        first, self.rest = self.rest[0], self.rest[1:]
        match first:
            case "\\":
                literal = self._escape()
                return literal, _NOTHING if literal == "" else _ONE
            case "[":
                self._skip_class()
                return None, _ONE
            case "(":
                return None, self._group(depth)
            case "^" | "$":
                return "", _NOTHING
            case ".":
                return None, _ONE
            case "*" | "+" | "?":
                raise _Unreadable
            case _:
                return (first if first.isascii() else None), _ONE

    def _escape(self) -> str | None:
        if not self.rest:
            raise _Unreadable
        escaped, self.rest = self.rest[0], self.rest[1:]
        if escaped in _ASSERTIONS:
            return ""
        if escaped in "dDwWsS":
            return None
        if escaped in _ESCAPED_LETTERS or not escaped.isascii():
            raise _Unreadable  # \x41, \pL, \Q…\E, \n: rare, and each with a syntax of its own
        return escaped

    def _skip_class(self) -> None:
        """Past `[…]`: a bracket that comes first, is escaped or belongs to `[:alpha:]` does not end it."""
        index = 1 if self.rest.startswith("^") else 0
        index += self.rest.startswith("]", index)
        while index < len(self.rest) and self.rest[index] != "]":
            if self.rest.startswith("[:", index):
                end = self.rest.find(":]", index)
                if end < 0:
                    raise _Unreadable
                index = end + 2
            else:
                index += 2 if self.rest[index] == "\\" else 1
        if index >= len(self.rest):
            raise _Unreadable
        self.rest = self.rest[index + 1 :]

    def _group(self, depth: int) -> Required:
        if self.rest.startswith("?"):
            self._group_head()
        inner = self.alternatives(depth + 1)
        if not self.rest.startswith(")"):
            raise _Unreadable
        self.rest = self.rest[1:]
        return inner

    def _group_head(self) -> None:
        """Past `?:`, `?i:` or `?P<name>`; flags for the rest of a group (`(?i)`) are an empty group."""
        for character in self._head():
            if character not in "?P<>:imsU-_" and not character.isalnum():
                raise _Unreadable

    def _head(self) -> Iterator[str]:
        closing = ">" if self.rest.startswith(("?P<", "?<")) else ":"
        for index, character in enumerate(self.rest):
            if character == ")" and closing == ":":
                self.rest = self.rest[index:]  # `(?i)`: nothing is inside
                return
            yield character
            if character == closing:
                self.rest = self.rest[index + 1 :]
                return
        raise _Unreadable

    def _quantifier(self) -> tuple[int, bool]:
        """How often the atom stands there at least, and whether it stands there exactly once."""
        if not self.rest or self.rest[0] not in _QUANTIFIERS:
            return 1, True
        if self.rest[0] == "{":
            counts, brace, rest = self.rest[1:].partition("}")
            least = counts.partition(",")[0]
            if not brace or not least.isdecimal():
                raise _Unreadable  # RE2 takes such a brace for itself
            self.rest = rest
            count = int(least[:4])
        else:
            count = int(self.rest[0] == "+")
            self.rest = self.rest[1:]
        self.rest = self.rest.removeprefix("?")
        if self.rest and self.rest[0] in _QUANTIFIERS:
            raise _Unreadable
        return count, False
