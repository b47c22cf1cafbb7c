"""What /proc says of the processes that run: asked at the start, and where a record was lost.

Otherwise the kernel's own records tell, because /proc is a race: a process that lives two milliseconds is
gone before anybody looks.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from fileaudit_engine.enrich.cgroups import CGROUP_LEVELS
from fileaudit_engine.events.model import PathState, Process
from fileaudit_engine.events.process_record import image_path, split_args
from fileaudit_engine.text import from_kernel, to_kernel

_NS_GET_USERNS: Final = 0xB701
_HOST_USER_NAMESPACE: Final = 0xEFFFFFFD
"""PROC_USER_INIT_INO of include/uapi/linux/nsfs.h: the same on every kernel."""
_REPLACED: Final = " (deleted)"
_REPLACED_BYTES: Final = _REPLACED.encode()

ARGS_LIMIT: Final = 4096
"""Bytes of arguments that are kept: what the kernel's exec record has (`bpf/process.h`)."""


_CGROUP_BYTES: Final = 1 << 16


class Found(NamedTuple):
    """What /proc says of a process.

    Attributes:
        process: Its start cut to the clock tick, and without its parent.
        cwd: Its working directory; None where that cannot be told.
        cgroup: The names of its cgroup, as the kernel's exec record tells them (`bpf/cgroup.h`).
    """

    process: Process
    cwd: str | None = None
    cgroup: tuple[str, ...] = ()


def running(proc: str, tick_ns: int) -> Iterator[Found]:
    """The processes, the older ones first, so that parents come before their children."""
    pids = (int(path.name) for path in Path(proc).iterdir() if path.name.isdecimal())
    found = (one for pid in pids if (one := look_at(proc, pid, tick_ns)) is not None)
    yield from sorted(found, key=lambda one: (one.process.start_ns or 0, one.process.pid))


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


def look_at(proc: str, pid: int, tick_ns: int) -> Found | None:
    """A process as it is now; None if it ended meanwhile."""
    folder = Path(proc, str(pid))
    try:
        name, parent_pid, ticks = parse_stat((folder / "stat").read_bytes())
        with (folder / "cmdline").open("rb") as file:
            raw = file.read(ARGS_LIMIT + 1)
    except (OSError, ValueError):
        return None
    executable, image_inode = _image(folder / "exe")
    process = Process(
        pid=pid,
        start_ns=ticks * tick_ns,
        executable=executable,
        image_inode=image_inode,
        args=split_args(raw[:ARGS_LIMIT]),
        args_truncated=len(raw) > ARGS_LIMIT,
        name=name,
        parent_pid=parent_pid,
    )
    return Found(process, _cwd(folder / "cwd"), _cgroup(folder / "cgroup"))


def parse_cgroups(raw: bytes) -> tuple[str, ...]:
    """The names of `/proc/PID/cgroup`, from the leaf up: of the v2 hierarchy, then of one with controllers.

    `..` stands for what is above the reader's own cgroup namespace, and tells nothing.
    """
    unified: list[str] = []
    controllers: list[str] = []
    for line in raw.splitlines():
        number, _, rest = line.partition(b":")
        kind, _, path = rest.partition(b":")
        names = [from_kernel(name) for name in path.removesuffix(_REPLACED_BYTES).split(b"/") if name]
        names = [name for name in names[:CGROUP_LEVELS][::-1] if name != ".."]
        if number == b"0" and not kind:
            unified = names
        elif not kind.startswith(b"name="):
            controllers = controllers or names
    return (*unified, *controllers)


def _cgroup(file: Path) -> tuple[str, ...]:
    try:
        with file.open("rb") as opened:
            return parse_cgroups(opened.read(_CGROUP_BYTES))
    except OSError:
        return ()


def _cwd(link: Path) -> str | None:
    """The working directory; of one that was removed, the name that it had."""
    try:
        cwd = from_kernel(bytes(link.readlink()))
        gone = not link.stat().st_nlink
    except OSError:
        return None
    state = PathState.FOREIGN if _is_foreign(link.parent) else PathState.RESOLVED
    return image_path(int(link.parent.name), cwd.removesuffix(_REPLACED) if gone else cwd, state)


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
    state = PathState.RESOLVED if _is_the_hosts(link.parent, executable, status) else PathState.FOREIGN
    return image_path(int(link.parent.name), executable, state), status.st_ino


def _is_the_hosts(folder: Path, executable: str, status: os.stat_result) -> bool:
    """Whether the host knows the image by this name; who sees other mounts may run another file."""
    if _is_foreign(folder):
        return False
    try:
        if (folder / "ns" / "mnt").stat().st_ino == Path("/proc/self/ns/mnt").stat().st_ino:
            return True
        here = os.lstat(to_kernel(executable))
    except (OSError, ValueError):
        return False
    return (here.st_dev, here.st_ino) == (status.st_dev, status.st_ino)


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
