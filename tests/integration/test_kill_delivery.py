"""kill -9 at random moments while alerts happen and are delivered: what the store has, every receiver gets.

What is killed is the command itself, `replay --deliver`, that reads events without end, keeps their alerts
and hands them on to Elasticsearch and to rsyslog at the same time. A kill may come while it starts, in the
middle of a commit, of a bulk, of a frame, or between what was delivered and the cursor that says so.
"""

import collections
import contextlib
import dataclasses
import enum
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

import pytest
from tests.integration.harness import PATIENCE_S, RULES, event_lines, every_row
from tests.integration.receivers import filed_ids, indexed_ids, install, map_pids
from tools.elastic.node import Node
from tools.syslog.servers import Rsyslog

from fileaudit_engine.cli.common import Exit
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.diagnostics import FileauditError
from fileaudit_engine.store.store import Store

KILLS: Final = int(os.environ.get("FILEAUDIT_KILLS", "12"))
NAMESPACE: Final = "killed"
PORTION: Final = 10
"""Events that happen at a time."""
PAUSE_S: Final = 0.02
POISON: Final = 2_200_000_000
"""Numbers of events, from here on, whose process has a number that the mapping does not take."""
CONFIG: Final = """
sinks:
  elasticsearch: {{hosts: ["{url}"], namespace: {namespace}, from: start}}
  syslog: {{address: "tcp://127.0.0.1:{port}", from: start}}
"""


@dataclasses.dataclass(slots=True)
class Happening:
    """Events that go on happening, whoever listens: none comes twice.

    Attributes:
        number: Of the next one.
        poison: Of the next one that Elasticsearch will never take.
    """

    number: int = 0
    poison: int = POISON

    def feed(self, stream: IO[bytes], until: threading.Event) -> None:
        """Tell them to a stream until it has no reader, or until there are enough."""
        with contextlib.suppress(BrokenPipeError), stream:
            while not until.wait(PAUSE_S):
                stream.writelines(event_lines(self.number, PORTION))
                stream.writelines(event_lines(self.poison, 1))
                stream.flush()
                self.number += PORTION
                self.poison += 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the store says after a kill: rows behind `cursor` may come again, up to `head`."""

    cursor: int
    head: int


class When(enum.Enum):
    """When an engine is killed, or at some moment after that."""

    STARTING = enum.auto()
    DELIVERING = enum.auto()
    CONFIRMED = enum.auto()
    """It knows of something that it has told rsyslog that it is there to stay."""


ORDER: Final = (
    When.DELIVERING,
    When.CONFIRMED,
    When.DELIVERING,
    When.STARTING,
    When.DELIVERING,
    When.STARTING,
)


@dataclasses.dataclass(slots=True, kw_only=True)
class Series:
    """Commands on one store, one after the other."""

    place: Path
    happening: Happening = dataclasses.field(default_factory=Happening)
    draw: random.Random = dataclasses.field(default_factory=lambda: random.Random(8))
    seen: list[Seen] = dataclasses.field(default_factory=list)

    @property
    def store(self) -> Path:
        """Its path."""
        return self.place / "store" / "events.db"

    @contextlib.contextmanager
    def running(self) -> Iterator[tuple["subprocess.Popen[bytes]", threading.Event]]:
        """The command, reading events; what is set says that there are enough."""
        options: list[str | Path] = [
            "--rules",
            self.place / "rules.yml",
            "--store",
            self.store,
            "--format",
            "none",
        ]
        options += ["--deliver", "--config", self.place / "config.yml"]
        command: list[str | Path] = [sys.executable, "-m", "fileaudit_engine", "replay", "-", *options]
        enough = threading.Event()
        with (
            (self.place / "said").open("ab") as said,
            subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said) as process,
        ):
            assert process.stdin is not None
            feeder = threading.Thread(target=self.happening.feed, args=(process.stdin, enough))
            feeder.start()
            try:
                yield process, enough
            finally:
                process.kill()
                enough.set()
                feeder.join()

    def kill(self, when: When) -> None:
        """Start one, and kill it at some moment."""
        head, confirmed = self.head(), self.confirmed()
        with self.running() as (process, _):
            if when is When.DELIVERING:
                self.wait_for(lambda: self.head() > head, process)
            elif when is When.CONFIRMED:
                self.wait_for(lambda: self.confirmed() > confirmed, process)
            time.sleep(self.draw.uniform(0, 2.0))
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL, self.said()
        self.seen.append(Seen(cursor=self.confirmed(), head=self.head()))

    def end(self) -> None:
        """One more, which is told that there are enough: it ends well, and says that some were refused."""
        with self.running() as (process, enough):
            before = self.head()
            self.wait_for(lambda: self.head() > before, process)
            enough.set()
            assert process.wait(PATIENCE_S) == Exit.FINDINGS, self.said()

    def head(self) -> int:
        """How many rows the store has; 0 as long as there is none."""
        try:
            with Store.open(self.store, read_only=True) as store:
                return store.head.seq
        except FileauditError:  # it is being made
            return 0

    def confirmed(self) -> int:
        """Up to which row rsyslog is known to have everything."""
        try:
            with Store.open(self.store, read_only=True) as store:
                return store.cursor("syslog") or 0
        except FileauditError:
            return 0

    def wait_for(self, holds: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
        """It must, and the command must not end meanwhile."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.02)

    def said(self) -> str:
        """The end of what the commands said."""
        return (self.place / "said").read_text(errors="replace")[-3_000:]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Rsyslog]:
    with Rsyslog(tmp_path / "server") as made:
        yield made


def test_engines_that_are_killed_leave_nothing_out(elastic: Node, server: Rsyslog, tmp_path: Path) -> None:
    install(elastic)
    map_pids(elastic, NAMESPACE, "integer")
    (tmp_path / "rules.yml").write_text(RULES)
    config = CONFIG.format(url=elastic.url, namespace=NAMESPACE, port=server.tcp_port)
    (tmp_path / "config.yml").write_text(config)
    series = Series(place=tmp_path)
    for when in itertools.islice(itertools.cycle(ORDER), KILLS):
        series.kill(when)
    series.end()
    server.quiet()

    with Store.open(series.store, read_only=True) as store:
        rows = list(every_row(store))
        letters = store.dead_letters("elasticsearch")
        assert store.cursors() == {"elasticsearch": store.head.seq, "syslog": store.head.seq}
        assert store.dead_letters("syslog") == {}
    poison = {row.seq for row in rows if is_poison(row.document)}
    assert letters.keys() == poison, "what can never be taken, and nothing else"
    assert poison
    expected = sorted(row.id for row in rows if row.seq not in poison)
    assert len(set(expected)) == len(expected)
    assert indexed_ids(elastic, NAMESPACE) == expected

    assert max(seen.cursor for seen in series.seen) > 0
    filed = collections.Counter(filed_ids(server))
    alerts = {row.id: row.seq for row in rows if row.kind is Kind.ALERT}
    assert filed.keys() == alerts.keys()
    for name, count in filed.items():
        again = sum(seen.cursor < alerts[name] <= seen.head for seen in series.seen)
        assert count <= 1 + again, f"row {alerts[name]} had been confirmed, and came again"
    print(  # noqa: T201 - figures
        f"{KILLS} killed, {len(alerts):,} alerts, {len(poison):,} dead letters,"
        f" {sum(filed.values()) - len(filed):,} came again to rsyslog"
    )


def is_poison(document: dict[str, dict[str, int]]) -> bool:
    """Whether the number of its process is one that the mapping does not take."""
    return document.get("process", {}).get("pid", 0) >= POISON
