"""Mounts that only a caller sees are looked up one by one, and never for long."""

import math
import os
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from tests.unit.sources.namespaces import bound, mounted, needs_root, process, read_table, unshared

from fileaudit_engine.sources import caller_mounts, look
from fileaudit_engine.sources.caller_mounts import CallerMounts
from fileaudit_engine.sources.follow import Caller, Follower, Place
from fileaudit_engine.sources.mount_table import MountWatch

SOURCES = str(Path(caller_mounts.__file__).parent)
US = (os.getpid(), os.getpid())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With its true name."""
    return tmp_path.resolve()


def followed(path: str, pid: int) -> tuple[Place, int]:
    """Where a path of a process in a namespace of its own led, and the lines of code it took us."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace if frame.f_code.co_filename.startswith(SOURCES) else None

    mounts = MountWatch("/proc/self/mountinfo")
    look.cached()
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return Follower(mounts).follow(path, Caller(pid, pid, elsewhere=True)), count
    finally:
        sys.settrace(before)
        mounts.close()


def test_each_mount_is_found_by_its_number() -> None:
    table = read_table("/proc/self/mountinfo").by_number
    theirs = CallerMounts()
    assert {number: theirs.mount(*US, number) for number in table} == table
    assert theirs.mount(*US, 1 << 30) is None


def test_a_thread_that_has_ended_saw_what_its_process_sees() -> None:
    (thread := threading.Thread()).start()
    thread.join()
    number = next(iter(read_table("/proc/self/mountinfo").by_number))
    assert CallerMounts().mount(os.getpid(), thread.native_id or 0, number)


def test_a_process_that_has_ended_sees_nothing() -> None:
    assert CallerMounts().mount(1 << 30, 1 << 30, 1) is None


@pytest.mark.parametrize("limit", ["_MOST_BYTES", "_MOST_S"])
def test_of_a_table_that_is_too_long_the_end_is_unknown(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_, last = read_table("/proc/self/mountinfo").by_number
    monkeypatch.setattr(caller_mounts, limit, 1 if limit == "_MOST_BYTES" else 0.0)  # a block is read
    monkeypatch.setattr(os, "pread", lambda file, size, at, read=os.pread: read(file, min(size, 150), at))
    theirs = CallerMounts()
    assert (theirs.mount(*US, first) is not None, theirs.mount(*US, last)) == (True, None)


def test_who_asks_for_too_much_gets_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller_mounts, "_SHARE", 1e-9)
    monkeypatch.setattr(caller_mounts, "_BURST_S", 1e-9)
    number = next(iter(read_table("/proc/self/mountinfo").by_number))
    theirs = CallerMounts()
    assert theirs.mount(*US, number)
    assert theirs.mount(*US, number) is None


@needs_root
def test_a_hundred_times_the_mounts_are_hardly_more_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caller_mounts, "_MOST_S", math.inf)
    for name in ("data", "inside"):
        (folder / name).mkdir()
    (folder / "data/file").touch()
    (folder / "data/link").symlink_to("file")
    work = []
    for count in (30, 3000):

        def prepare(count: int = count) -> None:
            unshared()
            for _ in range(count):
                bound(folder / "data", folder / "inside")

        with process(prepare) as pid:
            place, steps = followed(f"{folder}/inside/link", pid)
        assert (place.path, place.whole) == (f"{folder}/inside/file", True)
        assert place.elsewhere
        assert place.elsewhere.point == bytes(folder / "inside")
        work.append(steps)
    assert 0 < work[1] < 5 * work[0]


@needs_root
def test_names_on_a_file_system_of_the_host_are_followed_even_if_nothing_may_be_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caller_mounts, "_BURST_S", 0.0)
    for name in ("data", "inside", "own"):
        (folder / name).mkdir()
    (folder / "data/file").touch()
    (folder / "data/link").symlink_to("file")

    def prepare() -> None:
        unshared()
        bound(folder / "data", folder / "inside")
        mounted("tmpfs", folder / "own")
        (folder / "own/link").symlink_to("file")

    with process(prepare) as pid:
        bind, _ = followed(f"{folder}/inside/link", pid)
        own, _ = followed(f"{folder}/own/link", pid)
    assert (bind.path, bind.whole, bind.elsewhere) == (f"{folder}/inside/file", True, None)
    assert (own.path, own.whole) == (f"{folder}/own/link", False)
