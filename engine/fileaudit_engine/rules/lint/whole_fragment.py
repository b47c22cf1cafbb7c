"""FA048: `base64offset` without `contains`, which compares a fragment with the whole field."""

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Detecting
from fileaudit_engine.rules.lint.walk import items_of
from fileaudit_engine.rules.nodes import MapNode


def check(rule: Detecting, root: MapNode, found: Collector) -> None:  # noqa: ARG001 - the form of every check
    """Warn of each fragment that would have to be all that the field holds."""
    for item in items_of(rule):
        if item.field and "base64offset" in item.modifiers and "contains" not in item.modifiers:
            message = "the forms that 'base64offset' makes are fragments, and no field is one of them"
            found.warning("FA048", message, item.location, help="add '|contains' behind it")
