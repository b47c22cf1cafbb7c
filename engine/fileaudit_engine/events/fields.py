"""THE field table: every field that a rule can name, and where it lives.

One row says a field's Sigma name, its place in an ECS document, where `FileEvent` has it, its type, which
other names rules use for it, and which dimension of the kernel classifier can test it. The documents that
the engine writes and reads, the rule compiler and the schemas all go by this table.
"""

import difflib
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from fileaudit_engine.events.field import Dimension, Field, FieldType, Value
from fileaudit_engine.events.log_source import LogSource
from fileaudit_engine.events.model import AccessMode, FileEvent, Operation

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
    "Value",
    "command_line",
    "nearest",
    "unlisted",
]

def _reader(attribute: str) -> Callable[[FileEvent], Value]:
    """A function that reads a dotted attribute, None where something on the way is None."""
    head, _, rest = attribute.rpartition(".")
    if head != "process.parent":
        return operator.attrgetter(attribute)

    def of_parent(event: FileEvent) -> Value:
        parent = event.process.parent
        return None if parent is None else getattr(parent, rest)

    return of_parent


def _operation(event: FileEvent) -> Value:
    return event.operation.value


def _access_mode(event: FileEvent) -> Value:
    return event.access_mode.modes if event.access_mode else None


def _outcome(event: FileEvent) -> Value:
    return event.outcome.value


def command_line(args: tuple[str, ...] | None) -> str | None:
    """The arguments as one text, joined by single spaces: what Sigma's `CommandLine` is on Linux."""
    return None if args is None else " ".join(args)


def _command_line(event: FileEvent) -> Value:
    return command_line(event.process.args)


def _parent_command_line(event: FileEvent) -> Value:
    parent = event.process.parent
    return None if parent is None else command_line(parent.args)


def _row(  # noqa: PLR0913 - one argument a column
    name: str,
    ecs: str,
    attribute: str,
    kind: FieldType,
    meaning: str,
    *,
    aliases: tuple[str, ...] = (),
    get: Callable[[FileEvent], Value] | None = None,
    dimension: Dimension | None = None,
    values: tuple[str, ...] = (),
) -> Field:
    return Field(
        name=name,
        ecs=ecs,
        attribute=attribute,
        type=kind,
        get=get or _reader(attribute),
        meaning=meaning,
        aliases=aliases,
        dimension=dimension,
        values=values,
    )


_K, _P, _L, _I, _B = (
    FieldType.KEYWORD,
    FieldType.PATH,
    FieldType.PATHS,
    FieldType.INTEGER,
    FieldType.BOOLEAN,
)

