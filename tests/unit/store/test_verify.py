"""What `verify` sees of retention, anchors, damaged pages, and of a store that goes on being written."""

import contextlib
import json
import random
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.unit.events.examples import SHADOW, events
from tests.unit.events.records import record
from tests.unit.store import chain_oracle, test_migration
from tests.unit.store.tampered import (
    BLOCK_ROWS,
    MINUTE_NS,
    anchor_of,
    copy,
    found,
    in_order,
    made,
    relinked,
    sql,
    told,
    write,
)

from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.diagnostics import UnusableInput
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.store import blocks, chain, verify_chain
from fileaudit_engine.store.anchors import Anchor
from fileaudit_engine.store.facets import facets_in
from fileaudit_engine.store.retention import Retention, remove
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.verify import Verification, verify

REPEATABLE = settings(derandomize=True, database=None, deadline=None)


@pytest.fixture(scope="module", autouse=True)
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "ROWS", BLOCK_ROWS)
        yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "fileaudit.db"


def drop_rows_before(store: Store, minute: int) -> None:
    """What retention does with rows that are older."""
    now_ns = SHADOW.ts_ns + 1_000 * MINUTE_NS
    for _ in remove(store, Retention(age_ns=(1_000 - minute) * MINUTE_NS), now_ns, host="web-1"):
        pass


# ---------------------------------------------------------------------------- the oracle and the engine agree


@given(event=events)
@REPEATABLE
def test_any_event_is_kept_as_the_contract_says(
    event: FileEvent, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "x.db"
    with Store.open(path) as store:
        store.append([record(event), record(event, key="another", level="informational")])
    rows = chain_oracle.Rows(path)
    assert (rows.broken_links(), rows.wrong_columns()) == ([], [])
    for row in rows.rows:
        raw = rows.document(row)
        assert sorted(facets_in(raw) or ()) == sorted(chain_oracle.facets(json.loads(raw)))
    assert found(path) == []


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("alert_level", [None, "critical"])
def test_what_the_engine_says_about_itself_is_kept_as_the_contract_says(
    path: Path, action: Action, alert_level: str | None
) -> None:
    said = engine_record(action, SHADOW.ts_ns, "web-1", "it did", {"pid": 7}, alert_level=alert_level)
    with Store.open(path) as store:
        store.append([said])
    rows = chain_oracle.Rows(path)
    assert (rows.broken_links(), rows.wrong_columns()) == ([], [])
    assert sorted(facets_in(rows.document(rows.rows[0])) or ()) == sorted(
        chain_oracle.facets(dict(said.document))
    )


def test_links_are_those_of_the_contract() -> None:
    arguments = (b"p" * 32, 2**40, -1, b"id", b'{"a":1}')
    assert chain.link(*arguments) != chain_oracle.link(*arguments[:2], 0, *arguments[3:])
    assert chain.link(*arguments) == chain_oracle.link(*arguments)
    assert chain.genesis(b"s" * 16) == chain_oracle.genesis(b"s" * 16)


@pytest.mark.parametrize("version", test_migration.VERSIONS)
def test_a_store_of_a_former_version_is_fine_afterwards(tmp_path: Path, version: int) -> None:
    path = test_migration.made(tmp_path / "old" / "x.db", version)
    with Store.open(path) as store:
        write(store, 60)
        anchor = anchor_of(store)
    assert found(path, [anchor]) == []
    assert chain_oracle.Rows(path).broken_links() == []


def test_a_store_that_somebody_read_while_it_was_brought_up_to_date_is_fine(tmp_path: Path) -> None:
    path = test_migration.made(tmp_path / "old" / "x.db", 3)
    with contextlib.closing(sqlite3.connect(path)) as reader:
        reader.execute("SELECT 1 FROM alerts").fetchone()
        with Store.open(path) as store:
            write(store, 20)
    assert found(path) == []


def test_statistics_change_nothing(path: Path) -> None:
    with Store.open(path) as store:
        write(store)
    sql(path, "ANALYZE")
    assert found(path) == []


# -------------------------------------------------------------------------------------------- retention


@pytest.fixture
def shortened(path: Path) -> list[Anchor]:
    """A store whose first two blocks retention has removed; its anchors."""
    with Store.open(path) as store:
        anchors = write(store)
        drop_rows_before(store, 100)
        anchors.append(anchor_of(store))
    return anchors


def test_anchors_of_rows_that_retention_removed_are_no_finding(path: Path, shortened: list[Anchor]) -> None:
    with Store.open(path, read_only=True) as store:
        verification = Verification(store, shortened)
        assert list(verification.findings()) == []
        checked = verification.checked
    assert (checked.removed_seq, checked.first_seq, checked.last_seq) == (81, 82, 192)
    assert checked.anchors is not None
    assert (checked.anchors.removed, checked.anchors.agree) == (3, 6)
    assert checked.blocks == 2


BEGINS_AT_90, BEGINS_AT_121 = (
    f"UPDATE chain SET removed_seq = {seq}, removed_link = (SELECT link FROM records WHERE seq = {seq})"
    for seq in (90, 121)
)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            "DELETE FROM records WHERE seq = 192",
            [("start cut off", 1, 81), ("cut off", 192, 192)],
        ),
        (
            f"DELETE FROM records WHERE seq = 192; DELETE FROM marks; {BEGINS_AT_90}",
            [("start cut off", 1, 90), ("block", 82, 121)],
        ),
        (
            f"{BEGINS_AT_121}; DELETE FROM blocks WHERE first_seq = 82",
            [("start cut off", 82, 121)],
        ),
        ("UPDATE chain SET removed_seq = 0", [("start changed", None, None)] * 2 + [("removed", 1, 81)]),
        ("UPDATE chain SET removed_link = zeroblob(32)", [("start changed", None, None), ("edited", 82, 82)]),
        ("UPDATE chain SET store = zeroblob(16)", [("identity changed", 192, 192)]),
        (
            "DELETE FROM records WHERE seq = 82",
            [("removed", 82, 82), ("block", 82, 121), ("postings", 82, 121)],
        ),
    ],
)  # fmt: skip
def test_a_start_that_retention_does_not_vouch_for_is_found(
    path: Path, shortened: list[Anchor], script: str, expected: list[tuple[str, int | None, int | None]]
) -> None:
    assert len(shortened) == 9
    sql(path, script)
    assert told(found(path)) == in_order(expected)


