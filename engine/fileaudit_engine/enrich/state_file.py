"""Reading small files that others keep, some of them hostile.

The daemons of root keep their state where only root writes; administrators move it elsewhere and leave a
link. Ordinary users' programs keep theirs below the user's home, where he may put anything: a link to a file
that is not his, a pipe that nobody writes to, a file system of his own that never answers, gigabytes. So of
such a path nothing but the home is taken on trust: no links, no other mounts, no file of another owner.
"""

import contextlib
import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

_OPENAT2: Final = 437
"""The same number on x86-64 and arm64 (5.6+)."""
_NO_XDEV: Final = 0x01
_NO_MAGICLINKS: Final = 0x02
_NO_SYMLINKS: Final = 0x04
_BENEATH: Final = 0x08
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_HOW: Final = struct.Struct("=QQQ")
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class Stamp(NamedTuple):
    """What changes when a file does."""

    device: int
    inode: int
    size: int
    changed_ns: int


class StateFile:
    """An open file that may be read. `open_state` makes it.

    Attributes:
        stamp: Of the file as it was when it was opened.
    """

    def __init__(self, descriptor: int, stamp: Stamp, limit: int) -> None:
        self.stamp = stamp
        self._descriptor = descriptor
        self._limit = limit

    def read(self) -> bytes:
        """All of it; no more than the limit, however it grows meanwhile."""
        parts: list[bytes] = []
        left = self._limit
        while left > 0 and (part := os.read(self._descriptor, left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)


@contextlib.contextmanager
def open_state(base: str, path: str, *, owner: int, limit: int, strict: bool) -> Iterator[StateFile]:
    """The file, if it may be read: regular, of the right owner, and not too long.

    Args:
        base: A folder whose path is trusted.
        path: Below it, relative.
        owner: Who must own the file.
        limit: Bytes that it may have at the most.
        strict: Whether the path below `base` is an ordinary user's.

    Raises:
        OSError: There is no such file.
    """
    descriptor = _beneath(base, path) if strict else os.open(f"{base}/{path}", _FLAGS)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != owner or status.st_size > limit:
            raise OSError(errno.EINVAL, "no small file of its owner", path)
        stamp = Stamp(status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns)
        yield StateFile(descriptor, stamp, limit)
    finally:
        os.close(descriptor)


def _beneath(base: str, path: str) -> int:
    folder = os.open(base, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        how = _HOW.pack(_FLAGS, 0, _NO_XDEV | _NO_MAGICLINKS | _NO_SYMLINKS | _BENEATH)
        found = _LIBC.syscall(_OPENAT2, folder, os.fsencode(path), how, len(how))
        if found < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
        return int(found)
    finally:
        os.close(folder)