FIELDS: Final[tuple[Field, ...]] = (
    _row("Operation", "event.action", "operation", _K, "What was done to the file.",
         get=_operation, dimension=Dimension.OPERATION, values=tuple(o.value for o in Operation)),
    _row("Outcome", "event.outcome", "outcome", _K, "Whether the call succeeded.",
         get=_outcome, dimension=Dimension.OUTCOME, values=("success", "failure")),
    _row("TargetFilename", "file.path", "path", _P, "The file: absolute and resolved by the kernel.",
         aliases=("FileName", "ObjectName"), dimension=Dimension.PATH),
    _row("AskedFilename", "fileaudit.asked_path", "asked_path", _P, "The file name that the caller passed."),
    _row("AccessMode", "fileaudit.access_mode", "access_mode", _K,
         "What the file was opened for; read_write counts as read and as write.",
         get=_access_mode, dimension=Dimension.ACCESS, values=tuple(m.value for m in AccessMode)),
    _row("OpenFlags", "fileaudit.flags", "flags", _I, "The call's flags as the kernel numbers them."),
    _row("Errno", "fileaudit.errno", "errno", _I, "Error number of the call, 0 on success."),
    _row("Result", "fileaudit.result", "result", _I, "Return value of the call."),
    _row("Syscall", "fileaudit.syscall", "syscall", _K, "Name of the system call."),
    _row("PathState", "fileaudit.path_state", "path_state", _I, "Bits that say how the path was resolved."),
    _row("Inode", "file.inode", "inode", _I, "Inode number of the file."),
    _row("Device", "file.device", "device", _I, "Device of the file, in the kernel's encoding."),
    _row("FileMode", "file.mode", "mode", _I, "Type and permission bits of the file."),
    _row("ProcessId", "process.pid", "process.pid", _I, "Process id."),
    _row("ThreadId", "process.thread.id", "thread_id", _I, "Thread id."),
    _row("ProcessName", "process.name", "process.name", _P, "The kernel's name of the process (comm)."),
    _row("Image", "process.executable", "process.executable", _P, "Resolved path of the program."),
    _row("CommandLine", "process.command_line", "process.args", _P, "Arguments, joined by spaces.",
         get=_command_line),
    _row("Arguments", "process.args", "process.args", _L, "Arguments, one by one."),
    _row("ArgumentsTruncated", "fileaudit.args_truncated", "process.args_truncated", _B,
         "Whether arguments were cut off."),
    _row("ProcessStart", "fileaudit.process_start_ns", "process.start_ns", _I,
         "Start of the process on the boot clock, nanoseconds."),
    _row("ParentProcessId", "process.parent.pid", "process.parent_pid", _I, "Process id of the parent."),
    _row("ParentImage", "process.parent.executable", "process.parent.executable", _P,
         "Resolved path of the parent's program."),
    _row("ParentProcessName", "process.parent.name", "process.parent.name", _P,
         "The kernel's name of the parent (comm)."),
    _row("ParentCommandLine", "process.parent.command_line", "process.parent.args", _P,
         "Arguments of the parent, joined by spaces.", get=_parent_command_line),
    _row("ParentArguments", "process.parent.args", "process.parent.args", _L, "Arguments of the parent."),
    _row("User", "user.name", "user_name", _K, "Name of the real user."),
    _row("UserId", "user.id", "user_id", _I, "Real user id."),
    _row("Group", "user.group.name", "group_name", _K, "Name of the real group."),
    _row("GroupId", "user.group.id", "group_id", _I, "Real group id."),
    _row("EffectiveUserId", "user.effective.id", "effective_user_id", _I, "Effective user id.",
         aliases=("EUID",)),
    _row("EffectiveGroupId", "user.effective.group.id", "effective_group_id", _I, "Effective group id.",
         aliases=("EGID",)),
    _row("LoginUser", "fileaudit.login_user.name", "login_user_name", _K, "Name of the user who logged in."),
    _row("LoginUserId", "fileaudit.login_user.id", "login_user_id", _I, "Id of the user who logged in.",
         aliases=("LogonId", "AUID")),
    _row("SessionId", "fileaudit.session_id", "session_id", _I, "Audit session of the login."),
    _row("CgroupId", "fileaudit.cgroup_id", "cgroup_id", _I, "Cgroup v2 id of the thread."),
    _row("Hostname", "host.name", "host_name", _K, "Name of the host.", aliases=("Computer",)),
)  # fmt: skip

KEYWORD_IN_DOCUMENT: Final = frozenset(
    {"Inode", "UserId", "GroupId", "EffectiveUserId", "EffectiveGroupId", "LoginUserId", "SessionId"}
)
"""Integers that ECS maps as keywords, and that documents therefore carry as strings of digits."""

OCTAL_IN_DOCUMENT: Final = frozenset({"FileMode"})
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
            return tuple(str(member) for member in found if isinstance(member, (str, int, float)))
        case _:
            return None


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
    *(row for row in FIELDS if row.type in {FieldType.KEYWORD, FieldType.PATH, FieldType.INTEGER}),
    EXTRA,
)
"""What a keyword search looks at. Lists of arguments are there as the command lines that they make; a truth
value or a time is no word."""


def _everything(event: FileEvent) -> Value:
    return tuple(_texts_in([row.get(event) for row in KEYWORD_FIELDS]))


WHOLE_EVENT: Final = Field(
    name="",
    ecs="",
    attribute="",
    type=FieldType.PATHS,
    get=_everything,
    meaning="Any field of the event.",
)
"""What a detection item without a field name is about: true of an event if it is true of any of the texts."""


def nearest(name: str) -> str | None:
    """The known Sigma name that `name` was most likely meant to be."""
    lowered = {field.name.lower(): field.name for field in FIELDS}
    if name.lower() in lowered:
        return lowered[name.lower()]
    found = difflib.get_close_matches(name, BY_NAME, n=1)
    return found[0] if found else None
