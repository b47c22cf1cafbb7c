"""THE field table: every field that a rule can name, and where it lives.

One row says a field's Sigma name, its place in an ECS document, where `FileEvent` has it, its type, which
other names rules use for it (auditd's among them), which operations have it, and which dimension of the
kernel classifier can test it (`field.Field`). The documents that the engine writes and reads, the rule
compiler and the schemas all go by this table.

The last rows are computed: they say again what others say, in the words that rules look for (`computed`).
Rules use them like any other; documents need not carry them. What other tools' rules name and nobody can
provide here stands in `unprovided`.
"""

import difflib
import functools
from collections.abc import Iterator, Mapping
from typing import Final

from fileaudit_engine.events import computed
from fileaudit_engine.events.computed import command_line
from fileaudit_engine.events.field import Dimension, Field, FieldType, Provider, Value, spelled
from fileaudit_engine.events.log_source import LogSource
from fileaudit_engine.events.model import AccessMode, FileEvent, Operation
from fileaudit_engine.events.row import (
    access_mode_of,
    command_line_of,
    operation_of,
    outcome_of,
    parent_command_line_of,
)
from fileaudit_engine.events.row import computed_row as _computed
from fileaudit_engine.events.row import row as _row

__all__ = [
    "BY_NAME",
    "EXTRA",
    "FIELDS",
    "KEYWORD_FIELDS",
    "KEYWORD_IN_DOCUMENT",
    "OCTAL_IN_DOCUMENT",
    "WHOLE_EVENT",
    "Dimension",
    "Field",
    "FieldType",
    "LogSource",
    "Provider",
    "Value",
    "command_line",
    "nearest",
    "unlisted",
]


_K, _P, _L, _I, _B, _D = (
    FieldType.KEYWORD,
    FieldType.PATH,
    FieldType.PATHS,
    FieldType.INTEGER,
    FieldType.BOOLEAN,
    FieldType.DATE,
)
_TABLE, _NAMES, _RUNTIME, _HOST = (
    Provider.PROCESS_TABLE,
    Provider.ACCOUNTS,
    Provider.CONTAINER_RUNTIME,
    Provider.HOST,
)
_O: Final = Operation
_OPENING: Final = (_O.OPEN, _O.CREATE)
_DATA: Final = (_O.READ, _O.WRITE)
_ARGUMENTS_SHOWN: Final = 8
"""auditd's `a0` to `a7`; who needs more looks at `CommandLine`."""

