"""What a record can be found by, and what reports count of it.

All of it follows from the document alone, so that it can be computed again from there: when a store is
verified, and where a report needs a part of a block.
"""

import enum
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.events.model import Operation

Facet = tuple[int, str]
"""A dimension, and what the record is in it; the text as documents have it."""


class Dimension(enum.IntEnum):
    """In what respect a record is looked at. The numbers stand in stores."""

    KIND = 1
    LEVEL = 2
    RULE = 3
    OPERATION = 4
    OUTCOME = 5
    PATH = 6
    OTHER_PATH = 7
    """The source of a rename or link; else another name of the file; else its name in the container."""
    USER = 8
    LOGIN_USER = 9
    EXECUTABLE = 10
    PROCESS = 11
    """The kernel's name of the process."""
    COMMAND = 12
    """The command line, its first `MAX_COMMAND` characters."""
    CONTAINER = 13
    """The container's name, else its id."""
    PID = 14
    CONTAINER_ID = 15

    DEED = 20
    """Operation and outcome: `open failure`."""
    CHANGED = 21
    """Operation and path of what succeeded and changed something: `write /etc/passwd`."""
    DENIED = 22
    """User and path of what was refused for want of permission: `alice /etc/shadow`."""
    ALERT = 23
    """Day (UTC), level and rule of an alert: `2026-11-28 high shadow_file_read`."""
    HOUR = 24
    """Hour (UTC) and kind: `2026-11-28T14 alert`."""
    SESSION = 25
    """Audit session and login user: `7 alice`."""
    COVERAGE = 26
    """What the engine says about itself: `engine_start`."""


COLUMNS: Final = tuple(Dimension)[:13]
"""Those that have a column of their own, named like them, in this order; `pid` follows with its number."""

MAX_COMMAND: Final = 1_024
"""Characters of a command line that it can be found by; the document has all of it."""

ENGINE_DATASET: Final = "fileaudit.engine"
"""`event.dataset` of what the engine says about itself."""

CHANGES: Final = frozenset(
    operation.value
    for operation in Operation
    if operation not in {Operation.OPEN, Operation.READ, Operation.EXEC, Operation.MOUNT, Operation.UMOUNT}
)
"""Operations that change a file or a folder."""

_NO_PERMISSION: Final = frozenset({"EACCES", "EPERM"})
_NOTHING: Final[Mapping[str, Any]] = {}


def kind_of(document: Mapping[str, Any]) -> Kind:
    """Alert, audit event, or what the engine says about itself."""
    event = document.get("event", _NOTHING)
    if event.get("kind") == Kind.ALERT.value:
        return Kind.ALERT
    return Kind.ENGINE if event.get("dataset") == ENGINE_DATASET else Kind.EVENT


def facets_of(document: Mapping[str, Any]) -> list[Facet]:
    """Everything that a record can be found by and is counted by; each dimension at most once."""
    event, own = document.get("event", _NOTHING), document.get("fileaudit", _NOTHING)
    kind, time = kind_of(document), str(document.get("@timestamp", ""))
    found: list[Facet] = [(Dimension.KIND, kind.value), (Dimension.HOUR, f"{time[:13]} {kind.value}")]
    level = own.get("rule", _NOTHING).get("level")
    rule = document.get("rule", _NOTHING).get("id")
    if level:
        found.append((Dimension.LEVEL, level))
    if rule:
        found.append((Dimension.RULE, rule))
    if kind is Kind.ALERT:
        found.append((Dimension.ALERT, f"{time[:10]} {level} {rule}"))
    action = event.get("action")
    if kind is Kind.ENGINE:
        found.append((Dimension.COVERAGE, str(action)))
    elif action:
        _add_deed(found, document, action, event.get("outcome", ""))
    _add_doer(found, document)
    return found


def _add_deed(found: list[Facet], document: Mapping[str, Any], action: str, outcome: str) -> None:
    """What was done, to which file, and what came of it."""
    own, file = document.get("fileaudit", _NOTHING), document.get("file", _NOTHING)
    found += [
        (Dimension.OPERATION, action),
        (Dimension.OUTCOME, outcome),
        (Dimension.DEED, f"{action} {outcome}"),
    ]
    path = file.get("path") or own.get("asked_path")
    other = own.get("source_path") or own.get("alias_path") or own.get("container_path")
    if other:
        found.append((Dimension.OTHER_PATH, other))
    if not path:
        return
    found.append((Dimension.PATH, path))
    if outcome == "success":
        if action in CHANGES:
            found.append((Dimension.CHANGED, f"{action} {path}"))
    elif own.get("errno_name") in _NO_PERMISSION:
        found.append((Dimension.DENIED, f"{_named(document.get('user')) or '?'} {path}"))


def _add_doer(found: list[Facet], document: Mapping[str, Any]) -> None:
    """Who did it, with what, where."""
    own, process = document.get("fileaudit", _NOTHING), document.get("process", _NOTHING)
    container = document.get("container", _NOTHING)
    user, login = _named(document.get("user")), _named(own.get("login_user"))
    session = own.get("session_id")
    if user:
        found.append((Dimension.USER, user))
    if login:
        found.append((Dimension.LOGIN_USER, login))
    if session is not None:
        found.append((Dimension.SESSION, f"{session} {login or '?'}"))
    if process:
        _add_process(found, process)
    if container:
        identity = container.get("id")
        name = container.get("name") or identity
        if name:
            found.append((Dimension.CONTAINER, name))
        if identity:
            found.append((Dimension.CONTAINER_ID, identity))


def _add_process(found: list[Facet], process: Mapping[str, Any]) -> None:
    executable, name, command = process.get("executable"), process.get("name"), process.get("command_line")
    pid = process.get("pid")
    if executable:
        found.append((Dimension.EXECUTABLE, executable))
    if name:
        found.append((Dimension.PROCESS, name))
    if command:
        found.append((Dimension.COMMAND, command[:MAX_COMMAND]))
    if pid is not None:
        found.append((Dimension.PID, str(pid)))


def _named(user: Mapping[str, Any] | None) -> str | None:
    """A user's name, else his number."""
    return (user.get("name") or user.get("id")) if user else None


def pid_of(document: Mapping[str, Any]) -> int | None:
    """The process that a record is about; None where it is about none."""
    pid = document.get("process", _NOTHING).get("pid")
    return None if pid is None else int(pid)


def facets_in(raw: bytes) -> list[Facet] | None:
    """As `facets_of`, of a document as JSON; None if that is no document that the engine ever writes."""
    try:
        return facets_of(msgspec.json.decode(raw))
    except (ValueError, TypeError, AttributeError, RecursionError):  # somebody else has written it
        return None
