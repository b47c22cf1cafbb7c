"""What a store of a former version holds is in the present one afterwards, once, and chained."""

import contextlib
import sqlite3
from pathlib import Path

import msgspec
import pytest
from tests.unit.events.examples import LOSS
from tests.unit.store.test_store import at, kept, refused, rows_of

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.store.blocks import LONGEST_NS
from fileaudit_engine.store.chain import genesis, link
from fileaudit_engine.store.opening import APPLICATION_ID
from fileaudit_engine.store.states import PACKING, packed
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.writer import key_of

SCRIPTS = Path(__file__).parent / "former"
VERSIONS = (1, 2, 3)

ALERTS = (at(3), at(1))
EVENTS = (at(2, level="informational"), at(4, level="informational"))


def made(path: Path, version: int) -> Path:
    """A store as a former version made it, with two alerts, two audit events and a loss."""
    path.parent.mkdir(parents=True, mode=0o700)
    path.touch(0o600)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA page_size = 16384")
        connection.execute("PRAGMA journal_mode = WAL")
        for number in range(1, version + 1):
            connection.executescript((SCRIPTS / f"version_{number}.sql").read_text())
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")
        insert(connection, "alerts", ALERTS)
        insert(connection, "events", EVENTS)
        for what, count in LOSS.counts.items():
            connection.execute(
                "INSERT INTO losses VALUES (?, ?, ?, ?)", (LOSS.first_ns, LOSS.last_ns, what, count)
            )
        if version > 2:
            state = ("correlations", 7, PACKING, packed(b"state"))
            connection.execute("INSERT INTO states VALUES (?, ?, ?, ?)", state)
        connection.commit()
    return path


def insert(connection: sqlite3.Connection, table: str, records: tuple[Record, ...]) -> None:
    for record in records:
        connection.execute(
            f"INSERT INTO {table} (id, ts_ns, rule, level, severity, operation, outcome, path, user, pid,"
            " executable, document) VALUES (?, ?, ?, ?, 0, 'open', 'success', '/x', 'root', 1, '/y', ?)",
            (record.id, record.ts_ns, record.rule, record.level, encode(record.document)),
        )


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_is_there_afterwards_in_the_order_of_its_time(tmp_path: Path, version: int) -> None:
    with Store.open(made(tmp_path / "old" / "x.db", version)) as store:
        assert kept(store) == [ALERTS[1].id, ALERTS[0].id]
        assert kept(store, Kind.EVENT) == [record.id for record in EVENTS]
        assert [stored.document for stored in store.records(Kind.EVENT)] == [r.document for r in EVENTS]
        assert list(store.losses()) == [LOSS]
        assert store.load_state("correlations") == ((7, b"state") if version > 2 else None)
        assert store.append([*ALERTS, *EVENTS], [LOSS]) == 0
        assert store.append([at(5)]) == 1
        assert [record.seq for record in store.records_after(0, 10)] == [1, 2, 3, 4, 5, 6]


def test_losses_stand_where_they_happened(tmp_path: Path) -> None:
    path = made(tmp_path / "old" / "x.db", 3)
    between = msgspec.structs.replace(LOSS, first_ns=2, last_ns=3, counts={"open": 5, "a b": 1})
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for what, count in between.counts.items():
            connection.execute("INSERT INTO losses VALUES (2, 3, ?, ?)", (what, count))
        connection.commit()
    with Store.open(path) as store:
        assert [record.ts_ns for record in store.records_after(0, 10)] == [1, 2, 3, 3, 4, LOSS.last_ns]
        assert list(store.losses()) == [between, LOSS]


def test_no_block_of_a_migrated_store_holds_more_than_a_day(tmp_path: Path) -> None:
    path = made(tmp_path / "old" / "x.db", 3)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        insert(connection, "alerts", tuple(at(day * LONGEST_NS + 7) for day in range(2, 400)))
        connection.commit()
    with Store.open(path) as store:
        spans = [last - first for first, last in store.rows("SELECT first_ns, last_ns FROM blocks")]
        assert len(spans) > 190
        assert max(spans) <= 2 * LONGEST_NS


@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_chained_from_the_first_row_on(tmp_path: Path, version: int) -> None:
    with Store.open(made(tmp_path / "old" / "x.db", version)) as store:
        expected = genesis(store.identity)
        for one in store.records_after(0, 10):
            expected = link(expected, one.seq, one.ts_ns, key_of(one.id), one.raw)
        assert store.head.link == expected


@pytest.mark.parametrize("version", VERSIONS)
def test_its_tables_and_pages_are_those_of_a_new_store(tmp_path: Path, version: int) -> None:
    old, new = made(tmp_path / "old" / "x.db", version), tmp_path / "new" / "x.db"
    for path in (old, new):
        Store.open(path).close()
    for query in (
        "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name",
        "PRAGMA page_size",
        "PRAGMA auto_vacuum",
        "PRAGMA journal_mode",
        "PRAGMA user_version",
    ):
        assert rows_of(old, query) == rows_of(new, query)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reader_changes_nothing_and_says_what_does(tmp_path: Path, version: int) -> None:
    assert refused(made(tmp_path / "old" / "x.db", version), read_only=True) == (
        f"the store has the old version {version}"
    )


def test_a_store_that_is_being_read_is_brought_up_all_the_same(tmp_path: Path) -> None:
    path = made(tmp_path / "old" / "x.db", 3)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM alerts").fetchone() == (2,)
        with Store.open(path) as store:
            assert len(kept(store)) == 2
        assert rows_of(path, "PRAGMA auto_vacuum") == [(0,)]
        reader.execute("COMMIT")
    Store.open(path).close()
    assert rows_of(path, "PRAGMA auto_vacuum") == [(2,)]


def test_a_document_that_is_none_is_told_and_the_old_tables_stay(tmp_path: Path) -> None:
    path = made(tmp_path / "old" / "x.db", 3)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alerts SET document = x'00' WHERE seq = 1")
        connection.commit()
    assert refused(path).endswith("row 1 of alerts holds no document")
    assert rows_of(path, "SELECT count(*) FROM alerts") == [(2,)]
    assert rows_of(path, "PRAGMA user_version") == [(3,)]
