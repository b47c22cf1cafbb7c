"""YAML as a tree in which every scalar, key and list still knows where it stands.

A node keeps the two indexes of its text, not line and column: most nodes are never reported, and those that
are compute their place then (`location`, and `inside` for a part of a scalar, such as one word of a
condition). `plain` gives the data without places, which is what the JSON Schema is checked against; `at`
finds the node for a path in that data.
"""

from collections.abc import Sequence

import msgspec

from fileaudit_engine.diagnostics import Location, SourceText
from fileaudit_engine.rules.ast import Scalar

MAX_DEPTH = 50
"""Levels of nesting; a detection needs five."""

_ESCAPE_LENGTH = {"x": 4, "u": 6, "U": 10}
"""Source characters of an escape in double quotes; every other one has two."""


class Span(msgspec.Struct, frozen=True):
    """Where a node stands: `start` up to `end`, character indexes into `source.text`."""

    source: SourceText
    start: int
    end: int

    @property
    def location(self) -> Location:
        """The place to report; a node of several lines is reported by its first."""
        return self.source.location(self.start, self.end)


class ScalarNode(Span, frozen=True):
    """A scalar.

    Attributes:
        value: What it means, by the core schema.
        text: Its text without quotes and escapes, before it was given a meaning.
        style: How it is written: empty for plain, else the quote or the block indicator.
    """

    value: Scalar
    text: str
    style: str

    def inside(self, start: int, end: int) -> Location:
        """The place of `text[start:end]`; the whole scalar's where its spelling hides it."""
        if not self.style and self.end - self.start == len(self.text):
            return self.source.location(self.start + start, self.start + end)
        places = _places(self)
        if places is None or not 0 <= start <= end < len(places):
            return self.location
        last = places[end - 1] + 1 if end > start else places[start]
        return self.source.location(places[start], last)


class MapNode(Span, frozen=True):
    """A map; keys are texts, in the order of the document, each with its own node. It spans its first key."""

    keys: dict[str, ScalarNode]
    values: dict[str, "Node"]


class ListNode(Span, frozen=True):
    """A list; it spans nothing, and stands where it begins."""

    items: list["Node"]


Node = ScalarNode | MapNode | ListNode
Plain = Scalar | dict[str, "Plain"] | list["Plain"]


def plain(node: Node) -> Plain:
    """The data of `node`, without places."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, MapNode):
        return {key: plain(value) for key, value in node.values.items()}
    return [plain(item) for item in node.items]


def at(node: Node, path: Sequence[str | int]) -> Location:
    """The place of what `path` leads to in `plain(node)`: the value if it is a scalar, else its key."""
    place = node.location
    for step in path:
        if isinstance(node, MapNode) and isinstance(step, str) and step in node.values:
            key, node = node.keys[step], node.values[step]
            place = node.location if isinstance(node, ScalarNode) and node.end > node.start else key.location
        elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            place = node.location
        else:
            break
    return place


def key_at(node: Node, path: Sequence[str | int], key: str) -> Location:
    """The place of a key of the map that `path` leads to in `plain(node)`; `at` where there is none."""
    inner: Node | None = node
    for step in path:
        if isinstance(inner, MapNode) and isinstance(step, str):
            inner = inner.values.get(step)
        elif isinstance(inner, ListNode) and isinstance(step, int) and step < len(inner.items):
            inner = inner.items[step]
        else:
            inner = None
    if isinstance(inner, MapNode) and key in inner.keys:
        return inner.keys[key].location
    return at(node, path)


def _places(node: ScalarNode) -> list[int] | None:
    """For each character of `text`, and for its end, the index in the source; None if they do not line up.

    Whatever the style, the visible characters of source and text are the same in the same order (escapes
    apart); only white space is folded, trimmed or indented.
    """
    raw, index, limit = node.source.text, node.start, node.end
    if node.style in {"'", '"'}:
        index, limit = index + 1, limit - 1
    elif node.style:
        index = raw.find("\n", index, limit) + 1 or limit
    places: list[int] = []
    for character in node.text:
        index = _next_visible(raw, index, limit, character, escapes=node.style == '"')
        places.append(index)
        if index < limit and raw[index] == "\\" and node.style == '"':
            index += _ESCAPE_LENGTH.get(raw[index + 1], 2)
        elif index < limit and raw[index] == character:
            index += 2 if character == "'" and node.style == "'" else 1
        elif not character.isspace():
            return None
    return [*places, index]


def _next_visible(raw: str, index: int, limit: int, character: str, *, escapes: bool) -> int:
    """Past white space that is not `character`, and past line breaks that a backslash takes away."""
    while index < limit:
        if escapes and raw[index] == "\\" and raw[index + 1] in "\r\n":
            index += 2
        elif raw[index] != character and raw[index].isspace():
            index += 1
        else:
            break
    return index


def text_of(root: MapNode, name: str) -> str | None:
    """The text that stands under a key; None where there is none, or no text."""
    node = root.values.get(name)
    return node.value if isinstance(node, ScalarNode) and isinstance(node.value, str) else None
