"""The intermediate representation: what a rule asks of one event.

A `Predicate` is a tree of `All`, `AnyOf` and `Negation` over `Test` leaves. A leaf names a field of the
table and one check on its value; lists of values, modifiers and quantifiers are spelled out by `lower`, so
that everything behind it (simplifier, kernel constraints, evaluation, explanation) knows only these types.

Text is compared case-insensitively unless `cased`, by Unicode simple case folding (`text.fold`). Literals
of insensitive checks are already folded here.
"""

from dataclasses import dataclass
from dataclasses import field as dataclass_field

from fileaudit_engine.diagnostics import Location
from fileaudit_engine.events.fields import Field
from fileaudit_engine.rules.values import Pattern, Wildcard

__all__ = [
    "FALSE",
    "TRUE",
    "All",
    "AnyOf",
    "Check",
    "EqualsBoolean",
    "EqualsNumber",
    "IsNull",
    "Matches",
    "Negation",
    "Pattern",
    "Predicate",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualsBoolean:
    """Equal to a truth value, or to the text `true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IsNull:
    """The field is absent."""


Check = Matches | Searches | EqualsNumber | EqualsBoolean | IsNull


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
