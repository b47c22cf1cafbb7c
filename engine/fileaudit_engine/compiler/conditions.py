"""A rule's predicate in words: a tree of conditions, each with where it is checked and why there.

User space checks every condition of every event that it gets. The question is which of them spare it events:
a condition is the kernel's if it narrows some clause of the rule. Tests that differ in the value only are one
condition, as the rule wrote them (`Image is one of …`).
"""

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.constraint import DIMENSIONS, Clause, OneOf, clauses
from fileaudit_engine.compiler.ir import All, AnyOf, Matches, Negation, Predicate, Searches, Test, Wildcard
from fileaudit_engine.compiler.wording import BELOW, Verbs, is_cased, values_of, verbs_of
from fileaudit_engine.events.fields import WHOLE_EVENT, Dimension, Field


class Where(str, enum.Enum):
    """Where a condition spares events."""

    KERNEL = "kernel"
    """Events that fail it are dropped in the kernel; user space checks the rest again, exactly."""
    USER_SPACE = "user space"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """Tests of one field that differ in the value only.

    Attributes:
        field: Whose value is asked for.
        verb: What is asked, such as `is one of` or `does not start with`.
        values: What it is compared with, as a rule would write it (folded where case is ignored).
        cased: Whether upper and lower case differ.
        where: Where it spares events.
        why: The reason, where that is user space; else empty.
        predicate: The tests, to be evaluated.
    """

    field: Field
    verb: str
    values: tuple[str, ...]
    cased: bool
    where: Where
    why: str
    predicate: Predicate

    @property
    def subject(self) -> str:
        """What is asked of, in words: the field's name, or any field for a keyword."""
        return "any field" if self.field is WHOLE_EVENT else self.field.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Conditions of which `every` one must hold, or any one."""

    every: bool
    members: tuple["Condition", ...]


Condition = Leaf | Group


def condition_tree(predicate: Predicate, rule_clauses: Sequence[Clause]) -> Condition:
    """The conditions of a simplified predicate whose clauses are `rule_clauses`."""
    match predicate:
        case Test() | Negation():
            return next(_leaves((predicate,), rule_clauses, every=True))
        case All(operands=operands):
            return _group(operands, rule_clauses, every=True)
        case AnyOf(operands=operands):
            return _group(operands, rule_clauses, every=False)
        case _ as never:
            assert_never(never)


def _group(operands: Sequence[Predicate], rule_clauses: Sequence[Clause], *, every: bool) -> Condition:
    """The leaves first, then the groups: what is simple is read first."""
    simple = [operand for operand in operands if not isinstance(operand, All | AnyOf)]
    nested = [operand for operand in operands if isinstance(operand, All | AnyOf)]
    members = (
        *_leaves(simple, rule_clauses, every=every),
        *(condition_tree(operand, rule_clauses) for operand in nested),
    )
    return members[0] if len(members) == 1 else Group(every=every, members=members)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What one value of a rule asks, negated or not."""

    test: Test
    negated: bool
    verbs: Verbs
    values: tuple[str, ...]
    where: Where
    why: str
    predicate: Predicate


def _leaves(operands: Sequence[Predicate], rule_clauses: Sequence[Clause], *, every: bool) -> Iterator[Leaf]:
    """Alternatives of one kind together, and exclusions of one kind; anything else is a leaf of its own."""
    grouped: dict[object, list[_Asked]] = {}
    for number, asked in enumerate(_asked(operands, rule_clauses, every=every)):
        test, alone = asked.test, number if asked.negated is not every else None
        kind = (
            test.field.name,
            asked.verbs,
            is_cased(test.check),
            asked.negated,
            asked.where,
            asked.why,
            alone,
        )
        grouped.setdefault(kind, []).append(asked)
    for members in grouped.values():
        yield _leaf(members, every=every)


def _leaf(members: Sequence[_Asked], *, every: bool) -> Leaf:
    first = members[0]
    values = [value for asked in members for value in asked.values]
    operands = tuple(asked.predicate for asked in members)
    joined: Predicate = All(operands=operands) if every else AnyOf(operands=operands)
    return Leaf(
        field=first.test.field,
        verb=first.verbs[2 * first.negated + (len(values) > 1)],
        values=tuple(values),
        cased=is_cased(first.test.check),
        where=first.where,
        why=first.why,
        predicate=operands[0] if len(operands) == 1 else joined,
    )


def _asked(operands: Iterable[Predicate], rule_clauses: Sequence[Clause], *, every: bool) -> Iterator[_Asked]:
    """What each operand asks; a directory and what is below it are one question, as `under` wrote it."""
    single = {operand: _of_operand(operand, rule_clauses) for operand in operands}
    by_test = {asked.test: asked for asked in single.values() if asked.negated is every}
    below = {_directory_of(test): test for test in by_test if _directory_of(test)}
    for asked in single.values():
        inside = by_test.get(below[asked.test]) if asked.test in below and asked.test in by_test else None
        if inside is not None:
            yield _together(asked, inside, every=every)
        elif not (_directory_of(asked.test) in by_test and asked.test in by_test):
            yield asked


