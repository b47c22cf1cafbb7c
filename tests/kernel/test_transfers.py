"""What is read and written: told at once, summed after that, and each byte in exactly one event."""

import contextlib
import mmap
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from tests.kernel.capture import ANY, Capture, Seen, in_child, named, touch

from fileaudit_engine.compiler.ir import All, Matches, Test
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.model import FileEvent, Operation, PathState

pytestmark = pytest.mark.kernel

PATIENCE_S: Final = 20.0
R, W = Operation.READ, Operation.WRITE


@pytest.fixture
def file(capture: Capture, place: Path) -> Path:
    """A file of 10,000 bytes that a rule watches."""
    path = place / "file"
    path.write_bytes(b"x" * 10_000)
    capture.watch(named(str(path), ANY))
    return path


def transfers(seen: list[Seen], operation: Operation) -> list[FileEvent]:
    return [one.event for one in seen if one.event.operation is operation]


def sums(events: list[FileEvent]) -> tuple[int, int]:
    """Bytes and calls of all together."""
    return (
        sum(event.transferred_bytes or 0 for event in events),
        sum(event.transfer_calls or 0 for event in events),
    )


def test_the_first_read_is_told_and_the_others_are_one_sum(capture: Capture, file: Path) -> None:
    def action() -> None:
        descriptor = os.open(file, os.O_RDONLY)
        for _ in range(50):
            assert os.pread(descriptor, 100, 0)
        os.close(descriptor)

    first, rest = transfers(capture.of(action), R)
    assert (first.transferred_bytes, first.transfer_calls) == (100, 1)
    assert (rest.transferred_bytes, rest.transfer_calls) == (4900, 49)
    assert first.path == rest.path == str(file)
    assert first.process == rest.process


def test_reads_and_writes_of_one_descriptor_are_told_apart(capture: Capture, file: Path) -> None:
    def action() -> None:
        descriptor = os.open(file, os.O_RDWR)
        for _ in range(3):
            os.read(descriptor, 10)
            os.write(descriptor, b"four")

    seen = capture.of(action)
    assert sums(transfers(seen, R)) == (30, 3)
    assert sums(transfers(seen, W)) == (12, 3)


def test_every_opening_begins_anew(capture: Capture, file: Path) -> None:
    def action() -> None:
        for size in (1, 2, 3):
            descriptor = os.open(file, os.O_RDONLY)
            os.read(descriptor, size)
            os.close(descriptor)

    assert [event.transferred_bytes for event in transfers(capture.of(action), R)] == [1, 2, 3]


def test_a_process_that_ends_without_closing_is_told_in_full(capture: Capture, file: Path) -> None:
    def action() -> None:
        if os.fork() == 0:
            descriptor = os.open(file, os.O_RDONLY)
            for _ in range(7):
                os.pread(descriptor, 1000, 0)
            os.kill(os.getpid(), signal.SIGKILL)
        os.wait()

    assert sums(transfers(capture.of(action), R)) == (7000, 7)


def test_a_process_that_goes_on_is_told_meanwhile(capture: Capture, file: Path) -> None:
    (ready, arrived), (end, ended) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            os.close(ended)
            descriptor = os.open(file, os.O_RDONLY)
            for _ in range(5):
                os.pread(descriptor, 10, 0)
            os.write(arrived, b".")
            os.read(end, 1)
        os._exit(0)
    try:
        assert os.read(ready, 1)
        found = until(capture, pid, lambda seen: sums(transfers(seen, R)) == (50, 5))
        assert [event.transfer_calls for event in transfers(found, R)] == [1, 4]
    finally:
        for descriptor in (ready, arrived, end, ended):
            os.close(descriptor)
        os.waitpid(pid, 0)
    assert transfers(of_process(capture, pid), R) == []


def of_process(capture: Capture, pid: int) -> list[Seen]:
    """What has arrived of one process, and nobody else on this host."""
    return [seen for seen in capture.arrived() if seen.event.process.pid == pid]


def until(capture: Capture, pid: int, holds: Callable[[list[Seen]], bool]) -> list[Seen]:
    """What arrives of a process until something holds of it."""
    seen: list[Seen] = []
    deadline = time.monotonic() + PATIENCE_S
    while not holds(seen) and time.monotonic() < deadline:
        time.sleep(0.05)
        seen += of_process(capture, pid)
    return seen


def test_a_sum_is_no_younger_than_what_happened_after_all_that_it_sums(capture: Capture, file: Path) -> None:
    """Where much waits in the ring, what goes by the order of times would take all of it for late."""

    def action() -> None:
        descriptor = os.open(file, os.O_RDONLY)
        for _ in range(3):
            os.pread(descriptor, 10, 0)

    in_child(action)
    in_child(touch(file))
    events = [seen.event for seen in capture.arrived()]
    _, summed = [event for event in events if event.operation is R]
    *_, opened = [event for event in events if event.operation is Operation.OPEN]
    assert summed.transfer_calls == 2
    assert summed.process.pid != opened.process.pid
    assert summed.ts_ns <= opened.ts_ns


def test_a_copy_of_a_descriptor_is_the_same_opening(capture: Capture, file: Path) -> None:
    def action() -> None:
        descriptor = os.open(file, os.O_RDONLY)
        other = os.dup(descriptor)
        os.pread(descriptor, 10, 0)
        os.close(descriptor)
        os.pread(other, 10, 0)
        os.close(other)

    assert sums(transfers(capture.of(action), R)) == (20, 2)


