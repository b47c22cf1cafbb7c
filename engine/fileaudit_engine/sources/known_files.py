"""The files that rules name, by their inodes: so that other names of them are seen.

`/etc/shadow` is one name of a file. A hard link is another, and so is the way through a mount; to the kernel
they are one inode. Paths that rules name whole are looked up here, again and again, and the inodes found go
into a map of the kernel, which then knows these files by whatever name they are opened.

Paths are compared regardless of the case of ASCII letters, as everywhere. Where nothing is called by the
lower-cased name, the folder is listed, once for each time that it changes. Links are not followed: a file is
called by its own name, and whoever may make links must not choose for us what is watched. Folders are not
learned, nor anything on a file system that could make us wait (`mount_table`).
"""

import contextlib
import itertools
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from fileaudit_engine.sources import look
from fileaudit_engine.sources.look import Status
from fileaudit_engine.sources.mount_table import MountWatch
from fileaudit_engine.text import from_kernel, to_kernel

LITERALS: Final = 4096
"""Paths that are looked up; of more, these."""

_PERIOD_S: Final = 2.0
_SHARE: Final = 50
"""A round begins only after this many times the time that the last one took: at most 2 % of a processor."""
_LISTED: Final = 4096
"""Names of a folder that are looked at for another spelling."""
_SPELLINGS: Final = 8
"""Files that differ in the case of their names only, of which each is learned."""
_SETTLED_S: Final = 1.0
"""A folder that was changed more recently may have changed since, in the same tick of its clock."""

_NO_NAMES: Final = frozenset({b"", b".", b".."})

FileId = tuple[int, int]
"""Device, in the kernel's encoding and by its own number, and inode number."""


class Known(NamedTuple):
    """A file that rules name.

    Attributes:
        name: By which it was found.
        clauses: Of the kernel plan, that accept this name.
        born: When it was made, as the file system tells it: tells it from one that got its inode later.
    """

    name: str
    clauses: int
    born: tuple[int, int]


@dataclass(slots=True)
class _Node:
    """A component of a wanted path; `clauses` where the path ends."""

    children: "dict[bytes, _Node]" = field(default_factory=dict)
    clauses: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """The other spellings of wanted names in a folder, as of a change of it; by the lower-cased name."""

    changed: tuple[int, int]
    spellings: Mapping[bytes, tuple[bytes, ...]]


class KnownFiles:
    """The files that rules name. Use it from one thread.

    Args:
        mounts: Those of the host.

    Attributes:
        by_name: What is known by which name.
    """

    def __init__(self, mounts: MountWatch) -> None:
        self._mounts = mounts
        self._wanted = _Node()
        self._files: dict[FileId, tuple[Known, ...]] = {}
        self.by_name: Mapping[str | None, FileId] = {}
        self._listings: dict[FileId, _Listing] = {}
        self._not_before = 0.0
        self._due = 0.0

    def want(self, literals: Mapping[bytes, int]) -> int:
        """Look for these files from now on, in place of those before: absolute paths, ASCII-lower-cased.

        Returns:
            How many of them are too many.
        """
        self._wanted = _Node()
        self._listings.clear()
        for path, clauses in itertools.islice(literals.items(), LITERALS):
            first, *names = path.split(b"/")
            if first or not names or not _NO_NAMES.isdisjoint(names):
                continue  # no file has such a path
            node = self._wanted
            for name in names:
                node = node.children.setdefault(name, _Node())
            node.clauses = clauses
        self._not_before = self._due = 0.0
        return max(0, len(literals) - LITERALS)

    @property
    def files(self) -> dict[FileId, int]:
        """The clauses of each file, by its inode."""
        return {file: _clauses(known) for file, known in self._files.items()}

    def learn(self) -> bool:
        """Look for all of them now; whether anything is another file than before."""
        began = time.monotonic()
        round_ = _Round(self._mounts, self._listings)
        round_.run(self._wanted)
        found, self._listings = round_.found, round_.listings
        ended = time.monotonic()
        self._not_before = ended + _SHARE * (ended - began)
        self._due = ended + _PERIOD_S
        changed = found != self._files
        self._files = found
        self.by_name = {known.name: file for file, names in found.items() for known in names}
        return changed

    def learn_if_due(self) -> bool:
        """`learn` if it is time to, or if `saw` has shown that it is; whether anything has changed."""
        return bool(self._wanted.children) and self._is_due(time.monotonic()) and self.learn()

    def saw(self, path: str | None, device: int | None, inode: int | None) -> None:
        """Of any event: a known name that now has another file is looked up again soon."""
        if self.by_name.get(path, (device, inode)) != (device, inode):
            self._due = 0.0

    def of(self, device: int | None, inode: int | None, path: str) -> tuple[Known, ...]:
        """By which names rules know a file that was reached as `path`.

        A file that took over the inode number of a known one that is gone is not that one.
        """
        if device is None or inode is None:
            return ()
        known = self._files.get((device, inode), ())
        return tuple(one for one in known if one.name == path or self._is_still(one, device, inode, path))

    def _is_due(self, now: float) -> bool:
        return now >= self._due and now >= self._not_before

    def _is_still(self, known: Known, device: int, inode: int, path: str) -> bool:
        found = _at(to_kernel(known.name))
        if found is not None and _id(self._mounts, found) == (device, inode):
            return True
        self._due = 0.0
        found = _at(to_kernel(path))
        return found is None or found.inode != inode or found.born == known.born


