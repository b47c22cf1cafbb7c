"""The ways to name a file.

A naming lays out the ground for one cell (folders, links, mounts), takes a child process to where it calls
from (a directory, a root, a namespace), says what it passes for a name, and which path the engine must
report for it. Rules match below `Ground.seen` and nowhere else, so that a name that is reported
wrongly is not reported at all.
"""

# Names are bytes here, and no Path can hold them.
# ruff: noqa: PTH103, PTH104, PTH112, PTH118, PTH211

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.kernel.table import raw
from tests.kernel.table.ways import Way

from fileaudit_engine.events.model import PathState

FILE: Final = b"file"
"""What the file of a cell is called, unless its naming says more."""
HELD: Final = 77
"""The descriptor that a naming goes by, if it goes by one."""
LONG_NAME: Final = 255
LONG_PATH: Final = 4000


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a cell happens.

    Attributes:
        seen: A folder that rules watch; `unseen` is one that they do not.
        disk: One that they watch on the file system of the machine's temporary files; the others are in
            memory, so that a thousand cells are cleared away at once.
    """

    seen: bytes
    unseen: bytes
    disk: bytes


@dataclass(frozen=True, slots=True)
class Subject:
    """What is named: a file of the cell, for a call of this way."""

    ground: Ground
    leaf: bytes
    way: Way


class Naming:
    """By an absolute path; the other ways differ from this one."""

    name: str = "absolute"
    directory: int = raw.AT_FDCWD
    """What calls are passed that take the descriptor of a directory."""
    inside: bool = False
    """Whether files can only be made where the child calls from."""
    empty: bool = False
    """Whether nothing is made."""
    state: PathState = PathState.RESOLVED
    """What the engine has to say of the path."""

    @contextlib.contextmanager
    def prepared(self, ground: Ground) -> Iterator[None]:
        """In the parent: what is there before the child."""
        os.makedirs(self.folder(ground))
        yield

    def folder(self, ground: Ground) -> bytes:
        """Where the files are, as the host calls it and the engine has to report it."""
        return ground.seen

    def leaf(self, name: bytes) -> bytes:
        """What a file of the cell is called."""
        return name

    def made(self, it: Subject) -> None:
        """After a file has been made, or left out: what this naming needs beside it."""

    def enter(self, it: Subject) -> None:
        """In the child: go to where the call is made."""

    def asked(self, it: Subject) -> bytes:
        """What the call is passed."""
        return os.path.join(self.folder(it.ground), it.leaf)

    def path(self, it: Subject) -> bytes:
        """What the engine has to report."""
        return os.path.join(self.folder(it.ground), it.leaf)

    def container_path(self, _it: Subject) -> bytes | None:
        """What the file is called in the caller's mount namespace, if that is not the host's."""
        return None


class Relative(Naming):
    name = "relative"

    def enter(self, it: Subject) -> None:
        os.chdir(self.folder(it.ground))

    def asked(self, it: Subject) -> bytes:
        return it.leaf


class Dirfd(Naming):
    name = "dirfd"
    directory = HELD

    def enter(self, it: Subject) -> None:
        hold(self.folder(it.ground), os.O_RDONLY | os.O_DIRECTORY)

    def asked(self, it: Subject) -> bytes:
        return it.leaf


class SymlinkedParent(Naming):
    name = "symlinked_parent"

    @contextlib.contextmanager
    def prepared(self, ground: Ground) -> Iterator[None]:
        os.makedirs(self.folder(ground))
        os.makedirs(ground.unseen)
        os.symlink(self.folder(ground), os.path.join(ground.unseen, b"detour"))
        yield

    def asked(self, it: Subject) -> bytes:
        return os.path.join(it.ground.unseen, b"detour", it.leaf)


class Symlink(Naming):
    """By a link to the file. A call on the name is one on the link, and none on what it leads to."""

    name = "symlink"

    def made(self, it: Subject) -> None:
        os.symlink(it.leaf, os.path.join(it.ground.seen, b"link-" + it.leaf))

    def asked(self, it: Subject) -> bytes:
        return os.path.join(it.ground.seen, b"link-" + it.leaf)

    def path(self, it: Subject) -> bytes:
        return self.asked(it) if it.way is Way.NAME else os.path.join(it.ground.seen, it.leaf)


class Dotdot(Naming):
    name = "dotdot"

    @contextlib.contextmanager
    def prepared(self, ground: Ground) -> Iterator[None]:
        os.makedirs(os.path.join(ground.seen, b"aside"))
        yield

    def asked(self, it: Subject) -> bytes:
        return os.path.join(it.ground.seen, b"aside/../.", it.leaf)


class DottedLink(Naming):
    """`..` behind a link: the parent of what the link leads to, and not of the link."""

    name = "dotdot_behind_a_link"

    @contextlib.contextmanager
    def prepared(self, ground: Ground) -> Iterator[None]:
        os.makedirs(os.path.join(ground.seen, b"aside"))
        os.makedirs(ground.unseen)
        os.symlink(os.path.join(ground.seen, b"aside"), os.path.join(ground.unseen, b"detour"))
        yield

    def asked(self, it: Subject) -> bytes:
        return os.path.join(it.ground.unseen, b"detour/..", it.leaf)


class DoubleSlash(Naming):
    name = "double_slash"

    def asked(self, it: Subject) -> bytes:
        return b"/" + it.ground.seen.replace(b"/", b"//") + b"///" + it.leaf


class ProcSelfRoot(Naming):
    name = "proc_self_root"

    def asked(self, it: Subject) -> bytes:
        return b"/proc/self/root" + os.path.join(it.ground.seen, it.leaf)


class ProcSelfCwd(Naming):
    name = "proc_self_cwd"

    def enter(self, it: Subject) -> None:
        os.chdir(it.ground.seen)

    def asked(self, it: Subject) -> bytes:
        return b"/proc/self/cwd/" + it.leaf


class ProcSelfFd(Naming):
    name = "proc_self_fd"

    def enter(self, it: Subject) -> None:
        hold(it.ground.seen, os.O_RDONLY | os.O_DIRECTORY)

    def asked(self, it: Subject) -> bytes:
        return b"/proc/self/fd/%d/%s" % (HELD, it.leaf)


class BindMount(Naming):
    """Through a bind mount that rules watch, of a folder that they do not."""

    name = "bind_mount"

    @contextlib.contextmanager
    def prepared(self, ground: Ground) -> Iterator[None]:
        os.makedirs(ground.seen)
        os.makedirs(ground.unseen)
        with mounted(ground.unseen, ground.seen, None, raw.MS_BIND):
            yield


class HardLink(Naming):
    """By another name of a file whose first one no rule watches."""

    name = "hard_link"

    def made(self, it: Subject) -> None:
        here, there = os.path.join(it.ground.seen, it.leaf), os.path.join(it.ground.unseen, it.leaf)
        os.makedirs(it.ground.unseen, exist_ok=True)
        os.rename(here, there)
        os.link(there, here)


class Chroot(Naming):
    name = "chroot"

    def folder(self, ground: Ground) -> bytes:
        return os.path.join(ground.seen, b"jail/inner")

    def enter(self, it: Subject) -> None:
        os.chroot(os.path.join(it.ground.seen, b"jail"))
        os.chdir("/")

    def asked(self, it: Subject) -> bytes:
        return b"/inner/" + it.leaf


class ChrootRelative(Chroot):
    name = "chroot_relative"

    def asked(self, it: Subject) -> bytes:
        return b"../../inner/" + it.leaf  # nothing is above the root


class MountNamespace(Naming):
    """Through a mount that only the caller's namespace has, of a folder of the host."""

    name = "mount_namespace"

    @contextlib.contextmanager
    def prepared(self, ground: Ground) -> Iterator[None]:
        os.makedirs(self.folder(ground))
        os.makedirs(os.path.join(ground.seen, b"inside"))
        yield

    def folder(self, ground: Ground) -> bytes:
        return os.path.join(ground.seen, b"outside")

    def enter(self, it: Subject) -> None:
        raw.own_mounts()
        raw.must(
            "mount", self.folder(it.ground), os.path.join(it.ground.seen, b"inside"), None, raw.MS_BIND, None
        )

    def asked(self, it: Subject) -> bytes:
        return os.path.join(it.ground.seen, b"inside", it.leaf)

    def container_path(self, _it: Subject) -> bytes | None:
        return os.path.join(_it.ground.seen, b"inside", _it.leaf)


