"""Mounts of one's own for tests: a mount namespace for the rest of a block, without leaving a trace."""

import contextlib
import ctypes
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fileaudit_engine.sources.mount_table import MountTable

_NEW_MOUNTS = 0x20000
_BIND, _MOVE, _RECURSIVE, _PRIVATE, _DETACH = 0x1000, 0x2000, 0x4000, 1 << 18, 2
_LIBC = ctypes.CDLL(None, use_errno=True)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def mounted(kind: str, place: Path, *, options: str = "") -> None:
    """Mount a file system of a type."""
    _check(_LIBC.mount(kind.encode(), bytes(place), kind.encode(), 0, options.encode() or None))


def bound(source: Path, place: Path) -> None:
    """Show a folder or file in another place, too."""
    _check(_LIBC.mount(bytes(source), bytes(place), None, _BIND, None))


@contextlib.contextmanager
def bind(source: Path, place: Path) -> Iterator[None]:
    """The same, in the namespace that we are in, for the length of a block."""
    bound(source, place)
    try:
        yield
    finally:
        unmounted(place)


@contextlib.contextmanager
def file_system(kind: str, place: Path, *, options: str = "") -> Iterator[None]:
    """A file system in the namespace that we are in, for the length of a block."""
    mounted(kind, place, options=options)
    try:
        yield
    finally:
        unmounted(place)


def unmounted(place: Path) -> None:
    """Take away what is mounted there."""
    _check(_LIBC.umount2(bytes(place), _DETACH))


def unshared() -> None:
    """From here on, this process has mounts of its own."""
    _check(_LIBC.unshare(_NEW_MOUNTS))
    _check(_LIBC.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None))


def read_table(path: str) -> MountTable:
    """The table of a mountinfo as of now."""
    return MountTable.of(Path(path).read_bytes())


@contextlib.contextmanager
def unanswered(place: Path) -> Iterator[None]:
    """A file system of a user's process (FUSE) that never answers: whoever asks it waits for ever.

    Ends this process if that happens.
    """
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError:
        pytest.skip("this kernel has no FUSE")
    signal.alarm(20)
    try:
        mounted("fuse", place, options=f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other")
        yield
    finally:
        os.close(device)
        unmounted(place)
        signal.alarm(0)


def alone(action: Callable[[], None]) -> None:
    """Do it in a process that has mounts of its own, which nobody else changes meanwhile."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            unshared()
            action()
            status = 0
        except BaseException:  # noqa: BLE001 - a child of the test runner must not return into it
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    assert not status, "see above"


@contextlib.contextmanager
def process(prepare: Callable[[], None]) -> Iterator[int]:
    """A process that has done `prepare` and then waits to the end of the block: its number.

    Raises:
        AssertionError: What it had to prepare failed.
    """
    done_read, done_write = os.pipe()
    end_read, end_write = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(end_write)
        try:
            prepare()
            os.write(done_write, b"+")
            os.read(end_read, 1)
        finally:
            os._exit(0)
    os.close(done_write)
    os.close(end_read)
    try:
        assert os.read(done_read, 1) == b"+", "the other process could not be prepared"
        yield pid
    finally:
        os.close(done_read)
        os.close(end_write)
        os.waitpid(pid, 0)
