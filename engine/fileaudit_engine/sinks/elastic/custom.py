"""What the operator's own template, `fileaudit@custom`, makes of the engine's fields; it is only read.

It has the last word, and may give a field another type. A document is not refused for that (its values are
passed over), so nobody hears of it: searches, dashboards and hunts by that field find nothing from then on.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fileaudit_engine.sinks.elastic.installed import component
from fileaudit_engine.sinks.elastic.node import Node
from fileaudit_engine.sinks.elastic.templates import MAPPINGS, content_of, shipped
from fileaudit_engine.text import printable

NAME: Final = "fileaudit@custom"
_TYPE: Final = ".type"
_ALIKE: Final = (
    frozenset({"keyword", "wildcard", "constant_keyword"}),
    frozenset({"text", "match_only_text"}),
    frozenset({"date", "date_nanos"}),
    frozenset({"long", "unsigned_long"}),
    frozenset({"float", "double"}),
)
"""Types that are searched in the same way, and hold all that the other does."""


def retyped(node: Node) -> list[str]:
    """The engine's fields that have another type there, such as `file.path (ip)`, printable.

    Raises:
        MachineCannot: The node cannot be asked.
    """
    reply = node.ask("GET", f"/_component_template/{NAME}")
    body = component(reply.body) if reply.ok and isinstance(reply.body, dict) else {}
    own, given = dict(_types(body)), dict(_types(shipped(MAPPINGS)))
    return [
        printable(f"{name} ({kind[:40]})")
        for name, kind in sorted(own.items())
        if name in given and not _are_alike(kind, given[name])
    ]


def _are_alike(one: str, other: str) -> bool:
    return one == other or any({one, other} <= kinds for kinds in _ALIKE)


def _types(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields by their dotted names, however objects are written, with their types."""
    for place, value in content_of(dict(body)).items():
        if place.startswith("template.mappings.properties.") and place.endswith(_TYPE):
            name = place.removeprefix("template.mappings.properties.").replace(".properties.", ".")
            yield name.removesuffix(_TYPE), value
