"""What tests of correlation begin with: correlations, plans and matches in one line each, and one way to ask.

Times are nanoseconds after `START`, which is a time of today: whoever counts in floats loses its last digits.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from hypothesis.vendor.pretty import RepresentationPrinter
from tests.unit.compiler.examples import event, path_test, user_rule
from tests.unit.detect.correlation_oracle import Act

from fileaudit_engine.compiler.correlations import correlation_plan
from fileaudit_engine.compiler.plan import CorrelationPlan, UserPlan
from fileaudit_engine.detect.crossing import Crossing, Match
from fileaudit_engine.diagnostics import Location
from fileaudit_engine.events.model import Process
from fileaudit_engine.rules.ast import (
    And,
    Comparator,
    Comparison,
    Condition,
    Correlation,
    CorrelationType,
    Identifier,
    Not,
    Or,
    RuleReference,
)

START = 1_800_000_000_000_000_007
RULES = ("a", "b", "c", "d")
PLACE = Location(file="it.yml", line=1, column=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Correlations as they are run."""

    user: UserPlan
    plan: CorrelationPlan

    def __repr__(self) -> str:
        return "\n".join(_in_words(one.rule) for one in self.plan.correlations)

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:  # noqa: FBT001 - its protocol
        printer.text(repr(self))


def _in_words(rule: Correlation) -> str:
    how = " ".join(f"{one.comparator.value} {one.number}" for one in rule.comparisons)
    return (
        f"{rule.key}: {rule.type.value} of {rule.sources} within {rule.timespan_ns} by {rule.group_by}:"
        f" {rule.value_fields} {rule.percentile} {how}{_said(rule.condition)}, aliases {rule.aliases}"
    )


def _said(condition: Condition | None) -> str:
    match condition:
        case Identifier(name=name):
            return name
        case Not(operand=operand):
            return f"not {_said(operand)}"
        case And(operands=operands):
            return f"({' and '.join(map(_said, operands))})"
        case Or(operands=operands):
            return f"({' or '.join(map(_said, operands))})"
    return ""


def pack(*correlations: Correlation) -> Pack:
    """Correlations over the rules a, b, c and d."""
    rules = tuple(user_rule(path_test(f"/{key}"), key=key) for key in RULES)
    return Pack(user=UserPlan(rules=rules), plan=correlation_plan(correlations, rules))


def correlation(
    kind: CorrelationType,
    *sources: str,
    key: str = "it",
    within: int = 10,
    by: Sequence[str] = (),
    of: Sequence[str] = (),
    condition: Condition | None = None,
    percentile: int | Fraction | None = None,
    aliases: Mapping[str, Mapping[str, str]] | None = None,
    generate: bool | None = None,
    suspected: bool = False,
    **comparisons: int | Fraction,
) -> Correlation:
    """A correlation within nanoseconds; comparisons by their names, such as `gte=3`. Else: all rules."""
    if condition is None and not comparisons:
        comparisons = {"gte": len(sources)}
    return Correlation(
        key=key,
        title=key,
        type=kind,
        rules=tuple(RuleReference(name=source, location=PLACE) for source in sources),
        sources=sources,
        aliases=aliases or {},
        group_by=tuple(by),
        timespan="1s",
        timespan_ns=within,
        comparisons=tuple(
            Comparison(comparator=Comparator(name), number=number) for name, number in comparisons.items()
        ),
        condition=condition,
        value_fields=tuple(of),
        percentile=percentile,
        generate=generate,
        suspected=suspected,
        custom={},
        location=PLACE,
    )


def named(name: str) -> Identifier:
    return Identifier(name=name, location=PLACE)


def both(*parts: Condition | str) -> And:
    return And(operands=tuple(named(part) if isinstance(part, str) else part for part in parts))


def either(*parts: Condition | str) -> Or:
    return Or(operands=tuple(named(part) if isinstance(part, str) else part for part in parts))


def without(part: Condition | str) -> Not:
    return Not(operand=named(part) if isinstance(part, str) else part)


_serial = itertools.count()


def match(ts: int, rules: str = "a", **fields: object) -> Match:
    """A call that matches rules (a letter each) at a time after `START`; but for User, fields are extra."""
    user = fields.pop("User", None)
    return Match(
        ts_ns=START + ts,
        rules=tuple(sorted(map(RULES.index, rules))),
        event=event(
            f"/tmp/{next(_serial)}",  # every call is another event
            ts_ns=START + ts,
            process=Process(pid=7),
            user_name=user,
            extra=fields or None,
        ),
    )


def at(*times: int, rules: str = "a", **fields: object) -> list[Act]:
    """Matches that differ in nothing but their times."""
    return [match(ts, rules, **fields) for ts in times]


def shown(crossing: Crossing) -> tuple[object, ...]:
    """All of a crossing that does not depend on how it was come by, as what can be compared and sorted.

    Events of one nanosecond may be listed in any order where several inner correlations bring them, and the
    id of an alert is made with the last one.
    """
    in_order = len({part.ts_ns for part in crossing.events}) == len(crossing.events)
    return (
        crossing.ts_ns - START,
        crossing.correlation.rule.key,
        [(name, type(value).__name__, str(value)) for name, value in crossing.group.items()],
        str(crossing.value),
        crossing.total,
        sorted((part.ts_ns - START, part.id) for part in crossing.events),
        crossing.first_ns - START,
        crossing.last_ns - START,
        sorted(crossing.chained) if in_order else len(crossing.chained),
        sorted((loss.first_ns - START, loss.last_ns - START) for loss in crossing.losses),
        crossing.suspected,
    )


def all_shown(crossings: Iterable[Crossing]) -> list[tuple[object, ...]]:
    """Crossings of one instant in an order that does not depend on how they were come by."""
    return sorted(map(shown, crossings), key=lambda one: (*one[:2], str(one)))
