"""The hunt for a correlation, in ES|QL.

The engine's windows slide: any two moments at most `timespan` apart can be in one. ES|QL's windows are fixed.
So each event is counted in two windows, twice as long as `timespan`, that begin one `timespan` after another:
whatever the engine sees together lies in one of them as a whole. A hunt finds all that, and besides what
happened together within up to twice the time. For the same reason "fewer than" and "not" are left out: in a
longer window more happens.

    timespan   |-----|
    windows    [----------)[----------)
                     [----------)[----------)

Every event counts once, however many rules have recorded it, and different values are counted, not guessed; a
value that is not indexed, since it is too long, counts as one that is different from all others.
Columns are not called `first` and `last`: those are words of the language.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from fileaudit_engine.compiler.hunt.columns import EVENT_ID, column_of
from fileaudit_engine.compiler.hunt.conditions import Column, Language
from fileaudit_engine.compiler.hunt.esql import in_esql
from fileaudit_engine.compiler.hunt.findings import WIDER, notes, odd_words, refusal, refusals
from fileaudit_engine.compiler.hunt.hunts import INDEX, Hunt, Refusal
from fileaudit_engine.compiler.hunt.oddities import too_long
from fileaudit_engine.compiler.hunt.translate import Hunted, hunted
from fileaudit_engine.compiler.plan import UserCorrelation, UserPlan
from fileaudit_engine.diagnostics import Diagnostic, Severity
from fileaudit_engine.events.fields import Field
from fileaudit_engine.rules.ast import (
    And,
    Comparator,
    Condition,
    Correlation,
    CorrelationType,
    Identifier,
    Not,
    Or,
    Quantified,
)

_MILLISECOND_NS: Final = 1_000_000
_SECOND_MS: Final = 1_000
_COUNTING: Final = frozenset({CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT})
_IN_TIME: Final = frozenset({CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED})
_AT_LEAST: Final = {Comparator.GT: ">", Comparator.GTE: ">=", Comparator.EQ: ">="}
"""What remains of a comparison where more may have happened."""
_TWICE_AS_LONG: Final = "ES|QL's windows are fixed: the hunt counts what happened within up to twice the time"
_MORE_HAPPENS: Final = "in a longer window more happens: what must not, or not so often, is left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What a correlation is made of, in columns.

    Attributes:
        sources: The hunt for each rule behind it, in the order of its steps.
        group: The columns that its events agree in.
        values: The columns that it counts different values of.
    """

    sources: tuple[Hunted, ...]
    group: tuple[Column, ...]
    values: tuple[Column, ...]


def hunt_for_correlation(
    plan: UserCorrelation, rules: UserPlan, language: Language, index: str = INDEX
) -> Hunt | Refusal:
    """The hunt for a correlation.

    Args:
        plan: As the compiler leaves it.
        rules: The rules that its steps' numbers are of.
        language: What the query is written in; only ES|QL can say it.
        index: Where it looks.
    """
    rule = plan.rule
    parts = _parts(plan, rules, language)
    if not isinstance(parts, _Parts):
        return Refusal(document=rule, reasons=tuple(parts))
    wanted = _wanted(rule, parts)
    if not wanted:
        reason = refusal(
            "this asks only for what must not happen, or not so often",
            rule.location,
            "hunt for its rules alone",
        )
        return Refusal(document=rule, reasons=(reason,))
    found = tuple(_notes(rule, wanted))
    gaps = (gap for source in parts.sources for gap in source.gaps)
    return Hunt(
        document=rule,
        query="\n".join(_query(rule, parts, wanted.text, index)),
        notes=(*found, *notes(gaps, rule.location)),
        odd=odd_words((*(o for source in parts.sources for o in source.odd), *map(too_long, parts.values))),
    )


