"""The same predicate, smaller: what every later stage would otherwise do again.

Negations end at the leaves (De Morgan: rules have two truth values, an absent field is simply not equal),
nested conjunctions and disjunctions are flat, repeated operands stand once, and constants are gone except as
the whole result (`TRUE`, `FALSE`).
"""

from collections.abc import Iterable

from typing_extensions import assert_never

from fileaudit_engine.compiler.ir import FALSE, TRUE, All, AnyOf, Negation, Predicate, Test


def simplify(predicate: Predicate) -> Predicate:
    """An equivalent predicate in the form that the module describes."""
    match predicate:
        case Test():
            return predicate
        case All(operands=operands):
            return _conjunction(map(simplify, operands))
        case AnyOf(operands=operands):
            return _disjunction(map(simplify, operands))
        case Negation(operand=operand):
            return _negated(operand)
        case _ as never:
            assert_never(never)


def _negated(operand: Predicate) -> Predicate:
    match operand:
        case Test():
            return Negation(operand=operand)
        case Negation(operand=inner):
            return simplify(inner)
        case All(operands=operands):
            return _disjunction(map(_negated, operands))
        case AnyOf(operands=operands):
            return _conjunction(map(_negated, operands))
        case _ as never:
            assert_never(never)


def _conjunction(operands: Iterable[Predicate]) -> Predicate:
    flat: dict[Predicate, None] = {}
    for operand in operands:
        if operand == FALSE:
            return FALSE
        if isinstance(operand, All):
            flat.update(dict.fromkeys(operand.operands))
        else:
            flat[operand] = None
    return next(iter(flat)) if len(flat) == 1 else All(operands=tuple(flat))


def _disjunction(operands: Iterable[Predicate]) -> Predicate:
    flat: dict[Predicate, None] = {}
    for operand in operands:
        if operand == TRUE:
            return TRUE
        if isinstance(operand, AnyOf):
            flat.update(dict.fromkeys(operand.operands))
        else:
            flat[operand] = None
    return next(iter(flat)) if len(flat) == 1 else AnyOf(operands=tuple(flat))
