"""What is known of the host's files beside the events: its mounts, and the files that rules name.

Both change under us. The reader of the ring asks again and again what has to be written into the kernel's
maps once more.
"""

import itertools
import struct
from collections.abc import Sequence
from typing import ClassVar, Final

from fileaudit_engine.compiler.plan import KernelPlan
from fileaudit_engine.sources.known_files import FileId, KnownFiles
from fileaudit_engine.sources.maps import MAX_MOUNTS
from fileaudit_engine.sources.mount_table import HOST_MOUNTS, Mount, MountTable, MountWatch
from fileaudit_engine.sources.resolve import Resolver
from fileaudit_engine.text import counted

_NUMBER: Final = struct.Struct("=I")
_SHOWN: Final = struct.Struct("=II")
_MOUNT_KEY: Final = struct.Struct("=II")
_CANONICAL_MOUNT: Final = struct.Struct("=HHI64s248s")
_NAMES: Final = 4
_ROOT_BYTES: Final = 64
_POINT_BYTES: Final = 248


class HostFiles:
    """Use it from one thread.

    Args:
        plan: What the kernel filters by.
        mounts: Whose mounts: a mountinfo.

    Attributes:
        resolver: Makes events of records.
        waker: A descriptor for poll(2) that is ready (`WAKES`) when mounts change.
    """

    WAKES: ClassVar[int] = MountWatch.WAKES

    def __init__(self, plan: KernelPlan, *, mounts: str = HOST_MOUNTS) -> None:
        self._mounts = MountWatch(mounts)
        self._known = KnownFiles(self._mounts)
        self._too_many = 0
        self.waker = self._mounts.waker
        self.resolver = Resolver(self._mounts, self._known, plan)
        self.replace_plan(plan)

    @property
    def table(self) -> MountTable:
        """What is mounted."""
        return self._mounts.table

    @property
    def files(self) -> dict[FileId, int]:
        """The clauses of each known file, by its inode."""
        return self._known.files

    def replace_plan(self, plan: KernelPlan) -> None:
        """Other rules name other files: learn them."""
        self.resolver.plan = plan
        self._too_many = self._known.want(plan.known_files)
        self._known.learn()

    def refresh_mounts(self) -> bool:
        """Whether other file systems are mounted than at the last look; half a µs where none are."""
        return self._mounts.refresh_if_changed()

    def refresh_files(self) -> bool:
        """Whether other files are known than at the last look; mostly it is not time to look."""
        return self._known.learn_if_due()

    def doubts(self, room: int) -> list[str]:
        """What found no room, in words.

        Args:
            room: For files, in the kernel's map.
        """
        told = []
        if left_out := self._too_many + max(0, len(self.files) - room):
            told.append(
                f"{counted(left_out, 'file')} that rules name: not seen under other names (hard links)"
            )
        told_mounts = itertools.islice(mount_entries(self.table)[0], MAX_MOUNTS)
        if nameless := self.table.showing.keys() - {_MOUNT_KEY.unpack(key)[0] for key in told_mounts}:
            system = counted(len(nameless), "file system")
            told.append(
                f"{system} with no room in the kernel: no other names of what is mounted elsewhere, too"
            )
        return told

    def close(self) -> None:
        """Stop watching."""
        self._mounts.close()


def mount_entries(table: MountTable) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """The table as the entries of the kernel's maps `mounts` and `canonical` (`bpf/maps.h`).

    The text of a root or a mount point that is the root is empty: names go on behind it with a slash. Of each
    device there are the best few; one whose texts find no room is left out. What is below none of them has no
    other name for the kernel.
    """
    mounts = {
        _MOUNT_KEY.pack(device, number): _CANONICAL_MOUNT.pack(len(root), len(point), 0, root, point)
        for device, shown in table.showing.items()
        for number, (root, point) in enumerate(_fitting(shown))
    }
    canonical = {
        _NUMBER.pack(number): _SHOWN.pack(shown.device, shown.root == b"/")
        for number in table.canonical_ids
        for shown in (table.by_number[number],)
    }
    return mounts, canonical


def _fitting(shown: Sequence[Mount]) -> list[tuple[bytes, bytes]]:
    """Roots and mount points, as many as the kernel looks at."""
    texts = ((one.root.rstrip(b"/"), one.point.rstrip(b"/")) for one in shown)
    fitting = (
        (root, point) for root, point in texts if len(root) <= _ROOT_BYTES and len(point) <= _POINT_BYTES
    )
    return list(itertools.islice(fitting, _NAMES))
