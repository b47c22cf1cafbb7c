"""What the store keeps, what survives, and which files and folders it refuses."""

import contextlib
import os
import signal
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from tests.unit.events.examples import HOSTILE, LOSS, SHADOW, events
from tests.unit.events.records import record

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.diagnostics import MachineCannot, UnusableInput
from fileaudit_engine.events.model import FileEvent, Operation
from fileaudit_engine.store.names import MAX_REMEMBERED
from fileaudit_engine.store.opening import APPLICATION_ID, VERSION
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import to_document

REPEATABLE = settings(derandomize=True, database=None, deadline=None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "below" / "fileaudit.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as opened:
        yield opened


def at(ts_ns: int, *, level: str = "high") -> Record:
    return record(msgspec.structs.replace(SHADOW, ts_ns=ts_ns), level=level)


def kept(store: Store, kind: Kind = Kind.ALERT) -> list[str]:
    return [stored.id for stored in store.records(kind)]


def rows_of(path: Path, query: str, *values: str) -> list[tuple[object, ...]]:
    """What any SQLite program sees in the file."""
    with contextlib.closing(sqlite3.connect(path)) as reader:
        return reader.execute(query, values).fetchall()


# --------------------------------------------------------------------------------------------- keeping


def test_alerts_and_audit_events_are_kept_apart_in_the_order_of_their_coming(store: Store) -> None:
    late, early, audit = at(2), at(1), at(3, level="informational")
    store.append([late, audit, early])
    assert kept(store) == [late.id, early.id]
    assert kept(store, Kind.EVENT) == [audit.id]


def test_a_record_comes_back_as_it_was_kept(store: Store) -> None:
    store.append([record()])
    (stored,) = store.records(Kind.ALERT)
    assert (stored.ts_ns, stored.rule, stored.level) == (SHADOW.ts_ns, "shadow_file_read", "high")
    assert stored.document == record().document


def test_a_known_record_is_passed_over_and_not_counted(store: Store) -> None:
    assert store.append([at(1), at(1), at(2)]) == 2
    assert store.append([at(2), at(3)]) == 1
    assert len(kept(store)) == 3


def test_rows_are_numbered_in_the_order_of_their_coming_whatever_they_are(store: Store) -> None:
    store.append([at(5), at(4, level="informational")], [LOSS])
    store.append([at(5), at(3)])
    assert [(r.seq, r.ts_ns, r.kind) for r in store.records_after(0, 10)] == [
        (1, 5, Kind.ALERT),
        (2, 4, Kind.EVENT),
        (3, LOSS.last_ns, Kind.ENGINE),
        (4, 3, Kind.ALERT),
    ]
    assert [r.seq for r in store.records_after(1, 2)] == [2, 3]
    assert store.head.seq == 4


def test_losses_come_back_with_their_span(store: Store) -> None:
    other = msgspec.structs.replace(LOSS, first_ns=LOSS.last_ns, last_ns=LOSS.last_ns + 1)
    assert store.append([], losses=[LOSS, other, LOSS]) == 2
    assert list(store.losses()) == [LOSS, other]


def test_the_columns_that_queries_use_hold_the_events_facts(store: Store, path: Path) -> None:
    store.append([record(msgspec.structs.replace(SHADOW, errno=13))])
    columns = "ts_ns, rule, level, operation, outcome, path, user, pid, executable"
    when_and_rule = (SHADOW.ts_ns, "shadow_file_read", "high")
    what_and_who = ("open", "failure", "/etc/shadow", "root", 4242, "/usr/bin/cat")
    assert rows_of(path, f"SELECT {columns} FROM alerts") == [when_and_rule + what_and_who]


def test_a_hostile_name_is_found_by_what_its_document_says(store: Store, path: Path) -> None:
    store.append([record(msgspec.structs.replace(SHADOW, path=HOSTILE, user_name=HOSTILE))])
    ((seq, user),) = rows_of(path, "SELECT seq, user FROM alerts WHERE path = ?", to_document(HOSTILE))
    (stored,) = store.read([int(str(seq))])
    assert stored.document["file"]["path"] == user == to_document(HOSTILE)


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("store") / "x.db") as opened:
        yield opened


@given(events)
@REPEATABLE
def test_any_event_can_be_kept(common: Store, event: FileEvent) -> None:
    common.append([record(event, key="rule\udcff")])
    assert record(event, key="rule\udcff").id in kept(common)


# ------------------------------------------------------------------------------------------- surviving


