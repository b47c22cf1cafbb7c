"""Who did it, when nobody is left to ask."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.kernel.capture import Capture, begins, in_child, made, touch

pytestmark = pytest.mark.kernel

LONG = "a" * 3000


def run(*command: str) -> None:
    subprocess.run(command, check=False, capture_output=True)


def test_a_process_that_is_gone_has_its_image_arguments_and_parent(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))
    seen = capture.of(lambda: run("/bin/cat", "-u", str(path)))
    process = seen[0].event.process
    assert process.executable == os.path.realpath("/bin/cat")
    assert process.args == ("/bin/cat", "-u", str(path))
    assert process.args_truncated is False
    assert process.name == "cat"
    assert process.parent is not None
    assert process.parent.pid == process.parent_pid
    assert process.parent.executable == os.path.realpath(sys.executable)


def test_every_one_of_many_short_lives_is_known(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))

    def action() -> None:
        for number in range(50):
            run("/bin/cat", str(path), str(number))

    seen = capture.of(action)
    assert [one.event.process.args for one in seen] == [
        ("/bin/cat", str(path), str(number)) for number in range(50)
    ]


def test_arguments_that_are_too_long_are_cut_and_say_so(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))
    process = capture.of(lambda: run("/bin/cat", str(path), LONG, LONG))[0].event.process
    assert process.args is not None
    assert process.args_truncated is True
    assert process.args[:3] == ("/bin/cat", str(path), LONG)
    assert 0 < len(process.args[3]) < len(LONG)


def test_arguments_keep_their_bytes(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))
    hostile = "\x1b[2J\nroot \udcff"
    process = capture.of(lambda: run("/bin/cat", str(path), "", hostile))[0].event.process
    assert process.args == ("/bin/cat", str(path), "", hostile)


def test_a_child_that_runs_no_other_image_has_its_parents(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))
    event = capture.of(touch(path))[0].event
    assert event.process.pid != os.getpid()
    assert event.process.parent_pid == os.getpid()
    assert event.process.executable == os.path.realpath(sys.executable)
    assert event.process.args
    assert event.process.parent is not None
    assert event.process.parent.pid == os.getpid()


def test_an_event_before_an_exec_has_the_image_of_before(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))

    def action() -> None:
        touch(path)()
        os.execv("/bin/cat", ["cat", "-s", str(path)])

    before, after = (seen.event.process for seen in capture.of(action))
    assert before.pid == after.pid
    assert before.executable == os.path.realpath(sys.executable)
    assert after.args == ("cat", "-s", str(path))


def test_an_exec_by_another_thread_keeps_the_process(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))

    def action() -> None:
        touch(path)()
        thread = threading.Thread(target=os.execv, args=("/bin/cat", ["cat", str(path)]))
        thread.start()
        thread.join()

    before, after = (seen.event.process for seen in capture.of(action))
    assert (before.pid, before.start_ns) == (after.pid, after.start_ns)
    assert after.args == ("cat", str(path))


def test_grandparents_are_known(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))
    seen = capture.of(lambda: run("/bin/sh", "-c", f"/bin/sh -c '/bin/cat {path}; true'; true"))
    process = seen[0].event.process
    shells: list[tuple[str | None, tuple[str, ...] | None]] = []
    while process.parent is not None and len(shells) < 2:
        process = process.parent
        shells.append((process.executable, process.args))
    assert shells == [
        (os.path.realpath("/bin/sh"), ("/bin/sh", "-c", f"/bin/cat {path}; true")),
        (os.path.realpath("/bin/sh"), None),
    ]


def test_an_image_reached_by_a_link_is_told_by_its_true_path(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    (place / "link").symlink_to("/bin/cat")
    capture.watch(begins(path))
    process = capture.of(lambda: run(str(place / "link"), str(path)))[0].event.process
    assert process.executable == os.path.realpath("/bin/cat")


def test_a_process_that_ran_before_the_capture_is_known_from_proc(capture: Capture) -> None:
    parent = capture.processes.get(os.getpid(), _start_of(capture), os.getppid(), "?", 0)
    assert parent.executable == os.path.realpath(sys.executable)


def _start_of(capture: Capture) -> int:
    """The exact start of this process, as a child's events tell it."""
    capture.watch(begins("/"))
    seen = capture.of(touch("/etc/hostname"))
    parent = seen[0].event.process.parent
    assert parent is not None
    assert parent.start_ns is not None
    return parent.start_ns


def test_threads_make_no_processes(capture: Capture) -> None:
    def action() -> None:
        for _ in range(20):
            thread = threading.Thread(target=int)
            thread.start()
            thread.join()

    capture.watch(begins("/nowhere"))
    before = capture.source._plan_maps.counters().process_records
    in_child(action)
    during = capture.source._plan_maps.counters().process_records - before
    assert 2 <= during < 20


def test_an_image_bound_over_another_in_a_users_own_mounts_is_not_taken_for_it(
    capture: Capture, place: Path
) -> None:
    path, mine = made(place / "file"), place / "mine"
    shutil.copy("/bin/cat", mine)
    capture.watch(begins(path))
    script = f"mount --bind {mine} /usr/bin/true && exec /usr/bin/true {path}"
    seen = capture.of(lambda: run("unshare", "--map-root-user", "--mount", "sh", "-c", script))
    (event,) = [one.event for one in seen if one.event.path == str(path)]
    assert event.process.executable == f"/proc/{event.process.pid}/root/usr/bin/true"


def test_an_image_in_mounts_that_root_has_made_keeps_its_name(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))
    seen = capture.of(lambda: run("unshare", "--mount", "cat", str(path)))
    (event,) = [one.event for one in seen if one.event.path == str(path)]
    assert event.process.executable == os.path.realpath("/bin/cat")
