"""A rule names a file exactly, and somebody comes to it by another name: the rule sees it, by its own one.

Every call that comes to a file, and not to a name, by every way to have another name for it.
"""

import os
from pathlib import Path
from typing import Final

import pytest
from tests.kernel.capture import named
from tests.kernel.table import raw
from tests.kernel.table.calls import Call, Needs
from tests.kernel.table.cells import id_of
from tests.kernel.table.changes import TABLE
from tests.kernel.table.expected import describe, expected, surprises
from tests.kernel.table.namings import BindMount, HardLink, Naming, Subject
from tests.kernel.table.stage import Stage, Told
from tests.kernel.table.theatre import Theatre
from tests.kernel.table.ways import Way

from fileaudit_engine.events.model import FileEvent, Operation

pytestmark = pytest.mark.kernel


class LinkedBehind(HardLink):
    """By a symbolic link to another name of the file."""

    name = "link_to_hard_link"

    def made(self, it: Subject) -> None:
        super().made(it)
        Path(os.fsdecode(self.asked(it))).symlink_to(os.fsdecode(self.path(it)))

    def asked(self, it: Subject) -> bytes:
        return b"%s/way" % it.ground.unseen


NAMINGS: Final = (HardLink(), LinkedBehind(), BindMount())
CELLS: Final = tuple(
    (call, naming)
    for call in TABLE
    for naming in NAMINGS
    if call.ways <= {Way.OPENS, Way.FOLLOWS, Way.DESCRIPTOR} and call.needs in {Needs.FILE, Needs.PROGRAM}
    if raw.exists(call.syscall)
    and (call.variant, naming.name) != ("nofollow", "link_to_hard_link")
    and not (
        call.nameless and naming.name != "bind_mount"
    )  # which name a handle leads to is the kernel's choice
)


@pytest.mark.parametrize("cell", CELLS, ids=id_of)
def test_the_rule_sees_its_file(theatre: Theatre, cell: tuple[Call, Naming]) -> None:
    call, naming = cell
    stage = Stage(call=call, naming=naming, ground=theatre.ground())
    told, known = played(theatre, stage)
    assert told.result >= 0, describe(call, told.result)
    wanted = expected(stage, told, 0)
    wanted |= {"alias_path": wanted["path"], "path": known}
    events = [event for event in told.events if event.operation is call.operation or not call.also]
    wrong = surprises(events, wanted, told.inode)
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.mark.parametrize("call", [c for c in TABLE if c.operation is Operation.UNLINK], ids=lambda c: c.name)
def test_another_name_that_goes_is_not_the_file_that_stays(theatre: Theatre, call: Call) -> None:
    told, _ = played(theatre, Stage(call=call, naming=HardLink(), ground=theatre.ground()))
    assert (told.result, told.events) == (0, [])


def played(theatre: Theatre, stage: Stage) -> tuple[Told, str]:
    """A cell under the one rule that names its file by the name that is not in use; and that name."""
    known = f"{os.fsdecode(stage.ground.unseen)}/{os.fsdecode(stage.leaf)}"

    def events_of(pid: int) -> list[FileEvent]:
        events = [seen.event for seen in theatre.capture.arrived() if 0 in seen.rules]
        return [event for event in events if event.process.pid == pid and event.path == known]

    return stage.play(events_of, lambda: theatre.capture.watch(named(known))), known
