"""The calls, continued: those that change names and what a file is, mounts and programs."""

import ctypes
import os
from collections.abc import Mapping
from typing import Final

from tests.kernel.table import raw
from tests.kernel.table.calls import (
    DESCRIPTOR,
    DIRECTORY,
    NAME,
    NEW,
    OPENS,
    TRANSFERS,
    Call,
    Needs,
    Slot,
    Spot,
    Thunk,
)
from tests.kernel.table.ways import Way

from fileaudit_engine.events.model import Operation

_O: Final = Operation
ATTRIBUTE: Final = b"trusted.probe"
"""Links have trusted attributes, too, and no others."""
VALUE: Final = b"value"
_NOFOLLOW: Final = raw.AT_SYMLINK_NOFOLLOW
_EMPTY: Final = raw.AT_EMPTY_PATH


def _row(operation: Operation, way: Way, needs: Needs, details: Mapping[str, object] | None = None) -> "_Row":
    return _Row(operation, way, needs, details or {})


class _Row:
    """Calls that differ in the call only."""

    def __init__(self, operation: Operation, way: Way, needs: Needs, details: Mapping[str, object]) -> None:
        self.operation, self.way, self.needs, self.details = operation, way, needs, details

    def __call__(
        self, syscall: str, *arguments: Slot | raw.Argument, variant: str = "", way: Way | None = None
    ) -> Call:
        return Call(
            operation=self.operation,
            syscall=syscall,
            arguments=arguments,
            variant=variant,
            way=way or self.way,
            needs=self.needs,
            details=self.details,
        )


# --- names ---------------------------------------------------------------------------------------------

_TEXT: Final = b"where/it leads"
_mkdir = _row(_O.MKDIR, Way.NAME, Needs.NOTHING)
_rmdir = _row(_O.RMDIR, Way.NAME, Needs.FOLDER)
_unlink = _row(_O.UNLINK, Way.NAME, Needs.FILE)
_symlink = _row(_O.SYMLINK, Way.NAME, Needs.NOTHING, {"link_target": _TEXT.decode()})


def _rename(
    syscall: str, *arguments: Slot | raw.Argument, variant: str = "", new_exists: bool = False
) -> Call:
    return Call(
        operation=_O.RENAME,
        syscall=syscall,
        arguments=arguments,
        variant=variant,
        way=Way.NAME,
        source_way=Way.NAME,
        new_exists=new_exists,
    )


def _rename_2(variant: str, flags: int, *, new_exists: bool = False) -> Call:
    places = (DIRECTORY, NAME, DIRECTORY, NEW)
    return _rename("renameat2", *places, flags, variant=variant, new_exists=new_exists)


def _link(
    syscall: str, *arguments: Slot | raw.Argument, variant: str = "", source_way: Way = Way.NAME
) -> Call:
    return Call(
        operation=_O.LINK,
        syscall=syscall,
        arguments=arguments,
        variant=variant,
        way=Way.NAME,
        source_way=source_way,
    )


NAMES: Final = (
    _mkdir("mkdir", NAME, 0o700),
    _mkdir("mkdirat", DIRECTORY, NAME, 0o700),
    _rmdir("rmdir", NAME),
    _rmdir("unlinkat", DIRECTORY, NAME, raw.AT_REMOVEDIR),
    _unlink("unlink", NAME),
    _unlink("unlinkat", DIRECTORY, NAME, 0),
    _rename("rename", NAME, NEW),
    _rename("rename", NAME, NEW, variant="over_a_file", new_exists=True),
    _rename("renameat", DIRECTORY, NAME, DIRECTORY, NEW),
    _rename_2("", 0),
    _rename_2("noreplace", raw.RENAME_NOREPLACE),
    _rename_2("exchange", raw.RENAME_EXCHANGE, new_exists=True),
    _rename_2("whiteout", raw.RENAME_WHITEOUT),
    _link("link", NAME, NEW),
    _link("linkat", DIRECTORY, NAME, DIRECTORY, NEW, 0),
    _link(
        *("linkat", DIRECTORY, NAME, DIRECTORY, NEW, raw.AT_SYMLINK_FOLLOW),
        variant="follow",
        source_way=Way.FOLLOWS,
    ),
    _link(
        *("linkat", DESCRIPTOR, b"", DIRECTORY, NEW, _EMPTY),
        variant="empty_path",
        source_way=Way.DESCRIPTOR,
    ),
    _symlink("symlink", _TEXT, NAME),
    _symlink("symlinkat", _TEXT, DIRECTORY, NAME),
)

# --- what a file is ------------------------------------------------------------------------------------

