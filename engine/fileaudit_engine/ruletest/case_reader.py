"""From the YAML of a test file to its cases.

The shape is that of `schemas/test.schema.json`, which editors use; here every deviation gets its own message,
place and remedy. A case with anything wrong in it is left out, its neighbours are not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from fileaudit_engine.diagnostics import Collector, Location
from fileaudit_engine.events.document import is_derived
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.rules.ast import Scalar
from fileaudit_engine.rules.nodes import ListNode, MapNode, Node, ScalarNode
from fileaudit_engine.ruletest.cases import CASE_START_NS, Case, CaseEvent, Expectation
from fileaudit_engine.ruletest.inline import AT, Defaults, member, read_event
from fileaudit_engine.ruletest.nodes import (
    as_duration_ns,
    as_list,
    as_map,
    as_text,
    as_time_ns,
    check_keys,
    shown,
)
from fileaudit_engine.ruletest.recorded import Recordings

FILE_KEYS: Final = ("defaults", "tests")
CASE_KEYS: Final = ("name", "start", "events", "events_from", "alerts", "audit")
EXPECTATION_KEYS: Final = ("rule", "level", "at", "fields")
_NO_DEFAULTS: Final = {
    AT: ("an event", "move it to the events"),
    "start": ("a case", "move it to the cases, beside their 'events'"),
}
"""Keys that no default is for: what has them, and the remedy."""
LEVELS: Final = ("informational", "low", "medium", "high", "critical")


@dataclass(slots=True)
class CaseReader:
    """Reads the documents of one file.

    Attributes:
        file: Its name, as `Location.file` has it.
        recordings: Opens what `events_from` names.
        found: Everything that is wrong with the file.
    """

    file: str
    recordings: Recordings
    found: Collector = field(default_factory=Collector)
    _first: dict[str, Location] = field(default_factory=dict)
    """Where each case name stood first."""

    def read(self, root: Node) -> Iterator[Case]:
        """The usable cases of a document."""
        document = as_map(root, "a test file", self.found)
        if document is None:
            return
        check_keys(document, FILE_KEYS, "a test file", self.found)
        defaults = self._defaults(document)
        tests = document.values.get("tests")
        if tests is None:
            self.found.error(
                "FA060", "the file has no 'tests'", document.location, help="add 'tests:', a list of cases"
            )
            return
        listed = as_list(tests, "'tests'", self.found, place=self._place(document, "tests"))
        for node in listed.items if listed else ():
            case = self._whole(node, defaults)
            if case is not None:
                yield case

    def _defaults(self, document: MapNode) -> Defaults:
        node = document.values.get("defaults")
        if node is None:
            return Defaults(None)
        place = self._place(document, "defaults")
        fields = as_map(node, "'defaults'", self.found, place=place)
        if fields is None:
            return Defaults(None)
        misplaced = [name for name in _NO_DEFAULTS if name in fields.keys]
        for name in misplaced:
            owner, remedy = _NO_DEFAULTS[name]
            self.found.error("FA061", f"'{name}' belongs to {owner}", self._place(fields, name), help=remedy)
        return Defaults(None if misplaced else fields)

    def _whole(self, node: Node, defaults: Defaults) -> Case | None:
        """The case if nothing is wrong with it."""
        before = len(self.found.diagnostics)
        case = self._case(node, defaults)
        return case if len(self.found.diagnostics) == before else None

    def _case(self, node: Node, defaults: Defaults) -> Case | None:
        fields = as_map(node, "a test case", self.found)
        if fields is None:
            return None
        check_keys(fields, CASE_KEYS, "a test case", self.found)
        name = self._name(fields)
        place = fields.values["name"].location if name else fields.location
        start = fields.values.get("start")
        start_ns = as_time_ns(start, self.found) if start is not None else None
        events = self._events(fields, defaults, place, CASE_START_NS if start_ns is None else start_ns)
        alerts, audit = self._expected(fields, "alerts"), self._expected(fields, "audit")
        if alerts is None and audit is None and not {"alerts", "audit"} & fields.keys.keys():
            self.found.error(
                "FA066", "the case expects nothing", place, help="add 'alerts: []' if nothing may fire"
            )
        if name is None:
            return None
        return Case(
            name=name,
            file=self.file,
            events=events,
            alerts=alerts or (),
            audit=audit,
            location=place,
            start_ns=start_ns,
        )

    def _name(self, fields: MapNode) -> str | None:
        node = fields.values.get("name")
        if node is None:
            self.found.error("FA060", "the case has no 'name'", fields.location, help="say what it shows")
            return None
        name = as_text(node, "'name'", self.found)
        if name is None:
            return None
        first = self._first.get(name)
        if first is None:
            self._first[name] = node.location
        else:
            self.found.error(
                "FA065",
                f"two cases are called '{shown(name)}'",
                node.location,
                label=f"first on line {first.line}",
                help="give each its own name: reports and -k know cases by it",
            )
        return name

    def _events(
        self, fields: MapNode, defaults: Defaults, place: Location, start_ns: int
    ) -> tuple[CaseEvent, ...]:
        inline, recorded = fields.values.get("events"), fields.values.get("events_from")
        if inline is not None and recorded is not None:
            self.found.error(
                "FA066",
                "a case has 'events' or 'events_from', not both",
                self._place(fields, "events_from"),
                help="make two cases of it",
            )
            return ()
        if recorded is not None:
            path = as_text(recorded, "'events_from'", self.found)
            if path is None:
                return ()
            return self.recordings.read(path, recorded.location, self.found, start_ns=start_ns)
        if inline is None:
            self.found.error(
                "FA066",
                "the case has no events",
                place,
                help="add 'events:', or 'events_from:' with a recording",
            )
            return ()
        return self._inline(inline, defaults, self._place(fields, "events"), start_ns)

    def _inline(
        self, node: Node, defaults: Defaults, place: Location, start_ns: int
    ) -> tuple[CaseEvent, ...]:
        listed = as_list(node, "'events'", self.found, place=place)
        if listed is None:
            return ()
        if not listed.items:
            self.found.error(
                "FA066", "the case has no events", place, help="a case without events proves nothing"
            )
        maps = (as_map(item, "an event", self.found) for item in listed.items)
        allow = self.recordings.allow_unknown_fields
        events = (
            read_event(fields, defaults, self.found, start_ns=start_ns, allow_unknown_fields=allow)
            for fields in maps
            if fields is not None
        )
        return tuple(event for event in events if event is not None)

    def _expected(self, fields: MapNode, key: str) -> tuple[Expectation, ...] | None:
        node = fields.values.get(key)
        if node is None:
            return None
        listed = as_list(node, f"'{key}'", self.found, place=self._place(fields, key))
        if listed is None:
            return None
        return tuple(e for e in map(self._expectation, listed.items) if e is not None)

    def _expectation(self, node: Node) -> Expectation | None:
        fields = as_map(node, "an expected alert", self.found)
        if fields is None:
            return None
        check_keys(fields, EXPECTATION_KEYS, "an expected alert", self.found)
        at = fields.values.get("at")
        named = fields.values.get("rule")
        if named is None:
            self.found.error(
                "FA060", "the expected alert has no 'rule'", fields.location, help="name its rule"
            )
        return Expectation(
            rule=(as_text(named, "'rule'", self.found) if named is not None else None) or "",
            level=self._level(fields.values.get("level")),
            at_ns=as_duration_ns(at, self.found) if at is not None else None,
            fields=self._fields(fields.values.get("fields")),
            location=fields.location,
            rule_location=named.location if named is not None else fields.location,
        )

    def _level(self, node: Node | None) -> str | None:
        if node is None:
            return None
        level = as_text(node, "'level'", self.found)
        if level is not None and level not in LEVELS:
            self.found.error(
                "FA060",
                f"no level is called '{shown(level)}'",
                node.location,
                help=f"one of {', '.join(LEVELS)}",
            )
        return level

    def _fields(self, node: Node | None) -> dict[str, Scalar | tuple[Scalar, ...]]:
        if node is None:
            return {}
        fields = as_map(node, "'fields'", self.found)
        return dict(self._members(fields, "")) if fields else {}

    def _members(self, fields: MapNode, prefix: str) -> Iterator[tuple[str, Scalar | tuple[Scalar, ...]]]:
        for key, value in fields.values.items():
            name = f"{prefix}{key}"
            self._check_ecs(name, fields.keys[key].location)
            if isinstance(value, MapNode):
                yield from self._members(value, f"{name}.")
            elif isinstance(value, ScalarNode):
                yield name, value.value
            else:
                yield name, tuple(self._scalars(value))

    def _scalars(self, node: ListNode) -> Iterator[Scalar]:
        for item in node.items:
            if isinstance(item, ScalarNode):
                yield item.value
            else:
                self.found.error(
                    "FA060",
                    "a field is compared with a value, or a list of values",
                    item.location,
                    help="name what is inside by its dotted place, such as process.parent.name",
                )

    def _check_ecs(self, name: str, place: Location) -> None:
        """Alerts are ECS documents: no Sigma name is found in one, nor what only follows from others."""
        row = BY_NAME.get(name)
        if row is None:
            return
        if row.computed and not is_derived(row.ecs):
            remedy = "it follows from other fields: name those"
        elif row.ecs != name:
            remedy = f"write '{row.ecs}', where alerts carry it"
        else:
            return
        self.found.error("FA063", f"an alert has no field '{name}'", place, help=remedy)

    @staticmethod
    def _place(fields: MapNode, key: str) -> Location:
        return member(fields, key) or fields.location
