"""One rule document becomes a `Rule`, or diagnostics that say everything that keeps it from being one.

The checks do not wait for each other: the schema's findings, the log source, every detection and every
condition are looked at whatever the others say, so that one run of `check` shows all that is to be mended.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.events.fields import LogSource
from fileaudit_engine.rules.ast import Condition, Detection, LogSourceSpec, Rule
from fileaudit_engine.rules.condition import parse_condition
from fileaudit_engine.rules.detection import DetectionReader
from fileaudit_engine.rules.expressions import ExpressionChecker
from fileaudit_engine.rules.nodes import ListNode, MapNode, ScalarNode, plain
from fileaudit_engine.rules.schema import known_attributes, validate
from fileaudit_engine.rules.wording import nearest_of, quoted

MAX_DETECTIONS: Final = 1_000
"""Detections of one rule: every glob of its condition looks at all of them."""

_NAMES: Final = ("product", "category", "service")
_CATEGORIES: Final = tuple(source.value for source in LogSource if source is not LogSource.FILEAUDIT)
_OURS: Final = f"this engine has product linux with category {', '.join(_CATEGORIES)}, or service fileaudit"


def read_rule(
    root: MapNode, found: Collector, expressions: ExpressionChecker, *, allow_unknown_fields: bool
) -> Rule | None:
    """The rule that `root` describes; None if it is not usable, which `found` then says.

    Its `key` is its name or the file's stem; whoever has all rules makes it unique.
    """
    before = len(found.diagnostics)
    validate(root, found)
    logsource = _log_source(root, found)
    reader = DetectionReader(found=found, expressions=expressions, allow_unknown_fields=allow_unknown_fields)
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
    name, identifier = _text(root, "name"), _text(root, "id")
    return Rule(
        key=name or PurePath(root.source.file).stem,
        title=_text(root, "title") or "",
        id=identifier.lower() if identifier else None,
        name=name,
        status=_text(root, "status"),
        description=_text(root, "description"),
        author=_text(root, "author"),
        date=_text(root, "date"),
        modified=_text(root, "modified"),
        license=_text(root, "license"),
        references=_texts(root, "references"),
        tags=_texts(root, "tags"),
        falsepositives=_texts(root, "falsepositives"),
        fields=_texts(root, "fields"),
        level=_text(root, "level") or "medium",
        logsource=logsource,
        detections=detections,
        conditions=conditions,
        custom=_custom(root),
        location=next(iter(root.keys.values())).location,
    )


def _text(root: MapNode, name: str) -> str | None:
    node = root.values.get(name)
    return node.value if isinstance(node, ScalarNode) and isinstance(node.value, str) else None


def _texts(root: MapNode, name: str) -> tuple[str, ...]:
    """The entries of a list, or the single text that stands in its place."""
    node = root.values.get(name)
    items = node.items if isinstance(node, ListNode) else [node]
    return tuple(str(item.value) for item in items if isinstance(item, ScalarNode))


def _custom(root: MapNode) -> Mapping[str, object]:
    return {name: plain(node) for name, node in root.values.items() if name not in known_attributes()}


def _log_source(root: MapNode, found: Collector) -> LogSourceSpec | None:
    """The log source, checked against what this engine can see."""
    node = root.values.get("logsource")
    if not isinstance(node, MapNode):
        return None
    spec = LogSourceSpec(
        category=_text(node, "category"),
        product=_text(node, "product"),
        service=_text(node, "service"),
        location=root.keys["logsource"].location,
    )
    if _is_ours(spec):
        return spec
    _refuse_log_source(node, spec, found)
    return None


def _is_ours(spec: LogSourceSpec) -> bool:
    if spec.product not in {None, "linux"}:
        return False
    if spec.service is None:
        return spec.product == "linux" and spec.category in _CATEGORIES
    return spec.service == LogSource.FILEAUDIT.value and spec.category in {None, *_CATEGORIES}


def _refuse_log_source(node: MapNode, spec: LogSourceSpec, found: Collector) -> None:
    for name, written, choices in (
        ("product", spec.product, ("linux",)),
        ("service", spec.service, (LogSource.FILEAUDIT.value,)),
        ("category", spec.category, _CATEGORIES),
    ):
        if written is not None and written not in choices:
            close = None if written == LogSource.FILEAUDIT.value else nearest_of(written, choices)
            found.error(
                "FA041",
                f"there are no events of {name} {quoted(written)}",
                node.values[name].location,
                help=f"did you mean {quoted(close)}?" if close else _OURS,
            )
            return
    if any(name in node.values for name in _NAMES if _text(node, name) is None):
        return  # the schema has said that it is no text
    missing = "product: linux" if spec.category else "category: file_access"
    found.error("FA041", "the log source is not complete", spec.location, help=f"add '{missing}'; {_OURS}")


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
