"""Looks at a file that open no file and wait for nobody: openat2(2) with O_PATH, and statx(2).

A descriptor made with O_PATH only names the file: no device is woken, no lock is met, no right is needed. Two
things could still make us wait. A *name* may have to be looked up by a server or by a process of a user
(FUSE): RESOLVE_CACHED (5.12) gives up there, with EAGAIN, and where the kernel lacks it nothing is looked up
but in file systems that are known to be local (`mount_table`). And what the *inode* says may have to be
asked for: AT_STATX_DONT_SYNC takes what is known.
"""

import ctypes
import functools
import os
import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from fileaudit_engine.text import from_kernel

NO_MAGICLINKS: Final = 0x02
NO_SYMLINKS: Final = 0x04
CACHED: Final = 0x20
NOFOLLOW: Final = os.O_NOFOLLOW

_OPENAT2: Final = 437
_CURRENT_DIRECTORY: Final = -100
_O_PATH: Final = 0o10000000
_HOW: Final = struct.Struct("=QQQ")
_EMPTY_PATH: Final = 0x1000
_NO_AUTOMOUNT: Final = 0x800
_DONT_SYNC: Final = 0x4000
_WANTED: Final = 0x7FF | 0x800 | 0x1000  # all of stat(2), the time of birth, the mount
_STATX: Final = struct.Struct("=16xIIIHxxQQ16x16xqI4xqI4x16x8xIIQ")
_Buffer: Final = ctypes.c_char * 256
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class Status(NamedTuple):
    """What is known of a file.

    Attributes:
        links: Its names in the file system.
        owner: User id; `group` is a group id.
        mode: Type and permission bits.
        inode: Its number.
        size: In bytes.
        born: When it was made, seconds and nanoseconds; zeros where the file system does not keep that.
        changed: When its inode, of a folder also when what is in it, was changed; likewise.
        device: As stat(2) tells it, in the kernel's encoding; the kernel itself may have another (btrfs).
        mount: The number of the mount by which it was reached.
    """

    links: int
    owner: int
    group: int
    mode: int
    inode: int
    size: int
    born: tuple[int, int]
    changed: tuple[int, int]
    device: int
    mount: int


def opened(path: bytes, *, at: int = _CURRENT_DIRECTORY, flags: int = 0, resolve: int = 0) -> int:
    """A descriptor that only names the file, to be closed by the caller.

    Args:
        path: The file; relative to `at` unless absolute.
        at: A descriptor of a folder.
        flags: Of open(2), beside O_PATH and O_CLOEXEC.
        resolve: Of openat2(2).

    Raises:
        OSError: There is none, or (`CACHED`) the kernel would have to wait for it: BlockingIOError.
    """
    if b"\0" in path:
        raise FileNotFoundError
    descriptor: int = _LIBC.syscall(_OPENAT2, at, path, _how(flags, resolve), _HOW.size)
    if descriptor < 0:
        raise _error()
    return descriptor


def status(descriptor: int) -> Status:
    """What is known of an open file, without asking anybody.

    Raises:
        OSError: The kernel does not say, or (before 5.8) not by which mount.
    """
    buffer = _Buffer()
    flags = _EMPTY_PATH | _NO_AUTOMOUNT | _DONT_SYNC
    if _LIBC.statx(descriptor, b"", flags, _WANTED, buffer):
        raise _error()
    links, owner, group, mode, inode, size, b_s, b_ns, c_s, c_ns, major, minor, mount = _STATX.unpack_from(
        buffer
    )
    device = major << 20 | minor
    return Status(links, owner, group, mode, inode, size, (b_s, b_ns), (c_s, c_ns), device, mount)


def name_of(descriptor: int) -> str:
    """What the kernel calls an open file: its absolute path, or `pipe:[4711]` and the like."""
    target = os.readlink(b"/proc/self/fd/%d" % descriptor)  # noqa: PTH115 - bytes, and no Path can hold them
    return from_kernel(target)


@functools.cache
def cached() -> int:
    """`CACHED` where the kernel has it (5.12), else 0: then only local file systems may be looked at."""
    return CACHED if _works(lambda: opened(b"/", resolve=CACHED)) else 0


def _works(attempt: Callable[[], int]) -> bool:
    try:
        os.close(attempt())
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


@functools.lru_cache(maxsize=64)
def _how(flags: int, resolve: int) -> "ctypes.Array[ctypes.c_char]":
    return ctypes.create_string_buffer(_HOW.pack(_O_PATH | os.O_CLOEXEC | flags, 0, resolve), _HOW.size)


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