FIELDS: Final[tuple[Field, ...]] = (
    _row("Operation", "event.action", "operation", _K, "What was done to the file.",
         get=operation_of, dimension=Dimension.OPERATION, values=tuple(o.value for o in Operation)),
    _row("Outcome", "event.outcome", "outcome", _K, "Whether the call succeeded.",
         get=outcome_of, dimension=Dimension.OUTCOME, values=("success", "failure")),
    _row("UtcTime", "@timestamp", "ts_ns", _D, "When the call returned, in UTC."),
    _row("Clock", "fileaudit.clock", "clock", _K, "Where the time is from: boottime+realtime is the kernel's"
         " boot clock and its distance to the host's real time, measured every second.", provider=_HOST),

    # The file
    _row("TargetFilename", "file.path", "path", _P, "The file: absolute and resolved by the kernel.",
         aliases=("FileName", "ObjectName", "name"), dimension=Dimension.PATH),
    _row("AskedFilename", "fileaudit.asked_path", "asked_path", _P, "The file name that the caller passed."),
    _row("ContainerFilename", "fileaudit.container_path", "container_path", _P,
         "The file as it is called inside the container.", provider=_RUNTIME),
    _row("AliasFilename", "fileaudit.alias_path", "alias_path", _P,
         "Another name by which the file was reached: of a hard link or a bind mount."),
    _row("SourceFilename", "fileaudit.source_path", "source_path", _P,
         "The name that a renamed file had; the file that a link gives another name.",
         aliases=("OldFilename", "PreviousFileName"), operations=(_O.RENAME, _O.LINK),
         dimension=Dimension.SOURCE),
    _row("AskedSourceFilename", "fileaudit.asked_source_path", "asked_source_path", _P,
         "The old name as the caller passed it.", operations=(_O.RENAME, _O.LINK)),
    _row("LinkTarget", "file.target_path", "link_target", _P, "The text of a symbolic link that is made.",
         operations=(_O.SYMLINK,)),
    _row("AccessMode", "fileaudit.access_mode", "access_mode", _K,
         "What the file was opened for; read_write counts as read and as write.", get=access_mode_of,
         dimension=Dimension.ACCESS, values=tuple(m.value for m in AccessMode), operations=_OPENING + _DATA),
    _row("OpenFlags", "fileaudit.flags", "flags", _I, "The call's flags as the kernel numbers them."),
    _row("Errno", "fileaudit.errno", "errno", _I, "Error number of the call, 0 on success."),
    _row("Result", "fileaudit.result", "result", _I, "Return value of the call.", aliases=("exit",)),
    _row("Syscall", "fileaudit.syscall", "syscall", _K, "Name of the system call.",
         aliases=("SYSCALL", "syscall")),
    _row("PathState", "fileaudit.path_state", "path_state", _I, "Bits that say how the path was resolved."),
    _row("Inode", "file.inode", "inode", _I, "Inode number of the file.", aliases=("inode",)),
    _row("Device", "file.device", "device", _I, "Device of the file, in the kernel's encoding."),
    _row("FileMode", "file.mode", "mode", _I, "Type and permission bits of the file."),
    _row("NewMode", "fileaudit.new_mode", "new_mode", _I, "Permission bits that a chmod asks for.",
         operations=(_O.CHMOD,)),
    _row("FileSize", "file.size", "size_bytes", _I, "Size of the file in bytes."),
    _row("NewSize", "fileaudit.new_size", "new_size_bytes", _I, "Size that a truncate asks for, in bytes.",
         operations=(_O.TRUNCATE,)),
    _row("FileOwner", "file.owner", "owner_name", _K, "Name of the file's owner; of a chown, before it.",
         provider=_NAMES),
    _row("FileOwnerId", "file.uid", "owner_id", _I, "User id of the file's owner; of a chown, before it.",
         aliases=("ouid",)),
    _row("FileGroup", "file.group", "owner_group_name", _K,
         "Name of the file's group; of a chown, before it.", provider=_NAMES),
    _row("FileGroupId", "file.gid", "owner_group_id", _I, "Id of the file's group; of a chown, before it.",
         aliases=("ogid",)),
    _row("NewOwner", "fileaudit.new_owner.name", "new_owner_name", _K,
         "Name of the owner that a chown asks for.", provider=_NAMES, operations=(_O.CHOWN,)),
    _row("NewOwnerId", "fileaudit.new_owner.id", "new_owner_id", _I,
         "User id of the owner that a chown asks for.", operations=(_O.CHOWN,)),
    _row("NewGroup", "fileaudit.new_group.name", "new_owner_group_name", _K,
         "Name of the group that a chown asks for.", provider=_NAMES, operations=(_O.CHOWN,)),
    _row("NewGroupId", "fileaudit.new_group.id", "new_owner_group_id", _I,
         "Id of the group that a chown asks for.", operations=(_O.CHOWN,)),
    _row("NewAccessTime", "fileaudit.new_accessed", "new_accessed_ns", _D,
         "Time of access that the caller gives the file.", operations=(_O.UTIMES,)),
    _row("NewModificationTime", "fileaudit.new_modified", "new_modified_ns", _D,
         "Time of modification that the caller gives the file.", operations=(_O.UTIMES,)),
    _row("AttributeName", "fileaudit.attribute_name", "attribute_name", _P,
         "The extended attribute, with its namespace.", operations=(_O.SETXATTR, _O.REMOVEXATTR)),
    _row("Bytes", "fileaudit.bytes", "transferred_bytes", _I, "Bytes that were read or written.",
         operations=_DATA),
    _row("Calls", "fileaudit.calls", "transfer_calls", _I, "Calls that read or wrote them.",
         operations=_DATA),
    _row("MountSource", "fileaudit.mount.source", "mount_source", _P, "What is mounted.",
         operations=(_O.MOUNT,)),
    _row("FileSystem", "fileaudit.mount.type", "file_system", _K, "Type of the mounted file system.",
         aliases=("FileSystemType",), operations=(_O.MOUNT,)),

    # The process and where it comes from
    _row("ProcessId", "process.pid", "process.pid", _I, "Process id.", aliases=("pid",),
         dimension=Dimension.PROCESS),
    _row("ThreadId", "process.thread.id", "thread_id", _I, "Thread id."),
    _row("ProcessName", "process.name", "process.name", _P, "The kernel's name of the process (comm).",
         aliases=("comm",), provider=_TABLE, dimension=Dimension.COMM),
    _row("Image", "process.executable", "process.executable", _P, "Resolved path of the program.",
         aliases=("exe",), provider=_TABLE),
    _row("CommandLine", "process.command_line", "process.args", _P, "Arguments, joined by spaces.",
         aliases=("proctitle",), get=command_line_of, provider=_TABLE),
    _row("Arguments", "process.args", "process.args", _L, "Arguments, one by one.", provider=_TABLE),
    _row("ArgumentsTruncated", "fileaudit.args_truncated", "process.args_truncated", _B,
         "Whether arguments were cut off.", provider=_TABLE),
    _row("CurrentDirectory", "process.working_directory", "working_directory", _P,
         "Working directory of the thread.", aliases=("cwd",)),
    _row("ProcessStart", "fileaudit.process_start_ns", "process.start_ns", _I,
         "Start of the process on the boot clock, nanoseconds."),
    _row("ParentProcessId", "process.parent.pid", "process.parent_pid", _I, "Process id of the parent.",
         aliases=("ppid",)),
    _row("ParentImage", "process.parent.executable", "process.parent.executable", _P,
         "Resolved path of the parent's program.", provider=_TABLE),
    _row("ParentProcessName", "process.parent.name", "process.parent.name", _P,
         "The kernel's name of the parent (comm).", provider=_TABLE),
    _row("ParentCommandLine", "process.parent.command_line", "process.parent.args", _P,
         "Arguments of the parent, joined by spaces.", get=parent_command_line_of, provider=_TABLE),
    _row("ParentArguments", "process.parent.args", "process.parent.args", _L, "Arguments of the parent.",
         provider=_TABLE),

    # Users, groups and logins
    _row("User", "user.name", "user_name", _K, "Name of the real user.", provider=_NAMES,
         dimension=Dimension.USER_NAME),
    _row("UserId", "user.id", "user_id", _I, "Real user id.", aliases=("uid",),
         dimension=Dimension.USER_ID),
    _row("Group", "user.group.name", "group_name", _K, "Name of the real group.", provider=_NAMES),
    _row("GroupId", "user.group.id", "group_id", _I, "Real group id.", aliases=("gid",)),
    _row("EffectiveUser", "user.effective.name", "effective_user_name", _K, "Name of the effective user.",
         provider=_NAMES),
    _row("EffectiveUserId", "user.effective.id", "effective_user_id", _I, "Effective user id.",
         aliases=("EUID", "euid")),
    _row("EffectiveGroup", "user.effective.group.name", "effective_group_name", _K,
         "Name of the effective group.", provider=_NAMES),
    _row("EffectiveGroupId", "user.effective.group.id", "effective_group_id", _I, "Effective group id.",
         aliases=("EGID", "egid")),
    _row("LoginUser", "fileaudit.login_user.name", "login_user_name", _K, "Name of the user who logged in.",
         provider=_NAMES),
    _row("LoginUserId", "fileaudit.login_user.id", "login_user_id", _I, "Id of the user who logged in.",
         aliases=("LogonId", "AUID", "auid")),
    _row("SessionId", "fileaudit.session_id", "session_id", _I, "Audit session of the login.",
         aliases=("TerminalSessionId", "ses")),

    # Container and host
    _row("CgroupId", "fileaudit.cgroup_id", "cgroup_id", _I, "Cgroup v2 id of the thread."),
    _row("ContainerId", "container.id", "container.id", _K, "The container runtime's id.",
         provider=_RUNTIME),
    _row("ContainerName", "container.name", "container.name", _K, "Name of the container.",
         provider=_RUNTIME),
    _row("ContainerImage", "container.image.name", "container.image", _K, "Image of the container.",
         provider=_RUNTIME),
    _row("ContainerRuntime", "container.runtime", "container.runtime", _K, "What runs the container.",
         provider=_RUNTIME),
    _row("PodName", "orchestrator.resource.name", "container.pod", _K, "The Kubernetes pod.",
         provider=_RUNTIME),
    _row("PodNamespace", "orchestrator.namespace", "container.namespace", _K,
         "Namespace of the Kubernetes pod.", provider=_RUNTIME),
    _row("Hostname", "host.name", "host_name", _K, "Name of the host.", aliases=("Computer", "node"),
         provider=_HOST),
    _row("HostId", "host.id", "host_id", _K, "Machine id of the host.", provider=_HOST),

    # What follows from the rows above
    _computed("FileBaseName", "file.name", _P, "The last component of the path.", computed.file_name),
    _computed("FileDirectory", "file.directory", _P, "The path without its last component.",
              computed.file_directory),
    _computed("FileExtension", "file.extension", _P, "What follows the last full stop of the name.",
              computed.file_extension),
    _computed("FileType", "file.type", _K, "What kind of file it is.", computed.file_type,
              values=tuple(computed.FILE_TYPES.values())),
    _computed("Permissions", "fileaudit.permissions", _K, "Permission bits in four octal digits.",
              computed.permissions),
    _computed("NewPermissions", "fileaudit.new_permissions", _K,
              "Permission bits that a chmod asks for, in four octal digits.", computed.new_permissions,
              operations=(_O.CHMOD,)),
    _computed("ErrorName", "fileaudit.errno_name", _K, "Name of the error, such as EACCES.",
              computed.error_name),
    _computed("OpenFlagNames", "fileaudit.flags_names", _L, "Flags of an open by name, such as O_CREAT.",
              computed.open_flags, operations=_OPENING),
    _computed("GrandParentImage", "fileaudit.grandparent.executable", _P,
              "Resolved path of the program of the parent's parent.", computed.grandparent_image),
    _computed("AncestorImages", "fileaudit.ancestry.executables", _L,
              "Resolved paths of the programs of all ancestors, the parent's first.",
              computed.ancestor_images),
    _computed("AncestorProcessNames", "fileaudit.ancestry.names", _L,
              "The kernel's names of all ancestors, the parent's first.", computed.ancestor_names),
    _computed("ArgumentCount", "process.args_count", _I, "How many arguments there are.",
              computed.argument_count, aliases=("argc",)),

    # The same in the words of auditd's records
    _computed("type", "fileaudit.auditd.type", _L, "Types of the records that auditd would write of it.",
              computed.record_types, values=computed.RECORD_TYPES),
    _computed("nametype", "fileaudit.auditd.nametype", _K, "What becomes of the file's name.",
              computed.name_type, values=("NORMAL", "CREATE", "DELETE")),
    _computed("success", "fileaudit.auditd.success", _K, "Whether the call succeeded: yes or no.",
              computed.success, values=("yes", "no")),
    _computed("dev", "fileaudit.auditd.dev", _K, "Major and minor number of the device, in hexadecimal.",
              computed.device_numbers),
    _computed("mode", "fileaudit.auditd.mode", _K, "Type and permission bits, in octal digits.",
              computed.octal_mode),
    *(_computed(f"a{index}", f"fileaudit.auditd.a{index}", _P,
                f"Argument number {index} of a program that is started.", computed.argument(index),
                operations=(_O.EXEC,))
      for index in range(_ARGUMENTS_SHOWN)),
)  # fmt: skip

