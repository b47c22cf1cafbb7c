"""FA050: a detection that no condition names.

It is either a leftover or, worse, a filter that somebody believes to be at work.
"""

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Detecting
from fileaudit_engine.rules.condition import names_in
from fileaudit_engine.rules.nodes import MapNode
from fileaudit_engine.rules.wording import quoted


def check(rule: Detecting, root: MapNode, found: Collector) -> None:
    """Warn of each detection without use."""
    detection = root.values[rule.SECTION]
    used = {name for condition in rule.conditions for name in names_in(condition)}
    for name in rule.detections:
        if name not in used and isinstance(detection, MapNode):
            found.warning(
                "FA050",
                f"the detection {quoted(name)} is never used",
                detection.keys[name].location,
                help=f"add it to the condition, such as 'and not {name}', or remove it",
            )
