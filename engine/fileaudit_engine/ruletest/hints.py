"""Why a rule did not fire: for the events that come closest, which of its detections kept it silent.

Only what is in the way is told: a detection that the condition wants and that does not hold, or one that the
condition excludes and that holds. That nine filters of a rule do not hold is no news.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.ir import All, AnyOf, Negation, Predicate, Test
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.detect.runnable import RunnableRule
from fileaudit_engine.events.fields import WHOLE_EVENT, Field
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.rules.ast import And, Condition, Identifier, Not, Or, Quantified
from fileaudit_engine.ruletest.cases import CASE_START_NS, Case, CaseEvent
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
    told = sorted(((list(_obstacles(rule, e.event)), e) for e in own), key=lambda pair: len(pair[0]))
    lines = [
        f"{happened(event.event, event.at_ns)}: {'; '.join(obstacles) or 'its condition does not hold'}"
        for obstacles, event in told[:_EVENTS_SHOWN]
    ]
    if len(own) > len(lines):
        lines.append(f"and {len(own) - len(lines)} more events of its log source")
    return tuple(lines)


def about_time(rule: RunnableRule, case: Case) -> tuple[str, ...]:
    """A line for a rule that looks at the time, in a case that does not say when it starts; else none."""
    predicates = rule.plan.selections.values()
    if case.start_ns is not None or not any(
        field.attribute == "ts_ns" for predicate in predicates for field in _named(predicate)
    ):
        return ()
    return (f"the case starts at {rfc3339(CASE_START_NS)[:19]}Z unless its 'start' says otherwise",)


def _obstacles(rule: RunnableRule, event: FileEvent) -> Iterator[str]:
    """What is in the way of an event; a detection that is wanted here and excluded there may be both ways."""
    roles = {role for condition in rule.plan.rule.conditions for role in _roles(condition, wanted=True)}
    for name, holds in rule.selections.items():
        if not holds(event) and (name, True) in roles:
            failing = dict.fromkeys(_failing(rule.plan.selections[name], event))
            fields = [
                field for field in failing if field is not WHOLE_EVENT
            ]  # a keyword is about all of them
            facts = ", ".join(
                f"{field.name} is {value(field.get(event))}" for field in fields[:_FIELDS_SHOWN]
            )
            yield f"'{name}' does not hold ({facts})" if facts else f"'{name}' does not hold"
        elif holds(event) and (name, False) in roles:
            yield f"'{name}' holds and excludes it"


def _roles(condition: Condition, *, wanted: bool) -> Iterator[tuple[str, bool]]:
    """Every detection of a condition, and whether it is wanted (else excluded)."""
    match condition:
        case Identifier(name=name):
            yield name, wanted
        case Quantified(names=names):
            yield from ((name, wanted) for name in names)
        case Not(operand=operand):
            yield from _roles(operand, wanted=not wanted)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from _roles(operand, wanted=wanted)
        case _ as never:
            assert_never(never)


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