_MODE: Final = 0o2640
_OWNER: Final = 4321
_GROUP: Final = 8765
_ACCESSED_S: Final = 1_000_000_001
_MODIFIED_S: Final = 1_234_567_890
_S: Final = 1_000_000_000
_chmod = _row(_O.CHMOD, Way.FOLLOWS, Needs.FILE, {"new_mode": _MODE})
_chown = _row(_O.CHOWN, Way.FOLLOWS, Needs.FILE, {"new_owner_id": _OWNER, "new_owner_group_id": _GROUP})
_chgrp = _row(_O.CHOWN, Way.FOLLOWS, Needs.FILE, {"new_owner_id": None, "new_owner_group_id": _GROUP})
_truncate = _row(_O.TRUNCATE, Way.FOLLOWS, Needs.FILE, {"new_size_bytes": 3})
_setxattr = _row(_O.SETXATTR, Way.FOLLOWS, Needs.FILE, {"attribute_name": ATTRIBUTE.decode()})
_removexattr = _row(_O.REMOVEXATTR, Way.FOLLOWS, Needs.FILE, {"attribute_name": ATTRIBUTE.decode()})


def _stamps(accessed_ns: int | None, modified_ns: int | None) -> _Row:
    return _row(
        _O.UTIMES,
        Way.FOLLOWS,
        Needs.FILE,
        {"new_accessed_ns": accessed_ns, "new_modified_ns": modified_ns},
    )


_seconds = _stamps(_ACCESSED_S * _S, _MODIFIED_S * _S)
_microseconds = _stamps(_ACCESSED_S * _S + 5_000, _MODIFIED_S * _S + 7_000)
_nanoseconds = _stamps(_ACCESSED_S * _S + 5, _MODIFIED_S * _S + 7)
_one_omitted = _stamps(None, _MODIFIED_S * _S + 7)
_UTIMBUF: Final = raw.packed("=qq", _ACCESSED_S, _MODIFIED_S)
_TIMEVALS: Final = raw.packed("=qqqq", _ACCESSED_S, 5, _MODIFIED_S, 7)
_TIMESPECS: Final = raw.packed("=qqqq", _ACCESSED_S, 5, _MODIFIED_S, 7)
_ONE_TIMESPEC: Final = raw.packed("=qqqq", 0, raw.UTIME_OMIT, _MODIFIED_S, 7)


def _attribute_at(variant: str, flags: int, way: Way) -> Call:
    """`setxattrat`, whose value stands in a structure."""
    directory, name = (DESCRIPTOR, b"") if way is Way.DESCRIPTOR else (DIRECTORY, NAME)

    def ready(spot: Spot) -> Thunk:
        value = ctypes.create_string_buffer(VALUE)
        arguments = raw.packed("=QII", raw.address(value), len(VALUE), 0)
        at = spot.descriptor if directory is DESCRIPTOR else spot.directory
        text = spot.name if isinstance(name, Slot) else name
        keep = value
        return lambda: raw.call("setxattrat", at, text, flags, ATTRIBUTE, arguments, 16) if keep else 0

    return Call(
        operation=_O.SETXATTR,
        syscall="setxattrat",
        variant=variant,
        ready=ready,
        way=way,
        details=_setxattr.details,
    )


_OWNERS: Final = (_OWNER, _GROUP)
_SET: Final = (ATTRIBUTE, VALUE, len(VALUE), 0)

