r"""A hunt in Lucene's query language: `query_string`, and what Kibana calls Lucene.

A whole text is written in quotes, where only quotes and backslashes are special and any character can be
spelled by its number. With wildcards it cannot stand in quotes, so there every special character is escaped,
space and slash among them. A negation finds nothing by itself: `*:*` stands before it.
"""

from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.hunt.conditions import (
    Both,
    Calendar,
    Condition,
    Either,
    Expression,
    Form,
    Glob,
    Inside,
    Interval,
    IsTrue,
    Leaf,
    Not,
    Present,
    Related,
    Spelled,
    Texts,
    Whole,
)
from fileaudit_engine.compiler.hunt.expression import written
from fileaudit_engine.compiler.ir import Wildcard
from fileaudit_engine.text import printable

_SPECIAL: Final = frozenset('+-&|!(){}[]^"~*?:\\/<>= \u3000')
_EVERYTHING: Final = "*:*"


def in_lucene(condition: Condition) -> str:
    """The query."""
    match condition:
        case Both(()):
            return _EVERYTHING
        case Both(parts):
            negative = all(isinstance(part, Not) for part in parts)
            written_parts = [_part(part, alone=False) for part in parts]
            return " AND ".join([_EVERYTHING, *written_parts] if negative else written_parts)
        case Either(()):
            return f"{_EVERYTHING} AND NOT {_EVERYTHING}"
        case Either(parts):
            return " OR ".join(_part(part, alone=True) for part in parts)
        case Not(leaf):
            return f"{_EVERYTHING} AND NOT {_leaf(leaf)}"
        case leaf:
            return _leaf(leaf)


def _part(condition: Condition, *, alone: bool) -> str:
    """A part of a whole; a negation may stand beside what is not one, but not alone."""
    if isinstance(condition, Not) and not alone:
        return f"NOT {_leaf(condition.leaf)}"
    if isinstance(condition, Both | Either | Not):
        return f"({in_lucene(condition)})"
    return _leaf(condition)


def _leaf(leaf: Leaf) -> str:  # noqa: PLR0911 - one return a case
    match leaf:
        case Texts(column=column, forms=(only,)):
            return f"{column.name}:{_form(only)}"
        case Texts(column=column, forms=forms):
            return f"{column.name}:({' OR '.join(map(_form, forms))})"
        case Interval(column=column, lowest=lowest, highest=highest):
            if lowest == highest:
                return f'{column.name}:"{lowest}"'
            return f"{column.name}:[{_bound(lowest)} TO {_bound(highest)}]"
        case Spelled(column=column, lowest=low, highest=high):
            return f"{column.name}:[{low} TO {high}]"
        case Present(column=column):
            return f"_exists_:{column.name}"
        case IsTrue(column=column):
            return f"{column.name}:true"
        case Related() | Calendar() | Inside():
            raise AssertionError("Lucene has no such condition")
        case _ as never:
            assert_never(never)


def _bound(number: int | None) -> str:
    return "*" if number is None else str(number)


def _form(form: Form) -> str:
    match form:
        case Whole(text):
            return f'"{"".join(map(_quoted, text))}"'
        case Glob(pattern):
            return "".join(part.value if isinstance(part, Wildcard) else _escaped(part) for part in pattern)
        case Expression(node):
            return f"/{written(node)}/"
        case _ as never:
            assert_never(never)


def _quoted(character: str) -> str:
    if character in {'"', "\\"}:
        return f"\\{character}"
    if printable(character) == character:
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def _escaped(text: str) -> str:
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in text)
