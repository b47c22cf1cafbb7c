"""Bytes from the ring to events: the mirror of `bpf/event.h`.

Reading goes in two steps, because most of what arrives is looked at only to be routed. `route` takes from
a record just what decides where it goes; `file_record` takes the rest, on demand. Records of processes have a
module of their own (`process_record`).
Nothing here trusts a length in a record further than the record itself: slices cannot fail.
"""

import enum
import functools
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from fileaudit_engine.events.calls import CALLS
from fileaudit_engine.events.model import (
    ACCESS_MODES,
    LIVE_CLOCK,
    OPERATIONS,
    Container,
    FileEvent,
    Operation,
    PathState,
    Process,
)
from fileaudit_engine.events.particulars import WITH_ACCESS_MODE, particulars, texts
from fileaudit_engine.text import from_kernel

FILE_HEAD: Final = struct.Struct("=HBBBBBBHHHHHHHHQQqIIIIIIIIIIIIIIQQQQ3q16s")
"""`struct file_record` up to its candidates, which are 64-bit words."""

_STATES: Final = tuple(PathState(bits) for bits in range(256))
"""By byte: making a flag costs ten times a look-up."""

_KIND: Final = struct.Struct("=H")
_OPERATION_AT: Final = 2
_SIZES: Final = struct.Struct("=8x6H")
_TIME: Final = struct.Struct("=Q")
_TIME_AT: Final = 24
_RESULT_AT: Final = 40
_RESULT: Final = struct.Struct("=q")
_DETAILS: Final = struct.Struct("=3q")
_DETAILS_AT: Final = 136
_WHO: Final = struct.Struct("=52xI12xI56xQ")
_USED: Final = struct.Struct("=HHIQQ")
_ROUTE: Final = struct.Struct("=48xII")
_ONE_WORD: Final = struct.Struct("=Q")
_UNREADABLE: Final = 0xFFFF
_CHMOD: Final = Operation.CHMOD.number
_CHOWN: Final = Operation.CHOWN.number
_EXECVEAT: Final = CALLS.index("execveat")
_BY_DESCRIPTOR: Final = re.compile(rb"/dev/fd/\d+(?:/|$)")
_NOBODY: Final = 0xFFFFFFFF
_EINTR: Final = 4
_FIRST_RESTART: Final = 512


class Kind(enum.IntEnum):
    """`enum record_kind`."""

    FILE = 1
    FORK = 2
    EXEC = 3
    EXIT = 4
    CHDIR = 5
    USED = 6


class Hint(enum.IntFlag):
    """`enum path_hint`: what is to be known to go on with the paths of a record."""

    NAME = 1
    """The call is on the name: the last component of the path is not followed."""
    SECOND_NAME = 2
    """The same of the second path."""
    ALIAS = 4
    """The candidates are those of another name of the file, too."""
    DESCRIPTOR = 8
    """The caller named a descriptor of its own (`/proc/self/fd/3`); the alias is what stands behind it."""


_HINTS: Final = tuple(Hint(bits) for bits in range(256))
"""By byte, as `_STATES`."""


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


class Caller(NamedTuple):
    """What a record says of who made the call, by name; shared by the many records that say the same."""

    process: Process
    working_directory: str | None
    container: Container | None
    login_user_id: int | None
    session_id: int | None
    user_name: str | None
    group_name: str | None
    effective_user_name: str | None
    effective_group_name: str | None
    login_user_name: str | None


Numbers = tuple[int, int, int, bytes, int, int, int, int, int, int, int, int]
"""The same as the record has it."""

Callers = dict[Numbers, Caller]
"""Who was seen, by these numbers."""


class FileRecord(NamedTuple):
    """A file record in full.

    Attributes:
        event: With its paths as the kernel left them.
        second_state: Of `event.source_path`, as `event.path_state` is of `event.path`.
        hints: How to go on with them.
        alias: Another name of the file, if the kernel knows one.
        use: Of a read or write, a number for this use of the file by anybody: since it was opened.
    """

    event: FileEvent
    second_state: PathState
    hints: Hint
    alias: str | None
    use: int


class Transfer(NamedTuple):
    """Of a record of a read or write, what its sums go by.

    Attributes:
        use: A number for this use of the file: since it was opened.
        image: Inode number of the program that did it; `pid` is its process.
        user_id: For which user.
        operation: Number of the operation.
        bytes: What was moved; `calls` is in how many calls.
    """

    use: int
    image: int
    pid: int
    user_id: int
    operation: int
    bytes: int
    calls: int


