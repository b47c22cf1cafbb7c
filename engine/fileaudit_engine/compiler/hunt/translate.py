"""From a whole predicate to a whole hunt.

Negations stand at the leaves only (`simplify`), so each test is asked for one bound: what it is at most where
it stands as it is, what it is at least where it is negated. What is left out, and what odd texts are found in
addition, is remembered for whoever reads the hunt.
"""

from dataclasses import dataclass, field, replace
from itertools import chain

from typing_extensions import assert_never

from fileaudit_engine.compiler.hunt.columns import EVENT_ID, OPERATION
from fileaudit_engine.compiler.hunt.conditions import (
    ALWAYS,
    Both,
    Condition,
    Either,
    Form,
    Glob,
    Language,
    Present,
    Texts,
    Whole,
    both,
    columns_of,
    either,
    negated,
)
from fileaudit_engine.compiler.hunt.costs import GAP, is_refused
from fileaudit_engine.compiler.hunt.esql import can_quote
from fileaudit_engine.compiler.hunt.fields import said
from fileaudit_engine.compiler.hunt.oddities import Oddity, joined_by
from fileaudit_engine.compiler.hunt.said import Said, no_more_than, nothing
from fileaudit_engine.compiler.ir import All, AnyOf, Negation, Predicate, Test, Wildcard
from fileaudit_engine.rules.values import joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A test that a hunt does not say, or not quite.

    Attributes:
        test: Which.
        negative: Whether the rule asks that it does not hold.
        words: What is missing.
    """

    test: Test
    negative: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunted:
    """What finds all documents that a predicate is true of.

    Attributes:
        condition: What it asks of a document.
        gaps: Where it finds more.
        odd: What it finds whatever the rule says of it.
        empty: Whether nothing is left of the predicate but the operations that it speaks of.
    """

    condition: Condition
    gaps: tuple[Gap, ...]
    odd: tuple[Oddity, ...]
    empty: bool


def hunted(predicate: Predicate, language: Language) -> Hunted:
    """The hunt for a predicate in the form that `simplify` gives it."""
    parts = predicate.operands if isinstance(predicate, All) else (predicate,)
    said_parts = [_translated(part, language) for part in parts]
    sure = [part.condition for part in said_parts if not part.odd]
    unsure = [part.condition for part in said_parts if part.odd]
    odd = tuple(dict.fromkeys(chain.from_iterable(part.odd for part in said_parts)))
    gaps = tuple(chain.from_iterable(part.gaps for part in said_parts))
    rest = either((both(unsure), *(oddity.documents for oddity in odd)))
    condition = both((*sure, rest))
    asked = {column for column in columns_of(condition) if column != OPERATION}
    if not any(isinstance(part, Texts) and part.column == OPERATION for part in sure):
        condition = both((Present(column=EVENT_ID), condition))
    return Hunted(condition=condition, gaps=gaps, odd=odd, empty=bool(gaps) and not asked)


@dataclass(slots=True)
class _Part:
    condition: Condition
    gaps: list[Gap] = field(default_factory=list)
    odd: list[Oddity] = field(default_factory=list)


def _translated(predicate: Predicate, language: Language) -> _Part:
    match predicate:
        case Test():
            return _of_test(predicate, _said(predicate, language), negative=False)
        case Negation(operand=Test() as test):
            return _of_test(test, _said(test, language), negative=True)
        case Negation():
            raise AssertionError("simplify leaves negations at the leaves only")
        case All(operands=operands):
            return _together([_translated(one, language) for one in operands], every=True)
        case AnyOf(operands=operands):
            return _together([_translated(one, language) for one in operands], every=False)
        case _ as never:
            assert_never(never)


def _said(test: Test, language: Language) -> Said:
    found = said(test, language)
    if is_refused(found.at_most) or is_refused(found.at_least):
        return nothing(GAP)
    if language is not Language.ESQL:
        return found
    shown = _quotable(found.at_most)
    if shown != found.at_most:
        found = no_more_than(shown, "invisible characters count as any", missed=found.missed)
    odd = tuple(joined_by(column) for column in dict.fromkeys(columns_of(found.at_most)) if column.many)
    return replace(found, missed=(*found.missed, *odd), taken=(*found.taken, *odd))


def _quotable(condition: Condition) -> Condition:
    """The condition, whole texts that ES|QL cannot quote with any character in place of those."""
    match condition:
        case Both(parts):
            return both(map(_quotable, parts))
        case Either(parts):
            return either(map(_quotable, parts))
        case Texts(column=column, forms=forms):
            return Texts(column=column, forms=tuple(map(_form, forms)))
        case _:
            return condition


def _form(form: Form) -> Form:
    if not isinstance(form, Whole) or can_quote(form.text):
        return form
    return Glob(joined(part if can_quote(part) else Wildcard.ONE for part in form.text))


def _of_test(test: Test, found: Said, *, negative: bool) -> _Part:
    gaps = [Gap(test=test, negative=negative, words=found.gap)] if found.gap else []
    condition = negated(found.at_least) if negative else found.at_most
    odd = () if condition == ALWAYS else found.taken if negative else found.missed
    return _Part(condition, gaps, list(odd))


def _together(parts: list[_Part], *, every: bool) -> _Part:
    conditions = [part.condition for part in parts]
    return _Part(
        both(conditions) if every else either(conditions),
        [gap for part in parts for gap in part.gaps],
        [oddity for part in parts for oddity in part.odd],
    )
