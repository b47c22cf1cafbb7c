"""File events as lines of JSON, made up, the same for the same seed: ten keys and about 350 bytes each.

Three loads differ in what is new. What is remembered of values that came before (memos, caches) helps most in
the first and not at all in the last:

* `repeating`: some thousand paths and some hundred processes, as unevenly used as on a real host;
* `new-paths`: no path comes twice;
* `new-fields`: no path, command line, image or user comes twice.

A small part of the events is salted with what the rules ask for (`hits`), and as many almost are.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from hits import NEW, Hit
from vocabulary import (
    ORDINARY_FILES,
    ORDINARY_FOLDERS,
    ORDINARY_WORDS,
    PEOPLE,
    PROGRAMS,
    RARE_PROGRAMS,
    SERVICES,
)

LOADS: Final = ("repeating", "new-paths", "new-fields")

_PATHS: Final = 4_000
_PROCESSES: Final = 300
_RARE_SHARE: Final = 0.02
"""Of processes that run a program that rules like."""
_FAILED_SHARE: Final = 0.03
"""Of calls that fail: no such file, or no permission."""

_OPERATIONS: Final = ("open", "write", "create", "rename", "unlink", "chmod", "mkdir", "exec")
_WEIGHTS: Final = (56, 14, 11, 6, 6, 3, 2, 2)

Event = dict[str, object]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """How an event stream is made.

    Attributes:
        load: One of `LOADS`.
        hits: What rules ask for.
        hit_share: Share of events that are salted with a whole hit.
        near_share: Share of events that are salted with a hit that lacks one of its fields.
        seed: Same seed, same events.
    """

    load: str
    hits: Sequence[Hit] = ()
    hit_share: float = 0.01
    near_share: float = 0.01
    seed: int = 1


def lines(mix: Mix, count: int) -> Iterator[bytes]:
    """`count` events, one a line."""
    for event in events(mix, count):
        yield json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def events(mix: Mix, count: int) -> Iterator[Event]:
    """`count` events as flat documents with Sigma's names."""
    rng = random.Random(f"events {mix.seed} {mix.load}")
    host = _Host(rng=rng, load=mix.load)
    make: Callable[[], Event] = host.ordinary
    for number in range(count):
        dice = rng.random()
        event = make()
        event["@timestamp"] = _time(number)
        if mix.hits and dice < mix.hit_share + mix.near_share:
            _salt(event, rng.choice(mix.hits), host, whole=dice < mix.hit_share)
        yield event


def _time(number: int) -> str:
    """Event number `number` at a rate of one in 250 microseconds: RFC 3339, in the one hour from 10:00."""
    millis = number // 4 % 3_600_000
    return f"2026-11-24T10:{millis // 60_000:02}:{millis // 1000 % 60:02}.{millis % 1000:03}Z"


def _salt(event: Event, hit: Hit, host: "_Host", *, whole: bool) -> None:
    """Make the event one that the rule of the hit asks for, or almost."""
    names = list(hit.values)
    missing = None if whole else host.rng.choice([*names, None])
    host.operate(event, "chmod" if not whole and missing is None else hit.operation)
    for name in names:
        if name != missing:
            event[name] = host.filled(hit.values[name], path=name.endswith(("Image", "Filename")))


@dataclass(slots=True)
class _Host:
    """Makes ordinary events."""

    rng: random.Random
    load: str
    number: int = 0
    paths: Sequence[str] = ()
    processes: Sequence[Mapping[str, object]] = ()

    def __post_init__(self) -> None:
        self.paths = [self._path(self._word()) for _ in range(_PATHS)]
        self.processes = [self._process() for _ in range(_PROCESSES)]

    def ordinary(self) -> Event:
        """One event; the time is the caller's."""
        self.number += 1
        event: Event = {"@timestamp": ""}
        self.operate(event, self.rng.choices(_OPERATIONS, _WEIGHTS)[0])
        if self.load == "repeating":
            event["TargetFilename"] = self._unevenly(self.paths)
        else:
            event["TargetFilename"] = self._path(f"{self._word()}-{self.number:x}")
        event |= self._unevenly(self.processes)
        if self.load == "new-fields":
            self._renew(event)
        return event

    def operate(self, event: Event, operation: str) -> None:
        """Say what is done, and how it went."""
        event["Operation"] = operation
        event.pop("AccessMode", None)
        event.pop("Errno", None)
        if operation == "open":
            event["AccessMode"] = "write" if self.rng.random() < 0.2 else "read"
        event["Outcome"] = "success"
        if self.rng.random() < _FAILED_SHARE:
            event |= {"Outcome": "failure", "Errno": self.rng.choice((2, 2, 2, 13))}

    def filled(self, text: str, *, path: bool) -> str:
        """A hit's text with something in its open places; a path begins and ends as paths do."""
        while NEW in text:
            text = text.replace(NEW, self._filling(), 1)
        return text if text.startswith("/") or not path else f"/srv/{text}"

    def _filling(self) -> str:
        word = self._word()
        return word if self.load == "repeating" else f"{word}{self.number:x}"

    def _renew(self, event: Event) -> None:
        """A process like the other, of which nothing was seen before."""
        number = f"{self.number:x}"
        image = str(event["Image"])
        event["Image"] = f"/nix/store/{number:0>12}{image}"
        event["CommandLine"] = f"{event['CommandLine']} --id={number}"
        event["User"] = f"{event['User']}-{number}"
        event["ProcessId"] = 1000 + self.number

    def _unevenly(self, among: Sequence[_T]) -> _T:
        """One of them; the first ones come far more often than the last."""
        return among[int(len(among) * self.rng.random() ** 3)]

    def _word(self) -> str:
        return self.rng.choice(ORDINARY_WORDS)

    def _path(self, last: str) -> str:
        template = f"{self.rng.choice(ORDINARY_FOLDERS)}/{self.rng.choice(ORDINARY_FILES)}"
        path = template.format(
            user=self.rng.choice(PEOPLE),
            word=self._word(),
            word2=self._word(),
            number=self.rng.randint(300, 40_000),
        )
        folder, _, name = path.rpartition("/")
        return f"{folder}/{last}-{name}"

    def _process(self) -> dict[str, object]:
        image, command_line, parent = self.rng.choice(PROGRAMS)
        user = self.rng.choice((*PEOPLE, *SERVICES))
        if self.rng.random() < _RARE_SHARE:
            image = f"/usr/bin/{self.rng.choice(RARE_PROGRAMS)}"
        return {
            "Image": image,
            "CommandLine": f"{command_line.format(user=user)} {self._word()} {self._word()}",
            "User": user,
            "ProcessId": self.rng.randint(300, 40_000),
            "ParentImage": parent,
        }
