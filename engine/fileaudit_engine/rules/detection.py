"""The named detections of a rule: maps of `field|modifier: value`, keywords, and lists of both.

    selection:                      keywords:               mixed:
        User: root                      - mimikatz              - User: root
        Image|endswith: [/vi, /vim]     - 'lsass?dump'          - mimikatz

All items of a map must match, any member of a list. A scalar is a **keyword**: something that stands
anywhere in the event. In a map it has an empty field name, as in `'|all': [a, b]`.

What is checked here is that each field exists, that its modifiers are legal together and with it; its values
are read by `item_values`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fileaudit_engine.diagnostics import Location
from fileaudit_engine.events.fields import BY_NAME, FIELDS, FieldType
from fileaudit_engine.rules.ast import Detection, DetectionItem, DetectionList, DetectionMap
from fileaudit_engine.rules.chains import ResolvedModifiers, problems, resolve
from fileaudit_engine.rules.context import Context
from fileaudit_engine.rules.item_values import ValueReader, refuse_field
from fileaudit_engine.rules.modifiers import MODIFIERS
from fileaudit_engine.rules.nodes import ListNode, MapNode, Node, ScalarNode
from fileaudit_engine.rules.wording import listed, quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionReader:
    """Reads detections, and notes what is wrong.

    Attributes:
        context: The file that they stand in.
    """

    context: Context

    def detection(self, name: ScalarNode, node: Node) -> Detection | None:
        """The detection that stands under the key `name`; None if it is unusable."""
        match node:
            case MapNode():
                return self._map(name.location, node)
            case ListNode():
                return self._list(name, node)
            case ScalarNode(value=None):
                self._empty(name.location, f"the detection {quoted(name.text)} is empty")
                return None
            case ScalarNode():
                return self._keywords([node], name.location, is_list=False)

    def _map(self, where: Location, node: MapNode) -> DetectionMap | None:
        if not node.values:
            self._empty(where, "a map without fields says nothing")
            return None
        items = [self._item(node.keys[key], value) for key, value in node.values.items()]
        usable = tuple(item for item in items if item)
        return DetectionMap(items=usable, location=where) if len(usable) == len(items) else None

    def _list(self, name: ScalarNode, node: ListNode) -> Detection | None:
        if not node.items:
            self._empty(name.location, f"the detection {quoted(name.text)} is an empty list")
            return None
        keywords = [item for item in node.items if isinstance(item, ScalarNode)]
        if len(keywords) == len(node.items):
            return self._keywords(keywords, name.location, is_list=True)
        members = [self._member(item) for item in node.items]
        usable = tuple(member for member in members if member)
        return DetectionList(members=usable, location=name.location) if len(usable) == len(members) else None

    def _member(self, node: Node) -> Detection | None:
        match node:
            case MapNode():
                return self._map(node.location, node)
            case ScalarNode():
                return self._keywords([node], node.location, is_list=False)
            case ListNode():
                message, remedy = "a list in a list says nothing", "write the inner list's maps here"
                self.context.found.error("FA033", message, node.location, help=remedy)
                return None

    def _keywords(
        self, nodes: Sequence[ScalarNode], where: Location, *, is_list: bool
    ) -> DetectionItem | None:
        return self._with_values(None, (), nodes, where, is_list=is_list)

    def _item(self, key: ScalarNode, node: Node) -> DetectionItem | None:
        field, *modifiers = key.text.split("|")
        legal = self._modifiers(key, len(field) + 1, modifiers)
        known = self._known(key, field)
        scalars = self._scalars(key, node)
        if not (known and legal and scalars and self._fitting(key, field, modifiers, legal)):
            return None
        if not key.text:
            remedy = "write 'detection_name: text', or a list of texts; in a map, '|all' with a list of them"
            self.context.found.warning("FA036", "keywords need no empty key", key.location, help=remedy)
        is_list = isinstance(node, ListNode)
        return self._with_values(field or None, tuple(modifiers), scalars, key.location, is_list=is_list)

    def _with_values(
        self,
        field: str | None,
        modifiers: tuple[str, ...],
        nodes: Sequence[ScalarNode],
        where: Location,
        *,
        is_list: bool,
    ) -> DetectionItem | None:
        reader = ValueReader(context=self.context)
        resolved = resolve(modifiers)
        values = [reader.value(node, resolved, keyword=field is None) for node in nodes]
        usable = tuple(value for value in values if value)
        if len(usable) < len(values) or not self._go_together(field, nodes, resolved):
            return None
        return DetectionItem(
            field=field,
            modifiers=modifiers,
            values=usable,
            is_list=is_list,
            timezone=self.context.options.timezone,
            location=where,
        )

    def _known(self, key: ScalarNode, field: str) -> bool:
        """Whether there is such a field; without a name it is the whole event."""
        if not field or field in BY_NAME or self.context.options.allow_unknown_fields:
            return True
        problem = refuse_field(field, (0, len(field)))
        self.context.found.error(problem.code, problem.message, key.inside(0, len(field)), help=problem.help)
        return False

    def _modifiers(self, key: ScalarNode, start: int, names: Sequence[str]) -> ResolvedModifiers | None:
        """`start` is the index in the key of the first name."""
        found = problems(names, keyword=start == 1) if names else ()
        if not found:
            return resolve(names)
        for problem in found:
            where = _place(key, start, names, problem.index)
            self.context.found.error(problem.code, problem.message, where, help=problem.help)
        return None

    def _fitting(
        self, key: ScalarNode, field: str, names: Sequence[str], modifiers: ResolvedModifiers
    ) -> bool:
        """Whether the field is of a type that the modifiers are for."""
        row = BY_NAME.get(field)
        dates = FieldType.DATE in modifiers.fields  # whether a field that nobody knows holds one is seen then
        if not field or (row.type in modifiers.fields if row else dates):
            return True
        index = next(i for i, name in enumerate(names) if MODIFIERS[name].fields == modifiers.fields)
        fitting = [known.name for known in FIELDS if known.type in modifiers.fields]
        noun = "date" if dates else "path"
        self.context.found.error(
            "FA032",
            f"'{names[index]}' is for {noun}s, and {field} is none",
            _place(key, len(field) + 1, names, index),
            help=f"the {noun}s are {listed(fitting, limit=9)}" if fitting else "leave it out",
        )
        return False

    def _scalars(self, key: ScalarNode, node: Node) -> list[ScalarNode]:
        """The values of an item; empty, and noted, if there is none or one is no scalar."""
        items = node.items if isinstance(node, ListNode) else [node]
        if not items:
            self._empty(key.location, f"the list of {quoted(key.text)} is empty")
        bad = [item for item in items if not isinstance(item, ScalarNode)]
        for item in bad:
            self.context.found.error(
                "FA033",
                "a field is compared with texts, numbers, truth values or null",
                item.location,
                help="put one value in each line of the list",
            )
        return [] if bad else [item for item in items if isinstance(item, ScalarNode)]

    def _go_together(
        self, field: str | None, nodes: Sequence[ScalarNode], modifiers: ResolvedModifiers
    ) -> bool:
        """Whether the values can stand in one list."""
        if len(nodes) == 1:
            return True
        if modifiers.kind == "exists":
            message, remedy = "'exists' takes one value", "write true or false"
            self.context.found.error("FA033", message, nodes[1].location, help=remedy)
            return False
        null = next((node for node in nodes if node.value is None), None)
        if null is None or field is None:
            return True
        self.context.found.error(
            "FA033",
            "null cannot be part of a list of values",
            null.location,
            help=f"give it a detection of its own, such as 'empty: {{{field}: null}}', joined by 'or'",
        )
        return False

    def _empty(self, where: Location, message: str) -> None:
        self.context.found.error("FA035", message, where, help="give it a value, or remove it")


def _place(key: ScalarNode, start: int, names: Sequence[str], index: int) -> Location:
    """Where the modifier number `index` stands in a key whose first one begins at `start`."""
    begin = start + sum(len(name) + 1 for name in names[:index])
    return key.inside(begin, begin + len(names[index]))
