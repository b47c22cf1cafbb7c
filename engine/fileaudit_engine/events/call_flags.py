"""Names for the flags of any call.

The same bit means one thing to `renameat2` and another to `umount2`, so there is a table for each operation.
The values are those of the kernel's own headers (`linux/fcntl.h`, `linux/fs.h`, `linux/mount.h`,
`linux/xattr.h`), the same on every architecture.
"""

from collections.abc import Mapping
from typing import Final

from fileaudit_engine.events.flags import open_flag_names
from fileaudit_engine.events.model import Operation

Bits = tuple[tuple[int, str], ...]

_NOFOLLOW: Final = (0x100, "AT_SYMLINK_NOFOLLOW")
_EMPTY_PATH: Final = (0x1000, "AT_EMPTY_PATH")

_ON_FILES: Final[Bits] = (_NOFOLLOW, _EMPTY_PATH)
_ON_ATTRIBUTES: Final[Bits] = ((0x1, "XATTR_CREATE"), (0x2, "XATTR_REPLACE"), *_ON_FILES)

_NAMES: Final[Mapping[Operation, Bits]] = {
    **dict.fromkeys((Operation.CHMOD, Operation.CHOWN, Operation.UTIMES, Operation.EXEC), _ON_FILES),
    **dict.fromkeys((Operation.SETXATTR, Operation.REMOVEXATTR), _ON_ATTRIBUTES),
    **dict.fromkeys((Operation.UNLINK, Operation.RMDIR), ((0x200, "AT_REMOVEDIR"),)),
    Operation.LINK: ((0x400, "AT_SYMLINK_FOLLOW"), _EMPTY_PATH),
    Operation.RENAME: ((0x1, "RENAME_NOREPLACE"), (0x2, "RENAME_EXCHANGE"), (0x4, "RENAME_WHITEOUT")),
    Operation.UMOUNT: (
        (0x1, "MNT_FORCE"),
        (0x2, "MNT_DETACH"),
        (0x4, "MNT_EXPIRE"),
        (0x8, "UMOUNT_NOFOLLOW"),
    ),
    Operation.MOUNT: (
        (1 << 0, "MS_RDONLY"),
        (1 << 1, "MS_NOSUID"),
        (1 << 2, "MS_NODEV"),
        (1 << 3, "MS_NOEXEC"),
        (1 << 4, "MS_SYNCHRONOUS"),
        (1 << 5, "MS_REMOUNT"),
        (1 << 6, "MS_MANDLOCK"),
        (1 << 7, "MS_DIRSYNC"),
        (1 << 8, "MS_NOSYMFOLLOW"),
        (1 << 10, "MS_NOATIME"),
        (1 << 11, "MS_NODIRATIME"),
        (1 << 12, "MS_BIND"),
        (1 << 13, "MS_MOVE"),
        (1 << 14, "MS_REC"),
        (1 << 15, "MS_SILENT"),
        (1 << 16, "MS_POSIXACL"),
        (1 << 17, "MS_UNBINDABLE"),
        (1 << 18, "MS_PRIVATE"),
        (1 << 19, "MS_SLAVE"),
        (1 << 20, "MS_SHARED"),
        (1 << 21, "MS_RELATIME"),
        (1 << 23, "MS_I_VERSION"),
        (1 << 24, "MS_STRICTATIME"),
        (1 << 25, "MS_LAZYTIME"),
    ),
}

_OPENS: Final = frozenset({Operation.OPEN, Operation.CREATE})


def call_flag_names(operation: Operation, flags: int) -> tuple[str, ...]:
    """The flags of a call by name, bits without one as a hexadecimal number; an open has at least a mode."""
    if operation in _OPENS:
        return open_flag_names(flags)
    names = []
    for bit, name in _NAMES.get(operation, ()):
        if flags & bit:
            names.append(name)
            flags &= ~bit
    return (*names, hex(flags)) if flags else tuple(names)
