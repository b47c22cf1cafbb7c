"""FA046: a member that documents have for their readers' sake only, and that no event keeps.

    detection:
        selection: {message|contains: passwd}           # with --allow-unknown-fields
        condition: selection

Reading a document passes over what follows from the rest of it, `message` or `event.category`. The option
that allows unknown fields keeps what nobody knows; these are known, and known to say nothing new.
"""

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.events.document import is_derived
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.rules.ast import Detecting
from fileaudit_engine.rules.lint.walk import items_of
from fileaudit_engine.rules.nodes import MapNode
from fileaudit_engine.rules.wording import quoted


def check(rule: Detecting, root: MapNode, found: Collector) -> None:  # noqa: ARG001 - the form of every check
    """Warn of each item about such a member."""
    for item in items_of(rule):
        name = item.field or ""
        if name and name not in BY_NAME and is_derived(name):
            found.warning(
                "FA046",
                f"no event keeps {quoted(name)}, which documents have for their readers' sake",
                item.location,
                help="compare the fields that it is made of",
            )
