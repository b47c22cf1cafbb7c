"""The commands as users run them, on the kernel of this machine."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.store.store import Store

pytestmark = pytest.mark.kernel

PATIENCE_S = 300
"""How long a step may take on a crowded or emulated machine; nothing here is fast by being shorter."""


class Running:
    """A command of ours that listens to the kernel, and what it has printed so far."""

    def __init__(self, *arguments: str | Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fileaudit_engine", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
        )
        self.store = Path()
        self.out: list[str] = []
        self.err: list[str] = []
        self._threads = [
            threading.Thread(target=self._collect, args=pair)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _collect(stream: Any, into: list[str]) -> None:
        into.extend(iter(stream.readline, ""))

    def wait_for(self, condition: Callable[["Running"], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition(self):
            assert time.monotonic() < deadline, f"out: {self.out}\nerr: {self.err}"
            time.sleep(0.01)

    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(PATIENCE_S)
        for thread in self._threads:
            thread.join(PATIENCE_S)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return status


@contextlib.contextmanager
def running(*arguments: str | Path, ready: str = "watching") -> Iterator[Running]:
    command = Running(*arguments)
    try:
        command.wait_for(lambda c: any(ready in line for line in c.err))
        yield command
    finally:
        command.stop()


@contextlib.contextmanager
def engine(tmp_path: Path, *arguments: str | Path) -> Iterator[Running]:
    store = tmp_path / "store" / "events.db"
    with running("run", "--store", store, "--format", "json", *arguments) as command:
        command.store = store
        yield command


def the_alert(command: Running, pid: int) -> dict[str, Any]:
    """The one alert that process `pid` raised."""

    def found() -> list[dict[str, Any]]:
        return [d for d in command.documents() if d.get("process", {}).get("pid") == pid]

    command.wait_for(lambda _: found())
    (alert,) = found()
    return alert


def cat(path: str, cwd: Path | None = None) -> int:
    with subprocess.Popen(["cat", path], stdout=subprocess.DEVNULL, cwd=cwd) as process:
        process.wait(PATIENCE_S)
    return process.pid


WATCHED = """
title: {name} is opened
name: {name}
level: high
logsource: {{product: linux, category: file_access}}
detection:
    selection:
        Operation: open
        TargetFilename|startswith: {path}
    condition: selection
"""


def rule_for(folder: Path, **watched: str | Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name, path in watched.items():
        (folder / f"{name}.yml").write_text(WATCHED.format(name=name, path=json.dumps(str(path))))
    return folder


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One engine with the shipped rules for all tests that only look at what it says."""
    with engine(tmp_path_factory.mktemp("shipped")) as command:
        yield command


def test_reading_the_shadow_file_is_a_high_alert_with_everything_about_the_reader(shipped: Running) -> None:
    alert = the_alert(shipped, cat("/etc/shadow"))
    assert alert["event"]["kind"] == "alert"
    assert alert["event"]["severity"] == 73
    assert alert["rule"]["id"] == "shadow_file_read"
    assert alert["file"]["path"] == "/etc/shadow"
    assert alert["process"]["executable"] == os.path.realpath("/bin/cat")
    assert alert["process"]["command_line"] == "cat /etc/shadow"
    assert alert["process"]["parent"]["pid"] == os.getpid()
    assert alert["process"]["parent"]["executable"] == os.path.realpath("/proc/self/exe")
    assert alert["user"]["name"] == "root"


@pytest.mark.parametrize(
    ("asked", "cwd"),
    [("../etc/shadow", "/usr"), ("link", None), ("/proc/self/root/etc/shadow", None)],
    ids=["relative", "symlink", "proc_root"],
)
def test_every_way_to_the_shadow_file_is_seen_with_its_resolved_path(
    shipped: Running, tmp_path: Path, asked: str, cwd: str | None
) -> None:
    (tmp_path / "link").symlink_to("/etc/shadow")
    alert = the_alert(shipped, cat(asked, Path(cwd) if cwd else tmp_path))
    assert alert["file"]["path"] == "/etc/shadow"
    assert alert["fileaudit"]["asked_path"] == asked


