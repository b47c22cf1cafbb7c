"""The benchmark of searches asks a store that is there, and says so where there is nothing to ask."""

from pathlib import Path

import msgspec
import pytest
import store_query
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record

from fileaudit_engine.store import blocks
from fileaudit_engine.store.store import Store


def test_each_search_has_a_line_with_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "ROWS", 10)
    with Store.open(tmp_path / "x.db") as store:
        store.append([record(msgspec.structs.replace(SHADOW, ts_ns=i)) for i in range(200)])
        store_query.main([str(store.path), "--rounds", "1"])
    lines = capsys.readouterr().out.splitlines()
    found = {line[:34].strip(): line[34:].split()[0] for line in lines[3:]}
    assert found["path, the busiest"] == found["user, the busiest"] == found["alerts"] == "101"
    assert found["path that is not there"] == "0"
    assert found["event.id"] == "1"
    assert found["count"] == found["count, one user"] == "200"


def test_a_store_without_a_full_block_is_refused(tmp_path: Path) -> None:
    with Store.open(tmp_path / "x.db") as store, pytest.raises(SystemExit, match="nothing to measure"):
        store_query.main([str(store.path)])