WRITER = """
import sys, os, signal
from fileaudit_engine.store.store import Store
from tests.unit.store.test_store import at
store = Store.open(sys.argv[1])
for i in range(50):
    store.append([at(i)])
    print(i, flush=True)
store.connection.execute("BEGIN IMMEDIATE")
store.connection.execute("DELETE FROM records")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_committed_survives_a_killed_process_and_the_rest_is_undone(path: Path) -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(path)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'engine'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    with Store.open(path) as reopened:
        assert kept(reopened) == [at(i).id for i in range(len(done.stdout.split()))]


def test_a_reader_sees_what_is_committed_while_the_writer_goes_on(store: Store, path: Path) -> None:
    store.append([at(1)])
    with Store.open(path, read_only=True) as reader:
        assert len(kept(reader)) == 1
        store.append([at(2)])
        assert len(kept(reader)) == 2


def test_a_second_writer_is_refused_and_told_who_the_first_one_is(store: Store, path: Path) -> None:
    with pytest.raises(MachineCannot, match=rf"another process \(process {os.getpid()}\) writes") as raised:
        Store.open(path)
    assert "stop that one" in raised.value.remedy
    store.append([at(1)])
    store.close()
    with Store.open(path) as other:
        assert other.append([at(1), at(2)]) == 1


def test_a_batch_that_cannot_be_written_whole_is_not_written_at_all(store: Store) -> None:
    timeless: Any = {"ts_ns": 2**63}
    store.append([at(1)])
    with pytest.raises(struct.error):
        store.append([at(2), msgspec.structs.replace(at(2), **timeless)])
    assert store.append([at(3)]) == 1
    assert kept(store) == [at(1).id, at(3).id]


def test_a_process_number_that_no_process_has_is_in_the_document_only(store: Store) -> None:
    process = msgspec.structs.replace(SHADOW.process, pid=2**63)
    store.append([record(msgspec.structs.replace(SHADOW, process=process))])
    assert list(store.rows("SELECT pid FROM records")) == [(None,)]
    assert [stored.document["process"]["pid"] for stored in store.records(Kind.ALERT)] == [2**63]


def test_long_names_are_kept_and_not_remembered(store: Store) -> None:
    paths = [f"/{'x' * 4_000}{i}" for i in range(3)]
    events = [msgspec.structs.replace(SHADOW, ts_ns=i, path=path) for i, path in enumerate(paths * 2)]
    store.append([record(event) for event in events[:3]])
    store.append([record(msgspec.structs.replace(e, operation=Operation.WRITE)) for e in events[3:]])
    assert max(len(text) for (text,) in store.rows("SELECT text FROM names WHERE dimension = 21")) < 600
    found = store.rows("SELECT text FROM names WHERE dimension = 6 ORDER BY id")
    assert [text for (text,) in found] == paths
    names = store._writing._names
    assert max(len(text) for _, text in names._known) <= MAX_REMEMBERED


@pytest.mark.parametrize("used", [(2**63 - 1,), (2**62 - 1,), (2**62 - 1, 2**61 - 1), (2**62, 2**62 - 9)])
def test_numbers_that_somebody_has_used_up_do_not_stop_the_engine(
    store: Store, path: Path, used: tuple[int, ...]
) -> None:
    store.append([at(1)])
    store.close()
    with contextlib.closing(sqlite3.connect(path)) as other:
        for number in used:
            other.execute("INSERT INTO names VALUES (?, 1, ?)", (number, f"x{number}"))
        other.commit()
    with Store.open(path) as again:
        for number in range(2, 12):
            event = msgspec.structs.replace(SHADOW, ts_ns=number, path=f"/new{number}")
            assert again.append([record(event)]) == 1
        assert list(again.rows("SELECT max(id) < 1000 FROM names WHERE text LIKE '/new%'")) == [(1,)]


@pytest.mark.parametrize(
    "deed",
    [
        "DELETE FROM chain",
        "UPDATE chain SET removed_seq = 9223372036854775807",
        "UPDATE chain SET removed_seq = -1",
        "UPDATE records SET seq = 9223372036854775807",
    ],
)
def test_a_store_whose_chain_cannot_go_on_is_refused_by_a_writer(store: Store, path: Path, deed: str) -> None:
    store.append([at(1)])
    store.close()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute(deed)
        other.commit()
    assert refused(path).endswith("it does not say where its chain begins or ends")


def test_a_view_in_the_place_of_a_table_is_refused_by_a_writer(store: Store, path: Path) -> None:
    store.close()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE records")
        other.execute(
            "CREATE VIEW records AS WITH RECURSIVE r(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM r)"
            " SELECT seq FROM r"
        )
        other.commit()
    assert refused(path).endswith("a view stands in the place of its table 'records'")


def test_a_reader_of_a_store_without_a_beginning_is_told(store: Store, path: Path) -> None:
    store.append([at(1)])
    store.connection.execute("DELETE FROM chain")
    with Store.open(path, read_only=True) as reader:
        assert reader.head.seq == 1
        with pytest.raises(UnusableInput):
            _ = reader.identity


def test_a_record_that_the_tables_refuse_is_told_and_not_passed_over(store: Store) -> None:
    timeless: Any = {"ts_ns": None}
    with pytest.raises(struct.error):
        store.append([at(1), msgspec.structs.replace(at(2), **timeless)])
    assert kept(store) == []


def test_a_loss_that_is_known_is_passed_over(store: Store) -> None:
    store.append([], [LOSS, LOSS])
    store.append([], [LOSS])
    assert list(store.losses()) == [LOSS]


def test_a_full_disk_is_told_with_a_remedy(store: Store) -> None:
    pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
    store.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(MachineCannot, match="full") as raised:
        store.append([at(i) for i in range(500)])
    assert "free some space" in raised.value.remedy
    assert kept(store) == []


def test_an_alert_is_forced_to_the_disk_and_an_audit_event_is_not(store: Store) -> None:
    store.append([at(1)])
    assert store.connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    store.append([at(2, level="informational")])
    assert store.connection.execute("PRAGMA synchronous").fetchone()[0] == 1


# -------------------------------------------------------------------------------------- file and folder


def test_file_and_folders_are_private_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        with Store.open(path) as store:
            store.append([at(1)])
            modes = {p.name: p.stat().st_mode & 0o777 for p in (*path.parents[:2], *path.parent.iterdir())}
    finally:
        os.umask(before)
    assert modes == {
        "made": 0o700,
        "below": 0o700,
        "fileaudit.db": 0o600,
        "fileaudit.db-lock": 0o600,
        "fileaudit.db-wal": 0o600,
        "fileaudit.db-shm": 0o600,
    }


def test_a_strict_umask_takes_nothing_from_the_file(path: Path) -> None:
    path.parent.mkdir(parents=True, mode=0o700)
    before = os.umask(0o777)
    try:
        Store.open(path).close()
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def refused(path: Path, *, read_only: bool = False) -> str:
    with pytest.raises(UnusableInput) as raised:
        Store.open(path, read_only=read_only)
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.help
    return diagnostic.message


def test_a_symbolic_link_in_the_stores_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "target.db")
    assert refused(tmp_path / "link.db") == "the store is a symbolic link"
    assert not (tmp_path / "target.db").exists()


def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o1777)
    assert refused(folder / "x.db") == "other users can write to the store's folder"
    assert list(folder.iterdir()) == []


def test_a_folder_below_one_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open" / "closed").mkdir(parents=True)
    (tmp_path / "open").chmod(0o777)
    assert refused(tmp_path / "open" / "closed" / "x.db") == "other users can write to the store's folder"


def test_a_folder_below_a_sticky_one_is_as_good_as_any(tmp_path: Path) -> None:
    (tmp_path / "sticky" / "closed").mkdir(parents=True)
    (tmp_path / "sticky").chmod(0o1777)
    Store.open(tmp_path / "sticky" / "closed" / "x.db").close()


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        os.chown(tmp_path, 12_345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    assert refused(tmp_path / "x.db") == "the store's folder belongs to another user"


def test_a_file_that_others_can_write_to_is_refused(path: Path) -> None:
    Store.open(path).close()
    path.chmod(0o666)
    assert refused(path) == "the store belongs to another user, or others can write to it"


def test_a_file_with_a_second_name_is_refused(path: Path) -> None:
    Store.open(path).close()
    (path.parent / "second").hardlink_to(path)
    assert refused(path) == "the store belongs to another user, or others can write to it"


def test_a_folder_in_the_stores_place_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path) == "the store is not a file"


def test_a_file_in_the_folders_place_is_a_machine_that_cannot(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MachineCannot, match="cannot be made"):
        Store.open(tmp_path / "file" / "x.db")


def test_a_name_that_a_uri_would_cut_is_taken_whole(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory#%41 \udcff.db"
    Store.open(path).close()
    assert path.stat().st_size > 0


# --------------------------------------------------------------------------------------- what is no store


def test_another_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be looked at as one" * 100)
    path.chmod(0o600)
    before = path.read_bytes()
    assert refused(path).startswith("the file is no store, or is damaged")
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    path.chmod(0o600)
    before = path.read_bytes()
    assert refused(path) == "this is another program's database"
    assert path.read_bytes() == before


def test_a_newer_store_is_refused(path: Path) -> None:
    with Store.open(path) as store:
        store.connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    assert refused(path).startswith(f"the store has version {VERSION + 1}")


def test_a_damaged_store_is_refused(path: Path) -> None:
    with Store.open(path) as store:
        store.append([at(i) for i in range(100)])
    raw = bytearray(path.read_bytes())
    raw[100:4096] = b"\xff" * 3996
    path.write_bytes(raw)
    assert refused(path).startswith("the file is no store, or is damaged")


def test_a_store_that_is_not_there_is_not_made_by_a_reader(path: Path) -> None:
    assert refused(path, read_only=True).startswith("the store cannot be read")
    assert not path.exists()


def test_an_empty_file_becomes_a_store_by_writing_only(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch(0o600)
    assert refused(path, read_only=True) == "the store is empty"
    with Store.open(path) as store:
        assert store.connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID


def test_opening_a_store_again_changes_nothing_in_it(path: Path) -> None:
    with Store.open(path) as store:
        store.append([at(1)])
    with Store.open(path) as store:
        assert kept(store) == [at(1).id]
        assert store.connection.execute("PRAGMA user_version").fetchone()[0] == VERSION


def test_known_audit_events_are_passed_over_and_events_of_one_time_are_told_apart(store: Store) -> None:
    one = msgspec.structs.replace(SHADOW, ts_ns=1)
    other = msgspec.structs.replace(one, path="/etc/gshadow")
    records = [record(event, level="informational") for event in (one, other)]
    assert store.append([*records, *records]) == 2
    assert store.append(records) == 0
