"""The named detections of a rule: maps of `field|modifier: value`, and lists of such maps.

Every value keeps its place and its spelling; wildcards and escapes are read by the compiler. What is checked
here is that each field exists, that its modifiers are legal together and take the type of each value, and
that a regular expression can be run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fileaudit_engine.diagnostics import Collector, Location
from fileaudit_engine.events.fields import BY_NAME, FIELDS, nearest
from fileaudit_engine.rules.ast import Detection, DetectionItem, DetectionList, DetectionMap, SigmaValue
from fileaudit_engine.rules.expressions import ExpressionChecker
from fileaudit_engine.rules.modifiers import ResolvedModifiers, ValueType, problems, resolve
from fileaudit_engine.rules.nodes import ListNode, MapNode, Node, ScalarNode
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.wording import MAX_SHOWN, listed, quoted

_FIELD_NAMES = [field.name for field in FIELDS]
_KEYWORDS_HELP = "name the field, such as 'CommandLine|contains: …'"


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionReader:
    """Reads detections, noting in `found` what is wrong.

    Attributes:
        found: Where findings go.
        expressions: Checks the regular expressions of the file.
        options: What the user decided about the reading.
    """

    found: Collector
    expressions: ExpressionChecker
    options: RuleOptions

    def detection(self, name: ScalarNode, node: Node) -> Detection | None:
        """The detection that stands under the key `name`; None if it is unusable."""
        match node:
            case MapNode():
                return self._map(name.location, node)
            case ListNode():
                return self._list(name, node)
            case ScalarNode(value=None):
                self._empty(name.location, f"the detection {quoted(name.text)} is empty")
            case ScalarNode():
                self._keyword(node.location)
        return None

    def _map(self, where: Location, node: MapNode) -> DetectionMap | None:
        if not node.values:
            self._empty(where, "a map without fields says nothing")
            return None
        items = [self._item(node.keys[key], value) for key, value in node.values.items()]
        usable = tuple(item for item in items if item)
        return DetectionMap(items=usable, location=where) if len(usable) == len(items) else None

    def _list(self, name: ScalarNode, node: ListNode) -> DetectionList | None:
        if not node.items:
            self._empty(name.location, f"the detection {quoted(name.text)} is an empty list")
            return None
        keywords = [item for item in node.items if isinstance(item, ScalarNode)]
        if keywords:
            self._keyword(keywords[0].location)
        members = [self._map(item.location, item) for item in node.items if isinstance(item, MapNode)]
        for item in node.items:
            if isinstance(item, ListNode):
                self.found.error(
                    "FA033",
                    "a list in a list says nothing",
                    item.location,
                    help="write the inner list's maps here",
                )
        usable = tuple(member for member in members if member)
        return (
            DetectionList(members=usable, location=name.location) if len(usable) == len(node.items) else None
        )

    def _item(self, key: ScalarNode, node: Node) -> DetectionItem | None:
        field, *modifiers = key.text.split("|")
        legal = self._modifiers(key, len(field) + 1, modifiers)
        known = self._field(key, field)
        scalars = self._scalars(key, node)
        if not (known and legal and scalars):
            return None
        values = [self._value(scalar, legal) for scalar in scalars]
        usable = tuple(value for value in values if value)
        if len(usable) < len(values):
            return None
        return DetectionItem(
            field=field,
            modifiers=tuple(modifiers),
            values=usable,
            is_list=isinstance(node, ListNode),
            location=key.location,
        )

    def _field(self, key: ScalarNode, field: str) -> bool:
        if not field:
            self._keyword(key.location)
            return False
        if field in BY_NAME or self.options.allow_unknown_fields:
            return True
        close = nearest(field[:MAX_SHOWN])
        self.found.error(
            "FA040",
            f"unknown field {quoted(field)}",
            key.inside(0, len(field)),
            help=f"did you mean '{close}'?" if close else f"the fields are {listed(_FIELD_NAMES, limit=9)}",
        )
        return False

    def _modifiers(self, key: ScalarNode, start: int, names: Sequence[str]) -> ResolvedModifiers | None:
        """`start` is the index in the key of the first name."""
        found = problems(names) if names else ()
        if not found:
            return resolve(names)
        starts = [start]
        for name in names:
            starts.append(starts[-1] + len(name) + 1)
        for problem in found:
            begin = starts[problem.index]
            where = key.inside(begin, begin + len(names[problem.index]))
            self.found.error(problem.code, problem.message, where, help=problem.help)
        return None

    def _scalars(self, key: ScalarNode, node: Node) -> list[ScalarNode]:
        """The values of an item; empty, and noted, if there is none or one is no scalar."""
        items = node.items if isinstance(node, ListNode) else [node]
        if not items:
            self._empty(key.location, f"the list of {quoted(key.text)} is empty")
        bad = [item for item in items if not isinstance(item, ScalarNode)]
        for item in bad:
            self.found.error(
                "FA033",
                "a field is compared with texts, numbers, truth values or null",
                item.location,
                help="put one value in each line of the list",
            )
        return [] if bad else [item for item in items if isinstance(item, ScalarNode)]

    def _value(self, node: ScalarNode, modifiers: ResolvedModifiers) -> SigmaValue | None:
        kind = _type_of(node)
        if kind not in modifiers.takes:
            self._wrong_type(node, kind, modifiers)
            return None
        if isinstance(node.value, float) and not math.isfinite(node.value):
            self.found.error(
                "FA037", "no event has this number", node.location, help="put it in quotes if a text is meant"
            )
            return None
        if modifiers.kind == "re":
            return self._expression(node, modifiers.re_flags)
        # Where text is compared, a number is what was written, not what it amounts to: 0x1f, 1.50.
        as_text = kind is ValueType.NUMBER and (modifiers.kind != "plain" or modifiers.cased)
        return SigmaValue(value=node.text if as_text else node.value, location=node.location)

    def _wrong_type(self, node: ScalarNode, kind: ValueType, modifiers: ResolvedModifiers) -> None:
        wanted = " or ".join(each.value for each in ValueType if each in modifiers.takes)
        self.found.error(
            "FA033",
            f"expected a {wanted}, found {'null' if kind is ValueType.NULL else 'a ' + kind.value}",
            node.location,
            help="put it in quotes if a text is meant"
            if kind is not ValueType.NULL
            else "write null without a modifier, or '' for the empty text",
        )

    def _expression(self, node: ScalarNode, flags: str) -> SigmaValue | None:
        problem = self.expressions.problem(node.text, flags)
        if problem is None:
            return SigmaValue(value=node.text, location=node.location)
        where = node.inside(problem.start, problem.end)
        self.found.error("FA034", problem.message, where, help=problem.help)
        return None

    def _keyword(self, where: Location) -> None:
        self.found.error(
            "FA036", "keyword searches are not supported by this version", where, help=_KEYWORDS_HELP
        )

    def _empty(self, where: Location, message: str) -> None:
        self.found.error("FA035", message, where, help="give it a value, or remove it")


def _type_of(node: ScalarNode) -> ValueType:
    match node.value:
        case None:
            return ValueType.NULL
        case bool():
            return ValueType.BOOLEAN
        case int() | float():
            return ValueType.NUMBER
        case _:
            return ValueType.TEXT
