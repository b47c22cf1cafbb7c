"""The parts of documents that many events share.

What a document says of a process is the same in all its events, and so it is with users, with owners of files
and with kinds of calls. Each part is written once, by the field table, and remembered; a flood of events is
mostly four look-ups and a copy of the objects at the top. What is inside of a part is never changed.
"""

import operator
from collections.abc import Callable, Iterator
from typing import Any, Final

from fileaudit_engine.events.call_flags import call_flag_names
from fileaudit_engine.events.fields import FIELDS, KEYWORD_IN_DOCUMENT, OCTAL_IN_DOCUMENT, Field, FieldType
from fileaudit_engine.events.flags import errno_name
from fileaudit_engine.events.memo import ByFacts, ByIdentity
from fileaudit_engine.events.model import AccessMode, Container, FileEvent, Operation, Process
from fileaudit_engine.events.objects import Document, Part, add, merge
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.text import to_document

TIME: Final = "@timestamp"

_TYPES: Final = {
    **dict.fromkeys((Operation.CREATE, Operation.MKDIR, Operation.LINK, Operation.SYMLINK), ("creation",)),
    **dict.fromkeys((Operation.UNLINK, Operation.RMDIR), ("deletion",)),
    Operation.READ: ("access",),
    Operation.EXEC: ("access", "start"),
}
"""`event.type` by operation; an open has it by its access mode, whatever is not here is a change."""

_OPEN_TYPES: Final = {
    AccessMode.WRITE: ("change",),
    AccessMode.READ_WRITE: ("access", "change"),
}
_NOBODY: Final = Process(pid=0)
"""Of events that are made to write down something else."""


def shared_part(event: FileEvent) -> Part:
    """What follows from call, process, user and owner: the same for nearly all events of a flood."""
    call, process = _call_part(event), _process_part(event.process)
    user, owner = _user_part(event), _owner_part(event)
    key = id(call), id(process), id(user), id(owner)
    found = _SHARED.get(key)
    if found is not None:
        return found[0]
    if len(_SHARED) >= _KEPT:
        _SHARED.clear()
    part: Part = {}
    parts = call, process, user, owner
    for one in parts:
        add(part, one)
    _SHARED[key] = part, parts
    return part


def _part_of_call(event: FileEvent) -> Part:
    part = _written(event, _OF_CALL)
    executed = event.operation is Operation.EXEC
    part["event"].update(
        kind="event",
        category=["file", "process"] if executed else ["file"],
        type=list(_event_type(event.operation, event.access_mode)),
        dataset="fileaudit.event",
        module="fileaudit",
    )
    facts = part["fileaudit"]
    if event.errno:
        facts["errno_name"] = errno_name(event.errno)
    if event.flags is not None and (names := call_flag_names(event.operation, event.flags)):
        facts["flags_names"] = list(names)
    return part


def _event_type(operation: Operation, access_mode: AccessMode | None) -> tuple[str, ...]:
    if operation is Operation.OPEN:
        return ("access",) if access_mode is None else _OPEN_TYPES.get(access_mode, ("access",))
    return _TYPES.get(operation, ("change",))


def _part_of_process(process: Process) -> Part:
    part = _written(FileEvent(ts_ns=0, operation=Operation.OPEN, process=process), _OF_PROCESS)
    parent = process.parent
    if parent is None:
        return part
    facts = _process_document(parent)
    for elsewhere in ("executable", "name", "args"):
        facts.pop(elsewhere, None)
    family = part.setdefault("fileaudit", {})
    family["parent"] = facts
    ancestors = [_process_document(ancestor) for ancestor in _ancestors(parent)]
    if ancestors:
        family["ancestors"] = ancestors
    return part


def _ancestors(process: Process) -> Iterator[Process]:
    ancestor = process.parent
    while ancestor is not None:
        yield ancestor
        ancestor = ancestor.parent


def _process_document(process: Process) -> Document:
    members = {
        "pid": process.pid,
        "start_ns": process.start_ns,
        "executable": _text(process.executable),
        "name": _text(process.name),
        "args": _texts(process.args),
        "args_truncated": process.args_truncated or None,
        "parent_pid": process.parent_pid,
    }
    return {name: value for name, value in members.items() if value is not None}


def _part_of_container(container: Container) -> Part:
    bare = FileEvent(ts_ns=0, operation=Operation.OPEN, process=_NOBODY, container=container)
    return _written(bare, _OF_CONTAINER)


def _part_of_user(event: FileEvent) -> Part:
    part = _written(event, _OF_USER)
    names = {name for name in (event.user_name, event.effective_user_name, event.login_user_name) if name}
    if names:
        merge(part, "related", {"user": sorted(map(to_document, names))})
    if event.host_name:
        merge(part, "related", {"hosts": [to_document(event.host_name)]})
    return part


