r"""Regular expressions of rules (RE2) as Lucene has them: of the whole text, without anchors.

    ^/etc/(passwd|shadow)$    ->  /etc/(passwd|shadow)
    \.ssh(/|$)                ->  .*\.ssh(/.*|)

RE2 looks for an expression anywhere, so anything may stand before and behind it where no anchor forbids that.
Anchors are understood at the two ends of the expression, those of alternatives there included. What Lucene
does not have (word boundaries, Unicode classes, flags for a part, anchors in the middle) is refused.
"""

from dataclasses import dataclass
from typing import Final

from fileaudit_engine.compiler.hunt.expression import (
    ANYTHING,
    EMPTY,
    LAST,
    Characters,
    Choice,
    Node,
    Repeat,
    Sequence,
    Span,
    Unwritable,
    others,
    spans_of,
)
from fileaudit_engine.compiler.hunt.oddities import as_indexed

_DIGITS: Final = ((0x30, 0x39),)
_WORDS: Final = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACES: Final = ((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20))
_CLASSES: Final = {
    "d": _DIGITS,
    "w": _WORDS,
    "s": _SPACES,
    "D": others(_DIGITS),
    "W": others(_WORDS),
    "S": others(_SPACES),
}
_CONTROLS: Final = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_NO_NEWLINE: Final = others([(10, 10)])
_EVERYTHING: Final = ((0, LAST),)
_FLAGS: Final = frozenset("ims")
_LONGEST_REPEAT: Final = 1_000
"""RE2's own limit."""


@dataclass(frozen=True, slots=True)
class _Edge:
    """An anchor: of the beginning of the text, or of its end."""

    begin: bool


_Part = Node | _Edge


def lucene_of(expression: str, flags: str, *, folded: bool) -> Node:
    """The expression as one of a whole text.

    Args:
        expression: RE2's, correct.
        flags: A subset of "ims".
        folded: Whether the texts are those of a column without case (`i` is among the flags).

    Raises:
        Unwritable: Lucene has no such thing.
    """
    reader = _Reader(expression, frozenset(flags), folded=folded)
    return _opened(_opened(reader.whole(), begin=True), begin=False)


def is_folded(expression: str, flags: str) -> bool:
    """Whether an expression ignores case."""
    found, _ = _leading_flags(expression)
    return "i" in flags or "i" in found


def _leading_flags(expression: str) -> tuple[str, int]:
    if not expression.startswith("(?"):
        return "", 0
    end = expression.find(")")
    found = expression[2:end]
    return (found, end + 1) if found and _FLAGS.issuperset(found) else ("", 0)


def _opened(part: _Part, *, begin: bool) -> Node:
    """The part with anything before (or behind) it where no anchor forbids that, and without that anchor."""
    match part:
        case _Edge(own) if own is begin:
            return EMPTY
        case Sequence(parts) if parts and _is_anchored(parts[0 if begin else -1], begin=begin):
            if begin:
                return Sequence((_opened(parts[0], begin=True), *parts[1:]))
            return Sequence((*parts[:-1], _opened(parts[-1], begin=False)))
        case Choice(branches) if _is_anchored(part, begin=begin):
            return Choice(tuple(_opened(branch, begin=begin) for branch in branches))
        case Sequence(parts):
            return Sequence((ANYTHING, *parts) if begin else (*parts, ANYTHING))
        case _:
            pair = (ANYTHING, part) if begin else (part, ANYTHING)
            return Sequence(pair)  # type: ignore[arg-type]  # an anchor of the other end goes next


def _is_anchored(part: _Part, *, begin: bool) -> bool:
    """Whether an anchor stands at this end of the part, or of one of its alternatives."""
    match part:
        case _Edge(own):
            return own is begin
        case Sequence(parts):
            return bool(parts) and _is_anchored(parts[0 if begin else -1], begin=begin)
        case Choice(branches):
            return any(_is_anchored(branch, begin=begin) for branch in branches)
        case _:
            return False


