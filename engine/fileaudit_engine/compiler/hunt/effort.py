r"""What it costs Lucene to make an automaton of an expression; what costs too much, it does not look for.

Lucene makes an expression deterministic by following all states that a text may have come to at once
(`Operations.determinize`). It counts the states in each set of them that it comes by, and gives up at a
limit: behind `.*`, `[a-c]{1000}` comes by a thousand sets of hundreds of states each, `a.{20}` by a million.
A search in Kibana's field then finds *nothing*, without a word; others fail. So this module does what Lucene
does and counts as it does, well below its limit, in both ways: Lucene 9 makes each part deterministic, then
what is made of the parts; Lucene 10 makes the whole so at the end.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.hunt.expression import LAST, Characters, Choice, Node, Repeat, Span
from fileaudit_engine.compiler.hunt.expression import Sequence as Row

MOST_EFFORT: Final = 50_000
"""States, over all sets: Lucene's limit is 100,000, what it calls an effort of 10,000."""
MOST_STATES: Final = 3_000
"""Of an expression with its repetitions spelled out; Lucene takes 10,000 of a repetition."""

Arrow = tuple[int, int]
"""What kinds of characters, a set of bits, lead to which state."""


class TooCostly(ValueError):
    """It would cost more than is looked at."""


@dataclass(frozen=True, slots=True)
class _Automaton:
    """States by number, the first is where texts begin; `accepting` is a set of bits."""

    arrows: tuple[tuple[Arrow, ...], ...]
    accepting: int

    @property
    def takes_nothing(self) -> bool:
        """Whether the empty text fits."""
        return bool(self.accepting & 1)


_EMPTY: Final = _Automaton(((),), 1)


def is_too_costly(node: Node) -> bool:
    """Whether Lucene may refuse to make an automaton of an expression."""
    kinds = tuple(_kinds(node))
    try:
        for by_parts in (False, True):
            _determined(_Maker(kinds, by_parts=by_parts).made(node))
    except TooCostly:
        return True
    return False


def _kinds(node: Node) -> Iterator[Span]:
    """The characters that the expression does not tell from one another, as spans."""
    begins = {0}
    for first, last in set(_spans(node)):
        begins |= {first, last + 1}
    ordered = [*sorted(begins - {LAST + 1}), LAST + 1]
    yield from ((first, end - 1) for first, end in pairwise(ordered))


