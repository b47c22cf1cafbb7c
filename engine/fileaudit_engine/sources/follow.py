"""The true path behind a name: links, dots and folders followed as the caller's kernel did.

Where the kernel was not sure what a name led to (a denied open, a removal behind `..`), user space follows
it, at once and without ever waiting for a disk or a server (`look`). Nothing is opened, mounted or triggered.

One look of the kernel does for most names. It gives up at a link whose access time is due, which is every
link for some milliseconds after it was made: just when somebody tries one. And some links mean to us what
they do not mean to the caller: `/proc/self` is another process, an absolute link begins at another root. Such
a path is walked name by name, from the caller's root, and a link is read only where its file system is a
local one; a user's own (FUSE), or a server's, could make us wait for ever.

A caller that has ended takes its folder in /proc along; the root that it had, if the name does not show it,
is then taken for the host's.
"""

import contextlib
import functools
import os
import posixpath
import re
import stat
from collections.abc import Iterator
from typing import Final, NamedTuple

from fileaudit_engine.sources import look
from fileaudit_engine.sources.caller_mounts import CallerMounts, Kinds
from fileaudit_engine.sources.look import Status
from fileaudit_engine.sources.mount_table import IN_MEMORY, LOCAL, PROC, Mount, MountWatch
from fileaudit_engine.text import from_kernel, to_kernel

_MAX_NAMES: Final = 512
"""Names of one path, those of its links among them: whoever makes longer ones means to keep us busy."""
_MAX_LINKS: Final = 40
"""The kernel's own limit (MAXSYMLINKS)."""
_PROC_ROOT: Final = 1
"""Inode number of the root of every procfs (PROC_ROOT_INO)."""
_NEEDS_A_LOCK: Final = re.compile(rb"[0-9a-f]+-[0-9a-f]+")
"""Names in /proc/PID/map_files: they are looked up under a lock that a process can hold for long."""
_DELETED: Final = " (deleted)"
_DOTS: Final = frozenset({b"", b"."})


class Caller(NamedTuple):
    """Who passed the name.

    Attributes:
        pid: The process; `thread` is the thread.
        elsewhere: Whether the name begins in another mount namespace than the host's.
        root: Where absolute names begin, as far as the name itself has shown that; empty for what is not
            known, or the host's root.
    """

    pid: int
    thread: int
    elsewhere: bool = False
    root: str = ""


class Place(NamedTuple):
    """Where a name led.

    Attributes:
        path: Absolute; as far as it could be followed, the rest as text.
        whole: Whether all of it was followed. The last name may be of nothing: a link that dangles.
        status: What is there now, None for nothing or where it cannot be told without waiting.
        mount: The number of the mount in which the path ends, 0 where that is not known.
        elsewhere: The mount itself, of a path that began in another mount namespace, if it can be told.
        deleted: Whether what is there has no name any more, which only a descriptor can lead to.
    """

    path: str
    whole: bool
    status: Status | None = None
    mount: int = 0
    elsewhere: Mount | None = None
    deleted: bool = False


class Follower:
    """Follows names.

    Args:
        mounts: Those of the host.
    """

    def __init__(self, mounts: MountWatch) -> None:
        self._mounts = mounts
        self._theirs = CallerMounts()

    def follow(self, path: str, caller: Caller, *, keep_last: bool = False) -> Place:
        """Where a name led.

        Args:
            path: Absolute, in the namespace in which it begins.
            caller: Who passed it.
            keep_last: Whether the call was on the name itself: a link that stands there is not followed.
        """
        raw = to_kernel(path)
        if not raw.startswith(b"/") or b"\0" in raw:
            return Place(normalised(path), whole=False)
        folder, last = _split(raw) if keep_last else (raw, b"")
        root_link, prefix = _root_of(caller)
        if root_link == b"/" and not caller.elsewhere and (place := self._at_once(folder, last)):
            return place
        with (
            contextlib.suppress(OSError),
            _open(root_link) as root,
            contextlib.closing(_Walk(self._mounts, self._theirs, caller, root, prefix, folder)) as walk,
        ):
            return walk.place(last)
        return Place(normalised(path), whole=False)

    def _at_once(self, folder: bytes, last: bytes) -> Place | None:
        """By one look; None if that does not tell, or only what the name means to us."""
        if not look.cached():
            return None
        with contextlib.suppress(OSError):
            descriptor = look.opened(folder, resolve=look.CACHED | look.NO_MAGICLINKS)
            try:
                place = _arrived(descriptor, last)
            finally:
                os.close(descriptor)
            return None if place.path.startswith(f"/proc/{os.getpid()}") else place
        return None


