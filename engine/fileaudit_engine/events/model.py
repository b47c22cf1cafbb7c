"""The one shape that a file event has, from the capture to the alert.

Values are what the kernel says, in the kernel's units; names of users and images are filled in by whoever
completes the event. Text is in memory as `fileaudit_engine.text` describes it (bytes survive). Attributes
that a source does not know are `None`, and a rule then sees the field as absent.

The enumerations' numbers are part of the kernel ABI (`bpf/event.h`); their string values are what rules and
documents say.
"""

import enum
from typing import Final

import msgspec


class Operation(str, enum.Enum):
    """What was done to a file. `number` is the kernel's code for it in `bpf/event.h`."""

    OPEN = "open"
    CREATE = "create"
    READ = "read"
    WRITE = "write"
    TRUNCATE = "truncate"
    MKDIR = "mkdir"
    RMDIR = "rmdir"
    UNLINK = "unlink"
    RENAME = "rename"
    LINK = "link"
    SYMLINK = "symlink"
    CHMOD = "chmod"
    CHOWN = "chown"
    UTIMES = "utimes"
    SETXATTR = "setxattr"
    REMOVEXATTR = "removexattr"
    MOUNT = "mount"
    UMOUNT = "umount"
    EXEC = "exec"

    @property
    def number(self) -> int:
        """Position in the kernel's enumeration, from 0; at most 31."""
        return _OPERATION_NUMBER[self]


class AccessMode(str, enum.Enum):
    """What an open file may be used for: the kernel's O_ACCMODE, with O_PATH as a mode of its own.

    Who empties a file (O_TRUNC) writes it: `read` with that flag is `read_write`, which counts as both: a
    rule that asks for `read` or for `write` sees it (`modes`).
    """

    READ = "read"
    WRITE = "write"
    READ_WRITE = "read_write"
    PATH = "path"

    @property
    def number(self) -> int:
        """Code in the kernel ABI, 0 to 3."""
        return _ACCESS_NUMBER[self]

    @property
    def modes(self) -> tuple[str, ...]:
        """The values that a rule's `AccessMode` is compared with."""
        return _ACCESS_MODES[self]


class Outcome(str, enum.Enum):
    """Whether the call did what was asked; ECS `event.outcome`."""

    SUCCESS = "success"
    FAILURE = "failure"

    @property
    def number(self) -> int:
        """Code in the kernel ABI: 0 success, 1 failure."""
        return 0 if self is Outcome.SUCCESS else 1


_OPERATION_NUMBER = {operation: number for number, operation in enumerate(Operation)}
_ACCESS_NUMBER = {mode: number for number, mode in enumerate(AccessMode)}
_ACCESS_MODES = {
    AccessMode.READ: ("read",),
    AccessMode.WRITE: ("write",),
    AccessMode.READ_WRITE: ("read_write", "read", "write"),
    AccessMode.PATH: ("path",),
}
OPERATIONS = tuple(Operation)
ACCESS_MODES = tuple(AccessMode)


class PathState(enum.IntFlag):
    """What is to be known about an event's path; the numbers are ABI."""

    RESOLVED = 0
    """The kernel's own path of the file, whole."""
    TRUNCATED = 1
    """Too long or too deep: only the end is there."""
    UNRESOLVED = 2
    """What the caller asked for, made absolute; links in it were not followed by the kernel."""
    FOLLOWED = 4
    """Unresolved by the kernel; user space followed the links afterwards."""
    DELETED = 8
    """The file had no name any more."""
    UNREACHABLE = 16
    """The walk ended at a root that is not the host's (another mount namespace, a detached mount)."""
    FOREIGN = 32
    """In a mount namespace that an ordinary user may have made: there any file can have any name."""


