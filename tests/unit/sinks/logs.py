"""A JSON log in a folder of its own, a clock that is set, and what is in its files."""

import gzip
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

from fileaudit_engine.events.times import UNITS_NS, parse_rfc3339
from fileaudit_engine.sinks.archive import Swept
from fileaudit_engine.sinks.base import Answer
from fileaudit_engine.sinks.jsonfile import JsonFile
from fileaudit_engine.sinks.settings import JsonLogSettings

NOON = parse_rfc3339("2026-11-28T12:00:00Z")
HOUR, DAY = UNITS_NS["h"], UNITS_NS["d"]


@dataclass(frozen=True)
class Row:
    """What a sink is given of a row."""

    raw: bytes


def rows(*numbers: int, filling: str = "") -> list[Row]:
    return [Row(json.dumps({"n": n, "x": filling}, separators=(",", ":")).encode()) for n in numbers]


@dataclass
class Log:
    """A log that can be stopped and started again.

    Attributes:
        folder: Where it is.
        changes: What its settings say otherwise than usual.
        now_ns: The time that its clock shows.
        beside: Whether files are compressed and removed beside the writing; else `look_after` does it.
        said: What it told people.
        file: It.
    """

    folder: Path
    changes: dict[str, Any] = field(default_factory=dict)
    now_ns: int = NOON
    beside: bool = False
    said: list[str] = field(default_factory=list)
    file: JsonFile = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self, **changes: Any) -> None:
        self.changes |= changes
        settings = JsonLogSettings(folder=self.folder, **self.changes)
        self.file = JsonFile(settings, tell=self.said.append, clock_ns=lambda: self.now_ns)
        self._sweep = self.file._janitor._sweep
        if not self.beside:
            self.file._janitor._sweep = lambda _: Swept()

    def write(self, *numbers: int, filling: str = "") -> Sequence[Answer]:
        """Write rows; the file's time is the clock's, as it would be if that were the system's."""
        answers = self.file.deliver(rows(*numbers, filling=filling))
        if self.active.exists():
            os.utime(self.active, ns=(self.now_ns, self.now_ns))
        return answers

    def look_after(self) -> None:
        """Do, here and now, all that is done beside."""
        self.file.keep(1)
        self.file.close()
        self.start()
        done = self._sweep(lambda: True)
        self.said += [words for words in (done.words, done.trouble) if words]

    @property
    def active(self) -> Path:
        return self.folder / "fileaudit.ndjson"

    def names(self) -> list[str]:
        """Of all files that anybody may see."""
        return sorted(place.name for place in self.folder.iterdir() if not place.name.startswith("."))

    def numbers(self) -> list[int]:
        """What is in all files, the oldest first."""
        rotated = sorted(
            (place for place in self.folder.glob("fileaudit-*")),
            key=lambda place: (place.name.split(".")[0], int(place.name.split(".")[1])),
        )
        files = [*rotated, *([self.active] if self.active.exists() else [])]
        return [json.loads(line)["n"] for place in files for line in content(place).splitlines()]


def content(place: Path) -> bytes:
    if place.suffix == ".gz":
        return gzip.decompress(place.read_bytes())
    if place.suffix == ".zst":
        with zstandard.ZstdDecompressor().stream_reader(place.read_bytes()) as reader:
            return reader.read()
    return place.read_bytes()
