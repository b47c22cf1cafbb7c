"""Which users this host has, by number: those of its own file, /etc/passwd.

A directory server may have any number of others and does not list them. Whoever needs the users of a name
must therefore take numbers that are not here for anybody's.
"""

from pathlib import Path
from typing import Final

PASSWD: Final = Path("/etc/passwd")

_NUMBER: Final = 2
"""Place of the user id in a line."""

Stamp = tuple[int, int, int, int]
"""What changes when a file does."""


class Accounts:
    """The numbers in the file, read again when it has changed.

    Args:
        file: In the format of passwd(5).
    """

    def __init__(self, file: Path = PASSWD) -> None:
        self._file = file
        self._stamp: Stamp | None = None
        self._numbers: frozenset[int] = frozenset()

    def numbers(self) -> frozenset[int]:
        """The users' numbers as of now; none while the file cannot be read."""
        stamp = _stamp(self._file)
        if stamp is None:
            return frozenset()
        if stamp != self._stamp:
            self._stamp, self._numbers = stamp, _numbers(self._file)
        return self._numbers


def _stamp(file: Path) -> Stamp | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns


def _numbers(file: Path) -> frozenset[int]:
    try:
        lines = file.read_bytes().splitlines()
    except OSError:
        return frozenset()
    columns = (line.split(b":") for line in lines)
    texts = (column[_NUMBER] for column in columns if len(column) > _NUMBER)
    return frozenset(int(text) for text in texts if text.isdigit() and len(text) <= len("4294967295"))
