"""When a correlation's condition holds: comparisons of numbers, and expressions over steps."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.detect.crossing import Number
from fileaudit_engine.diagnostics import InternalError
from fileaudit_engine.rules.ast import (
    And,
    Comparator,
    Comparison,
    Condition,
    Identifier,
    Not,
    Or,
    Quantified,
)
from fileaudit_engine.rules.comparisons import HOLDS

Compares = Callable[[Number, int], bool]
"""Whether a number is as the document asks: its numerator and its denominator, which is above 0."""

Judges = Callable[[int, int], bool]
"""Whether an expression over steps holds. Arguments, as bits: the steps that are there, for names that are
not negated; the steps that count as there for those that are."""

RISING: Final = frozenset({Comparator.GT, Comparator.GTE})
"""What a number that only grows can only come to satisfy."""


def comparing(comparisons: Sequence[Comparison]) -> Compares:
    """All of them."""
    if len(comparisons) == 1:
        (one,) = comparisons
        compare, threshold = HOLDS[one.comparator], one.number
        return lambda number, by: compare(number, threshold * by)
    pairs = [(HOLDS[one.comparator], one.number) for one in comparisons]
    return lambda number, by: all(compare(number, threshold * by) for compare, threshold in pairs)


def judging(condition: Condition, steps: Mapping[str, int], *, negated: bool = False) -> Judges:
    """An expression over steps as a function.

    Args:
        condition: Its names are keys of `steps`.
        steps: The number of each.
        negated: Whether it stands below an odd number of negations.
    """
    match condition:
        case Identifier(name=name):
            bit = 1 << steps[name]
            if negated:
                return lambda _, around: bool(around & bit)
            return lambda present, _: bool(present & bit)
        case Not(operand=operand):
            inner = judging(operand, steps, negated=not negated)
            return lambda present, around: not inner(present, around)
        case And(operands=operands):
            parts = [judging(operand, steps, negated=negated) for operand in operands]
            return lambda present, around: all(part(present, around) for part in parts)
        case Or(operands=operands):
            parts = [judging(operand, steps, negated=negated) for operand in operands]
            return lambda present, around: any(part(present, around) for part in parts)
        case Quantified():
            raise InternalError("a condition over rules names each of them")
        case _ as never:
            assert_never(never)


def sequences_of(condition: Condition, steps: Mapping[str, int]) -> tuple[tuple[int, ...], ...]:
    """An expression without negations as sequences of which one has to be there: a disjunction of them."""
    alternatives = sorted(set(_alternatives(condition, steps)), key=sorted)
    least = [one for one in alternatives if not any(other < one for other in alternatives)]
    return tuple(tuple(sorted(one)) for one in least)


def _alternatives(condition: Condition, steps: Mapping[str, int]) -> list[frozenset[int]]:
    match condition:
        case Identifier(name=name):
            return [frozenset({steps[name]})]
        case Or(operands=operands):
            return [one for operand in operands for one in _alternatives(operand, steps)]
        case And(operands=operands):
            parts = [_alternatives(operand, steps) for operand in operands]
            return [frozenset().union(*choice) for choice in itertools.product(*parts)]
        case Not() | Quantified():
            raise InternalError("an order of what is not there")
        case _ as never:
            assert_never(never)
