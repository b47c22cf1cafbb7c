"""The JSON log: its lines are whole, its files are rotated, and nobody else has a hand in them."""

import contextlib
import fcntl
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.events.examples import HOSTILE, SHADOW
from tests.unit.events.records import record
from tests.unit.sinks.logs import DAY, HOUR, NOON, Log, Row, rows

from fileaudit_engine.diagnostics import MachineCannot, UnusableInput
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.sinks import append_file
from fileaudit_engine.sinks.base import Delivered, Reject, Retry
from fileaudit_engine.sinks.jsonfile import LOCK
from fileaudit_engine.sinks.settings import Rotation
from fileaudit_engine.store.files import prepare


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path / "made" / "log")
    yield made
    made.file.close()


# ---------------------------------------------------------------------------------------------- lines


def test_one_compact_document_a_line_whatever_is_in_it(log: Log) -> None:
    hostile = record(msgspec.structs.replace(SHADOW, path=f"{HOSTILE}\u202e\u2028\x7f\N{GRINNING FACE}"))
    given = [record(), hostile, record(level="informational")]
    answers = log.file.deliver([Row(encode(one.document)) for one in given])
    assert answers == [Delivered()] * 3
    raw = log.active.read_bytes()
    assert raw.endswith(b"\n")
    assert [json.loads(line) for line in raw.decode().split("\n")[:-1]] == [one.document for one in given]
    assert not set("\u202e\u2028\x7f") & set(raw.decode())


def test_what_is_not_one_line_of_text_is_rejected_and_the_others_are_written(log: Log) -> None:
    answers = log.file.deliver([*rows(1), Row(b'{"n":\n2}'), *rows(3), Row(b'{"n":"\xff"}'), *rows(5)])
    assert [type(answer) for answer in answers] == [Delivered, Reject, Delivered, Reject, Delivered]
    assert log.numbers() == [1, 3, 5]


def test_file_and_folders_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o777)
    try:
        log = Log(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    log.write(1)
    assert stat.S_IMODE(log.active.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.folder.stat().st_mode) & 0o077 == 0
    log.file.close()


# ----------------------------------------------------------------------------------------- not its own


def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(UnusableInput, match="other users can write to the JSON log's folder"):
        Log(tmp_path / "open" / "log")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to groups")
@pytest.mark.parametrize(
    ("group", "mode", "fine"), [(110, 0o775, True), (1_000, 0o775, False), (110, 0o777, False)]
)
def test_a_folder_above_may_be_shared_with_a_group_of_the_system(
    tmp_path: Path, group: int, mode: int, *, fine: bool
) -> None:
    """As `/var/log` is with syslog on Ubuntu."""
    (tmp_path / "log").mkdir()
    os.chown(tmp_path / "log", 0, group)
    (tmp_path / "log").chmod(mode)
    with contextlib.nullcontext() if fine else pytest.raises(UnusableInput, match="other users"):
        Log(tmp_path / "log" / "fileaudit").file.close()
    with pytest.raises(UnusableInput, match="other users"):
        Log(tmp_path / "log")
    with pytest.raises(UnusableInput, match="other users"):
        prepare(tmp_path / "log" / "fileaudit" / "fileaudit.db")


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "second name", "open to others"])
def test_what_stands_in_the_files_place_and_is_not_ours_alone_is_refused(tmp_path: Path, kind: str) -> None:
    folder, victim = tmp_path / "log", tmp_path / "victim"
    folder.mkdir(mode=0o700)
    victim.write_text("precious")
    place = folder / "fileaudit.ndjson"
    match kind:
        case "link":
            place.symlink_to(victim)
        case "pipe":
            os.mkfifo(place)
        case "folder":
            place.mkdir()
        case "second name":
            place.hardlink_to(victim)
        case _:
            place.touch()
            place.chmod(0o666)
    with pytest.raises(UnusableInput):
        Log(folder)
    assert victim.read_text() == "precious"


