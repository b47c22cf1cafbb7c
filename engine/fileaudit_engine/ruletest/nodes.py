"""Typed access to the YAML of a test file: the value, or a diagnostic at its place.

Each function returns None where the value is not what it must be, after it said so; whoever asked goes on
with the rest, so that one run shows everything that is wrong.
"""

import difflib
from collections.abc import Iterable

from fileaudit_engine.diagnostics import Collector, Location
from fileaudit_engine.events.times import duration_ns, parse_rfc3339
from fileaudit_engine.rules.nodes import ListNode, MapNode, Node, ScalarNode
from fileaudit_engine.text import printable

_SHOWN_CHARACTERS = 60


def as_map(node: Node, what: str, found: Collector, *, place: Location | None = None) -> MapNode | None:
    """The node if it is a map; `what` begins the message."""
    if isinstance(node, MapNode):
        return node
    found.error(
        "FA060",
        f"{what} must be a map, not {kind_of(node)}",
        place or node.location,
        help="write 'key: value'",
    )
    return None


def as_list(node: Node, what: str, found: Collector, *, place: Location | None = None) -> ListNode | None:
    """The node if it is a list; nothing is not an empty one."""
    if isinstance(node, ListNode):
        return node
    empty = isinstance(node, ScalarNode) and node.value is None
    found.error(
        "FA060",
        f"{what} must be a list, not {kind_of(node)}",
        place or node.location,
        help="an empty one is written []" if empty else "write each member on its own line, after '- '",
    )
    return None


def as_text(node: Node, what: str, found: Collector) -> str | None:
    """The node if it is a text with something in it."""
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and node.value.strip():
        return node.value
    blank = isinstance(node, ScalarNode) and isinstance(node.value, str)
    found.error(
        "FA060",
        f"{what} must be a text, not {'an empty one' if blank else kind_of(node)}",
        node.location,
        help="put a number or a word such as true in quotes if it is meant as text",
    )
    return None


def as_duration_ns(node: Node, found: Collector) -> int | None:
    """The node if it is a length of time since the case's start."""
    if isinstance(node, ScalarNode):
        if node.value == 0 and not isinstance(node.value, bool):
            return 0
        if isinstance(node.value, str):
            try:
                return duration_ns(node.value)
            except ValueError as error:
                found.error("FA062", f"'{shown(node.value)}' is {error}", node.location, help=_AT_HELP)
                return None
    number = isinstance(node, ScalarNode) and isinstance(node.value, int | float)
    found.error(
        "FA062",
        "'at' has no unit" if number else f"'at' must be a length of time, not {kind_of(node)}",
        node.location,
        help=_AT_HELP,
    )
    return None


def as_time_ns(node: Node, found: Collector) -> int | None:
    """The node if it is a moment, as nanoseconds since the Unix epoch."""
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        try:
            return parse_rfc3339(node.value)
        except ValueError as error:
            message = f"'start': '{shown(node.value)}' is {error}"
            found.error("FA062", message, node.location, help=_START_HELP)
            return None
    message = f"'start' must be a time, not {kind_of(node)}"
    found.error("FA062", message, node.location, help=_START_HELP)
    return None


def check_keys(node: MapNode, known: Iterable[str], what: str, found: Collector) -> None:
    """Note every key that is not among `known`."""
    keys = tuple(known)
    for name in node.values.keys() - set(keys):
        close = difflib.get_close_matches(name[:_SHOWN_CHARACTERS], keys, n=1)
        found.error(
            "FA061",
            f"{what} has no key '{shown(name)}'",
            node.keys[name].location,
            help=f"did you mean '{close[0]}'?" if close else f"it takes {', '.join(keys)}",
        )


def kind_of(node: Node) -> str:
    """What a node is, for a message that says what it should have been."""
    if isinstance(node, MapNode):
        return "a map"
    if isinstance(node, ListNode):
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return "a truth value"
    return "a text" if isinstance(node.value, str) else "a number"


def shown(text: str) -> str:
    """Any text, short and harmless."""
    return printable(text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…")


_START_HELP = "write it with its offset from UTC: 2026-01-31T03:00:00Z, 2026-01-31T03:00:00+01:00"
_AT_HELP = "'at' counts from the start of the case: 0s, 150ms, 2s, 1m30s, 1h"
