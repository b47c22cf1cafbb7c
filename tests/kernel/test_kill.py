"""kill -9 at random moments under load, on the live kernel: what was printed is kept, and the chain goes on.

Whole engines take seconds to start, most of which is LLVM's: a dozen of them are killed here, and as many
more as `FILEAUDIT_KILLS` asks for. Between two of them, a hundred readers of one capture are killed: each
is what an engine is once it has started (the ring, the pipeline, the store, the JSON lines), without
programs of its own. A kill may come while a store is being opened, in the middle of a commit, or of a line.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.capture import Capture, made
from tests.kernel.test_commands import PATIENCE_S, Running
from tests.unit.store.kept import Kept

from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.diagnostics import FileauditError
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.runtime.pipeline import Pipeline
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.sinks.jsonlog import JsonLines
from fileaudit_engine.sources.ring import Ring
from fileaudit_engine.store.store import Store

pytestmark = pytest.mark.kernel

ENGINES = int(os.environ.get("FILEAUDIT_KILLS", "12"))
READERS = 100
TOGETHER = 3
"""Engines that start at the same time, each with a store of its own."""
RING_BYTES = 1 << 22

RULES = """
title: A secret is read
name: secret_read
level: high
logsource: {{product: linux, category: file_access}}
detection: {{selection: {{Operation: open, TargetFilename: {folder}/secret}}, condition: selection}}
---
title: A common file is read
name: common_read
level: informational
logsource: {{product: linux, category: file_access}}
detection: {{selection: {{Operation: open, TargetFilename: {folder}/common}}, condition: selection}}
"""

LOAD = """
import os, sys, time
folder = sys.argv[1]
while True:
    for name in ("common", "secret", "common", "common"):
        os.close(os.open(f"{folder}/{name}", os.O_RDONLY))
    time.sleep(0.001)
