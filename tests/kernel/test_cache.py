"""A remembered 'no rule can match' never outlives its truth.

Each test opens a file often enough to be remembered as unwatched, on the one CPU that it stays on, then
makes the same file (or the same memory) a watched one.
"""

import ctypes
import os
import random
import time
from pathlib import Path

import pytest
from tests.kernel.capture import Capture, begins, contains, ends, made, paths, touch

from fileaudit_engine.compiler.ir import All, Matches, Test
from fileaudit_engine.events.fields import BY_NAME

pytestmark = pytest.mark.kernel

LIBC = ctypes.CDLL(None, use_errno=True)
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE, MNT_DETACH = 4096, 8192, 16384, 1 << 18, 2
LONG = "a-name-of-more-than-twenty-four-bytes"


def remember(*names: str | Path) -> None:
    os.sched_setaffinity(0, {0})
    for _ in range(3):
        touch(*names)()


def mount(source: Path, target: Path, flags: int) -> None:
    assert LIBC.mount(bytes(source), bytes(target), None, flags, None) == 0, os.strerror(ctypes.get_errno())


def decided(capture: Capture) -> int:
    """How many opens the kernel has filtered so far."""
    return capture.source.counters().filtered


def test_an_unwatched_file_is_filtered(capture: Capture, place: Path) -> None:
    capture.watch(begins("/nowhere"))
    path = made(place / "file")
    before = decided(capture)
    assert capture.of(lambda: remember(path)) == []
    assert decided(capture) - before >= 3


@pytest.mark.parametrize("name", ["hidden", LONG])
def test_renaming_the_file_is_noticed(capture: Capture, place: Path, name: str) -> None:
    capture.watch(ends("/watched"))

    def action() -> None:
        remember(made(place / name))
        (place / name).rename(place / "watched")
        touch(place / "watched")()

    assert paths(capture.of(action)) == [f"{place}/watched"]


@pytest.mark.parametrize("name", ["hidden", LONG])
def test_renaming_an_ancestor_is_noticed(capture: Capture, place: Path, name: str) -> None:
    capture.watch(begins(place / "watched"))

    def action() -> None:
        made(place / name / "b" / "c" / "file")
        os.chdir(place / name / "b" / "c")
        remember("file")
        (place / name).rename(place / "watched")
        touch("file")()

    assert paths(capture.of(action)) == [f"{place}/watched/b/c/file"]


def test_names_of_one_length_and_beginning_are_told_apart(capture: Capture, place: Path) -> None:
    capture.watch(ends(LONG + "2"))

    def action() -> None:
        remember(made(place / (LONG + "1")))
        touch(made(place / (LONG + "2")))()

    assert [path for path in paths(capture.of(action)) if path] == [f"{place}/{LONG}2"]


def test_a_rename_there_and_back_leaves_no_trace(capture: Capture, place: Path) -> None:
    capture.watch(begins(place / "watched"))
    watched, hidden = place / "watched", place / "hidden"

    def action() -> None:
        made(watched / "file")
        os.chdir(watched)
        watched.rename(hidden)
        remember("file")
        hidden.rename(watched)
        touch("file")()
        watched.rename(hidden)
        touch("file")()

    assert paths(capture.of(action))[-1:] == [f"{watched}/file"]


def test_a_bind_mount_is_noticed(capture: Capture, place: Path) -> None:
    capture.watch(begins(place / "watched"))
    (place / "watched").mkdir()

    def action() -> None:
        remember(made(place / "hidden" / "file"))
        mount(place / "hidden", place / "watched", MS_BIND)
        try:
            touch(place / "watched" / "file")()
        finally:
            LIBC.umount2(bytes(place / "watched"), MNT_DETACH)

    assert paths(capture.of(action)) == [f"{place}/watched/file"]


def test_a_mount_that_moves_is_noticed(capture: Capture, place: Path) -> None:
    capture.watch(begins(place / "watched"))
    for name in ("tree", "tree/one", "tree/watched", "watched"):
        (place / name).mkdir()

    def action() -> None:
        mount(place / "tree", place / "tree", MS_BIND)
        mount(place, place / "tree", MS_PRIVATE)
        assert LIBC.mount(b"tmpfs", bytes(place / "tree/one"), b"tmpfs", 0, None) == 0
        try:
            made(place / "tree/one/file")
            os.chdir(place / "tree/one")
            remember("file")
            mount(place / "tree/one", place / "watched", MS_MOVE)
            touch("file")()
        finally:
            os.chdir("/")
            for where in ("watched", "tree/one", "tree"):
                LIBC.umount2(bytes(place / where), MNT_DETACH)

    assert f"{place}/watched/file" in paths(capture.of(action))


