"""Where Elasticsearch comes from: the distribution that its own integration tests run on.

It is Elasticsearch proper with few modules, and comes through Maven like any library. It is unpacked once and
kept; what a node writes goes elsewhere.
"""

import re
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from tools.syslog.errors import CannotServe

CACHE: Final = Path("/var/cache/fileaudit-elasticsearch")
VERSIONS: Final = ("8.19.0", "9.2.0")
"""Both major versions that the client talks to."""

_ARTIFACT: Final = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:{version}:zip"
_OLDEST_JAVA: Final = {8: 17, 9: 21}
_NEWEST_JAVA: Final = {8: 24, 9: 99}
_JVMS: Final = Path("/usr/lib/jvm")
_JAVA_VERSION: Final = re.compile(r'^JAVA_VERSION="(\d+)', re.MULTILINE)


def home_of(version: str, cache: Path = CACHE) -> Path:
    """The unpacked distribution; it is fetched if it is not there.

    Raises:
        CannotServe: It cannot be had.
    """
    home = cache / f"elasticsearch-{version}"
    if not home.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="fetching-") as scratch:
            _unpack(_fetched(version, Path(scratch)), Path(scratch))
            (Path(scratch) / home.name / "plugins").mkdir(exist_ok=True)
            try:
                (Path(scratch) / home.name).rename(home)
            except OSError:
                if not home.is_dir():  # else somebody else was faster
                    raise
    return home


def java_for(version: str, jvms: Path = _JVMS) -> Path | None:
    """The home of the oldest Java that runs a version; None if there is none.

    Args:
        version: Of Elasticsearch.
        jvms: The folder that holds one folder for each Java.
    """
    major = int(version.partition(".")[0])
    found = [
        (java, home)
        for home in sorted(jvms.glob("*"))
        if (java := _java_version(home)) and _OLDEST_JAVA[major] <= java <= _NEWEST_JAVA[major]
    ]
    return min(found, default=(0, None))[1]


def _java_version(home: Path) -> int:
    """Of what is installed in a folder; 0 if that is no Java that runs."""
    release = home / "release"
    if not (home / "bin/java").exists() or not release.is_file():
        return 0
    found = _JAVA_VERSION.search(release.read_text(encoding="utf-8", errors="replace"))
    return int(found[1]) if found else 0


def _fetched(version: str, folder: Path) -> Path:
    artifact = f"-Dartifact={_ARTIFACT.format(version=version)}"
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
    command = ["mvn", "-q", "--batch-mode", goal, artifact, f"-DoutputDirectory={folder}"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    except FileNotFoundError as error:
        raise CannotServe("there is no Maven here: apt-get install maven") from error
    except subprocess.CalledProcessError as error:
        said = (error.stdout + error.stderr).strip().splitlines()
        raise CannotServe(f"Elasticsearch {version} cannot be fetched: {' / '.join(said[:3])}") from error
    return folder / f"elasticsearch-{version}.zip"


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack for everybody to read, programs for everybody to run."""
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
        for member in packed.infolist():
            (folder / member.filename).chmod(
                0o755 if member.is_dir() or "/bin/" in member.filename else 0o644
            )
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