LIVE_CLOCK: Final = "boottime+realtime"
"""The clock of live events: the kernel's boot clock (CLOCK_BOOTTIME, which goes on in a suspend and is never
set) when the call ended, plus its distance to the host's real time (CLOCK_REALTIME, which NTP keeps), which
is measured every second: within one, events keep order and distance whatever sets the host's clock."""


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A process as its exec record tells it; shared by all its events.

    Attributes:
        pid: Process id (the kernel's tgid) in the host's namespace.
        start_ns: Start on the boot clock; with `pid` it identifies the process for ever.
        executable: Resolved path of the image; where an ordinary user may have given it that name in a
            mount namespace of his own, below `/proc/PID/root`, so that no rule takes it for the host's.
        image_inode: Inode number of the image's file; tells two images apart when a record was lost.
        args: The arguments, at most as many bytes as `bpf/process.h` keeps.
        args_truncated: Whether arguments were cut off.
        name: The kernel's comm, at most 15 bytes.
        parent_pid: The parent's id, known even where `parent` is not.
        parent: The parent, as it was when the process was made.
    """

    pid: int
    start_ns: int | None = None
    executable: str | None = None
    image_inode: int | None = None
    args: tuple[str, ...] | None = None
    args_truncated: bool = False
    name: str | None = None
    parent_pid: int | None = None
    parent: "Process | None" = None


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """The container that a process runs in; shared by all its events.

    Attributes:
        id: The runtime's id, 64 hexadecimal digits with most.
        name: The runtime's name for it.
        image: The name of its image.
        runtime: `docker`, `containerd`, `crio`, `podman`.
        pod: The Kubernetes pod that it belongs to; `namespace` is the pod's.
    """

    id: str | None = None
    name: str | None = None
    image: str | None = None
    runtime: str | None = None
    pod: str | None = None
    namespace: str | None = None


class FileEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One operation on one file.

    What only some operations have stands below `clock`: None for all others.

    Attributes:
        ts_ns: When the call returned, nanoseconds since the Unix epoch.
        operation: What was done.
        syscall: The system call's name, such as `openat2`.
        path: The file: absolute, resolved, in the host's mount namespace; see `path_state`.
        asked_path: What the caller passed, untouched.
        path_state: What is to be known about `path`.
        flags: The call's flags (`O_…` for opens), as the kernel numbers them.
        access_mode: For opens.
        errno: 0 on success, else the positive error number.
        result: The call's return value.
        inode: Inode number of the file.
        device: Its device, in the kernel's encoding (major << 20 | minor).
        mode: Its type and permission bits (`st_mode`).
        thread_id: The thread that made the call.
        user_id: Real user; `group_id`, `effective_user_id`, `effective_group_id` likewise.
        login_user_id: Who logged in (auid); None where nobody did.
        session_id: The audit session; None where there is none.
        cgroup_id: The cgroup v2 id of the thread.
        user_name: Name of `user_id`; `group_name` and `login_user_name` likewise.
        effective_user_name: Name of `effective_user_id`; `effective_group_name` likewise.
        working_directory: Of the thread when it made the call; absolute and resolved.
        container_path: The file as it is called inside the container of its process, or in any other mount
            namespace than the host's.
        alias_path: Another name of the file, by which it was reached, where `path` is the one that rules
            know: of a hard link or a bind mount, the name in use.
        owner_id: Owner of the file; `owner_group_id` is its group, `owner_name` and `owner_group_name` are
            their names. Of a chown: before it.
        size_bytes: Size of the file.
        host_name: Where it happened, if the source says so.
        host_id: The host's machine id, likewise.
        clock: Where `ts_ns` comes from, if the source says so: `LIVE_CLOCK`.
        source_path: Of a rename, the name that the file had; of a link, the file that got another name.
        asked_source_path: The same as the caller passed it.
        link_target: Of a symbolic link that is made, the text that it holds.
        new_mode: Of a chmod, the permission bits that were asked for; `mode` has those before it.
        new_owner_id: Of a chown, the owner that was asked for; None where he stays. `new_owner_group_id`
            likewise; `new_owner_name` and `new_owner_group_name` are their names.
        new_accessed_ns: Of a utimes, the time of access that was asked for, nanoseconds since the Unix
            epoch, the nearest that documents can say (1970 to 2262); `new_modified_ns` is the time of
            modification.
        new_size_bytes: Of a truncate, the size that was asked for.
        attribute_name: Of a change of extended attributes, the attribute with its namespace.
        transferred_bytes: What was read, or written, since the last event of this kind for the same process
            and file; `transfer_calls` is by how many calls.
        mount_source: Of a mount, what was mounted, as the caller passed it.
        file_system: Of a mount, the type of file system.
        process: Who did it.
        container: Where the process runs; None outside of containers.
        extra: Fields that the table does not know, kept only when the user allowed them.
    """

    ts_ns: int
    operation: Operation
    process: Process
    syscall: str | None = None
    path: str | None = None
    asked_path: str | None = None
    path_state: PathState = PathState.RESOLVED
    flags: int | None = None
    access_mode: AccessMode | None = None
    errno: int = 0
    result: int | None = None
    inode: int | None = None
    device: int | None = None
    mode: int | None = None
    thread_id: int | None = None
    user_id: int | None = None
    group_id: int | None = None
    effective_user_id: int | None = None
    effective_group_id: int | None = None
    login_user_id: int | None = None
    session_id: int | None = None
    cgroup_id: int | None = None
    user_name: str | None = None
    group_name: str | None = None
    login_user_name: str | None = None
    effective_user_name: str | None = None
    effective_group_name: str | None = None
    working_directory: str | None = None
    container_path: str | None = None
    alias_path: str | None = None
    owner_id: int | None = None
    owner_group_id: int | None = None
    owner_name: str | None = None
    owner_group_name: str | None = None
    size_bytes: int | None = None
    container: Container | None = None
    host_name: str | None = None
    host_id: str | None = None
    clock: str | None = None
    source_path: str | None = None
    asked_source_path: str | None = None
    link_target: str | None = None
    new_mode: int | None = None
    new_owner_id: int | None = None
    new_owner_group_id: int | None = None
    new_owner_name: str | None = None
    new_owner_group_name: str | None = None
    new_accessed_ns: int | None = None
    new_modified_ns: int | None = None
    new_size_bytes: int | None = None
    attribute_name: str | None = None
    transferred_bytes: int | None = None
    transfer_calls: int | None = None
    mount_source: str | None = None
    file_system: str | None = None
    extra: dict[str, object] | None = None

    @property
    def outcome(self) -> Outcome:
        """Success unless there is an errno."""
        return Outcome.FAILURE if self.errno else Outcome.SUCCESS


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """Events that were dropped, as an event of its own.

    Attributes:
        first_ns: Nothing was lost before, nanoseconds since the Unix epoch.
        last_ns: The counters were read then.
        counts: How many, by what (an operation's name, or `process` for records of the process table).
    """

    first_ns: int
    last_ns: int
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """All that was lost."""
        return sum(self.counts.values())