class Used(NamedTuple):
    """A descriptor was closed through which more went than was told.

    Attributes:
        use: As in `Transfer`.
        pid: Who closed it.
        time_ns: When, on the boot clock.
    """

    use: int
    pid: int
    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """How numbers in a record get their meaning.

    Attributes:
        process: From pid, start, parent pid, name and the inode number of the image.
        surroundings: From pid, start and cgroup id: working directory and container of a process.
        user: A user's name; `group` likewise.
        clause_words: Words of a candidate set, as compiled into the programs.
        boot_to_wall_ns: What to add to the boot clock for time since the Unix epoch.
        host_name: Of this host; `host_id` is its machine id.
    """

    process: Callable[[int, int, int, str, int], Process]
    surroundings: Callable[[int, int, int], tuple[str | None, Container | None]]
    user: Callable[[int], str | None]
    group: Callable[[int], str | None]
    clause_words: int
    boot_to_wall_ns: int
    host_name: str | None = None
    host_id: str | None = None


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


def file_record(run: bytes, at: int, lookups: Lookups, callers: Callers) -> FileRecord:
    """The file record at `at` in full.

    Args:
        run: The bytes.
        at: Where in them it begins.
        lookups: How its numbers get their meaning.
        callers: Who was seen in records that were read before, of which no process has changed since; it is
            added to.
    """
    (
        _, operation, call, access, state, second_state, hints, path_bytes, asked_bytes, alias_bytes,
        second_bytes, second_asked_bytes, extra_bytes, mode, _, time_ns, start_ns, result, _, pid, thread,
        parent, flags, uid, gid, euid, egid, login, session, device, owner, owner_group, inode, size, cgroup,
        image, first, second, third, raw_name,
    ) = FILE_HEAD.unpack_from(run, at)  # fmt: skip
    path_at = at + FILE_HEAD.size + 8 * lookups.clause_words
    asked_at = path_at + path_bytes
    rest_at = asked_at + (0 if asked_bytes == _UNREADABLE else asked_bytes)
    user, group = lookups.user, lookups.group
    numbers = (pid, start_ns, parent, raw_name, image, cgroup, uid, gid, euid, egid, login, session)
    caller = callers.get(numbers)
    if caller is None:
        caller = callers[numbers] = _caller(numbers, lookups)
    ts_ns = time_ns + lookups.boot_to_wall_ns
    more = particulars(operation, (first, second, third), ts_ns, user, group) if operation else {}
    alias = None
    if alias_bytes or second_bytes or second_asked_bytes or extra_bytes:
        second_at = rest_at + alias_bytes
        second_asked_at = second_at + second_bytes
        extra_at = second_asked_at + second_asked_bytes
        alias = from_kernel(run[rest_at:second_at]) if alias_bytes else None
        raw = (
            run[second_at:second_asked_at],
            run[second_asked_at:extra_at],
            run[extra_at : extra_at + extra_bytes],
        )
        more |= texts(operation, raw)
    owned = mode and operation != _CHOWN
    event = FileEvent(
        ts_ns=ts_ns,
        operation=OPERATIONS[operation],
        process=caller.process,
        syscall=CALLS[call],
        path=from_kernel(run[path_at:asked_at]) if path_bytes else None,
        asked_path=None if asked_bytes == _UNREADABLE else _asked(call, run[asked_at:rest_at]),
        path_state=_STATES[state],
        flags=flags,
        access_mode=ACCESS_MODES[access] if operation in WITH_ACCESS_MODE else None,
        errno=0 if result >= 0 else _errno(-result),
        result=result,
        inode=inode or None,
        device=device or None,
        mode=(mode or None) if operation != _CHMOD else None,  # as it is after the call: not the former one
        thread_id=thread,
        user_id=uid,
        group_id=gid,
        effective_user_id=euid,
        effective_group_id=egid,
        login_user_id=caller.login_user_id,
        session_id=caller.session_id,
        cgroup_id=cgroup,
        user_name=caller.user_name,
        group_name=caller.group_name,
        effective_user_name=caller.effective_user_name,
        effective_group_name=caller.effective_group_name,
        login_user_name=caller.login_user_name,
        working_directory=caller.working_directory,
        owner_id=owner if owned else None,
        owner_group_id=owner_group if owned else None,
        owner_name=user(owner) if owned else None,
        owner_group_name=group(owner_group) if owned else None,
        size_bytes=size if mode else None,
        container=caller.container,
        host_name=lookups.host_name,
        host_id=lookups.host_id,
        clock=LIVE_CLOCK,
        **more,
    )
    return FileRecord(event, _STATES[second_state], _HINTS[hints], alias, third)


