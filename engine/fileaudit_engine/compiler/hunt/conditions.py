"""What a hunt asks of one document, in terms that both languages have.

Leaves ask about a column of the index. A document that lacks the column fulfils no leaf, so a negation is
true of it; both languages have to be told so, each in its own way.
"""

import enum
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.hunt.expression import Node
from fileaudit_engine.compiler.ir import Operator, Pattern, Relation


class Language(enum.Enum):
    """What a hunt is written in; the values are the command line's words."""

    ESQL = "esql"
    LUCENE = "lucene"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A field of the index.

    Attributes:
        name: Dotted.
        many: Whether documents can have several values of it; a leaf is true if it is of any of them.
    """

    name: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole text."""

    text: str


@dataclass(frozen=True, slots=True)
class Glob:
    """A text that the pattern describes; of wildcards only those that cross slashes."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Expression:
    """A text that the regular expression describes, all of it."""

    node: Node


Form = Whole | Glob | Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The column has one of the forms."""

    column: Column
    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A whole number from `lowest` to `highest`, both included; None: without a bound."""

    column: Column
    lowest: int | None
    highest: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelled:
    """A text of a column of digits that is between two others in the order of characters, as long as they."""

    column: Column
    lowest: str
    highest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The document has the column."""

    column: Column


@dataclass(frozen=True, slots=True, kw_only=True)
class IsTrue:
    """The column is the truth value true."""

    column: Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """One column relates to another one; ES|QL only."""

    column: Column
    other: Column
    how: Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A part of a date in UTC compares as asked; ES|QL only."""

    column: Column
    unit: str
    operator: Operator
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """A text that is an address of the network; ES|QL only."""

    column: Column
    network: ipaddress.IPv4Network | ipaddress.IPv6Network


Leaf = Texts | Interval | Spelled | Present | IsTrue | Related | Calendar | Inside


@dataclass(frozen=True, slots=True)
class Not:
    """The leaf does not hold, or the document lacks its column."""

    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Both:
    """All parts hold; without any, true."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Some part holds; without any, false."""

    parts: tuple["Condition", ...]


Condition = Leaf | Not | Both | Either

ALWAYS: Final = Both(())
NEVER: Final = Either(())


def both(parts: Iterable[Condition]) -> Condition:
    """The conjunction in its smallest form: flat, each part once, texts excluded from a column together."""
    found: dict[Condition, None] = {}
    for part in parts:
        if part == NEVER:
            return NEVER
        found.update(dict.fromkeys(part.parts if isinstance(part, Both) else (part,)))
    merged = _merged([part.leaf if isinstance(part, Not) else None for part in found], list(found))
    result = [Not(part) if isinstance(part, Texts) and joined else part for part, joined in merged]
    return result[0] if len(result) == 1 else Both(tuple(result))


def either(parts: Iterable[Condition]) -> Condition:
    """The disjunction in its smallest form: flat, each part once, texts of a column together."""
    found: dict[Condition, None] = {}
    for part in parts:
        if part == ALWAYS:
            return ALWAYS
        found.update(dict.fromkeys(part.parts if isinstance(part, Either) else (part,)))
    merged = _merged([None if isinstance(part, Both | Either | Not) else part for part in found], list(found))
    result = [part for part, _ in merged]
    return result[0] if len(result) == 1 else Either(tuple(result))


def _merged(leaves: list[Leaf | None], whole: list[Condition]) -> list[tuple[Condition, bool]]:
    """The parts, those whose leaves are texts of one column as one, marked, where the first of them stood."""
    forms: dict[Column, dict[Form, None]] = {}
    result: list[tuple[Condition, bool]] = []
    for leaf, part in zip(leaves, whole, strict=True):
        if not isinstance(leaf, Texts):
            result.append((part, False))
            continue
        if leaf.column not in forms:
            result.append((leaf, True))
        forms.setdefault(leaf.column, {}).update(dict.fromkeys(leaf.forms))
    return [
        (Texts(column=part.column, forms=tuple(forms[part.column])), True)
        if joined and isinstance(part, Texts)
        else (part, False)
        for part, joined in result
    ]


def negated(condition: Condition) -> Condition:
    """What is true exactly where the condition is not."""
    match condition:
        case Both(parts):
            return either(map(negated, parts))
        case Either(parts):
            return both(map(negated, parts))
        case Not(leaf):
            return leaf
        case (
            Texts() | Interval() | Spelled() | Present() | IsTrue() | Related() | Calendar() | Inside()
        ) as leaf:
            return Not(leaf)
        case _ as never:
            assert_never(never)


def columns_of(condition: Condition) -> Iterable[Column]:
    """The columns that a condition asks about, in its order."""
    match condition:
        case Both(parts) | Either(parts):
            for part in parts:
                yield from columns_of(part)
        case Not(leaf):
            yield from columns_of(leaf)
        case Related(column=column, other=other):
            yield column
            yield other
        case _:
            yield condition.column
