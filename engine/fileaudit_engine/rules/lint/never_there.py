"""FA046: a field that no event of the rule's log source has, where the rule needs it.

    logsource: {product: linux, category: file_access}
    detection:
        selection: {SourceFilename|endswith: .key}      # only a rename or a link has one
        condition: selection

Such a test is never true, and a detection that needs it never holds. Where it is negated, or asks for the
field's absence, it says what the writer meant.
"""

from collections.abc import Iterator

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.model import Operation
from fileaudit_engine.rules.ast import And, Condition, DetectionItem, Identifier, Not, Or, Quantified, Rule
from fileaudit_engine.rules.lint.walk import items_in
from fileaudit_engine.rules.log_source import source_of
from fileaudit_engine.rules.nodes import MapNode
from fileaudit_engine.rules.wording import quoted


def check(rule: Rule, root: MapNode, found: Collector) -> None:  # noqa: ARG001 - the form of every check
    """Warn of each item that no event can fulfil."""
    source = source_of(rule.logsource)
    wanted = {name for condition in rule.conditions for name in _wanted(condition, held=True)}
    for name in rule.detections:
        for item in items_in(rule.detections[name]) if name in wanted else ():
            providers = _providers(item)
            if providers is not None and providers.isdisjoint(source.operations):
                found.warning(
                    "FA046",
                    f"no event of {source.value} has the field {quoted(item.field)}",
                    item.location,
                    help=f"only {words_of(providers)} has it",
                )


def _providers(item: DetectionItem) -> frozenset[Operation] | None:
    """The operations whose events can fulfil the item; None for all."""
    field = BY_NAME.get(item.field or "")
    return None if field is None or _is_about_absence(item) else field.operations


def _wanted(condition: Condition, *, held: bool) -> Iterator[str]:
    """Detections that the condition needs to hold somewhere; `held`: the condition itself is to be true."""
    match condition:
        case Identifier(name=name):
            yield from (name,) if held else ()
        case Quantified(names=names):
            yield from names if held else ()
        case Not(operand=operand):
            yield from _wanted(operand, held=not held)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from _wanted(operand, held=held)


def _is_about_absence(item: DetectionItem) -> bool:
    """Whether the item is true of an event that lacks the field."""
    values = {value.value for value in item.values}
    return None in values or "neq" in item.modifiers or ("exists" in item.modifiers and True not in values)


def words_of(operations: frozenset[Operation]) -> str:
    """`rename or link`, in the order of the operations."""
    names = [operation.value for operation in Operation if operation in operations]
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
