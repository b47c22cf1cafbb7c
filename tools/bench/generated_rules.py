"""Packs of Sigma rules as people write them for files, as many as asked for, the same for the same seed.

The shapes and their shares are those of SigmaHQ's file rules: lists of beginnings, endings and infixes of
the path, an image with a folder, exclusions as `not 1 of filter_*`, some regular expressions and, where
asked for, searches for words in the whole event. A pack is a beginning of the endless sequence of its seed,
so a larger pack holds the smaller one with the same share of keyword rules.
"""

import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from vocabulary import PROGRAMS, RARE_ENDINGS, RARE_FOLDERS, RARE_PROGRAMS, rare_names, some

Search = Mapping[str, "str | Sequence[str]"]
"""A selection: field with modifiers, and its value or values."""
Detection = Mapping[str, "str | Search | Sequence[str]"]
"""Selections, keywords and `condition`, by name."""

_TACTICS: Final = (
    ("attack.persistence", "attack.t1543.002"),
    ("attack.persistence", "attack.t1053.003"),
    ("attack.privilege-escalation", "attack.t1548.003"),
    ("attack.credential-access", "attack.t1552.004"),
    ("attack.execution", "attack.t1059.004"),
    ("attack.command-and-control", "attack.t1105"),
)
_LEVELS: Final = ("low", "medium", "medium", "high", "high", "critical")
_CATEGORIES: Final = ("file_access", "file_access", "file_access", "file_event", "file_event")


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedRule:
    """A rule and where it belongs.

    Attributes:
        name: File name without its suffix, and the rule's `name`.
        text: The YAML document.
    """

    name: str
    text: str


def pack(size: int, *, keyword_share: float = 0.0, seed: int = 1) -> list[GeneratedRule]:
    """The first `size` rules of a seed, `keyword_share` of them (evenly spread) searches for words."""
    return list(islice(_rules(seed, keyword_share), size))