def test_stdout_holds_one_document_an_alert_and_nothing_else(tmp_path: Path) -> None:
    with engine(tmp_path, "--duration", "5") as command:
        pids = {cat("/etc/shadow"), cat("/etc/shadow")}
        status = command.process.wait(PATIENCE_S)
    assert status == 0
    assert pids <= {document["process"]["pid"] for document in command.documents()}
    assert {document["event"]["kind"] for document in command.documents()} == {"alert"}
    assert any(line.startswith("alerts") for line in command.err)


def stored(command: Running, kind: Kind = Kind.ALERT) -> list[dict[str, Any]]:
    """Documents that the engine has committed to its store."""
    with Store.open(command.store, read_only=True) as store:
        return [record.document for record in store.records(kind)]


def test_what_was_printed_is_in_the_store(shipped: Running) -> None:
    alert = the_alert(shipped, cat("/etc/shadow"))
    assert [d for d in stored(shipped) if d["event"]["id"] == alert["event"]["id"]] == [alert]


def test_reading_the_account_list_goes_into_the_audit_trail_only(shipped: Running) -> None:
    pid = cat("/etc/passwd")
    the_alert(shipped, cat("/etc/shadow"))
    (event,) = [d for d in stored(shipped, Kind.EVENT) if d["process"]["pid"] == pid]
    assert event["rule"]["id"] == "passwd_file_read"
    assert event["event"]["kind"] == "event"
    assert not [d for d in shipped.documents() if d["event"]["kind"] != "alert"]


