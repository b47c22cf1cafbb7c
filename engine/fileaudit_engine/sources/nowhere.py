"""Files that are in no folder: pipes, sockets, memory. They are called what /proc/PID/fd calls them."""

import functools
import os
import socket
import stat
from typing import Final

_KINDS: Final = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}


def name_of(path: str | None, *, device: int | None, inode: int | None, mode: int | None) -> str | None:
    """The name of such a file.

    Args:
        path: What the kernel's walk gave: nothing, `/[eventfd]`, `/memfd:name`.
        device: Of the file, in the kernel's encoding.
        inode: Its number.
        mode: Its `st_mode`.

    Returns:
        `pipe:[4711]`, `socket:[4712]`, `anon_inode:[eventfd]`, `/memfd:name`; what the walk gave for others.
    """
    kind = _KINDS.get(stat.S_IFMT(mode or 0))
    if path is None and kind is not None and inode is not None:
        return f"{kind}:[{inode}]"
    if path is not None and path.startswith("/[") and device == _devices()[0]:
        return "anon_inode:" + path[1:]
    return path


def is_nowhere(device: int | None) -> bool:
    """Whether no file of this device is in a folder."""
    return device in _devices()


@functools.cache
def _devices() -> tuple[int, ...]:
    """Of anonymous inodes, first; of memfd, pipes and sockets. Each is one file system for the whole host."""
    with socket.socket(socket.AF_UNIX) as connection:
        descriptors = (os.eventfd(0), os.memfd_create("fileaudit"), *os.pipe())
        try:
            found = [os.fstat(one).st_dev for one in (*descriptors, connection.fileno())]
        finally:
            for one in descriptors:
                os.close(one)
    return tuple(os.major(device) << 20 | os.minor(device) for device in found)