def test_a_retention_that_is_stopped_at_any_step_leaves_a_store_that_is_fine(path: Path) -> None:
    with Store.open(path) as store:
        anchors = write(store)
        now_ns = SHADOW.ts_ns + 1_000 * MINUTE_NS
        steps = 0
        for _ in remove(store, Retention(age_ns=870 * MINUTE_NS), now_ns, host="web-1"):
            steps += 1
            assert found(path, anchors) == []
    assert steps > 3
    assert found(path, anchors) == []


# ---------------------------------------------------------------------------------------------- anchors


def test_a_tail_that_was_cut_before_the_engine_went_on_is_found_between_two_anchors(
    path: Path, tmp_path: Path
) -> None:
    with Store.open(path) as store:
        anchors = write(store)
    taken = copy(path, tmp_path / "copy")
    sql(taken, "DELETE FROM records WHERE seq > 145; DELETE FROM blocks WHERE last_seq > 145;"
        "DELETE FROM postings WHERE block > 82; DELETE FROM marks")  # fmt: skip
    with Store.open(taken) as store:
        write(store, 100, first=400)
    assert found(taken) == []
    assert told(found(taken, anchors)) == [("rewritten", 142, 161)]


def test_a_chain_that_was_computed_anew_is_found_even_after_the_engine_went_on(path: Path) -> None:
    with Store.open(path) as store:
        anchors = write(store)
    sql(path, "UPDATE records SET ts_ns = ts_ns + 1 WHERE seq = 95")
    sql(path, relinked(path, 95))
    with Store.open(path) as store:
        anchors += write(store, 50, first=400)
    assert told(found(path, anchors)) == [("rewritten", 92, 111)]
    (finding,) = found(path, anchors)
    assert "row 91 is the one that was anchored at" in finding.message


def test_an_older_copy_in_the_place_of_the_store_is_a_cut_tail(path: Path, tmp_path: Path) -> None:
    with Store.open(path) as store:
        write(store)
    older = copy(path, tmp_path / "older")
    with Store.open(path) as store:
        anchors = write(store, 50, first=400)
    assert found(older) == []
    assert told(found(older, anchors)) == [("cut off", 192, 231)]


def test_anchors_of_other_stores_are_counted_and_passed_over(path: Path) -> None:
    with Store.open(path) as store:
        anchors = write(store)
    other = [Anchor(b"o" * 16, anchor.seq, b"x" * 32, anchor.time_ns) for anchor in anchors]
    with Store.open(path, read_only=True) as store:
        verification = Verification(store, [*anchors, *other, *anchors])
        assert list(verification.findings()) == []
    checked = verification.checked.anchors
    assert checked is not None
    assert (checked.foreign, checked.agree, checked.disagree) == (len(other), len(anchors), 0)


def test_an_anchor_that_contradicts_another_one_of_its_row_is_told(path: Path) -> None:
    with Store.open(path) as store:
        anchors = write(store)
    forged = Anchor(anchors[3].store, anchors[3].seq, b"x" * 32, anchors[3].time_ns)
    (finding,) = found(path, [*anchors, forged])
    assert (finding.what.value, finding.first_seq) == ("rewritten", anchors[3].seq)
    assert "one of them was forged" in finding.message


def test_an_anchor_of_the_empty_store_agrees(path: Path) -> None:
    with Store.open(path) as store:
        empty = anchor_of(store)
        assert list(verify(store, [empty])) == []
        write(store, 20)
        assert list(verify(store, [empty])) == []
    wrong = Anchor(empty.store, 0, b"x" * 32, 1)
    assert told(found(path, [wrong])) == [("rewritten", 0, 0)]


def test_a_record_that_names_another_store_tells_that_this_one_was_put_in_its_place(path: Path) -> None:
    with Store.open(path) as store:
        facts: dict[str, object] = {"store": "00" * 16}
        store.append([engine_record(Action.ENGINE_START, SHADOW.ts_ns, "web-1", "began", facts)])
    assert told(found(path)) == [("identity changed", 1, 1)]


