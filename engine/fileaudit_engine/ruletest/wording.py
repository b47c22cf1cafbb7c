"""Short words for times, values and events, as reports of test cases use them.

Nothing here is escaped for a terminal: that is the business of the format that prints it.
"""

from collections.abc import Callable, Mapping
from typing import Final

from fileaudit_engine.events.field import Value, spelled
from fileaudit_engine.events.model import FileEvent

When = Callable[[int], str]
"""Says when something happened: nanoseconds since the Unix epoch -> `at 2s`."""

_UNITS: Final = (
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
)
_SHOWN_CHARACTERS: Final = 120
"""A value in an explanation: longer than nearly all paths, shorter than what hides the explanation."""


def duration(length_ns: int) -> str:
    """A length of time as test cases write it: `0s`, `150ms`, `1m30s`."""
    parts = []
    for unit, unit_ns in _UNITS:
        count, length_ns = divmod(length_ns, unit_ns)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def at(at_ns: int) -> str:
    """`at 2s`."""
    return f"at {duration(at_ns)}"


def value(found: object) -> str:
    """A value of a field or a document."""
    match found:
        case None:
            return "absent"
        case str():
            return f"'{_cut(found)}'"
        case bool():
            return str(found).lower()
        case list() | tuple():
            return _cut(f"[{', '.join(map(value, found))}]")
        case _:
            return _cut(str(found))


def happened(event: FileEvent, at_ns: int) -> str:
    """`open /etc/shadow at 2s`: enough to find the event in its case."""
    return f"{deed(event)} {at(at_ns)}"


def deed(event: FileEvent) -> str:
    """`open /etc/shadow`."""
    return f"{event.operation.value} {_cut(event.path or event.asked_path or 'of no path')}"


def agreed(group: Mapping[str, Value]) -> str:
    """What events have in common: `, for ProcessId 4242, no User`; nothing where that may be nothing."""
    told = ", ".join(_shared(name, found) for name, found in group.items())
    return f", for {told}" if told else ""


def _shared(name: str, found: Value) -> str:
    return f"no {name}" if found is None else f"{name} {_cut(spelled(found)) or repr('')}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