"""
"""Some three thousand calls a second, one in four of which is an alert: nearly every commit is forced."""


@pytest.fixture
def folder(place: Path) -> Path:
    for name in ("secret", "common"):
        made(place / "watched" / name)
    return place / "watched"


@contextlib.contextmanager
def load(folder: Path) -> Iterator[None]:
    """A program that reads secret and common files all the time."""
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", LOAD, folder]) as process:
        try:
            yield
        finally:
            process.kill()


def whole_lines(text: str) -> list[dict[str, Any]]:
    """The documents that were printed; the last line may be torn, and then nobody has read it."""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def prints(engine: Running) -> None:
    """Wait until it has printed something; it is not to end before."""
    engine.wait_for(lambda running: running.out or running.process.poll() is not None)
    assert engine.process.poll() is None, engine.err


class Series:
    """Engines on one store, one after the other, each killed.

    Attributes:
        printed: Ids of the alerts that any of them has printed.
        watched: How many were killed when they were watching already.
    """

    def __init__(self, place: Path, rules: Path, seed: int) -> None:
        self._store = place / "store" / "events.db"
        self._command = ("run", "--rules", rules, "--store", self._store, "--format", "json")
        self._random = random.Random(seed)
        self.kept = Kept(self._store)
        self.printed: set[str] = set()
        self.watched = 0
        self.failure = ""

    def kill(self, count: int) -> None:
        """So many times: start, kill at some moment, look; what goes wrong is told by `failure`."""
        try:
            for number in range(count):
                self._one(at_start=number % 4 == 3)
        except BaseException:  # noqa: BLE001 - a thread must say so by other means
            self.failure = traceback.format_exc()

    def _one(self, *, at_start: bool) -> None:
        engine = Running(*self._command)
        try:
            if not at_start:
                prints(engine)
                self.watched += 1
            time.sleep(self._random.uniform(0, 3 if at_start else 1))
        finally:
            status = engine.stop(signal.SIGKILL)
        assert status == -signal.SIGKILL, engine.err
        self.look("".join(engine.out))

    def look(self, text: str) -> None:
        """Every alert that was printed is in the store, and the chain holds."""
        self.printed |= {document["event"]["id"] for document in whole_lines(text)}
        if self._store.exists() and self.printed:
            self.kept.read_on()
        assert self.printed <= self.kept.ids

    def goes_on(self) -> None:
        """One more start, which ends as it should."""
        engine = Running(*self._command)
        try:
            prints(engine)
        finally:
            assert engine.stop() == 0, engine.err
        self.look("".join(engine.out))
        self.kept.is_whole()
        verified = subprocess.run(
            [sys.executable, "-m", "fileaudit_engine", "verify", self._store],
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert verified.returncode == 0, verified.stdout + verified.stderr


def killed_engines(place: Path, folder: Path) -> list[Series]:
    """Series of engines that have been killed, and the last of which has ended well."""
    rules = place / "rules"
    rules.mkdir()
    (rules / "rules.yml").write_text(RULES.format(folder=folder))
    every = [Series(place / f"host{number}", rules, number) for number in range(TOGETHER)]
    with load(folder):
        threads = [
            threading.Thread(target=one.kill, args=(-(-ENGINES // TOGETHER),), name="series") for one in every
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one in every:
            assert not one.failure, one.failure
            one.goes_on()
    return every


def test_engines_that_are_killed_lose_nothing_that_they_have_printed(place: Path, folder: Path) -> None:
    every = killed_engines(place, folder)
    for one in every:
        told = [document for document in one.kept.actions() if document["event"]["action"] == "engine_start"]
        before = [document["fileaudit"]["engine"]["previous"]["how"] for document in told]
        assert before.count("killed") >= one.watched, "each start says how the one before it ended"
        assert len(one.printed) > one.watched
        last = one.kept.actions()[-1]
        assert last["event"]["action"] == "engine_stop"
    kept = sum(len(one.kept.documents) for one in every)
    printed = sum(len(one.printed) for one in every)
    print(f"{ENGINES} engines killed: {printed:,} alerts were printed, {kept:,} records are kept")  # noqa: T201 - figures


class Reader:
    """A process that is what an engine is once it has started; it reads a capture that is not its own."""

    def __init__(self, capture: Capture, rules: Compiled, store: Path, out: Path) -> None:
        self._out = out
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                _read(capture, rules, store, out)
                status = 0
            except FileauditError as error:
                os.write(2, f"{error}\n".encode())
            except BaseException:  # noqa: BLE001 - a child of the test runner must not return into it
                traceback.print_exc()
            finally:
                os._exit(status)

    def wait_for_output(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not self._out.exists() or not self._out.stat().st_size:
            assert time.monotonic() < deadline, "nothing was printed"
            time.sleep(0.002)

    def kill(self) -> str:
        """Kill it; what it has printed."""
        os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "it had ended by itself"
        return self._out.read_text() if self._out.exists() else ""


def _read(capture: Capture, rules: Compiled, store: Path, out: Path) -> None:
    source = capture.source
    source._ring = Ring(source._maps["events"], RING_BYTES)  # from where the one before it was
    source._processes.scan()
    with Store.open(store) as opened, out.open("w", encoding="utf-8") as stream:
        pipeline = Pipeline(
            detector=Detector(rules.user, rules.kernel),
            sinks=(JsonLines(stream),),
            spool=Spool(opened, tell=print, proceed=lambda: True),
            host="here",
            on_loss=lambda _: None,
            clock_ns=time.time_ns,
        )
        pipeline.run(source, proceed=lambda: True)


def killed_readers(place: Path, folder: Path, count: int) -> tuple[Kept, set[str], list[int]]:
    """What a store holds after so many; the alerts that were printed, and how many each one has printed."""
    rules = compile_rules(parse_text(RULES.format(folder=folder), "here").rules)
    store, draw = place / "store" / "events.db", random.Random(7)
    kept, printed, each = Kept(store), set[str](), list[int]()
    capture = Capture(rules.kernel, ring_bytes=RING_BYTES)
    try:
        with load(folder):
            for number in range(count):
                reader = Reader(capture, rules, store, place / f"out{number}")
                if number % 3:
                    reader.wait_for_output()
                time.sleep(draw.uniform(0, 0.1))
                alerts = whole_lines(reader.kill())
                each.append(len(alerts))
                printed |= {alert["event"]["id"] for alert in alerts}
                if printed:
                    kept.read_on()
                assert printed <= kept.ids, f"after the kill {number}"
    finally:
        capture.close()
    return kept, printed, each


def has_ended_well(kept: Kept) -> None:
    """The file is whole, another writer can go on with it, and the engine's own eyes see nothing wrong."""
    kept.is_whole()
    with Store.open(kept.path) as store:
        assert store.head.seq == len(kept.documents)
    done = subprocess.run(
        [sys.executable, "-m", "fileaudit_engine", "verify", kept.path],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def busy(each: Sequence[int]) -> int:
    """How many were killed when they had alerts to print."""
    return sum(count > 0 for count in each)


def test_a_hundred_readers_that_are_killed_lose_nothing_that_they_have_printed(
    place: Path, folder: Path
) -> None:
    kept, printed, each = killed_readers(place, folder, READERS)
    assert busy(each) >= READERS * 2 // 3 - 1, "most were at work when they were killed"
    assert len(kept.ids) == len(kept.documents), "each is kept once"
    has_ended_well(kept)
    print(  # noqa: T201 - figures
        f"{READERS} readers killed, {busy(each)} at work: {len(printed):,} alerts were printed,"
        f" {len(kept.documents):,} records are kept"
    )
