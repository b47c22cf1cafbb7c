r"""The mounts of a namespace: which file system is mounted where, and by which of its names a file is known.

A file system can be mounted in several places, in part or in whole, and every mount gives its files another
name. Rules know one: that of the *canonical* mount.

    27 1 254:0 /        /       ext4     canonical of 254:0: all of it
    61 27 254:0 /srv/a  /mnt/b  ext4     a bind mount: /mnt/b/x is /srv/a/x
    70 27 0:44 /@home   /home   btrfs    canonical, too, if no other mount has what it shows

The lines are the kernel's (proc_pid_mountinfo(5)); space, tab, newline, backslash and `#` in them are octal
escapes, all other bytes stand as they are.
"""

import math
import os
import re
import select
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from typing_extensions import Self

from fileaudit_engine.sources.allowance import Allowance

HOST_MOUNTS: Final = "/proc/1/mountinfo"
OUR_MOUNTS: Final = "/proc/self/mountinfo"
LOCAL: Final = frozenset(
    {
        *(b"ext2", b"ext3", b"ext4", b"xfs", b"btrfs", b"bcachefs", b"f2fs", b"zfs", b"jfs", b"reiserfs"),
        *(b"vfat", b"exfat", b"msdos", b"ntfs3", b"iso9660", b"udf", b"squashfs", b"erofs"),
        *(b"tmpfs", b"ramfs", b"rootfs", b"devtmpfs", b"overlay"),
    }
)
"""Types of file systems that are in memory or on a disk of this host: a look at them asks nobody else, be it
a server or a process of a user (FUSE)."""
PROC: Final = b"proc"
IN_MEMORY: Final = frozenset({PROC, b"sysfs", b"tmpfs", b"ramfs", b"rootfs", b"devtmpfs"})
"""Types of which no name has to be read from a disk."""