class _Reader:
    """Reads an expression from left to right."""

    def __init__(self, expression: str, flags: frozenset[str], *, folded: bool) -> None:
        leading, self._at = _leading_flags(expression)
        self._text = expression
        self._flags = flags | frozenset(leading)
        self._folded = folded

    def whole(self) -> _Part:
        found = self._choice()
        if self._at < len(self._text):
            raise Unwritable("an unbalanced bracket")
        return _checked(found, first=True, last=True)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        character = self._peek()
        self._at += 1
        return character

    def _taken(self, text: str) -> bool:
        if not self._text.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _choice(self) -> _Part:
        branches = [self._sequence()]
        while self._taken("|"):
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))  # type: ignore[arg-type]  # anchors go later

    def _sequence(self) -> _Part:
        parts: list[_Part] = []
        while self._peek() not in {"", "|", ")"}:
            parts.append(self._repeated(self._one()))
        return Sequence(tuple(parts))  # type: ignore[arg-type]  # anchors go later

    def _one(self) -> _Part:
        match self._take():
            case "(":
                return self._group()
            case "[":
                return self._set()
            case ".":
                return Characters(_EVERYTHING if "s" in self._flags else _NO_NEWLINE)
            case "^" | "$" as anchor:
                if "m" in self._flags:
                    raise Unwritable("an anchor of lines (flag m)")
                return _Edge(anchor == "^")
            case "\\":
                return self._escape()
            case character:
                return self._characters(((ord(character), ord(character)),))

    def _group(self) -> _Part:
        if self._taken("?:"):
            pass
        elif self._taken("?P<"):
            self._at = self._text.index(">", self._at) + 1
        elif self._peek() == "?":
            raise Unwritable("a group with flags of its own")
        inner = self._choice()
        self._take()
        return inner if isinstance(inner, Choice) else Choice((inner,))  # type: ignore[arg-type]  # anchors go later

    def _escape(self) -> _Part:
        character = self._take()
        if character in {"A", "z"}:
            return _Edge(character == "A")
        if character == "Q":
            return self._quoted()
        return self._characters(self._escaped(character))

    def _quoted(self) -> Node:
        end = self._text.find("\\E", self._at)
        text = self._text[self._at : end if end >= 0 else None]
        self._at = end + 2 if end >= 0 else len(self._text)
        return Choice((Sequence(tuple(self._characters(((ord(c), ord(c)),)) for c in text)),))

    def _escaped(self, character: str) -> tuple[Span, ...]:
        if character in _CLASSES:
            return _CLASSES[character]
        if character in _CONTROLS:
            return ((_CONTROLS[character], _CONTROLS[character]),)
        if character == "x":
            code = self._hexadecimal()
            return ((code, code),)
        if character.isalnum() or not character.isascii():
            raise Unwritable(f"\\{character}")
        return ((ord(character), ord(character)),)

    def _hexadecimal(self) -> int:
        if self._taken("{"):
            end = self._text.index("}", self._at)
            digits, self._at = self._text[self._at : end], end + 1
        else:
            digits, self._at = self._text[self._at : self._at + 2], self._at + 2
        return int(digits, 16)

    def _set(self) -> Node:
        negative = self._taken("^")
        spans: list[Span] = []
        while self._peek() != "]" or not spans:
            spans += self._members()
        self._take()
        found = self._folded_spans(spans_of(spans)) if self._folded else spans_of(spans)
        return Characters(others(found) if negative else found)

    def _members(self) -> tuple[Span, ...]:
        """The next character, range or class of a set."""
        if self._peek() == "[" and self._text.startswith("[:", self._at):
            raise Unwritable("a class of POSIX")
        first = self._member()
        if len(first) > 1 or first[0][0] != first[0][1] or self._peek() != "-":
            return first
        if self._text.startswith("-]", self._at):
            return first
        self._take()
        return ((first[0][0], self._member()[0][1]),)

    def _member(self) -> tuple[Span, ...]:
        character = self._take()
        return self._escaped(self._take()) if character == "\\" else ((ord(character), ord(character)),)

    def _characters(self, spans: tuple[Span, ...]) -> Characters:
        return Characters(self._folded_spans(spans) if self._folded else spans)

    def _folded_spans(self, spans: tuple[Span, ...]) -> tuple[Span, ...]:
        """The same characters in a column that holds them in lower case."""
        if len(spans) == 1 and spans[0][0] == spans[0][1]:
            code = ord(as_indexed(chr(spans[0][0])))
            return ((code, code),)
        lowered = [(low + 32, high + 32) for low, high in _cut(spans, 0x41, 0x5A)]
        upper = [(low - 32, high - 32) for low, high in _cut(spans, 0x61, 0x7A)]
        beyond = list(_cut(spans, 0x80, LAST))
        if beyond and beyond != [(0x80, LAST)]:
            raise Unwritable("a set of other than ASCII characters without case")
        return spans_of([*spans, *lowered, *upper])

    def _repeated(self, part: _Part) -> _Part:
        while self._peek() in {"*", "+", "?"} or self._is_count():
            if isinstance(part, _Edge):
                raise Unwritable("a repeated anchor")
            least, most = self._times()
            self._taken("?")  # lazy: which fit is taken does not matter here
            part = Repeat(_checked(part, first=False, last=False), least, most)
        return part

    def _is_count(self) -> bool:
        end = self._text.find("}", self._at)
        inner = self._text[self._at + 1 : end]
        return self._peek() == "{" and end > 0 and inner[:1].isdigit() and not inner.strip("0123456789,")

    def _times(self) -> tuple[int, int | None]:
        match self._take():
            case "*":
                return 0, None
            case "+":
                return 1, None
            case "?":
                return 0, 1
        end = self._text.index("}", self._at)
        least, comma, most = self._text[self._at : end].partition(",")
        self._at = end + 1
        if max(int(least), int(most or 0)) > _LONGEST_REPEAT:
            raise Unwritable("a repetition that often")
        return int(least), (int(most) if most else None) if comma else int(least)


def _cut(spans: tuple[Span, ...], lowest: int, highest: int) -> list[Span]:
    return [(max(a, lowest), min(b, highest)) for a, b in spans if a <= highest and lowest <= b]


def _checked(part: _Part, *, first: bool, last: bool) -> Node:
    """The part, if anchors stand in it only where its own beginning and end are those of the whole."""
    match part:
        case _Edge(begin=begin):
            if not (first if begin else last):
                raise Unwritable("an anchor in the middle")
        case Sequence(parts):
            for number, one in enumerate(parts):
                _checked(one, first=first and number == 0, last=last and number == len(parts) - 1)
        case Choice(branches):
            for branch in branches:
                _checked(branch, first=first, last=last)
        case Repeat(inner):
            _checked(inner, first=False, last=False)
        case _:
            pass
    return part  # type: ignore[return-value]  # what is left of anchors `_opened` takes away
