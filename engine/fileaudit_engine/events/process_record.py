"""Records of processes, `struct process_record`: forks, execs, exits, changes of the working directory."""

import struct
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.events.model import PathState
from fileaudit_engine.events.wire import Kind, comm
from fileaudit_engine.text import from_kernel

PROCESS_HEAD: Final = struct.Struct("=HHHHHBBBB2sIIIIQQQQ16s")
"""`struct process_record`."""

MAX_ARGS: Final = 128
"""Arguments that are told apart."""

_PID: Final = struct.Struct("=16xI")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """A fork, exec, exit or change of the working directory.

    Attributes:
        user_id: Real user of the process; `group_id` likewise.
        cgroup_id: Of its cgroup (v2).
        image: Inode number of the program of an exec, else 0.
        compat: Of an exec, whether the program is a 32-bit one, whose calls no system call tracepoint sees.
        executable: Of an exec, else empty; `args` likewise.
        cwd: The working directory, of an exec or a change of it; None where it is not known.
        cgroup: Of an exec, the last names of its cgroup, from the leaf up; v2's unless that is the root.
    """

    kind: Kind
    pid: int
    start_ns: int
    parent_pid: int
    parent_start_ns: int
    name: str
    user_id: int = 0
    group_id: int = 0
    cgroup_id: int = 0
    image: int = 0
    compat: bool = False
    executable: str = ""
    args: tuple[str, ...] = ()
    args_truncated: bool = False
    cwd: str | None = None
    cgroup: tuple[str, ...] = ()


def pid_of_process(run: bytes, at: int) -> int:
    """The process that the record of a fork, exec, exit or change of directory at `at` is about."""
    (pid,) = _PID.unpack_from(run, at)
    return int(pid)


def process_record(run: bytes, at: int) -> ProcessRecord:
    """The fork, exec, exit or change of directory at `at`."""
    (
        kind, path_bytes, args_bytes, cwd_bytes, cgroup_bytes, cut, state, cwd_state, compat, _, pid, parent,
        uid, gid, start_ns, parent_start_ns, image, cgroup, name,
    ) = PROCESS_HEAD.unpack_from(run, at)  # fmt: skip
    path_at = at + PROCESS_HEAD.size
    args_at = path_at + path_bytes
    cwd_at = args_at + args_bytes
    cgroup_at = cwd_at + cwd_bytes
    names = run[cgroup_at : cgroup_at + cgroup_bytes]
    return ProcessRecord(
        kind=Kind(kind),
        pid=pid,
        start_ns=start_ns,
        parent_pid=parent,
        parent_start_ns=parent_start_ns,
        name=comm(name),
        user_id=uid,
        group_id=gid,
        cgroup_id=cgroup,
        image=image,
        compat=bool(compat),
        executable=image_path(pid, from_kernel(run[path_at:args_at]), PathState(state)),
        args=split_args(run[args_at:cwd_at]),
        args_truncated=bool(cut),
        cwd=directory(pid, from_kernel(run[cwd_at:cgroup_at]), PathState(cwd_state)) if cwd_bytes else None,
        cgroup=tuple(from_kernel(name) for name in names.split(b"/") if name),
    )


def image_path(pid: int, path: str, state: PathState) -> str:
    """The image as rules see it: a name that an ordinary user may have made up is not the host's."""
    return f"/proc/{pid}/root{path}" if state & PathState.FOREIGN else path


def directory(pid: int, path: str, state: PathState) -> str:
    """A working directory as rules see it: like an image; one that is cut off begins with no slash."""
    return path.removeprefix("/") if state & PathState.TRUNCATED else image_path(pid, path, state)


def split_args(raw: bytes) -> tuple[str, ...]:
    """Arguments that each end with a NUL; the last may be cut off.

    Past `MAX_ARGS` the rest is one, joined by spaces: the command line stays the same text, and thousands of
    empty arguments do not become thousands of objects for each process that is remembered.
    """
    if not raw:
        return ()
    first = raw.removesuffix(b"\0").split(b"\0", MAX_ARGS - 1)
    first[-1] = first[-1].replace(b"\0", b" ")
    return tuple(map(from_kernel, first))
