"""Calls that come to nothing: the engine says what was tried, by what name, and why it failed."""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from tests.kernel.capture import ANY, Capture, named
from tests.kernel.table import raw
from tests.kernel.table.calls import Call
from tests.kernel.table.cells import id_of
from tests.kernel.table.namings import mounted
from tests.kernel.table.refusals import REFUSED, Refusal
from tests.kernel.table.theatre import Theatre

from fileaudit_engine.compiler.ir import All
from fileaudit_engine.events.model import FileEvent, Operation, Outcome

pytestmark = pytest.mark.kernel

BAD_ADDRESS: Final = 8
BAD_DESCRIPTOR: Final = 9999


@pytest.mark.parametrize("cell", [cell for cell in REFUSED if raw.exists(cell[0].syscall)], ids=id_of)
def test_the_engine_reports_the_refused(theatre: Theatre, cell: tuple[Call, Refusal]) -> None:
    call, refusal = cell
    wrong = theatre.surprises(call, refusal, refusal.refuses(call))
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@dataclass(frozen=True)
class Failure:
    """A call with one name that fails for a reason of its own.

    Attributes:
        operation: What it tries.
        number: Why not.
        name: The name that it is passed, below the place.
        call: Makes the call.
        prepare: What is there before it.
    """

    operation: Operation
    number: int
    name: bytes
    call: Callable[[bytes], int]
    prepare: Callable[[bytes], None] = lambda _: None


def opens(flags: int) -> Callable[[bytes], int]:
    return lambda path: raw.call("openat", raw.AT_FDCWD, path, flags, 0o600)


def loop(path: bytes) -> None:
    Path(os.fsdecode(path)).symlink_to("loop")


def full_folder(path: bytes) -> None:
    Path(os.fsdecode(path), "something").mkdir(parents=True)


def folder(path: bytes) -> None:
    Path(os.fsdecode(path)).mkdir()


FAILURES: Final = {
    "a loop of links is opened": Failure(Operation.OPEN, errno.ELOOP, b"loop", opens(os.O_RDONLY), loop),
    "a loop of links gets a mode": Failure(
        Operation.CHMOD,
        errno.ELOOP,
        b"loop",
        lambda path: raw.call("fchmodat", raw.AT_FDCWD, path, 0o600),
        loop,
    ),
    "a name is too long": Failure(
        Operation.UNLINK,
        errno.ENAMETOOLONG,
        b"n" * 256,
        lambda path: raw.call("unlinkat", raw.AT_FDCWD, path, 0),
    ),
    "a folder is unlinked": Failure(
        Operation.UNLINK,
        errno.EISDIR,
        b"folder",
        lambda path: raw.call("unlinkat", raw.AT_FDCWD, path, 0),
        folder,
    ),
    "a folder is opened for writing": Failure(
        Operation.OPEN, errno.EISDIR, b"folder", opens(os.O_WRONLY), folder
    ),
    "a folder that is not empty is removed": Failure(
        Operation.RMDIR,
        errno.ENOTEMPTY,
        b"full",
        lambda path: raw.call("unlinkat", raw.AT_FDCWD, path, raw.AT_REMOVEDIR),
        full_folder,
    ),
    "a file that must be new is there": Failure(
        Operation.OPEN, errno.EEXIST, b"folder", opens(os.O_WRONLY | os.O_CREAT | os.O_EXCL), folder
    ),
    "a folder is run": Failure(
        Operation.EXEC,
        errno.EACCES,
        b"folder",
        lambda path: raw.call("execve", path, raw.packed("=QQ", 0, 0), None),
        folder,
    ),
}


@pytest.mark.parametrize("why", FAILURES)
def test_the_reason_is_told_when(capture: Capture, place: Path, why: str) -> None:
    failure = FAILURES[why]
    capture.watch(named(f"{place}/", ANY))
    path = b"%s/%s" % (bytes(place), failure.name)
    failure.prepare(path)
    event = the_one(capture, lambda: failed(failure.call(path), failure.number), failure.operation)
    assert (event.operation, event.errno, event.result) == (
        failure.operation,
        failure.number,
        -failure.number,
    )
    assert event.outcome is Outcome.FAILURE
    assert event.path == event.asked_path == os.fsdecode(path)


def test_a_rename_to_another_file_system_tells_both_names(theatre: Theatre) -> None:
    theatre.watch()
    source, target = theatre.root / "seen" / "from", theatre.disk / "seen" / "to"
    for path in (source, target):
        path.parent.mkdir(exist_ok=True)
    source.write_bytes(b"")
    names = (bytes(source), bytes(target))
    action = lambda: failed(raw.call("renameat2", -100, names[0], -100, names[1], 0), errno.EXDEV)  # noqa: E731
    event = the_one(theatre.capture, action, Operation.RENAME)
    assert (event.source_path, event.path, event.errno) == (str(source), str(target), errno.EXDEV)


