"""The intermediate representation: what a rule asks of one event.

A `Predicate` is a tree of `All`, `AnyOf` and `Negation` over `Test` leaves. A leaf names a field of the
table and one check on its value; lists of values, modifiers and quantifiers are spelled out by `lower`, so
that everything behind it (simplifier, kernel constraints, evaluation, explanation) knows only these types.
A keyword is a test of `WHOLE_EVENT`, the field whose value is every text of the event.

Text is compared case-insensitively unless `cased`, by Unicode simple case folding (`text.fold`). Literals
of insensitive checks are already folded here.
"""

import enum
import ipaddress
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Literal

from fileaudit_engine.diagnostics import Location
from fileaudit_engine.events.fields import Field
from fileaudit_engine.rules.calendar import Part
from fileaudit_engine.rules.values import Pattern, Wildcard

__all__ = [
    "FALSE",
    "TRUE",
    "All",
    "AnyOf",
    "Check",
    "Compares",
    "DatePart",
    "EqualsBoolean",
    "EqualsNumber",
    "InNetwork",
    "IsNull",
    "Matches",
    "Negation",
    "Operator",
    "Part",
    "Pattern",
    "Predicate",
    "Relation",
    "SameAs",
    "Searches",
    "Test",
    "Wildcard",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """The whole text is described by the pattern: equality, prefix, suffix, infix or any other glob."""

    pattern: Pattern
    cased: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Searches:
    """The RE2 expression is found somewhere in the text. `flags` is a subset of "ims"."""

    expression: str
    flags: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualsNumber:
    """Numerically equal, to a number or to a text that is one."""

    number: int | float


class Operator(enum.Enum):
    """How two numbers are compared, by the modifier's name."""

    EQ = "eq"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compares:
    """A number, or a text that is one, is less (or more, …) than `number`."""

    operator: Operator
    number: int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class InNetwork:
    """A text that is an IP address of the network; an IPv4-mapped address is also its IPv4 address."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network


Relation = Literal["whole", "startswith", "endswith", "contains"]
"""How the value of one field is held against that of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SameAs:
    """The field's value is (begins with, ends with, contains) that of another field; both are there.

    Numbers are equal as numbers, also to texts that are one. Of lists, some pair of members will do.
    """

    other: Field
    how: Relation
    cased: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DatePart:
    """A part of the moment that a text of RFC 3339 names, counted in a time zone, compares with `number`.

    Attributes:
        part: Which part; weeks are those of ISO 8601.
        operator: How it is compared.
        number: With what.
        zone: IANA name of the time zone.
    """

    part: Part
    operator: Operator
    number: int
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualsBoolean:
    """Equal to a truth value, or to the text `true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IsNull:
    """The field is absent."""


Check = Matches | Searches | EqualsNumber | Compares | InNetwork | SameAs | DatePart | EqualsBoolean | IsNull


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A check on one field; true if any member of a list-valued field passes.

    Attributes:
        location: The value in the rule; it does not take part in comparison of two tests.
    """

    __test__ = False  # pytest: not a test class

    field: Field
    check: Check
    location: Location | None = dataclass_field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Negation:
    """The operand does not hold; true for an event that lacks the operand's fields."""

    operand: "Predicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """Every operand holds; with none, true."""

    operands: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """Some operand holds; with none, false."""

    operands: tuple["Predicate", ...]


Predicate = Test | Negation | All | AnyOf

TRUE = All(operands=())
FALSE = AnyOf(operands=())
