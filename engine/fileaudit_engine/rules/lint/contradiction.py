"""FA056: a condition that nothing can fulfil, because it asks for a detection and for its opposite.

    selection and not selection
    selection and filter_a and not 1 of filter_*

Only what the condition itself says is looked at; that two detections exclude each other is the compiler's to
find out.
"""

from fileaudit_engine.diagnostics import Collector, Location
from fileaudit_engine.rules.ast import And, Condition, Correlation, Detecting, Identifier, Not, Or, Quantified
from fileaudit_engine.rules.nodes import MapNode, at
from fileaudit_engine.rules.wording import quoted


def check(rule: Detecting, root: MapNode, found: Collector) -> None:
    """Warn of each condition that asks for a thing and its opposite."""
    for condition in rule.conditions:
        _warn(condition, at(root, [rule.SECTION, "condition"]), found)


def check_correlation(correlation: Correlation, root: MapNode, found: Collector) -> None:
    """Warn of a condition over rules that asks for a match and for its absence."""
    if correlation.condition is not None:
        _warn(correlation.condition, at(root, ["correlation", "condition"]), found)


def _warn(condition: Condition, where: Location, found: Collector) -> None:
    needed = _decisive(condition, held=False, outcome=False)
    contradictory = needed & _decisive(condition, held=True, outcome=False)
    if contradictory:
        found.warning(
            "FA056",
            "this condition can never be true",
            where,
            help=f"it asks for {quoted(min(contradictory))} and for its opposite",
        )


def _decisive(condition: Condition, *, held: bool, outcome: bool) -> frozenset[str]:
    """Detections that decide alone: if one of them is `held`, the condition's value is `outcome`."""
    match condition:
        case Identifier(name=name):
            return frozenset({name} if held == outcome else ())
        case Quantified(every=every, names=names):
            any_decides = len(names) == 1 or every != outcome
            return frozenset(names if held == outcome and any_decides else ())
        case Not(operand=operand):
            return _decisive(operand, held=held, outcome=not outcome)
        case And(operands=operands):
            parts = [_decisive(operand, held=held, outcome=outcome) for operand in operands]
            return frozenset.intersection(*parts) if outcome else frozenset.union(*parts)
        case Or(operands=operands):
            parts = [_decisive(operand, held=held, outcome=outcome) for operand in operands]
            return frozenset.union(*parts) if outcome else frozenset.intersection(*parts)
