"""The configuration file: YAML, every mistake in it reported with its line.

A key that is read over without a word would be a promise that nobody keeps. So there are three kinds of
keys: those that this version acts on, those that are planned and not there yet, and mistakes. The last two
are errors.

Relative paths in it are relative to the file, not to wherever the command was started.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.detect.places import PLACES, UNIQUE, is_place
from fileaudit_engine.detect.suppress import Suppress
from fileaudit_engine.diagnostics import Collector, UnusableInput, unusable_file
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.rules.nodes import ListNode, MapNode, Node, ScalarNode
from fileaudit_engine.rules.options import DEFAULTS
from fileaudit_engine.rules.source import MAX_FILE_BYTES, decode, read_documents
from fileaudit_engine.rules.wording import nearest_of, quoted
from fileaudit_engine.sinks.settings import JsonLogSettings
from fileaudit_engine.store.settings import StoreSettings

DEFAULT_STORE: Final = Path("/var/lib/fileaudit/fileaudit.db")
"""Where `run` keeps its store unless told otherwise."""

PLACEHOLDER_NAME: Final = re.compile(r"[\w.-]+")
"""What stands between the percent signs of a placeholder."""

LENGTH: Final = re.compile(r"(0|[1-9][0-9]{0,11})(ns|us|ms|s|m|h|d|w)")
"""A length of time: Sigma's form, and the units below a second."""

LIMITS: Final[Mapping[str, tuple[int, int, str]]] = {
    "groups": (1, 10_000_000, "a million groups take about a gigabyte of memory"),
    "events": (1, 1_000_000, "a sum or an average is computed from every one of them"),
    "entries": (1, 100_000_000, "a million take about 250 megabytes; a group counts as three of them"),
    "listed": (1, 10_000, "each takes 35 bytes of the alert's document"),
    "held": (0, 1_000_000, "each takes about a kilobyte of memory"),
    "waiting": (1, 10_000_000, "each takes about a kilobyte of memory"),
}
"""The numbers below `correlation`: the least, the most, and what they cost."""

_MOST_LATE_NS: Final = 10 * UNITS_NS["m"]
_SHORTEST_NS, _LONGEST_NS = UNITS_NS["ms"], 30 * UNITS_NS["d"]

_PLANNED: Final = frozenset({"routes", "sinks", "store.retention"})
"""Keys of the contract whose work no part of this version does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a configuration file says; the defaults are those of a file that says nothing.

    Attributes:
        rules: Rule files and folders; empty: the shipped ones.
        store_path: The store; None: each command's own default.
        placeholders: As `RuleOptions.placeholders`.
        timezone: As `RuleOptions.timezone`.
        suppress: Which alerts repeat others and are folded; None: all are told.
        limits: How much correlations may hold.
        store: How long the store keeps what it has, and where its anchors go.
        json_log: The JSON log; None: there is none.
    """

    rules: tuple[Path, ...] = ()
    store_path: Path | None = None
    placeholders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    timezone: str = DEFAULTS.timezone
    suppress: Suppress | None = None
    limits: Limits = field(default_factory=Limits)
    store: StoreSettings = field(default_factory=StoreSettings)
    json_log: JsonLogSettings | None = None


def load_config(path: Path | str | None) -> Config:
    """The configuration in a file; the defaults if there is none.

    Raises:
        UnusableInput: With everything that is wrong with the file.
    """
    return Config() if path is None else parse_config(_read(Path(path)), Path(path))