class PrivateTmpfs(Naming):
    """On a file system that only the caller's namespace has: the host has no name for the file."""

    name = "private_tmpfs"
    inside = True
    state = PathState.UNREACHABLE

    def enter(self, it: Subject) -> None:
        raw.own_mounts()
        raw.must("mount", b"none", it.ground.seen, b"tmpfs", 0, None)

    def container_path(self, _it: Subject) -> bytes | None:
        return os.path.join(_it.ground.seen, _it.leaf)


class Overlay(Naming):
    """In an overlay mount; the file lies in its lower layer."""

    name = "overlay"

    @contextlib.contextmanager
    def prepared(self, ground: Ground) -> Iterator[None]:
        layers = [os.path.join(ground.unseen, name) for name in (b"lower", b"upper", b"work")]
        for folder in (ground.seen, *layers):
            os.makedirs(folder)
        options = b"lowerdir=%s,upperdir=%s,workdir=%s" % tuple(layers)
        with mounted(b"overlay", ground.seen, b"overlay", 0, options):
            yield


class Tmpfs(Naming):
    name = "tmpfs"

    @contextlib.contextmanager
    def prepared(self, ground: Ground) -> Iterator[None]:
        os.makedirs(ground.seen)
        with mounted(b"none", ground.seen, b"tmpfs", 0):
            yield