# ---------------------------------------------------------------------------------------------- damage


def not_fine(path: Path) -> bool:
    """Whether something is found, or the file is refused as no store."""
    try:
        return bool(found(path))
    except UnusableInput:
        return True


def page_of(path: Path, needle: bytes) -> int:
    """Where something stands in the file."""
    where = path.read_bytes().find(needle)
    assert where > 0
    return where


def test_a_byte_that_was_changed_in_the_file_is_found_with_its_row(path: Path) -> None:
    with Store.open(path) as store:
        write(store)
    row = chain_oracle.Rows(path).rows[99]
    raw = bytearray(path.read_bytes())
    raw[page_of(path, row["link"])] ^= 1
    path.write_bytes(raw)
    assert told(found(path)) == [("edited", 100, 100)]


def test_pages_that_cannot_be_read_are_told_with_their_rows_and_the_others_are_checked(path: Path) -> None:
    with Store.open(path) as store:
        write(store)
    row = chain_oracle.Rows(path).rows[99]
    page = page_of(path, row["link"]) // 4_096
    raw = bytearray(path.read_bytes())
    raw[page * 4_096 : page * 4_096 + 100] = b"\xff" * 100
    path.write_bytes(raw)
    findings = [finding for finding in found(path) if finding.what.value == "damaged"]
    (damaged,) = findings
    assert damaged.first_seq is not None
    assert damaged.last_seq is not None
    assert damaged.first_seq <= 100 <= damaged.last_seq < damaged.first_seq + 20
    with Store.open(path, read_only=True) as store:
        verification = Verification(store)
        assert {finding.what.value for finding in verification.findings()} <= {"damaged", "removed"}
        assert verification.checked.rows > 170


def test_a_file_that_was_cut_is_damaged(path: Path) -> None:
    with Store.open(path) as store:
        write(store)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2 // 4_096 * 4_096])
    assert not_fine(path)


@pytest.mark.parametrize("seed", range(12))
def test_no_damage_anywhere_in_the_file_ends_in_a_traceback(path: Path, seed: int) -> None:
    with Store.open(path) as store:
        write(store, 100)
    raw, dice = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(20):
        raw[dice.randrange(200, len(raw))] = dice.randrange(256)
    path.write_bytes(raw)
    assert not_fine(path)


# ------------------------------------------------------------------------------------- while it goes on


def test_a_store_that_is_written_and_shortened_meanwhile_is_fine(path: Path) -> None:
    with Store.open(path) as store:
        anchors = write(store, 400)
    stop = threading.Event()
    failures: list[BaseException] = []

    def engine() -> None:
        try:
            with Store.open(path) as store:
                first = 1_000
                while not stop.is_set():
                    write(store, 60, first=first)
                    first += 60
                    drop_rows_before(store, first - 500)
        except BaseException as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    thread = threading.Thread(target=engine)
    thread.start()
    removed = set()
    try:
        for _ in range(25):
            with Store.open(path, read_only=True) as reader:
                verification = Verification(reader, anchors)
                assert list(verification.findings()) == []
                removed.add(verification.checked.removed_seq)
    finally:
        stop.set()
        thread.join()
    assert not failures
    assert len(removed) > 2, "retention was at work"


def test_nothing_is_written_by_looking(path: Path) -> None:
    with Store.open(path) as store:
        anchors = write(store)
    before = path.read_bytes()
    found(path, anchors)
    assert path.read_bytes() == before
    log = path.with_name(f"{path.name}-wal")
    assert not log.exists() or not log.stat().st_size


def test_what_hostile_rows_say_acts_on_no_terminal(path: Path) -> None:
    with Store.open(path) as store:
        write(store)
    sql(path, "UPDATE names SET text = char(27) || '[2J' || char(10) || text WHERE dimension IN (6, 8)")
    messages = [finding.message for finding in found(path)]
    assert messages
    assert all(message.isprintable() for message in messages)


def test_progress_ends_with_all_rows(path: Path) -> None:
    with Store.open(path) as store:
        write(store)
    calls: list[tuple[int, int]] = []
    with Store.open(path, read_only=True) as store:
        list(Verification(store, progress=lambda done, rows: calls.append((done, rows))).findings())
    assert calls[-1] == (191, 191)
    assert calls == sorted(calls)


def test_altered_rows_in_any_number_take_bounded_work(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(path) as store:
        for begin in range(0, 3_000, 500):
            store.append([made(number) for number in range(begin, begin + 500)])
    sql(path, "UPDATE records SET ts_ns = ts_ns + 1")
    count = 0

    def counted(previous: bytes, seq: int, ts_ns: int, record_id: bytes, document: bytes) -> bytes:
        nonlocal count
        count += 1
        return chain.link(previous, seq, ts_ns, record_id, document)

    monkeypatch.setattr(verify_chain, "link", counted)
    monkeypatch.setattr(verify_chain, "SEARCHED_BYTES", 20 << 20)
    assert ("edited", 1, 3_000) in told(found(path))
    assert count < 3_000 * 400
