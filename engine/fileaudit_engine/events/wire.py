"""Bytes from the ring to events: the mirror of `bpf/event.h`.

Reading goes in two steps, because most of what arrives is looked at only to be routed. `route` takes from
a record just what decides where it goes; `file_event` and `process_record` take the rest, on demand.
Nothing here trusts a length in a record further than the record itself: slices cannot fail.
"""

import enum
import functools
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from fileaudit_engine.events.model import (
    ACCESS_MODES,
    OPERATIONS,
    FileEvent,
    PathState,
    Process,
)
from fileaudit_engine.text import from_kernel

SYSCALLS: Final = ("open", "openat", "openat2", "creat")
"""By `enum file_call`."""

FILE_HEAD: Final = struct.Struct("=HBBBBHHHIQQiIIIIIIIIIIIQQQ16s")
"""`struct file_record` up to its candidates, which are 64-bit words."""

PROCESS_HEAD: Final = struct.Struct("=HHHBBIIQQQ16s")
"""`struct process_record`."""

MAX_ARGS: Final = 128
"""Arguments that are told apart."""

_STATES: Final = tuple(PathState(bits) for bits in range(256))
"""By byte: making a flag costs ten times a look-up."""

_KIND: Final = struct.Struct("=H")
_ROUTE: Final = struct.Struct("=12xI24xI")
_ONE_WORD: Final = struct.Struct("=Q")
_UNREADABLE: Final = 0xFFFF
_NOBODY: Final = 0xFFFFFFFF
_EINTR: Final = 4
_FIRST_RESTART: Final = 512


class Kind(enum.IntEnum):
    """`enum record_kind`."""

    FILE = 1
    FORK = 2
    EXEC = 3
    EXIT = 4


class Route(NamedTuple):
    """What decides where a file record goes.

    Attributes:
        epoch: Generation of the rules that `candidates` speaks of, 0 for none.
        pid: Who did it.
        candidates: Clauses that may match, as a bit set.
    """

    epoch: int
    pid: int
    candidates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """A fork, exec or exit.

    Attributes:
        image: Inode number of the program of an exec, else 0.
        executable: Of an exec, else empty; `args` likewise.
    """

    kind: Kind
    pid: int
    start_ns: int
    parent_pid: int
    parent_start_ns: int
    name: str
    image: int = 0
    executable: str = ""
    args: tuple[str, ...] = ()
    args_truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """How numbers in a record get their meaning.

    Attributes:
        process: From pid, start, parent pid, name and the inode number of the image.
        user: A user's name; `group` likewise.
        clause_words: Words of a candidate set, as compiled into the programs.
        boot_to_wall_ns: What to add to the boot clock for time since the Unix epoch.
    """

    process: Callable[[int, int, int, str, int], Process]
    user: Callable[[int], str | None]
    group: Callable[[int], str | None]
    clause_words: int
    boot_to_wall_ns: int


def kind_of(run: bytes, at: int) -> int:
    """The kind of the record at `at`; a number that `Kind` may not know."""
    (kind,) = _KIND.unpack_from(run, at)
    return int(kind)


def route(run: bytes, at: int, clause_words: int) -> Route:
    """The file record at `at`, as far as it must be known to route it."""
    epoch, pid = _ROUTE.unpack_from(run, at)
    first = at + FILE_HEAD.size
    if clause_words == 1:
        (candidates,) = _ONE_WORD.unpack_from(run, first)
    else:
        candidates = int.from_bytes(run[first : first + 8 * clause_words], "little")
    return Route(epoch, pid, candidates)


def file_event(run: bytes, at: int, lookups: Lookups) -> FileEvent:
    """The file record at `at` in full."""
    (
        _, operation, access, state, call, path_bytes, asked_bytes, mode, _, time_ns, start_ns, result,
        flags, pid, thread, parent, uid, gid, euid, egid, login, session, device, inode, cgroup, image, name,
    ) = FILE_HEAD.unpack_from(run, at)  # fmt: skip
    path_at = at + FILE_HEAD.size + 8 * lookups.clause_words
    asked_at = path_at + path_bytes
    has_file = result >= 0
    return FileEvent(
        ts_ns=time_ns + lookups.boot_to_wall_ns,
        operation=OPERATIONS[operation],
        process=lookups.process(pid, start_ns, parent, comm(name), image),
        syscall=SYSCALLS[call],
        path=from_kernel(run[path_at:asked_at]) if path_bytes else None,
        asked_path=None
        if asked_bytes == _UNREADABLE
        else from_kernel(run[asked_at : asked_at + asked_bytes]),
        path_state=_STATES[state],
        flags=flags,
        access_mode=ACCESS_MODES[access],
        errno=0 if has_file else _errno(-result),
        result=result,
        inode=(inode or None) if has_file else None,
        device=(device or None) if has_file else None,
        mode=(mode or None) if has_file else None,
        thread_id=thread,
        user_id=uid,
        group_id=gid,
        effective_user_id=euid,
        effective_group_id=egid,
        login_user_id=None if login == _NOBODY else login,
        session_id=None if session == _NOBODY else session,
        cgroup_id=cgroup,
        user_name=lookups.user(uid),
        group_name=lookups.group(gid),
        effective_user_name=lookups.user(euid),
        effective_group_name=lookups.group(egid),
        login_user_name=None if login == _NOBODY else lookups.user(login),
    )


def process_record(run: bytes, at: int) -> ProcessRecord:
    """The fork, exec or exit record at `at`."""
    kind, path_bytes, args_bytes, cut, state, pid, parent, start_ns, parent_start_ns, image, name = (
        PROCESS_HEAD.unpack_from(run, at)
    )
    path_at = at + PROCESS_HEAD.size
    args_at = path_at + path_bytes
    return ProcessRecord(
        kind=Kind(kind),
        pid=pid,
        start_ns=start_ns,
        parent_pid=parent,
        parent_start_ns=parent_start_ns,
        name=comm(name),
        image=image,
        executable=image_path(pid, from_kernel(run[path_at:args_at]), PathState(state)),
        args=split_args(run[args_at : args_at + args_bytes]),
        args_truncated=bool(cut),
    )


@functools.lru_cache(maxsize=1024)
def comm(raw: bytes) -> str:
    """A kernel's name of a process: up to its first NUL."""
    return from_kernel(raw.partition(b"\0")[0])


def image_path(pid: int, path: str, state: PathState) -> str:
    """The image as rules see it: a name that an ordinary user may have made up is not the host's."""
    return f"/proc/{pid}/root{path}" if state & PathState.FOREIGN else path


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


def _errno(number: int) -> int:
    """A call that the kernel may restart ended, as far as anybody can see, with EINTR."""
    return _EINTR if number >= _FIRST_RESTART else number
