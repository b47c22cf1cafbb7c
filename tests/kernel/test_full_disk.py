"""A full disk: the host goes on, what is kept stays, an alert says so at once, and room again ends it.

The store is in a small file system (in memory, and ext4 in a file), most of which a ballast takes; that is
taken away when there is to be room again.
"""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.capture import made
from tests.kernel.test_commands import PATIENCE_S, Running, running
from tests.unit.sources.namespaces import file_system, unmounted
from tests.unit.store.kept import Kept

from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.store.store import Store

pytestmark = pytest.mark.kernel

ROOM = 6 << 20
"""What the store has before the disk is full."""
BALLAST = 24 << 20
OWN = 6 << 20
"""What ext4 takes of such a disk for itself: its journal, mostly."""

RULE = """
title: A secret is read
name: secret_read
level: high
logsource: {{product: linux, category: file_access}}
detection: {{selection: {{Operation: open, TargetFilename: {folder}/secret}}, condition: selection}}
"""

HOST = """
import json, os, signal, sys, time
secret, other = sys.argv[1:]
signal.signal(signal.SIGTERM, lambda *_: told.update(going=False))
told = {"going": True, "calls": 0, "failed": 0, "took_ns": []}
while told["going"]:
    begun = time.perf_counter_ns()
    try:
        os.close(os.open(secret, os.O_RDONLY))
        with open(other, "w") as file:
            file.write("x" * 100)
    except OSError:
        told["failed"] += 1
    told["calls"] += 1
    told["took_ns"].append(time.perf_counter_ns() - begun)
    time.sleep(0.004)
print(json.dumps(told))
"""
"""What a host does meanwhile: it reads the watched file, and writes one on a disk that has room."""


@contextlib.contextmanager
def in_memory(place: Path) -> Iterator[Path]:
    """A file system in memory with that much room, and ballast."""
    with file_system("tmpfs", place, options=f"size={ROOM + BALLAST},mode=700"):
        yield place


@contextlib.contextmanager
def on_ext4(place: Path) -> Iterator[Path]:
    """The same as ext4, in a file."""
    image = place.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(ROOM + BALLAST + OWN)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    mount_image(image, place)
    place.chmod(0o700)
    try:
        yield place
    finally:
        unmounted(place)


def put_away(place: Path) -> None:
    """Unmount it, and wait until the kernel has let go of the image."""
    subprocess.run(["umount", place], check=True)
    image = place.with_suffix(".img")
    while subprocess.run(["losetup", "-j", image], check=True, capture_output=True).stdout:
        time.sleep(0.01)


def mount_image(image: Path, place: Path) -> None:
    subprocess.run(["mount", "-o", "loop", image, place], check=True)


@pytest.fixture(params=[in_memory, on_ext4], ids=["tmpfs", "ext4"])
def disk(request: pytest.FixtureRequest, place: Path) -> Iterator[Path]:
    (place / "disk").mkdir()
    with request.param(place / "disk") as folder:
        yield folder


def fill(disk: Path, name: str = "filling") -> Path:
    """Take all the room that there is."""
    path = disk / name
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    return path


@pytest.fixture
def ballast(disk: Path) -> Path:
    path = disk / "ballast"
    path.write_bytes(b"x" * BALLAST)
    return path


@pytest.fixture
def watched(place: Path) -> Path:
    made(place / "watched" / "secret")
    made(place / "watched" / "other")
    (place / "rules").mkdir()
    (place / "rules" / "rule.yml").write_text(RULE.format(folder=place / "watched"))
    return place / "watched"


