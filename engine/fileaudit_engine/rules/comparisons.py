"""The numbers of a correlation's condition: exact as they are written, and held against what can be counted.

    condition: {gt: 100, lte: 200}      several comparisons make a range

A condition is looked at while there is something in the window, so a count is 1 or more; a correlation in
time over three rules counts 1, 2 or 3 of them. What no such number fulfils can never raise an alert, and what
the first match alone fulfils raises one for it. Both are found by trying: between two numbers of the
condition the answer does not change, so a few numbers stand for all.
"""

import decimal
import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from fileaudit_engine.rules.ast import Comparator, Comparison, CorrelationType
from fileaudit_engine.rules.nodes import ScalarNode

Number = int | Fraction

MAX_COUNT: Final = 1_000_000
"""The largest threshold of a count: as many matches of one group have to be remembered to reach it."""

_MOST_DIGITS: Final = 30
"""Powers of ten that a number may be away from one: more than nanoseconds since the epoch need, and few
enough that sums of such numbers stay small."""

HOLDS: Final[Mapping[Comparator, Callable[[Number, Number], bool]]] = {
    Comparator.GT: operator.gt,
    Comparator.GTE: operator.ge,
    Comparator.LT: operator.lt,
    Comparator.LTE: operator.le,
    Comparator.EQ: operator.eq,
    Comparator.NEQ: operator.ne,
}
"""What each comparator asks of a number and a threshold."""


def number_of(node: ScalarNode) -> Number | None:
    """The number that `node` spells, exactly: `0.1` is a tenth.

    None if it is none, not finite, or more than 30 powers of ten away from one.
    """
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):
        return value if abs(value) < 10**_MOST_DIGITS else None
    try:
        exact = decimal.Decimal(node.text)
    except decimal.InvalidOperation:
        return None
    if not exact.is_finite() or (exact and abs(exact.adjusted()) > _MOST_DIGITS):
        return None
    fraction = Fraction(exact) if exact else Fraction(0)
    return fraction.numerator if fraction.denominator == 1 else fraction


def holds(comparisons: Iterable[Comparison], number: Number) -> bool:
    """Whether `number` fulfils all comparisons."""
    return all(HOLDS[one.comparator](number, one.number) for one in comparisons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What a correlation can come to while there is something in its window.

    Attributes:
        least: The smallest number; `above` says that it is not one of them itself.
        most: The largest one. None for either: there is no bound.
        first: What the first match alone makes; None where that depends on the match.
        whole: Whether there are only whole numbers.
    """

    least: int | None = None
    most: int | None = None
    above: bool = False
    first: int | None = None
    whole: bool = False

    def __contains__(self, number: Number) -> bool:
        """Whether it can come to `number`."""
        too_small = self.least is not None and (number < self.least or (self.above and number == self.least))
        too_large = self.most is not None and number > self.most
        return not too_small and not too_large

    def can_fulfil(self, comparisons: Sequence[Comparison]) -> bool:
        """Whether some number that it can come to fulfils all comparisons."""
        return any(holds(comparisons, number) for number in self._tried(comparisons) if number in self)

    def is_fulfilled_at_once(self, comparisons: Sequence[Comparison]) -> bool:
        """Whether the first match fulfils all comparisons, though none of them says so.

        `gte: 1` says so: it is what somebody writes who wants just that.
        """
        if self.first is None or not comparisons or not holds(comparisons, self.first):
            return False
        below = self.first - 1
        return all(HOLDS[one.comparator](below, one.number) for one in comparisons)

    def _tried(self, comparisons: Sequence[Comparison]) -> Iterator[Number]:
        """Numbers of which one fulfils the comparisons if any does."""
        bounds = [bound for bound in (self.least, self.most) if bound is not None]
        marks = sorted({*bounds, *(one.number for one in comparisons)})
        if self.whole:
            around = ((math.floor(mark) - 1, math.floor(mark), math.floor(mark) + 1) for mark in marks)
            yield from itertools.chain.from_iterable(around)
            return
        yield from marks
        yield from (Fraction(low + high) / 2 for low, high in itertools.pairwise(marks))
        yield from (marks[0] - 1, marks[-1] + 1)


def range_of(kind: CorrelationType, rules: int, *, share: bool) -> Range:
    """What a correlation of a type can come to.

    Args:
        kind: The type.
        rules: How many it refers to.
        share: Whether it is a `value_percentile` without `percentile`: the newest value's share, in per cent.
    """
    match kind:
        case CorrelationType.EVENT_COUNT | CorrelationType.VALUE_COUNT:
            return Range(least=1, first=1, whole=True)
        case CorrelationType.TEMPORAL | CorrelationType.TEMPORAL_ORDERED:
            return Range(least=1, most=rules, first=1, whole=True)
        case CorrelationType.VALUE_PERCENTILE if share:
            return Range(least=0, most=100, above=True, first=100)
        case _:
            return Range()
