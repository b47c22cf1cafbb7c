"""FA038: `expand` on values without any placeholder, as in `User|expand: admins`."""

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Detecting
from fileaudit_engine.rules.chains import resolve
from fileaudit_engine.rules.lint.walk import items_of
from fileaudit_engine.rules.nodes import MapNode
from fileaudit_engine.rules.placeholders import is_changed


def check(rule: Detecting, root: MapNode, found: Collector) -> None:  # noqa: ARG001 - the form of every check
    """Warn of each item in which there is nothing to expand."""
    for item in items_of(rule):
        if resolve(item.modifiers).expands and not any(is_changed(str(value.value)) for value in item.values):
            found.warning(
                "FA038",
                "there is no placeholder to expand",
                item.location,
                help="write '%name%', with both percent signs, or leave 'expand' out",
            )
