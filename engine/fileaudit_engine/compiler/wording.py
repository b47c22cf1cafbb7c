"""What a check asks, in words, and the values that it asks for, as a rule would write them."""

from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.ir import (
    Check,
    Compares,
    DatePart,
    EqualsBoolean,
    EqualsNumber,
    InNetwork,
    IsNull,
    Matches,
    Operator,
    Pattern,
    Relation,
    SameAs,
    Searches,
    Wildcard,
)
from fileaudit_engine.rules.values import PATH_WILDCARDS, spelled_pattern

Verbs = tuple[str, str, str, str]
"""For one value, for several, and the same negated."""

_IS: Final[Verbs] = ("is", "is one of", "is not", "is none of")
_STARTS: Final[Verbs] = ("starts with", "starts with one of", "does not start with", "starts with none of")
_ENDS: Final[Verbs] = ("ends with", "ends with one of", "does not end with", "ends with none of")
_CONTAINS: Final[Verbs] = ("contains", "contains one of", "does not contain", "contains none of")
BELOW: Final[Verbs] = ("is or is below", "is or is below one of", "is not below", "is below none of")
_LOOKS: Final[Verbs] = ("looks like", "looks like one of", "does not look like", "looks like none of")
_PATHS: Final[Verbs] = (
    *("looks like the path", "looks like one of the paths"),
    *("does not look like the path", "looks like none of the paths"),
)
_SEARCHED: Final[Verbs] = ("matches", "matches one of", "does not match", "matches none of")
_EMPTY: Final[Verbs] = ("is empty", "is empty", "is not empty", "is not empty")
_PRESENT: Final[Verbs] = ("is present", "is present", "is absent", "is absent")
_ABSENT: Final[Verbs] = ("is absent", "is absent", "is present", "is present")
_WITHIN_NETWORK: Final[Verbs] = ("is in", "is in one of", "is not in", "is in none of")

_ORDER: Final = {
    Operator.EQ: "",
    Operator.LT: "less than",
    Operator.LTE: "at most",
    Operator.GT: "greater than",
    Operator.GTE: "at least",
}
_SAME: Final[dict[Relation, Verbs]] = {
    "whole": ("is the same as", "is the same as one of", "is not the same as", "is the same as none of"),
    "startswith": (
        *("starts with what is in", "starts with what is in one of"),
        *("does not start with what is in", "starts with what is in none of"),
    ),
    "endswith": (
        *("ends with what is in", "ends with what is in one of"),
        *("does not end with what is in", "ends with what is in none of"),
    ),
    "contains": (
        *("contains what is in", "contains what is in one of"),
        *("does not contain what is in", "contains what is in none of"),
    ),
}


def verbs_of(check: Check) -> Verbs:  # noqa: PLR0911 - one return a check
    """What a check asks."""
    match check:
        case Matches(pattern=pattern):
            return _of_pattern(pattern)
        case Searches():
            return _SEARCHED
        case EqualsNumber() | EqualsBoolean():
            return _IS
        case Compares(operator=operator):
            return _ordered(operator)
        case InNetwork():
            return _WITHIN_NETWORK
        case SameAs(how=how):
            return _SAME[how]
        case DatePart(part=part, operator=operator, zone=zone):
            one, several, not_one, none = _ordered(operator)
            asked = f"({part.value}, {zone})"
            return f"{asked} {one}", f"{asked} {several}", f"{asked} {not_one}", f"{asked} {none}"
        case IsNull():
            return _ABSENT
        case _ as never:
            assert_never(never)


def _ordered(operator: Operator) -> Verbs:
    """`is less than`, and its like."""
    order = _ORDER[operator]
    if not order:
        return _IS
    return f"is {order}", f"is {order} one of", f"is not {order}", f"is {order} none of"


def _of_pattern(pattern: Pattern) -> Verbs:  # noqa: PLR0911 - one return a shape
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
            return _LOOKS if PATH_WILDCARDS.isdisjoint(pattern) else _PATHS


def values_of(check: Check) -> tuple[str, ...]:  # noqa: PLR0911 - one return a check
    """What a check compares with: one text, or none where the verb says it all."""
    match check:
        case Matches(pattern=pattern):
            return _literals(pattern)
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


def _literals(pattern: Pattern) -> tuple[str, ...]:
    if _of_pattern(pattern) in {_LOOKS, _PATHS}:
        return (spelled_pattern(pattern),)
    return tuple(part for part in pattern if isinstance(part, str))


def is_cased(check: Check) -> bool:
    """Whether upper and lower case differ, of what else could ignore it."""
    return isinstance(check, Matches | SameAs) and check.cased
