"""Events that are written out in a test case, with the file's defaults under them.

A default gives way to an event that speaks of the same thing, however either of them spells it: `Image`,
`process.executable` and `{process: {executable: …}}` are one field, and an event's `Errno` also replaces a
default `Outcome`, since one follows from the other.
"""

from collections.abc import Iterator, Mapping

from fileaudit_engine.diagnostics import Collector, Location
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.events.reader import event_of
from fileaudit_engine.events.times import LAST_NS
from fileaudit_engine.rules.nodes import MapNode, plain
from fileaudit_engine.ruletest.cases import CaseEvent
from fileaudit_engine.ruletest.dotted import members
from fileaudit_engine.ruletest.nodes import as_duration_ns

AT = "at"
_TIME = "ts_ns"
"""The attribute of an event that is its time."""
_TIME_HELP = "write 'at: 2s' instead; a 'start:' of the case, beside 'events', says when 0s is"

Fields = Mapping[str, object]
"""Values by their names, nested or dotted, as YAML has them."""


class Defaults:
    """What every event of a file has unless it says otherwise."""

    def __init__(self, node: MapNode | None) -> None:
        self.node = node
        self._fields = dict(members(_fields(node))) if node else {}

    def under(self, event: Fields) -> Fields:
        """The event with the defaults that it leaves standing."""
        said = set(_spoken_of(event))
        kept = {name: value for name, value in self._fields.items() if _meaning(name) not in said}
        return {**kept, **event}


def read_event(
    node: MapNode, defaults: Defaults, found: Collector, *, start_ns: int, allow_unknown_fields: bool = False
) -> CaseEvent | None:
    """The event that `node` describes; None if something is wrong with it, after it was noted.

    Args:
        node: The event as it is written.
        defaults: What it has unless it says otherwise.
        found: Where findings go.
        start_ns: When its case starts, nanoseconds since the Unix epoch.
        allow_unknown_fields: Keep what the field table does not know in `FileEvent.extra`.
    """
    at_ns = as_duration_ns(node.values[AT], found) if AT in node.values else 0
    fields = defaults.under({name: value for name, value in _fields(node).items() if name != AT})
    if at_ns is None or not _is_relative(node, fields, start_ns + at_ns, found):
        return None
    event = event_of(
        fields,
        lambda name: _place(name, node, defaults),
        ts_ns=start_ns + at_ns,
        allow_unknown_fields=allow_unknown_fields,
    )
    if isinstance(event, FileEvent):
        return CaseEvent(event=event, at_ns=at_ns, location=node.location)
    if isinstance(event, Loss):
        found.error("FA063", "a case cannot lose events", node.location, help="remove this one")
    else:
        found.diagnostics.extend(event)
    return None


def _is_relative(node: MapNode, fields: Fields, ts_ns: int, found: Collector) -> bool:
    """Whether the event's time is given by `at` alone, and is one that can be told: `ts_ns`."""
    absolute = [name for name in fields if _meaning(name) == _TIME]
    for name in absolute:
        place = member(node, name) or node.location
        found.error("FA062", f"'{name}' in a case: its time is virtual", place, help=_TIME_HELP)
    if ts_ns > LAST_NS:
        found.error("FA062", "'at' is after the year 2262", node.location, help="choose a shorter time")
        return False
    return not absolute


def _fields(node: MapNode) -> Fields:
    return {key: plain(value) for key, value in node.values.items()}


def _spoken_of(event: Fields) -> Iterator[str]:
    for name, value in members(event):
        meaning = _meaning(name)
        yield meaning
        if meaning == "errno":
            yield "outcome"
        elif meaning == "outcome" and value == "success":
            yield "errno"


def _meaning(name: str) -> str:
    """The attribute of `FileEvent` that a field fills, or the name itself."""
    return BY_NAME[name].attribute if name in BY_NAME else name


def _place(name: str, node: MapNode, defaults: Defaults) -> Location:
    place = member(node, name) if name else None
    if place is None and name and defaults.node is not None:
        place = member(defaults.node, name)
    return place or node.location


def member(node: MapNode, name: str) -> Location | None:
    """The place of a key by its dotted name, nested or not."""
    if name in node.keys:
        return node.keys[name].location
    for key, value in node.values.items():
        if isinstance(value, MapNode) and name.startswith(f"{key}."):
            place = member(value, name[len(key) + 1 :])
            if place is not None:
                return place
    return None
