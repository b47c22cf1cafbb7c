"""Files that are not what names usually name: in memory, pipes, scripts, and paths beyond all bounds."""

import os
import socket
from pathlib import Path
from typing import Final

import pytest
from tests.kernel.capture import ANY, Capture, named
from tests.kernel.table import raw
from tests.kernel.table.program import smallest_program

from fileaudit_engine.compiler.ir import All
from fileaudit_engine.events.model import FileEvent, Operation, PathState

pytestmark = pytest.mark.kernel

EVERYTHING: Final = All(operands=())
_NO_ARGUMENTS: Final = raw.packed("=QQ", 0, 0)


def events(capture: Capture, action: object, operation: Operation) -> list[FileEvent]:
    assert callable(action)
    return [seen.event for seen in capture.of(action) if seen.event.operation is operation]


def test_a_file_in_memory_is_told_by_its_name(capture: Capture) -> None:
    capture.watch(EVERYTHING)
    (event,) = events(capture, lambda: os.fchmod(os.memfd_create("hidden"), 0o700), Operation.CHMOD)
    assert event.path == "/memfd:hidden"
    assert event.new_mode == 0o700


def test_a_program_that_was_never_on_a_disk_is_told(capture: Capture) -> None:
    capture.watch(named("/memfd:", ANY))

    def action() -> None:
        descriptor = os.memfd_create("implant")
        os.write(descriptor, smallest_program())
        raw.must("execveat", descriptor, b"", _NO_ARGUMENTS, None, raw.AT_EMPTY_PATH)

    (event,) = events(capture, action, Operation.EXEC)
    assert (event.path, event.errno) == ("/memfd:implant", 0)


def test_a_pipe_has_the_name_that_proc_gives_it(capture: Capture) -> None:
    capture.watch(EVERYTHING)
    end, _ = os.pipe()
    (event,) = events(capture, lambda: os.fchmod(end, 0o600), Operation.CHMOD)
    assert event.path == f"pipe:[{os.fstat(end).st_ino}]"


def test_a_socket_has_the_name_that_proc_gives_it(capture: Capture) -> None:
    capture.watch(EVERYTHING)
    with socket.socket() as one:
        number = one.fileno()
        (event,) = events(capture, lambda: os.fchmod(number, 0o600), Operation.CHMOD)
        assert event.path == f"socket:[{os.fstat(number).st_ino}]"


def test_a_script_runs_its_interpreter(capture: Capture, place: Path) -> None:
    capture.watch(EVERYTHING)
    interpreter, script = place / "interpreter", place / "script"
    interpreter.write_bytes(smallest_program())
    script.write_text(f"#!{interpreter}\n")
    for path in (interpreter, script):
        path.chmod(0o755)
    (event,) = events(capture, lambda: os.execv(script, [str(script)]), Operation.EXEC)
    assert (event.path, event.asked_path, event.errno) == (str(interpreter), str(script), 0)


def test_a_program_that_is_no_program_is_refused_by_its_name(capture: Capture, place: Path) -> None:
    capture.watch(named(f"{place}/", ANY))
    path = place / "no-program"
    path.write_bytes(b"\0\1\2\3")
    path.chmod(0o755)
    number = 8  # ENOEXEC
    action = lambda: raw.call("execve", bytes(path), _NO_ARGUMENTS, None) == -number  # noqa: E731
    (event,) = events(capture, action, Operation.EXEC)
    assert (event.path, event.errno) == (str(path), number)


def test_a_path_beyond_all_bounds_is_told_from_its_end(capture: Capture, place: Path) -> None:
    capture.watch(EVERYTHING)

    def action() -> None:
        os.chdir(place)
        for _ in range(20):
            os.mkdir("d" * 250)  # noqa: PTH102 - relative to where we are
            os.chdir("d" * 250)
        descriptor = os.open("leaf", os.O_WRONLY | os.O_CREAT, 0o600)
        os.fchmod(descriptor, 0o640)

    (event,) = events(capture, action, Operation.CHMOD)
    assert event.path is not None
    assert event.path.endswith("/" + "d" * 250 + "/leaf")
    assert event.path_state & PathState.TRUNCATED
    assert 3000 < len(event.path) < 5500


