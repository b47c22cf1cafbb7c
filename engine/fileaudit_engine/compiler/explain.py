"""What the compiler made of a rule, as data that people and programs can read.

A rule author wants to know three things: what the kernel filters by (the clauses), what is left to user space
(the conditions, each with the reason why), and what the rule will never see (hooks that are missing, and the
limits of those that are there). `explanation` answers them for a whole pack; the words are here, so that text
and JSON say the same.
"""

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.captured import NOT_CAPTURED
from fileaudit_engine.compiler.conditions import Condition, condition_tree
from fileaudit_engine.compiler.constraint import Clause, Constraint, OneOf
from fileaudit_engine.compiler.ir import All, AnyOf, Negation, Predicate, Test
from fileaudit_engine.compiler.lint import warnings
from fileaudit_engine.compiler.plan import CAPTURED_OPERATIONS, MAX_CLAUSES, KernelPlan, UserPlan, UserRule
from fileaudit_engine.compiler.witness import Group, Length, Literal, alternatives
from fileaudit_engine.diagnostics import Diagnostic
from fileaudit_engine.events.model import AccessMode, Operation, Outcome
from fileaudit_engine.text import from_kernel

_NO_ACCESS_MODE: Final = "none"
"""How events without an access mode are spelled in a clause."""

_BLIND_OPEN: Final = (
    "files opened before the engine started",
    # No system call tracepoint that we use fires. Any program can go through that gate, a 64-bit one too.
    "opens by handle, through io_uring or by the 32-bit call gate",
    "other names of a watched file: hard links, bind and overlay mounts in namespaces of ordinary users",
    "files replaced by rename",
    "an open whose descriptor another thread swaps before the call has returned",
    "the front of a path that was cut: over 4,096 bytes or 128 levels",
)
_BLIND_FAILED: Final = "links in the name of a failed open: its path is the one that was asked for"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseExplanation:
    """One alternative of the kernel's filter; all that it asks must hold. None: it asks nothing of that.

    Attributes:
        bit: Its number in the kernel's bit sets.
        operations: What is done.
        access: What the file is opened for; `none` stands for events without an access mode.
        outcomes: Success or failure.
        beginnings: What the path may begin with, lower-cased.
        endings: What it may end with.
        directories: Names of which one is a directory of the path.
        shared_with: Other rules that own the bit, where there are more clauses than bits.
    """

    bit: int
    operations: tuple[str, ...] | None
    access: tuple[str, ...] | None
    outcomes: tuple[str, ...] | None
    beginnings: tuple[str, ...] | None
    endings: tuple[str, ...] | None
    directories: tuple[str, ...] | None
    shared_with: tuple[str, ...] = ()

    @property
    def tests_path(self) -> bool:
        """Whether the path plays a part."""
        return any((self.beginnings, self.endings, self.directories))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Texts that the match index looks for in one field.

    Attributes:
        field: Where; empty for anywhere in the event.
        verb: How, such as `starts with`.
        values: The texts, folded.
    """

    field: str
    verb: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """An operation that the rule needs, and whether live capture of this version has it."""

    operation: str
    captured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleExplanation:
    """One rule.

    Attributes:
        rule: As the compiler made it.
        clauses: What the kernel filters by; with none, the rule can never match.
        witnesses: For each way in which the rule can match, what a recorded event must have one of before the
            rule is evaluated on it; None for a way that every event of the log source may take.
        conditions: The whole rule as user space evaluates it, leaf by leaf.
        hooks: What it needs of the capture, in the order of the operations' numbers.
        blind_to: What it cannot see, a phrase each.
        warnings: Why the kernel filters little for it.
    """

    rule: UserRule
    clauses: tuple[ClauseExplanation, ...]
    witnesses: tuple[tuple[Sign, ...] | None, ...]
    conditions: Condition
    hooks: tuple[Hook, ...]
    blind_to: tuple[str, ...]
    warnings: tuple[Diagnostic, ...]


_VERBS: Final = {
    (True, True): "is",
    (True, False): "starts with",
    (False, True): "ends with",
    (False, False): "contains",
}


class Table(str, enum.Enum):
    """The kernel's look-up tables for paths."""

    BEGINNINGS = "beginnings"
    ENDINGS = "endings"
    DIRECTORIES = "directories"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackExplanation:
    """All rules, and what the kernel's tables hold for them.

    Attributes:
        rules: One each, in the order of the plan.
        clauses: Bits in use.
        most_clauses: Bits there are.
        keys: Entries of each table.
    """

    rules: tuple[RuleExplanation, ...]
    clauses: int
    most_clauses: int
    keys: dict[Table, int]


