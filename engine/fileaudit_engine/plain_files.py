"""Files that somebody names for us to read: secrets, certificates, the configuration.

A pipe that nobody writes to is waited for without end, and to open a device may do something. So whatever is
no plain file is refused before it is opened, and once more when it is open. Links are followed: systemd,
Docker and Kubernetes give files as links.
"""

import errno
import os
import stat
from pathlib import Path
from typing import Final

LARGEST: Final = 16 << 20
"""Bytes of a file that others read for us: all authorities that a host trusts are less than one mebibyte."""

_LOOKING: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""How a file is opened to read it; `O_NONBLOCK` matters to a pipe that nobody writes to."""


class NotPlain(OSError):
    """Something else stands there; what, is in `strerror`, in words."""

    def __init__(self, path: Path, words: str) -> None:
        super().__init__(errno.EINVAL, words, str(path))


def require_plain(path: Path) -> None:
    """Refuse what others, who do not look, would open by its name.

    Raises:
        NotPlain: It is a folder, a device or a pipe, or too large for what it is to be.
        OSError: It is not there, or nobody may look.
    """
    found = path.stat()
    _refuse_others(found, path)
    if found.st_size > LARGEST:
        raise NotPlain(path, f"it has more than {LARGEST >> 20} MiB")


def read_plain(path: Path, most: int) -> bytes:
    """What stands in a file, not more than `most` bytes of it.

    Raises:
        NotPlain: It is a folder, a device or a pipe.
        OSError: The system refuses.
    """
    _refuse_others(path.stat(), path)  # before it is opened: to open a device does something
    with os.fdopen(os.open(path, _LOOKING), "rb") as file:
        _refuse_others(os.fstat(file.fileno()), path)
        return file.read(most)


def _refuse_others(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise NotPlain(path, "a folder, a device or a pipe stands there, and no plain file")
