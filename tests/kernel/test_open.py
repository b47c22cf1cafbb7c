"""What the kernel says of one open: its path, its outcome, who did it."""

import ctypes
import errno
import os
import signal
import struct
import threading
from pathlib import Path

import pytest
from tests.kernel.capture import Capture, Seen, begins, made, paths, touch

from fileaudit_engine.events.model import AccessMode, Operation, Outcome, PathState
from fileaudit_engine.text import from_kernel

pytestmark = pytest.mark.kernel

NOBODY = 65534
LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
OPEN, CREAT, OPENAT, OPENAT2 = 2, 85, 257, 437
RESOLVE_IN_ROOT = 0x10


def only(seen: list[Seen]) -> Seen:
    assert len(seen) == 1, paths(seen)
    return seen[0]


def how(flags: int, resolve: int = 0) -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(struct.pack("QQQ", flags, 0, resolve), 24)


def test_a_relative_path_is_resolved(capture: Capture, place: Path) -> None:
    capture.watch(begins(place))
    made(place / "sub" / "file")

    def action() -> None:
        os.chdir(place / "sub")
        touch("../sub/./file")()

    event = only(capture.of(action)).event
    assert event.path == f"{place}/sub/file"
    assert event.asked_path == "../sub/./file"
    assert event.path_state == PathState.RESOLVED


def test_a_link_leads_to_the_file_behind_it(capture: Capture, place: Path) -> None:
    capture.watch(begins(place / "real"))
    made(place / "real" / "file")
    (place / "link").symlink_to("real/file")
    event = only(capture.of(touch(place / "link"))).event
    assert (event.path, event.asked_path) == (f"{place}/real/file", f"{place}/link")


def test_a_detour_through_proc_leads_to_the_file(capture: Capture) -> None:
    capture.watch(begins("/etc/shadow"))
    event = only(capture.of(touch("/proc/self/root/etc/../etc/shadow"))).event
    assert event.path == "/etc/shadow"
    assert event.asked_path == "/proc/self/root/etc/../etc/shadow"


def test_the_root_is_a_slash(capture: Capture) -> None:
    capture.watch(begins("/"))
    assert "/" in paths(capture.of(touch("/")))


@pytest.mark.parametrize(
    "name",
    [
        b"new\nline",
        b"\x1b[2Jclear",
        b"\xff\xfe no text",
        "snow \u2603".encode(),
        b" ",
        b"n" * 255,
        b"x" * 24,
        b"x" * 25,
    ],
    ids=[
        "newline",
        "escape sequence",
        "invalid UTF-8",
        "snowman",
        "a space",
        "255 bytes",
        "24 bytes",
        "25 bytes",
    ],
)
def test_a_name_keeps_its_bytes(capture: Capture, place: Path, name: bytes) -> None:
    capture.watch(begins(place))
    path = bytes(place) + b"/" + name
    Path(os.fsdecode(path)).write_bytes(b"")
    event = only(capture.of(touch(path))).event
    assert event.path == event.asked_path == from_kernel(path)


def test_a_failed_open_has_the_asked_path_made_absolute(capture: Capture, place: Path) -> None:
    capture.watch(begins(place))

    def action() -> None:
        os.chdir(place)
        touch("no/such", place / "none")()

    relative, absolute = capture.of(action)
    assert (relative.event.path, relative.event.asked_path) == (f"{place}/no/such", "no/such")
    assert absolute.event.path == f"{place}/none"
    for seen in (relative, absolute):
        assert seen.event.errno == errno.ENOENT
        assert seen.event.result == -errno.ENOENT
        assert seen.event.outcome is Outcome.FAILURE
        assert seen.event.path_state == PathState.RESOLVED
        assert seen.event.inode is None


def test_a_failed_open_that_no_rule_asks_for_is_dropped(capture: Capture, place: Path) -> None:
    capture.watch(begins(place / "watched"))
    assert capture.of(touch(place / "other" / "none")) == []


@pytest.mark.parametrize("asked", ["a/../none", "./none", "a//none", "none/", "a/..", ".", "..x/none"])
def test_a_failed_open_with_dots_in_it_is_normalised_and_never_dropped(
    capture: Capture, place: Path, asked: str
) -> None:
    capture.watch(begins("/nowhere"))

    def action() -> None:
        os.chdir(place)
        with pytest.raises(OSError, match=asked.replace(".", r"\.")):
            os.open(asked, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_DIRECTORY)

    event = only(capture.of(action)).event
    assert event.asked_path == asked
    assert event.path is not None
    assert event.path == os.path.normpath(event.path)
    assert event.path.startswith(str(place))


