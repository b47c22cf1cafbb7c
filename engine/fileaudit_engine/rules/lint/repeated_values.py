"""FA053: a value that stands twice in one list, upper and lower case apart where they do not matter."""

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Detecting, DetectionItem, Scalar
from fileaudit_engine.rules.lint.walk import items_of
from fileaudit_engine.rules.nodes import MapNode
from fileaudit_engine.rules.wording import quoted


def check(rule: Detecting, root: MapNode, found: Collector) -> None:  # noqa: ARG001 - the form of every check
    """Warn of each repetition."""
    for item in items_of(rule):
        seen: set[tuple[type, Scalar]] = set()
        for value in item.values:
            same = _comparable(item, value.value)
            if same in seen:
                message = f"the value {quoted(value.value)} stands twice in this list"
                found.warning("FA053", message, value.location, help="remove one")
            seen.add(same)


def _comparable(item: DetectionItem, value: Scalar) -> tuple[type, Scalar]:
    """Two values of one list mean the same if this is equal; `1`, `1.0` and `true` are not."""
    folds = isinstance(value, str) and not {"cased", "re"}.intersection(item.modifiers)
    return type(value), str(value).casefold() if folds else value
