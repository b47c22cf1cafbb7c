"""Readers that follow a log as Filebeat's filestream and Vector's file source do.

Neither is a Python package, so these stand for them: what both promise about files, and nothing more. They
look for files by a pattern, know a file by what it is and not by its name, remember how far they have read,
hand on whole lines only, and read what they have open to its end, whatever its name is by then.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Identity = tuple[object, ...]


def by_inode(descriptor: int) -> Identity | None:
    """Filebeat's `native` and Vector's `device_and_inode`."""
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


def by_first_kilobyte(descriptor: int) -> Identity | None:
    """Filebeat's `fingerprint`: a file that is shorter is not looked at yet."""
    head = os.pread(descriptor, 1024, 0)
    return (head,) if len(head) == 1024 else None


def by_first_line(descriptor: int) -> Identity | None:
    """Vector's `checksum`, over the first line."""
    head = os.pread(descriptor, 1 << 20, 0)
    return (head[: head.index(b"\n")],) if b"\n" in head else None


@dataclass
class Reader:
    """One of them.

    Attributes:
        folder: Where the log is.
        identity: What it knows a file by.
        lines: What it has handed on.
        restarted_files: Files that it believes to have been cut, and has begun anew.
    """

    folder: Path
    identity: Callable[[int], Identity | None]
    pattern: str = "fileaudit*.ndjson"
    lines: list[bytes] = field(default_factory=list)
    restarted_files: int = 0
    _offsets: dict[Identity, int] = field(default_factory=dict)
    _open: dict[Identity, int] = field(default_factory=dict)

    def look(self) -> None:
        """Look for files, then read all that are known to their ends; forget those that are gone."""
        for place in sorted(self.folder.glob(self.pattern)):
            self._find(place)
        self._offsets = {known: offset for known, offset in self._offsets.items() if known in self._open}
        for known, descriptor in list(self._open.items()):
            self._read(known, descriptor)
            if not os.fstat(descriptor).st_nlink:
                os.close(self._open.pop(known))
                del self._offsets[known]

    def restart(self) -> None:
        """Be stopped and started: only what it remembers of offsets is left."""
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def __del__(self) -> None:
        """Hundreds of readers of hundreds of files would leave no descriptor to anybody."""
        self.restart()

    def _find(self, place: Path) -> None:
        try:
            descriptor = os.open(place, os.O_RDONLY)
        except FileNotFoundError:
            return
        known = self.identity(descriptor)
        if known is None or known in self._open:
            os.close(descriptor)
        else:
            self._open[known] = descriptor

    def _read(self, known: Identity, descriptor: int) -> None:
        offset = self._offsets.get(known, 0)
        length = os.fstat(descriptor).st_size
        if length < offset:
            self.restarted_files += 1
            offset = 0
        data = os.pread(descriptor, length - offset, offset)
        whole = data[: data.rfind(b"\n") + 1]
        self.lines += whole.splitlines()
        self._offsets[known] = offset + len(whole)