class Host:
    """A program that goes on with its work while the disk is full.

    Attributes:
        told: What it says of that at the end.
    """

    def __init__(self, watched: Path) -> None:
        command = [sys.executable, "-I", "-S", "-c", HOST, f"{watched}/secret", f"{watched}/other"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.told: dict[str, Any] = {}

    def stop(self) -> dict[str, Any]:
        """Let it end."""
        if not self.told:
            self._process.send_signal(signal.SIGTERM)
            output, _ = self._process.communicate(timeout=PATIENCE_S)
            self.told = json.loads(output)
        return self.told


@contextlib.contextmanager
def at_work(watched: Path) -> Iterator[Host]:
    host = Host(watched)
    try:
        yield host
    finally:
        host.stop()


@contextlib.contextmanager
def engine(disk: Path, watched: Path) -> Iterator[Running]:
    store = disk / "store" / "events.db"
    rules = watched.parent / "rules"
    with running("run", "--store", store, "--rules", rules, "--format", "json") as command:
        command.store = store
        yield command


def of_rule(rule: str) -> Callable[[Running], list[dict[str, Any]]]:
    """The alerts of a rule that were printed."""
    return lambda command: [one for one in command.documents() if one["rule"]["id"] == rule]


UNAVAILABLE = of_rule("store_unavailable")
SECRETS = of_rule("secret_read")


def told(command: Running, words: str) -> list[str]:
    return [line for line in command.err if words in line]


def kept_in(command: Running) -> Kept:
    kept = Kept(command.store)
    kept.read_on()
    return kept


def is_verified(store: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fileaudit_engine", "verify", store],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def ids(documents: list[dict[str, Any]]) -> set[str]:
    return {document["event"]["id"] for document in documents}


def test_the_disk_fills_up_and_there_is_room_again(disk: Path, ballast: Path, watched: Path) -> None:
    with engine(disk, watched) as command:
        with at_work(watched) as host:
            command.wait_for(UNAVAILABLE)
            shown = UNAVAILABLE(command)
            before = kept_in(command)
            assert ids(SECRETS(command)) <= before.ids, "nothing else is shown before it is on the disk"
            calls = host.stop()
        ballast.unlink()
        command.wait_for(lambda running: told(running, "can be written again"))
        command.wait_for(lambda running: len(SECRETS(running)) == calls["calls"])
    kept = kept_in(command)
    assert command.process.returncode == 0
    assert calls["failed"] == 0, "a disk that is full is the engine's trouble alone"
    assert [document["event"]["id"] for document in kept.documents[: len(before.documents)]] == [
        document["event"]["id"] for document in before.documents
    ], "what was kept stays as it was"
    assert ids(command.documents()) <= kept.ids
    assert len(shown) == 1, "it is told once"
    assert shown[0]["event"]["id"] in kept.ids, "the alert itself is kept when there is room"
    assert {"store_unavailable", "store_available"} <= {one["event"]["action"] for one in kept.actions()}
    secrets = [one for one in kept.documents if one.get("rule", {}).get("id") == "secret_read"]
    assert len(secrets) == calls["calls"], "nothing was lost"
    kept.is_whole()
    is_verified(command.store)
    print_figures(disk, calls, before, kept)


def print_figures(disk: Path, calls: dict[str, Any], before: Kept, kept: Kept) -> None:
    took = sorted(calls["took_ns"])
    available = next(one for one in kept.actions() if one["event"]["action"] == "store_available")
    print(  # noqa: T201 - figures
        f"\n{disk}: {calls['calls']} calls, median {took[len(took) // 2] / 1e3:.0f} us,"
        f" worst {took[-1] / 1e3:.0f} us; {len(before.documents)} records when it was full,"
        f" {len(kept.documents)} at the end; {available['fileaudit']['engine']}"
    )


def says_what_is_gone(command: Running, kept: Kept) -> None:
    """What waited to the end was shown all the same, there being no other time; how much that is, is told."""
    kept.read_on()
    (line,) = told(command, "could not be stored and are gone")
    gone = int(line.split()[1].replace(",", ""))
    printed = [document["event"]["id"] for document in command.documents()]
    missing = [name for name in printed if name not in kept.ids]
    assert 0 < len(missing) <= gone
    rest = set(printed[-len(missing) :])
    assert set(missing) - ids(UNAVAILABLE(command)) <= rest, "it is what came last"


def test_an_engine_that_ends_while_the_disk_is_full_says_what_is_gone(
    disk: Path, ballast: Path, watched: Path
) -> None:
    assert ballast.exists()
    with engine(disk, watched) as command:
        with at_work(watched):
            command.wait_for(UNAVAILABLE)
        kept = kept_in(command)
        assert ids(SECRETS(command)) <= kept.ids
        status = command.stop()
    assert status == 3
    says_what_is_gone(command, kept)
    ballast.unlink()
    with engine(disk, watched) as again, at_work(watched):
        again.wait_for(SECRETS)
    kept.read_on()
    assert ids(SECRETS(again)) <= kept.ids
    is_verified(again.store)


def refused(store: Path, rules: Path) -> "subprocess.CompletedProcess[str]":
    """An engine that cannot use this store."""
    return subprocess.run(
        [sys.executable, "-m", "fileaudit_engine", "run", "--store", store, "--rules", rules],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )


def test_an_engine_does_not_start_on_a_full_disk_and_says_why(disk: Path, watched: Path) -> None:
    filling = fill(disk)
    store, rules = disk / "events.db", watched.parent / "rules"
    done = refused(store, rules)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert "full" in done.stderr or "No space" in done.stderr
    assert "help:" in done.stderr or "free" in done.stderr
    filling.unlink()
    with Store.open(store) as opened:
        assert opened.head.seq == 0, "what was begun is finished"


def test_a_store_that_is_there_can_be_read_when_the_disk_is_full(disk: Path, watched: Path) -> None:
    with engine(disk, watched) as command, at_work(watched):
        command.wait_for(SECRETS)
    fill(disk)
    with Store.open(command.store, read_only=True) as store:
        assert ids(SECRETS(command)) <= {record.id for record in store.records_after(0, 1 << 20)}


def former_store(path: Path, rows: int) -> list[str]:
    """A store of version 3, as the engine before this one left it; the ids of its alerts."""
    folder = Path(__file__).parents[1] / "unit" / "store" / "former"
    names = [f"{number:032x}" for number in range(rows)]
    path.parent.mkdir(mode=0o700)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        for version in (1, 2, 3):
            database.executescript((folder / f"version_{version}.sql").read_text())
        for number, name in enumerate(names):
            database.execute(
                "INSERT INTO alerts (id, ts_ns, rule, level, severity, operation, outcome, pid, document)"
                " VALUES (?, ?, 'secret_read', 'high', 73, 'open', 'success', 1, ?)",
                (name, number, json.dumps(former_document(name, number)).encode()),
            )
        database.execute(f"PRAGMA application_id = {0x46414544}")
        database.execute("PRAGMA user_version = 3")
        database.commit()
    path.chmod(0o600)
    return names


def former_document(name: str, number: int) -> dict[str, Any]:
    return {
        "event": {"id": name, "kind": "alert", "action": "open", "outcome": "success"},
        "rule": {"id": "secret_read"},
        "file": {"path": f"/srv/{number}/{name * 20}"},
        "fileaudit": {"rule": {"level": "high"}},
    }


@pytest.mark.parametrize("room", [0, 200_000], ids=["no room", "too little"])
def test_a_store_of_a_former_version_stays_what_it_was_if_there_is_no_room_to_bring_it_up_to_date(
    disk: Path, ballast: Path, room: int
) -> None:
    path = disk / "store" / "events.db"
    names = former_store(path, 1_000)
    filling = fill(disk)
    os.truncate(filling, filling.stat().st_size - room)
    with pytest.raises(MachineCannot):
        Store.open(path)
    with contextlib.closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (3,)
        assert [name for (name,) in database.execute("SELECT id FROM alerts ORDER BY ts_ns")] == names
    filling.unlink()
    ballast.unlink()
    with Store.open(path) as store:
        assert [record.id for record in store.records_after(0, 1 << 20)] == names
    is_verified(path)


def aborted(place: Path) -> None:
    """What ext4 does to itself after an error of the disk: nothing can be written any more."""
    subprocess.run(["mount", "-o", "remount,abort", place], check=False, capture_output=True)
    with pytest.raises(OSError, match="Read-only"):
        (place / "probe").write_bytes(b"x")


def test_a_disk_that_fails_and_can_only_be_read_stops_nothing_and_takes_nothing(
    place: Path, watched: Path
) -> None:
    disk = place / "disk"
    disk.mkdir()
    with on_ext4(disk):
        with engine(disk, watched) as command:
            with at_work(watched) as host:
                command.wait_for(SECRETS)
                aborted(disk)
                command.wait_for(UNAVAILABLE)
                calls = host.stop()
            status = command.stop()
        put_away(disk)
        subprocess.run(["fsck.ext4", "-p", disk.with_suffix(".img")], check=False, capture_output=True)
        mount_image(disk.with_suffix(".img"), disk)
        kept = kept_in(command)
        kept.is_whole()
        is_verified(command.store)
        says_what_is_gone(command, kept)
    assert status == 3
    assert calls["failed"] == 0


def test_an_engine_does_not_start_where_it_can_only_read(place: Path, watched: Path) -> None:
    disk = place / "disk"
    disk.mkdir()
    with in_memory(disk):
        with Store.open(disk / "events.db"):
            pass
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        store, rules = disk / "events.db", watched.parent / "rules"
        done = refused(store, rules)
        with Store.open(store, read_only=True) as opened:
            assert opened.head.seq == 0
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