def test_a_denied_try_through_a_link_names_what_it_was_denied(capture: Capture, place: Path) -> None:
    capture.watch(begins("/etc/shadow"))
    (place / "innocent").symlink_to("/etc/shadow")

    def action() -> None:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        touch(place / "innocent")()

    event = only(capture.of(action)).event
    assert event.errno == errno.EACCES
    assert event.path == "/etc/shadow"
    assert event.asked_path == f"{place}/innocent"
    assert event.path_state == PathState.FOLLOWED


def test_a_denied_try_through_proc_self_is_the_callers(capture: Capture) -> None:
    capture.watch(begins("/etc/shadow"))

    def action() -> None:
        os.setuid(NOBODY)
        touch("/proc/self/root/etc/shadow", "/proc/self/mem")()

    seen = capture.of(action)
    shadow, memory = (s.event for s in seen if s.event.errno)
    assert (shadow.path, shadow.path_state) == ("/etc/shadow", PathState.FOLLOWED)
    assert memory.path == f"/proc/{memory.process.pid}/mem"


def test_a_caller_in_another_root_is_told_by_the_hosts_paths(capture: Capture, place: Path) -> None:
    capture.watch(begins(place))
    made(place / "jail" / "inside")

    def action() -> None:
        os.chroot(place / "jail")
        os.chdir("/")
        touch("/inside", "/none", "none")()

    assert paths(capture.of(action)) == [f"{place}/jail/inside", f"{place}/jail/none", f"{place}/jail/none"]


def test_a_failed_open_below_a_descriptor_begins_there(capture: Capture, place: Path) -> None:
    capture.watch(begins(place))
    made(place / "sub" / "file")

    def action() -> None:
        directory = os.open(place / "sub", os.O_PATH)
        with pytest.raises(FileNotFoundError):
            os.open("none", os.O_RDONLY, dir_fd=directory)
        in_root = how(os.O_RDONLY, RESOLVE_IN_ROOT)
        assert LIBC.syscall(OPENAT2, directory, b"/absent", in_root, 24) == -1

    assert paths(capture.of(action)) == [f"{place}/sub", f"{place}/sub/none", f"{place}/sub/absent"]


def test_every_call_that_opens_is_seen(capture: Capture, place: Path) -> None:
    capture.watch(begins(place))
    path = bytes(made(place / "file"))

    def action() -> None:
        LIBC.syscall(OPEN, path, os.O_RDONLY)
        LIBC.syscall(OPENAT, AT_FDCWD, path, os.O_WRONLY | os.O_TRUNC)
        LIBC.syscall(OPENAT2, AT_FDCWD, path, how(os.O_RDWR), 24)
        LIBC.syscall(CREAT, path, 0o600)

    seen = [(s.event.syscall, s.event.access_mode) for s in capture.of(action)]
    assert seen == [
        ("open", AccessMode.READ),
        ("openat", AccessMode.WRITE),
        ("openat2", AccessMode.READ_WRITE),
        ("creat", AccessMode.WRITE),
    ]


def test_flags_and_access_mode_are_told(capture: Capture, place: Path) -> None:
    capture.watch(begins(place))
    path = made(place / "file")

    def action() -> None:
        os.open(path, os.O_PATH)
        os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        os.open(path, 3)

    looked, written, both = (seen.event for seen in capture.of(action))
    assert looked.access_mode is AccessMode.PATH
    assert written.access_mode is AccessMode.READ_WRITE
    assert written.flags is not None
    assert written.flags & (os.O_ACCMODE | os.O_APPEND | os.O_CREAT) == os.O_RDWR | os.O_APPEND | os.O_CREAT
    assert both.access_mode is AccessMode.READ_WRITE


def test_emptying_a_file_is_writing_it_however_it_is_opened(capture: Capture, place: Path) -> None:
    capture.watch(begins(place))
    path = made(place / "file")
    event = only(capture.of(lambda: os.close(os.open(path, os.O_RDONLY | os.O_TRUNC)))).event
    assert event.access_mode is AccessMode.READ_WRITE


