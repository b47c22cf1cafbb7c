"""What the kernel can check of a rule.

A rule is true for an event only if one of its *clauses* may be. A clause holds, per dimension of an event,
what that dimension must be; the kernel ANDs the dimensions as bit sets. Widening a clause is always sound,
narrowing never: whatever this module does not understand, it leaves `Unconstrained`.

    TargetFilename|startswith: /etc/   ─┐
    AccessMode: write                  ─┴─>  Clause(prefix=OneOf({b"/etc/"}), access=OneOf({WRITE, …}))
    not TargetFilename: /etc/shadow    ───>  Clause()          # a negation says nothing certain of a path
    not AccessMode: write              ───>  Clause(access=OneOf({READ, PATH, None}))   # few values: it does

The law: for every event and every rule, if the rule matches then one of its clauses accepts the event.
"""

import itertools
from collections.abc import Sequence
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.allowed import (
    UNCONSTRAINED,
    UNSATISFIABLE,
    Constraint,
    OneOf,
    Unconstrained,
    Unsatisfiable,
    both,
    one_of,
)
from fileaudit_engine.compiler.clause import (
    ALTERNATIVES,
    DIMENSIONS,
    END,
    KEY_BYTES,
    Clause,
    bounded,
    conjunction,
    merged,
    union,
)
from fileaudit_engine.compiler.ir import All, AnyOf, Negation, Predicate, Test
from fileaudit_engine.compiler.leaf import of_test

__all__ = [
    "CLAUSES_PER_RULE",
    "DIMENSIONS",
    "END",
    "KEY_BYTES",
    "UNCONSTRAINED",
    "UNSATISFIABLE",
    "Clause",
    "Constraint",
    "OneOf",
    "Unconstrained",
    "Unsatisfiable",
    "all_clauses",
    "both",
    "bounded",
    "clauses",
    "conjunction",
    "merged",
    "one_of",
    "union",
]

CLAUSES_PER_RULE: Final = 16
"""Past this many clauses a rule's clauses are widened into fewer: bits are shared by all rules."""

_CROSS_PRODUCT: Final = 256
"""Past this many clauses on the way, an AND keeps only its tighter side."""


def clauses(predicate: Predicate, *, most: int = CLAUSES_PER_RULE) -> tuple[Clause, ...]:
    """The clauses of a predicate, at most `most`; none if it can never be true."""
    return bounded(all_clauses(predicate), most)


def all_clauses(predicate: Predicate) -> tuple[Clause, ...]:
    """The clauses of a predicate, before `bounded` makes them fewer."""
    match predicate:
        case All(operands=operands):
            result: tuple[Clause, ...] = (Clause(),)
            for operand in operands:
                result = _both(result, all_clauses(operand))
            return result
        case AnyOf(operands=operands):
            return _any_of(operands)
        case Negation(operand=Test() as test):
            return _satisfiable(of_test(test, negated=True))
        case Negation():
            return (Clause(),)
        case Test():
            return _satisfiable(of_test(predicate, negated=False))
        case _ as never:
            assert_never(never)


def _satisfiable(clause: Clause) -> tuple[Clause, ...]:
    return (clause,) if clause.satisfiable else ()


def _both(left: tuple[Clause, ...], right: tuple[Clause, ...]) -> tuple[Clause, ...]:
    if len(left) * len(right) > _CROSS_PRODUCT:
        return max(left, right, key=_tightness)
    pairs = (conjunction(a, b) for a in left for b in right)
    return merged(clause for clause in pairs if clause.satisfiable)


def _tightness(side: tuple[Clause, ...]) -> tuple[bool, int]:
    return all(clause.tests_path for clause in side), -len(side)


def _any_of(operands: Sequence[Predicate]) -> tuple[Clause, ...]:
    """The clauses of alternatives, half by half, so that long lists of values do not grow one by one."""
    if len(operands) <= ALTERNATIVES:
        return merged(itertools.chain.from_iterable(map(all_clauses, operands)))
    middle = len(operands) // 2
    return merged((*_any_of(operands[:middle]), *_any_of(operands[middle:])))
