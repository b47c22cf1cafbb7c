"""The log source of a rule, held against what this engine can see."""

from typing import Final

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.events.fields import LogSource
from fileaudit_engine.rules.ast import LogSourceSpec
from fileaudit_engine.rules.nodes import MapNode, text_of
from fileaudit_engine.rules.wording import nearest_of, quoted

_NAMES: Final = ("product", "category", "service")
_CATEGORIES: Final = tuple(source.value for source in LogSource if source is not LogSource.FILEAUDIT)
_OURS: Final = f"this engine has product linux with category {', '.join(_CATEGORIES)}, or service fileaudit"


def read_log_source(root: MapNode, found: Collector) -> LogSourceSpec | None:
    """The log source, checked against what this engine can see."""
    node = root.values.get("logsource")
    if not isinstance(node, MapNode):
        return None
    spec = LogSourceSpec(
        category=text_of(node, "category"),
        product=text_of(node, "product"),
        service=text_of(node, "service"),
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
    if any(name in node.values for name in _NAMES if text_of(node, name) is None):
        return  # the schema has said that it is no text
    missing = "product: linux" if spec.category else "category: file_access"
    found.error("FA041", "the log source is not complete", spec.location, help=f"add '{missing}'; {_OURS}")
