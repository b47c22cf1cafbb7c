r"""Texts of which one stands in everything that a regular expression finds.

    ^/etc/(passwd|shadow)$     /etc/
    (curl|wget)\s+http         curl or wget
    .{3,}\.(sh|py)             none: `.sh` and `.py` are assembled from pieces, and this reads no further

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


def required_literals(expression: str) -> tuple[str, ...]:
    """The texts, at least one of which is in every text that the expression is found in; or none.

    Args:
        expression: RE2 syntax, checked. Whatever its flags, the texts are to be compared without regard to
            case.
    """
    try:
        scanner = _Scanner(expression)
        found = scanner.alternatives(0)
        if scanner.rest:
            return ()
    except _Unreadable:
        return ()
    return found if all(len(text) >= MIN_CHARACTERS for text in found) else ()


@dataclass(slots=True)
class _Sequence:
    """What is known of a sequence while it is read.

    Attributes:
        run: Literal text that has been read last and may go on.
        best: The best choice of texts so far; empty if there is none.
    """

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

    def alternatives(self, depth: int) -> tuple[str, ...]:
        """Up to a closing parenthesis or the end: what every alternative requires; empty if one has nothing.

        Raises:
            _Unreadable: There is something here that this module does not know.
        """
        if depth > _DEEPEST:
            raise _Unreadable
        branches = [self._sequence(depth)]
        while self.rest.startswith("|"):
            self.rest = self.rest[1:]
            branches.append(self._sequence(depth))
        if len(branches) > _MOST or not all(branches):
            return ()
        texts = tuple(dict.fromkeys(text for branch in branches for text in branch))
        return texts if len(texts) <= _MOST else ()

    def _sequence(self, depth: int) -> tuple[str, ...]:
        read = _Sequence()
        while self.rest and self.rest[0] not in "|)":
            self._item(read, depth)
        read.end_run()
        return read.best

    def _item(self, read: _Sequence, depth: int) -> None:
        """One atom with its quantifier."""
        literal, choice = self._atom(depth)
        optional, once = self._quantifier()
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
            read.offer(choice)

    def _atom(self, depth: int) -> tuple[str | None, tuple[str, ...]]:
        """A literal character (empty for an assertion, None for anything else), and what a group requires."""
        first, self.rest = self.rest[0], self.rest[1:]
        match first:
            case "\\":
                return self._escape(), ()
            case "[":
                self._skip_class()
                return None, ()
            case "(":
                return None, self._group(depth)
            case "^" | "$":
                return "", ()
            case ".":
                return None, ()
            case "*" | "+" | "?":
                raise _Unreadable
            case _:
                return (first, ()) if first.isascii() else (None, ())

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

    def _group(self, depth: int) -> tuple[str, ...]:
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

    def _quantifier(self) -> tuple[bool, bool]:
        """Whether the atom may be left out, and whether it stands exactly once."""
        if not self.rest or self.rest[0] not in _QUANTIFIERS:
            return False, True
        if self.rest[0] == "{":
            counts, brace, rest = self.rest[1:].partition("}")
            least = counts.partition(",")[0]
            if not brace or not least.isdecimal():
                raise _Unreadable  # RE2 takes such a brace for itself
            self.rest = rest
            optional = int(least[:4]) == 0
        else:
            optional = self.rest[0] != "+"
            self.rest = self.rest[1:]
        self.rest = self.rest.removeprefix("?")
        if self.rest and self.rest[0] in _QUANTIFIERS:
            raise _Unreadable
        return optional, False
