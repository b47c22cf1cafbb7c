"""A file event as an ECS document.

What the field table names goes where the table says (`file.path`, `process.executable`, …). Beside it stand
*derived* members that say the same again in words that people and dashboards look for: `event.type`,
`file.name`, `fileaudit.errno_name`. Reading a document back ignores the derived ones (`is_derived`), so that
writing and reading are inverse to each other.

    FileEvent(operation=OPEN, path="/etc/shadow", errno=13, …)
      -> {"event": {"action": "open", "outcome": "failure", "type": ["access"], …},
          "file": {"path": "/etc/shadow", "name": "shadow", …},
          "fileaudit": {"errno": 13, "errno_name": "EACCES", …}, …}

ECS knows one parent. What else is known of it stands in `fileaudit.parent`, and its ancestors, nearest
first, in `fileaudit.ancestors`. Names are escaped by `text.to_document`, so that a document is valid JSON
whatever bytes they hold.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Final

from fileaudit_engine.events.computed import split_path
from fileaudit_engine.events.fields import FIELDS, KEYWORD_IN_DOCUMENT, OCTAL_IN_DOCUMENT, Field, FieldType
from fileaudit_engine.events.flags import errno_name, open_flag_names
from fileaudit_engine.events.model import AccessMode, FileEvent, Loss, Operation, PathState, Process
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.text import to_document

Document = dict[str, object]
"""A nested JSON object; only JSON types inside."""

ECS_VERSION: Final = "8.17.0"
LOST: Final = "lost"
"""`event.action` of a document that reports a loss."""
EXTRA: Final = "fileaudit.extra"
"""Where fields live that the table does not know: dotted name to value, kept as they came."""
ANCESTORS: Final = "fileaudit.ancestors"
_TIME: Final = "@timestamp"

_DERIVED: Final = frozenset(
    {
        *("event.kind", "event.id", "event.category", "event.type", "event.dataset", "event.module"),
        *("event.severity", "event.created", "event.ingested", "message", "log.level"),
        *("file.name", "file.directory", "file.extension", "file.type"),
        *("fileaudit.flags_names", "fileaudit.errno_name", "fileaudit.selections", "fileaudit.event_id"),
    }
)
_DERIVED_UNDER: Final = frozenset({"rule", "threat", "related", "ecs", "data_stream", "agent"})
_DERIVED_PREFIXES: Final = ("fileaudit.rule.", "fileaudit.losses.", f"{ANCESTORS}.")

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
_FILE_TYPES: Final = {0o100000: "file", 0o040000: "dir", 0o120000: "symlink"}
"""`file.type` by the type bits of the mode; ECS has words for these three only."""
_FILE_TYPE_MASK: Final = 0o170000


def document_of(event: FileEvent) -> Document:
    """The event as a nested ECS document that `reader.event_of` reads back without loss."""
    document: Document = {_TIME: rfc3339(event.ts_ns), "ecs": {"version": ECS_VERSION}}
    for place, writers in _OBJECTS:
        members = {key: value for key, write in writers if (value := write(event)) is not None}
        if members:
            merge(document, place, members)
    _describe_event(document, event)
    _describe_file(document, event)
    _describe_process(document, event.process)
    _describe_related(document, event)
    if event.extra:
        merge(document, "fileaudit", {"extra": event.extra})
    return document


def document_of_loss(loss: Loss) -> Document:
    """A loss as a document of its own; `reader.event_of` reads it back."""
    return {
        _TIME: rfc3339(loss.last_ns),
        "ecs": {"version": ECS_VERSION},
        "event": {
            "kind": "event",
            "category": ["file"],
            "type": ["info"],
            "dataset": "fileaudit.event",
            "module": "fileaudit",
            "action": LOST,
        },
        "message": f"{loss.total} events were lost",
        "fileaudit": {
            "lost": {"first_ns": loss.first_ns, "last_ns": loss.last_ns, "counts": dict(loss.counts)}
        },
    }


@functools.lru_cache(maxsize=1024)
def is_derived(name: str) -> bool:
    """Whether the dotted name is one that documents have only for their readers' sake."""
    return (
        name in _DERIVED
        or name.partition(".")[0] in _DERIVED_UNDER
        or name in _DERIVED_UNDER
        or name.startswith(_DERIVED_PREFIXES)
    )


def merge(document: Document, place: str, members: Document) -> None:
    """Add members to the object at a dotted place, making the objects on the way."""
    node = document
    for key in place.split("."):
        inner = node.get(key)
        if not isinstance(inner, dict):
            inner = node[key] = {}
        node = inner
    node.update(members)


