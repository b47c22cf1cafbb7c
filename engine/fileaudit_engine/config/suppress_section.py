"""`suppress`: which alerts are the same again, and for how long."""

from typing import Final

from fileaudit_engine.config.reading import Bounds, Reading, items_of
from fileaudit_engine.detect.places import PLACES, UNIQUE, is_place
from fileaudit_engine.detect.suppress import Suppress
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.rules.nodes import Node, ScalarNode
from fileaudit_engine.rules.wording import nearest_of, quoted

_EXAMPLES: Final = {"by": "by: [rule.uuid, process.executable, file.path]", "for": "for: 10m"}
_A_PLACE: Final = "a place in alerts such as file.path, or a list of them"
_FOR: Final = Bounds(
    least=UNITS_NS["ms"],
    most=30 * UNITS_NS["d"],
    shown=("1ms", "30d"),
    reason="repeats are reported when it is over: a report a month later serves nobody",
)


def suppress_of(reading: Reading, node: Node) -> Suppress | None:
    """The section; None if it is not whole, which is noted."""
    found = reading.members("suppress", node, _EXAMPLES)
    reading.needed("suppress", node, _EXAMPLES)
    by = _places(reading, found["by"]) if "by" in found else ()
    for_ns = reading.length("suppress.for", found["for"], _FOR) if "for" in found else None
    return Suppress(by=by, for_ns=for_ns) if by and for_ns else None


def _places(reading: Reading, node: Node) -> tuple[str, ...]:
    items = items_of(node)
    if not items:
        reading.wrong(node, "suppress.by", _A_PLACE)
    places: dict[str, None] = {}
    for item in items:
        place = _place(reading, item)
        if place in places:
            message = f"{quoted(place)} is there twice"
            reading.problems.error("FA083", message, item.location, help="remove one")
        elif place is not None:
            places[place] = None
    return tuple(places)


def _place(reading: Reading, node: Node) -> str | None:
    """A place that alerts have in common; None, and noted, if it is none."""
    name = node.value if isinstance(node, ScalarNode) else None
    if not isinstance(name, str):
        reading.wrong(node, "suppress.by", _A_PLACE)
    elif is_place(name):
        return name
    elif name in UNIQUE:
        message = f"no two alerts have the same {quoted(name)}: nothing would be folded"
        reading.problems.error("FA085", message, node.location, help="remove it")
    else:
        message = f"no alert has {quoted(name)}"
        reading.problems.error("FA085", message, node.location, help=remedy_of_place(name))
    return None


def remedy_of_place(name: str) -> str:
    """Rules' names for fields are not documents' names: who writes one is told the other."""
    field = BY_NAME.get(name)
    close = field.ecs if field is not None and is_place(field.ecs) else nearest_of(name, sorted(PLACES))
    return (
        f"did you mean {quoted(close)}?" if close else "write it as in alerts: file.path, process.executable"
    )
