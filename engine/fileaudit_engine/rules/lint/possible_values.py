"""FA055: a value that the field never has, such as `Operation: opne`.

Only fields with few values are looked at, and only values without wildcards that are compared as a whole.
"""

from typing import Final

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.events.calls import CALLS
from fileaudit_engine.events.fields import BY_NAME, FIELDS, Field
from fileaudit_engine.rules.ast import Detecting, SigmaValue
from fileaudit_engine.rules.chains import resolve
from fileaudit_engine.rules.lint.walk import items_of
from fileaudit_engine.rules.nodes import MapNode
from fileaudit_engine.rules.values import parse_pattern
from fileaudit_engine.rules.wording import listed, nearest_of, quoted
from fileaudit_engine.text import fold

_POSSIBLE: Final = {"Syscall": CALLS, **{field.name: field.values for field in FIELDS if field.values}}
"""All values of a field, by its name."""
_REASONS: Final = {"Syscall": "of all system calls, those on files and the start of programs are seen"}
"""What is said of fields with too many values to list them."""
_FOLDED: Final = {name: frozenset(map(fold, values)) for name, values in _POSSIBLE.items()}


def check(rule: Detecting, root: MapNode, found: Collector) -> None:  # noqa: ARG001 - the form of every check
    """Warn of each value that cannot be."""
    for item in items_of(rule):
        field = BY_NAME.get(item.field or "")
        if field and field.name in _POSSIBLE and resolve(item.modifiers).whole:
            for value in item.values:
                _check_value(field, value, found)


def _check_value(field: Field, value: SigmaValue, found: Collector) -> None:
    if value.value is None:
        return
    pattern = parse_pattern(str(value.value))
    if len(pattern) == 1 and isinstance(pattern[0], str) and fold(pattern[0]) not in _FOLDED[field.name]:
        found.warning(
            "FA055",
            f"{field.name} is never {quoted(value.value)}",
            value.location,
            help=_REASONS.get(field.name) or _remedy(pattern[0], field),
        )


def _remedy(written: str, field: Field) -> str:
    close = nearest_of(written, field.values)
    return f"did you mean {quoted(close)}?" if close else f"it can be {listed(field.values, limit=20)}"