def explanation(user: UserPlan, kernel: KernelPlan) -> PackExplanation:
    """What the compiler made of a pack."""
    return PackExplanation(
        rules=tuple(_rule(number, rule, user, kernel) for number, rule in enumerate(user.rules)),
        clauses=len(kernel.clauses),
        most_clauses=MAX_CLAUSES,
        keys={
            Table.BEGINNINGS: len(kernel.prefixes),
            Table.ENDINGS: len(kernel.suffixes),
            Table.DIRECTORIES: len(kernel.components),
        },
    )


def _rule(number: int, rule: UserRule, user: UserPlan, kernel: KernelPlan) -> RuleExplanation:
    bits = [bit for bit, owners in enumerate(kernel.owners) if number in owners]
    clauses = [kernel.clauses[bit] for bit in bits]
    operations = _operations(rule, clauses)
    return RuleExplanation(
        rule=rule,
        clauses=tuple(_clause(bit, kernel, _others(number, kernel.owners[bit], user)) for bit in bits),
        witnesses=tuple(_witness(way.witness) for way in alternatives(rule.predicate)),
        conditions=condition_tree(rule.predicate, clauses),
        hooks=tuple(Hook(operation=o.value, captured=o in CAPTURED_OPERATIONS) for o in operations),
        blind_to=tuple(_blind_to(operations, clauses, _fields_of(rule.predicate))),
        warnings=tuple(warnings(rule, clauses, kernel.widened.get(number, ()))),
    )


def _others(number: int, owners: Sequence[int], user: UserPlan) -> tuple[str, ...]:
    return tuple(user.rules[owner].rule.key for owner in owners if owner != number)


def _clause(bit: int, kernel: KernelPlan, shared_with: tuple[str, ...]) -> ClauseExplanation:
    clause = kernel.clauses[bit]
    return ClauseExplanation(
        bit=bit,
        operations=_among(Operation, clause.operation),
        access=_among((*AccessMode, None), clause.access),
        outcomes=_among(Outcome, clause.outcome),
        beginnings=_literals(clause.prefix),
        endings=_literals(clause.suffix),
        directories=_literals(clause.component),
        shared_with=shared_with,
    )


def _witness(group: Group | None) -> tuple[Sign, ...] | None:
    """The literals of a witness, those of one field and kind together."""
    if group is None:
        return None
    signs: dict[tuple[str, str], list[str]] = {}
    for sign in group:
        match sign:
            case Literal():
                verb, text = _VERBS[sign.starts, sign.ends], sign.text
            case Length():
                verb, text = "has at least", f"{sign.characters} characters"
            case _ as never:
                assert_never(never)
        signs.setdefault((sign.field.name, verb), []).append(text)
    return tuple(
        Sign(field=field, verb=verb, values=tuple(sorted(texts)))
        for (field, verb), texts in sorted(signs.items())
    )


def _among(
    domain: Iterable[Operation | AccessMode | Outcome | None], constraint: Constraint[Any]
) -> tuple[str, ...] | None:
    """The allowed values in the order of their numbers; None where all are."""
    if not isinstance(constraint, OneOf):
        return None
    return tuple(v.value if v is not None else _NO_ACCESS_MODE for v in domain if v in constraint.values)


def _literals(constraint: Constraint[bytes]) -> tuple[str, ...] | None:
    return tuple(map(from_kernel, sorted(constraint.values))) if isinstance(constraint, OneOf) else None


def _operations(rule: UserRule, clauses: Sequence[Clause]) -> list[Operation]:
    """What the rule speaks of, in the order of the operations' numbers."""
    wanted = [c.operation.values if isinstance(c.operation, OneOf) else frozenset(Operation) for c in clauses]
    return [o for o in Operation if o in rule.logsource.operations and any(o in some for some in wanted)]


def _fields_of(predicate: Predicate) -> Iterator[str]:
    """The fields that a predicate asks for, as often as it does."""
    match predicate:
        case Test(field=field):
            yield field.name
        case Negation(operand=operand):
            yield from _fields_of(operand)
        case All(operands=operands) | AnyOf(operands=operands):
            for operand in operands:
                yield from _fields_of(operand)
        case _ as never:
            assert_never(never)


def _blind_to(
    operations: Sequence[Operation], clauses: Sequence[Clause], fields: Iterable[str]
) -> Iterable[str]:
    missing = [operation.value for operation in operations if operation not in CAPTURED_OPERATIONS]
    if missing:
        yield f"{', '.join(missing)} on a live host: this version captures only {_captured()}"
    unfilled = sorted(NOT_CAPTURED.intersection(fields))
    if unfilled:
        yield f"{', '.join(unfilled)} on a live host: this version's capture does not fill it in"
    if Operation.OPEN in operations:
        yield from _BLIND_OPEN
        if any(not isinstance(c.outcome, OneOf) or Outcome.FAILURE in c.outcome.values for c in clauses):
            yield _BLIND_FAILED


def _captured() -> str:
    return ", ".join(operation.value for operation in Operation if operation in CAPTURED_OPERATIONS)