def write_pack(rules: Sequence[GeneratedRule], folder: Path) -> None:
    """One file a rule, as rules are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for rule in rules:
        (folder / f"{rule.name}.yml").write_text(rule.text, encoding="utf-8")


def _rules(seed: int, keyword_share: float) -> Iterator[GeneratedRule]:
    rng = random.Random(f"rules {seed}")
    maker = _Maker(rng=rng, names=rare_names(rng))
    for number in range(1_000_000):
        if round((number + 1) * keyword_share, 6) // 1 > round(number * keyword_share, 6) // 1:
            yield _written(number, rng, maker.keywords())
        else:
            yield _written(number, rng, rng.choices(_SHAPES, _WEIGHTS)[0](maker))


@dataclass(slots=True)
class _Maker:
    """Makes detections; the methods are the shapes."""

    rng: random.Random
    names: Iterator[str]

    def endings(self) -> Detection:
        """Files of some name, anywhere."""
        return {
            "selection": {"TargetFilename|endswith": self._list(self._ending, 1, 6)},
            "condition": "selection",
        }

    def beginnings(self) -> Detection:
        """Everything in some folders."""
        return {
            "selection": {"TargetFilename|startswith": self._list(self._beginning, 1, 4)},
            "condition": "selection",
        }

    def infixes(self) -> Detection:
        """A path that has one of some words in it, and often one of some endings too."""
        selection: dict[str, list[str]] = {"TargetFilename|contains": self._list(self._infix, 1, 8)}
        if self.rng.random() < 0.4:
            selection["TargetFilename|endswith"] = some(self.rng, [e for e in RARE_ENDINGS if e], 2, 4)
        return {"selection": selection, "condition": "selection"}

    def image_in_folder(self) -> Detection:
        """A program that seldom runs, in a folder that is in use all day or in one that is not."""
        crowded = self.rng.random() < 0.15
        folders = ["/tmp/", "/var/tmp/"] if crowded else self._list(self._beginning, 1, 3)
        images = [f"/{program}" for program in some(self.rng, RARE_PROGRAMS, 1, 2)]
        selection: dict[str, str | list[str]] = {
            "Image|endswith": images,
            "TargetFilename|startswith": folders,
        }
        if crowded:
            selection["TargetFilename|contains"] = f"/{next(self.names)}"
        return {"selection": selection, "condition": "selection"}

    def with_filters(self) -> Detection:
        """Folders and names, except where the package manager or a service does it."""
        images = sorted({image for image, _, _ in PROGRAMS})
        return {
            "selection": {"TargetFilename|startswith": self._list(self._beginning, 1, 4)},
            "filter_main_packages": {"Image|endswith": ["/usr/bin/dpkg", "/usr/bin/rpm", "/usr/bin/dnf"]},
            "filter_main_service": {"Image": some(self.rng, images, 1, 4), "User": "root"},
            "filter_optional_name": {"TargetFilename|endswith": ["/README", ".dpkg-new", ".dpkg-tmp"]},
            "condition": "selection and not 1 of filter_main_* and not 1 of filter_optional_*",
        }

    def command_line(self) -> Detection:
        """A program with words in its command line."""
        words = self._list(self._argument, 1, 3)
        modifiers = "contains|all" if len(words) == 2 else "contains"
        return {
            "selection_img": {"Image|endswith": ["/bash", "/python3.11", "/curl", "/tar", "/busybox"]},
            "selection_cli": {f"CommandLine|{modifiers}": words},
            "condition": "all of selection_*",
        }

    def expression(self) -> Detection:
        """A regular expression."""
        name = next(self.names)
        pattern = self.rng.choice(
            (
                rf"/\.?{name}/[a-z0-9]{{4,16}}\.sh$",
                rf"^/(tmp|dev/shm|var/tmp)/\.?{name}[-_][0-9]+",
                rf"/{name}(ctl|d)?\.(so|ko)(\.[0-9])?$",
            )
        )
        return {"selection": {"TargetFilename|re": pattern}, "condition": "selection"}

    def either(self) -> Detection:
        """One of several selections."""
        return {
            "selection_path": {"TargetFilename|startswith": self._list(self._beginning, 1, 5)},
            "selection_name": {"TargetFilename|endswith": self._list(self._ending, 1, 3)},
            "selection_cli": {"CommandLine|contains": self._list(self._argument, 1, 2)},
            "condition": "1 of selection_*",
        }

    def whole_paths(self) -> Detection:
        """Some files, by their whole names, written to or not."""
        selection: dict[str, str | list[str]] = {
            "TargetFilename": self._list(lambda: self._beginning() + "config", 1, 6)
        }
        if self.rng.random() < 0.5:
            selection["Outcome"] = "success"
        return {"selection": selection, "condition": "selection"}

    def keywords(self) -> Detection:
        """Words anywhere in the event."""
        return {"keywords": self._list(lambda: next(self.names), 1, 3), "condition": "keywords"}

    def _list(self, make: Callable[[], str], least: int, most: int) -> list[str]:
        return [make() for _ in range(self.rng.randint(least, most))]

    def _beginning(self) -> str:
        return self.rng.choice(RARE_FOLDERS) + next(self.names) + self.rng.choice(("/", "/", "-", ""))

    def _ending(self) -> str:
        return "/" + next(self.names) + self.rng.choice(RARE_ENDINGS)

    def _infix(self) -> str:
        return self.rng.choice(("/{}/", "/.{}/", "/{}", "{}", ".{}.", "/{}-")).format(next(self.names))

    def _argument(self) -> str:
        return self.rng.choice((" --{}", " {} ", "{}", "-e {}", "/{}", "{}=")).format(next(self.names))


_SHAPES: Final = (
    _Maker.endings,
    _Maker.beginnings,
    _Maker.infixes,
    _Maker.image_in_folder,
    _Maker.with_filters,
    _Maker.command_line,
    _Maker.expression,
    _Maker.either,
    _Maker.whole_paths,
)
_WEIGHTS: Final = (18, 14, 16, 14, 15, 8, 4, 6, 5)


def _written(number: int, rng: random.Random, detection: Detection) -> GeneratedRule:
    """The document around a detection."""
    name = f"bench_{number:05}"
    identifier = uuid.UUID(int=rng.getrandbits(128), version=4)
    tags = rng.choice(_TACTICS)
    lines = [
        f"title: Generated Rule Number {number}",
        f"id: {identifier}",
        f"name: {name}",
        "status: test",
        "description: Detects what was made up for a measurement, at the length that descriptions have.",
        "references:",
        "    - https://example.org/reports/2026/made-up-for-a-measurement",
        "author: Nobody (nobody@example.org)",
        "date: 2026-11-24",
        "tags:",
        *(f"    - {tag}" for tag in tags),
        "logsource:",
        "    product: linux",
        f"    category: {rng.choice(_CATEGORIES)}",
        "detection:",
        *_members(detection, "    "),
        "falsepositives:",
        "    - Unknown",
        f"level: {rng.choice(_LEVELS)}",
    ]
    return GeneratedRule(name=name, text="\n".join(lines) + "\n")


def _members(members: Detection | Search, indent: str) -> Iterator[str]:
    for key, value in members.items():
        match value:
            case str():
                yield f"{indent}{key}: {value if key == 'condition' else _quoted(value)}"
            case Mapping():
                yield f"{indent}{key}:"
                yield from _members(value, indent + "    ")
            case _:
                yield f"{indent}{key}:"
                yield from (f"{indent}    - {_quoted(item)}" for item in value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