def test_what_is_mounted_to_be_read_cannot_be_written(capture: Capture, place: Path) -> None:
    capture.watch(named(f"{place}/", ANY))
    read_only = 1
    with mounted(b"none", bytes(place), b"tmpfs", read_only):
        path = bytes(place / "new")
        event = the_one(capture, lambda: failed(opens(os.O_CREAT)(path), errno.EROFS), Operation.OPEN)
    assert (event.path, event.errno) == (str(place / "new"), errno.EROFS)


UNREADABLE: Final = {
    "openat": (Operation.OPEN, (raw.AT_FDCWD, BAD_ADDRESS, 0)),
    "unlinkat": (Operation.UNLINK, (raw.AT_FDCWD, BAD_ADDRESS, 0)),
    "renameat2": (Operation.RENAME, (raw.AT_FDCWD, BAD_ADDRESS, raw.AT_FDCWD, BAD_ADDRESS, 0)),
    "linkat": (Operation.LINK, (raw.AT_FDCWD, BAD_ADDRESS, raw.AT_FDCWD, BAD_ADDRESS, 0)),
    "symlinkat": (Operation.SYMLINK, (BAD_ADDRESS, raw.AT_FDCWD, BAD_ADDRESS)),
    "mkdirat": (Operation.MKDIR, (raw.AT_FDCWD, BAD_ADDRESS, 0o700)),
    "fchmodat": (Operation.CHMOD, (raw.AT_FDCWD, BAD_ADDRESS, 0o700)),
    "fchownat": (Operation.CHOWN, (raw.AT_FDCWD, BAD_ADDRESS, 1, 1, 0)),
    "truncate": (Operation.TRUNCATE, (BAD_ADDRESS, 1)),
    "setxattr": (Operation.SETXATTR, (BAD_ADDRESS, b"user.a", b"v", 1, 0)),
    "execve": (Operation.EXEC, (BAD_ADDRESS, None, None)),
}


@pytest.mark.parametrize("syscall", UNREADABLE)
def test_a_name_that_cannot_be_read_is_no_path(capture: Capture, syscall: str) -> None:
    operation, arguments = UNREADABLE[syscall]
    capture.watch(All(operands=()))
    event = the_one(capture, lambda: failed(raw.call(syscall, *arguments), errno.EFAULT), operation)
    assert (event.errno, event.path, event.asked_path) == (errno.EFAULT, None, None)
    assert event.syscall == syscall


DESCRIPTORS: Final = {
    "fchmod": (Operation.CHMOD, (0o600,)),
    "fchown": (Operation.CHOWN, (1, 1)),
    "ftruncate": (Operation.TRUNCATE, (1,)),
    "fsetxattr": (Operation.SETXATTR, (b"user.a", b"v", 1, 0)),
    "fremovexattr": (Operation.REMOVEXATTR, (b"user.a",)),
}


@pytest.mark.parametrize("syscall", DESCRIPTORS)
def test_a_descriptor_that_nobody_has_is_no_path(capture: Capture, syscall: str) -> None:
    operation, arguments = DESCRIPTORS[syscall]
    capture.watch(All(operands=()))
    action = lambda: failed(raw.call(syscall, BAD_DESCRIPTOR, *arguments), errno.EBADF)  # noqa: E731
    event = the_one(capture, action, operation)
    assert (event.errno, event.path) == (errno.EBADF, None)


@pytest.mark.parametrize("syscall", ["unlinkat", "mkdirat", "fchmodat", "openat"])
def test_a_relative_name_below_a_bad_descriptor_is_told_as_it_was_asked(
    capture: Capture, syscall: str
) -> None:
    capture.watch(All(operands=()))
    seen = capture.of(lambda: failed(raw.call(syscall, BAD_DESCRIPTOR, b"name", 0), errno.EBADF))
    (event,) = [one.event for one in seen if one.event.syscall == syscall and one.event.errno == errno.EBADF]
    assert event.asked_path == "name"
    assert not (event.path or "").startswith("/")


def failed(result: int, number: int) -> None:
    """The call must have been refused for this."""
    assert result == -number, f"{result} and not {-number}"


def the_one(capture: Capture, action: Callable[[], object], operation: Operation) -> FileEvent:
    """The only event of this operation that an action makes."""
    events = [seen.event for seen in capture.of(action)]
    (event,) = [event for event in events if event.operation is operation and event.errno]
    return event
