"""A rule's predicate in words: a tree of conditions, each with where it is checked and why there.

User space checks every condition of every event that it gets. The question is which of them spare it events:
a condition is the kernel's if it narrows some clause of the rule. Tests that differ in the value only are one
condition, as the rule wrote them (`Image is one of …`).
"""

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.constraint import DIMENSIONS, Clause, OneOf, clauses
from fileaudit_engine.compiler.ir import (
    All,
    AnyOf,
    Check,
    Compares,
    DatePart,
    EqualsBoolean,
    EqualsNumber,
    InNetwork,
    IsNull,
    Matches,
    Negation,
    Operator,
    Pattern,
    Predicate,
    Relation,
    SameAs,
    Searches,
    Test,
    Wildcard,
)
from fileaudit_engine.events.fields import WHOLE_EVENT, Dimension, Field
from fileaudit_engine.rules.values import spelled_pattern


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


def _leaves(operands: Iterable[Predicate], rule_clauses: Sequence[Clause], *, every: bool) -> Iterator[Leaf]:
    """Alternatives of one kind together, and exclusions of one kind; anything else is a leaf of its own."""
    grouped: dict[object, list[Predicate]] = {}
    for number, operand in enumerate(operands):
        test, negated = _test_of(operand)
        kind = (test.field.name, _verbs(test.check), _is_cased(test.check), negated)
        where = _where(operand, test, rule_clauses, negated=negated)
        alone = number if negated is not every else None
        grouped.setdefault((*kind, where, alone), []).append(operand)
    for members in grouped.values():
        yield _leaf(members, rule_clauses, every=every)


def _leaf(operands: Sequence[Predicate], rule_clauses: Sequence[Clause], *, every: bool) -> Leaf:
    test, negated = _test_of(operands[0])
    where, why = _where(operands[0], test, rule_clauses, negated=negated)
    values = [value for operand in operands for value in _values(_test_of(operand)[0].check)]
    joined: Predicate = All(operands=tuple(operands)) if every else AnyOf(operands=tuple(operands))
    return Leaf(
        field=test.field,
        verb=_verbs(test.check)[2 * negated + (len(values) > 1)],
        values=tuple(values),
        cased=_is_cased(test.check),
        where=where,
        why=why,
        predicate=operands[0] if len(operands) == 1 else joined,
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


def _why_not(test: Test, *, negated: bool) -> str:
    """Why the kernel can do nothing with a test."""
    if test.field is WHOLE_EVENT:
        return "the kernel searches no whole events"
    if test.field.dimension is None:
        return f"the kernel does not look at {test.field.name}"
    if isinstance(test.check, Searches):
        return "the kernel runs no regular expressions"
    if not isinstance(test.check, Matches):
        return "the kernel compares texts only"
    if test.field.dimension is Dimension.PATH and negated:
        return "what a path is not says nothing of what it is"
    return "the kernel compares beginnings, endings and whole directory names, in ASCII"


# --- words -------------------------------------------------------------------------------------------------

_Verbs = tuple[str, str, str, str]
"""For one value, for several, and the same negated."""

_IS: Final[_Verbs] = ("is", "is one of", "is not", "is none of")
_STARTS: Final[_Verbs] = ("starts with", "starts with one of", "does not start with", "starts with none of")
_ENDS: Final[_Verbs] = ("ends with", "ends with one of", "does not end with", "ends with none of")
_CONTAINS: Final[_Verbs] = ("contains", "contains one of", "does not contain", "contains none of")
_LOOKS: Final[_Verbs] = ("looks like", "looks like one of", "does not look like", "looks like none of")
_SEARCHED: Final[_Verbs] = ("matches", "matches one of", "does not match", "matches none of")
_EMPTY: Final[_Verbs] = ("is empty", "is empty", "is not empty", "is not empty")
_PRESENT: Final[_Verbs] = ("is present", "is present", "is absent", "is absent")
_ABSENT: Final[_Verbs] = ("is absent", "is absent", "is present", "is present")
_WITHIN_NETWORK: Final[_Verbs] = ("is in", "is in one of", "is not in", "is in none of")

_ORDER: Final = {
    Operator.EQ: "",
    Operator.LT: "less than",
    Operator.LTE: "at most",
    Operator.GT: "greater than",
    Operator.GTE: "at least",
}
_RELATED: Final[dict[Relation, _Verbs]] = {
    "whole": ("is the same as", "is the same as one of", "is not the same as", "is the same as none of"),
    "startswith": _STARTS,
    "endswith": _ENDS,
    "contains": _CONTAINS,
}


def _verbs(check: Check) -> _Verbs:  # noqa: PLR0911 - one return a check
    match check:
        case Matches(pattern=pattern):
            return _verbs_of(pattern)
        case Searches():
            return _SEARCHED
        case EqualsNumber() | EqualsBoolean():
            return _IS
        case Compares(operator=operator):
            return _ordered(operator)
        case InNetwork():
            return _WITHIN_NETWORK
        case SameAs(how=how):
            return _RELATED[how]
        case DatePart(part=part, operator=operator, zone=zone):
            one, several, not_one, none = _ordered(operator)
            asked = f"({part.value}, {zone})"
            return f"{asked} {one}", f"{asked} {several}", f"{asked} {not_one}", f"{asked} {none}"
        case IsNull():
            return _ABSENT
        case _ as never:
            assert_never(never)


def _ordered(operator: Operator) -> _Verbs:
    """`is less than`, and its like."""
    order = _ORDER[operator]
    if not order:
        return _IS
    return f"is {order}", f"is {order} one of", f"is not {order}", f"is {order} none of"


def _verbs_of(pattern: Pattern) -> _Verbs:  # noqa: PLR0911 - one return a shape
    match pattern:
        case ():
            return _EMPTY
        case (str(),):
            return _IS
        case (str(), Wildcard.ANY):
            return _STARTS
        case (Wildcard.ANY, str()):
            return _ENDS
        case (Wildcard.ANY, str(), Wildcard.ANY):
            return _CONTAINS
        case (Wildcard.ANY,):
            return _PRESENT
        case _:
            return _LOOKS


def _values(check: Check) -> tuple[str, ...]:  # noqa: PLR0911 - one return a check
    match check:
        case Matches(pattern=pattern):
            return _values_of(pattern)
        case Searches(expression=expression, flags=flags):
            return (f"(?{flags}){expression}" if flags else expression,)
        case EqualsNumber(number=number) | Compares(number=number) | DatePart(number=number):
            return (str(number),)
        case InNetwork(network=network):
            return (str(network),)
        case SameAs(other=other):
            return (other.name,)
        case EqualsBoolean(value=value):
            return (str(value).lower(),)
        case IsNull():
            return ()
        case _ as never:
            assert_never(never)


def _values_of(pattern: Pattern) -> tuple[str, ...]:
    if _verbs_of(pattern) is _LOOKS:
        return (spelled_pattern(pattern),)
    return tuple(part for part in pattern if isinstance(part, str))


def _is_cased(check: Check) -> bool:
    return isinstance(check, Matches | SameAs) and check.cased