def test_a_tree_that_is_too_deep_is_told_from_its_leaf(capture: Capture, place: Path) -> None:
    capture.watch(EVERYTHING)

    def action() -> None:
        os.chdir(place)
        for _ in range(300):
            os.mkdir("d")  # noqa: PTH102 - relative to where we are
            os.chdir("d")
        raw.must("unlinkat", raw.AT_FDCWD, made(b"leaf"), 0)

    (event,) = events(capture, action, Operation.UNLINK)
    assert event.path is not None
    assert event.path.endswith("/d/d/d/leaf")
    assert event.path_state & PathState.TRUNCATED
    assert event.asked_path == "leaf"


def made(name: bytes) -> bytes:
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600))
    return name


def test_a_rule_for_the_leaf_sees_what_is_too_deep(capture: Capture, place: Path) -> None:
    capture.watch(named(ANY, "/id_probe"))

    def action() -> None:
        os.chdir(place)
        for _ in range(200):
            os.mkdir("d")  # noqa: PTH102 - relative to where we are
            os.chdir("d")
        raw.must("unlinkat", raw.AT_FDCWD, made(b"id_probe"), 0)

    (event,) = events(capture, action, Operation.UNLINK)
    assert (event.path or "").endswith("/id_probe")


def test_a_file_without_a_name_is_made_and_gets_one(capture: Capture, place: Path) -> None:
    capture.watch(named(f"{place}/", ANY))

    def action() -> None:
        descriptor = os.open(place, os.O_TMPFILE | os.O_WRONLY, 0o600)
        name = b"/proc/self/fd/%d" % descriptor
        new = bytes(place / "named")
        raw.must("linkat", raw.AT_FDCWD, name, raw.AT_FDCWD, new, raw.AT_SYMLINK_FOLLOW)

    (event,) = events(capture, action, Operation.LINK)
    assert event.path == str(place / "named")
    assert (event.source_path or "").startswith(f"{place}/")


def test_two_names_are_told_with_what_was_asked_for_each(capture: Capture, place: Path) -> None:
    capture.watch(named(f"{place}/", ANY))
    (place / "here").mkdir()
    (place / "there").mkdir()
    (place / "here" / "old").write_bytes(b"")

    def action() -> None:
        os.chdir(place / "here")
        there = os.open(place / "there", os.O_RDONLY)
        raw.must("renameat2", raw.AT_FDCWD, b"../here/./old", there, b"new", 0)

    (event,) = events(capture, action, Operation.RENAME)
    assert (event.source_path, event.path) == (f"{place}/here/old", f"{place}/there/new")
    assert (event.asked_source_path, event.asked_path) == ("../here/./old", "new")


def test_a_rename_out_of_what_a_rule_watches_is_seen(capture: Capture, place: Path) -> None:
    (place / "watched").mkdir()
    (place / "watched" / "file").write_bytes(b"")
    capture.watch(named(f"{place}/watched/", ANY))
    seen = capture.of(lambda: (place / "watched" / "file").rename(place / "out"))
    (event,) = [one.event for one in seen if one.event.operation is Operation.RENAME]
    assert (event.source_path, event.path) == (f"{place}/watched/file", f"{place}/out")


def test_the_engine_reports_nothing_of_its_own_calls(capture: Capture, place: Path) -> None:
    capture.watch(named(f"{place}/", ANY))
    path = place / "own"
    path.write_bytes(b"text")
    path.chmod(0o600)
    path.read_bytes()
    path.rename(place / "moved")
    (place / "moved").unlink()
    assert [seen for seen in capture.arrived() if seen.event.process.pid == os.getpid()] == []


def test_others_are_seen_in_the_engines_folder(capture: Capture, place: Path) -> None:
    capture.watch(named(f"{place}/", ANY))
    path = place / "theirs"
    operations = {seen.event.operation for seen in capture.of(lambda: path.write_bytes(b"text"))}
    assert operations == {Operation.CREATE, Operation.WRITE}
