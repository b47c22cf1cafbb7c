"""What the compiler made of a rule, as data that people and programs can read.

A rule author wants to know three things: what the kernel filters by (the clauses), what is left to user space
(the conditions, each with the reason why), and what the rule will never see (hooks that are missing, and the
limits of those that are there). `explanation` answers them for a whole pack; the words are here, so that text
and JSON say the same.
"""

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.blind import blind_to
from fileaudit_engine.compiler.conditions import Condition, condition_tree
from fileaudit_engine.compiler.constraint import END, Clause, Constraint, OneOf
from fileaudit_engine.compiler.ir import All, AnyOf, Negation, Predicate, Test
from fileaudit_engine.compiler.lint import warnings
from fileaudit_engine.compiler.listening import heard_through
from fileaudit_engine.compiler.plan import (
    CAPTURED_OPERATIONS,
    MAX_CLAUSES,
    CorrelationPlan,
    KernelPlan,
    UserPlan,
    UserRule,
)
from fileaudit_engine.compiler.witness import Group, Length, Literal, alternatives
from fileaudit_engine.diagnostics import Diagnostic
from fileaudit_engine.events.fields import Dimension
from fileaudit_engine.events.model import AccessMode, Operation, Outcome
from fileaudit_engine.text import from_kernel

NO_CORRELATIONS: Final = CorrelationPlan()
"""Nothing listens to the rules."""

_NO_ACCESS_MODE: Final = "none"
"""How events without an access mode are spelled in a clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseExplanation:
    """One alternative of the kernel's filter; all that it asks must hold. None: it asks nothing of that.

    Attributes:
        bit: Its number in the kernel's bit sets.
        operations: What is done.
        access: What the file is opened for; `none` stands for events without an access mode.
        outcomes: Success or failure.
        paths: What the path may be, lower-cased.
        beginnings: What it may begin with, where it is none of `paths`.
        endings: What it may end with.
        directories: Names of which one is a directory of the path.
        users: Names and numbers of the users who may do it.
        processes: Numbers of the processes.
        threads: Names of the threads, lower-cased.
        names: Which names of the file are asked for, in words.
        shared_with: Other rules that own the bit, where there are more clauses than bits.
    """

    bit: int
    operations: tuple[str, ...] | None
    access: tuple[str, ...] | None
    outcomes: tuple[str, ...] | None
    paths: tuple[str, ...] | None
    beginnings: tuple[str, ...] | None
    endings: tuple[str, ...] | None
    directories: tuple[str, ...] | None
    users: tuple[str, ...] | None
    processes: tuple[str, ...] | None
    threads: tuple[str, ...] | None
    names: tuple[str, ...] = ("path",)
    shared_with: tuple[str, ...] = ()

    @property
    def tests_path(self) -> bool:
        """Whether the path plays a part."""
        return any((self.paths, self.beginnings, self.endings, self.directories))

    @property
    def tests_caller(self) -> bool:
        """Whether it matters who does it."""
        return any((self.users, self.processes, self.threads))


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
        heard_through: The correlations that refer to it.
        silent: Whether it is heard only through them, and raises and records nothing by itself.
    """

    rule: UserRule
    clauses: tuple[ClauseExplanation, ...]
    witnesses: tuple[tuple[Sign, ...] | None, ...]
    conditions: Condition
    hooks: tuple[Hook, ...]
    blind_to: tuple[str, ...]
    warnings: tuple[Diagnostic, ...]
    heard_through: tuple[str, ...] = ()
    silent: bool = False


_VERBS: Final = {
    (True, True): "is",
    (True, False): "starts with",
    (False, True): "ends with",
    (False, False): "contains",
}


class Table(str, enum.Enum):
    """The kernel's look-up tables."""

    BEGINNINGS = "beginnings"
    """Whole paths are among them."""
    ENDINGS = "endings"
    DIRECTORIES = "directories"
    CALLERS = "callers"
    """Users, processes and threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackExplanation:
    """All rules, and what the kernel's tables hold for them.

    Attributes:
        rules: One each, in the order of the plan.
        correlations: How many listen to them.
        clauses: Bits in use.
        most_clauses: Bits there are.
        keys: Entries of each table.
    """

    rules: tuple[RuleExplanation, ...]
    correlations: int
    clauses: int
    most_clauses: int
    keys: dict[Table, int]


def explanation(
    user: UserPlan, kernel: KernelPlan, correlations: CorrelationPlan = NO_CORRELATIONS
) -> PackExplanation:
    """What the compiler made of a pack's rules; `correlations` says who listens to them."""
    heard = heard_through(correlations)
    return PackExplanation(
        rules=tuple(
            replace(
                _rule(number, rule, user, kernel),
                heard_through=heard.get(rule.rule.key, ()),
                silent=number in correlations.silent,
            )
            for number, rule in enumerate(user.rules)
        ),
        correlations=len(correlations.correlations),
        clauses=len(kernel.clauses),
        most_clauses=MAX_CLAUSES,
        keys={
            Table.BEGINNINGS: len(kernel.prefixes),
            Table.ENDINGS: sum(not key.startswith(END) for key in kernel.suffixes),
            Table.DIRECTORIES: len(kernel.components),
            Table.CALLERS: len(kernel.users) + len(kernel.pids) + len(kernel.comms),
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
        blind_to=tuple(blind_to(operations, clauses, frozenset(_fields_of(rule.predicate)))),
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
        paths=_literals(clause.prefix, lambda key: key.endswith(END)),
        beginnings=_literals(clause.prefix, lambda key: not key.endswith(END)),
        endings=_literals(clause.suffix),
        directories=_literals(clause.component),
        users=_spelled(clause.user),
        processes=_spelled(clause.pid),
        threads=_literals(clause.comm),
        names=tuple(words for dimension, words in _NAMES.items() if dimension in clause.names),
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


_NAMES: Final = {Dimension.PATH: "path", Dimension.SOURCE: "source path"}


def _literals(
    constraint: Constraint[bytes], wanted: Callable[[bytes], bool] = lambda _: True
) -> tuple[str, ...] | None:
    """The texts of a kind; None where there are none."""
    if not isinstance(constraint, OneOf):
        return None
    texts = sorted(key.removesuffix(END) for key in constraint.values if wanted(key))
    return tuple(map(from_kernel, texts)) or None


def _spelled(constraint: Constraint[Any]) -> tuple[str, ...] | None:
    """Names, then numbers in their order."""
    if not isinstance(constraint, OneOf):
        return None
    return tuple(
        map(
            str,
            sorted(
                constraint.values, key=lambda v: (isinstance(v, int), v if isinstance(v, int) else 0, str(v))
            ),
        )
    )


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
