"""One rule document becomes a `Rule`, or diagnostics that say everything that keeps it from being one.

The checks do not wait for each other: the schema's findings, the log source, every detection and every
condition are looked at whatever the others say, so that one run of `check` shows all that is to be mended.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Condition, Detection, LogSourceSpec, Rule
from fileaudit_engine.rules.condition import parse_condition
from fileaudit_engine.rules.detection import DetectionReader
from fileaudit_engine.rules.expressions import ExpressionChecker
from fileaudit_engine.rules.log_source import read_log_source
from fileaudit_engine.rules.nodes import ListNode, MapNode, ScalarNode, plain, text_of
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.schema import known_attributes, validate

MAX_DETECTIONS: Final = 1_000
"""Detections of one rule: every glob of its condition looks at all of them."""


def read_rule(
    root: MapNode, found: Collector, expressions: ExpressionChecker, options: RuleOptions
) -> Rule | None:
    """The rule that `root` describes; None if it is not usable, which `found` then says.

    Its `key` is its name or the file's stem; whoever has all rules makes it unique.
    """
    before = len(found.diagnostics)
    validate(root, found)
    logsource = read_log_source(root, found)
    reader = DetectionReader(found=found, expressions=expressions, options=options)
    detections = _detections(root, reader)
    conditions = _conditions(root, found)
    if len(found.diagnostics) > before or logsource is None:
        return None
    return _rule(root, logsource, detections, conditions)


def _rule(
    root: MapNode,
    logsource: LogSourceSpec,
    detections: Mapping[str, Detection],
    conditions: tuple[Condition, ...],
) -> Rule:
    name, identifier = text_of(root, "name"), text_of(root, "id")
    return Rule(
        key=name or PurePath(root.source.file).stem,
        title=text_of(root, "title") or "",
        id=identifier.lower() if identifier else None,
        name=name,
        status=text_of(root, "status"),
        description=text_of(root, "description"),
        author=text_of(root, "author"),
        date=text_of(root, "date"),
        modified=text_of(root, "modified"),
        license=text_of(root, "license"),
        references=_texts(root, "references"),
        tags=_texts(root, "tags"),
        falsepositives=_texts(root, "falsepositives"),
        fields=_texts(root, "fields"),
        level=text_of(root, "level") or "medium",
        logsource=logsource,
        detections=detections,
        conditions=conditions,
        custom=_custom(root),
        location=next(iter(root.keys.values())).location,
    )


def _texts(root: MapNode, name: str) -> tuple[str, ...]:
    """The entries of a list, or the single text that stands in its place."""
    node = root.values.get(name)
    items = node.items if isinstance(node, ListNode) else [node]
    return tuple(str(item.value) for item in items if isinstance(item, ScalarNode))


def _custom(root: MapNode) -> Mapping[str, object]:
    return {name: plain(node) for name, node in root.values.items() if name not in known_attributes()}


def _detections(root: MapNode, reader: DetectionReader) -> Mapping[str, Detection]:
    """The usable detections by name."""
    node = root.values.get("detection")
    if not isinstance(node, MapNode):
        return {}
    if node.values.keys() <= {"condition"}:
        reader.found.error(
            "FA035",
            "there is no detection for the condition to name",
            root.keys["detection"].location,
            help="add a map such as 'selection: {TargetFilename: /etc/shadow}'",
        )
    if len(node.values) > MAX_DETECTIONS:
        message = f"more than {MAX_DETECTIONS} detections in one rule"
        reader.found.error("FA024", message, root.keys["detection"].location, help="split the rule")
        return {}
    read = {
        name: reader.detection(node.keys[name], value)
        for name, value in node.values.items()
        if name != "condition"
    }
    return {name: detection for name, detection in read.items() if detection}


def _conditions(root: MapNode, found: Collector) -> tuple[Condition, ...]:
    """The usable conditions."""
    node = root.values.get("detection")
    if not isinstance(node, MapNode) or len(node.values) > MAX_DETECTIONS:
        return ()
    names = [name for name in node.values if name != "condition"]
    written = node.values.get("condition")
    texts = [item for item in (written.items if isinstance(written, ListNode) else [written]) if item]
    read = [
        parse_condition(text.value, names, text.inside, found)
        for text in texts
        if isinstance(text, ScalarNode) and isinstance(text.value, str)
    ]
    return tuple(condition for condition in read if condition)
