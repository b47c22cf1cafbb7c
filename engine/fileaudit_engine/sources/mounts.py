"""The file systems that live capture needs mounted: tracefs, to attach; bpffs, to keep maps by name.

Distributions mount both at boot; containers and small virtual machines often do not.
"""

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine.diagnostics import MachineCannot

_MOUNTS_FILE: Final = Path("/proc/self/mounts")
_NOSUID_NODEV_NOEXEC: Final = 2 | 4 | 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A file system and the place where it belongs."""

    kind: str
    target: Path

    @property
    def command(self) -> str:
        """What a user types to mount it."""
        return f"mount -t {self.kind} {self.kind} {self.target}"


TRACEFS: Final = Mount(kind="tracefs", target=Path("/sys/kernel/tracing"))
BPFFS: Final = Mount(kind="bpf", target=Path("/sys/fs/bpf"))
NEEDED: Final = (TRACEFS, BPFFS)


def missing_mounts() -> tuple[Mount, ...]:
    """Those of `NEEDED` that are not mounted where they belong."""
    mounted = {(fields[1], fields[2]) for fields in map(str.split, _MOUNTS_FILE.read_text().splitlines())}
    return tuple(m for m in NEEDED if (str(m.target), m.kind) not in mounted)


def mount(wanted: Mount) -> None:
    """Mount it.

    Raises:
        MachineCannot: The kernel refuses: no privilege, or it lacks the file system.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    kind, target = wanted.kind.encode(), os.fsencode(wanted.target)
    if libc.mount(kind, target, kind, _NOSUID_NODEV_NOEXEC, None) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise MachineCannot(
            f"{wanted.kind} cannot be mounted on {wanted.target}: {reason}",
            remedy=f"as root: {wanted.command}",
        )