def test_the_file_is_told_by_inode_device_and_mode(capture: Capture, place: Path) -> None:
    capture.watch(begins(place))
    path = made(place / "file")
    path.chmod(0o640)
    event = only(capture.of(touch(path))).event
    status = path.stat()
    assert event.operation is Operation.OPEN
    assert event.inode == status.st_ino
    assert event.mode == status.st_mode
    assert event.device == os.major(status.st_dev) << 20 | os.minor(status.st_dev)


def test_the_caller_is_told_by_all_its_numbers(capture: Capture, place: Path) -> None:
    capture.watch(begins(place))
    path = made(place / "file")

    def action() -> None:
        os.setresgid(7, 8, 9)
        os.setresuid(5, 6, 0)
        thread = threading.Thread(target=touch(path))
        thread.start()
        thread.join()

    event = only(capture.of(action)).event
    assert (event.user_id, event.effective_user_id) == (5, 6)
    assert (event.group_id, event.effective_group_id) == (7, 8)
    assert event.user_name == "games"
    assert event.thread_id != event.process.pid
    assert event.process.parent_pid == os.getpid()
    assert event.login_user_id is None
    assert event.session_id is None


def test_time_is_the_wall_clock(capture: Capture, place: Path) -> None:
    capture.watch(begins(place))
    path = made(place / "file")
    clock = place / "clock"

    def action() -> None:
        touch(path)()
        clock.write_bytes(b"")
        touch(clock)()

    first, second = capture.of(action)
    assert first.event.ts_ns <= second.event.ts_ns
    assert abs(clock.stat().st_mtime_ns - second.event.ts_ns) < 1_000_000_000


def test_a_file_without_a_name_is_told_as_deleted(capture: Capture, place: Path) -> None:
    capture.watch(begins(place))
    path = made(place / "file")

    def action() -> None:
        descriptor = os.open(path, os.O_RDONLY)
        path.unlink()
        touch(f"/proc/self/fd/{descriptor}")()

    _, again = capture.of(action)
    assert again.event.path == str(path)
    assert again.event.path_state & PathState.DELETED


def test_a_mount_point_is_not_taken_for_a_deleted_file(capture: Capture) -> None:
    capture.watch(begins("/proc"))
    event = next(s.event for s in capture.of(touch("/proc")) if s.event.asked_path == "/proc")
    assert (event.path, event.path_state) == ("/proc", PathState.RESOLVED)


def test_a_file_in_memory_is_told_by_its_name(capture: Capture) -> None:
    capture.watch(begins("/memfd:"))

    def action() -> None:
        descriptor = os.memfd_create("hidden")
        touch(f"/proc/self/fd/{descriptor}")()

    event = only(capture.of(action)).event
    assert event.path == "/memfd:hidden"
    assert event.path_state & PathState.UNREACHABLE


def test_a_name_that_cannot_be_read_is_no_path(capture: Capture) -> None:
    capture.watch(begins("/nowhere"))
    event = only(capture.of(lambda: LIBC.syscall(OPENAT, AT_FDCWD, 8, os.O_RDONLY))).event
    assert event.errno == errno.EFAULT
    assert event.path is None
    assert event.asked_path is None


def test_another_mount_namespace_is_told(capture: Capture, place: Path) -> None:
    capture.watch(begins(place))
    path = made(place / "file")
    clone_newns = 0x20000

    def action() -> None:
        assert LIBC.unshare(clone_newns) == 0
        touch(path)()

    event = only(capture.of(action)).event
    assert event.path == event.container_path == str(path)
    assert event.path_state == PathState.RESOLVED


def test_the_engine_does_not_report_on_itself(capture: Capture, place: Path) -> None:
    capture.watch(begins(place))
    touch(made(place / "file"))()
    assert list(capture.arrived()) == []


def test_an_interrupted_open_that_the_kernel_runs_again_is_no_event(capture: Capture, place: Path) -> None:
    capture.watch(begins(place))
    os.mkfifo(place / "pipe")

    def action() -> None:
        signal.signal(signal.SIGALRM, lambda *_: os.close(os.open(place / "pipe", os.O_RDWR)))
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        LIBC.syscall(OPENAT, AT_FDCWD, bytes(place / "pipe"), os.O_WRONLY | os.O_NONBLOCK)
        signal.setitimer(signal.ITIMER_REAL, 0)

    assert all((seen.event.errno or 0) < 512 for seen in capture.of(action))