def test_a_child_reads_through_what_its_parent_has_opened(capture: Capture, file: Path) -> None:
    def action() -> None:
        descriptor = os.open(file, os.O_RDONLY)
        os.pread(descriptor, 10, 0)
        if os.fork() == 0:
            os.pread(descriptor, 25, 0)
            os._exit(0)
        os.wait()
        os.pread(descriptor, 10, 0)

    events = transfers(capture.of(action), R)
    by_process: dict[int, int] = {}
    for event in events:
        by_process[event.process.pid] = by_process.get(event.process.pid, 0) + (event.transferred_bytes or 0)
    assert sorted(by_process.values()) == [20, 25]


def test_a_descriptor_that_was_handed_over_is_still_watched(capture: Capture, file: Path) -> None:
    def action() -> None:
        here, there = socket.socketpair()
        if os.fork() == 0:
            _, (descriptor,), _, _ = socket.recv_fds(there, 1, 1)
            os.read(descriptor, 33)
            os._exit(0)
        descriptor = os.open(file, os.O_RDONLY)
        socket.send_fds(here, [b"."], [descriptor])
        os.wait()

    (event,) = transfers(capture.of(action), R)
    assert (event.transferred_bytes, event.path) == (33, str(file))


def test_threads_are_summed_together(capture: Capture, file: Path) -> None:
    def action() -> None:
        descriptor = os.open(file, os.O_RDONLY)

        def read() -> None:
            for _ in range(20):
                os.pread(descriptor, 10, 0)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sums(transfers(capture.of(action), R)) == (800, 80)


def test_a_write_that_follows_a_rename_is_a_write_to_the_file(capture: Capture, file: Path) -> None:
    moved = file.with_name("file-moved")

    def action() -> None:
        descriptor = os.open(file, os.O_WRONLY)
        os.write(descriptor, b"one")
        file.rename(moved)
        os.write(descriptor, b"three")
        os.close(descriptor)

    events = transfers(capture.of(action), W)
    assert sums(events) == (8, 2)
    assert {event.path for event in events} <= {str(file), str(moved)}


def test_what_goes_on_after_the_name_is_gone_is_told(capture: Capture, file: Path) -> None:
    def action() -> None:
        descriptor = os.open(file, os.O_WRONLY)
        file.unlink()
        os.write(descriptor, b"hidden")

    (event,) = transfers(capture.of(action), W)
    assert (event.path, event.transferred_bytes) == (str(file), 6)
    assert event.path_state & PathState.DELETED


def test_a_shared_map_that_can_be_written_is_a_write(capture: Capture, file: Path) -> None:
    def action() -> None:
        descriptor = os.open(file, os.O_RDWR)
        mmap.mmap(descriptor, 4096, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)

    (event,) = transfers(capture.of(action), W)
    assert (event.syscall, event.path) == ("mmap", str(file))


@pytest.mark.parametrize(
    ("flags", "protection"),
    [(mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE), (mmap.MAP_SHARED, mmap.PROT_READ)],
    ids=["private", "only to be read"],
)
def test_a_map_that_changes_no_file_is_none(
    capture: Capture, file: Path, flags: int, protection: int
) -> None:
    def action() -> None:
        descriptor = os.open(file, os.O_RDWR)
        mmap.mmap(descriptor, 4096, flags, protection)

    assert transfers(capture.of(action), W) == []


def test_a_read_that_fails_moves_nothing(capture: Capture, file: Path) -> None:
    def action() -> None:
        descriptor = os.open(file, os.O_WRONLY)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.read(descriptor, 10)

    assert sums(transfers(capture.of(action), R)) == (0, 0)


def test_what_is_opened_to_be_written_only_is_not_read(capture: Capture, file: Path) -> None:
    def action() -> None:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND)
        for _ in range(3):
            os.write(descriptor, b"line\n")

    seen = capture.of(action)
    assert transfers(seen, R) == []
    assert sums(transfers(seen, W)) == (15, 3)


def test_a_rule_for_reads_alone_sees_the_file_through(capture: Capture, place: Path) -> None:
    path = place / "file"
    path.write_bytes(b"x" * 100)
    reads = Test(field=BY_NAME["Operation"], check=Matches(pattern=("read",), cased=False))
    capture.watch(All(operands=(reads, named(str(path)))))
    seen = capture.of(path.read_bytes)
    assert {one.event.operation for one in seen} == {R}
    assert sums(transfers(seen, R))[0] == 100


def test_many_files_at_once_are_all_summed(capture: Capture, place: Path) -> None:
    paths = [place / f"file{number}" for number in range(300)]
    for path in paths:
        path.write_bytes(b"x" * 64)
    capture.watch(named(f"{place}/", ANY))

    def action() -> None:
        descriptors = [os.open(path, os.O_RDONLY) for path in paths]
        for _ in range(3):
            for descriptor in descriptors:
                os.pread(descriptor, 7, 0)

    events = transfers(capture.of(action), R)
    assert sums(events) == (300 * 21, 900)
    assert {event.path for event in events} == {str(path) for path in paths}
