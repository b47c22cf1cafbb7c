"""Detections and the condition that joins them: `detection` of a rule, `filter` of a filter.

    detection:                          filter:
      selection: {…}                      rules: [a_rule]          <- reserved, no detection
      filter_x: {…}                       selection: {…}
      condition: selection and not …      condition: not selection

Every detection and every condition is read whatever is wrong with the others, so that one run of `check`
shows all that is to be mended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.rules.ast import Condition, Detection
from fileaudit_engine.rules.condition import parse_condition
from fileaudit_engine.rules.detection import DetectionReader
from fileaudit_engine.rules.nodes import ListNode, MapNode, ScalarNode
from fileaudit_engine.rules.sigma1 import refused_timeframe
from fileaudit_engine.rules.size import checks, values

MAX_DETECTIONS: Final = 1_000
"""Detections of one document: every glob of its condition looks at all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What stands in one section.

    Attributes:
        detections: The usable ones, by name.
        conditions: The usable ones.
    """

    detections: Mapping[str, Detection]
    conditions: tuple[Condition, ...]


_NOTHING: Final = Section(detections={}, conditions=())


def read_section(
    root: MapNode, attribute: str, reader: DetectionReader, *, reserved: frozenset[str] = frozenset()
) -> Section:
    """The section under `attribute`; what is wrong with it is noted in its context.

    Args:
        root: The document.
        attribute: The section's key.
        reader: Reads detections.
        reserved: Keys that are no detections, `condition` apart.
    """
    node = root.values.get(attribute)
    if not isinstance(node, MapNode):
        return _NOTHING
    where = root.keys[attribute].location
    names = [name for name in node.values if name != "condition" and name not in reserved]
    if len(names) > MAX_DETECTIONS:
        message = f"more than {MAX_DETECTIONS} detections in one document"
        reader.context.found.error("FA024", message, where, help="split it")
        return _NOTHING
    if not names:
        reader.context.found.error(
            "FA035",
            "there is no detection for the condition to name",
            where,
            help="add a map such as 'selection: {TargetFilename: /etc/shadow}'",
        )
    read, sizes = _detections(node, names, reader)
    conditions = _conditions(node, names, reader)
    if problem := reader.context.budget.too_many_checks(checks(conditions, sizes)):
        reader.context.found.error("FA024", problem, where, help="split it, and name each detection once")
    return Section(detections=read, conditions=conditions)


def _detections(
    section: MapNode, names: list[str], reader: DetectionReader
) -> tuple[dict[str, Detection], dict[str, int]]:
    """The usable detections by name, and the number of checks that each is."""
    read: dict[str, Detection] = {}
    sizes: dict[str, int] = {}
    for name in names:
        if refused_timeframe(section.keys[name], section.values[name], reader.context.found):
            continue
        before = reader.context.budget.forms
        detection = reader.detection(section.keys[name], section.values[name])
        if detection:
            read[name] = detection
            sizes[name] = values(detection) + reader.context.budget.forms - before
    return read, sizes


def _conditions(section: MapNode, names: list[str], reader: DetectionReader) -> tuple[Condition, ...]:
    written = section.values.get("condition")
    texts = written.items if isinstance(written, ListNode) else [written]
    read = [
        parse_condition(text.value, names, text.inside, reader.context.found)
        for text in texts
        if isinstance(text, ScalarNode) and isinstance(text.value, str)
    ]
    return tuple(condition for condition in read if condition)