def _describe_event(document: Document, event: FileEvent) -> None:
    executed = event.operation is Operation.EXEC
    facts: Document = {
        "kind": "event",
        "category": ["file", "process"] if executed else ["file"],
        "type": list(_event_type(event)),
        "dataset": "fileaudit.event",
        "module": "fileaudit",
    }
    merge(document, "event", facts)
    if event.errno:
        merge(document, "fileaudit", {"errno_name": errno_name(event.errno)})
    if event.flags is not None and event.operation in {Operation.OPEN, Operation.CREATE}:
        merge(document, "fileaudit", {"flags_names": list(open_flag_names(event.flags))})


def _event_type(event: FileEvent) -> tuple[str, ...]:
    if event.operation is Operation.OPEN:
        return ("access",) if event.access_mode is None else _OPEN_TYPES.get(event.access_mode, ("access",))
    return _TYPES.get(event.operation, ("change",))


def _describe_file(document: Document, event: FileEvent) -> None:
    facts: Document = {}
    if event.path:
        directory, name, extension = split_path(event.path)
        facts["name"], facts["directory"] = to_document(name), to_document(directory)
        if extension is not None:
            facts["extension"] = to_document(extension)
    if event.mode is not None and event.mode & _FILE_TYPE_MASK in _FILE_TYPES:
        facts["type"] = _FILE_TYPES[event.mode & _FILE_TYPE_MASK]
    if facts:
        merge(document, "file", facts)


def _describe_process(document: Document, process: Process) -> None:
    parent = process.parent
    if parent is None:
        return
    facts = _process_document(parent)
    for elsewhere in ("executable", "name", "args"):
        facts.pop(elsewhere, None)
    ancestors = [_process_document(ancestor) for ancestor in _ancestors(parent)]
    family: Document = {"parent": facts, "ancestors": ancestors} if ancestors else {"parent": facts}
    merge(document, "fileaudit", family)


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


def _describe_related(document: Document, event: FileEvent) -> None:
    users = {name for name in (event.user_name, event.effective_user_name, event.login_user_name) if name}
    facts: Document = {"user": sorted(map(to_document, users))} if users else {}
    if event.host_name:
        facts["hosts"] = [to_document(event.host_name)]
    if facts:
        merge(document, "related", facts)


def path_state_words(state: PathState) -> list[str]:
    """`["truncated", "deleted"]`: the bits of a path state as documents spell them."""
    return [flag.name.lower() for flag in PathState if flag & state and flag.name]


def _text(value: str | None) -> str | None:
    return None if value is None else to_document(value)


def _texts(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else [to_document(value) for value in values]


Writer = Callable[[FileEvent], object]


def _writer(field: Field) -> Writer:
    """How a field's value comes into the document, in JSON's types; None leaves it out."""
    get = field.get
    if field.name in _SPECIAL:
        return _SPECIAL[field.name]
    if field.name in KEYWORD_IN_DOCUMENT:
        return lambda event: None if (value := get(event)) is None else str(value)
    if field.name in OCTAL_IN_DOCUMENT:
        return lambda event: None if (value := get(event)) is None else f"{value:04o}"
    if field.type is FieldType.PATHS:
        return lambda event: _texts(get(event))  # type: ignore[arg-type]  # a list field gives a tuple
    if field.type in {FieldType.KEYWORD, FieldType.PATH}:
        return lambda event: _text(get(event))  # type: ignore[arg-type]  # a text field gives a text
    return get


def _access_mode(event: FileEvent) -> object:
    return event.access_mode.value if event.access_mode else None


def _path_state(event: FileEvent) -> object:
    return path_state_words(event.path_state) if event.path_state else None


def _args_truncated(event: FileEvent) -> object:
    return event.process.args_truncated or None


_SPECIAL: Final[dict[str, Writer]] = {
    "AccessMode": _access_mode,  # rules see all modes that apply, documents the one that it is
    "PathState": _path_state,
    "ArgumentsTruncated": _args_truncated,
}


def _objects() -> Iterator[tuple[str, tuple[tuple[str, Writer], ...]]]:
    """What events carry, by the object of the document that it is a member of."""
    objects: dict[str, list[tuple[str, Writer]]] = {}
    for field in FIELDS:
        if field.computed or field.ecs == _TIME:
            continue
        place, _, key = field.ecs.rpartition(".")
        objects.setdefault(place, []).append((key, _writer(field)))
    for place, writers in objects.items():
        yield place, tuple(writers)


_OBJECTS: Final = tuple(_objects())
