"""`store`: where it is, how long it keeps what it has, and where its anchors go."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fileaudit_engine.config.reading import Bounds, Reading, items_of
from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.rules.nodes import Node
from fileaudit_engine.store.settings import ANCHOR_TARGETS, StoreSettings

KEYS: Final = ("path", "retention", "max_size", "hard_limit", "anchors")
ANCHOR_KEYS: Final = ("file", "every", "to")

RETENTION: Final = Bounds(
    least=UNITS_NS["h"],
    most=36_500 * UNITS_NS["d"],
    shown=("1h", "36500d"),
    reason="what is to stay for good, is kept with 'forever'",
)
SIZES: Final = Bounds(
    least=16 << 20,
    most=1 << 50,
    shown=("16MiB", "1024TiB"),
    reason="a smaller store would let go of records before anybody has read them",
)
EVERY: Final = Bounds(
    least=UNITS_NS["s"],
    most=UNITS_NS["d"],
    shown=("1s", "1d"),
    reason="whoever cuts off the end is found out as far as the last anchor",
)


def store_of(reading: Reading, node: Node) -> tuple[Path | None, StoreSettings]:
    """The section: the store's path, None where there is none, and the rest."""
    found = reading.members("store", node, KEYS)
    path = reading.path("store.path", found["path"]) if "path" in found else None
    said: dict[str, Any] = {}
    if "retention" in found:
        said["retention_ns"] = reading.length_or_forever("store.retention", found["retention"], RETENTION)
    for key, attribute in (("max_size", "max_bytes"), ("hard_limit", "hard_bytes")):
        if key in found:
            said[attribute] = reading.size(f"store.{key}", found[key], SIZES)
    anchors = reading.members("store.anchors", found.get("anchors"), ANCHOR_KEYS)
    said |= _anchors(reading, anchors)
    settings = StoreSettings(**said)
    _check(reading, path, settings, {**anchors, **found})
    return path, settings


def _anchors(reading: Reading, found: Mapping[str, Node]) -> dict[str, Any]:
    """What is said of anchors, as far as it can be read."""
    said: dict[str, Any] = {}
    if "file" in found:
        said["anchor_file"] = reading.path("store.anchors.file", found["file"])
    if "every" in found:
        every_ns = reading.length("store.anchors.every", found["every"], EVERY)
        said |= {} if every_ns is None else {"anchor_every_ns": every_ns}
    if "to" in found:
        words = [reading.choice("store.anchors.to", item, ANCHOR_TARGETS) for item in items_of(found["to"])]
        said["anchor_to"] = frozenset(word for word in words if word is not None)
    return said


def _check(reading: Reading, path: Path | None, settings: StoreSettings, found: Mapping[str, Node]) -> None:
    """Refuse what cannot all be meant."""
    most, hard = settings.max_bytes, settings.hard_bytes
    if most is not None and hard is not None and hard < most:
        message = "'store.hard_limit' is below 'store.max_size'"
        remedy = "write a greater one: up to it, what a sink has not had yet stays"
        reading.contradiction(found["hard_limit"], message, remedy)
    kept = settings.retention_ns
    if kept is not None and kept < settings.anchor_every_ns:
        message = (
            "'store.retention' is shorter than 'store.anchors.every': records would go without an anchor"
        )
        reading.contradiction(found["retention"], message, "keep them longer, or anchor them more often")
    if path is not None and settings.anchor_file == path:
        message = "'store.anchors.file' is the store itself"
        reading.contradiction(found["file"], message, "name another file, best on another disk or host")