def _spans(node: Node) -> Iterator[Span]:
    match node:
        case Characters(spans):
            yield from spans
        case Row(parts) | Choice(parts):
            for part in parts:
                yield from _spans(part)
        case Repeat(part):
            yield from _spans(part)
        case _ as never:
            assert_never(never)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes automata of parts of an expression.

    Attributes:
        kinds: Of characters.
        by_parts: Whether each part is made deterministic.
    """

    kinds: Sequence[Span]
    by_parts: bool

    def made(self, node: Node) -> _Automaton:
        match node:
            case Characters(spans):
                return _Automaton((((self._members(spans), 1),), ()), 2)
            case Row(parts):
                return self._ready(_in_a_row([self.made(part) for part in parts]))
            case Choice((only,)):
                return self.made(only)
            case Choice(branches):
                return self._ready(_any_of([self.made(branch) for branch in branches]))
            case Repeat(part, least, most):
                return self._ready(_repeated(self.made(part), least, most))
            case _ as never:
                assert_never(never)

    def _ready(self, automaton: _Automaton) -> _Automaton:
        return _determined(automaton) if self.by_parts else automaton

    def _members(self, spans: Iterable[Span]) -> int:
        found = 0
        for first, last in spans:
            for number, (begin, end) in enumerate(self.kinds):
                if first <= begin and end <= last:
                    found |= 1 << number
        return found


def _moved(automaton: _Automaton, by: int) -> list[tuple[Arrow, ...]]:
    return [tuple((kinds, state + by) for kinds, state in arrows) for arrows in automaton.arrows]


def _in_a_row(parts: Sequence[_Automaton], *, ends: int = 0) -> _Automaton:
    """One behind the other; from the part with the number `ends` (from 1) on, each may be the last."""
    arrows: list[tuple[Arrow, ...]] = list(parts[0].arrows) if parts else [()]
    accepting = parts[0].accepting if parts else 1
    kept = accepting if ends == 1 else 0
    for number, part in enumerate(parts[1:], 2):
        at = len(arrows)
        if at + len(part.arrows) > MOST_STATES:
            raise TooCostly
        moved = _moved(part, at)
        for state in _bits(accepting):
            arrows[state] += moved[0]
        accepting = (part.accepting << at) | (accepting if part.takes_nothing else 0)
        arrows += moved
        kept |= accepting if 0 < ends <= number else 0
    return _Automaton(tuple(arrows), accepting | kept)


def _any_of(branches: Sequence[_Automaton]) -> _Automaton:
    arrows: list[tuple[Arrow, ...]] = [()]
    accepting = 0
    for branch in branches:
        at = len(arrows)
        moved = _moved(branch, at)
        arrows[0] += moved[0]
        arrows += moved
        accepting |= (branch.accepting << at) | branch.takes_nothing
    if len(arrows) > MOST_STATES:
        raise TooCostly
    return _Automaton(tuple(arrows), accepting)


def _repeated(one: _Automaton, least: int, most: int | None) -> _Automaton:
    """As often as it must be there, and behind that as often as it may."""
    if most is None:
        return _in_a_row([*[one] * least, _any_times(one)])
    if most == 0:
        return _EMPTY
    parts = [one] * most if least else [_EMPTY, *[one] * most]
    return _in_a_row(parts, ends=max(least, 1))


def _any_times(one: _Automaton) -> _Automaton:
    """A state before the others, which is where it ends as well."""
    moved = _moved(one, 1)
    arrows = [moved[0], *moved]
    for state in _bits(one.accepting):
        arrows[state + 1] += arrows[0]
    return _Automaton(tuple(arrows), (one.accepting << 1) | 1)


def _determined(automaton: _Automaton) -> _Automaton:
    """The same, one arrow at most for each kind of characters.

    Raises:
        TooCostly: Too many states in too many sets.
    """
    numbers, ahead, effort = {1: 0}, [1], 0
    arrows: list[tuple[Arrow, ...]] = []
    accepting = 0
    for at, states in enumerate(ahead):
        effort += states.bit_count()
        if effort > MOST_EFFORT:
            raise TooCostly
        if states & automaton.accepting:
            accepting |= 1 << at
        found: dict[int, int] = {}
        for kinds, then in _together(automaton.arrows[state] for state in _bits(states)):
            if then not in numbers:
                numbers[then] = len(ahead)
                ahead.append(then)
            found[numbers[then]] = found.get(numbers[then], 0) | kinds
        arrows.append(tuple((kinds, number) for number, kinds in found.items()))
    return _Automaton(tuple(arrows), accepting)


def _together(arrows: Iterable[Iterable[Arrow]]) -> Iterator[Arrow]:
    """Kinds of characters that lead to the same states, with the set of those."""
    leading: dict[int, int] = {}
    for own in arrows:
        for kinds, state in own:
            leading[kinds] = leading.get(kinds, 0) | (1 << state)
    apart: list[Arrow] = []
    for kinds, states in leading.items():
        parted, left = [], kinds
        for others, then in apart:
            if others & kinds:
                parted.append((others & kinds, then | states))
                left &= ~others
            if others & ~kinds:
                parted.append((others & ~kinds, then))
        apart = [*parted, (left, states)] if left else parted
    return iter(apart)


def _bits(members: int) -> Iterator[int]:
    while members:
        lowest = members & -members
        yield lowest.bit_length() - 1
        members ^= lowest
