r"""Regular expressions of Lucene, which describe a whole text and know no anchors.

What a query holds should be readable and typed into any field, so no character stands in it that cannot be
seen: a control character in a set of characters becomes "any control character", the set `[^ -𱍊]` of what is
not between the space and the last visible character. Sets are therefore never narrower than they were.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.text import printable

Span = tuple[int, int]
"""Code points, both included."""

LAST: Final = 0x10FFFF
_LAST_CONTROL: Final = 0x1F
_LAST_VISIBLE: Final = "\U0003134a"
_CONTROLS: Final = f"^ -{_LAST_VISIBLE}"
"""The inside of a set: any control character (and what is beyond everything that Unicode knows)."""

_SPECIAL: Final = frozenset('.?+*|{}[]()"\\#@&<>~^$-/')
_SPECIAL_IN_SET: Final = frozenset('\\]^-["/&~')


class Unwritable(ValueError):
    """The language has no such thing; the message says what."""


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of a set of spans, in order and apart from one another."""

    spans: tuple[Span, ...]

    @property
    def exact(self) -> bool:
        """Whether the written set holds no other characters."""
        controls = sum(last - first + 1 for first, last in _within(self.spans, 0, _LAST_CONTROL))
        return controls == (_LAST_CONTROL + 1 if self.spans and self.spans[-1][1] == LAST else 0)


@dataclass(frozen=True, slots=True)
class Sequence:
    """One behind the other."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    branches: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """From `least` to `most` times; without a bound if that is None."""

    part: "Node"
    least: int
    most: int | None


Node = Characters | Sequence | Choice | Repeat

EMPTY: Final = Sequence(())
ANY: Final = Characters(((0, LAST),))
ANYTHING: Final = Repeat(ANY, 0, None)
NO_SLASH: Final = Characters(((0, 0x2E), (0x30, LAST)))


def literal(text: str) -> Node:
    """The text itself."""
    return Sequence(tuple(Characters(((ord(character), ord(character)),)) for character in text))


def spans_of(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in order, those that touch or overlap as one."""
    result: list[Span] = []
    for first, last in sorted(spans):
        if result and first <= result[-1][1] + 1:
            result[-1] = result[-1][0], max(last, result[-1][1])
        else:
            result.append((first, last))
    return tuple(result)


def others(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Every character that is in none of the spans."""
    result, begin = [], 0
    for first, last in spans_of(spans):
        if first > begin:
            result.append((begin, first - 1))
        begin = last + 1
    return (*result, (begin, LAST)) if begin <= LAST else tuple(result)


def is_exact(node: Node) -> bool:
    """Whether what is written describes the same texts, and not more."""
    match node:
        case Characters():
            return node.exact
        case Sequence(parts) | Choice(parts):
            return all(map(is_exact, parts))
        case Repeat(part):
            return is_exact(part)
        case _ as never:
            assert_never(never)


def without(node: Node, character: str) -> Node:
    """The expression, none of its sets holding the character; literals of it stay."""
    code = ord(character)
    match node:
        case Characters(spans):
            if spans == ((code, code),):
                return node
            return Characters(others([*others(spans), (code, code)]))
        case Sequence(parts):
            return Sequence(tuple(without(part, character) for part in parts))
        case Choice(branches):
            return Choice(tuple(without(branch, character) for branch in branches))
        case Repeat(part, least, most):
            return Repeat(without(part, character), least, most)
        case _ as never:
            assert_never(never)


def written(node: Node) -> str:
    """The expression in Lucene's dialect.

    Raises:
        Unwritable: It has a character that cannot be seen.
    """
    match node:
        case Characters(spans):
            return _set(spans)
        case Sequence(parts):
            return "".join(written(part) for part in parts if part != EMPTY) or "()"
        case Choice(branches):
            return f"({'|'.join(map(written, branches))})"
        case Repeat(Characters(spans), least, most):
            return _set(spans) + _times(least, most)
        case Repeat(part, least, most):
            return f"({written(part)}){_times(least, most)}"
        case _ as never:
            assert_never(never)


def _times(least: int, most: int | None) -> str:
    match least, most:
        case 0, None:
            return "*"
        case 1, None:
            return "+"
        case 0, 1:
            return "?"
        case _, None:
            return f"{{{least},}}"
        case _:
            return f"{{{least},{most}}}"


def _set(spans: tuple[Span, ...]) -> str:
    """The set, with all control characters if there is any in it."""
    if not spans:
        raise Unwritable("a set that no character is in")
    seen = tuple(_within(spans, _LAST_CONTROL + 1, LAST))
    if spans[-1][1] == LAST:
        missing = others([(0, _LAST_CONTROL), *spans])
        return f"[^{_inside(missing)}]" if missing else "."
    if len(seen) == len(spans) == 1 and seen[0][0] == seen[0][1]:
        return _escaped(chr(seen[0][0]), _SPECIAL)
    if spans[0][0] > _LAST_CONTROL:
        return f"[{_inside(spans)}]"
    return f"([{_inside(seen)}]|[{_CONTROLS}])" if seen else f"[{_CONTROLS}]"


def _within(spans: Iterable[Span], lowest: int, highest: int) -> Iterable[Span]:
    for first, last in spans:
        if first <= highest and lowest <= last:
            yield max(first, lowest), min(last, highest)


def _inside(spans: Iterable[Span]) -> str:
    return "".join(map(_span, spans))


def _span(span: Span) -> str:
    first, last = (_escaped(chr(code), _SPECIAL_IN_SET) for code in span)
    between = "-" if span[1] - span[0] > 1 else ""
    return first if span[0] == span[1] else f"{first}{between}{last}"


def _escaped(character: str, special: frozenset[str]) -> str:
    if character in special:
        return f"\\{character}"
    if printable(character) != character:
        raise Unwritable(f"the character {printable(character)}")
    return character
