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
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from fileaudit_engine.events.computed import split_path
from fileaudit_engine.events.field import Field
from fileaudit_engine.events.model import FileEvent, Loss, PathState
from fileaudit_engine.events.objects import Document, add, member_of, merge
from fileaudit_engine.events.parts import (
    TIME,
    Spelling,
    container_part,
    fields_of,
    place_of,
    shared_part,
    spelling,
)
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.text import to_document

ECS_VERSION: Final = "8.17.0"
LOST: Final = "lost"
"""`event.action` of a document that reports a loss."""
ENGINE_DATASET: Final = "fileaudit.engine"
"""`event.dataset` of what the engine says about itself, losses among it."""
EXTRA: Final = "fileaudit.extra"
"""Where fields live that the table does not know: dotted name to value, kept as they came."""
ANCESTORS: Final = "fileaudit.ancestors"

_DERIVED: Final = frozenset(
    {
        *("event.kind", "event.id", "event.category", "event.type", "event.dataset", "event.module"),
        *("event.severity", "event.created", "event.ingested", "event.start", "event.end"),
        *("event.sequence", "event.risk_score"),
        *("message", "log.level", "tags"),
        *("file.name", "file.directory", "file.extension", "file.type"),
        *("fileaudit.flags_names", "fileaudit.errno_name", "fileaudit.selections", "fileaudit.event_id"),
    }
)
_DERIVED_UNDER: Final = frozenset({"rule", "threat", "related", "ecs", "data_stream", "agent"})
_DERIVED_PREFIXES: Final = (
    *("fileaudit.rule.", "fileaudit.losses.", "fileaudit.correlation.", "fileaudit.repeats."),
    *(f"{ANCESTORS}.", "host.os."),
)

_FILE_TYPES: Final = {0o100000: "file", 0o040000: "dir", 0o120000: "symlink"}
"""`file.type` by the type bits of the mode; ECS has words for these three only."""
_FILE_TYPE_MASK: Final = 0o170000


def document_of(event: FileEvent) -> Document:
    """The event as a nested ECS document that `reader.event_of` reads back without loss.

    The objects at the top are its own. What is deeper may be shared with other documents, which have the
    same process or user: it is not for changing.
    """
    document: Document = {TIME: rfc3339(event.ts_ns), "ecs": {"version": ECS_VERSION}}
    for place, members in shared_part(event).items():
        document[place] = members.copy()
    _describe_file(document, event)
    _describe_call(document, event)
    _describe_rest(document, event)
    if event.container is not None:
        add(document, container_part(event.container))
    if event.extra:
        member_of(document, "fileaudit")["extra"] = event.extra
    return document


def document_of_loss(loss: Loss) -> Document:
    """A loss as a document of its own; `reader.event_of` reads it back."""
    return {
        TIME: rfc3339(loss.last_ns),
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


# What nearly every event has of its own is spelled out here, for speed; the table has the last word on where
# it stands (`_SPELLED_OUT`).


def _describe_file(document: Document, event: FileEvent) -> None:
    file = member_of(document, "file")
    if event.path is not None:
        path = file["path"] = to_document(event.path)
        if path:
            directory, file["name"], extension = split_path(path)
            file["directory"] = directory
            if extension is not None:
                file["extension"] = extension
    if event.size_bytes is not None:
        file["size"] = event.size_bytes
    if event.inode is not None:
        file["inode"] = str(event.inode)
    if event.device is not None:
        file["device"] = event.device
    mode = event.mode
    if mode is not None:
        file["mode"] = f"{mode:04o}"
        if mode & _FILE_TYPE_MASK in _FILE_TYPES:
            file["type"] = _FILE_TYPES[mode & _FILE_TYPE_MASK]
    if not file:
        del document["file"]


def _describe_call(document: Document, event: FileEvent) -> None:
    facts = member_of(document, "fileaudit")
    if event.asked_path is not None:
        facts["asked_path"] = to_document(event.asked_path)
    if event.result is not None:
        facts["result"] = event.result
    if event.cgroup_id is not None:
        facts["cgroup_id"] = event.cgroup_id
    if event.path_state:
        facts["path_state"] = path_state_words(event.path_state)
    process = member_of(document, "process")
    if event.thread_id is not None:
        process["thread"] = {"id": event.thread_id}
    if event.working_directory is not None:
        process["working_directory"] = to_document(event.working_directory)


def _describe_rest(document: Document, event: FileEvent) -> None:
    """The other fields that follow from nothing else, by the table."""
    for place, values_of, nothing, spellings in _REST:
        values = values_of(event)
        if values != nothing:
            merge(
                document,
                place,
                {
                    key: value if spell is None else spell(value)
                    for (key, spell), value in zip(spellings, values, strict=True)
                    if value is not None
                },
            )


def path_state_words(state: PathState) -> list[str]:
    """`["truncated", "deleted"]`: the bits of a path state as documents spell them."""
    return [flag.name.lower() for flag in PathState if flag & state and flag.name]


_Group = tuple[
    str, Callable[[FileEvent], tuple[Any, ...]], tuple[None, ...], tuple[tuple[str, Spelling | None], ...]
]
"""A place, what reads the attributes of all its fields, what it gives where there are none, and each field's
key and spelling."""


def _groups(fields: Sequence[Field]) -> Iterator[_Group]:
    by_place: dict[str, list[Field]] = {}
    for field in fields:
        by_place.setdefault(place_of(field)[0], []).append(field)
    for place, members in by_place.items():
        first, *others = (field.attribute for field in members)
        values_of = operator.attrgetter(first, *others or [first])  # of one attribute it gives no tuple
        nothing = (None,) * (1 + len(others or [first]))
        spellings = [(place_of(field)[1], spelling(field)) for field in members]
        yield place, values_of, nothing, tuple(spellings if others else spellings * 2)


_SPELLED_OUT: Final = frozenset(
    {
        *(("file.path", "path"), ("file.inode", "inode"), ("file.device", "device"), ("file.mode", "mode")),
        *(("file.size", "size_bytes"), ("process.working_directory", "working_directory")),
        *(("fileaudit.asked_path", "asked_path"), ("fileaudit.result", "result")),
        ("fileaudit.path_state", "path_state"),
        *(("fileaudit.cgroup_id", "cgroup_id"), ("process.thread.id", "thread_id")),
    }
)
"""Places and attributes that `_describe_file` and `_describe_call` write."""
_REST: Final = tuple(
    _groups([field for field in fields_of("") if (field.ecs, field.attribute) not in _SPELLED_OUT])
)
