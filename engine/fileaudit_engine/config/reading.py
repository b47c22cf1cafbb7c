"""Values of a configuration: read, or noted with what is wrong with them and what to write instead.

Each method takes a node and returns what it means; None where that is nothing usable, which is noted. So who
reads a section goes on with the rest of it, and all mistakes of a file are told at once.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.rules.nodes import ListNode, MapNode, Node, ScalarNode
from fileaudit_engine.rules.wording import nearest_of, quoted

LENGTH: Final = re.compile(r"(0|[1-9][0-9]{0,11})(ns|us|ms|s|m|h|d|w)")
"""A length of time: Sigma's form, and the units below a second."""

SIZE: Final = re.compile(r"(0|[1-9][0-9]{0,11})(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)")
"""A number of bytes."""

UNITS_BYTES: Final[Mapping[str, int]] = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
    "TiB": 1 << 40,
}

PRIVATE: Final = frozenset({"", "sinks"})
"""Where people write secrets under keys that there are not: in `sinks`, or in what was to be called so."""

FOREVER: Final = "forever"
"""What a length of time is that has no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a number must be.

    Attributes:
        least: At least.
        most: At most.
        shown: Both, as people write them.
        reason: Why, or what it costs.
    """

    least: int
    most: int
    shown: tuple[str, str]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is gathered from one file.

    Attributes:
        folder: What relative paths are relative to.
        problems: Where mistakes are noted.
        hidden: Where in the text something stands that messages do not show.
    """

    folder: Path
    problems: Collector
    hidden: list[tuple[int, int]] = field(default_factory=list)

    def members(
        self,
        name: str,
        node: Node | None,
        known: Collection[str],
        *,
        secrets: Mapping[str, str] = MappingProxyType({}),
    ) -> Mapping[str, Node]:
        """The members of a map, those that are known.

        Args:
            name: Its own, empty for the whole file.
            node: The map; None has no members.
            known: The keys that it may have.
            secrets: Keys that people would write a secret under, and what to write instead.
        """
        if node is None:
            return {}
        is_private = name.partition(".")[0] in PRIVATE
        if not isinstance(node, MapNode):
            if is_private:
                self.hide(node)
            self.wrong(node, name or "the configuration", "a map")
            return {}
        for key in node.values:
            full = f"{name}.{key}" if name else key
            place = node.keys[key].location
            if is_private and key not in known:
                self.hide(node.values[key])
            if key in secrets:
                message = f"{quoted(full)} is a secret, and does not stand in a configuration"
                self.problems.error("FA087", message, place, help=secrets[key])
            elif key not in known:
                close = nearest_of(key, known)
                remedy = f"did you mean '{close}'?" if close else f"known are {', '.join(sorted(known))}"
                self.problems.error("FA081", f"unknown key {quoted(full)}", place, help=remedy)
        return {key: value for key, value in node.values.items() if key in known}

    def hide(self, node: Node) -> None:
        """See to it that no message shows a value, or what is in it: it may be a secret."""
        if isinstance(node, ScalarNode):
            self.hidden.append((node.start, node.end))
        elif isinstance(node, ListNode):
            for item in node.items:
                self.hide(item)
        else:
            for key, value in node.values.items():
                self.hide(node.keys[key])
                self.hide(value)

    def needed(self, name: str, node: Node, examples: Mapping[str, str]) -> None:
        """Note which members a map lacks; `examples` says of each how it may be written."""
        if isinstance(node, MapNode):
            for key in sorted(examples.keys() - node.values.keys()):
                message = f"'{name}' needs '{key}'"
                self.problems.error("FA083", message, node.location, help=f"add '{examples[key]}'")

    def path(self, name: str, node: Node) -> Path | None:
        """A path; a relative one is relative to the folder of the file."""
        text = node.value if isinstance(node, ScalarNode) else None
        if not isinstance(text, str) or not text or "\0" in text:
            self.wrong(node, name, "a path", "write it as /var/lib/fileaudit, or relative to this file")
            return None
        return self.folder / text

    def length(self, name: str, node: Node, bounds: Bounds) -> int | None:
        """A length of time, nanoseconds."""
        text = node.value if isinstance(node, ScalarNode) else None
        found = LENGTH.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            units = f"write a number and one of {', '.join(UNITS_NS)}"
            self.wrong(node, name, "a length of time such as 200ms or 10m", units)
            return None
        return self.bounded(name, node, int(found[1]) * UNITS_NS[found[2]], bounds)

    def length_or_forever(self, name: str, node: Node, bounds: Bounds) -> int | None:
        """A length of time, nanoseconds; None also where it is said to have no end."""
        if isinstance(node, ScalarNode) and node.value == FOREVER:
            return None
        return self.length(name, node, bounds)

    def size(self, name: str, node: Node, bounds: Bounds) -> int | None:
        """A number of bytes."""
        text = node.value if isinstance(node, ScalarNode) else None
        found = SIZE.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            units = f"write a number and one of {', '.join(UNITS_BYTES)}"
            self.wrong(node, name, "a size such as 500MB or 10GiB", units)
            return None
        return self.bounded(name, node, int(found[1]) * UNITS_BYTES[found[2]], bounds)

    def number(self, name: str, node: Node, bounds: Bounds) -> int | None:
        """A whole number."""
        number = node.value if isinstance(node, ScalarNode) else None
        if not isinstance(number, int) or isinstance(number, bool):
            self.wrong(node, name, "a whole number", bounds.reason)
            return None
        return self.bounded(name, node, number, bounds)

    def bounded(self, name: str, node: Node, number: int, bounds: Bounds) -> int | None:
        """The number, if it is within its bounds."""
        if bounds.least <= number <= bounds.most:
            return number
        self.wrong(node, name, f"between {bounds.shown[0]} and {bounds.shown[1]}", bounds.reason)
        return None

    def text(self, name: str, node: Node, expected: str, remedy: str = "") -> str | None:
        """A text that is not empty and of one line."""
        text = node.value if isinstance(node, ScalarNode) else None
        if isinstance(text, str) and text and text.isprintable():
            return text
        self.wrong(node, name, expected, remedy)
        return None

    def choice(self, name: str, node: Node, choices: Collection[str]) -> str | None:
        """One of some words."""
        word = node.value if isinstance(node, ScalarNode) else None
        if isinstance(word, str) and word in choices:
            return word
        close = nearest_of(word, choices) if isinstance(word, str) else None
        remedy = f"did you mean '{close}'?" if close else f"write one of {', '.join(choices)}"
        self.wrong(node, name, f"one of {', '.join(choices)}", remedy)
        return None

    def contradiction(self, node: Node, message: str, remedy: str) -> None:
        """Note that a value cannot be meant beside another one."""
        self.problems.error("FA086", message, node.location, help=remedy)

    def wrong(self, node: Node, name: str, expected: str, remedy: str = "") -> None:
        """Note that a value is not what it must be."""
        subject = f"'{name}'" if " " not in name else name
        self.problems.error("FA083", f"{subject} must be {expected}", node.location, help=remedy)


def items_of(node: Node) -> list[Node]:
    """The entries of a list; one value may stand for a list of it."""
    return list(node.items) if isinstance(node, ListNode) else [node]