_ESCAPE: Final = re.compile(rb"\\([0-7]{3})")
_HEAD_FIELDS: Final = 6
_BLOCK_BYTES: Final = 1 << 16
_MOST_BYTES: Final = 64 << 20
_SHARE: Final = 0.05
"""Of a processor, to read tables again, however often mounts change; as much again for those who ask for a
mount that the table does not have."""
_BURST_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A line of mountinfo.

    Attributes:
        number: Of the mount; unique among all namespaces while it is there.
        parent: The mount that it stands on.
        device: In the kernel's encoding, major << 20 | minor; the kernel's own number of the file system,
            also where stat(2) tells another (btrfs).
        root: The folder or file of the file system that is shown.
        point: Where; a path in the namespace.
        kind: Type of the file system.
    """

    number: int
    parent: int
    device: int
    root: bytes
    point: bytes
    kind: bytes

    @property
    def local(self) -> bool:
        """Whether a look at a name in it asks nobody but this kernel."""
        return self.kind in LOCAL


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalMount:
    """Where the files of a device are to be found: what `root` holds, below `point`."""

    root: bytes
    point: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MountTable:
    """What is mounted.

    Attributes:
        by_number: The mounts.
        canonical: By device the mount that gives its files their names.
        canonical_ids: The mounts whose names are as good: that of `canonical`, and those that show what no
            other canonical mount of their device does.
        showing: By device all of these, the best one first.
        by_point: By place what is mounted there, on top.
        kinds: By device the type of its file system.
    """

    by_number: Mapping[int, Mount]
    canonical: Mapping[int, CanonicalMount]
    canonical_ids: frozenset[int]
    showing: Mapping[int, Sequence[Mount]]
    by_point: Mapping[bytes, Mount]
    kinds: Mapping[int, bytes]

    @classmethod
    def of(cls, raw: bytes) -> Self:
        """From the text of a mountinfo; lines that are none are passed over."""
        by_number = {mount.number: mount for mount in _parsed(raw)}
        ranking = _Ranking(by_number)
        chosen = _chosen(sorted(by_number.values(), key=ranking))
        return cls(
            by_number=by_number,
            canonical={
                device: CanonicalMount(root=mounts[0].root, point=mounts[0].point)
                for device, mounts in chosen.items()
            },
            canonical_ids=frozenset(mount.number for mounts in chosen.values() for mount in mounts),
            showing=chosen,
            by_point={m.point: m for m in sorted(by_number.values(), key=ranking.hidden, reverse=True)},
            kinds={mount.device: mount.kind for mount in by_number.values()},
        )

    def canonical_name(self, number: int, path: bytes) -> bytes | None:
        """The canonical name of a file that is called `path` by way of a mount; None if that is `path`."""
        mount = self.by_number.get(number)
        if mount is None or number in self.canonical_ids:
            return None
        inside = within(mount, path)
        return None if inside is None else self.host_name(mount.device, inside)

    def host_name(self, device: int, inside: bytes) -> bytes | None:
        """The name of a file by its path within its file system, if that is to be seen anywhere."""
        for mount in self.showing.get(device, ()):
            below = _below(mount.root, inside)
            if below is not None:
                return _joined(mount.point, below)
        return None

    def at(self, path: bytes) -> Mount | None:
        """The mount that a path without links is in: the last one on the longest of its beginnings."""
        name = path
        while True:
            found = self.by_point.get(name or b"/")
            if found or not name:
                return found
            name = name.rpartition(b"/")[0]


class MountWatch:
    """The table, read again when the kernel says that it has changed.

    Args:
        path: Whose mounts: a mountinfo.

    Attributes:
        table: As of the last look.
        waker: A descriptor for poll(2), of whoever sleeps and wants to be woken by a change (`WAKES`).
    """

    WAKES: ClassVar[int] = select.POLLPRI

    def __init__(self, path: str = HOST_MOUNTS) -> None:
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # init may not be looked at: what we see ourselves is the best that there is
            path = OUR_MOUNTS
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.waker = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # a change is told once to each open file
        self._poll = select.poll()
        self._poll.register(self._file, self.WAKES)
        self._changed = False
        self._untold = False
        self._allowance = Allowance(_SHARE, _BURST_S)
        self._allowance_asked = Allowance(_SHARE, _BURST_S)
        self.table = self._read()

    def refresh_if_changed(self) -> bool:
        """Read the mounts again if they have changed; half a µs otherwise.

        Returns:
            Whether the table is another one than when this was last asked, whoever had it read.
        """
        self._refresh_if_changed(self._allowance)
        untold, self._untold = self._untold, False
        return untold

    def mount(self, number: int) -> Mount | None:
        """The mount with this number, even if it was made a moment ago."""
        found = self.table.by_number.get(number)
        if found is None and self._has_changed() and self.is_current():
            found = self.table.by_number.get(number)
        return found

    def is_current(self) -> bool:
        """Whether the table is true at this moment; it is read again for that if it may be.

        The number of a mount that is gone is soon another one's. Who holds a descriptor in a mount, and then
        finds its number in a table that is true, has found that mount.
        """
        self._refresh_if_changed(self._allowance_asked)
        return not self._changed

    def _has_changed(self) -> bool:
        """Whether the kernel has told of a change that has not been read; it tells of each only once."""
        self._changed = self._changed or bool(self._poll.poll(0))
        return self._changed

    def _refresh_if_changed(self, allowance: Allowance) -> None:
        if self._has_changed() and allowance.is_left():
            self._changed, self._untold = False, True
            with allowance.spent():
                self.table = self._read()

    def close(self) -> None:
        """Stop watching; the table stays as it is."""
        self._poll.unregister(self._file)
        os.close(self._file)
        os.close(self.waker)
        self._changed = False

    def _read(self) -> MountTable:
        return MountTable.of(whole(self._file, _MOST_BYTES))


def whole(file: int, most: int, seconds: float = math.inf) -> bytes:
    """The text of an open mountinfo, but for what is beyond a bound (a block more at the most).

    Args:
        file: Its descriptor.
        most: Bytes.
        seconds: How long it may take: a line of a mount that stands on thousands of others is slow to write.

    Raises:
        OSError: It cannot be read.
    """
    parts: list[bytes] = []
    size, end = 0, time.monotonic() + seconds
    while size < most and (part := os.pread(file, _BLOCK_BYTES, size)):
        parts.append(part)
        size += len(part)
        if time.monotonic() >= end:
            break
    return b"".join(parts)


def _parsed(raw: bytes) -> Iterator[Mount]:
    return filter(None, map(parsed, raw.split(b"\n")))


def parsed(line: bytes) -> Mount | None:
    """The mount that a line of mountinfo is about; None if it is no such line."""
    fields = line.split(b" ")
    try:
        number, parent, device, root, point = fields[:5]
        major, _, minor = device.partition(b":")
        kind = fields[fields.index(b"-", _HEAD_FIELDS) + 1]
        return Mount(
            number=int(number),
            parent=int(parent),
            device=int(major) << 20 | int(minor),
            root=_plain(root),
            point=_plain(point),
            kind=kind,
        )
    except (ValueError, IndexError):
        return None


def _plain(field: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: bytes((int(match[1], 8) & 0xFF,)), field) if b"\\" in field else field


def _chosen(mounts: Iterable[Mount]) -> dict[int, list[Mount]]:
    """Per device its canonical mounts; of all mounts and of these the better ones come first."""
    of_device: dict[int, list[Mount]] = defaultdict(list)
    shown: set[tuple[int, bytes]] = set()
    for mount in mounts:
        above = (mount.root, *_folders(mount.root), b"/")
        if _is_name(mount) and not any((mount.device, folder) in shown for folder in above):
            shown.add((mount.device, mount.root))
            of_device[mount.device].append(mount)
    return dict(of_device)


def _is_name(mount: Mount) -> bool:
    """Not a namespace or a socket (`net:[4026531840]`), nor what has been deleted under the mount."""
    return mount.root.startswith(b"/") and not mount.root.endswith(b"//deleted")


class _Fate(NamedTuple):
    """What becomes of whatever stands on a mount.

    Attributes:
        buried: It is out of sight.
        inside: It is part of a container.
    """

    buried: bool = False
    inside: bool = False


class _Ranking:
    """What makes a mount canonical.

    The most important first: it is no part of a container, no other mount hides it, it shows the whole file
    system, or the most of it, and it is old. Each mount is looked at once.
    """

    def __init__(self, by_number: Mapping[int, Mount]) -> None:
        self._by_number = by_number
        self._places = {(m.parent, m.point) for m in by_number.values() if m.number != m.parent}
        self._fates: dict[int, _Fate] = {}
        for mount in by_number.values():
            self._decide(mount)

    def __call__(self, mount: Mount) -> tuple[bool, bool, bool, int, int]:
        above = self._by_number.get(mount.parent)
        in_container = above is not None and above is not mount and self._fates[above.number].inside
        return in_container, self.hidden(mount), mount.root != b"/", len(mount.root), mount.number

    def hidden(self, mount: Mount) -> bool:
        """Whether another mount stands on it, or on a folder above it."""
        return self._covered(mount) or self._fates[mount.number].buried

    def _decide(self, mount: Mount) -> None:
        """From the lowest of those that it stands on and that are not decided, up to itself."""
        undecided: dict[int, Mount] = {}
        below: Mount | None = mount
        while below is not None and below.number not in self._fates and below.number not in undecided:
            undecided[below.number] = below
            below = self._by_number.get(below.parent)
        # A table that was read while it changed may have a loop, which then ends at any of its mounts.
        ground = below if below is not None and below.number in self._fates else None
        for one in reversed(undecided.values()):
            self._fates[one.number] = self._fate(one, ground)
            ground = one

    def _fate(self, mount: Mount, ground: Mount | None) -> _Fate:
        """Of a mount and what it stands on, which is decided."""
        under = _Fate() if ground is None else self._fates[ground.number]
        covered = ground is not None and mount.point != ground.point and self._covered(ground)
        higher = any((mount.parent, folder) in self._places for folder in _folders(mount.point))
        container = mount.kind == b"overlay" and mount.point != b"/"
        return _Fate(under.buried or covered or higher, under.inside or container)

    def _covered(self, mount: Mount) -> bool:
        """Whether another one stands on its root."""
        return (mount.number, mount.point) in self._places


def _folders(path: bytes) -> Iterator[bytes]:
    """The folders above a path, but for the root."""
    folder = path.rpartition(b"/")[0]
    while folder:
        yield folder
        folder = folder.rpartition(b"/")[0]


def within(mount: Mount, path: bytes) -> bytes | None:
    """The path within its file system of what is called `path` by way of the mount; None if nothing is."""
    below = _below(mount.point, path)
    return None if below is None else _joined(mount.root, below)


def _below(folder: bytes, path: bytes) -> bytes | None:
    """What follows the folder in a path: empty, or it begins with a slash; None if it is elsewhere."""
    if folder == b"/":
        return b"" if path == b"/" else path
    if path == folder:
        return b""
    return path[len(folder) :] if path.startswith(folder + b"/") else None


def _joined(folder: bytes, below: bytes) -> bytes:
    return (below or b"/") if folder == b"/" else folder + below
