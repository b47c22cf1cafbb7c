"""What rules cost: findings that need the clauses, and that the parser's lint therefore cannot have.

The kernel drops an event as soon as no clause accepts it. A clause that tests no path accepts every event of
its operations, so a single rule with such a clause takes the filter away from all of them.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from fileaudit_engine.compiler.constraint import CLAUSES_PER_RULE, Clause, OneOf, all_clauses, bounded
from fileaudit_engine.compiler.ir import All, AnyOf, Matches, Negation, Predicate, Searches, Test, Wildcard
from fileaudit_engine.compiler.plan import MAX_CALLERS, MAX_CLAUSES, MAX_KEYS, Shortage, UserRule
from fileaudit_engine.compiler.witness import alternatives
from fileaudit_engine.diagnostics import Diagnostic, Severity
from fileaudit_engine.events.fields import Dimension
from fileaudit_engine.events.model import Operation

FULL_STREAM: Final = "FA057"
"""The code of the finding that a rule needs events which nothing filters."""

WIDENED: Final = "FA058"
"""The code of the finding that the kernel has too little room for what a rule asks."""

_WHY: Final = {
    Shortage.BITS: f"the rules have more alternatives than the kernel has bits ({MAX_CLAUSES:,})",
    Shortage.KEYS: f"the rules name more paths than a table of the kernel holds ({MAX_KEYS:,})",
    Shortage.CALLERS: f"the rules name more users, processes or threads than the kernel tells apart "
    f"({MAX_CALLERS:,} each)",
}
_LESS: Final = {
    Shortage.BITS: "make one rule of those that differ in their values only",
    Shortage.KEYS: "name the folders that files have in common instead of the files",
    Shortage.CALLERS: "ask for what the callers have in common",
}

NEVER: Final = "FA049"
"""The code of the finding that no event can match a rule."""

NO_WITNESS: Final = "FA047"
"""The code of the finding that a rule must be evaluated on every event of a recording."""

FREQUENT: Final = (Operation.OPEN, Operation.READ, Operation.WRITE, Operation.EXEC)
"""Operations that a normal host does all the time; the others are rare enough to be looked at one by one."""


def warnings(
    rule: UserRule,
    got: Sequence[Clause],
    shortages: Collection[Shortage],
    asked: tuple[Clause, ...] | None = None,
) -> Iterator[Diagnostic]:
    """What a rule costs. What it asks and what it got are two matters, with two remedies.

    Args:
        rule: The rule.
        got: Its clauses in the plan.
        shortages: Why they are wider than what it asks, if they are.
        asked: All clauses that it asks for, where somebody has them.
    """
    if asked is None:
        asked = all_clauses(rule.predicate)
    if not asked:
        yield never(rule)
        return
    own = full_stream(rule, bounded(asked, CLAUSES_PER_RULE) if shortages else got)
    if own is not None:
        yield own
    if shortages:
        yield widened(rule, got, shortages)
    if any(way.witness is None for way in alternatives(rule.predicate)):
        yield _no_witness(rule)


def never(rule: UserRule) -> Diagnostic:
    """The warning that the kernel would drop every event for this rule, and rightly so."""
    operations = ", ".join(o.value for o in Operation if o in rule.logsource.operations)
    return Diagnostic(
        code=NEVER,
        severity=Severity.WARNING,
        message="the rule can never match: what it asks excludes itself, or is no part of its log source",
        location=rule.rule.location,
        help=f"{rule.logsource.value} has {operations}; 'service: fileaudit' has all operations",
    )


def widened(rule: UserRule, got: Sequence[Clause], shortages: Collection[Shortage]) -> Diagnostic:
    """The warning that a rule's clauses are wider than what it asks, because the kernel's room is used up."""
    present = [shortage for shortage in Shortage if shortage in shortages]
    open_clauses = _open(got)
    price = (
        cost(rule, open_clauses)
        if open_clauses
        else "events that it cannot match reach user space and are evaluated there"
    )
    why = " and ".join(_WHY[shortage] for shortage in present)
    return Diagnostic(
        code=WIDENED,
        severity=Severity.WARNING,
        message=f"the kernel filters less for this rule than it could, because {why}: {price}",
        location=rule.rule.location,
        help=f"{', and '.join(_LESS[shortage] for shortage in present)}, or load fewer rules",
    )


def full_stream(rule: UserRule, asked: Sequence[Clause]) -> Diagnostic | None:
    """A warning if some clause of the rule lets every event of its operations through; else None."""
    open_clauses = _open(asked)
    if not open_clauses:
        return None
    return Diagnostic(
        code=FULL_STREAM,
        severity=Severity.WARNING,
        message=f"the kernel cannot filter for this rule by path: {cost(rule, open_clauses)}",
        location=rule.rule.location,
        help=_remedy(rule.predicate),
    )


def _open(some: Iterable[Clause]) -> list[Clause]:
    """The clauses that let through all that their callers do: neither path nor process narrows them.

    A user may do nearly all that happens on a host; a process or a thread's name seldom does.
    """
    return [c for c in some if not (c.tests_path or isinstance(c.pid, OneOf) or isinstance(c.comm, OneOf))]


def _no_witness(rule: UserRule) -> Diagnostic:
    """The warning that there is no text which every event must have that the rule matches."""
    return Diagnostic(
        code=NO_WITNESS,
        severity=Severity.WARNING,
        message="this rule requires no particular text: in a recording it is evaluated on every event of "
        f"{rule.logsource.value}",
        location=rule.rule.location,
        help="add a condition on a text that is not negated; of an expression, every alternative needs "
        "three characters in a row that must be there",
    )


def cost(rule: UserRule, pathless: Collection[Clause]) -> str:
    """What clauses without a path cost, in words."""
    reached = _operations(rule, pathless)
    of_some = all(isinstance(clause.user, OneOf) for clause in pathless)
    whose = "by the users that it names" if of_some else "on the host"
    frequent = [operation.value for operation in FREQUENT if operation in reached]
    if not frequent:
        return f"every {_listed(sorted(o.value for o in reached))} {whose} reaches user space"
    return (
        f"every {_listed(frequent)} {whose} reaches user space and is evaluated there, which slows such "
        "calls down and loses events under load"
    )


def _operations(rule: UserRule, pathless: Iterable[Clause]) -> frozenset[Operation]:
    reached: set[Operation] = set()
    for clause in pathless:
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


_PATHS: Final = frozenset({Dimension.PATH, Dimension.SOURCE})


def _unhelpful(predicate: Predicate) -> Iterator[str]:
    match predicate:
        case All(operands=operands) | AnyOf(operands=operands):
            for operand in operands:
                yield from _unhelpful(operand)
        case Negation(operand=Test() as test) if test.field.dimension in _PATHS:
            yield "what a path must not be says nothing of what it is"
        case Test(check=Searches()) if predicate.field.dimension in _PATHS:
            yield "the kernel runs no regular expressions"
        case Test(check=Matches(pattern=(Wildcard.ANY, *_, Wildcard.ANY))) if (
            predicate.field.dimension in _PATHS
        ):
            yield "of '*…*' the kernel can look for whole directory names only"
        case _:
            return


def _listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
