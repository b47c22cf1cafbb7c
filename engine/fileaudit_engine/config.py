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

from fileaudit_engine.diagnostics import Collector, UnusableInput, unusable_file
from fileaudit_engine.rules.nodes import ListNode, MapNode, Node, ScalarNode
from fileaudit_engine.rules.options import DEFAULTS
from fileaudit_engine.rules.source import MAX_FILE_BYTES, decode, read_documents
from fileaudit_engine.rules.wording import nearest_of, quoted

DEFAULT_STORE: Final = Path("/var/lib/fileaudit/fileaudit.db")
"""Where `run` keeps its store unless told otherwise."""

PLACEHOLDER_NAME: Final = re.compile(r"[\w.-]+")
"""What stands between the percent signs of a placeholder."""

_PLANNED: Final = frozenset({"routes", "suppress", "sinks", "store.retention"})
"""Keys of the contract whose work no part of this version does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a configuration file says; the defaults are those of a file that says nothing.

    Attributes:
        rules: Rule files and folders; empty: the shipped ones.
        store_path: The store; None: each command's own default.
        placeholders: As `RuleOptions.placeholders`.
        timezone: As `RuleOptions.timezone`.
    """

    rules: tuple[Path, ...] = ()
    store_path: Path | None = None
    placeholders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    timezone: str = DEFAULTS.timezone


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
        raise UnusableInput(reading.problems.diagnostics)
    return Config(
        rules=tuple(reading.rules),
        store_path=reading.store_path,
        placeholders=reading.placeholders,
        timezone=reading.timezone,
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

    def _wrong(self, node: Node, name: str, expected: str) -> None:
        subject = f"'{name}'" if " " not in name else name
        self.problems.error("FA083", f"{subject} must be {expected}", node.location)

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


def _is_text_or_number(node: Node) -> bool:
    return (
        isinstance(node, ScalarNode)
        and isinstance(node.value, str | int | float)
        and not isinstance(node.value, bool)
    )


_Reader = Callable[[_Reading, Node], None]

_STORE_KEYS: Final[Mapping[str, _Reader]] = {"path": _Reading.read_store_path}
_KEYS: Final[Mapping[str, _Reader]] = {
    "rules": _Reading.read_rules,
    "store": _Reading.read_store,
    "placeholders": _Reading.read_placeholders,
    "timezone": _Reading.read_timezone,
}
