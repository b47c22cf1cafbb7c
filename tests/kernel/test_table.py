"""Every operation, by every call that does it, under every way to name a file: what the engine says of it.

The table is in `table/`: `calls.py` and `changes.py` are its rows, `namings.py` its columns. A cell is one
call in a process of its own; what the engine reports of it must be exactly the one event that it should be.
"""

import sys

import pytest
from tests.kernel.table.cells import ALL, CANNOT, CELLS, Cell, id_of, refusal
from tests.kernel.table.changes import TABLE
from tests.kernel.table.theatre import Theatre

from fileaudit_engine.events.calls import CALLS
from fileaudit_engine.events.model import Operation

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("cell", CELLS, ids=id_of)
def test_the_engine_reports(theatre: Theatre, cell: Cell) -> None:
    wrong = theatre.surprises(*cell, refusal(cell))
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