def _parts(plan: UserCorrelation, rules: UserPlan, language: Language) -> "_Parts | list[Diagnostic]":
    """Its parts, or everything that stands against it."""
    reasons = list(_reasons(plan, language))
    if reasons:
        return reasons
    sources = [hunted(rules.rules[step.number].predicate, language) for step in plan.steps]
    for step, source in zip(plan.steps, sources, strict=True):
        if source.empty:
            reasons += refusals(source.gaps, rules.rules[step.number].rule.location, language)
    group = _columns([step.group for step in plan.steps], plan.rule.group_by, plan.rule, reasons)
    values = _columns([step.values for step in plan.steps], plan.rule.value_fields, plan.rule, reasons)
    return reasons or _Parts(sources=tuple(sources), group=group, values=values)


def _reasons(plan: UserCorrelation, language: Language) -> Iterator[Diagnostic]:
    place = plan.rule.location
    if language is not Language.ESQL:
        yield refusal("Lucene counts nothing: it finds single documents", place, "use '--to esql'")
        return
    if plan.rule.type not in _COUNTING | _IN_TIME:
        yield refusal(
            f"a '{plan.rule.type.value}' over fixed windows says nothing of one over sliding windows",
            place,
            "hunt for its rules alone",
        )
    for step in plan.steps:
        if step.chained:
            yield refusal(
                f"it listens to '{step.key}', which is a correlation itself: a query counts documents, and "
                "there is none where that one has not told of anything",
                place,
                f"hunt for '{step.key}', or for the rules behind it",
            )


def _columns(
    fields: Sequence[Sequence[Field]], names: Sequence[str], rule: Correlation, reasons: list[Diagnostic]
) -> tuple[Column, ...]:
    """The column of each name; what has none is a reason."""
    found = []
    for number, name in enumerate(names):
        columns = {column_of(of_step[number]) for of_step in fields}
        column = columns.pop() if len(columns) == 1 else None
        if column is None:
            remedy = "hunt for its rules alone"
            reasons.append(refusal(f"'{name}' is no one column of documents", rule.location, remedy))
        else:
            found.append(column)
    return tuple(found)


# --- what must have happened -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What must hold of a window; empty where that is nothing. `partly`: something was left out."""

    text: str
    partly: bool = False

    def __bool__(self) -> bool:
        return bool(self.text)


def _wanted(rule: Correlation, parts: _Parts) -> _Wanted:
    if rule.type in _COUNTING:
        return _compared(rule, "different" if rule.type is CorrelationType.VALUE_COUNT else "events")
    happened = _happened(rule, len(parts.sources))
    if rule.type is CorrelationType.TEMPORAL or rule.condition or rule.comparisons or not happened:
        return happened
    orders = [f"first_{n} <= last_{n + 1}" for n in range(1, len(parts.sources))]
    return _Wanted(" AND ".join((happened.text, *orders)), happened.partly)


def _compared(rule: Correlation, number: str) -> _Wanted:
    kept = [one for one in rule.comparisons if one.comparator in _AT_LEAST]
    text = " AND ".join(f"{number} {_AT_LEAST[one.comparator]} {_decimal(one.number)}" for one in kept)
    exact = all(one.comparator in {Comparator.GT, Comparator.GTE} for one in rule.comparisons)
    return _Wanted(text, not exact)


def _decimal(number: int | Fraction) -> str:
    """A number of a condition; one that is no whole one is rounded down to what a float can hold."""
    return str(number) if isinstance(number, int) else repr(math.nextafter(float(number), -math.inf))


def _happened(rule: Correlation, count: int) -> _Wanted:
    """Which rules must have matched in a window."""
    if rule.condition is not None:
        text = _of_condition(rule.condition, rule.sources)
        return _Wanted(text or "", text is None or "not" in _kinds(rule.condition))
    numbers = [f"rule_{number}" for number in range(1, count + 1)]
    if rule.comparisons:
        return _compared(rule, f"{' + '.join(numbers)}")
    return _Wanted(" AND ".join(f"{number} > 0" for number in numbers))


def _kinds(condition: Condition) -> set[str]:
    match condition:
        case Not(operand=operand):
            return {"not", *_kinds(operand)}
        case And(operands=operands) | Or(operands=operands):
            return {kind for operand in operands for kind in _kinds(operand)}
        case _:
            return set()


