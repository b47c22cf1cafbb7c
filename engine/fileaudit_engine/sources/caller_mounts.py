"""Mounts that only a caller sees, in a mount namespace of its own.

An ordinary user can have such a namespace, put any number of mounts into it, and make events that need one of
them. So a table is not read into objects: its text is searched for the one line. A long one is not read to
its end, and all this reading has its share of the time. What is not found is unknown: a path is then not
followed, or has no name of the host, and the event says so.

Nothing is remembered beyond a path. The number of a mount that is gone is soon that of another one, and
whoever has unmounted a folder of his own to mount what never answers (FUSE) must not be taken at his former
word.
"""

import contextlib
import os
from collections.abc import Callable
from typing import Final

from fileaudit_engine.sources.allowance import Allowance
from fileaudit_engine.sources.look import Status
from fileaudit_engine.sources.mount_table import Mount, MountWatch, parsed, whole

_MOST_BYTES: Final = 1 << 20
"""Of a table, some ten thousand mounts."""
_MOST_S: Final = 0.02
"""To read it: in one place each mount makes all the others slower to tell."""
_SHARE: Final = 0.05
"""Of a processor."""
_BURST_S: Final = 0.2
_MOST_HELD: Final = 64
"""Mounts that one path goes through."""


class CallerMounts:
    """Looks up mounts of other processes. Use it from one thread."""

    def __init__(self) -> None:
        self._allowance = Allowance(_SHARE, _BURST_S)

    def mount(self, pid: int, thread: int, number: int) -> Mount | None:
        """The mount with this number as a thread sees it now; None if that cannot be told."""
        if not self._allowance.is_left():
            return None
        with self._allowance.spent():
            line = _line(_text(pid, thread), b"%d " % number)
            return None if line is None else parsed(line)


class Kinds:
    """The types of the file systems that a path goes through: whom a look at a name in them asks.

    Of each mount a descriptor is kept. As long as there is one, no other mount gets its number.

    Args:
        mounts: Of the host.
        theirs: The mount with a number as the caller sees it now, if that can be told.
    """

    def __init__(self, mounts: MountWatch, theirs: Callable[[int], Mount | None]) -> None:
        self._mounts = mounts
        self._theirs = theirs
        self._kinds: dict[int, bytes | None] = {}
        self._held: list[int] = []

    def of(self, descriptor: int, found: Status) -> bytes | None:
        """The type of the one that an open file is in; None if that cannot be told."""
        if found.mount not in self._kinds and len(self._held) < _MOST_HELD:
            self._kinds[found.mount] = self._told(found)
            self._held.append(os.dup(descriptor))
        return self._kinds.get(found.mount)

    def close(self) -> None:
        """Let go of the mounts."""
        while self._held:
            os.close(self._held.pop())

    def _told(self, found: Status) -> bytes | None:
        """As the host tells it; of a mount that is not the host's, the file system may still be."""
        if self._mounts.is_current():
            table = self._mounts.table
            here = table.by_number.get(found.mount)
            if kind := here.kind if here else table.kinds.get(found.device):
                return kind
        mount = self._theirs(found.mount)
        return mount.kind if mount else None


def _text(pid: int, thread: int) -> bytes:
    """The mountinfo of a thread, or, if that has ended, of its process; empty if that has, too."""
    for folder in (f"/proc/{pid}/task/{thread}", f"/proc/{pid}"):
        with contextlib.suppress(OSError):
            file = os.open(f"{folder}/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
            try:
                return whole(file, _MOST_BYTES, _MOST_S)
            finally:
                os.close(file)
    return b""


def _line(text: bytes, beginning: bytes) -> bytes | None:
    """The whole line that begins so; a last one without an end may have been cut."""
    start = 0 if text.startswith(beginning) else text.find(b"\n" + beginning) + 1
    end = text.find(b"\n", start)
    return text[start:end] if end >= 0 and text.startswith(beginning, start) else None