KEYWORD_IN_DOCUMENT: Final = frozenset(
    {"Inode", "UserId", "GroupId", "EffectiveUserId", "EffectiveGroupId", "LoginUserId", "SessionId"}
    | {"FileOwnerId", "FileGroupId", "NewOwnerId", "NewGroupId"}
)
"""Integers that ECS maps as keywords, and that documents therefore carry as strings of digits."""

OCTAL_IN_DOCUMENT: Final = frozenset({"FileMode", "NewMode"})
"""Integers that documents carry as four or more octal digits, as ECS does with `file.mode`."""


def _index() -> Mapping[str, Field]:
    names = {}
    for field in FIELDS:
        for name in (field.name, field.ecs, *field.aliases):
            if name in names:
                raise AssertionError(f"two fields are called {name}")
            names[name] = field
    return names


BY_NAME: Final[Mapping[str, Field]] = _index()
"""Every field by its Sigma name, its ECS name and its aliases."""


@functools.lru_cache(maxsize=1024)
def unlisted(name: str) -> Field:
    """A row for a field that the table does not know and that the user allowed: read from `extra`."""

    def get(event: FileEvent) -> Value:
        return _as_value((event.extra or {}).get(name))

    return Field(
        name=name,
        ecs=name,
        attribute="extra",
        type=FieldType.KEYWORD,
        get=get,
        meaning="A field that only the user knows.",
    )


