"""What a record can be found by, and what reports count of it.

All of it follows from the document alone, so that it can be computed again from there: when a store is
verified, and where a report needs a part of a block.
"""

import enum
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec

from fileaudit_engine.detect.engine_record import DATASET
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

MAX_COUNTED: Final = 512
"""Characters of a path where it is only counted. Who makes up paths of four thousand bytes would otherwise
fill a disk with them several times over."""

ENGINE_DATASET: Final = DATASET
"""`event.dataset` of what the engine says about itself."""

CHANGES: Final = frozenset(
    operation.value
    for operation in Operation
    if operation not in {Operation.OPEN, Operation.READ, Operation.EXEC, Operation.MOUNT, Operation.UMOUNT}
)
"""Operations that change a file or a folder."""

_KIND, _LEVEL, _RULE, _OPERATION, _OUTCOME, _PATH, _OTHER_PATH, _USER = range(1, 9)
_LOGIN_USER, _EXECUTABLE, _PROCESS, _COMMAND, _CONTAINER, _PID, _CONTAINER_ID = range(9, 16)
_DEED, _CHANGED, _DENIED, _ALERTS, _HOUR, _SESSION, _COVERAGE = range(20, 27)
"""The dimensions by number: a member of an enumeration costs twice as much, and each record has a dozen."""
_MOST: Final = 1 << 63
_ALERT: Final = Kind.ALERT.value
_NO_PERMISSION: Final = frozenset({"EACCES", "EPERM"})
_NOTHING: Final[Mapping[str, Any]] = {}


def kind_of(document: Mapping[str, Any]) -> Kind:
    """Alert, audit event, or what the engine says about itself."""
    event = document.get("event", _NOTHING)
    if event.get("kind") == _ALERT:
        return Kind.ALERT
    return Kind.ENGINE if event.get("dataset") == ENGINE_DATASET else Kind.EVENT


# Every record that is kept goes through these: they take as few steps as they can.


def facets_of(document: Mapping[str, Any]) -> list[Facet]:
    """Everything that a record can be found by and is counted by; each dimension at most once."""
    return [*deed_facets(document), *doer_facets(document)]


def deed_facets(document: Mapping[str, Any]) -> list[Facet]:
    """What was done, to which file, what came of it, and which rule cares."""
    get = document.get
    event, own = get("event", _NOTHING), get("fileaudit", _NOTHING)
    kind, time = kind_of(document), get("@timestamp", "")
    found: list[Facet] = [(_KIND, kind.value), (_HOUR, f"{time[:13]} {kind.value}")]
    level, rule = own.get("rule", _NOTHING).get("level"), get("rule", _NOTHING).get("id")
    if level:
        found.append((_LEVEL, level))
    if rule:
        found.append((_RULE, rule))
    action = event.get("action")
    if kind is Kind.ALERT:
        found.append((_ALERTS, f"{time[:10]} {level} {rule}"))
    if event.get("dataset") == ENGINE_DATASET:
        found.append((_COVERAGE, action or ""))
    elif action:
        _add_deed(found, document, own, action, event.get("outcome", ""))
    return found


def _add_deed(
    found: list[Facet], document: Mapping[str, Any], own: Mapping[str, Any], action: str, outcome: str
) -> None:
    found += ((_OPERATION, action), (_OUTCOME, outcome), (_DEED, f"{action} {outcome}"))
    path = document.get("file", _NOTHING).get("path") or own.get("asked_path")
    other = own.get("source_path") or own.get("alias_path") or own.get("container_path")
    if other:
        found.append((_OTHER_PATH, other))
    if not path:
        return
    found.append((_PATH, path))
    if outcome == "success":
        if action in CHANGES:
            found.append((_CHANGED, f"{action} {counted_path(path)}"))
    elif own.get("errno_name") in _NO_PERMISSION:
        found.append((_DENIED, f"{_named(document.get('user')) or '?'} {counted_path(path)}"))


def doer_facets(document: Mapping[str, Any]) -> list[Facet]:
    """Who did it, with what, where."""
    own = document.get("fileaudit", _NOTHING)
    found: list[Facet] = []
    user, login, session = _named(document.get("user")), own.get("login_user"), own.get("session_id")
    process, container = document.get("process"), document.get("container")
    if user:
        found.append((_USER, user))
    if login:
        found.append((_LOGIN_USER, _named(login) or "?"))
    if session is not None:
        found.append((_SESSION, f"{session} {_named(login) or '?'}"))
    if process:
        _add_process(found, process)
    if container:
        identity = container.get("id")
        name = container.get("name") or identity
        if name:
            found.append((_CONTAINER, name))
        if identity:
            found.append((_CONTAINER_ID, identity))
    return found


def _add_process(found: list[Facet], process: Mapping[str, Any]) -> None:
    get = process.get
    executable, name, command, pid = get("executable"), get("name"), get("command_line"), get("pid")
    if executable:
        found.append((_EXECUTABLE, executable))
    if name:
        found.append((_PROCESS, name))
    if command:
        found.append((_COMMAND, command[:MAX_COMMAND]))
    if pid is not None:
        found.append((_PID, str(pid)))


def counted_path(path: str) -> str:
    """A path where it is only counted: a long one is cut, and told apart by a digest."""
    if len(path) <= MAX_COUNTED:
        return path
    return f"{path[:MAX_COUNTED]}… ({blake2b(path.encode(), digest_size=8).hexdigest()})"


def _named(user: Mapping[str, Any] | None) -> str | None:
    """A user's name, else his number."""
    return (user.get("name") or user.get("id")) if user else None


def pid_of(document: Mapping[str, Any]) -> int | None:
    """The process that a record is about; None where it is about none."""
    pid = document.get("process", _NOTHING).get("pid")
    return pid if isinstance(pid, int) and -_MOST <= pid < _MOST else None


def facets_in(raw: bytes) -> list[Facet] | None:
    """As `facets_of`, of a document as JSON; None if that is no document that the engine ever writes."""
    try:
        return facets_of(msgspec.json.decode(raw))
    except (ValueError, TypeError, AttributeError, RecursionError):  # somebody else has written it
        return None
