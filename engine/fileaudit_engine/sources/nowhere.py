"""Files that are in no folder: pipes, sockets, memory. They are called what /proc/PID/fd calls them."""

import functools
import os
import socket
from collections.abc import Mapping


def name_of(path: str | None, *, device: int | None, inode: int | None) -> str | None:
    """The name of such a file.

    Args:
        path: What the kernel's walk gave: nothing, `/[eventfd]`, `/memfd:name`.
        device: Of the file, in the kernel's encoding.
        inode: Its number.

    Returns:
        `pipe:[4711]`, `socket:[4712]`, `anon_inode:[eventfd]`, `/memfd:name`; what the walk gave for others.
    """
    kind = _devices().get(device) if device is not None else None
    if kind == "anon_inode" and path is not None:
        return f"{kind}:{path.removeprefix('/')}"
    if kind in {"pipe", "socket"} and inode is not None:
        return f"{kind}:[{inode}]"
    return path


def is_nowhere(device: int | None) -> bool:
    """Whether no file of this device is in a folder."""
    return device in _devices()


@functools.cache
def _devices() -> Mapping[int, str]:
    """What kind of file is on which device, in the kernel's encoding: each is one for the whole host."""
    with socket.socket(socket.AF_UNIX) as connection:
        reader, writer = os.pipe()
        kinds = {
            os.eventfd(0): "anon_inode",
            os.memfd_create("fileaudit"): "memory",
            reader: "pipe",
            writer: "pipe",
        }
        try:
            found = {
                os.fstat(one).st_dev: kind for one, kind in {**kinds, connection.fileno(): "socket"}.items()
            }
        finally:
            for one in kinds:
                os.close(one)
    return {os.major(device) << 20 | os.minor(device): kind for device, kind in found.items()}