FILES: Final = (
    _truncate("truncate", NAME, 3),
    _truncate("ftruncate", DESCRIPTOR, 3, way=Way.DESCRIPTOR),
    _chmod("chmod", NAME, _MODE),
    _chmod("fchmod", DESCRIPTOR, _MODE, way=Way.DESCRIPTOR),
    _chmod("fchmodat", DIRECTORY, NAME, _MODE),
    _chmod("fchmodat2", DIRECTORY, NAME, _MODE, 0),
    _chmod("fchmodat2", DIRECTORY, NAME, _MODE, _NOFOLLOW, variant="nofollow", way=Way.NAME),
    _chmod("fchmodat2", DESCRIPTOR, b"", _MODE, _EMPTY, variant="empty_path", way=Way.DESCRIPTOR),
    _chown("chown", NAME, *_OWNERS),
    _chgrp("chown", NAME, -1, _GROUP, variant="group_only"),
    _chown("fchown", DESCRIPTOR, *_OWNERS, way=Way.DESCRIPTOR),
    _chown("lchown", NAME, *_OWNERS, way=Way.NAME),
    _chown("fchownat", DIRECTORY, NAME, *_OWNERS, 0),
    _chown("fchownat", DIRECTORY, NAME, *_OWNERS, _NOFOLLOW, variant="nofollow", way=Way.NAME),
    _chown("fchownat", DESCRIPTOR, b"", *_OWNERS, _EMPTY, variant="empty_path", way=Way.DESCRIPTOR),
    _seconds("utime", NAME, _UTIMBUF),
    _microseconds("utimes", NAME, _TIMEVALS),
    _microseconds("futimesat", DIRECTORY, NAME, _TIMEVALS),
    _microseconds("futimesat", DESCRIPTOR, None, _TIMEVALS, variant="no_name", way=Way.DESCRIPTOR),
    _nanoseconds("utimensat", DIRECTORY, NAME, _TIMESPECS, 0),
    _one_omitted("utimensat", DIRECTORY, NAME, _ONE_TIMESPEC, 0, variant="one_omitted"),
    _nanoseconds("utimensat", DIRECTORY, NAME, _TIMESPECS, _NOFOLLOW, variant="nofollow", way=Way.NAME),
    _nanoseconds("utimensat", DESCRIPTOR, None, _TIMESPECS, 0, variant="no_name", way=Way.DESCRIPTOR),
    _setxattr("setxattr", NAME, *_SET),
    _setxattr("lsetxattr", NAME, *_SET, way=Way.NAME),
    _setxattr("fsetxattr", DESCRIPTOR, *_SET, way=Way.DESCRIPTOR),
    _attribute_at("", 0, Way.FOLLOWS),
    _attribute_at("nofollow", _NOFOLLOW, Way.NAME),
    _attribute_at("empty_path", _EMPTY, Way.DESCRIPTOR),
    _removexattr("removexattr", NAME, ATTRIBUTE),
    _removexattr("lremovexattr", NAME, ATTRIBUTE, way=Way.NAME),
    _removexattr("fremovexattr", DESCRIPTOR, ATTRIBUTE, way=Way.DESCRIPTOR),
    _removexattr("removexattrat", DIRECTORY, NAME, 0, ATTRIBUTE),
    _removexattr("removexattrat", DIRECTORY, NAME, _NOFOLLOW, ATTRIBUTE, variant="nofollow", way=Way.NAME),
    _removexattr(
        *("removexattrat", DESCRIPTOR, b"", _EMPTY, ATTRIBUTE), variant="empty_path", way=Way.DESCRIPTOR
    ),
)

# --- mounts and programs -------------------------------------------------------------------------------

SOURCE: Final = b"any source"
_mount = _row(
    _O.MOUNT,
    Way.FOLLOWS,
    Needs.FOLDER,
    {"mount_source": SOURCE.decode(), "file_system": "tmpfs"},
)
_umount = _row(_O.UMOUNT, Way.FOLLOWS, Needs.MOUNTED)
_exec = _row(_O.EXEC, Way.OPENS, Needs.PROGRAM)
_ARGUMENTS: Final = raw.packed("=QQ", 0, 0)


def _move_mount(variant: str, flags: int, way: Way) -> Call:
    """A copy of a folder's mount, which hangs nowhere yet, is put upon the folder itself."""

    def ready(spot: Spot) -> Thunk:
        tree = raw.must("open_tree", spot.directory, spot.name, raw.OPEN_TREE_CLONE | os.O_CLOEXEC)
        all_flags = raw.MOVE_MOUNT_F_EMPTY_PATH | flags
        return lambda: raw.call("move_mount", tree, b"", spot.directory, spot.name, all_flags)

    return Call(
        operation=_O.MOUNT, syscall="move_mount", variant=variant, ready=ready, way=way, needs=Needs.FOLDER
    )


MOUNTS: Final = (
    _mount("mount", SOURCE, NAME, b"tmpfs", 0, None),
    Call(
        operation=_O.MOUNT,
        syscall="mount",
        variant="bind",
        arguments=(NAME, NAME, None, raw.MS_BIND, None),
        way=Way.FOLLOWS,
        needs=Needs.FOLDER,
        details={"file_system": None},
    ),
    _move_mount("", 0, Way.NAME),
    _move_mount("follow", raw.MOVE_MOUNT_T_SYMLINKS, Way.FOLLOWS),
    _umount("umount2", NAME, 0),
    _umount("umount2", NAME, raw.UMOUNT_NOFOLLOW, variant="nofollow", way=Way.NAME),
)

PROGRAMS: Final = (
    _exec("execve", NAME, _ARGUMENTS, None),
    _exec("execveat", DIRECTORY, NAME, _ARGUMENTS, None, 0),
    _exec("execveat", DIRECTORY, NAME, _ARGUMENTS, None, _NOFOLLOW, variant="nofollow"),
    _exec("execveat", DESCRIPTOR, b"", _ARGUMENTS, None, _EMPTY, variant="empty_path", way=Way.DESCRIPTOR),
)

TABLE: Final = (*OPENS, *TRANSFERS, *NAMES, *FILES, *MOUNTS, *PROGRAMS)
"""All rows."""
