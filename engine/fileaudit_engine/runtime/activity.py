"""Who did how much, and with which files: the sums behind `top`.

Events go in, rows come out; there is no clock in here. Everything is summed twice, for the interval that
runs and since the start. `end_interval` closes the one and adds it to the other.

Memory is bounded. A table that is full lets go of the half that did least and keeps the sum of it, so that
the whole is exact whatever happens: what is in no row is in `rest`.
"""

import heapq
from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.runtime.counts import ORDERS, Counts

MAX_ROWS: Final = 20_000
"""Processes, and files, that are told apart: some 25 MB of each at the most."""
MAX_CHARACTERS: Final = 8 << 20
"""Length of all their names together; names of 4,096 bytes fill it before `MAX_ROWS` is reached."""
LATEST_ALERTS: Final = 100

_PAGE_BITS: Final = 12
"""4 KiB moved weigh as much as a call when it is decided who did least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A process as rows name it, by what it ran last.

    Attributes:
        pid: Process id.
        start_ns: Start on the boot clock, if known.
        name: The kernel's name for it.
        executable: The program, if known.
        user_id: Real user; `user_name` is the name.
    """

    pid: int
    start_ns: int | None = None
    name: str | None = None
    executable: str | None = None
    user_id: int | None = None
    user_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A file as rows name it.

    Attributes:
        path: The file; what was asked for, or None, where it is not known.
        actor: Who did something to it last.
    """

    path: str | None
    actor: Actor


S = TypeVar("S", bound=Actor | Item)


@dataclass(frozen=True, slots=True)
class Row(Generic[S]):
    """A subject and how much it did, or had done to it."""

    subject: S
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows(Generic[S]):
    """The busiest, and all the others together.

    Attributes:
        rows: The busiest, in order.
        others: How many more there are; one that was let go and came back counts again.
        rest: What those did.
    """

    rows: Sequence[Row[S]]
    others: int
    rest: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNews:
    """An alert as the live view tells it."""

    ts_ns: int
    level: str
    title: str
    actor: Actor
    path: str | None


class _Table(Generic[S]):
    """Sums by key: since the start (`whole`) and of the interval that runs (`recent`)."""

    def __init__(self, most: int, characters: int) -> None:
        self._most = most
        self._most_characters = characters
        self._subjects: dict[Hashable, S] = {}
        self._whole: dict[Hashable, Counts] = {}
        self._recent: dict[Hashable, Counts] = {}
        self._last: list[Row[S]] = []
        self._characters = 0
        self._dropped = self._dropped_recently = self._dropped_last = 0

    def at(self, key: Hashable) -> Counts:
        """The counts of the interval that runs; `key` is known."""
        found = self._recent.get(key)
        if found is None:
            found = self._recent[key] = Counts()
        return found

    def get(self, key: Hashable) -> S | None:
        return self._subjects.get(key)

    def put(self, key: Hashable, subject: S) -> None:
        """Call it so from now on."""
        before = self._subjects.get(key)
        self._characters += _length(subject) - (_length(before) if before is not None else 0)
        self._subjects[key] = subject
        if before is None:
            self._whole[key] = Counts()
        if len(self._whole) > self._most or self._characters > self._most_characters:
            self._shrink(spare=key)

    def end_interval(self) -> None:
        for key, counts in self._recent.items():
            self._whole[key].add(counts)
        self._last = [Row(self._subjects[key], counts) for key, counts in self._recent.items()]
        self._recent = {}
        self._dropped += self._dropped_recently
        self._dropped_last, self._dropped_recently = self._dropped_recently, 0

    def rows(self, *, whole: bool) -> list[Row[S]]:
        """Those of the interval that ended last, or all."""
        return [Row(self._subjects[k], c) for k, c in self._whole.items()] if whole else self._last

    def dropped(self, *, whole: bool) -> int:
        """How often a row was let go, in the interval that ended last or since the start."""
        return self._dropped if whole else self._dropped_last

    def _shrink(self, spare: Hashable) -> None:
        """Let go of the half that did least; of those that did as little, the ones that came first."""
        weights = {key: _weight(counts) for key, counts in self._whole.items()}
        for key, counts in self._recent.items():
            weights[key] += _weight(counts)
        del weights[spare]
        for key in sorted(weights, key=weights.__getitem__)[: (len(weights) + 1) // 2]:
            self._characters -= _length(self._subjects.pop(key))
            del self._whole[key]
            self._dropped_recently += 1
            self._recent.pop(key, None)


def _weight(counts: Counts) -> int:
    """How much would be missed; whoever raised an alert goes last."""
    moved = counts.read_bytes + counts.written_bytes
    return counts.operations + (moved >> _PAGE_BITS) + (counts.alerts << 48)


def _length(subject: Actor | Item) -> int:
    """Characters of its names."""
    if isinstance(subject, Item):
        return len(subject.path or "") + _length(subject.actor)
    names = (subject.name, subject.executable, subject.user_name)
    return sum(len(name) for name in names if name)


class Activity:
    """What was done on a host.

    Attributes:
        whole: All of it, since the start.
        interval: Of the interval that ended last.
        lost: Events that found no room, since the start.
        levels: Number of alerts by level.
        alerts: The latest alerts, oldest first.
        interval_alerts: The latest of the interval that ended last.
    """

    def __init__(self, *, most_rows: int = MAX_ROWS, most_characters: int = MAX_CHARACTERS) -> None:
        """Nothing was done yet."""
        self._processes: _Table[Actor] = _Table(most_rows, most_characters)
        self._files: _Table[Item] = _Table(most_rows, most_characters)
        self._running = Counts()
        self.whole = Counts()
        self.interval = Counts()
        self.lost = 0
        self.levels: dict[str, int] = {}
        self.alerts: deque[AlertNews] = deque(maxlen=LATEST_ALERTS)
        self.interval_alerts: Sequence[AlertNews] = ()

    def feed(self, event: FileEvent) -> None:
        """Count what happened: a call, or, of reads and writes, what was summed in the kernel."""
        operation, failed = event.operation.number, bool(event.errno)
        calls = 1 if event.transfer_calls is None else event.transfer_calls
        for counts in self._places(event):
            counts.count(operation, calls, moved=event.transferred_bytes or 0, failed=failed)

    def alert(self, event: FileEvent, *, level: str, title: str) -> None:
        """Count an alert about what happened."""
        for counts in self._places(event):
            counts.alerts += 1
        self.levels[level] = self.levels.get(level, 0) + 1
        news = AlertNews(
            ts_ns=event.ts_ns, level=level, title=title, actor=_actor_of(event), path=_path_of(event)
        )
        self.alerts.append(news)

    def lose(self, loss: Loss) -> None:
        """Count what found no room."""
        self.lost += loss.total

    def end_interval(self) -> None:
        """What comes from now on belongs to the next one."""
        self.interval, self._running = self._running, Counts()
        raised = min(self.interval.alerts, len(self.alerts))
        self.interval_alerts = list(self.alerts)[len(self.alerts) - raised :]
        self.whole.add(self.interval)
        self._processes.end_interval()
        self._files.end_interval()

    def processes(self, order: str, most: int | None, *, whole: bool) -> Rows[Actor]:
        """The busiest processes.

        Args:
            order: One of `ORDERS`.
            most: Rows at the most; None: all that are told apart.
            whole: Since the start, not only in the interval that ended last.
        """
        return self._rows(self._processes, order, most, whole=whole)

    def files(self, order: str, most: int | None, *, whole: bool) -> Rows[Item]:
        """The busiest files; see `processes`."""
        return self._rows(self._files, order, most, whole=whole)

    def _rows(self, table: _Table[S], order: str, most: int | None, *, whole: bool) -> Rows[S]:
        found = table.rows(whole=whole)
        value = ORDERS[order]
        busiest = heapq.nlargest(
            len(found) if most is None else most,
            found,
            key=lambda row: (value(row.counts), row.counts.operations),
        )
        total = self.whole if whole else self.interval
        return Rows(
            rows=busiest,
            others=len(found) - len(busiest) + table.dropped(whole=whole),
            rest=total.without(row.counts for row in busiest),
        )

    def _places(self, event: FileEvent) -> tuple[Counts, Counts, Counts]:
        """Where an event is counted: of its process, of its file, of all."""
        process, path = event.process, _path_of(event)
        key = (process.pid, process.start_ns)
        actor = self._processes.get(key)
        if actor is None or not _is_still(actor, event):
            actor = _actor_of(event)
            self._processes.put(key, actor)
        item = self._files.get(path)
        if item is None or item.actor is not actor:
            self._files.put(path, Item(path=path, actor=actor))
        return self._processes.at(key), self._files.at(path), self._running


def _path_of(event: FileEvent) -> str | None:
    return event.path or event.asked_path


def _actor_of(event: FileEvent) -> Actor:
    process = event.process
    return Actor(
        pid=process.pid,
        start_ns=process.start_ns,
        name=process.name,
        executable=process.executable,
        user_id=event.user_id,
        user_name=event.user_name,
    )


def _is_still(actor: Actor, event: FileEvent) -> bool:
    """Whether the process is what it was: an exec, a new name and another user make it something else.

    An event that does not know the program tells of no other one.
    """
    process = event.process
    return (
        actor.name == process.name
        and process.executable in {None, actor.executable}
        and actor.user_id == event.user_id
        and actor.user_name == event.user_name
    )
