"""`routes`: which sink is given which records."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from fileaudit_engine.config.reading import Reading, items_of
from fileaudit_engine.config.suppress_section import remedy_of_place
from fileaudit_engine.detect.described import SEVERITIES
from fileaudit_engine.detect.places import UNIQUE, is_place
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.events.document import ANCESTORS
from fileaudit_engine.rules.nodes import ListNode, MapNode, Node, ScalarNode
from fileaudit_engine.rules.wording import quoted
from fileaudit_engine.runtime.route import Route
from fileaudit_engine.runtime.router import SINKS
from fileaudit_engine.store.search_patterns import MAX_PATTERN

KEYS: Final = ("level", "kind", "rule", "tag", "fields", "to", "continue")
LEVELS: Final = tuple(sorted(SEVERITIES, key=SEVERITIES.__getitem__))
MOST_ROUTES: Final = 500
"""Each is compared with those before it, and each new rule with all."""
KINDS: Final = tuple(kind.value for kind in Kind)

ENGINE_FACTS: Final = "fileaudit.engine."
"""What records of the engine about itself have."""
OBJECTS: Final = frozenset({ANCESTORS, "fileaudit.correlation.group"})
"""Places that have lists of objects: no text is one."""

_A_VALUE: Final = "a text or a number, or a list of them"


def routes_of(reading: Reading, node: Node, configured: Collection[str]) -> tuple[Route, ...]:
    """The section, as far as it can be read.

    Args:
        reading: Of the file.
        node: The section.
        configured: The names of the sinks that there are.
    """
    if not isinstance(node, ListNode):
        reading.wrong(node, "routes", "a list of routes", "write '- {level: high, to: [syslog]}' below it")
        return ()
    if len(node.items) > MOST_ROUTES:
        message = f"there are more than {MOST_ROUTES} routes"
        place = node.items[MOST_ROUTES].location
        reading.problems.error(
            "FA083", message, place, help="name several rules or tags in one route, or use '*'"
        )
        return ()
    routes: list[tuple[Node, Route]] = []
    for item in node.items:
        route = _route(reading, item, configured)
        if route is not None:
            routes.append((item, route))
    _refuse_unreachable(reading, routes)
    return tuple(route for _, route in routes)


def _route(reading: Reading, node: Node, configured: Collection[str]) -> Route | None:
    """A route; None if it is not whole: no other one is measured by half of it."""
    before = len(reading.problems.diagnostics)
    found = reading.members("routes", node, KEYS)
    reading.needed("routes", node, {"to": "to: [elasticsearch]"})
    to = _sinks(reading, found["to"], configured) if "to" in found else ()
    goes_on = _goes_on(reading, found["continue"]) if "continue" in found else False
    route = Route(
        levels=frozenset(_words(reading, found, "level", LEVELS)),
        kinds=frozenset(map(Kind, _words(reading, found, "kind", KINDS))),
        rules=_globs(reading, found, "rule"),
        tags=_globs(reading, found, "tag"),
        fields=_fields(reading, found["fields"]) if "fields" in found else (),
        to=to,
        goes_on=goes_on,
    )
    if goes_on and not to and "to" in found and isinstance(node, MapNode):
        message = "a route to nowhere that goes on does nothing"
        reading.contradiction(found["continue"], message, "name sinks in 'to', or remove 'continue'")
    return route if len(reading.problems.diagnostics) == before else None


def _sinks(reading: Reading, node: Node, configured: Collection[str]) -> tuple[str, ...]:
    """The sinks of a route; an empty list is one, too."""
    names: dict[str, None] = {}
    for item in items_of(node):
        name = reading.choice("routes.to", item, SINKS)
        if name is None:
            continue
        if name in names:
            reading.problems.error(
                "FA083", f"{quoted(name)} is there twice", item.location, help="remove one"
            )
        elif name not in configured:
            message = f"a route names the sink {quoted(name)}, which is not configured"
            reading.problems.error("FA085", message, item.location, help=f"add 'sinks.{name}', or remove it")
        names[name] = None
    return tuple(names)


def _goes_on(reading: Reading, node: Node) -> bool:
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, bool):
        return value
    reading.wrong(node, "routes.continue", "true or false")
    return False


def _words(reading: Reading, found: Mapping[str, Node], key: str, choices: Collection[str]) -> Sequence[str]:
    """Some of a few words."""
    node = found.get(key)
    if node is None:
        return ()
    items = items_of(node)
    if not items:
        reading.wrong(node, f"routes.{key}", f"one of {', '.join(choices)}, or a list of them")
    words = [reading.choice(f"routes.{key}", item, choices) for item in items]
    return [word for word in words if word is not None]


def _globs(reading: Reading, found: Mapping[str, Node], key: str) -> tuple[str, ...]:
    node = found.get(key)
    if node is None:
        return ()
    texts = _texts(reading, node, f"routes.{key}")
    if "" in texts:
        reading.wrong(node, f"routes.{key}", "a name, or a list of them", "write '*' for any")
    return texts


def _fields(reading: Reading, node: Node) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(node, MapNode) or not node.values:
        reading.wrong(node, "routes.fields", "a map of places and values", "write {user.name: root}")
        return ()
    fields = []
    for place, value in node.values.items():
        _refuse_place(reading, node.keys[place], place)
        fields.append((place, _texts(reading, value, "routes.fields")))
    return tuple(fields)


def _refuse_place(reading: Reading, node: Node, place: str) -> None:
    """Note that no record has anything there that a value could be compared with."""
    if place in UNIQUE:
        message = f"no two records have the same {quoted(place)}: nothing can be sent by it"
        reading.problems.error("FA085", message, node.location, help="remove it")
    elif place in OBJECTS:
        message = f"{quoted(place)} has objects, which are no texts"
        reading.problems.error("FA085", message, node.location, help="name a place that has texts or numbers")
    elif not is_place(place) and not place.startswith(ENGINE_FACTS):
        message = f"no record has {quoted(place)}"
        reading.problems.error("FA085", message, node.location, help=remedy_of_place(place))


def _texts(reading: Reading, node: Node, name: str) -> tuple[str, ...]:
    """Values as documents have them, as texts; nothing, and noted, if one of them is none."""
    items = items_of(node)
    texts = [_text(item) for item in items]
    if not items or None in texts:
        bad = items[texts.index(None)] if items else node
        reading.wrong(bad, name, _A_VALUE, f"of at most {MAX_PATTERN:,} characters; '*' stands for any text")
        return ()
    return tuple(text for text in texts if text is not None)


def _text(node: Node) -> str | None:
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return value if isinstance(value, str) and len(value) <= MAX_PATTERN else None


def _refuse_unreachable(reading: Reading, routes: Sequence[tuple[Node, Route]]) -> None:
    """Note routes that are never asked, because another one takes all of their records first."""
    for number, (node, route) in enumerate(routes):
        for former, taking in routes[:number]:
            if not taking.goes_on and taking.covers(route):
                line = former.location.line
                message = f"this route is never asked: the one in line {line} takes its records"
                remedy = "put it before that one, or add 'continue: true' to that one"
                reading.contradiction(node, message, remedy)
                break
