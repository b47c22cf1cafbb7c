"""The true path behind a name that the kernel refused to open.

When an open is denied there is no file to ask for its path, and the name may lead through links. So user
space follows them, at once and without ever waiting for a disk or a server: `openat2` with RESOLVE_CACHED
gives up where it would have to. Nothing is opened (O_PATH), nothing is mounted, nothing is triggered.

`/proc/self` is the caller's, not ours, so it is spelled out first. Only below such a process folder may
the special links of /proc be crossed: elsewhere one that is met (`/dev/fd/3`) would be our own. A caller
that has ended takes its folder along; the root that it had is then taken for the host's.
"""

import ctypes
import os
import posixpath
import re
import struct
from typing import Final

from fileaudit_engine.text import from_kernel, to_kernel

_OPENAT2: Final = 437
_AT_FDCWD: Final = -100
_O_PATH: Final = 0o10000000
_NO_MAGICLINKS: Final = 0x02
_CACHED: Final = 0x20
_HOW: Final = struct.Struct("=QQQ")
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
    descriptor = _open_path(to_kernel(path), resolve)
    if descriptor is None:
        return None
    try:
        target = os.readlink(b"/proc/self/fd/%d" % descriptor)  # noqa: PTH115 - bytes, and no Path can hold them
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return from_kernel(target) if target.startswith(b"/") else None


def _open_path(path: bytes, resolve: int) -> int | None:
    if b"\0" in path:
        return None
    how = ctypes.create_string_buffer(_HOW.pack(_O_PATH | os.O_CLOEXEC, 0, resolve), _HOW.size)
    result: int = _LIBC.syscall(_OPENAT2, _AT_FDCWD, path, how, _HOW.size)
    return result if result >= 0 else None