def _as_value(found: object) -> Value:
    """Anything that JSON can hold as rules see it; objects are no value."""
    match found:
        case None | str() | bool() | int():
            return found
        case float():
            return repr(found)
        case list() | tuple():
            return tuple(map(spelled, filter(_is_scalar, found)))
        case _:
            return None


def _is_scalar(found: object) -> bool:
    return isinstance(found, str | int | float)


def _extra_texts(event: FileEvent) -> Value:
    """Every text and number among the fields that only the user knows, however deep."""
    return tuple(_texts_in(event.extra)) if event.extra else None


def _texts_in(found: object) -> Iterator[str]:
    match found:
        case bool():
            return
        case str():
            yield found
        case int() | float():
            yield repr(found)
        case dict():
            for member in found.values():
                yield from _texts_in(member)
        case list() | tuple():
            for member in found:
                yield from _texts_in(member)


EXTRA: Final = Field(
    name="",
    ecs="fileaudit.extra",
    attribute="extra",
    type=FieldType.PATHS,
    get=_extra_texts,
    meaning="All fields that only the user knows.",
)
"""For keyword searches; no rule can name it."""

KEYWORD_FIELDS: Final = (
    *(
        row
        for row in FIELDS
        if row.type in {FieldType.KEYWORD, FieldType.PATH, FieldType.INTEGER}
        and not row.computed
        and row.attribute != "clock"
    ),
    EXTRA,
)
"""What a keyword search looks at. Computed fields say what stands in others, and lists of arguments are there
as the command lines that they make; a truth value or a time is no word, nor is the clock of all events."""


