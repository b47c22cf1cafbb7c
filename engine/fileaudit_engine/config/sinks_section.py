"""`sinks`: where records go beside the store."""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final

from fileaudit_engine.config.reading import Bounds, Reading
from fileaudit_engine.config.store_section import RETENTION
from fileaudit_engine.rules.nodes import Node
from fileaudit_engine.sinks.settings import Begin, Compression, JsonLogSettings, Rotation

KEYS: Final = ("json", "elasticsearch", "syslog")
JSON_KEYS: Final = ("path", "rotate", "max_size", "compress", "retention", "max_total", "from")

FILE_SIZES: Final = Bounds(
    least=1 << 20,
    most=1 << 40,
    shown=("1MiB", "1TiB"),
    reason="who follows the log looks for new files every few seconds only",
)
TOTAL_SIZES: Final = Bounds(
    least=1 << 20, most=1 << 50, shown=("1MiB", "1024TiB"), reason="it is that of all files together"
)

_WORDS: Final[Mapping[str, tuple[str, type[Enum]]]] = {
    "rotate": ("rotate", Rotation),
    "compress": ("compress", Compression),
    "from": ("begin", Begin),
}
_SIZES: Final[Mapping[str, tuple[str, Bounds]]] = {
    "max_size": ("max_bytes", FILE_SIZES),
    "max_total": ("max_total_bytes", TOTAL_SIZES),
}


def sinks_of(reading: Reading, node: Node) -> Mapping[str, Node]:
    """What is said of each sink, by its name."""
    return reading.members("sinks", node, KEYS)


def json_log_of(reading: Reading, asked: Node) -> JsonLogSettings | None:
    """`sinks.json`; None where it is not said where."""
    found = reading.members("sinks.json", asked, JSON_KEYS)
    reading.needed("sinks.json", asked, {"path": "path: /var/log/fileaudit"})
    said: dict[str, Any] = {}
    for key, value in found.items():
        said |= _member(reading, key, value)
    folder = reading.path("sinks.json.path", found["path"]) if "path" in found else None
    settings = JsonLogSettings(folder=folder or Path(), **said)
    total, of_one = settings.max_total_bytes, settings.max_bytes
    if total is not None and total < of_one and ("max_size" in found) == ("max_bytes" in said):
        message = f"'sinks.json.max_total' is below 'sinks.json.max_size', which is {of_one:,} bytes"
        remedy = "write a greater one, or a smaller 'max_size': one file alone would be too much"
        reading.contradiction(found["max_total"], message, remedy)
    return settings if folder is not None else None


def _member(reading: Reading, key: str, node: Node) -> dict[str, Any]:
    """What one member says, by the attribute that it sets; nothing, and noted, if it is wrong."""
    name = f"sinks.json.{key}"
    if key in _WORDS:
        attribute, words = _WORDS[key]
        word = reading.choice(name, node, [choice.value for choice in words])
        return {} if word is None else {attribute: words(word)}
    if key in _SIZES:
        attribute, bounds = _SIZES[key]
        size = reading.size(name, node, bounds)
        return {} if size is None else {attribute: size}
    if key == "retention":
        return {"retention_ns": reading.length_or_forever(name, node, RETENTION)}
    return {}
