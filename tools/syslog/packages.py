"""Syslog servers of the distribution, unpacked and not installed.

rsyslog and syslog-ng exclude each other as packages, and installing either would start a daemon that listens
to this host. So their packages, and the libraries among what they depend on that are not installed here, come
by the distribution's client and are unpacked into a folder of their own. Nothing of the host is touched.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.syslog.errors import CannotServe

CACHE: Final = Path("/var/cache/fileaudit-syslog")
RSYSLOG: Final = ("rsyslog", "rsyslog-openssl", "rsyslog-gnutls")
SYSLOG_NG: Final = ("syslog-ng-core",)

_STAMP: Final = ".unpacked"
_FETCH_S: Final = 300


def unpacked(packages: tuple[str, ...], cache: Path = CACHE) -> Path:
    """The folder that holds the packages' files; they are fetched if they are not there yet.

    Args:
        packages: Names; the first one gives the folder its name.
        cache: Where such folders are kept; removing it is safe.

    Raises:
        CannotServe: They cannot be had.
    """
    folder = cache / packages[0]
    if (folder / _STAMP).exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=f".{packages[0]}-") as name:
        fresh = Path(name) / "files"
        _fetch_all(packages, Path(name), fresh)
        (fresh / _STAMP).touch()
        try:
            fresh.rename(folder)
        except OSError:
            if not (folder / _STAMP).exists():  # else somebody else was faster
                raise
    return folder


def library_path(root: Path) -> str:
    """`LD_LIBRARY_PATH` for what lies in an unpacked folder."""
    lib = root / "usr" / "lib"
    shared = [*root.glob("lib/*-linux-gnu*"), *lib.glob("*-linux-gnu*")]
    return os.pathsep.join(map(str, (lib / "syslog-ng", *sorted(shared))))


def _fetch_all(packages: tuple[str, ...], folder: Path, root: Path) -> None:
    waiting, seen = list(packages), set(packages)
    while waiting:
        package = _fetch(waiting.pop(), folder)
        _run(["dpkg-deb", "-x", str(package), str(root)])
        missing = [name for name in _libraries_of(package) if name not in seen and not _is_installed(name)]
        seen.update(missing)
        waiting.extend(missing)


def _fetch(name: str, folder: Path) -> Path:
    # Its sandbox user could not write into a folder of ours.
    _run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", name], cwd=folder)
    found = next(folder.glob(f"{name}_*.deb"), None)
    if found is None:
        raise CannotServe(f"'apt-get download {name}' brought no package")
    return found


def _libraries_of(package: Path) -> Iterator[str]:
    """Libraries that a package depends on; of alternatives the first one."""
    for dependency in _run(["dpkg-deb", "-f", str(package), "Depends"]).split(","):
        name = re.match(r"\s*(lib[a-z0-9.+-]+)", dependency)
        if name is not None:
            yield name[1]


def _is_installed(name: str) -> bool:
    command = ["dpkg-query", "-W", "-f", "${db:Status-Status}", name]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    return asked.stdout == "installed"


def _run(command: list[str], cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            timeout=_FETCH_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotServe(f"{command[0]}: {error}: this works on Debian and Ubuntu only") from error
    if done.returncode:
        words = " ".join(done.stderr.split()) or f"status {done.returncode}"
        raise CannotServe(f"'{' '.join(command)}' failed: {words}: does 'apt-get update' work here?")
    return done.stdout
