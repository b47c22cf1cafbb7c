"""The true path behind a name that the kernel refused to open.

When an open is denied there is no file to ask for its path, and the name may lead through links. So user
space follows them, at once and without ever waiting for a disk or a server: `openat2` with RESOLVE_CACHED
gives up where it would have to. Nothing is opened (O_PATH), nothing is mounted, nothing is triggered.

It also gives up at a link whose access time is due, which is every link for some milliseconds after it was
made: just when somebody tries one. Such a path is walked name by name, and a link is read only where its file
system is a local one; a user's own (FUSE), or a server's, could make us wait for ever.

`/proc/self` is the caller's, not ours, so it is spelled out first. Only below such a process folder may
the special links of /proc be crossed: elsewhere one that is met (`/dev/fd/3`) would be our own. A caller
that has ended takes its folder along; the root that it had is then taken for the host's.
"""

import contextlib
import ctypes
import os
import posixpath
import re
import stat
import struct
from collections.abc import Iterator
from typing import Final

from fileaudit_engine.text import from_kernel, to_kernel

_OPENAT2: Final = 437
_AT_FDCWD: Final = -100
_O_PATH: Final = 0o10000000
_NO_MAGICLINKS: Final = 0x02
_CACHED: Final = 0x20
_HOW: Final = struct.Struct("=QQQ")
_MAX_NAMES: Final = 4096
"""Names of one path, those of its links among them; more is a loop."""
_STATFS_BYTES: Final = 256
_MAGIC: Final = struct.Struct("=Q")
_LOCAL: Final = frozenset(
    {
        0xEF53,  # ext2, ext3, ext4
        0x58465342,  # XFS
        0x9123683E,  # btrfs
        0xCA451A4E,  # bcachefs
        0xF2F52010,  # F2FS
        0x2FC12FC1,  # ZFS
        0x01021994,  # tmpfs
        0x858458F6,  # ramfs
        0x73717368,  # SquashFS
        0x794C7630,  # overlayfs
    }
)
"""`f_type` of file systems whose links are in memory or on a disk of this host (statfs(2))."""
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_OWN: Final = re.compile(r"/proc/(self|thread-self)(?=/|$)")
_PROCESS: Final = re.compile(r"/proc/\d+/")
_PROCESS_ROOT: Final = re.compile(r"/proc/\d+(/task/\d+)?/root(?=/)")


def follow(path: str, *, pid: int, thread: int) -> str | None:
    """Where `path` led the thread, None if that cannot be told without waiting."""
    spelled = _spelled(path, pid, thread)
    candidates = (
        (spelled, _PROCESS_ROOT.sub("", spelled, count=1)) if _PROCESS_ROOT.match(spelled) else (spelled,)
    )
    for candidate in candidates:
        target = _target(candidate)
        if target is not None:
            return target
    return None


def normalised(path: str, *, pid: int, thread: int) -> str:
    """The path with its dots and doubled slashes worked out as text, links not followed."""
    text = posixpath.normpath(_spelled(path, pid, thread))
    return text[1:] if text.startswith("//") else text


def _spelled(path: str, pid: int, thread: int) -> str:
    def folder(match: re.Match[str]) -> str:
        return f"/proc/{pid}" if match[1] == "self" else f"/proc/{pid}/task/{thread}"

    return _OWN.sub(folder, path, count=1) if _OWN.match(path) else path


def _target(path: str) -> str | None:
    resolve = _CACHED if _PROCESS.match(path) else _CACHED | _NO_MAGICLINKS
    raw = to_kernel(path)
    with contextlib.suppress(OSError), _opened(raw, resolve) as descriptor:
        return _name_of(descriptor)
    if resolve & _NO_MAGICLINKS:
        with contextlib.suppress(OSError):
            return _walked(raw)
    return None


def _name_of(descriptor: int) -> str | None:
    target = os.readlink(b"/proc/self/fd/%d" % descriptor)  # noqa: PTH115 - bytes, and no Path can hold them
    return from_kernel(target) if target.startswith(b"/") else None


def _walked(path: bytes) -> str | None:
    """Where an absolute path leads, name by name.

    Raises:
        OSError: It leads nowhere, or somewhere that could make us wait.
    """
    names, at = path.split(b"/")[::-1], b"/"
    for _ in range(_MAX_NAMES):
        if not names:
            return from_kernel(at)
        name = names.pop()
        if name == b"..":
            at = posixpath.dirname(at)
        elif name not in {b"", b"."}:
            here = posixpath.join(at, name)
            with _opened(here, _CACHED | _NO_MAGICLINKS, os.O_NOFOLLOW) as descriptor:
                target = _link_target(descriptor)
            if target is None:
                at = here
            else:
                names += target.split(b"/")[::-1]
                at = b"/" if target.startswith(b"/") else at
    return None


def _link_target(descriptor: int) -> bytes | None:
    """What a link holds; None for anything that is no link.

    Raises:
        OSError: It lies on a file system that could make us wait.
    """
    if not stat.S_ISLNK(os.fstat(descriptor).st_mode):
        return None
    buffer = ctypes.create_string_buffer(_STATFS_BYTES)
    if _LIBC.fstatfs(descriptor, buffer) or _MAGIC.unpack_from(buffer)[0] not in _LOCAL:
        raise BlockingIOError
    return os.readlink(b"", dir_fd=descriptor)


@contextlib.contextmanager
def _opened(path: bytes, resolve: int, flags: int = 0) -> Iterator[int]:
    """A descriptor that only names the file.

    Raises:
        OSError: There is none, or the kernel would have to wait for it.
    """
    if b"\0" in path:
        raise FileNotFoundError
    how = ctypes.create_string_buffer(_HOW.pack(_O_PATH | os.O_CLOEXEC | flags, 0, resolve), _HOW.size)
    descriptor: int = _LIBC.syscall(_OPENAT2, _AT_FDCWD, path, how, _HOW.size)
    if descriptor < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    try:
        yield descriptor
    finally:
        os.close(descriptor)
