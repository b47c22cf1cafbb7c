"""System calls by number, so that each is really that call and not what a library makes of it."""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Mapping
from typing import Final

AT_FDCWD: Final = -100
AT_SYMLINK_NOFOLLOW: Final = 0x100
AT_REMOVEDIR: Final = 0x200
AT_SYMLINK_FOLLOW: Final = 0x400
AT_EMPTY_PATH: Final = 0x1000
RENAME_NOREPLACE: Final = 1
RENAME_EXCHANGE: Final = 2
RENAME_WHITEOUT: Final = 4
MS_BIND: Final = 4096
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18
MNT_DETACH: Final = 2
UMOUNT_NOFOLLOW: Final = 8
OPEN_TREE_CLONE: Final = 1
MOVE_MOUNT_F_EMPTY_PATH: Final = 4
MOVE_MOUNT_T_SYMLINKS: Final = 0x10
CLONE_NEWNS: Final = 0x20000
UTIME_OMIT: Final = (1 << 30) - 2
MAP_SHARED: Final = 1
PROT_READ: Final = 1
PROT_WRITE: Final = 2

Argument = int | bytes | ctypes.Array[ctypes.c_char] | None

_X86_64: Final = {
    "read": 0,
    "write": 1,
    "open": 2,
    "mmap": 9,
    "pread64": 17,
    "pwrite64": 18,
    "readv": 19,
    "writev": 20,
    "sendfile": 40,
    "execve": 59,
    "truncate": 76,
    "ftruncate": 77,
    "rename": 82,
    "mkdir": 83,
    "rmdir": 84,
    "creat": 85,
    "link": 86,
    "unlink": 87,
    "symlink": 88,
    "chmod": 90,
    "fchmod": 91,
    "chown": 92,
    "fchown": 93,
    "lchown": 94,
    "utime": 132,
    "mknod": 133,
    "mount": 165,
    "umount2": 166,
    "setxattr": 188,
    "lsetxattr": 189,
    "fsetxattr": 190,
    "removexattr": 197,
    "lremovexattr": 198,
    "fremovexattr": 199,
    "utimes": 235,
    "openat": 257,
    "mkdirat": 258,
    "mknodat": 259,
    "fchownat": 260,
    "futimesat": 261,
    "unlinkat": 263,
    "renameat": 264,
    "linkat": 265,
    "symlinkat": 266,
    "fchmodat": 268,
    "unshare": 272,
    "splice": 275,
    "utimensat": 280,
    "preadv": 295,
    "pwritev": 296,
    "name_to_handle_at": 303,
    "open_by_handle_at": 304,
    "renameat2": 316,
    "execveat": 322,
    "copy_file_range": 326,
    "preadv2": 327,
    "pwritev2": 328,
}
_ARM64: Final = {
    "setxattr": 5,
    "lsetxattr": 6,
    "fsetxattr": 7,
    "removexattr": 14,
    "lremovexattr": 15,
    "fremovexattr": 16,
    "mknodat": 33,
    "mkdirat": 34,
    "unlinkat": 35,
    "symlinkat": 36,
    "linkat": 37,
    "renameat": 38,
    "umount2": 39,
    "mount": 40,
    "truncate": 45,
    "ftruncate": 46,
    "fchmod": 52,
    "fchmodat": 53,
    "fchownat": 54,
    "fchown": 55,
    "openat": 56,
    "read": 63,
    "write": 64,
    "readv": 65,
    "writev": 66,
    "pread64": 67,
    "pwrite64": 68,
    "preadv": 69,
    "pwritev": 70,
    "sendfile": 71,
    "splice": 76,
    "utimensat": 88,
    "unshare": 97,
    "execve": 221,
    "mmap": 222,
    "name_to_handle_at": 264,
    "open_by_handle_at": 265,
    "renameat2": 276,
    "execveat": 281,
    "copy_file_range": 285,
    "preadv2": 286,
    "pwritev2": 287,
}
_EVERYWHERE: Final = {
    "open_tree": 428,
    "move_mount": 429,
    "openat2": 437,
    "fchmodat2": 452,
    "setxattrat": 463,
    "removexattrat": 466,
}
NUMBERS: Final[Mapping[str, int]] = {
    **(_X86_64 if platform.machine() == "x86_64" else _ARM64),
    **_EVERYWHERE,
}
"""By name; the first calls of Unix are missing on younger architectures."""

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long


def call(name: str, *arguments: Argument) -> int:
    """What the kernel answers: a result, or an error number below zero."""
    result: int = _LIBC.syscall(ctypes.c_long(NUMBERS[name]), *map(_word, arguments))
    return -ctypes.get_errno() if result == -1 else result


def must(name: str, *arguments: Argument) -> int:
    """The same of a call that has to succeed.

    Raises:
        OSError: It did not.
    """
    result = call(name, *arguments)
    if result < 0:
        raise OSError(-result, f"{name}{arguments}: {os.strerror(-result)}")
    return result


def exists(name: str) -> bool:
    """Whether this kernel has the call; asked with arguments that nothing can be done with."""
    return name in NUMBERS and call(name, -1, None, -1, None, -1, -1) != -errno.ENOSYS


def _word(argument: Argument) -> object:
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def vector(buffer: ctypes.Array[ctypes.c_char]) -> ctypes.Array[ctypes.c_char]:
    """One `struct iovec` over a buffer; the caller keeps the buffer alive."""
    return packed("=QQ", ctypes.addressof(buffer), len(buffer))


def packed(form: str, *values: int) -> ctypes.Array[ctypes.c_char]:
    """A structure in memory."""
    raw = struct.pack(form, *values)
    return ctypes.create_string_buffer(raw, len(raw))


def handle_of(directory: int, name: bytes, flags: int) -> ctypes.Array[ctypes.c_char]:
    """A `struct file_handle` of a file.

    Raises:
        OSError: The file system gives none.
    """
    handle = ctypes.create_string_buffer(struct.pack("=Ii", 128, 0), 8 + 128)
    mount = ctypes.create_string_buffer(8)
    must("name_to_handle_at", directory, name, handle, mount, flags)
    return handle


def own_mounts() -> None:
    """Go into a mount namespace of one's own, from which nothing comes back to the host's.

    Raises:
        OSError: Not permitted.
    """
    must("unshare", CLONE_NEWNS)
    must("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)


def unmount_all(point: bytes) -> None:
    """Take away whatever is mounted there."""
    while call("umount2", point, MNT_DETACH | UMOUNT_NOFOLLOW) == 0:
        """Mounts may lie upon each other."""


def address(buffer: ctypes.Array[ctypes.c_char]) -> int:
    """Where it is in memory; the caller keeps it alive."""
    return ctypes.addressof(buffer)
