"""Whether Elasticsearch would look for a condition, or rather find nothing because that costs too much."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from fileaudit_engine.compiler.hunt.conditions import (
    Both,
    Condition,
    Either,
    Expression,
    Form,
    Glob,
    Not,
    Texts,
    Whole,
)
from fileaudit_engine.compiler.hunt.effort import is_too_costly
from fileaudit_engine.compiler.hunt.esql import between_separators
from fileaudit_engine.compiler.hunt.expression import ANY, ANYTHING, Node, Sequence, literal
from fileaudit_engine.compiler.ir import Pattern, Wildcard

GAP: Final = "Elasticsearch gives up on an expression that costs it as much as this one"

_CHEAP: Final = 200
"""Characters between two stars, of which all overlaps together cost less than the limit."""
_WILDCARDS: Final[Mapping[Wildcard, Node]] = {Wildcard.ANY: ANYTHING, Wildcard.ONE: ANY}


def is_refused(condition: Condition) -> bool:
    """Whether some text of a condition costs too much."""
    return any(_is_costly(form, texts.column.many) for texts in _texts(condition) for form in texts.forms)


def _texts(condition: Condition) -> Iterator[Texts]:
    match condition:
        case Both(parts) | Either(parts):
            for part in parts:
                yield from _texts(part)
        case Not(Texts() as leaf) | (Texts() as leaf):
            yield leaf
        case _:
            return


@lru_cache(maxsize=4_096)
def _is_costly(form: Form, many: bool) -> bool:  # noqa: FBT001 - of a column
    match form:
        case Whole():
            return False
        case Glob(pattern) if _is_cheap(pattern):
            return False
        case Glob(pattern):
            node: Node = Sequence(
                tuple(literal(part) if isinstance(part, str) else _WILDCARDS[part] for part in pattern)
            )
        case Expression(node):
            pass
    return is_too_costly(between_separators(node) if many else node)


def _is_cheap(pattern: Pattern) -> bool:
    """Whether it is one literal that is not long."""
    literals = [part for part in pattern if isinstance(part, str)]
    return Wildcard.ONE not in pattern and len(literals) <= 1 and sum(map(len, literals)) <= _CHEAP