def _part_of_owner(event: FileEvent) -> Part:
    return _written(event, _OF_OWNER)


def _written(event: FileEvent, writers: "_Writers") -> Part:
    part: Part = {}
    for place, key, write in writers:
        value = write(event)
        if value is not None:
            merge(part, place, {key: value})
    return part


def place_of(field: Field) -> tuple[str, str]:
    """Where a field stands in a document: the object's dotted place, and the member's key."""
    place, _, key = field.ecs.rpartition(".")
    return place, key


def _text(value: str | None) -> str | None:
    return None if value is None else to_document(value)


def _texts(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else [to_document(value) for value in values]


Spelling = Callable[[Any], object]
"""How the value of an attribute is spelled in a document."""


def _moment(time: int | str) -> str:
    """A time of an event's own; as rules see it, it is spelled already."""
    return time if isinstance(time, str) else rfc3339(time)


def _octal(mode: int) -> str:
    return f"{mode:04o}"


def spelling(field: Field) -> Spelling | None:
    """How the values of a field are spelled; None: as they are."""
    if field.name in KEYWORD_IN_DOCUMENT:
        return str
    if field.name in OCTAL_IN_DOCUMENT:
        return _octal
    match field.type:
        case FieldType.KEYWORD | FieldType.PATH:
            return to_document
        case FieldType.PATHS:
            return _texts
        case FieldType.DATE:
            return _moment
        case _:
            return None


Writer = Callable[[FileEvent], object]

_Writers = tuple[tuple[str, str, Writer], ...]
"""Place, key and writer of each field of a part."""


def _writers(what: str) -> _Writers:
    return tuple((*place_of(field), _writer(field)) for field in fields_of(what))


def _writer(field: Field) -> Writer:
    """How a field's value comes into the document, in JSON's types; None leaves it out."""
    if field.name in _SPECIAL:
        return _SPECIAL[field.name]
    get, spell = field.get, spelling(field)
    if spell is None:
        return get
    return lambda event: None if (value := get(event)) is None else spell(value)


def _access_mode(event: FileEvent) -> object:
    return event.access_mode.value if event.access_mode else None


def _args_truncated(event: FileEvent) -> object:
    return event.process.args_truncated or None


_SPECIAL: Final[dict[str, Writer]] = {
    "AccessMode": _access_mode,  # rules see all modes that apply, documents the one that it is
    "ArgumentsTruncated": _args_truncated,
}


_CALL: Final = ("operation", "errno", "access_mode", "flags", "syscall")
"""Attributes that follow from the kind of call; the outcome follows from its error number."""
_USER: Final = (
    *("user_id", "user_name", "group_id", "group_name"),
    *("effective_user_id", "effective_user_name", "effective_group_id", "effective_group_name"),
    *("login_user_id", "login_user_name", "session_id", "host_name", "host_id", "clock"),
)
"""Attributes that follow from who did it, where, and by which clock."""
_OWNER: Final = ("owner_id", "owner_group_id", "owner_name", "owner_group_name")
"""Attributes that follow from whose file it is."""


def _written_fields() -> Iterator[tuple[str, Field]]:
    """The fields that documents carry, each with what it follows from; empty: it is the event's own."""
    followed = {"outcome": "call"}
    for what, attributes in (("call", _CALL), ("user", _USER), ("owner", _OWNER)):
        followed |= dict.fromkeys(attributes, what)
    for field in FIELDS:
        if not field.computed and field.ecs != TIME:
            holder, dot, _ = field.attribute.partition(".")
            yield holder if dot else followed.get(field.attribute, ""), field


def fields_of(what: str) -> tuple[Field, ...]:
    """The fields that follow from `what`: call, user, owner, process, container; empty: from nothing else."""
    return tuple(field for follows, field in _written_fields() if follows == what)


_OF_CALL: Final = _writers("call")
_OF_USER: Final = _writers("user")
_OF_OWNER: Final = _writers("owner")
_OF_PROCESS: Final = _writers("process")
_OF_CONTAINER: Final = _writers("container")

_KEPT: Final = 512
"""Parts of a kind that are remembered: each may have some ten kilobytes of arguments."""
_SHARED: Final[dict[tuple[int, int, int, int], tuple[Part, tuple[Part, ...]]]] = {}
"""By the identities of the four, which are kept alive here."""

_call_part: Final = ByFacts(operator.attrgetter(*_CALL), _part_of_call, limit=_KEPT)
_user_part: Final = ByFacts(operator.attrgetter(*_USER), _part_of_user, limit=_KEPT)
_owner_part: Final = ByFacts(operator.attrgetter(*_OWNER), _part_of_owner, limit=_KEPT)
_process_part: Final = ByIdentity(_part_of_process, limit=_KEPT)
container_part: Final = ByIdentity(_part_of_container, limit=_KEPT)