def test_memory_that_is_used_again_is_another_file(capture: Capture, place: Path) -> None:
    capture.watch(begins(place / "watched"))
    rounds = 200

    def action() -> None:
        os.sched_setaffinity(0, {0})
        (place / "hidden").mkdir()
        (place / "watched").mkdir()
        for number in range(rounds):
            hidden = place / "hidden" / f"f{number}"
            hidden.touch()
            touch(hidden, hidden)()
            hidden.unlink()
            watched = place / "watched" / f"f{number}"
            os.mknod(watched)
            touch(watched)()

    assert paths(capture.of(action)) == [f"{place}/watched/f{number}" for number in range(rounds)]


def test_new_rules_are_heeded_at_once(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins("/nowhere"))
    assert capture.of(lambda: remember(path)) == []
    capture.watch(begins(place))

    def again() -> None:
        os.sched_setaffinity(0, {0})
        touch(path)()

    assert paths(capture.of(again)) == [str(path)]
    capture.watch(contains("/nowhere/"))
    assert capture.of(lambda: remember(path)) == []


def test_a_decision_for_reading_is_none_for_writing(capture: Capture, place: Path) -> None:
    writes = Test(field=BY_NAME["AccessMode"], check=Matches(pattern=("write",), cased=False))
    capture.watch(All(operands=(begins(place), writes)))
    path = made(place / "file")

    def action() -> None:
        remember(path)
        os.close(os.open(path, os.O_WRONLY))
        remember(path)

    assert len(capture.of(action)) == 1


def test_a_failed_open_is_remembered_by_its_text(capture: Capture, place: Path) -> None:
    capture.watch(ends("/watched"))

    def action() -> None:
        os.chdir(place)
        remember("none", "no/watch", place / "none")
        touch("watched", "no/watched", place / "none" / "watched")()

    assert paths(capture.of(action)) == [
        f"{place}/watched",
        f"{place}/no/watched",
        f"{place}/none/watched",
    ]


def test_a_failed_open_below_another_folder_is_another(capture: Capture, place: Path) -> None:
    capture.watch(begins(place / "watched"))

    def action() -> None:
        (place / "hidden").mkdir()
        os.chdir(place / "hidden")
        remember("none")
        (place / "hidden").rename(place / "watched")
        touch("none")()

    assert paths(capture.of(action)) == [f"{place}/watched/none"]


def test_a_path_that_was_missing_and_is_now_denied_is_told(capture: Capture, place: Path) -> None:
    capture.watch(begins("/etc/shadow"))

    def action() -> None:
        os.sched_setaffinity(0, {0})
        os.setuid(65534)
        remember(place / "link")

    assert capture.of(action) == []
    (place / "link").symlink_to("/etc/shadow")
    assert paths(capture.of(action)) == ["/etc/shadow"] * 3


def test_a_storm_of_renames_loses_no_watched_open(capture: Capture, place: Path) -> None:
    """While an ancestor changes its name all the time, every open says one of its names, and none is lost."""
    capture.watch(begins(place / "watched"))
    opens = 20_000
    made(place / "hidden" / "file")

    def action() -> None:
        os.chdir(place / "hidden")
        renamer = os.fork()
        if renamer == 0:
            while True:
                (place / "hidden").rename(place / "watched")
                (place / "watched").rename(place / "hidden")
        try:
            for _ in range(opens):
                os.close(os.open("file", os.O_RDONLY))
        finally:
            os.kill(renamer, 9)
            os.waitpid(renamer, 0)
        for name in ("hidden", "watched"):
            if (place / name).exists():
                (place / name).rename(place / "watched")
        for _ in range(random.randint(100, 200)):
            os.close(os.open("file", os.O_RDONLY))

    seen = paths(capture.of(action))
    assert {path for path in seen if path != f"{place}/watched/file"} == set()
    assert len(seen) >= 100


def number_of(point: Path) -> str:
    """Of the mount there."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return next(line.split()[0] for line in lines if line.split()[4] == str(point))


def test_a_bind_mount_that_gets_the_number_of_a_canonical_one_is_not_taken_for_it(
    capture: Capture, place: Path
) -> None:
    path, first, second = made(place / "watched" / "file"), place / "first", place / "second"
    first.mkdir()
    second.mkdir()
    capture.watch(begins(place / "watched"))
    LIBC.mount(b"none", bytes(first), b"tmpfs", 0, None)
    number = number_of(first)
    time.sleep(0.3)
    capture.drain()  # the number is known as canonical now
    LIBC.umount2(bytes(first), MNT_DETACH)
    mount(path.parent, second, MS_BIND)
    try:
        assert number_of(second) == number
        seen = capture.of(touch(second / "file"))
    finally:
        LIBC.umount2(bytes(second), MNT_DETACH)
    assert f"{path}" in paths(seen)
