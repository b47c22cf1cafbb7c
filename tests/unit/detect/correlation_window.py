"""What a window comes to, by the oracle: a number or a truth, made of a list of entries.

Every type of correlation and every condition is one short function of the list; see `correlation_oracle`.
"""

import itertools
import math
import operator
import re
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from fileaudit_engine.compiler.plan import UserCorrelation
from fileaudit_engine.detect.crossing import Contribution, Number
from fileaudit_engine.events.fields import Value
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.rules.ast import And, Comparator, Condition, CorrelationType, Identifier, Not, Or

LEAVING, ENTERING, JUDGING = range(3)
"""What happens at one instant, in this order."""

NUMBERS: Final = frozenset(
    {CorrelationType.VALUE_SUM, CorrelationType.VALUE_AVG, CorrelationType.VALUE_MEDIAN}
)
HOLDS: Final[Mapping[Comparator, Callable[[Number, Number], bool]]] = {
    Comparator.GT: operator.gt,
    Comparator.GTE: operator.ge,
    Comparator.LT: operator.lt,
    Comparator.LTE: operator.le,
    Comparator.EQ: operator.eq,
    Comparator.NEQ: operator.ne,
}
SPELLED_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

Exact = tuple[str, Value]
"""A value and its type: 1, "1" and true are three."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """When something happens, to the order within one instant.

    Attributes:
        ts_ns: The instant.
        phase: One of the three above.
        number: Of the match, in order; of the correlation that leaving or judgement is about.
        cause: Who leaves, or is judged.
        step: The lowest step of that one, which tells its groups apart.
    """

    ts_ns: int
    phase: int
    number: int
    cause: "Position | None" = None
    step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A match as it counts in one group of one correlation; what happens at one position is one."""

    at: Position
    steps: frozenset[int]
    value: tuple[Exact, ...]
    events: tuple[Contribution, ...]
    event: FileEvent
    chained: tuple[str, ...]
    losses: tuple[Loss, ...]

    @property
    def ts(self) -> int:
        return self.at.ts_ns

    @property
    def number(self) -> Fraction:
        number = number_in(self.value[0][1])
        assert number is not None
        return number


def number_of(one: UserCorrelation, window: Sequence[Entry]) -> Number:
    match one.rule.type:
        case CorrelationType.EVENT_COUNT:
            return len(window)
        case CorrelationType.VALUE_COUNT:
            return len({entry.value for entry in window})
        case CorrelationType.TEMPORAL:
            return len(steps_of(window))
        case CorrelationType.TEMPORAL_ORDERED:
            return max(len(chain) for chain in chains(one) if follow(chain, window))
        case CorrelationType.VALUE_PERCENTILE if one.rule.percentile is None:
            same = [entry for entry in window if entry.value == window[-1].value]
            return Fraction(100 * len(same), len(window))
    return of_numbers(one, sorted(entry.number for entry in window))


def of_numbers(one: UserCorrelation, numbers: Sequence[Fraction]) -> Number:
    match one.rule.type:
        case CorrelationType.VALUE_SUM:
            return sum(numbers)
        case CorrelationType.VALUE_AVG:
            return sum(numbers) / Fraction(len(numbers))
        case CorrelationType.VALUE_MEDIAN:
            return statistics.median(numbers)
    assert one.rule.percentile is not None
    rank = one.rule.percentile * Fraction(len(numbers) - 1, 100)
    below, above = numbers[math.floor(rank)], numbers[math.ceil(rank)]
    return below + (above - below) * (rank - math.floor(rank))


def compares(one: UserCorrelation, value: Number) -> bool:
    if one.rule.comparisons:
        return all(HOLDS[c.comparator](value, c.number) for c in one.rule.comparisons)
    return value == len(one.steps)


def is_met(one: UserCorrelation, window: Sequence[Entry]) -> bool:
    """Whether a condition in words holds, which has no `not`."""
    condition, keys = one.rule.condition, [step.key for step in one.steps]
    assert condition is not None
    if one.rule.type is CorrelationType.TEMPORAL:
        return holds(condition, {keys[step] for step in steps_of(window)}, set())
    return any(holds(condition, {keys[s] for s in c}, set()) and follow(c, window) for c in chains(one))


def holds(condition: Condition, present: set[str], around: set[str], *, negated: bool = False) -> bool:
    """Whether a condition is true; under an odd number of `not`, names are looked up in `around`."""
    match condition:
        case Identifier(name=name):
            return name in (around if negated else present)
        case Not(operand=operand):
            return not holds(operand, present, around, negated=not negated)
        case And(operands=operands):
            return all(holds(operand, present, around, negated=negated) for operand in operands)
        case Or(operands=operands):
            return any(holds(operand, present, around, negated=negated) for operand in operands)
    raise AssertionError(condition)


def names(condition: Condition, *, negated: bool) -> set[str]:
    """The names under an odd number of `not`, or those under an even one."""
    match condition:
        case Identifier(name=name):
            return set() if negated else {name}
        case Not(operand=operand):
            return names(operand, negated=not negated)
        case And(operands=operands) | Or(operands=operands):
            return set[str]().union(*(names(operand, negated=negated) for operand in operands))
    raise AssertionError(condition)


def steps_of(window: Iterable[Entry]) -> frozenset[int]:
    return frozenset[int]().union(*(entry.steps for entry in window))


def chains(one: UserCorrelation) -> Iterator[tuple[int, ...]]:
    """Every choice of steps, ascending."""
    every = range(len(one.steps))
    return itertools.chain.from_iterable(itertools.combinations(every, n) for n in range(len(every) + 1))


def follow(steps: Sequence[int], window: Sequence[Entry]) -> bool:
    """Whether the steps come one after the other, each in an entry of its own: the first that can be it."""
    rest = iter(window)
    return all(any(step in entry.steps for entry in rest) for step in steps)


def newest_of_each_value(window: Sequence[Entry]) -> list[Entry]:
    newest = {entry.value: entry for entry in window}
    return [entry for entry in window if newest[entry.value] is entry]


# --- values -----------------------------------------------------------------------------------------------


def needs_numbers(one: UserCorrelation) -> bool:
    percentile = one.rule.type is CorrelationType.VALUE_PERCENTILE and one.rule.percentile is not None
    return percentile or one.rule.type in NUMBERS


def exact(value: Value) -> Exact:
    """A list is its first member; an empty one is no value."""
    if isinstance(value, tuple):
        value = value[0] if value else None
    return type(value).__name__, value


def number_in(value: Value) -> Fraction | None:
    """Exactly the number that a value is or spells."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    if not isinstance(value, str) or len(value) > 64 or not SPELLED_NUMBER.fullmatch(value):
        return None
    return Fraction(value) if math.isfinite(float(value)) else None
