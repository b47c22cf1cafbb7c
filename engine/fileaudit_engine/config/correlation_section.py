"""`correlation`: how much correlations may hold."""

from collections.abc import Mapping
from typing import Final

from fileaudit_engine.config.reading import Bounds, Reading
from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.rules.nodes import Node

LIMITS: Final[Mapping[str, tuple[int, int, str]]] = {
    "groups": (1, 10_000_000, "a million groups take about a gigabyte of memory"),
    "events": (1, 1_000_000, "a sum or an average is computed from every one of them"),
    "entries": (1, 100_000_000, "a million take about 250 megabytes; a group counts as three of them"),
    "listed": (1, 10_000, "each takes 35 bytes of the alert's document"),
    "held": (0, 1_000_000, "each takes about a kilobyte of memory"),
    "waiting": (1, 10_000_000, "each takes about a kilobyte of memory"),
}
"""The numbers below `correlation`: the least, the most, and what they cost."""

_LATENESS: Final = Bounds(
    least=0,
    most=10 * UNITS_NS["m"],
    shown=("0s", "10m"),
    reason="every alert of a correlation waits that long",
)


def limits_of(reading: Reading, node: Node) -> Limits:
    """The section; of what is wrong in it, the defaults."""
    found = dict(reading.members("correlation", node, ("lateness", *LIMITS)))
    lateness = found.pop("lateness", None)
    read: dict[str, int | None] = {
        name: reading.number(f"correlation.{name}", value, _bounds(name)) for name, value in found.items()
    }
    if lateness is not None:
        read["lateness_ns"] = reading.length("correlation.lateness", lateness, _LATENESS)
    return Limits(**{name: number for name, number in read.items() if number is not None})


def _bounds(name: str) -> Bounds:
    least, most, cost = LIMITS[name]
    return Bounds(least=least, most=most, shown=(f"{least:,}", f"{most:,}"), reason=cost)
