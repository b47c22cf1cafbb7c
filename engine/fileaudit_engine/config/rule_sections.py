"""`rules`, `placeholders` and `timezone`: which rules, and what is left open in them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from fileaudit_engine.config.reading import Reading, items_of
from fileaudit_engine.rules.nodes import MapNode, Node, ScalarNode
from fileaudit_engine.rules.wording import nearest_of, quoted

PLACEHOLDER_NAME: Final = re.compile(r"[\w.-]+")
"""What stands between the percent signs of a placeholder."""


def rules_of(reading: Reading, node: Node) -> tuple[Path, ...]:
    """`rules`: a path, or a list of them."""
    paths = (reading.path("rules", item) for item in items_of(node))
    return tuple(path for path in paths if path is not None)


def placeholders_of(reading: Reading, node: Node) -> Mapping[str, tuple[str, ...]]:
    """`placeholders`: values by name, each a text or a number, or a list of them."""
    if not isinstance(node, MapNode):
        reading.wrong(node, "placeholders", "a map")
        return {}
    read: dict[str, tuple[str, ...]] = {}
    for name, value in node.values.items():
        if not PLACEHOLDER_NAME.fullmatch(name):
            reading.problems.error(
                "FA083",
                f"{quoted(name)} cannot be the name of a placeholder",
                node.keys[name].location,
                help="use letters, digits, '_', '-' and '.'; the percent signs stand in rules only",
            )
        elif values := _values(reading, value, f"placeholders.{name}"):
            read[name] = values
    return read


def timezone_of(reading: Reading, node: Node) -> str | None:
    """`timezone`: the IANA name of a zone that this host knows."""
    name = node.value if isinstance(node, ScalarNode) else None
    if not isinstance(name, str) or not name:
        reading.wrong(node, "timezone", "the name of a time zone, such as Europe/Berlin")
    elif is_zone(name):
        return name
    else:
        message = f"there is no time zone {quoted(name)} on this host"
        reading.problems.error("FA084", message, node.location, help=_zone_remedy(name))
    return None


def is_zone(name: str) -> bool:
    """Whether this host knows the time zone `name`."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # what it raises for '../x', for folders, and for the unknown
        return False
    return True


def _zone_remedy(name: str) -> str:
    zones = available_timezones()
    if not zones:
        return "install the package tzdata"
    close = nearest_of(name, zones)
    return f"did you mean {quoted(close)}?" if close else "write it as UTC, Europe/Berlin or America/New_York"


def _values(reading: Reading, node: Node, name: str) -> tuple[str, ...]:
    """What a placeholder stands for, as written; empty, and noted, if that is nothing."""
    items = items_of(node)
    bad = next((item for item in items if not _is_text_or_number(item)), None)
    if bad is not None or not items:
        reading.wrong(bad or node, name, "a text or a number, or a list of them")
        return ()
    return tuple(item.text for item in items if isinstance(item, ScalarNode))


def _is_text_or_number(node: Node) -> bool:
    return (
        isinstance(node, ScalarNode)
        and isinstance(node.value, str | int | float)
        and not isinstance(node.value, bool)
    )
