"""`verify` in memory that does not grow with the store, however long its names are."""

import tracemalloc
from pathlib import Path

import msgspec
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record

from fileaudit_engine.store.store import Store
from fileaudit_engine.store.verify import verify

ROWS = 4_096
"""A block of them."""


def test_long_paths_are_counted_in_little_memory_and_told_apart(tmp_path: Path) -> None:
    start = "/srv/" + "x" * 4_000
    with Store.open(tmp_path / "x.db") as store:
        for first in range(0, ROWS, 512):
            store.append(
                [
                    record(msgspec.structs.replace(SHADOW, path=f"{start}{n}", ts_ns=SHADOW.ts_ns + n))
                    for n in range(first, first + 512)
                ]
            )
        tracemalloc.start()
        found = list(verify(store))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found == []
        assert most < 40 << 20, most
        store.connection.execute(
            "UPDATE postings SET count = 2 WHERE name = (SELECT id FROM names WHERE text = ?)", (f"{start}7",)
        )
        assert [finding.what.value for finding in verify(store)] == ["postings"]
