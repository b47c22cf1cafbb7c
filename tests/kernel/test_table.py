"""Every operation, by every call that does it, under every way to name a file: what the engine says of it.

The table is in `table/`: `calls.py` and `changes.py` are its rows, `namings.py` its columns. A cell is one
call in a process of its own; what the engine reports of it must be exactly the one event that it should be.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.kernel.capture import ANY, Capture, Seen, named
from tests.kernel.table import raw
from tests.kernel.table.cells import ALL, CANNOT, CELLS, Cell, id_of, refusal
from tests.kernel.table.changes import TABLE
from tests.kernel.table.expected import describe, expected, surprises
from tests.kernel.table.namings import Ground
from tests.kernel.table.stage import Stage

from fileaudit_engine.events.calls import CALLS
from fileaudit_engine.events.model import FileEvent, Operation
from fileaudit_engine.sources import bpf

pytestmark = pytest.mark.kernel


@dataclass(frozen=True)
class Theatre:
    """All cells' grounds, and the capture that watches them."""

    capture: Capture
    root: Path
    disk: Path

    def ground(self, number: int) -> Ground:
        return Ground(
            seen=b"%s/seen/%d" % (bytes(self.root), number),
            unseen=b"%s/unseen/%d" % (bytes(self.root), number),
            disk=b"%s/seen/%d" % (bytes(self.disk), number),
        )

    def events_of(self, pid: int) -> list[FileEvent]:
        """What has arrived of a process, as far as a rule for the watched folders matches it.

        A rule that matches a call under one of its file's names is not asked again.
        """
        found: list[FileEvent] = []
        asked: set[int] = set()
        for seen in [seen for seen in self.capture.arrived() if seen.event.process.pid == pid]:
            asked = asked if seen.again else set()
            matched = self._matching(seen) - asked
            asked |= matched
            found += [seen.event] if matched else []
        return found

    def _matching(self, seen: Seen) -> set[int]:
        """The rules that the event is a candidate of and that are true of it."""
        paths = [path for path in (seen.event.path, seen.event.source_path) if path]
        folders = (f"{self.root}/seen/", f"{self.disk}/seen/")
        return {rule for rule in seen.rules & {0, 1} if any(path.startswith(folders[rule]) for path in paths)}


@pytest.fixture(scope="module")
def theatre(loaded: Capture, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    root, disk = (tmp_path_factory.mktemp(name).resolve() for name in ("memory", "disk"))
    raw.must("mount", b"none", bytes(root), b"tmpfs", 0, None)
    try:
        loaded.watch(named(f"{root}/seen/", ANY), named(f"{disk}/seen/", ANY))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bpf, "BATCH_DELAY_S", 0)  # nothing more is coming that would fill a batch
            yield Theatre(loaded, root, disk)
    finally:
        raw.unmount_all(bytes(root))


@pytest.mark.parametrize("cell", CELLS, ids=id_of)
def test_the_engine_reports(theatre: Theatre, cell: Cell) -> None:
    call, naming = cell
    stage = Stage(call=call, naming=naming, ground=theatre.ground(CELLS.index(cell)))
    refused = refusal(cell)
    told = stage.play(theatre.events_of)
    assert (told.result < 0, max(0, -told.result)) == (bool(refused), refused), describe(call, told.result)
    wanted = expected(stage, told, refused)
    events = [event for event in told.events if event.operation is call.operation or not call.also]
    wrong = surprises(events, wanted, told.inode)
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def test_the_table_has_every_call_and_every_operation() -> None:
    assert {call.syscall for call in TABLE} == set(CALLS)
    assert {call.operation for call in TABLE} == set(Operation)


def test_every_cell_is_played_or_has_a_reason_why_not(capsys: pytest.CaptureFixture[str]) -> None:
    names = [id_of(cell) for cell in ALL]
    assert len(set(names)) == len(names)
    assert {id_of(cell) for cell in CELLS} | CANNOT.keys() == set(names)
    assert all(CANNOT.values())
    assert len(CELLS) >= 200
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(CELLS)} cells, {len(CANNOT)} that cannot be, for {len(set(CANNOT.values()))} reasons\n"
        )
