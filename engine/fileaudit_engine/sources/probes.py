"""Which programs watch what: every hook of `bpf/probes/`, and the operations that it tells of.

Only what some rule asks for is compiled and attached: a hook that nobody needs still costs every call of
its kind. Processes are always followed: that is where events have image, arguments and directory from.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine.compiler.plan import KernelPlan
from fileaudit_engine.events.model import OPERATIONS, Operation
from fileaudit_engine.sources.load import Program
from fileaudit_engine.sources.mounts import TRACEFS

_O: Final = Operation
_OPENING: Final = frozenset({_O.OPEN, _O.CREATE, _O.READ, _O.WRITE})
"""What is read and written is known from the open."""
_TRANSFER_FILE: Final = "probes/transfer.c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A program at a hook.

    Attributes:
        program: With the place where it is attached.
        operations: What it tells of; it is needed if a rule asks for one of them.
        file: Where in `bpf/` it is.
    """

    program: Program
    operations: frozenset[Operation]
    file: str


def _at_exit(file: str, operations: Collection[Operation], *calls: str) -> tuple[Hook, ...]:
    return tuple(
        Hook(
            program=Program(name=f"on_{call}", kind="tracepoint", event=f"syscalls:sys_exit_{call}"),
            operations=frozenset(operations),
            file=f"probes/{file}.c",
        )
        for call in calls
    )


def _both_ends(call: str, name: str) -> tuple[Hook, ...]:
    """Of a call that reads one file and writes another: a program for each, as each can tell of one only."""
    ends = (("in", _O.READ), ("out", _O.WRITE))
    return tuple(
        Hook(
            program=Program(name=f"on_{name}_{end}", kind="tracepoint", event=f"syscalls:sys_exit_{call}"),
            operations=frozenset({operation}),
            file=_TRANSFER_FILE,
        )
        for end, operation in ends
    )


HOOKS: Final = (
    *_at_exit("open", _OPENING, "open", "openat", "openat2", "creat", "open_by_handle_at"),
    *_at_exit("transfer", {_O.READ}, "read", "pread64", "readv", "preadv", "preadv2"),
    *_at_exit("transfer", {_O.WRITE}, "write", "pwrite64", "writev", "pwritev", "pwritev2", "mmap"),
    *_at_exit("transfer", {_O.READ, _O.WRITE}, "close"),
    *_both_ends("sendfile64", "sendfile"),
    *_both_ends("splice", "splice"),
    *_both_ends("copy_file_range", "copy_file_range"),
    *_at_exit("name", {_O.CREATE}, "mknod", "mknodat"),
    *_at_exit("name", {_O.TRUNCATE}, "truncate", "ftruncate"),
    *_at_exit("name", {_O.MKDIR}, "mkdir", "mkdirat"),
    *_at_exit("name", {_O.RMDIR}, "rmdir"),
    *_at_exit("name", {_O.UNLINK}, "unlink"),
    *_at_exit("name", {_O.UNLINK, _O.RMDIR}, "unlinkat"),
    *_at_exit("name", {_O.RENAME}, "rename", "renameat", "renameat2"),
    *_at_exit("name", {_O.LINK}, "link", "linkat"),
    *_at_exit("name", {_O.SYMLINK}, "symlink", "symlinkat"),
    *_at_exit("name", {_O.CHMOD}, "chmod", "fchmod", "fchmodat", "fchmodat2"),
    *_at_exit("name", {_O.CHOWN}, "chown", "lchown", "fchown", "fchownat"),
    *_at_exit("name", {_O.UTIMES}, "utime", "utimes", "futimesat", "utimensat"),
    *_at_exit("name", {_O.SETXATTR}, "setxattr", "lsetxattr", "fsetxattr", "setxattrat"),
    *_at_exit("name", {_O.REMOVEXATTR}, "removexattr", "lremovexattr", "fremovexattr", "removexattrat"),
    *_at_exit("name", {_O.MOUNT}, "mount", "move_mount"),
    *_at_exit("name", {_O.UMOUNT}, "umount"),
    *_at_exit("exec", {_O.EXEC}, "execve", "execveat"),
    Hook(
        program=Program(name="on_executed", kind="tracepoint", event="sched:sched_process_exec"),
        operations=frozenset({_O.EXEC}),
        file="probes/exec.c",
    ),
)

PROCESSES: Final = (
    Program(name="on_fork", kind="raw_tracepoint", event="sched_process_fork"),
    Program(name="on_host_image", kind="behind_raw", event="behind_exec:0"),
    Program(name="on_exec_rest", kind="behind_raw", event="behind_exec:1"),
    Program(name="on_exec", kind="raw_tracepoint", event="sched_process_exec"),
    Program(name="on_exit", kind="raw_tracepoint", event="sched_process_exit"),
    *(
        Program(name="on_chdir", kind="tracepoint", event=f"syscalls:sys_exit_{call}")
        for call in ("chdir", "fchdir", "setns", "pivot_root")
    ),
)
"""Attached first: an exec's record comes before the event that tells of it."""

BEHIND: Final = tuple(
    Program(name=name, kind="behind", event=f"behind:{place}")
    for place, name in enumerate(("on_file", "on_name", "on_alias", "on_deliver"))
)
"""In the order of `BEHIND_` in `bpf/maps.h`."""

_SHARED: Final = (
    *("event.h", "maps.h", "kernel.h", "path.h", "classify.h", "name.h"),
    *("cgroup.h", "process.h", "call.h", "mark.h", "record.h", "room.h", "behind.h", "open.h"),
    *("probes/process.c", "probes/behind.c"),
)


def operations_of(plan: KernelPlan) -> frozenset[Operation]:
    """The operations that some rule of the plan asks for."""
    return frozenset(
        operation
        for operation in OPERATIONS
        if any(plan.selectors[operation.number * 8 : operation.number * 8 + 8])
    )


def hooks_for(operations: Collection[Operation]) -> tuple[Hook, ...]:
    """The hooks that are needed, as far as this kernel has them: some calls are newer."""
    return tuple(hook for hook in HOOKS if hook.operations & set(operations) and _exists(hook.program))


def programs_of(hooks: Collection[Hook]) -> tuple[Program, ...]:
    """All that is to be loaded, in the order in which it is attached."""
    return (*PROCESSES, *BEHIND, *(hook.program for hook in hooks))


def sums_transfers(hooks: Collection[Hook]) -> bool:
    """Whether they sum what is read and written."""
    return any(hook.file == _TRANSFER_FILE for hook in hooks)


def files_of(hooks: Collection[Hook]) -> tuple[str, ...]:
    """The main text, in its order."""
    probes = dict.fromkeys(hook.file for hook in hooks)
    return (*_SHARED, *(("transfer.h",) if sums_transfers(hooks) else ()), *probes)


def _exists(program: Program) -> bool:
    return (TRACEFS.target / "events" / Path(program.event.replace(":", "/"))).is_dir()