def _of_operand(operand: Predicate, rule_clauses: Sequence[Clause]) -> _Asked:
    test, negated = _test_of(operand)
    where, why = _where(operand, test, rule_clauses, negated=negated)
    return _Asked(
        test=test,
        negated=negated,
        verbs=verbs_of(test.check),
        values=values_of(test.check),
        where=where,
        why=why,
        predicate=operand,
    )


def _directory_of(test: Test) -> Test | None:
    """For a test of what is below a directory, the test of the directory itself."""
    match test.check:
        case Matches(pattern=(str(literal), Wildcard.ANY), cased=cased) if (
            literal[:-1] and literal[-1] == "/"
        ):
            return Test(field=test.field, check=Matches(pattern=(literal[:-1],), cased=cased))
        case _:
            return None


def _together(directory: _Asked, inside: _Asked, *, every: bool) -> _Asked:
    """A directory and what is below it; where one of them is not spared, neither is."""
    operands = (directory.predicate, inside.predicate)
    worse = max(directory, inside, key=lambda asked: asked.where is Where.USER_SPACE)
    return replace(
        directory,
        verbs=BELOW,
        where=worse.where,
        why=worse.why,
        predicate=All(operands=operands) if every else AnyOf(operands=operands),
    )


def _test_of(operand: Predicate) -> tuple[Test, bool]:
    """The test of a leaf, and whether it is negated."""
    match operand:
        case Test():
            return operand, False
        case Negation(operand=Test() as test):
            return test, True
        case _:
            raise AssertionError("a predicate reached its explanation that was not simplified")


# --- where -------------------------------------------------------------------------------------------------


def _where(
    operand: Predicate, test: Test, rule_clauses: Sequence[Clause], *, negated: bool
) -> tuple[Where, str]:
    own = clauses(operand)
    if not own or not rule_clauses:
        return Where.KERNEL, ""  # it can never hold, or the rule cannot: the kernel drops every event
    asked = [name for name in DIMENSIONS if isinstance(getattr(own[0], name), OneOf)]
    if not asked:
        return Where.USER_SPACE, _why_not(test, negated=negated)
    if any(_narrows(name, own[0], clause) for name in asked for clause in rule_clauses):
        return Where.KERNEL, ""
    return Where.USER_SPACE, _why_widened(asked, rule_clauses)


def _why_widened(asked: Sequence[str], rule_clauses: Sequence[Clause]) -> str:
    """Why a test that the kernel could make is part of no clause."""
    if any(isinstance(getattr(clause, name), OneOf) for clause in rule_clauses for name in asked):
        return "the kernel asks for another part of the path"
    return "an alternative that the kernel cannot check lets the event pass anyway"


def _narrows(dimension: str, own: Clause, clause: Clause) -> bool:
    """Whether what a leaf asks of a dimension is part of what a clause of the rule asks."""
    asked, kept = getattr(own, dimension), getattr(clause, dimension)
    if not isinstance(kept, OneOf):
        return False
    within = _WITHIN.get(dimension)
    return within is None or any(within(whole, part) for whole in kept.values for part in asked.values)


_WITHIN: Final[dict[str, Callable[[bytes, bytes], bool]]] = {
    "prefix": bytes.startswith,
    "suffix": bytes.endswith,
    "component": bytes.__eq__,
}


_OF_CALLERS: Final = frozenset({Dimension.USER_ID, Dimension.USER_NAME, Dimension.PROCESS, Dimension.COMM})


def _why_not(test: Test, *, negated: bool) -> str:
    """Why the kernel can do nothing with a test."""
    if test.field is WHOLE_EVENT:
        return "the kernel searches no whole events"
    if test.field.dimension is None:
        return f"the kernel does not look at {test.field.name}"
    if test.field.dimension in _OF_CALLERS:
        return _why_not_caller(negated=negated)
    if isinstance(test.check, Searches):
        return "the kernel runs no regular expressions"
    if not isinstance(test.check, Matches):
        return "the kernel compares texts only"
    return _why_not_path(negated=negated and test.field.dimension in {Dimension.PATH, Dimension.SOURCE})


def _why_not_caller(*, negated: bool) -> str:
    if negated:
        return "who it is not says nothing of who it is"
    return "the kernel compares whole names and numbers of callers"


def _why_not_path(*, negated: bool) -> str:
    if negated:
        return "what a path is not says nothing of what it is"
    return "the kernel compares beginnings, endings and whole directory names, in ASCII"
