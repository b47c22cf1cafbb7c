"""What the kernel remembers hides nothing: the same acts, seen with and without memory, are the same events.

A child does random acts that give files other names, and names other files: renames of files and of folders
above them, links, mounts, bind mounts, moved mounts, deletions and new files in their place (a dentry or an
inode is used again at once). In between it opens everything by every name, twice, so that a decision is made
and asked for. Two captures watch: one remembers, the other decides anew each time.
"""

import contextlib
import ctypes
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.kernel.capture import ANY, Capture, asks, in_child, made, touch

from fileaudit_engine.compiler.ir import Predicate
from fileaudit_engine.compiler.kernel import kernel_plan

pytestmark = pytest.mark.kernel

LIBC = ctypes.CDLL(None, use_errno=True)
MS_BIND, MS_MOVE = 4096, 8192
MNT_DETACH = 2
NAMES = ("a", "watched", "deep", "a-name-of-more-than-twenty-four-bytes", "key")
STEPS = 120
SEEDS = (1, 2, 3, 4, 5, 6)


def rules_of(place: Path) -> list[Predicate]:
    """Beginnings, endings, folders and a whole path, all of them below the place."""
    return [
        asks(str(place / "watched") + "/", ANY),
        asks(str(place), ANY, "/key"),
        asks(str(place), ANY, "/deep/", ANY),
        asks(str(place / "a" / "key")),
    ]


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Capture, Capture]]:
    plan = kernel_plan(rules_of(Path("/nowhere")))
    with contextlib.ExitStack() as stack:
        captures = [Capture(plan, ring_bytes=1 << 24, remembers=remembers) for remembers in (True, False)]
        for capture in captures:
            stack.callback(capture.close)
        yield captures[0], captures[1]


def unmount_all(place: Path) -> None:
    """Whatever is mounted there, by whatever name its folder has by now."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in reversed(points):
        if Path(point).is_relative_to(place):
            LIBC.umount2(point.encode(), MNT_DETACH)


class Acts:
    """Random acts in a folder; the same for the same seed."""

    def __init__(self, place: Path, seed: int) -> None:
        self._place = place
        self._random = random.Random(seed)
        self._mounted: list[Path] = []

    def run(self) -> None:
        acts = (self._make, self._rename, self._link, self._remove, self._mount, self._disguise)
        os.sched_setaffinity(0, {0})  # what is remembered is remembered by CPU
        LIBC.mount(b"none", bytes(self._place), None, MS_BIND, None)
        try:
            for _ in range(STEPS):
                with contextlib.suppress(OSError):
                    self._random.choice(acts)()
                self._open_all()
        finally:
            unmount_all(self._place)

    def _folders(self) -> list[Path]:
        return sorted(Path(folder) for folder, _, _ in os.walk(self._place))[:40]

    def _some(self) -> Path:
        return self._random.choice(self._folders()) / self._random.choice(NAMES)

    def _make(self) -> None:
        path = self._some()
        if self._random.random() < 0.4:
            path.mkdir()
        else:
            path.write_bytes(b"")

    def _rename(self) -> None:
        self._some().rename(self._some())

    def _link(self) -> None:
        source, target = self._some(), self._some()
        if self._random.random() < 0.5:
            target.hardlink_to(source)
        else:
            target.symlink_to(source)

    def _remove(self) -> None:
        path = self._some()
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()

    def _disguise(self) -> None:
        """Give the file that a rule names whole the name of another one."""
        path = self._some()
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        path.hardlink_to(self._place / "a" / "key")

    def _mount(self) -> None:
        folders = self._folders()
        source, target = self._random.choice(folders), self._random.choice(folders)
        if target == self._place or len(self._mounted) > 4:
            return
        flags = MS_MOVE if source in self._mounted and self._random.random() < 0.7 else MS_BIND
        if LIBC.mount(bytes(source), bytes(target), None, flags, None) == 0:
            if flags == MS_MOVE:
                self._mounted.remove(source)
            self._mounted.append(target)

    def _open_all(self) -> None:
        paths = [folder / name for folder in self._folders() for name in NAMES]
        self._random.shuffle(paths)
        for path in paths[:40]:
            _open_twice(path)
        os.chdir(self._random.choice(self._folders()))
        for name in NAMES:  # whatever the folder is called, and by way of which mount
            _open_twice(Path(name))
        os.chdir("/")


def _open_twice(path: Path) -> None:
    for _ in range(2):
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))


Sight = tuple[str | None, int, int | None]


def sights(capture: Capture, pid: int) -> Counter[Sight]:
    """The calls of the child that the kernel let through. What user space adds depends on the moment."""
    calls = {
        (seen.event.ts_ns, seen.event.asked_path, seen.event.errno, seen.event.inode)
        for seen in capture.arrived(until=pid)
        if seen.event.process.pid == pid
    }
    return Counter(call[1:] for call in calls)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_missed_that_is_seen_without_memory(
    both: tuple[Capture, Capture], place: Path, seed: int
) -> None:
    made(place / "a" / "key")
    for capture in both:
        capture.watch(*rules_of(place))
    pid = in_child(Acts(place, seed).run)
    remembering, forgetful = (sights(capture, pid) for capture in both)
    assert sum(forgetful.values()) > 200
    assert remembering == forgetful
    assert not any(capture.losses for capture in both)


def test_most_opens_are_remembered(both: tuple[Capture, Capture], place: Path) -> None:
    """Else the test above would compare a thing with itself."""
    for capture in both:
        capture.watch(*rules_of(Path("/nowhere")))
    before = [capture.source.counters().filtered for capture in both]
    in_child(Acts(place, 0).run)
    after = [capture.source.counters().filtered for capture in both]
    assert all(now - then > 1000 for now, then in zip(after, before, strict=True))


def test_a_name_that_was_another_files_is_looked_at_again(both: tuple[Capture, Capture], place: Path) -> None:
    key, name = made(place / "a" / "key"), made(place / "plain")
    for capture in both:
        capture.watch(asks(str(key)))

    def action() -> None:
        os.sched_setaffinity(0, {0})
        touch(name, name, name)()
        name.unlink()
        name.hardlink_to(key)
        touch(name)()

    pid = in_child(action)
    remembering, forgetful = (sights(capture, pid) for capture in both)
    assert remembering == forgetful == Counter({(str(name), 0, key.stat().st_ino): 1})
