"""FA054: `all` on a single value, which Sigma forbids since it says nothing."""

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Detecting
from fileaudit_engine.rules.lint.walk import items_of
from fileaudit_engine.rules.nodes import MapNode


def check(rule: Detecting, root: MapNode, found: Collector) -> None:  # noqa: ARG001 - the form of every check
    """Warn of each `all` without a list."""
    for item in items_of(rule):
        if "all" in item.modifiers and len(item.values) == 1:
            message = "'all' says nothing about a single value"
            found.warning("FA054", message, item.location, help="remove it, or list more values")