def _caller(numbers: Numbers, lookups: Lookups) -> Caller:
    pid, start_ns, parent, raw_name, image, cgroup, uid, gid, euid, egid, login, session = numbers
    name = comm(raw_name)
    process = lookups.process(pid, start_ns, parent, name, image)
    if process.name != name:  # a thread has a name of its own, and a process may take another
        process = msgspec.structs.replace(process, name=name)
    cwd, container = lookups.surroundings(pid, start_ns, cgroup)
    return Caller(
        process=process,
        working_directory=cwd,
        container=container,
        login_user_id=None if login == _NOBODY else login,
        session_id=None if session == _NOBODY else session,
        user_name=lookups.user(uid),
        group_name=lookups.group(gid),
        effective_user_name=lookups.user(euid),
        effective_group_name=lookups.group(egid),
        login_user_name=None if login == _NOBODY else lookups.user(login),
    )


def operation_of(run: bytes, at: int) -> int:
    """The number of the operation that the file record at `at` tells of."""
    return run[at + _OPERATION_AT]


def succeeded(run: bytes, at: int) -> bool:
    """Whether the call that the file record at `at` tells of did what was asked."""
    (result,) = _RESULT.unpack_from(run, at + _RESULT_AT)
    return bool(result >= 0)


def pid_of_file(run: bytes, at: int) -> int:
    """Who did what the file record at `at` tells of."""
    return int(_ROUTE.unpack_from(run, at)[1])


def size_of(run: bytes, at: int, clause_words: int) -> int:
    """How long the file record at `at` is, texts included."""
    path, asked, *others = _SIZES.unpack_from(run, at)
    texts_size: int = path + (0 if asked == _UNREADABLE else asked) + sum(others)
    return FILE_HEAD.size + 8 * clause_words + texts_size


def transfer(run: bytes, at: int) -> Transfer:
    """The sums of the file record at `at`, which tells of a read or write."""
    moved, calls, use = _DETAILS.unpack_from(run, at + _DETAILS_AT)
    pid, user, image = _WHO.unpack_from(run, at)
    return Transfer(use, image, pid, user, operation_of(run, at), moved, calls)


def time_of(run: bytes, at: int = 0) -> int:
    """When the file record at `at` was made, nanoseconds on the boot clock."""
    (time_ns,) = _TIME.unpack_from(run, at + _TIME_AT)
    return int(time_ns)


def with_transfer(record: bytes, moved: int, calls: int, time_ns: int) -> bytes:
    """The record of a read or write with other sums, told at another time; its result is the sum of bytes."""
    again = bytearray(record)
    use = _DETAILS.unpack_from(record, _DETAILS_AT)[2]
    _DETAILS.pack_into(again, _DETAILS_AT, moved, calls, use)
    _RESULT.pack_into(again, _RESULT_AT, moved)
    _TIME.pack_into(again, _TIME_AT, time_ns)
    return bytes(again)


def used_record(run: bytes, at: int) -> Used:
    """The record at `at` of a descriptor that was closed."""
    _, _, pid, use, time_ns = _USED.unpack_from(run, at)
    return Used(use, pid, time_ns)


@functools.lru_cache(maxsize=1024)
def comm(raw: bytes) -> str:
    """A kernel's name of a process: up to its first NUL."""
    return from_kernel(raw.partition(b"\0")[0])


def _asked(call: int, raw: bytes) -> str:
    """What the caller passed.

    Of an exec by descriptor the kernel keeps `/dev/fd/3`, and what was asked for behind it.
    """
    if call == _EXECVEAT and (by_descriptor := _BY_DESCRIPTOR.match(raw)):
        raw = raw[by_descriptor.end() :]
    return from_kernel(raw)


def _errno(number: int) -> int:
    """A call that the kernel may restart ended, as far as anybody can see, with EINTR."""
    return _EINTR if number >= _FIRST_RESTART else number
