"""Plays one cell: lays out the ground, makes the one call in a child, and gathers what the engine reports."""

# Names are bytes here, and no Path can hold them.
# ruff: noqa: PTH102, PTH108, PTH118

import contextlib
import errno
import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from tests.kernel.table import raw
from tests.kernel.table.calls import Call, Needs, Spot
from tests.kernel.table.changes import ATTRIBUTE, VALUE
from tests.kernel.table.namings import FILE, Ground, Naming, Subject
from tests.kernel.table.program import smallest_program
from tests.kernel.table.ways import Way

from fileaudit_engine.events.model import FileEvent

CONTENT: Final = b"The file has some text.\n" * 4
_NEW: Final = b"new"
_RAN: Final = 0
"""The result of a child that has become another program, and says nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a cell.

    Attributes:
        result: What the call returned; an error number below zero.
        events: What the engine reports of it, in order.
        inode: Inode number of the file, as the host sees it before the call; None where it cannot.
    """

    result: int
    events: list[FileEvent]
    inode: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One cell in its place.

    Attributes:
        call: What is done.
        naming: By what name.
        ground: Where.
    """

    call: Call
    naming: Naming
    ground: Ground

    @property
    def leaf(self) -> bytes:
        """The file."""
        return self.naming.leaf(FILE)

    @property
    def new_leaf(self) -> bytes:
        """Its new name, in calls with two."""
        return self.naming.leaf(_NEW)

    def path(self, leaf: bytes, way: Way) -> bytes:
        """What the engine has to report."""
        return self.naming.path(Subject(self.ground, leaf, way))

    def asked(self, leaf: bytes, way: Way) -> bytes:
        """What the call is passed."""
        return self.naming.asked(Subject(self.ground, leaf, way))

    def play(
        self, events_of: Callable[[int], list[FileEvent]], before: Callable[[], object] = lambda: None
    ) -> Told:
        """Do it all.

        Args:
            events_of: The events of a process that have arrived since it was asked last.
            before: Is called when all is there, and nothing has been done.
        """
        with self.naming.prepared(self.ground):
            try:
                self._populate_outside()
                inode = self._inode()
                before()
                result, events = _watched(self._arrive, events_of)
            finally:
                self._unmount()
        return Told(result=result, events=events, inode=inode)

    # --- before ----------------------------------------------------------------------------------------

    @property
    def _inside(self) -> bool:
        private = self.naming.name in {"mount_namespace", "private_tmpfs"}
        return self.naming.inside or (private and self.call.needs is Needs.MOUNTED)

    def _populate_outside(self) -> None:
        if not self._inside and not self.naming.empty:
            self._populate(self.naming.folder(self.ground))

    def _populate(self, folder: bytes) -> None:
        for leaf, exists in ((self.leaf, True), (self.new_leaf, self.call.new_exists)):
            needs = self.call.needs if leaf == self.leaf else Needs.FILE
            if exists:
                make(os.path.join(folder, leaf), needs)
                self.naming.made(Subject(self.ground, leaf, self.call.way))
        if self.call.needs is Needs.FILE and self.call.way is Way.NAME and self.naming.name == "symlink":
            _give_attribute(self.asked(self.leaf, Way.NAME))

    def _inode(self) -> int | None:
        if self._inside or self.naming.empty or self.call.needs is Needs.NOTHING:
            return None
        way = self.call.source_way or self.call.way
        status = os.lstat(self.path(self.leaf, way))
        return status.st_ino if self.call.way is not Way.NAME or self.call.source_way else None

    def _unmount(self) -> None:
        if self.call.needs in {Needs.FOLDER, Needs.MOUNTED}:
            raw.unmount_all(os.path.join(self.naming.folder(self.ground), self.leaf))

    # --- in the child ----------------------------------------------------------------------------------

    def _arrive(self) -> Callable[[], int]:
        """Go to where the call is made from, and prepare it."""
        way = self.call.source_way or self.call.way
        self.naming.enter(Subject(self.ground, self.leaf, way))
        if self._inside:
            inside = self.naming.container_path(Subject(self.ground, b"", way))
            assert inside is not None
            self._populate(inside)
        spot = Spot(
            directory=self.naming.directory,
            name=self.asked(self.leaf, way),
            new=self.asked(self.new_leaf, self.call.way),
            descriptor=self._opened() if Way.DESCRIPTOR in self.call.ways else -1,
        )
        return self.call.prepared(spot)

    def _opened(self) -> int:
        flags = os.O_PATH if self.call.needs is Needs.PROGRAM else self.call.flags
        name = self.asked(self.leaf, Way.DESCRIPTOR)
        descriptor = raw.must("openat", self.naming.directory, name, flags, 0)
        if self.naming.name == "deleted":
            os.unlink(os.path.join(self.naming.folder(self.ground), self.leaf))
        return descriptor


def make(path: bytes, needs: Needs) -> None:
    """What must be there under a name."""
    match needs:
        case Needs.FILE | Needs.PROGRAM:
            content = CONTENT if needs is Needs.FILE else smallest_program()
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o755)
            os.write(descriptor, content)
            os.close(descriptor)
            _give_attribute(path)
        case Needs.FOLDER | Needs.MOUNTED:
            os.mkdir(path)
        case Needs.NOTHING:
            """And nothing is."""
    if needs is Needs.MOUNTED:
        raw.must("mount", b"none", path, b"tmpfs", 0, None)


def _give_attribute(path: bytes) -> None:
    with contextlib.suppress(OSError):  # what has no attributes has no cells of them either
        os.setxattr(path, ATTRIBUTE, VALUE, follow_symlinks=False)


# --- the child, step by step ---------------------------------------------------------------------------


def _watched(
    arrive: Callable[[], Callable[[], int]], events_of: Callable[[int], list[FileEvent]]
) -> tuple[int, list[FileEvent]]:
    """The call of a child, and what the engine says of it: at once, and when the child ends."""
    (ready, arrived), (start, started), (done, finished) = os.pipe(), os.pipe(), os.pipe()
    (end, ended) = os.pipe()
    pid = os.fork()
    if pid == 0:
        for descriptor in (ready, started, done, ended):
            os.close(descriptor)
        _child(arrive, (arrived, start, finished, end))
    for descriptor in (arrived, start, finished, end):
        os.close(descriptor)
    try:
        assert os.read(ready, 1), "the child did not get ready"
        events_of(pid)
        os.write(started, b".")
        result = int(os.read(done, 32) or _RAN)
        events = events_of(pid)
    finally:
        for descriptor in (ready, started, done, ended):
            os.close(descriptor)
        os.waitpid(pid, 0)
    return result, events + events_of(pid)


def _child(arrive: Callable[[], Callable[[], int]], pipes: tuple[int, int, int, int]) -> NoReturn:
    """Get ready, wait, make the call, tell its result, and stay until that has been looked at."""
    arrived, start, finished, end = pipes
    try:
        thunk = arrive()
        os.write(arrived, b".")
        os.read(start, 1)
        result = thunk()
        os.write(finished, b"%d" % result)
        os.read(end, 1)
    except BaseException:  # noqa: BLE001 - a child of the test runner must not return into it
        traceback.print_exc()
    finally:
        os._exit(0)


def name_of(result: int) -> str:
    """A result, readable."""
    return errno.errorcode.get(-result, str(result))