class _Round:
    """One look at everything that is wanted.

    Args:
        mounts: Of the host.
        known: Listings of folders from the round before.
    """

    def __init__(self, mounts: MountWatch, known: Mapping[FileId, _Listing]) -> None:
        self.found: dict[FileId, tuple[Known, ...]] = {}
        self.listings: dict[FileId, _Listing] = {}
        self._mounts = mounts
        self._known = known

    def run(self, wanted: _Node) -> None:
        """Fill `found` and `listings`."""
        with contextlib.suppress(OSError):
            root = look.opened(b"/")
            try:
                self._below(wanted, root, b"")
            finally:
                os.close(root)

    def _below(self, node: _Node, at: int, path: bytes) -> None:
        """What is wanted in a folder and below it."""
        folder = look.status(at)
        mount = self._mounts.mount(folder.mount)
        if mount is None or not mount.local:
            return
        missing = [name for name, child in node.children.items() if not self._is_there(child, at, path, name)]
        if missing:
            spellings = self._spellings(node, at, folder)
            for name in missing:
                for other in spellings.get(name, ()):
                    self._is_there(node.children[name], at, path, other)

    def _is_there(self, node: _Node, at: int, path: bytes, name: bytes) -> bool:
        """Whether something is called so; if it is wanted, it is noted, and so is what is wanted below it."""
        try:
            descriptor = look.opened(name, at=at, flags=look.NOFOLLOW)
        except OSError:
            return False
        try:
            with contextlib.suppress(OSError):
                self._note(node, descriptor, path + b"/" + name)
        finally:
            os.close(descriptor)
        return True

    def _note(self, node: _Node, descriptor: int, path: bytes) -> None:
        found = look.status(descriptor)
        if node.clauses is not None and _is_learned(found.mode):
            file = _id(self._mounts, found)
            known = Known(from_kernel(path), node.clauses, found.born)
            self.found[file] = (*self.found.get(file, ()), known)
        if node.children and stat.S_ISDIR(found.mode):
            self._below(node, descriptor, path)

    def _spellings(self, node: _Node, at: int, folder: Status) -> Mapping[bytes, tuple[bytes, ...]]:
        """The names in a folder that are wanted names but for their case."""
        key = _id(self._mounts, folder)
        listing = self._known.get(key)
        if listing is None or listing.changed != folder.changed:
            listing = _Listing(changed=folder.changed, spellings=_listed(node, at))
        if time.time() - folder.changed[0] > _SETTLED_S:
            self.listings[key] = listing
        return listing.spellings


def _id(mounts: MountWatch, found: Status) -> FileId:
    mount = mounts.mount(found.mount)
    return (mount.device if mount else found.device), found.inode


def _clauses(known: tuple[Known, ...]) -> int:
    clauses = 0
    for one in known:
        clauses |= one.clauses
    return clauses


def _is_learned(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode)


def _at(path: bytes) -> Status | None:
    """What is called so, if that can be told without waiting."""
    if not look.cached():
        return None
    with contextlib.suppress(OSError):
        descriptor = look.opened(path, flags=look.NOFOLLOW, resolve=look.NO_SYMLINKS | look.cached())
        try:
            return look.status(descriptor)
        finally:
            os.close(descriptor)
    return None


def _listed(node: _Node, at: int) -> Mapping[bytes, tuple[bytes, ...]]:
    found: dict[bytes, tuple[bytes, ...]] = {}
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NONBLOCK
    with contextlib.suppress(OSError):
        folder = os.open(b".", flags, dir_fd=at)
        try:
            with os.scandir(folder) as entries:
                for entry in itertools.islice(entries, _LISTED):
                    name = os.fsencode(entry.name)
                    lower = name.lower()
                    if name != lower and lower in node.children and len(found.get(lower, ())) < _SPELLINGS:
                        found[lower] = (*found.get(lower, ()), name)
        finally:
            os.close(folder)
    return found
