"""Tests of numbers: intervals of whole ones, and of the octal digits that documents have of modes."""

import math
from typing import Final

from fileaudit_engine.compiler.hunt.conditions import (
    NEVER,
    Column,
    Condition,
    Expression,
    Interval,
    Not,
    Present,
    Spelled,
    Texts,
    Whole,
    both,
    either,
    negated,
)
from fileaudit_engine.compiler.hunt.expression import Characters, Repeat
from fileaudit_engine.compiler.hunt.oddities import too_large
from fileaudit_engine.compiler.hunt.said import Said, exactly
from fileaudit_engine.compiler.ir import Operator
from fileaudit_engine.events.model import PathState

_LARGEST: Final = 2**63 - 1
"""What a `long` of the index can hold; -2**63 is the least."""
_OCTAL: Final = Characters(((0x30, 0x37),))
_SHORTEST_MODE: Final = 4
"""Digits of a mode in a document."""
_LONGEST_MODE: Final = 11
"""Octal digits of 32 bits."""

Bounds = tuple[int | None, int | None]


def bounds_of(operator: Operator, number: float) -> Bounds | None:
    """The whole numbers that compare so: lowest and highest, None where there is no bound; None: none."""
    if not math.isfinite(number):
        return _of_infinity(operator, positive=number > 0)
    match operator:
        case Operator.EQ:
            return (int(number), int(number)) if number == int(number) else None
        case Operator.LT:
            return None, math.ceil(number) - 1
        case Operator.LTE:
            return None, math.floor(number)
        case Operator.GT:
            return math.floor(number) + 1, None
        case Operator.GTE:
            return math.ceil(number), None


def _of_infinity(operator: Operator, *, positive: bool) -> Bounds | None:
    everything = operator in ({Operator.LT, Operator.LTE} if positive else {Operator.GT, Operator.GTE})
    return (None, None) if everything else None


def interval(column: Column, operator: Operator, number: float) -> Said:
    """A number of a column of numbers."""
    bounds = bounds_of(operator, number)
    if bounds is None:
        return exactly(NEVER)
    lowest, highest = bounds
    missed = (too_large(column),) if highest is None or highest > _LARGEST else ()
    if (lowest is not None and lowest > _LARGEST) or (highest is not None and highest < -_LARGEST - 1):
        return exactly(NEVER, missed=missed)
    lowest = None if lowest is not None and lowest < -_LARGEST else lowest
    highest = None if highest is not None and highest > _LARGEST else highest
    if lowest is None and highest is None:
        return exactly(Present(column=column), missed=missed)
    return exactly(Interval(column=column, lowest=lowest, highest=highest), missed=missed)


def digits(column: Column, number: int) -> Condition:
    """A number of a column of decimal digits."""
    return Texts(column=column, forms=(Whole(str(number)),))


def octal(column: Column, operator: Operator, number: float) -> Condition:
    """A number of a column of octal digits: four, with zeros before them, or as many as it needs."""
    bounds = bounds_of(operator, number)
    if bounds is None:
        return NEVER
    lowest, highest = max(bounds[0] or 0, 0), bounds[1]
    if highest is not None and highest < lowest:
        return NEVER
    if lowest == highest:
        return Texts(column=column, forms=(Whole(f"{lowest:04o}"),))
    return either(
        _octal_of_length(column, lowest, highest, length)
        for length in range(_SHORTEST_MODE, _LONGEST_MODE + 1)
    )


def _octal_of_length(column: Column, lowest: int, highest: int | None, length: int) -> Condition:
    least = 0 if length == _SHORTEST_MODE else 8 ** (length - 1)
    most = 8**length - 1
    first, last = max(lowest, least), most if highest is None else min(highest, most)
    if first > last:
        return NEVER
    if (first, last) == (least, most):
        return Texts(column=column, forms=(Expression(Repeat(_OCTAL, length, length)),))
    return both(
        (
            Texts(column=column, forms=(Expression(Repeat(_OCTAL, length, length)),)),
            Spelled(column=column, lowest=f"{first:0{length}o}", highest=f"{last:0{length}o}"),
        )
    )


def path_state(column: Column, operator: Operator, number: float) -> Condition:
    """Bits that documents spell as words."""
    bounds = bounds_of(operator, number)
    if bounds is None:
        return NEVER
    lowest, highest = bounds
    parts = [_at_least(column, lowest or 0)]
    if highest is not None:
        parts.append(negated(_at_least(column, highest + 1)))
    return both(parts)


def _at_least(column: Column, number: int) -> Condition:
    """A bit that the number has not, with all higher ones that it has; or just all that it has."""
    if number > sum(PathState):
        return NEVER
    number = max(number, 0)
    bits = sorted(PathState, reverse=True)
    greater = [
        both((_bit(column, bit), *(_bit(column, other) for other in bits if other > bit and other & number)))
        for bit in bits
        if not bit & number
    ]
    return either((*greater, both(_bit(column, bit) for bit in bits if bit & number)))


def _bit(column: Column, bit: PathState) -> Condition:
    return Texts(column=column, forms=(Whole(str(bit.name).lower()),))


def absent(column: Column) -> Condition:
    """The document lacks the column."""
    return Not(Present(column=column))
