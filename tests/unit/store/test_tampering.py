"""Whatever somebody does to a store with an SQL prompt is found, and told with the rows that it was done to.

Each case says what is done, by the sqlite3 command, and everything that `verify` then says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.unit.store import chain_oracle
from tests.unit.store.tampered import BLOCK_ROWS, copy, found, in_order, sql, told, write
from tests.unit.store.tampering_cases import CASES, Case, relinking_of, script_of

from fileaudit_engine.store import blocks
from fileaudit_engine.store.anchors import Anchor
from fileaudit_engine.store.store import Store


@dataclass(frozen=True)
class Written:
    """A store and its anchors."""

    path: Path
    anchors: list[Anchor]


@pytest.fixture(scope="module", autouse=True)
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "ROWS", BLOCK_ROWS)
        yield


@pytest.fixture(scope="module", params=["in the database", "in the log"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A store whose rows are all in the database, and one whose rows are all in the log beside it."""
    folder = tmp_path_factory.mktemp("store")
    with Store.open(folder / "made" / "fileaudit.db") as store:
        anchors = write(store)
        if request.param == "in the log":  # closing moves them
            taken = copy(store.path, folder / "taken")
            assert taken.with_name("fileaudit.db-wal").stat().st_size > taken.stat().st_size
            return Written(taken, anchors)
    return Written(copy(store.path, folder / "taken"), anchors)


@pytest.fixture
def taken(written: Written, tmp_path: Path) -> Path:
    """A copy of its own for each test."""
    return copy(written.path, tmp_path / "copy")


def test_the_store_that_nobody_touched_is_fine(written: Written, taken: Path) -> None:
    assert found(taken, written.anchors) == []
    assert chain_oracle.Rows(taken).broken_links() == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_found_and_placed(case: Case, written: Written, taken: Path) -> None:
    sql(taken, script_of(case, taken))
    sql(taken, relinking_of(case, taken))
    assert told(found(taken)) == in_order(case.told)
    anchored = case.told if case.anchored is None else case.anchored
    assert told(found(taken, written.anchors)) == in_order(anchored)
