"""Folders and files that nobody else can touch: where the store, the JSON log and anchors are kept.

The engine runs as root and writes where it is told. Were another user able to write in that folder, he could
put a link in the place of a file, or a forged log beside a database that SQLite would replay into it. So the
folder, and every folder above it, must belong to root or to us and be closed to others; a folder that sticks
(`/tmp`) may stand above, because what is ours in it stays ours. Logs may also stand below a folder that root
shares with a group of the system: `/var/log` belongs to `syslog`, too, on some.
"""

import contextlib
import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine.diagnostics import unusable_file

_MOST_COMPONENTS: Final = 4_096
"""Of a path, links followed: it goes round in circles."""
FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
FIRST_USERS_GROUP: Final = 1_000
"""The first group that is not the system's: FIRST_GID of adduser, GID_MIN of login.defs."""
_APPENDING: Final = os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""How a file is opened that is only ever written at its end; `O_NONBLOCK` matters to what is no file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Private:
    """What is kept in private, and what people are told who would keep it elsewhere.

    Attributes:
        what: What it is called, such as `store`.
        remedy: What to do about a place that is not safe, in the imperative.
        below_system_groups: Whether folders above it that root owns may be written by a group of the system.
    """

    what: str
    remedy: str
    below_system_groups: bool = False

    def folder(self, folder: Path) -> Path:
        """Make what is missing of a folder, and check it; returns its path without links.

        Raises:
            UnusableInput: Somebody else could change it, or a folder above it, or a link on the way.
            OSError: The system refuses to make it.
        """
        self._refuse_links(folder.absolute())
        made = made_folder(folder)
        self.refuse_open(made)
        return made

    def _refuse_links(self, folder: Path) -> None:
        """Refuse a link that somebody else may have put there: he could have us write anywhere.

        What a link leads to is looked at in the same way.
        """
        place, ahead = Path("/"), list(reversed(folder.parts[1:]))
        for _ in range(_MOST_COMPONENTS):
            if not ahead:
                return
            below = place / ahead.pop()
            if below.name == ".." or not below.is_symlink():
                place = place.parent if below.name == ".." else below
                continue
            if self._is_anybodys(place.stat(), below.lstat()):
                message = f"a symbolic link stands where others can write, on the way to the {self.what}"
                raise unusable_file("FA091", str(below), message, self.remedy)
            target = below.readlink()
            place = Path("/") if target.is_absolute() else place
            ahead += reversed(target.parts[target.is_absolute() :])
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(folder))

    def _is_anybodys(self, above: os.stat_result, link: os.stat_result) -> bool:
        """Whether somebody else may have made a link in a folder."""
        others_may = above.st_mode & writers(above) or above.st_uid not in {0, os.geteuid()}
        sticks = above.st_mode & stat.S_ISVTX and link.st_uid in {0, os.geteuid()}
        return bool(others_may) and not sticks

    def refuse_open(self, folder: Path) -> None:
        """Refuse a folder, given without links, that somebody else could change.

        Raises:
            UnusableInput: It is one.
        """
        for place in (folder, *folder.parents):
            found = place.stat()
            trusted = place != folder and (found.st_mode & stat.S_ISVTX or self._is_the_systems(found))
            if found.st_uid not in {0, os.geteuid()}:
                message = f"the {self.what}'s folder belongs to another user"
                raise unusable_file("FA091", str(place), message, self.remedy)
            if found.st_mode & writers(found) and not trusted:
                message = f"other users can write to the {self.what}'s folder"
                raise unusable_file("FA091", str(place), message, self.remedy)

    def _is_the_systems(self, found: os.stat_result) -> bool:
        """Whether nobody but root and a group of the system can change a folder."""
        closed = not found.st_mode & stat.S_IWOTH and found.st_uid == 0
        return self.below_system_groups and closed and found.st_gid < FIRST_USERS_GROUP

    def refuse_no_file(self, found: os.stat_result, place: Path) -> None:
        """Refuse what is no plain file.

        Raises:
            UnusableInput: It is something else.
        """
        if not stat.S_ISREG(found.st_mode):
            kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "not a file"
            raise unusable_file("FA092", str(place), f"the {self.what} is {kind}", "name the file itself")

    def refuse_foreign(self, found: os.stat_result, place: Path) -> None:
        """Refuse what is no plain file, and a file that another user owns or can write.

        Raises:
            UnusableInput: It is one of these.
        """
        self.refuse_no_file(found, place)
        if found.st_uid not in {0, os.geteuid()} or found.st_nlink != 1 or found.st_mode & writers(found):
            message = f"the {self.what} belongs to another user, or others can write to it"
            raise unusable_file("FA092", str(place), message, self.remedy)

    def open_to_append(self, place: Path) -> int:
        """A descriptor of the file at `place`, made if there is none, for writing at its end.

        Its folder has been checked before.

        Raises:
            UnusableInput: It is no plain file, or others have a hand in it.
            OSError: The system refuses.
        """
        try:
            descriptor = os.open(place, os.O_RDWR | _APPENDING, FILE_MODE)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                self.refuse_no_file(place.lstat(), place)
            raise
        try:
            found = os.fstat(descriptor)
            self.refuse_foreign(found, place)
            if stat.S_IMODE(found.st_mode) != FILE_MODE:  # the umask took away; not allowed after `chattr +a`
                os.fchmod(descriptor, FILE_MODE)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


def made_folder(folder: Path) -> Path:
    """Make what is missing, private to us; `os.makedirs` would give the upper ones the umask's mode.

    Raises:
        OSError: The system refuses.
    """
    folder = folder.absolute()
    missing = []
    while not os.path.lexists(folder):
        missing.append(folder.name)
        folder = folder.parent
    folder = folder.resolve(strict=True)
    for name in reversed(missing):
        folder /= name
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=FOLDER_MODE)
    return folder


def writers(found: os.stat_result) -> int:
    """The permission bits that let others in; our own group is not another's."""
    return stat.S_IWOTH if found.st_gid in {0, os.getegid()} else stat.S_IWOTH | stat.S_IWGRP
