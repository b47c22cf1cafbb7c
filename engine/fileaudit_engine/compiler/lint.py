"""What rules cost: findings that need the clauses, and that the parser's lint therefore cannot have.

The kernel drops an event as soon as no clause accepts it. A clause that tests no path accepts every event of
its operations, so a single rule with such a clause takes the filter away from all of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from fileaudit_engine.compiler.constraint import Clause, OneOf
from fileaudit_engine.compiler.ir import All, AnyOf, Matches, Negation, Predicate, Searches, Test, Wildcard
from fileaudit_engine.compiler.plan import UserRule
from fileaudit_engine.diagnostics import Diagnostic, Severity
from fileaudit_engine.events.fields import Dimension
from fileaudit_engine.events.model import Operation

FULL_STREAM: Final = "FA050"
"""The code of the finding that a rule needs events which nothing filters."""

FREQUENT: Final = (Operation.OPEN, Operation.READ, Operation.WRITE, Operation.EXEC)
"""Operations that a normal host does all the time; the others are rare enough to be looked at one by one."""


def full_stream(rule: UserRule, clauses: Sequence[Clause]) -> Diagnostic | None:
    """A warning if some clause of the rule lets every event of its operations through; else None."""
    open_clauses = [clause for clause in clauses if not clause.tests_path]
    if not open_clauses:
        return None
    return Diagnostic(
        code=FULL_STREAM,
        severity=Severity.WARNING,
        message=f"the kernel cannot filter for this rule by path: {cost(rule, open_clauses)}",
        location=rule.rule.location,
        help=_remedy(rule.predicate),
    )


def cost(rule: UserRule, clauses: Iterable[Clause]) -> str:
    """What clauses without a path cost, in words."""
    reached = _operations(rule, clauses)
    frequent = [operation.value for operation in FREQUENT if operation in reached]
    if not frequent:
        return f"every {_listed(sorted(o.value for o in reached))} on the host reaches user space"
    return (
        f"every {_listed(frequent)} on the host reaches user space and is evaluated there, which slows such "
        "calls down and loses events under load"
    )


def _operations(rule: UserRule, clauses: Iterable[Clause]) -> frozenset[Operation]:
    reached: set[Operation] = set()
    for clause in clauses:
        constraint = clause.operation
        reached |= constraint.values if isinstance(constraint, OneOf) else rule.logsource.operations
    return frozenset(reached)


def _remedy(predicate: Predicate) -> str:
    """What to write instead, with the reason why the path conditions that are there do not help."""
    reasons = dict.fromkeys(_unhelpful(predicate))
    because = f" ({'; '.join(reasons)})" if reasons else ""
    return (
        "give each alternative of the condition a TargetFilename with a literal beginning or ending, or with "
        f"a whole directory name such as '/.ssh/'{because}"
    )


def _unhelpful(predicate: Predicate) -> Iterator[str]:
    match predicate:
        case All(operands=operands) | AnyOf(operands=operands):
            for operand in operands:
                yield from _unhelpful(operand)
        case Negation(operand=Test() as test) if test.field.dimension is Dimension.PATH:
            yield "what a path must not be says nothing of what it is"
        case Test(check=Searches()) if predicate.field.dimension is Dimension.PATH:
            yield "the kernel runs no regular expressions"
        case Test(check=Matches(pattern=(Wildcard.ANY, *_, Wildcard.ANY))) if (
            predicate.field.dimension is Dimension.PATH
        ):
            yield "of '*…*' the kernel can look for whole directory names only"
        case _:
            return


def _listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
