"""What the kernel starts with: a shell, modules, and two scripts that lead to the host's files.

`init.sh` runs in memory: it inserts the modules, mounts the host's root and the overlay, and moves over.
`guest.sh` runs there as the first process: it mounts what every system has, runs the command, and switches
the machine off. The archive is of cpio's `newc` form, which the kernel unpacks.
"""

import shlex
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tools.vm.errors import CannotRun

MOUNTED_ANEW: Final = ("/dev", "/proc", "/run", "/sys", "/tmp")
"""Folders over which `guest.sh` and `init.sh` mount the guest's own."""

_HERE: Final = Path(__file__).parent
_FOLDER: Final = 0o040755
_PROGRAM: Final = 0o100755
_LAST: Final = "TRAILER!!!"


def initramfs(modules: Iterable[Path], command: Sequence[str], folder: Path) -> bytes:
    """The archive.

    Args:
        modules: In the order of insertion.
        command: To run as root, with its arguments.
        folder: Where to run it.
    """
    busybox = shutil.which("busybox")
    if busybox is None:
        raise CannotRun("busybox is missing: apt install busybox-static")
    files = {
        "init": (_HERE / "init.sh").read_bytes(),
        "guest.sh": (_HERE / "guest.sh").read_bytes(),
        "command.sh": script(command, folder).encode("utf-8", "surrogateescape"),
        "bin/busybox": Path(busybox).read_bytes(),
        **{f"modules/{path.name}": path.read_bytes() for path in modules},
    }
    return archive(("bin", "modules"), files.items())


def script(command: Sequence[str], folder: Path) -> str:
    """A shell script that becomes the command, in this folder."""
    return f"cd {shlex.quote(str(folder))} || exit 126\nexec {shlex.join(command)}\n"


def archive(folders: Iterable[str], files: Iterable[tuple[str, bytes]]) -> bytes:
    """A cpio archive; every file in it may be executed."""
    entries = [*((name, _FOLDER, b"") for name in folders), *((name, _PROGRAM, data) for name, data in files)]
    return b"".join(_entries([*entries, (_LAST, 0, b"")]))


def _entries(entries: Iterable[tuple[str, int, bytes]]) -> Iterator[bytes]:
    for number, (name, mode, data) in enumerate(entries, 1):
        path = name.encode() + b"\0"
        # inode, mode, uid, gid, links, mtime, size, four device numbers, length of the name, checksum
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
        header = b"070701" + b"".join(b"%08x" % field for field in fields)
        yield _padded(header + path)
        yield _padded(data)


def _padded(data: bytes) -> bytes:
    """Names and contents begin at multiples of four."""
    return data + bytes(-len(data) % 4)
