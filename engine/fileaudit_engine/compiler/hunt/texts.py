"""Tests of texts: patterns and regular expressions, about a column that has them as documents spell them."""

from collections.abc import Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.compiler.hunt.conditions import (
    NEVER,
    Column,
    Condition,
    Expression,
    Form,
    Glob,
    Present,
    Texts,
    Whole,
)
from fileaudit_engine.compiler.hunt.expression import (
    ANY,
    ANYTHING,
    NO_SLASH,
    Node,
    Repeat,
    Sequence,
    Unwritable,
    is_exact,
    literal,
    written,
)
from fileaudit_engine.compiler.hunt.oddities import (
    Oddity,
    any_folded,
    as_indexed,
    controls,
    dotted,
    escaped,
    folded,
    too_long,
)
from fileaudit_engine.compiler.hunt.re2 import is_folded, lucene_of
from fileaudit_engine.compiler.hunt.said import Said, exactly, no_more_than, nothing
from fileaudit_engine.compiler.ir import Matches, Pattern, Searches, Wildcard
from fileaudit_engine.rules.values import PATH_WILDCARDS, joined
from fileaudit_engine.text import printable, to_document

LONGEST_EXPRESSION: Final = 1_000
"""Characters of a regular expression that Elasticsearch takes (`index.max_regex_length`)."""

_TAIL_OF_ESCAPE: Final = frozenset("0123456789abcdefABCDEFxX\\")
"""What a text may begin with that stands within an escape of a document."""

_NODES: Final[Mapping[Wildcard, Node]] = {
    Wildcard.ANY: ANYTHING,
    Wildcard.ONE: ANY,
    Wildcard.SEGMENT: Repeat(NO_SLASH, 0, None),
    Wildcard.SEGMENT_ONE: NO_SLASH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextColumns:
    """Where a text is indexed.

    Attributes:
        exact: As it is.
        caseless: In lower case; the same column where case cannot differ.
        filled: Whether an empty text counts as none.
    """

    exact: Column
    caseless: Column
    filled: bool = False


def matches(columns: TextColumns, check: Matches) -> Said:
    """A pattern that the whole text has."""
    column = columns.exact if check.cased else columns.caseless
    pattern = _not_empty(check.pattern) if columns.filled else check.pattern
    if pattern is None:
        return exactly(NEVER)
    if pattern == (Wildcard.ANY,):
        return exactly(Present(column=column), missed=(too_long(column),))
    missed, taken = _oddities(columns, pattern, cased=check.cased)
    indexed = tuple(_in_document(part, cased=check.cased) for part in pattern)
    if len(indexed) < 2 and not any(isinstance(part, Wildcard) for part in indexed):
        return exactly(_texts(column, Whole("".join(map(str, indexed)))), missed=missed, taken=taken)
    seen = joined(shown for part in indexed for shown in _visible(part))
    form: Form = Glob(seen)
    if PATH_WILDCARDS.intersection(seen):
        form = Expression(_node(seen))
        if len(written(form.node)) > LONGEST_EXPRESSION:
            return nothing(f"the pattern is longer than {LONGEST_EXPRESSION:,} characters")
    if seen != indexed:
        return no_more_than(_texts(column, form), "invisible characters count as any", missed=missed)
    return exactly(_texts(column, form), missed=missed, taken=taken)


def searches(columns: TextColumns, check: Searches) -> Said:
    """A regular expression that is found in the text."""
    caseless = is_folded(check.expression, check.flags)
    column = columns.caseless if caseless else columns.exact
    try:
        node = lucene_of(check.expression, check.flags, folded=caseless)
        text = written(node)
    except Unwritable as refusal:
        return nothing(f"Lucene's regular expressions have not: {refusal}")
    if len(text) > LONGEST_EXPRESSION:
        return nothing(f"Elasticsearch takes no expression of more than {LONGEST_EXPRESSION:,} characters")
    odd: tuple[Oddity, ...] = (escaped(column),)
    taken = odd if is_exact(node) else (*odd, controls(column))
    if caseless:
        odd = (*odd, any_folded(column))
        taken = (*taken, any_folded(column), dotted(columns.exact))
    if columns.filled:
        return no_more_than(_texts(column, Expression(node)), "empty texts count", missed=odd)
    return exactly(_texts(column, Expression(node)), missed=(*odd, too_long(column)), taken=taken)


def _texts(column: Column, form: Form) -> Condition:
    return Texts(column=column, forms=(form,))


def _not_empty(pattern: Pattern) -> Pattern | None:
    """The pattern for texts of which empty ones do not count; None if it is that of the empty text."""
    if pattern == ():
        return None
    if set(pattern) == {Wildcard.ANY}:
        return Wildcard.ONE, Wildcard.ANY
    if set(pattern) == {Wildcard.SEGMENT}:
        return Wildcard.SEGMENT_ONE, Wildcard.SEGMENT
    return pattern


def _in_document(part: str | Wildcard, *, cased: bool) -> str | Wildcard:
    if isinstance(part, Wildcard):
        return part
    text = to_document(part)
    return text if cased else as_indexed(text)


def _visible(part: str | Wildcard) -> Many[str | Wildcard]:
    """The part, each character that nobody can see as any one."""
    if isinstance(part, Wildcard):
        return (part,)
    return [c if c == "\\" or printable(c) == c else Wildcard.ONE for c in part]


def _node(pattern: Pattern) -> Node:
    return Sequence(tuple(literal(part) if isinstance(part, str) else _NODES[part] for part in pattern))


def _oddities(
    columns: TextColumns, pattern: Pattern, *, cased: bool
) -> tuple[tuple[Oddity, ...], tuple[Oddity, ...]]:
    """What a pattern of texts as they are may miss of those in the index, and what it may take besides."""
    column = columns.exact if cased else columns.caseless
    literals = [part for part in pattern if isinstance(part, str)]
    missed: tuple[Oddity, ...] = (too_long(column),)
    taken: tuple[Oddity, ...] = ()
    if _counts_characters(pattern) or ((len(pattern) > 1 or not cased) and _spells_escapes(literals)):
        missed, taken = (*missed, escaped(column)), (escaped(column),)
    elif _begins_within(pattern):
        taken = (escaped(column),)
    if not cased:
        missed = (*missed, *folded(column, literals))
        taken = (
            *taken,
            *((dotted(columns.exact),) if any({"i", "\u0130"} & set(t) for t in literals) else ()),
        )
    return missed, taken


def _counts_characters(pattern: Pattern) -> bool:
    return Wildcard.ONE in pattern or Wildcard.SEGMENT_ONE in pattern


def _spells_escapes(literals: list[str]) -> bool:
    """Whether a literal has what documents escape, or what stands in an escape."""
    return any("\\" in text or to_document(text) != text for text in literals)


def _begins_within(pattern: Pattern) -> bool:
    """Whether a literal behind a wildcard may begin within an escape."""
    return any(
        isinstance(part, str) and number > 0 and part[0] in _TAIL_OF_ESCAPE
        for number, part in enumerate(pattern)
    )