def normalised(path: str) -> str:
    """The path with its dots and doubled slashes worked out as text, links not followed."""
    text = posixpath.normpath(path)
    return text[1:] if text.startswith("//") else text


def _split(raw: bytes) -> tuple[bytes, bytes]:
    """The folder, to be followed, and the name in it, which is kept; dots are no name, but the folder."""
    folder, _, last = raw.rstrip(b"/").rpartition(b"/")
    return (raw, b"") if last in {b"", b".", b".."} else (folder or b"/", last)


def _root_of(caller: Caller) -> tuple[bytes, bytes]:
    """The caller's root: a name by which we can open it, and its path in the namespace of the name.

    The name is none where the path begins in another namespace, and the caller has ended or never was in it.
    """
    if caller.root and not caller.elsewhere and look.cached():
        return (root := to_kernel(caller.root)), root
    for folder in (f"/proc/{caller.pid}/task/{caller.thread}", f"/proc/{caller.pid}"):
        with contextlib.suppress(OSError):
            link = f"{folder}/root".encode()
            path = os.readlink(link)  # noqa: PTH115 - bytes, and no Path can hold them
            if (caller.elsewhere or path != b"/") and caller.elsewhere == _is_away(folder):
                return link, path
            break
    return b"" if caller.elsewhere else b"/", b"/"


@contextlib.contextmanager
def _open(path: bytes) -> Iterator[int]:
    descriptor = look.opened(path, resolve=0 if path.startswith(b"/proc/") or path == b"/" else look.cached())
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_away(folder: str) -> bool:
    """Whether a process is in another mount namespace than we are."""
    return _namespace(folder) != _our_namespace()


@functools.cache
def _our_namespace() -> str:
    return _namespace("/proc/self")


def _namespace(folder: str) -> str:
    return os.readlink(f"{folder}/ns/mnt")  # noqa: PTH115 - no path at all


def _arrived(descriptor: int, last: bytes, *, may_look: bool = True) -> Place:
    """The place of a descriptor, or of a name in it; the name is looked up unless that could make us wait.

    Raises:
        OSError: The kernel does not tell its name.
    """
    path, found = look.name_of(descriptor), look.status(descriptor)
    deleted = not found.links and path.endswith(_DELETED)
    path = path.removesuffix(_DELETED) if deleted else path
    if not last:
        return Place(path, whole=True, status=found, mount=found.mount, deleted=deleted)
    there = None
    with contextlib.suppress(OSError):
        if not may_look:
            raise BlockingIOError
        child = look.opened(last, at=descriptor, flags=look.NOFOLLOW, resolve=look.cached())
        try:
            there = look.status(child)
        finally:
            os.close(child)
    return Place(
        posixpath.join(path, from_kernel(last)),
        whole=True,
        status=there,
        mount=there.mount if there else found.mount,
        deleted=deleted,
    )


