"""The store's file on disk, in a folder that nobody else can write to; see `private`."""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final

from fileaudit_engine.diagnostics import MachineCannot, unusable_file
from fileaudit_engine.private import FILE_MODE, Private

STORE: Final = Private(
    what="store", remedy="choose a folder that only you can write to, such as /var/lib/fileaudit"
)

_MAX_PID_DIGITS: Final = 16


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


def take_lock(place: Path) -> int:
    """Become the one writer of a store; returns the descriptor that stands for it until it is closed.

    The lock is a file beside the store, which stays: whoever removed it could let a second writer in.

    Raises:
        MachineCannot: Another process is that, or the system refuses.
        UnusableInput: What stands there is no file of ours.
    """
    lock = place.with_name(place.name + "-lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    except OSError as error:
        if os.path.lexists(lock):
            STORE.refuse_foreign(_status(lock), lock)
        raise MachineCannot(
            f"the store {place} cannot be locked: {error.strerror or error}", remedy=STORE.remedy
        ) from error
    try:
        STORE.refuse_foreign(os.fstat(descriptor), lock)
        _lock(descriptor, place)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _lock(descriptor: int, place: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, _MAX_PID_DIGITS, 0).decode("ascii", "replace").strip()
        who = f" (process {holder})" if holder.isdecimal() else ""
        raise MachineCannot(
            f"another process{who} writes to the store {place}",
            remedy="stop that one, or name another store with --store; any number of processes may read",
        ) from error
    with contextlib.suppress(OSError):  # a full disk: the lock holds, it only does not say whose it is
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


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
