"""The store's file on disk: whose it is, and who else could reach it.

The engine runs as root and writes where it is told. Were another user able to write in that folder, he could
put a link in the place of the database, or a forged log beside it that SQLite would replay into it. So the
folder, and every folder above it, must belong to root or to us and be closed to others; a folder that sticks
(`/tmp`) may stand above, because what is ours in it stays ours.
"""

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

from fileaudit_engine.diagnostics import MachineCannot, unusable_file

_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_REMEDY: Final = "choose a folder that only you can write to, such as /var/lib/fileaudit"


def prepare(path: Path) -> Path:
    """Make sure that a private file stands at `path`; returns its path without links in its folders.

    Raises:
        UnusableInput: The place is not safe, or holds something that is no file of ours.
        MachineCannot: The system refuses to make the folder or the file.
    """
    try:
        folder = _make_folder(path.absolute().parent)
        place = folder / path.name
        _refuse_open_folders(folder)
        if not os.path.lexists(place):
            _create(place)
    except OSError as error:
        raise MachineCannot(
            f"the store {path} cannot be made: {error.strerror or error}",
            remedy="choose another place with --store, or run as a user who may write there",
        ) from error
    _refuse_foreign_file(place)
    return place


def existing(path: Path) -> Path:
    """The path of a store to read, without links in its folders.

    Raises:
        UnusableInput: There is none, or something that is no file.
    """
    place = path.absolute().parent.resolve() / path.name
    _refuse_foreign_file(place, ours=False)
    return place


def _make_folder(folder: Path) -> Path:
    """Make what is missing, private to us; `os.makedirs` would give the upper ones the umask's mode."""
    missing = []
    while not os.path.lexists(folder):
        missing.append(folder.name)
        folder = folder.parent
    folder = folder.resolve(strict=True)
    for name in reversed(missing):
        folder /= name
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=_FOLDER_MODE)
    return folder


def _refuse_open_folders(folder: Path) -> None:
    """Refuse a folder that somebody else could change."""
    for place in (folder, *folder.parents):
        found = place.stat()
        sticky = place != folder and found.st_mode & stat.S_ISVTX
        if found.st_uid not in {0, os.geteuid()}:
            raise unusable_file("FA091", str(place), "the store's folder belongs to another user", _REMEDY)
        if found.st_mode & _writers(found) and not sticky:
            raise unusable_file("FA091", str(place), "other users can write to the store's folder", _REMEDY)


def _writers(found: os.stat_result) -> int:
    """The permission bits that let others in; our own group is not another's."""
    return stat.S_IWOTH if found.st_gid in {0, os.getegid()} else stat.S_IWOTH | stat.S_IWGRP


def _create(place: Path) -> None:
    """A new, empty file; whoever was faster is found out by the check that follows."""
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
        try:
            os.fchmod(descriptor, _FILE_MODE)  # whatever the umask took away
        finally:
            os.close(descriptor)


def _refuse_foreign_file(place: Path, *, ours: bool = True) -> None:
    """Refuse what is no plain file, and for writing also what another user owns or can write."""
    try:
        # Not opened: closing any descriptor of a database drops the locks that SQLite holds on it.
        found = place.lstat()
    except OSError as error:
        raise unusable_file(
            "FA090", str(place), f"the store cannot be read: {error.strerror}", "name the file of a store"
        ) from error
    if not stat.S_ISREG(found.st_mode):
        kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "not a file"
        raise unusable_file("FA092", str(place), f"the store is {kind}", "name the file itself")
    if not ours:
        return
    if found.st_uid not in {0, os.geteuid()} or found.st_nlink != 1 or found.st_mode & _writers(found):
        raise unusable_file(
            "FA092", str(place), "the store belongs to another user, or others can write to it", _REMEDY
        )
