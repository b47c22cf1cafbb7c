"""An engine whose ears are recordings: events through a rule into a store, and sinks that follow it.

All of it is what `replay --deliver` uses, in one process so that a test can have something happen in between.
"""

import collections
import contextlib
import dataclasses
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from typing_extensions import Self

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.runtime.deliveries import Deliveries
from fileaudit_engine.runtime.delivery import ALONE, Delivery
from fileaudit_engine.runtime.follower import StoreSink, Wanted
from fileaudit_engine.runtime.pipeline import Pipeline
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.sources.replay import ReplaySource
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.stored import StoredRecord

PATIENCE_S: Final = 90.0
"""Of a wait for what must come; a node that starts takes a dozen seconds, on a busy machine more."""
QUICK: Final = dataclasses.replace(
    ALONE, retry_s=lambda failures: min(0.05 * 2.0**failures, 0.5), patience_s=0.0, most_rows=256
)
"""As a delivery goes, but back soon after a failure, and in small portions."""
ALERTS: Final = Wanted(kinds=frozenset({Kind.ALERT}))

RULES: Final = """
title: A file was touched
name: file_touched
level: high
tags: [attack.credential-access, attack.t1552.001]
logsource: {product: linux, service: fileaudit}
detection: {selection: {Operation|exists: true}, condition: selection}
"""
_BEGIN_S: Final = 1_795_000_000

Make = Callable[[Callable[[str], None]], StoreSink]


def event_lines(first: int, count: int, padding: int = 0) -> Iterator[bytes]:
    """Events, one a line, each of a file of its own.

    `first` is the number of the first one, and its process has that number plus a thousand; `padding` makes
    command lines longer.
    """
    for number in range(first, first + count):
        second, rest = divmod(number, 1_000)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(_BEGIN_S + second))
        event = {
            "@timestamp": f"{moment}.{rest:03}Z",
            "Operation": "open",
            "AccessMode": "read",
            "Outcome": "success",
            "TargetFilename": f"/srv/data/{number:07}.\nfile",
            "ProcessId": 1_000 + number,
            "Image": "/usr/bin/cat",
            "CommandLine": f"cat -- {number}{'x' * padding}",
            "User": "alice",
        }
        yield json.dumps(event).encode() + b"\n"


class Engine:
    """A context: opens the store, makes alerts when it is told to, and delivers them.

    Args:
        place: The store.
        sinks: What makes each sink, by its name.
        wanted: What each sink is given; those that are not named, everything.

    Attributes:
        store: It.
        words: What people were told.
    """

    def __init__(
        self, place: Path, sinks: Mapping[str, Make], wanted: Mapping[str, Wanted] | None = None
    ) -> None:
        self._place = place
        self._sinks = sinks
        self._wanted = wanted or {}
        self.words: list[str] = []

    def __enter__(self) -> Self:
        self.store = Store.open(self._place)
        self._made = self.store.head.seq  # so that no event comes twice on one store
        self.deliveries = {
            name: Delivery(
                name, make, self.store, wanted=self._wanted.get(name, Wanted()), from_start=True, pace=QUICK
            )
            for name, make in self._sinks.items()
        }
        compiled = compile_rules(parse_text(RULES, "here").rules)
        self.pipeline = Pipeline(
            detector=Detector(compiled.user, compiled.kernel),
            sinks=(),
            spool=Spool(self.store, tell=self.words.append, proceed=lambda: True),
            host="here",
            on_loss=lambda _: None,
            clock_ns=time.time_ns,
        )
        self._chore = Deliveries(
            list(self.deliveries.values()),
            self.store,
            host="here",
            keep=self.pipeline.outlet.hand_on,
            tell=self.words.append,
        )
        self.pipeline.add_chore(self._chore)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._chore.close()
            self.pipeline.finish()
        finally:
            self.store.close()

    def alert(self, count: int, *, first: int | None = None, padding: int = 0) -> list[int]:
        """So many alerts happen; returns their rows. See `event_lines`."""
        begin = self._made if first is None else first
        before = self.store.head.seq
        recording = self._place.with_name(f"recorded-{begin}.ndjson")
        recording.write_bytes(b"".join(event_lines(begin, count, padding)))
        self._made += count
        source = ReplaySource([str(recording)])
        try:
            self.pipeline.run(source, proceed=lambda: True)
        finally:
            source.close()
            recording.unlink()
        rows = self.store.records_after(before, 1 << 30, kinds=(Kind.ALERT,))
        assert len(rows) == count
        return [row.seq for row in rows]

    def run_until(self, holds: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
        """Go on until something holds, which it must."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, (self.troubles(), self.words[-20:])
            self._chore.tick(idle=True)
            time.sleep(0.01)

    def now_s(self) -> float:
        """The clock that waits go by."""
        return time.monotonic()

    def drain(self) -> None:
        """Go on until each sink has had everything, and the store says so."""
        self.run_until(lambda: all(self.cursor(name) == self.store.head.seq for name in self._sinks))

    def refresh(self) -> None:
        """Somebody says that something was changed."""
        self._chore.refresh()

    def cursor(self, name: str) -> int:
        """Up to which row a sink has had everything, as the store knows it."""
        return self.store.cursor(name) or 0

    def troubles(self) -> dict[str, str]:
        """Why sinks take nothing, by their names."""
        return {name: one.trouble for name, one in self.deliveries.items() if one.trouble}

    def ids(self, kinds: Sequence[Kind] = tuple(Kind)) -> list[str]:
        """Of all rows, or of those of some kinds, in their order."""
        return [row.id for row in every_row(self.store) if row.kind in kinds]


def every_row(store: Store) -> Iterator[StoredRecord]:
    """All rows of a store, which gives a bounded number of bytes at a time."""
    seq = 0
    while rows := store.records_after(seq, 4_096):
        yield from rows
        seq = rows[-1].seq


def repeated(ids: Sequence[str]) -> set[str]:
    """Those that come more than once."""
    return {one for one, count in collections.Counter(ids).items() if count > 1}


@contextlib.contextmanager
def no_room(disk: Path) -> Iterator[None]:
    """Let a disk that holds a store be full, and its log without room to be begun anew."""
    ballast = disk / "ballast"
    with contextlib.closing(sqlite3.connect(disk / "events.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM records").fetchone()
        with ballast.open("wb", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass
        try:
            yield
        finally:
            ballast.unlink()