def _of_condition(condition: Condition, sources: Sequence[str]) -> str | None:
    """What a condition over rules is at most; None: anything."""
    match condition:
        case Identifier(name=name):
            return f"rule_{sources.index(name) + 1} > 0"
        case Quantified(every=every, names=names):
            return _together([f"rule_{sources.index(name) + 1} > 0" for name in names], every=every)
        case Not():
            return None
        case And(operands=operands):
            return _together([_of_condition(one, sources) for one in operands], every=True)
        case Or(operands=operands):
            return _together([_of_condition(one, sources) for one in operands], every=False)


def _together(parts: Iterable[str | None], *, every: bool) -> str | None:
    found = list(parts)
    if not every and None in found:
        return None
    known = [part for part in found if part is not None]
    if len(known) <= 1:
        return known[0] if known else None
    return f"({(' AND ' if every else ' OR ').join(known)})"


def _notes(rule: Correlation, wanted: _Wanted) -> Iterator[Diagnostic]:
    words = [_TWICE_AS_LONG, *([_MORE_HAPPENS] if wanted.partly else [])]
    for word in words:
        yield Diagnostic(
            code=WIDER,
            severity=Severity.NOTE,
            message=word,
            location=rule.location,
            help="look at 'begins' and 'ends' of what is found",
        )


# --- the query ---------------------------------------------------------------------------------------------


def _query(rule: Correlation, parts: _Parts, wanted: str, index: str) -> Iterator[str]:
    names = [f"is_{number}" for number in range(1, len(parts.sources) + 1)]
    yield f"FROM {index} METADATA _ignored"
    for name, source in zip(names, parts.sources, strict=True):
        yield f"| EVAL {name} = COALESCE({in_esql(source.condition)}, false)"
    yield f"| WHERE {' OR '.join(names)}"
    values = _value_names(parts)
    for name, column in zip(values, parts.values, strict=True):
        ignored = in_esql(too_long(column).documents)
        yield f"| EVAL {name} = COALESCE(TO_STRING({column.name}), CASE({ignored}, {EVENT_ID.name}, NULL))"
    if values:
        yield f"| WHERE {' AND '.join(f'{name} IS NOT NULL' for name in values)}"
    span = _span(rule.timespan_ns)
    begin = f"DATE_TRUNC({span}, @timestamp)"
    yield f"| EVAL window = MV_APPEND({begin}, {begin} - {span}) | MV_EXPAND window"
    yield from _counted(rule, parts, names)
    yield f"| WHERE {wanted}"
    yield "| SORT window DESC"


def _counted(rule: Correlation, parts: _Parts, names: Sequence[str]) -> Iterator[str]:
    group = [column.name for column in parts.group]
    by_window = f"BY {', '.join(('window', *group))}"
    times = "begins = MIN(begins), ends = MAX(ends)"
    if rule.type in _COUNTING:
        each = dict.fromkeys(("window", *group, *(_value_names(parts) or (EVENT_ID.name,))))
        yield f"| STATS begins = MIN(@timestamp), ends = MAX(@timestamp) BY {', '.join(each)}"
        yield f"| STATS {'different' if parts.values else 'events'} = COUNT(*), {times} {by_window}"
        return
    found = [f"rule_{n} = MAX(CASE({name}, 1, 0))" for n, name in enumerate(names, 1)]
    if rule.type is CorrelationType.TEMPORAL_ORDERED:
        found += [f"first_{n} = MIN(CASE({name}, @timestamp, NULL))" for n, name in enumerate(names, 1)]
        found += [f"last_{n} = MAX(CASE({name}, @timestamp, NULL))" for n, name in enumerate(names, 1)]
    yield f"| STATS {', '.join(found)}, begins = MIN(@timestamp), ends = MAX(@timestamp) {by_window}"


def _value_names(parts: _Parts) -> tuple[str, ...]:
    return tuple(f"value_{number}" for number, _ in enumerate(parts.values, 1))


def _span(timespan_ns: int) -> str:
    milliseconds = max(1, -(-timespan_ns // _MILLISECOND_NS))
    if milliseconds % _SECOND_MS:
        return f"{milliseconds} milliseconds"
    seconds = milliseconds // _SECOND_MS
    return f"{seconds} second" if seconds == 1 else f"{seconds} seconds"