_KEYWORD_GETTERS: Final = tuple(row.get for row in KEYWORD_FIELDS)


def _everything(event: FileEvent) -> Value:
    texts: list[str] = []
    for get in _KEYWORD_GETTERS:
        value = get(event)
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, tuple):
            texts += value
        elif value is not None:
            texts.append(str(int(value)))  # digits only, even of flags that would say their names
    return tuple(texts)


WHOLE_EVENT: Final = Field(
    name="",
    ecs="",
    attribute="",
    type=FieldType.PATHS,
    get=_everything,
    meaning="Any field of the event.",
)
"""What a detection item without a field name is about: true of an event if it is true of any of the texts."""


_LONGEST_NAME: Final = 60
"""Characters of a name that are looked at: no field's is half as long."""


def nearest(name: str) -> str | None:
    """The known name that `name` was most likely meant to be; upper and lower case count least."""
    return _nearest(name[:_LONGEST_NAME])


@functools.lru_cache(maxsize=1024)
def _nearest(name: str) -> str | None:
    """As `nearest`; a file that has one unknown field has it in every line."""
    lowered = {known.lower(): known for known in reversed(tuple(BY_NAME))}
    exact = lowered.get(name.lower())
    close = (exact,) if exact else difflib.get_close_matches(name, BY_NAME, n=1)
    return close[0] if close else None