def parse_config(raw: bytes, path: Path) -> Config:
    """The configuration in the content of a file.

    Raises:
        UnusableInput: As `load_config`.
    """
    reading = _Reading(folder=path.absolute().parent, problems=Collector())
    source, diagnostics = decode(str(path), raw)
    reading.problems.diagnostics += diagnostics
    documents = [] if source is None or diagnostics else list(read_documents(source))
    for document in documents:
        reading.problems.diagnostics += document.diagnostics
    if len(documents) > 1 and documents[1].root is not None:
        reading.problems.error(
            "FA083", "the configuration is more than one document", documents[1].root.location
        )
    if not reading.problems.diagnostics and documents and documents[0].root is not None:
        reading.map("", documents[0].root, _KEYS)
    if reading.problems.diagnostics:
        raise UnusableInput(reading.problems.diagnostics, {str(path): source} if source else None)
    return Config(
        rules=tuple(reading.rules),
        store_path=reading.store_path,
        placeholders=reading.placeholders,
        timezone=reading.timezone,
        suppress=reading.suppress,
        limits=Limits(**reading.limits),
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        message = f"the configuration cannot be read: {error.strerror or error}"
        raise unusable_file("FA080", str(path), message) from error


class _Reading:
    """What is gathered from one file."""

    def __init__(self, *, folder: Path, problems: Collector) -> None:
        self.problems = problems
        self.rules: list[Path] = []
        self.store_path: Path | None = None
        self.placeholders: dict[str, tuple[str, ...]] = {}
        self.timezone = DEFAULTS.timezone
        self.suppress: Suppress | None = None
        self.limits: dict[str, int] = {}
        self._by: tuple[str, ...] = ()
        self._for_ns = 0
        self._folder = folder

    def map(self, prefix: str, node: Node, keys: "Mapping[str, _Reader]") -> None:
        """Read a map whose keys are `keys`; `prefix` is its own place, with a dot behind."""
        if not isinstance(node, MapNode):
            self._wrong(node, prefix.removesuffix(".") or "the configuration", "a map")
            return
        for key, value in node.values.items():
            name = f"{prefix}{key}"
            if key in keys:
                keys[key](self, value)
            elif name in _PLANNED:
                self.problems.error(
                    "FA082",
                    f"'{name}' is not supported in this version",
                    node.keys[key].location,
                    help="remove it",
                )
            else:
                self._unknown(name, node.keys[key], keys)

    def read_rules(self, node: Node) -> None:
        """`rules`: a path, or a list of them."""
        for item in node.items if isinstance(node, ListNode) else [node]:
            path = self._path(item, "rules")
            if path is not None:
                self.rules.append(path)

    def read_store(self, node: Node) -> None:
        """`store`: a map."""
        self.map("store.", node, _STORE_KEYS)

    def read_store_path(self, node: Node) -> None:
        """`store.path`: a path."""
        self.store_path = self._path(node, "store.path")

    def read_placeholders(self, node: Node) -> None:
        """`placeholders`: values by name, each a text or a number, or a list of them."""
        if not isinstance(node, MapNode):
            self._wrong(node, "placeholders", "a map")
            return
        for name, value in node.values.items():
            if not PLACEHOLDER_NAME.fullmatch(name):
                self.problems.error(
                    "FA083",
                    f"{quoted(name)} cannot be the name of a placeholder",
                    node.keys[name].location,
                    help="use letters, digits, '_', '-' and '.'; the percent signs stand in rules only",
                )
            elif values := self._values(value, f"placeholders.{name}"):
                self.placeholders[name] = values

    def read_timezone(self, node: Node) -> None:
        """`timezone`: the IANA name of a zone that this host knows."""
        name = node.value if isinstance(node, ScalarNode) else None
        if not isinstance(name, str) or not name:
            self._wrong(node, "timezone", "the name of a time zone, such as Europe/Berlin")
        elif is_zone(name):
            self.timezone = name
        else:
            message = f"there is no time zone {quoted(name)} on this host"
            self.problems.error("FA084", message, node.location, help=_zone_remedy(name))

    def read_suppress(self, node: Node) -> None:
        """`suppress`: a map that says what is the same, and for how long."""
        self.map("suppress.", node, _SUPPRESS_KEYS)
        missing = _SUPPRESS_KEYS.keys() - node.values.keys() if isinstance(node, MapNode) else ()
        for name in sorted(missing):
            self.problems.error(
                "FA083", f"'suppress' needs '{name}'", node.location, help=f"add '{_SUPPRESS_EXAMPLES[name]}'"
            )
        if self._by and self._for_ns:
            self.suppress = Suppress(by=self._by, for_ns=self._for_ns)

    def read_suppress_by(self, node: Node) -> None:
        """`suppress.by`: a place in alerts, or a list of them."""
        items = node.items if isinstance(node, ListNode) else [node]
        if not items:
            self._wrong(node, "suppress.by", "a place in alerts such as file.path, or a list of them")
        places: dict[str, None] = {}
        for item in items:
            place = self._place(item)
            if place in places:
                self.problems.error(
                    "FA083", f"{quoted(place)} is there twice", item.location, help="remove one"
                )
            elif place is not None:
                places[place] = None
        self._by = tuple(places)

    def read_suppress_for(self, node: Node) -> None:
        """`suppress.for`: a length of time."""
        cost = "repeats are reported when it is over: a report a month later serves nobody"
        self._for_ns = self._length(node, "suppress.for", (_SHORTEST_NS, _LONGEST_NS), ("1ms", "30d", cost))

    def read_correlation(self, node: Node) -> None:
        """`correlation`: a map."""
        self.map("correlation.", node, _CORRELATION_KEYS)

    def read_lateness(self, node: Node) -> None:
        """`correlation.lateness`: a length of time."""
        cost = "every alert of a correlation waits that long"
        bounds = 0, _MOST_LATE_NS
        self.limits["lateness_ns"] = self._length(node, "correlation.lateness", bounds, ("0s", "10m", cost))

    def read_limit(self, name: str, node: Node) -> None:
        """Another member of `correlation`: a whole number."""
        least, most, cost = LIMITS[name]
        number = node.value if isinstance(node, ScalarNode) else None
        if not isinstance(number, int) or isinstance(number, bool):
            self._wrong(node, f"correlation.{name}", "a whole number")
        elif least <= number <= most:
            self.limits[name] = number
        else:
            self._wrong(node, f"correlation.{name}", f"between {least:,} and {most:,}", cost)

    def _length(self, node: Node, name: str, bounds_ns: tuple[int, int], shown: tuple[str, str, str]) -> int:
        """A length of time in nanoseconds; 0, and noted, if it is none or out of bounds."""
        text = node.value if isinstance(node, ScalarNode) else None
        found = LENGTH.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            units = f"write a number and one of {', '.join(UNITS_NS)}"
            self._wrong(node, name, "a length of time such as 200ms or 10m", units)
            return 0
        length_ns = int(found[1]) * UNITS_NS[found[2]]
        if bounds_ns[0] <= length_ns <= bounds_ns[1]:
            return length_ns
        self._wrong(node, name, f"between {shown[0]} and {shown[1]}", shown[2])
        return 0

    def _place(self, node: Node) -> str | None:
        """A place that alerts have in common; None, and noted, if it is none."""
        name = node.value if isinstance(node, ScalarNode) else None
        if not isinstance(name, str):
            self._wrong(node, "suppress.by", "a place in alerts such as file.path, or a list of them")
        elif is_place(name):
            return name
        elif name in UNIQUE:
            message = f"no two alerts have the same {quoted(name)}: nothing would be folded"
            self.problems.error("FA085", message, node.location, help="remove it")
        else:
            message = f"no alert has {quoted(name)}"
            self.problems.error("FA085", message, node.location, help=_place_remedy(name))
        return None

    def _values(self, node: Node, name: str) -> tuple[str, ...]:
        """What a placeholder stands for, as written; empty, and noted, if that is nothing."""
        items = node.items if isinstance(node, ListNode) else [node]
        bad = next((item for item in items if not _is_text_or_number(item)), None)
        if bad is not None or not items:
            self._wrong(bad or node, name, "a text or a number, or a list of them")
            return ()
        return tuple(item.text for item in items if isinstance(item, ScalarNode))

    def _path(self, node: Node, name: str) -> Path | None:
        text = node.value if isinstance(node, ScalarNode) else None
        if not isinstance(text, str) or not text or "\0" in text:
            self._wrong(node, name, "a path")
            return None
        return self._folder / text

    def _wrong(self, node: Node, name: str, expected: str, remedy: str = "") -> None:
        subject = f"'{name}'" if " " not in name else name
        self.problems.error("FA083", f"{subject} must be {expected}", node.location, help=remedy)

    def _unknown(self, name: str, key: ScalarNode, keys: "Mapping[str, _Reader]") -> None:
        close = difflib.get_close_matches(key.text, keys, n=1)
        remedy = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(sorted(keys))}"
        self.problems.error("FA081", f"unknown key '{name}'", key.location, help=remedy)