def test_a_file_in_the_folders_place_is_a_machine_that_cannot(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    with pytest.raises(MachineCannot, match="cannot be written"):
        Log(tmp_path / "log")


def test_a_second_process_on_the_same_log_is_refused_and_told_who_has_it(log: Log) -> None:
    with pytest.raises(MachineCannot, match=rf"written by another process: {os.getpid()}$"):
        Log(log.folder)
    log.file.close()
    log.start()
    log.write(1)


# -------------------------------------------------------------------------------------------- rotation


def test_a_day_of_utc_has_a_file_of_its_own(log: Log) -> None:
    log.write(1)
    log.now_ns += DAY // 2 - 1
    log.write(2)
    log.now_ns += 1
    log.write(3)
    log.now_ns += 30 * DAY
    log.write(4)
    assert log.numbers() == [1, 2, 3, 4]
    assert log.names() == [
        "fileaudit-2026-11-28.1.ndjson",
        "fileaudit-2026-11-29.1.ndjson",
        "fileaudit.ndjson",
    ]


def test_an_hour_has_if_that_is_asked_for(log: Log) -> None:
    log.file.close()
    log.start(rotate=Rotation.HOURLY)
    for number in range(3):
        log.write(number)
        log.now_ns += HOUR
    assert log.names() == [
        "fileaudit-2026-11-28T12.1.ndjson",
        "fileaudit-2026-11-28T13.1.ndjson",
        "fileaudit.ndjson",
    ]


def test_a_full_file_is_followed_by_another_of_the_same_day(log: Log) -> None:
    log.file.close()
    log.start(max_bytes=100)
    log.write(*range(10), filling="x" * 20)
    assert log.numbers() == list(range(10))
    assert log.names()[-2:] == ["fileaudit-2026-11-28.4.ndjson", "fileaudit.ndjson"]
    assert len(log.active.read_bytes()) <= 100


def test_a_line_that_is_longer_than_a_file_may_be_has_one_for_itself(log: Log) -> None:
    log.file.close()
    log.start(max_bytes=100)
    log.write(1)
    log.write(2, filling="x" * 1_000)
    log.write(3)
    assert log.numbers() == [1, 2, 3]


def test_a_file_of_yesterday_is_rotated_at_the_next_start_and_when_nothing_happens(log: Log) -> None:
    log.write(1)
    log.file.close()
    log.now_ns += DAY
    log.start()
    log.file.keep(1)
    assert log.names() == ["fileaudit-2026-11-28.1.ndjson", "fileaudit.ndjson"]
    assert log.active.read_bytes() == b""
    log.now_ns += DAY
    log.file.keep(1)
    assert len(log.names()) == 2


def test_a_clock_that_is_put_back_loses_nothing(log: Log) -> None:
    for number, days in enumerate([0, 1, -1, -1, 0, 400, -400]):
        log.now_ns = NOON + days * DAY
        log.write(number)
    log.look_after()
    assert sorted(log.numbers()) == list(range(7))


# ------------------------------------------------------------------------------------ torn and in the way


@pytest.mark.parametrize("torn", [b'{"n":7', b"\0" * 3_000, b"x" * 70_000, b"\xff"])
def test_a_torn_last_line_is_cut_at_the_next_start_and_told(
    log: Log, torn: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(append_file, "_LOOK_BACK_BYTES", 1_000)
    log.write(1, 2)
    log.file.close()
    with log.active.open("ab") as file:
        file.write(torn)
    log.start()
    assert log.numbers() == [1, 2]
    assert log.said == [f"the last line was torn: {len(torn):,} bytes of it are cut off"]
    log.write(3)
    assert log.numbers() == [1, 2, 3]


def test_a_file_of_nothing_but_a_torn_line_is_emptied(log: Log) -> None:
    log.active.write_bytes(b'{"n":')
    log.file.close()
    log.start()
    log.write(1)
    assert log.numbers() == [1]


@given(st.lists(st.integers(0, 400), max_size=8), st.integers(0, 3_000))
@settings(deadline=None, max_examples=60)
def test_a_disk_that_is_full_takes_whole_lines_and_later_the_rest(
    tmp_path_factory: pytest.TempPathFactory, fillings: list[int], room: int
) -> None:
    log = Log(tmp_path_factory.mktemp("full") / "log")
    given = [one for n, size in enumerate(fillings) for one in rows(n, filling="x" * size)]
    with limited(room):
        answers = log.file.deliver(given)
        done = sum(isinstance(answer, Delivered) for answer in answers)
        assert all(isinstance(answer, Retry) for answer in answers[done:])
        assert log.numbers() == list(range(done))
        assert done == len(given) or len(log.active.read_bytes()) + len(given[done].raw) + 1 > room
    assert log.file.deliver(given[done:]) == [Delivered()] * (len(given) - done)
    assert log.numbers() == list(range(len(given)))
    log.file.close()


class limited:  # noqa: N801 - reads as a word
    """Files of this process may not grow further: the kernel writes what fits, as on a full disk."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __enter__(self) -> None:
        self._handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._size, self._before[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)
        signal.signal(signal.SIGXFSZ, self._handler)


def test_a_piece_that_cannot_be_cut_at_once_is_cut_before_anything_else_is_written(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(5, "Input/output error")

    log.write(1)
    with limited(25), monkeypatch.context() as patch:
        patch.setattr(os, "ftruncate", refused)
        assert log.write(2, filling="x" * 100) == [Retry("File too large")]
        assert not log.active.read_bytes().endswith(b"\n")
    log.write(2, 3)
    assert log.numbers() == [1, 2, 3]


@pytest.mark.parametrize("how", ["renamed", "removed", "replaced", "folder removed", "emptied"])
def test_what_others_do_to_the_file_is_noticed(log: Log, how: str, tmp_path: Path) -> None:
    log.write(1)
    match how:
        case "renamed":
            log.active.rename(tmp_path / "elsewhere")
        case "removed":
            log.active.unlink()
        case "replaced":
            (log.folder / "other").touch(mode=0o600)
            (log.folder / "other").rename(log.active)
        case "folder removed":
            subprocess.run(["rm", "-r", log.folder], check=True)
        case _:
            os.truncate(log.active, 0)
    assert log.write(2) == [Delivered()]
    assert log.numbers() == [2]
    assert stat.S_IMODE(log.active.stat().st_mode) == 0o600


def test_what_others_write_behind_it_is_cut_to_whole_lines(log: Log) -> None:
    log.write(1)
    with log.active.open("ab") as file:
        file.write(b'{"n":2}\n{"n"')
    log.write(3)
    assert log.numbers() == [1, 2, 3]


def test_a_link_that_is_put_in_its_place_is_not_followed(log: Log, tmp_path: Path) -> None:
    log.write(1)
    log.active.unlink()
    log.active.symlink_to(tmp_path / "victim")
    (answer,) = log.write(2)
    assert isinstance(answer, Retry)
    assert "symbolic link" in answer.reason
    assert not (tmp_path / "victim").exists()
    log.active.unlink()
    assert log.write(2) == [Delivered()]


def test_a_folder_that_was_removed_is_made_again_with_its_lock(log: Log) -> None:
    shutil.rmtree(log.folder)
    assert log.write(2) == [Delivered()]
    with pytest.raises(MachineCannot, match=f"written by another process: {os.getpid()}"):
        Log(log.folder)
    assert log.numbers() == [2]


def test_a_log_that_another_process_has_taken_over_is_left_to_it(log: Log) -> None:
    shutil.rmtree(log.folder)
    other = Log(log.folder)
    (answer,) = log.write(2)
    assert isinstance(answer, Retry)
    assert "is written by another process" in answer.reason
    assert other.numbers() == []
    other.file.close()
    assert log.write(2) == [Delivered()]


# ------------------------------------------------------------------------------------------ on the disk


def test_it_says_up_to_where_what_was_delivered_is_on_the_disk(log: Log) -> None:
    log.write(1)
    assert log.file.kept == 0
    log.file.keep(41)
    log.file.close()
    assert log.file.kept == 41
    log.start()


def test_files_that_were_rotated_meanwhile_are_forced_too(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    forced: set[int] = set()
    really = os.fdatasync

    def noted(descriptor: int) -> None:
        forced.add(os.fstat(descriptor).st_ino)
        really(descriptor)

    monkeypatch.setattr(os, "fdatasync", noted)
    log.write(1)
    first = log.active.stat().st_ino
    log.now_ns += DAY
    log.write(2)
    second = log.active.stat().st_ino
    log.file.keep(2)
    log.file.close()
    assert {first, second} <= forced
    assert log.file.kept == 2
    log.start()


def test_what_cannot_be_forced_is_told_and_not_counted(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    log.write(1)
    log.file.keep(1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing)
        log.file.keep(2)
        log.file.close()
    assert log.file.kept < 2
    assert "what was written last may be lost: Input/output error" in log.said
    log.start()


def test_a_disk_that_keeps_nothing_is_not_filled_with_the_same_lines(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, failures = os.fdatasync, iter(["the file", "the same when it is given up"])

    def failing(descriptor: int) -> None:
        if next(failures, None):
            raise OSError(5, "Input/output error")
        really(descriptor)

    monkeypatch.setattr(os, "fdatasync", failing)
    log.write(1)
    log.file.keep(1)
    for _ in range(2):
        wait_for(log.file.again)
        assert log.write(1) == [Delivered()]
        assert log.write(2) == [Retry("the disk has not kept what was written")]
    log.file.keep(1)
    wait_for(lambda: log.file.kept == 1)
    assert log.write(2) == [Delivered()]
    assert log.numbers() == [1, 1, 1, 2]


def wait_for(what: Callable[[], bool]) -> None:
    pause = threading.Event()
    assert any(what() or pause.wait(0.005) for _ in range(4_000))


# ------------------------------------------------------------------------------------------------ kill -9

WRITER = """
import sys
from pathlib import Path
from tests.unit.sinks.logs import rows
from fileaudit_engine.sinks.jsonfile import JsonFile
from fileaudit_engine.sinks.settings import JsonLogSettings

log = JsonFile(JsonLogSettings(folder=Path(sys.argv[1]), max_bytes=300_000), tell=print)
for start in range(0, 10**9, 50):
    log.deliver(rows(*range(start, start + 50), filling="x" * 500))
    log.keep(start)
    print(start + 50, flush=True)
"""


def test_a_killed_writer_leaves_whole_lines_and_all_that_it_said_was_written(tmp_path: Path) -> None:
    for moment in (1, 7, 40):
        folder = tmp_path / str(moment)
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, folder], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
        ) as writer:
            assert writer.stdout
            said = [int(writer.stdout.readline()) for _ in range(moment)]
            writer.kill()
            said += [int(line) for line in writer.stdout.read().split()]
        log = Log(folder)
        log.look_after()
        found = log.numbers()
        assert found == list(range(len(found)))
        assert len(found) >= said[-1]
        log.file.close()


def test_nobody_inherits_the_lock(log: Log) -> None:
    with subprocess.Popen(["sleep", "60"], close_fds=False) as child:
        log.file.close()
        with (log.folder / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        child.kill()
    log.start()
