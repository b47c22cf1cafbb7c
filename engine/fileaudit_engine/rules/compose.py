"""Events of the YAML parser become nodes; what other loaders take without a word is refused here.

A key that stands twice, an alias that unfolds into millions of nodes, nesting without end, tags that make
objects, a list as a key. Whatever leaves the document readable is noted in `found` and composing goes on;
what does not raises `DocumentUnusableError` after it was noted.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from fileaudit_engine.diagnostics import Collector, Location, SourceText
from fileaudit_engine.rules.ast import Scalar
from fileaudit_engine.rules.nodes import MAX_DEPTH, ListNode, MapNode, Node, ScalarNode
from fileaudit_engine.rules.scalars import core_scalar
from fileaudit_engine.rules.wording import quoted
from fileaudit_engine.text import printable

try:
    from yaml.cyaml import CParser as _Parser  # type: ignore[attr-defined] # the stubs only re-export it
except ImportError:  # PyYAML was built without libyaml: the same events, ten times slower
    from yaml.parser import Parser as _EventParser
    from yaml.reader import Reader as _Reader
    from yaml.scanner import Scanner as _Scanner

    class _Parser(_Reader, _Scanner, _EventParser):  # type: ignore[no-redef]
        def __init__(self, text: str) -> None:
            _Reader.__init__(self, text)
            _Scanner.__init__(self)
            _EventParser.__init__(self)


MAX_NODES = 200_000
"""Nodes of one document with its aliases unfolded: the bound of an alias bomb."""

MAX_UNFOLDED = MAX_NODES
"""Nodes that the aliases of all documents of one file may add to what is written there: else a file of many
small bombs would take hours."""

_UNWRITABLE = re.compile(
    r"[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_MAP_TAG, _LIST_TAG, _TEXT_TAG = (f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str"))
_TAGGED_TYPES: dict[str, tuple[type, ...]] = {
    "tag:yaml.org,2002:int": (int,),
    "tag:yaml.org,2002:float": (float, int),
    "tag:yaml.org,2002:bool": (bool,),
    "tag:yaml.org,2002:null": (type(None),),
}


class DocumentUnusableError(Exception):
    """The rest of the document means nothing; the reason is among its diagnostics."""


@dataclass(frozen=True, slots=True)
class _Anchored:
    """An anchored node, with what an alias of it adds to the document."""

    node: Node
    nodes: int
    levels: int


@dataclass(slots=True)
class Unfolded:
    """How many nodes the aliases of a file have added so far, in all of its documents."""

    nodes: int = 0


class Composer:
    """Makes nodes of the events of `source.text[start:end]`."""

    def __init__(self, source: SourceText, start: int, end: int, unfolded: Unfolded) -> None:
        self.found = Collector()
        self._unfolded = unfolded
        self._source, self._base, self._end = source, start, end
        self._events = _Parser(source.text[start:end])
        self._nodes = 0
        self._deepest = 0
        self._anchors: dict[str, _Anchored] = {}

    def forbidden_characters(self) -> None:
        """Refuse what may not be written in YAML, or would be read otherwise than it is shown."""
        if bad := _UNWRITABLE.search(self._source.text, self._base, self._end):
            self.found.error(
                "FA003",
                f"the character {printable(bad[0])} may not stand in a rule file",
                self._source.location(bad.start(), bad.end()),
                help=f'in double quotes it can be written as "\\u{ord(bad[0]):04x}"'
                if ord(bad[0])
                else "remove it",
            )
            raise DocumentUnusableError

    def document(self) -> Node | None:
        """The next document's root; None at the end of the stream."""
        event = self._events.get_event()
        while not isinstance(event, yaml.DocumentStartEvent):
            if event is None or isinstance(event, yaml.StreamEndEvent):
                return None
            event = self._events.get_event()
        self._nodes, self._deepest, self._anchors = 0, 0, {}
        return self._node(self._events.get_event(), 0)

    # An event is Any: PyYAML's C events carry no types.
    def _node(self, event: Any, depth: int) -> Node:  # noqa: ANN401
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            self._refuse_size(event, depth)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        if event.anchor is not None:
            return self._anchored(event, depth)
        return self._scalar(event) if isinstance(event, yaml.ScalarEvent) else self._collection(event, depth)

    def _anchored(self, event: Any, depth: int) -> Node:  # noqa: ANN401 - see _node
        before, deepest = self._nodes - 1, self._deepest
        self._deepest = depth
        node = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else self._collection(event, depth)
        self._anchors[event.anchor] = _Anchored(node, self._nodes - before, self._deepest - depth)
        self._deepest = max(self._deepest, deepest)
        return node

    def _collection(self, event: Any, depth: int) -> Node:  # noqa: ANN401 - see _node
        self._deepest = max(self._deepest, depth + 1)
        if isinstance(event, yaml.MappingStartEvent):
            self._known_tag(event, _MAP_TAG)
            return self._map(event, depth)
        self._known_tag(event, _LIST_TAG)
        return self._list(event, depth)

    def _refuse_size(self, event: Any, depth: int) -> None:  # noqa: ANN401 - see _node
        if depth > MAX_DEPTH:
            message, remedy = f"nested more than {MAX_DEPTH} levels deep", "flatten it"
        else:
            what = "document unfolds" if self._nodes > MAX_NODES else "file's aliases unfold"
            message = f"the {what} into more than {MAX_NODES:,} values"
            remedy = "split it into several documents, and do not nest aliases"
        self.found.error("FA007", message, self._place(event), help=remedy)
        raise DocumentUnusableError

    def _alias(self, event: Any, depth: int) -> Node:  # noqa: ANN401 - see _node
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            self.found.error(
                "FA006",
                f"the alias {quoted('*' + event.anchor)} has no anchor before it",
                self._place(event),
                help=f"a wildcard needs quotes: {quoted('*' + event.anchor)}; an anchor is set with '&'",
            )
            raise DocumentUnusableError
        self._nodes += anchored.nodes
        self._unfolded.nodes += anchored.nodes
        self._deepest = max(self._deepest, depth + anchored.levels)
        too_many = self._nodes > MAX_NODES or self._unfolded.nodes > MAX_UNFOLDED
        if too_many or self._deepest > MAX_DEPTH:
            self._refuse_size(event, self._deepest)
        return anchored.node

    def _scalar(self, event: Any) -> ScalarNode:  # noqa: ANN401 - see _node
        text, tag, style = event.value, event.tag, event.style or ""
        if tag is None:
            value = text if style else core_scalar(text)
        else:
            value = text if tag in {"!", _TEXT_TAG} else self._tagged(event)
        start, end = event.start_mark.index, event.end_mark.index
        return ScalarNode(self._source, self._base + start, self._base + end, value, text, style)

    def _tagged(self, event: Any) -> Scalar:  # noqa: ANN401 - see _node
        value = core_scalar(event.value)
        if type(value) not in _TAGGED_TYPES.get(event.tag, ()):
            self._bad_tag(event)
        return value

    def _known_tag(self, event: Any, tag: str) -> None:  # noqa: ANN401 - see _node
        if event.tag not in {None, "!", tag}:
            self._bad_tag(event)

    def _bad_tag(self, event: Any) -> None:  # noqa: ANN401 - see _node
        self.found.error(
            "FA009",
            f"the tag {quoted(event.tag)} means nothing here",
            self._place(event),
            help="remove it, or put a value that begins with '!' in single quotes",
        )

    def _list(self, event: Any, depth: int) -> ListNode:  # noqa: ANN401 - see _node
        items: list[Node] = []
        while not isinstance(inner := self._events.get_event(), yaml.SequenceEndEvent):
            items.append(self._node(inner, depth + 1))
        return ListNode(
            self._source, self._base + event.start_mark.index, self._base + event.start_mark.index, items
        )

    def _map(self, event: Any, depth: int) -> MapNode:  # noqa: ANN401 - see _node
        keys: dict[str, ScalarNode] = {}
        values: dict[str, Node] = {}
        merged: list[MapNode] = []
        while not isinstance(inner := self._events.get_event(), yaml.MappingEndEvent):
            key = self._node(inner, depth + 1)
            value = self._node(self._events.get_event(), depth + 1)
            if not isinstance(key, ScalarNode):
                self._complex_key(inner)
            elif key.text == "<<" and not key.style:
                merged += self._merged(key, value)
            elif key.text in keys:
                self._duplicate(key, keys[key.text])
            else:
                keys[key.text] = key
                values[key.text] = value
        for other in merged:
            for name in (name for name in other.values if name not in values):  # in the order of the document
                keys[name], values[name] = other.keys[name], other.values[name]
        start = self._base + event.start_mark.index
        first = next(iter(keys.values()), None)
        return MapNode(self._source, start, first.end if first and not merged else start, keys, values)

    def _complex_key(self, event: Any) -> None:  # noqa: ANN401 - see _node
        self.found.error(
            "FA008",
            "a list or a map cannot be a key",
            self._place(event),
            help="quote it if a text that begins with '[' or '{' is meant",
        )

    def _duplicate(self, key: ScalarNode, first: ScalarNode) -> None:
        line = first.location.line
        self.found.error(
            "FA005",
            f"the key {quoted(key.text)} stands twice in this map",
            key.location,
            label=f"first on line {line}",
            help="keep one of the two, or join their values in a list",
        )

    def _merged(self, key: ScalarNode, value: Node) -> list[MapNode]:
        """The maps that a merge key brings in."""
        nodes = value.items if isinstance(value, ListNode) else [value]
        maps = [node for node in nodes if isinstance(node, MapNode)]
        if len(maps) < len(nodes):
            self.found.error(
                "FA006",
                "'<<' takes a map, or a list of maps",
                key.location,
                help="write '<<: *anchor_of_a_map'",
            )
        return maps

    def _place(self, event: Any) -> Location:  # noqa: ANN401 - see _node
        return self._source.location(self._base + event.start_mark.index, self._base + event.end_mark.index)
