"""One capture for all kernel tests: a plan is replaced in milliseconds, a load takes seconds."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.kernel.capture import EVERYTHING, Capture
from tests.kernel.table.theatre import Theatre, opened


@pytest.fixture(scope="session")
def loaded() -> Iterator[Capture]:
    capture = Capture(EVERYTHING)
    yield capture
    capture.close()


@pytest.fixture
def capture(loaded: Capture) -> Capture:
    """The capture, with an empty ring; give it a plan."""
    loaded.drain()
    return loaded


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that everybody may enter, by its true path."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path("/tmp"):
            break
        folder.chmod(0o755)
    return tmp_path.resolve()


@pytest.fixture(scope="module")
def theatre(loaded: Capture) -> Iterator[Theatre]:
    """Where the cells of the table are played: not in pytest's folders, which nobody else may enter."""
    with tempfile.TemporaryDirectory(prefix="fileaudit-") as folder:
        root, disk = (Path(folder).resolve() / name for name in ("memory", "disk"))
        for path in (root, disk):
            path.mkdir()
        with opened(loaded, root, disk) as theatre:
            yield theatre
