"""The store's file on disk, in a folder that nobody else can write to; see `private`."""

import contextlib
import os
from pathlib import Path
from typing import Final

from fileaudit_engine.diagnostics import MachineCannot, unusable_file
from fileaudit_engine.private import FILE_MODE, Private

STORE: Final = Private(
    what="store", remedy="choose a folder that only you can write to, such as /var/lib/fileaudit"
)


def prepare(path: Path) -> Path:
    """Make sure that a private file stands at `path`; returns its path without links in its folders.

    Raises:
        UnusableInput: The place is not safe, or holds something that is no file of ours.
        MachineCannot: The system refuses to make the folder or the file.
    """
    try:
        place = STORE.folder(path.parent) / path.name
        if not os.path.lexists(place):
            _create(place)
    except OSError as error:
        raise MachineCannot(
            f"the store {path} cannot be made: {error.strerror or error}",
            remedy="choose another place with --store, or run as a user who may write there",
        ) from error
    STORE.refuse_foreign(_status(place), place)
    return place


def existing(path: Path) -> Path:
    """The path of a store to read, without links in its folders.

    Raises:
        UnusableInput: There is none, or something that is no file.
    """
    place = path.absolute().parent.resolve() / path.name
    STORE.refuse_no_file(_status(place), place)
    return place


def _create(place: Path) -> None:
    """A new, empty file; whoever was faster is found out by the check that follows."""
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        try:
            os.fchmod(descriptor, FILE_MODE)  # whatever the umask took away
        finally:
            os.close(descriptor)


def _status(place: Path) -> os.stat_result:
    """What stands there. Not opened: closing any descriptor of a database drops SQLite's locks on it."""
    try:
        return place.lstat()
    except OSError as error:
        raise unusable_file(
            "FA090", str(place), f"the store cannot be read: {error.strerror}", "name the file of a store"
        ) from error
