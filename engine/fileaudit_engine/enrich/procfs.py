"""What /proc says of the processes that run: asked at the start, and where a record was lost.

Otherwise the kernel's own records tell, because /proc is a race: a process that lives two milliseconds is
gone before anybody looks.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fileaudit_engine.events.model import PathState, Process
from fileaudit_engine.events.wire import image_path, split_args
from fileaudit_engine.text import from_kernel

_NS_GET_USERNS: Final = 0xB701
_HOST_USER_NAMESPACE: Final = 0xEFFFFFFD
"""PROC_USER_INIT_INO of include/uapi/linux/nsfs.h: the same on every kernel."""
_REPLACED: Final = " (deleted)"

ARGS_LIMIT: Final = 4096
"""Bytes of arguments that are kept: what the kernel's exec record has (`bpf/process.h`)."""


def running(proc: str, tick_ns: int) -> Iterator[Process]:
    """The processes, the older ones first, so that parents come before their children.

    Their start is cut to the clock tick, and `parent` is not filled in.
    """
    pids = (int(path.name) for path in Path(proc).iterdir() if path.name.isdecimal())
    found = (process for pid in pids if (process := look_at(proc, pid, tick_ns)) is not None)
    yield from sorted(found, key=lambda process: (process.start_ns or 0, process.pid))


def parse_stat(raw: bytes) -> tuple[str, int, int]:
    """Name, parent and start in ticks, from `/proc/PID/stat`.

    The name may hold spaces and parentheses; the last parenthesis ends it.

    Raises:
        ValueError: It is no such line.
    """
    begin, end = raw.index(b"("), raw.rindex(b")")
    fields = raw[end + 2 :].split()
    if len(fields) < 20:
        raise ValueError("too few fields")
    return from_kernel(raw[begin + 1 : end]), int(fields[1]), int(fields[19])


def look_at(proc: str, pid: int, tick_ns: int) -> Process | None:
    """A process as it is now, without its parent; None if it ended meanwhile."""
    folder = Path(proc, str(pid))
    try:
        name, parent_pid, ticks = parse_stat((folder / "stat").read_bytes())
        with (folder / "cmdline").open("rb") as file:
            raw = file.read(ARGS_LIMIT + 1)
    except (OSError, ValueError):
        return None
    executable, image_inode = _image(folder / "exe")
    return Process(
        pid=pid,
        start_ns=ticks * tick_ns,
        executable=executable,
        image_inode=image_inode,
        args=split_args(raw[:ARGS_LIMIT]),
        args_truncated=len(raw) > ARGS_LIMIT,
        name=name,
        parent_pid=parent_pid,
    )


def _image(link: Path) -> tuple[str | None, int | None]:
    """The image's path and inode number; kernel threads have none.

    /proc marks the name of a file that was replaced, as every upgrade does with running programs. The mark
    is taken off only if the file really has no name any more: others may be called so.
    """
    try:
        executable, status = from_kernel(bytes(link.readlink())), link.stat()
    except OSError:
        return None, None
    executable = executable if status.st_nlink else executable.removesuffix(_REPLACED)
    state = PathState.FOREIGN if _is_foreign(link.parent) else PathState.RESOLVED
    return image_path(int(link.parent.name), executable, state), status.st_ino


def _is_foreign(folder: Path) -> bool:
    """Whether the process sees mounts that an ordinary user may have made."""
    mounts = folder / "ns" / "mnt"
    try:
        if mounts.stat().st_ino == Path("/proc/self/ns/mnt").stat().st_ino:
            return False
        with mounts.open("rb") as namespace:
            owner = fcntl.ioctl(namespace, _NS_GET_USERNS)
    except OSError:
        return True
    try:
        return os.fstat(owner).st_ino != _HOST_USER_NAMESPACE
    finally:
        os.close(owner)
