"""What a record says of one operation only: numbers and texts, as attributes of `FileEvent`.

The kernel has three numbers and six texts for all operations (`bpf/event.h`); what each means depends on the
operation, and is told here.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from fileaudit_engine.events.model import OPERATIONS, Operation
from fileaudit_engine.text import from_kernel

Numbers = tuple[int, int, int]
"""`details` of a record."""

Namer = Callable[[int], str | None]
"""From a user's or group's number to the name."""

_O: Final = Operation
WITH_ACCESS_MODE: Final = frozenset(o.number for o in (_O.OPEN, _O.CREATE, _O.READ, _O.WRITE))
"""Numbers of the operations that have an access mode."""

_UNCHANGED: Final = (1 << 32) - 1
"""A chown that leaves owner or group as it is."""
_OMITTED: Final = -(1 << 63)
"""`TIME_OMITTED` of bpf/event.h, and `TIME_NOW`."""
_NOW: Final = _OMITTED + 1
_UTIMES: Final = _O.UTIMES.number
_LAST_NS: Final = (1 << 63) - 1
"""Time that documents can say: from 1970 to 2262."""


def particulars(operation: int, details: Numbers, ts_ns: int, user: Namer, group: Namer) -> dict[str, Any]:
    """The attributes that an operation's numbers are; `ts_ns` is when the call returned."""
    if operation == _UTIMES:
        return _utimes(details, ts_ns)
    meaning = _MEANINGS.get(operation)
    return meaning(details, user, group) if meaning else {}


def texts(operation: int, raw: tuple[bytes, bytes, bytes]) -> dict[str, Any]:
    """The attributes that second path, what the caller passed for it, and extra text are."""
    second, second_asked, extra = raw
    found: dict[str, Any] = {}
    if second:
        found["source_path"] = from_kernel(second)
    if second_asked:
        found["asked_source_path"] = from_kernel(second_asked)
    if extra:
        found.update(_EXTRA[operation](extra) if operation in _EXTRA else {})
    return found


def _transfer(details: Numbers, _user: Namer, _group: Namer) -> dict[str, Any]:
    return {"transferred_bytes": details[0], "transfer_calls": details[1]}


def _truncate(details: Numbers, _user: Namer, _group: Namer) -> dict[str, Any]:
    return {"new_size_bytes": details[0]}


def _chmod(details: Numbers, _user: Namer, _group: Namer) -> dict[str, Any]:
    return {"new_mode": details[0] & 0o7777}


def _chown(details: Numbers, user: Namer, group: Namer) -> dict[str, Any]:
    owner, owner_group, _ = details
    found: dict[str, Any] = {}
    if owner != _UNCHANGED:
        found = {"new_owner_id": owner, "new_owner_name": user(owner)}
    if owner_group != _UNCHANGED:
        found |= {"new_owner_group_id": owner_group, "new_owner_group_name": group(owner_group)}
    return found


def _utimes(details: Numbers, ts_ns: int) -> dict[str, Any]:
    accessed, modified, _ = details
    return {"new_accessed_ns": _moment(accessed, ts_ns), "new_modified_ns": _moment(modified, ts_ns)}


def _moment(given_ns: int, now_ns: int) -> int | None:
    if given_ns in {_OMITTED, _NOW}:
        return None if given_ns == _OMITTED else now_ns
    return min(max(given_ns, 0), _LAST_NS)


def _link_target(raw: bytes) -> dict[str, Any]:
    return {"link_target": from_kernel(raw)}


def _attribute(raw: bytes) -> dict[str, Any]:
    return {"attribute_name": from_kernel(raw)}


def _mount(raw: bytes) -> dict[str, Any]:
    source, _, kind = raw.partition(b"\0")
    return {
        "mount_source": from_kernel(source) if source else None,
        "file_system": from_kernel(kind) if kind else None,
    }


_MEANINGS: Final[Mapping[int, Callable[[Numbers, Namer, Namer], dict[str, Any]]]] = {
    _O.READ.number: _transfer,
    _O.WRITE.number: _transfer,
    _O.TRUNCATE.number: _truncate,
    _O.CHMOD.number: _chmod,
    _O.CHOWN.number: _chown,
}
_EXTRA: Final[Mapping[int, Callable[[bytes], dict[str, Any]]]] = {
    _O.SYMLINK.number: _link_target,
    _O.SETXATTR.number: _attribute,
    _O.REMOVEXATTR.number: _attribute,
    _O.MOUNT.number: _mount,
}

assert len(OPERATIONS) <= 32  # noqa: S101 - the kernel's tables end there
