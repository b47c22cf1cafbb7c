"""Debian's kernels, reduced to what a machine boots with, and kept.

Of a package of some 100 MB we keep the image and the few modules that lead to the host's files, unpacked and
in the order in which they have to be inserted. The modules name what they depend on themselves, so nothing
has to be installed to find out.
"""

import lzma
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.vm.errors import CannotRun, Usage

CACHE: Final = Path("/var/cache/fileaudit-vm")
WANTED: Final = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")
"""Devices, the channels to the host, its files, and the overlay over them."""

_DEPENDS: Final = re.compile(rb"\0depends=([^\0]*)\0")
_PACKAGE: Final = r"linux-image-{version}(?:\.\d+)*(?:-\d+|\+[a-z0-9.]+)-amd64"
"""Signed and generic: the cloud flavour has no 9p, and debug symbols boot nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A kernel to boot.

    Attributes:
        package: The Debian package that it came in.
        image: The compressed kernel.
        modules: Uncompressed, each after those that it depends on.
    """

    package: str
    image: Path
    modules: tuple[Path, ...]


def kernel(version: str, cache: Path, say: Callable[[str], None]) -> Kernel:
    """The newest kept kernel of this version, or the newest that can be downloaded.

    Args:
        version: As in `6.1`: the numbers at the beginning of the full one.
        cache: The folder where kernels are kept; removing it is safe.
        say: Is told what takes time.

    Raises:
        Usage: `version` is none.
        CannotRun: Debian has no such kernel, or it cannot be downloaded.
    """
    if not re.fullmatch(r"\d+(\.\d+)+", version):
        raise Usage(f"{version!r} is no kernel version: write one like 6.1")
    kept = newest((folder.name for folder in cache.glob("linux-image-*")), version)
    if kept is None:
        kept = _downloaded(version, cache, say)
    return Kernel(
        package=kept,
        image=cache / kept / "vmlinuz",
        modules=tuple(sorted((cache / kept / "modules").iterdir())),
    )


def newest(packages: Iterable[str], version: str) -> str | None:
    """The package of this version with the highest numbers; None if there is none."""
    pattern = re.compile(_PACKAGE.format(version=re.escape(version)))
    return max(filter(pattern.fullmatch, packages), key=_numbers, default=None)


def _numbers(package: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", package)]


def _downloaded(version: str, cache: Path, say: Callable[[str], None]) -> str:
    package = newest(_available(version), version)
    if package is None:
        raise CannotRun(
            f"the package index has no kernel {version}; 'apt-get update' may help, or another version"
        )
    say(f"downloading {package} (apt-get) into {cache}")
    cache.mkdir(parents=True, exist_ok=True)
    # Beside its final place, so that it appears there whole.
    with tempfile.TemporaryDirectory(dir=cache, prefix="new-") as name:
        folder = Path(name)
        _output("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package, folder=folder)
        (archive,) = folder.glob("*.deb")
        _output("dpkg-deb", "--extract", str(archive), "unpacked", folder=folder)
        reduced = folder / "reduced"
        _reduce(folder / "unpacked", reduced)
        reduced.rename(cache / package)
    return package


def _available(version: str) -> list[str]:
    listed = _output("apt-cache", "search", "--names-only", f"^linux-image-{re.escape(version)}")
    return [line.split(" ", 1)[0] for line in listed.splitlines()]


def _output(*command: str, folder: Path | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise CannotRun(f"{command[0]} is missing: kernels come from Debian's packages") from error
    except subprocess.CalledProcessError as error:
        raise CannotRun(f"{' '.join(command)}: {error.stderr.strip()}") from error
    return done.stdout


def _reduce(unpacked: Path, into: Path) -> None:
    """Keep of a package what `Kernel` needs."""
    modules = into / "modules"
    modules.mkdir(parents=True)
    (image,) = (unpacked / "boot").glob("vmlinuz-*")
    image.rename(into / "vmlinuz")
    built = {path.name.split(".")[0].replace("-", "_"): path for path in unpacked.rglob("*.ko*")}
    contents = {name: _uncompressed(built[name]) for name in _needed(built)}
    for number, name in enumerate(in_order(WANTED, contents)):
        (modules / f"{number:02}-{name}.ko").write_bytes(contents[name])


def _needed(built: Mapping[str, Path]) -> Iterator[str]:
    """The names of the wanted modules and of all below them."""
    known: set[str] = set()
    waiting = [name for name in WANTED if name in built]
    while waiting:
        name = waiting.pop()
        if name not in known:
            known.add(name)
            waiting.extend(depends(_uncompressed(built[name])))
            yield name


def _uncompressed(path: Path) -> bytes:
    raw = path.read_bytes()
    return lzma.decompress(raw) if path.suffix == ".xz" else raw


def depends(module: bytes) -> list[str]:
    """The names of the modules that this one says it needs inserted first."""
    found = _DEPENDS.search(module)
    return [name.decode().replace("-", "_") for name in found[1].split(b",") if name] if found else []


def in_order(wanted: Iterable[str], modules: Mapping[str, bytes]) -> list[str]:
    """The names of `wanted` and of all that they need, each after its own needs.

    Args:
        wanted: Names; one that is not in `modules` is built into the kernel.
        modules: Contents by name.
    """
    order: list[str] = []

    def insert(name: str) -> None:
        if name not in order and name in modules:
            for needed in depends(modules[name]):
                insert(needed)
            order.append(name)

    for name in wanted:
        insert(name)
    return order