class Disk(Naming):
    name = "disk"

    def folder(self, ground: Ground) -> bytes:
        return ground.disk


class Deleted(Naming):
    """A file that has lost its name; or, for calls on names, one in a folder that has lost its own.

    The new name of a call with two is a plain one.
    """

    name = "deleted"
    state = PathState.DELETED

    def folder(self, ground: Ground) -> bytes:
        return os.path.join(ground.seen, b"gone")

    def enter(self, it: Subject) -> None:
        if it.way in {Way.NAME, Way.CREATES}:
            os.chdir(self.folder(it.ground))
            shutil.rmtree(self.folder(it.ground))
        elif it.way is not Way.DESCRIPTOR:
            path = os.path.join(self.folder(it.ground), it.leaf)
            hold(path, os.O_PATH)
            (os.rmdir if os.path.isdir(path) else os.unlink)(path)

    def asked(self, it: Subject) -> bytes:
        if it.way is Way.DESCRIPTOR or it.leaf != FILE:
            return super().asked(it)
        return it.leaf if it.way in {Way.NAME, Way.CREATES} else b"/proc/self/fd/%d" % HELD


class LongName(Naming):
    name = "255_byte_name"

    def leaf(self, name: bytes) -> bytes:
        return name.ljust(LONG_NAME, b"n")


class LongPath(Naming):
    name = "4000_byte_path"

    def folder(self, ground: Ground) -> bytes:
        room = LONG_PATH - len(ground.seen) - len("/file")
        names, rest = divmod(room, LONG_NAME + 1)
        deep = ground.seen + (b"/" + b"d" * LONG_NAME) * names
        return deep + b"/" + b"d" * (rest - 1) if rest > 1 else deep


class NoText(Naming):
    name = "non_utf8_name"

    def leaf(self, name: bytes) -> bytes:
        return name + b"-\xff\xfe\xc0\xaf"


class HostileName(Naming):
    name = "name_with_escapes"

    def leaf(self, name: bytes) -> bytes:
        return name + b"\n\x1b[2J\r\\x41 (deleted)"


NAMINGS: Final[tuple[Naming, ...]] = (
    *(Naming(), Relative(), Dirfd(), SymlinkedParent(), Symlink(), Dotdot(), DottedLink(), DoubleSlash()),
    *(ProcSelfRoot(), ProcSelfCwd(), ProcSelfFd(), BindMount(), HardLink(), Chroot(), ChrootRelative()),
    *(
        MountNamespace(),
        PrivateTmpfs(),
        Overlay(),
        Tmpfs(),
        Disk(),
        Deleted(),
        LongName(),
        LongPath(),
        NoText(),
    ),
    HostileName(),
)


def hold(path: bytes, flags: int) -> None:
    """Keep a descriptor of it under the agreed number."""
    descriptor = os.open(path, flags)
    os.dup2(descriptor, HELD)
    os.close(descriptor)


@contextlib.contextmanager
def mounted(
    source: bytes, point: bytes, kind: bytes | None, flags: int, options: bytes | None = None
) -> Iterator[None]:
    """A mount that is gone afterwards."""
    raw.must("mount", source, point, kind, flags, options)
    try:
        yield
    finally:
        raw.unmount_all(point)
