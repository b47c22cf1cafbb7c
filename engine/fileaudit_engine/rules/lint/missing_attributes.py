"""FA051: a rule without the attributes that whoever gets its alert will look for.

Without an id the alert cannot be tied to the rule when it is renamed; without a level it counts as medium;
without a description nobody knows what to do about it.
"""

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Document, kind_of
from fileaudit_engine.rules.nodes import MapNode

_WANTED = (
    ("id", "make one with 'uuidgen', and never change it"),
    ("level", "add 'level: medium', which is what it counts as, or whatever fits"),
    ("description", "say what the rule detects, and why it matters"),
)


def check(rule: Document, root: MapNode, found: Collector) -> None:
    """Warn of each attribute that is missing."""
    for name, remedy in _WANTED:
        if name not in root.values:
            found.warning("FA051", f"the {kind_of(rule)} has no {name}", rule.location, help=remedy)