class _Walk:
    """A path, name by name. Owns the descriptor of where it is.

    Args:
        mounts: Of the host.
        theirs: Of the caller, if it is elsewhere.
        caller: Whose root it is, and who `/proc/self` is.
        root: Where absolute links begin; stays the caller's.
        prefix: The root's path.
        path: From where the namespace begins.
    """

    def __init__(  # noqa: PLR0913 - where it begins, and what it may ask
        self,
        mounts: MountWatch,
        theirs: CallerMounts,
        caller: Caller,
        root: int,
        prefix: bytes,
        path: bytes,
    ) -> None:
        self._mounts = mounts
        self._theirs = theirs
        self._caller = caller
        self._root = root
        self._names_left = _MAX_NAMES
        self._links_left = _MAX_LINKS
        self._kinds = Kinds(mounts, self._mount)
        self._status: Status | None = None
        below = path[len(prefix) :] if prefix != b"/" and (path + b"/").startswith(prefix + b"/") else None
        if below is None and caller.elsewhere and prefix != b"/":
            raise FileNotFoundError  # it begins above a root that we have no other way to
        outside = below is None and prefix != b"/"
        self._at = look.opened(b"/") if outside else os.dup(root)
        self._rest = (path if below is None else below).split(b"/")[::-1]

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self._at)
        self._kinds.close()

    def place(self, last: bytes) -> Place:
        """Where the path leads, or a name behind it.

        Raises:
            OSError: The kernel does not tell the name of what was found.
        """
        if self._arrive():
            may_look = bool(look.cached()) or self._kinds.of(self._at, self._here) in LOCAL
            place = _arrived(self._at, last, may_look=may_look)
            return place._replace(elsewhere=self._mount(place.mount)) if self._caller.elsewhere else place
        here = _arrived(self._at, b"")
        left = [name for name in (*self._rest[::-1], last) if name not in _DOTS]
        path = posixpath.join(to_kernel(here.path), *left)
        return Place(normalised(from_kernel(path)), whole=self._dangles(left), mount=here.mount)

    def _arrive(self) -> bool:
        while self._rest:
            name = self._rest.pop()
            if name in _DOTS:
                continue
            self._names_left -= 1
            try:
                if not self._names_left or not self._links_left:
                    raise BlockingIOError
                self._step(name)
            except OSError:
                self._rest.append(name)
                return False
        return True

    def _dangles(self, left: list[bytes]) -> bool:
        """Whether what stopped us is that nothing is called by the last name."""
        if len(left) != 1 or left[0] == b"..":
            return False
        try:
            os.close(self._look(left[0]))
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return False

    def _step(self, name: bytes) -> None:
        """Go on to `name`; a link puts the names that it holds before the rest.

        Raises:
            OSError: There is nothing, or it could make us wait.
        """
        if name == b"..":
            self._go_up()
            return
        try:
            descriptor = self._look(name)
        except FileNotFoundError:
            if not self._at_ended_process(name):
                raise
            return
        try:
            found = look.status(descriptor)
            if not stat.S_ISLNK(found.mode):
                self._move(os.dup(descriptor))
                return
            self._links_left -= 1
            self._follow(name, descriptor, found)
        finally:
            os.close(descriptor)

    def _look(self, name: bytes) -> int:
        """The name in the folder where we are.

        Raises:
            OSError: There is none, or somebody would have to be asked.
        """
        kind = self._kinds.of(self._at, self._here)
        at_once = kind in IN_MEMORY and not _NEEDS_A_LOCK.fullmatch(name)
        if not at_once and not look.cached() and kind not in LOCAL:
            raise BlockingIOError
        return look.opened(name, at=self._at, flags=look.NOFOLLOW, resolve=0 if at_once else look.cached())

    @property
    def _here(self) -> Status:
        """Of the folder where we are."""
        if self._status is None:
            self._status = look.status(self._at)
        return self._status

    def _follow(self, name: bytes, link: int, found: Status) -> None:
        """Follow a link: as text, but for those of /proc that lead where no text does."""
        kind = self._kinds.of(link, found)
        if kind != PROC:
            if kind not in LOCAL:
                raise BlockingIOError
            self._push(os.readlink(b"", dir_fd=link))
            return
        if self._here.inode != _PROC_ROOT:
            self._cross(name, os.readlink(b"", dir_fd=link))
            return
        pid, thread = self._caller.pid, self._caller.thread
        own = {b"self": b"%d" % pid, b"thread-self": b"%d/task/%d" % (pid, thread)}.get(name)
        if own and self._caller.elsewhere:  # where processes may have other numbers
            self._move(look.opened(b"/proc/" + own))
        else:
            self._push(own or os.readlink(b"", dir_fd=link))

    def _cross(self, name: bytes, text: bytes) -> None:
        """A link of /proc that leads to the very file (`fd/3`, `root`); by its text where that could wait."""
        mount = self._mounts.table.at(text) if text.startswith(b"/") else None
        if mount is None or mount.local or mount.kind == PROC:
            self._move(look.opened(name, at=self._at))
        else:
            self._push(text)

    def _push(self, target: bytes) -> None:
        self._rest += target.split(b"/")[::-1]
        if target.startswith(b"/"):
            self._move(os.dup(self._root))

    def _go_up(self) -> None:
        here, root = self._here, look.status(self._root)
        if (here.mount, here.inode) != (root.mount, root.inode):
            self._move(look.opened(b"..", at=self._at, resolve=look.cached()))

    def _at_ended_process(self, name: bytes) -> bool:
        """Whether we are before the root of a process that has ended; if so, we go to that of the caller."""
        here = self._here
        if not name.isdigit() or here.inode != _PROC_ROOT or self._kinds.of(self._at, here) != PROC:
            return False
        rest = [name for name in self._rest if name not in _DOTS]
        if len(rest) > 2 and rest[-1] == b"task":
            rest = rest[:-2]
        if not rest or rest[-1] != b"root":
            return False
        self._rest = rest[:-1]
        self._move(os.dup(self._root))
        return True

    def _mount(self, number: int) -> Mount | None:
        """As the caller sees it at this moment."""
        return self._theirs.mount(self._caller.pid, self._caller.thread, number)

    def _move(self, descriptor: int) -> None:
        os.close(self._at)
        self._at = descriptor
        self._status = None
