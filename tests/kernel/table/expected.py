"""What the engine has to say of a cell, as attributes of `FileEvent`."""

import errno
from typing import Final

from tests.kernel.table import raw
from tests.kernel.table.calls import Call
from tests.kernel.table.namings import Subject
from tests.kernel.table.stage import Stage, Told
from tests.kernel.table.ways import Way

from fileaudit_engine.events.model import FileEvent, Operation, PathState
from fileaudit_engine.text import from_kernel

Attributes = dict[str, object]

_AS_GOOD: Final = PathState.FOLLOWED
"""That user space has followed a name is as good as that the kernel knew the file."""
_BEHIND_A_FILE: Final = PathState.FOLLOWED | PathState.UNRESOLVED
"""Where a file stands in the way, there may be nothing that could be followed."""

_NO_NAME: Final = (None, "")
"""What the caller passed, where the call takes no name."""


def expected(stage: Stage, told: Told, refused: int) -> Attributes:
    """The event of a cell, as far as the cell determines it."""
    call = stage.call
    two = call.source_way is not None
    leaf = stage.new_leaf if two else stage.leaf
    found: Attributes = {
        "operation": _operation(call, refused),
        "syscall": _syscall(stage, refused),
        "errno": refused,
        # an address says nothing of a file, and where a process has its memory is nobody's business
        "result": 0 if call.syscall == "mmap" else told.result,
        "path": _path(stage, leaf, call.way, refused),
        "asked_path": _asked(stage, leaf, call.way),
        "path_state": _state(stage),
        "container_path": _text(stage.naming.container_path(Subject(stage.ground, leaf, call.way))),
        **({} if refused else call.details),
    }
    if _is_private_mount(stage):  # what is mounted there now, no other namespace has a name for
        found["path"] = found["container_path"]
    if call.source_way is not None:
        found["source_path"] = _path(stage, stage.leaf, call.source_way, refused)
        found["asked_source_path"] = _asked(stage, stage.leaf, call.source_way)
    return found


def _operation(call: Call, refused: int) -> Operation:
    """An open that has made no file is no creation."""
    return Operation.OPEN if refused and call.way is Way.CREATES else call.operation


def _syscall(stage: Stage, refused: int) -> str:
    """Once a program runs, x86 says of any exec that it was `execve`; a descriptor has left a trace."""
    call = stage.call
    by_descriptor = stage.naming.directory != raw.AT_FDCWD or call.way is Way.DESCRIPTOR
    return "execve" if call.syscall == "execveat" and not refused and not by_descriptor else call.syscall


def _state(stage: Stage) -> PathState:
    two = stage.call.source_way is not None
    if _is_private_mount(stage):
        return PathState.UNREACHABLE
    return PathState.RESOLVED if two and stage.naming.name == "deleted" else stage.naming.state


def _is_private_mount(stage: Stage) -> bool:
    return stage.naming.name == "mount_namespace" and stage.call.name == "mount-mount"


def surprises(events: list[FileEvent], wanted: Attributes, inode: int | None) -> list[str]:
    """In words: in what the reported events differ from the one that is wanted."""
    if len(events) != 1:
        return [f"{len(events)} events", *(f"{event.syscall}: {event.path!r}" for event in events)]
    found = _reported(events[0], wanted)
    told = events[0].inode
    wrong = [
        f"{name}: {found[name]!r} and not {value!r}" for name, value in wanted.items() if found[name] != value
    ]
    # an inode number may be missing, but not wrong
    return wrong if events[0].errno or told in {None, inode} or inode is None else [*wrong, f"inode: {told}"]


def _reported(event: FileEvent, wanted: Attributes) -> Attributes:
    """The same attributes of what was reported."""
    found = {name: getattr(event, name) for name in wanted}
    found["path_state"] = event.path_state & ~(_BEHIND_A_FILE if event.errno == errno.ENOTDIR else _AS_GOOD)
    for name in found.keys() & {"asked_path", "asked_source_path"}:
        found[name] = found[name] or ""
    return found


def _path(stage: Stage, leaf: bytes, way: Way, refused: int) -> str:
    """Where a refused call stopped at a link, the path is the link's."""
    return from_kernel(stage.path(leaf, Way.NAME if refused and way is Way.OPENS else way))


def _asked(stage: Stage, leaf: bytes, way: Way) -> str:
    return "" if way is Way.DESCRIPTOR or stage.call.nameless else from_kernel(stage.asked(leaf, way))


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else from_kernel(raw)


def describe(call: Call, result: int) -> str:
    """For a message."""
    return f"{call.syscall} returned {errno.errorcode.get(-result, result)}"
