"""Why a rule did not fire: for the events that come closest, which of its detections hold and which not."""

from collections.abc import Iterator, Sequence
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.ir import All, AnyOf, Negation, Predicate, Test
from fileaudit_engine.detect.detector import RunnableRule
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.fields import Field
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.ruletest.cases import CaseEvent
from fileaudit_engine.ruletest.wording import at, happened, value

_EVENTS_SHOWN: Final = 3
_FIELDS_SHOWN: Final = 3


def why_silent(rule: RunnableRule, events: Sequence[CaseEvent], at_ns: int | None) -> tuple[str, ...]:
    """One line for each event that comes close; or one that says why none does.

    Args:
        rule: The rule that was expected to fire.
        events: The case's events.
        at_ns: When it was expected to, nanoseconds since the case's start, if the case says.
    """
    then = [event for event in events if at_ns in {None, event.at_ns}]
    if not then and at_ns is not None:
        return (f"no event happens {at(at_ns)}",)
    source = rule.plan.logsource
    own = [event for event in then if event.event.operation in source.operations]
    if not own:
        takes = ", ".join(sorted(operation.value for operation in source.operations))
        return (f"no event then is of its log source, {source.value} ({takes})",)
    close = sorted(own, key=lambda event: -_holding(rule, event.event))[:_EVENTS_SHOWN]
    lines = [f"{happened(e.event, e.at_ns)}: {'; '.join(_states(rule, e.event))}" for e in close]
    if len(own) > len(close):
        lines.append(f"and {len(own) - len(close)} more events of its log source")
    return tuple(lines)


def _holding(rule: RunnableRule, event: FileEvent) -> int:
    return sum(holds(event) for holds in rule.selections.values())


def _states(rule: RunnableRule, event: FileEvent) -> Iterator[str]:
    for name, holds in rule.selections.items():
        if holds(event):
            yield f"'{name}' holds"
        else:
            fields = list(dict.fromkeys(_failing(rule.plan.selections[name], event)))
            facts = ", ".join(
                f"{field.name} is {value(field.get(event))}" for field in fields[:_FIELDS_SHOWN]
            )
            yield f"'{name}' does not hold ({facts})" if facts else f"'{name}' does not hold"


def _failing(predicate: Predicate, event: FileEvent) -> Iterator[Field]:
    """The fields whose values keep the predicate from holding."""
    match predicate:
        case Test(field=field):
            yield field
        case Negation(operand=operand):
            yield from _named(operand)
        case All(operands=operands):
            for operand in operands:
                if not matcher(operand)(event):
                    yield from _failing(operand, event)
        case AnyOf(operands=operands):
            for operand in operands:
                yield from _failing(operand, event)
        case _ as never:
            assert_never(never)


def _named(predicate: Predicate) -> Iterator[Field]:
    """All fields that a predicate speaks of."""
    match predicate:
        case Test(field=field):
            yield field
        case Negation(operand=operand):
            yield from _named(operand)
        case All(operands=operands) | AnyOf(operands=operands):
            for operand in operands:
                yield from _named(operand)
        case _ as never:
            assert_never(never)