def is_zone(name: str) -> bool:
    """Whether this host knows the time zone `name`."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # what it raises for '../x', for folders, and for the unknown
        return False
    return True


def _zone_remedy(name: str) -> str:
    zones = available_timezones()
    if not zones:
        return "install the package tzdata"
    close = nearest_of(name, zones)
    return f"did you mean {quoted(close)}?" if close else "write it as UTC, Europe/Berlin or America/New_York"


def _place_remedy(name: str) -> str:
    """Rules' names for fields are not documents' names: who writes one is told the other."""
    field = BY_NAME.get(name)
    close = field.ecs if field is not None and is_place(field.ecs) else nearest_of(name, sorted(PLACES))
    return (
        f"did you mean {quoted(close)}?" if close else "write it as in alerts: file.path, process.executable"
    )


def _is_text_or_number(node: Node) -> bool:
    return (
        isinstance(node, ScalarNode)
        and isinstance(node.value, str | int | float)
        and not isinstance(node.value, bool)
    )


_Reader = Callable[[_Reading, Node], None]

_SUPPRESS_EXAMPLES: Final = {"by": "by: [rule.uuid, process.executable, file.path]", "for": "for: 10m"}
_SUPPRESS_KEYS: Final[Mapping[str, _Reader]] = {
    "by": _Reading.read_suppress_by,
    "for": _Reading.read_suppress_for,
}


def _limit(name: str) -> _Reader:
    return lambda reading, node: reading.read_limit(name, node)


_CORRELATION_KEYS: Final[Mapping[str, _Reader]] = {
    "lateness": _Reading.read_lateness,
    **{name: _limit(name) for name in LIMITS},
}
_STORE_KEYS: Final[Mapping[str, _Reader]] = {"path": _Reading.read_store_path}
_KEYS: Final[Mapping[str, _Reader]] = {
    "rules": _Reading.read_rules,
    "store": _Reading.read_store,
    "placeholders": _Reading.read_placeholders,
    "timezone": _Reading.read_timezone,
    "suppress": _Reading.read_suppress,
    "correlation": _Reading.read_correlation,
}