def test_a_file_name_made_to_forge_output_is_escaped_on_the_terminal_and_whole_in_the_store(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "watched"
    folder.mkdir()
    name = os.fsencode(folder) + b"/line\n\x1b[2Jnot utf-8 \xff\xfe"
    Path(os.fsdecode(name)).write_text("x")
    rules = rule_for(tmp_path / "rules", hostile=folder)
    store = tmp_path / "store" / "events.db"
    with running("run", "--rules", rules, "--store", store, "--color", "never") as command:
        cat(os.fsdecode(name))
        command.wait_for(lambda c: any("hostile" in line for line in c.out))
    shown = "".join(command.out)
    assert "\x1b" not in shown
    assert r"/line\x0a\x1b[2Jnot utf-8 \xff\xfe" in shown
    command.store = store
    (alert,) = stored(command)
    assert alert["file"]["path"] == f"{folder}/line\n\x1b[2Jnot utf-8 \\xff\\xfe"


def test_nested_folders_in_three_rules_all_report(tmp_path: Path) -> None:
    deepest = tmp_path / "A" / "b" / "C"
    deepest.mkdir(parents=True)
    (deepest / "file").write_text("x")
    rules = rule_for(
        tmp_path / "rules",
        outer=tmp_path / "a",
        middle=tmp_path / "a" / "B",
        inner=tmp_path / "a" / "b" / "c",
    )
    with engine(tmp_path, "--rules", rules) as command:
        cat(str(deepest / "file"))
        command.wait_for(lambda c: len(c.out) >= 3)
    assert sorted(d["rule"]["id"] for d in command.documents()) == ["inner", "middle", "outer"]


def test_a_broken_rule_is_reported_and_the_others_run(tmp_path: Path) -> None:
    rules = rule_for(tmp_path / "rules", fine=tmp_path / "fine")
    (rules / "broken.yml").write_text("title: broken\nlogsource: {product: linux, category: file_access}\n")
    (tmp_path / "fine").write_text("x")
    with engine(tmp_path, "--rules", rules) as command:
        cat(str(tmp_path / "fine"))
        command.wait_for(lambda c: c.out)
    assert any("broken.yml:1:" in line for line in command.err)


def test_a_hangup_takes_changed_rules_into_use(tmp_path: Path) -> None:
    rules = rule_for(tmp_path / "rules", before=tmp_path / "before")
    (tmp_path / "after").write_text("x")
    with engine(tmp_path, "--rules", rules) as command:
        rule_for(rules, after=tmp_path / "after")
        command.process.send_signal(signal.SIGHUP)
        command.wait_for(lambda c: any("reload    2 rules" in line for line in c.err))
        cat(str(tmp_path / "after"))
        command.wait_for(lambda c: c.out)
    assert [d["rule"]["id"] for d in command.documents()] == ["after"]


def test_rules_that_need_other_programs_are_taken_over_without_a_gap_and_without_reporting_on_ourselves(
    tmp_path: Path,
) -> None:
    watched, store = tmp_path / "watched", tmp_path / "store" / "events.db"
    watched.mkdir()
    (watched / "file").write_text("x")
    rules = rule_for(tmp_path / "rules", whatever="/usr/", here=watched)
    with running("run", "--store", store, "--format", "json", "--rules", rules) as command:
        (rules / "component.yml").write_text(
            WATCHED.replace("|startswith", "|contains").format(name="component", path="/watched/")
        )
        command.process.send_signal(signal.SIGHUP)
        pids = []
        while not any("reload    3 rules" in line for line in command.err):
            pids.append(cat(str(watched / "file")))
            time.sleep(0.05)
        pids.append(cat(str(watched / "file")))
        command.wait_for(lambda c: any(d["process"]["pid"] == pids[-1] for d in c.documents()))
        command.stop()
    documents = command.documents()
    here = {d["process"]["pid"] for d in documents if d["rule"]["id"] == "here"}
    assert here >= set(pids)
    engine_pid = command.process.pid
    assert not [d for d in documents if engine_pid in (d["process"]["pid"], d["process"]["parent"]["pid"])]
    seen = next(line for line in command.err if line.startswith("events"))
    delivered = int(seen.split(" · ")[2].split()[0].replace(",", ""))
    assert delivered >= len(pids)


def test_a_store_that_is_locked_for_a_while_ends_nothing_and_loses_nothing(tmp_path: Path) -> None:
    rules = rule_for(tmp_path / "rules", secret=tmp_path / "secret")
    (tmp_path / "secret").write_text("x")
    with engine(tmp_path, "--rules", rules) as command:
        with contextlib.closing(sqlite3.connect(command.store, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            pid = cat(str(tmp_path / "secret"))
            command.wait_for(lambda c: any(line.startswith("STORE") for line in c.err))
            command.wait_for(lambda c: c.out)
            (trouble,) = command.documents()
            other.execute("ROLLBACK")
        alert = the_alert(command, pid)
        assert trouble["rule"]["id"] == "store_unavailable"
        assert stored(command) == [trouble, alert]
        assert command.documents() == [trouble, alert]


def test_trace_shows_a_failed_open_with_its_error_and_decoded_flags(tmp_path: Path) -> None:
    missing = tmp_path / "not there"
    with running("trace", "--path", f"{tmp_path}/*", "--color", "never", ready="tracing") as command:
        with contextlib.suppress(FileNotFoundError):
            os.open(missing, os.O_WRONLY | os.O_APPEND)
        command.wait_for(lambda c: any("not there" in line for line in c.out))
    (line,) = [line for line in command.out if "not there" in line]
    assert "ENOENT" in line
    assert "O_WRONLY|O_APPEND" in line
    assert str(os.getpid()) in line


def test_what_was_recorded_replays_to_the_same_alerts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    rules = rule_for(tmp_path / "rules", replayed=tmp_path / "file")
    recording = tmp_path / "recording.ndjson"
    with running("record", recording, "--rules", rules, ready="recording") as command:
        pid = cat(str(tmp_path / "file"))
        command.wait_for(lambda _: recording.stat().st_size)
    done = subprocess.run(
        [sys.executable, "-m", "fileaudit_engine", "replay", recording, "--rules", rules, "--format", "json"],
        check=True,
        capture_output=True,
    )
    (alert,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert alert["process"]["pid"] == pid
    assert alert["file"]["path"] == str(tmp_path / "file")
