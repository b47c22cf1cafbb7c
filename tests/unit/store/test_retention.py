"""Retention: what goes, what stays, and that the chain over what stays can be proven after every step."""

import contextlib
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record
from tests.unit.store.kept import Kept

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.diagnostics import MachineCannot, UnusableInput
from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.store import blocks
from fileaudit_engine.store.retention import Removed, Retention, remove, used_bytes
from fileaudit_engine.store.store import Store

HOUR_NS, DAY_NS = UNITS_NS["h"], UNITS_NS["d"]
BLOCK = 8
START_NS = 20_000 * DAY_NS


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ROWS", BLOCK)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s" / "db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as opened:
        yield opened


def event(number: int, *, path: str | None = None) -> Record:
    """An audit event an hour after the one before it."""
    happened = msgspec.structs.replace(
        SHADOW, ts_ns=START_NS + number * HOUR_NS, path=path or f"/data/{number}"
    )
    return record(happened, level="informational")


def fill(store: Store, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        store.append([event(number)])


def paths(store: Store) -> list[str]:
    return [stored.document["file"]["path"] for stored in store.records(Kind.EVENT)]


def removed(store: Store, retention: Retention, now_ns: int, **options: Any) -> list[Removed]:
    """All removals, to the end."""
    return [one for one in remove(store, retention, now_ns, **options) if one is not None]


def hours(number: int) -> int:
    return START_NS + number * HOUR_NS


def is_provable(path: Path) -> None:
    """The chain holds from where the store says that it begins, and its newest removal says the same."""
    kept = Kept(path)
    kept.read_on()
    kept.is_whole()
    told = [one["fileaudit"]["retention"] for one in kept.documents if one["event"]["action"] == "retention"]
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        removed_seq, link = database.execute("SELECT removed_seq, removed_link FROM chain").fetchone()
    if removed_seq or told:
        assert (told[-1]["removed_until_seq"], told[-1]["removed_link"]) == (removed_seq, link.hex())


def test_blocks_that_are_older_as_a_whole_go_and_the_others_stay(store: Store) -> None:
    fill(store, 5 * BLOCK + 3)
    removed(store, Retention(age_ns=10 * HOUR_NS), hours(2 * BLOCK + 12))
    assert paths(store) == [f"/data/{number}" for number in range(2 * BLOCK, 5 * BLOCK + 3)]


def test_each_removal_is_announced_before_it_is_done(store: Store) -> None:
    told: list[tuple[int, int]] = []

    def announce(until_seq: int) -> bool:
        told.append((until_seq, store.removed_seq))
        return True

    fill(store, 3 * BLOCK)
    removed(store, Retention(age_ns=10 * HOUR_NS), hours(2 * BLOCK + 12), announce=announce)
    assert told == [(2 * BLOCK, 0)]
    assert store.removed_seq == 2 * BLOCK


def test_what_cannot_be_announced_stays(store: Store) -> None:
    fill(store, 3 * BLOCK)
    with pytest.raises(MachineCannot, match="no anchor has announced"):
        removed(store, Retention(age_ns=1), hours(10 * BLOCK), announce=lambda _until: False)
    assert len(paths(store)) == 3 * BLOCK


def test_what_is_not_too_old_stays_whatever_is_asked_how_often(store: Store) -> None:
    fill(store, 3 * BLOCK)
    assert removed(store, Retention(age_ns=DAY_NS * 30), hours(3 * BLOCK)) == []
    assert removed(store, Retention(), hours(10**6)) == []
    assert len(paths(store)) == 3 * BLOCK


def test_a_time_of_the_future_does_not_keep_what_came_after_it(store: Store) -> None:
    fill(store, BLOCK + 2)
    store.append([event(10**6)])  # the clock was wrong for a moment; a block ends there
    fill(store, 3 * BLOCK, first=BLOCK + 2)
    removed(store, Retention(age_ns=2 * HOUR_NS), hours(2 * BLOCK))
    assert paths(store)[:2] == [f"/data/{10**6}", f"/data/{BLOCK + 2}"]
    removed(store, Retention(age_ns=2 * HOUR_NS), hours(3 * BLOCK + 4))
    assert paths(store)[0] == f"/data/{3 * BLOCK + 1}"


def test_old_times_that_come_late_do_not_take_what_came_before_them(store: Store) -> None:
    fill(store, 2 * BLOCK, first=1_000)
    fill(store, 2 * BLOCK)  # a recording of long ago
    removed(store, Retention(age_ns=100 * HOUR_NS), hours(1_050))
    assert paths(store)[0] == "/data/1000"
    assert len(paths(store)) == 4 * BLOCK


def test_what_was_removed_is_told_by_a_record_in_the_chain(store: Store) -> None:
    fill(store, 4 * BLOCK)
    (told,) = removed(store, Retention(age_ns=HOUR_NS), hours(2 * BLOCK + 1), host="web1")
    assert (told.records, told.first_ns, told.last_ns) == (2 * BLOCK, hours(0), hours(2 * BLOCK - 1))
    (stored,) = store.records(Kind.ENGINE)
    assert stored.id == told.record.id
    own = stored.document["fileaudit"]["retention"]
    assert own["removed_until_seq"] == own["removed"] == 2 * BLOCK
    assert own["reason"] == "age"
    assert own["store"] == store.identity.hex()
    assert stored.document["message"] == (
        "Old records removed: 16 records until 2024-10-04T15:00:00.000000000Z (age)"
    )


def test_the_chain_can_be_proven_after_every_step(store: Store, path: Path) -> None:
    fill(store, 12 * BLOCK + 1)
    steps = 0
    for _ in remove(store, Retention(age_ns=HOUR_NS), hours(9 * BLOCK)):
        is_provable(path)
        steps += 1
        store.append([event(1_000 + steps)])
        is_provable(path)
    assert steps >= 3
    assert paths(store)[0] == f"/data/{8 * BLOCK}"


@pytest.mark.parametrize("stop_after", range(1, 7))
def test_a_process_that_dies_between_two_steps_leaves_nothing_behind(path: Path, stop_after: int) -> None:
    with Store.open(path) as store:
        fill(store, 6 * BLOCK + 2)
        steps = remove(store, Retention(age_ns=HOUR_NS), hours(4 * BLOCK))
        for _ in range(stop_after):
            next(steps, None)
    is_provable(path)
    with Store.open(path) as store:
        assert removed(store, Retention(), hours(4 * BLOCK)) == []
        assert only_what_is_there(path) == []
        assert paths(store)[0] == f"/data/{3 * BLOCK}"
    is_provable(path)


def only_what_is_there(path: Path) -> list[tuple[object, ...]]:
    """Everything in the file that belongs to rows that are not there any more."""
    query = """
        SELECT 'row', seq FROM records WHERE seq <= (SELECT removed_seq FROM chain)
        UNION ALL SELECT 'posting', block FROM postings WHERE block NOT IN (SELECT first_seq FROM blocks)
        UNION ALL SELECT 'name', text FROM names WHERE id < (SELECT max(id) FROM names)
            AND id NOT IN (SELECT name FROM postings)
            AND NOT EXISTS (SELECT 1 FROM records WHERE seq > (SELECT max(last_seq) FROM blocks)
                AND text IN (SELECT text FROM names WHERE names.id IN (kind, level, rule, operation, outcome,
                    path, other_path, user, login_user, executable, process, command, container)))
            AND dimension < 14
    """
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def test_names_that_are_in_use_stay_and_are_found_again(store: Store, path: Path) -> None:
    fill(store, 2 * BLOCK)
    store.append([event(2 * BLOCK + number, path="/data/3") for number in range(BLOCK + 2)])
    removed(store, Retention(age_ns=HOUR_NS), hours(2 * BLOCK + 1))
    assert only_what_is_there(path) == []
    store.append([event(900, path="/data/5"), event(901, path="/data/3")])
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        found = database.execute("SELECT path, count(*) FROM found WHERE path IS NOT NULL GROUP BY path")
        assert found.fetchall() == [("/data/3", BLOCK + 3), ("/data/5", 1)]
    is_provable(path)


def test_the_number_of_a_name_is_never_given_twice(store: Store) -> None:
    fill(store, BLOCK - 1)
    store.append([event(BLOCK - 1, path="/the/last/name")])
    before = next(store.rows("SELECT max(id) FROM names"))[0]
    removed(store, Retention(age_ns=HOUR_NS), hours(10 * BLOCK))
    store.append([event(500, path="/a/new/one")])
    query = "SELECT id FROM names WHERE dimension = 6 AND text = ?"
    assert next(store.rows(query, "/a/new/one"))[0] > before


@pytest.fixture
def kept_name(store: Store) -> int:
    """The number of a name that no row has any more, the greatest of all: the last path."""
    fill(store, BLOCK)
    removed(store, Retention(hard_bytes=1), hours(BLOCK))
    fill(store, BLOCK, first=20 * BLOCK)
    removed(store, Retention(hard_bytes=1), hours(BLOCK))  # of that hour the engine has a name already
    assert paths(store) == []
    number, text = next(store.rows("SELECT id, text FROM names ORDER BY id DESC LIMIT 1"))
    assert text == f"/data/{21 * BLOCK - 1}"
    return int(number)


def has_name(store: Store, number: int) -> bool:
    return bool(next(store.rows("SELECT count(*) FROM names WHERE id = ?", number))[0])


def test_the_name_that_is_kept_for_its_number_goes_when_it_is_not_the_last_any_more(
    store: Store, kept_name: int
) -> None:
    fill(store, BLOCK, first=40 * BLOCK)
    assert has_name(store, kept_name)
    removed(store, Retention(hard_bytes=1), hours(BLOCK))
    assert not has_name(store, kept_name)


def test_the_name_that_is_kept_for_its_number_stays_when_it_is_used_again(
    store: Store, kept_name: int
) -> None:
    fill(store, BLOCK, first=40 * BLOCK)
    fill(store, 1, first=21 * BLOCK - 1)
    removed(store, Retention(hard_bytes=1), hours(BLOCK))
    assert paths(store) == [f"/data/{21 * BLOCK - 1}"]
    assert has_name(store, kept_name)


def test_names_go_in_the_step_in_which_their_last_posting_goes(store: Store, path: Path) -> None:
    fill(store, 12 * BLOCK)
    for _ in remove(store, Retention(age_ns=HOUR_NS), hours(9 * BLOCK)):
        assert [what for what in only_what_is_there(path) if what[0] == "name"] == []


def with_names(path: Path, count: int, *, in_block: int) -> None:
    """Give a block so many more names, in no row: sweeping asks postings only."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        first = database.execute("SELECT max(id) + 1 FROM names").fetchone()[0]
        block = database.execute(
            "SELECT first_seq FROM blocks ORDER BY 1 LIMIT 1 OFFSET ?", (in_block,)
        ).fetchone()[0]
        numbers = range(first, first + count)
        database.executemany("INSERT INTO names VALUES (?, 6, ?)", [(n, f"/more/{n}") for n in numbers])
        database.executemany("INSERT INTO postings VALUES (?, ?, 1)", [(block, n) for n in numbers])


def work_of_a_removal(path: Path, names: int) -> int:
    """Of what SQLite did, in hundreds of its instructions, to remove a block while so many names stay."""
    with Store.open(path) as store:
        fill(store, 4 * BLOCK)
    with_names(path, names, in_block=3)
    done = 0

    def count() -> int:
        nonlocal done
        done += 1
        return 0

    with Store.open(path) as store:
        store.append([event(5 * BLOCK)])
        store.connection.set_progress_handler(count, 100)
        assert removed(store, Retention(age_ns=HOUR_NS), hours(2 * BLOCK))
        store.connection.set_progress_handler(None, 0)
    return done


def test_names_of_what_stays_are_no_work(tmp_path: Path) -> None:
    few, many = (work_of_a_removal(tmp_path / str(names) / "db", names) for names in (1, 20_000))
    assert many < few * 1.5


def test_no_step_is_large_and_none_is_much_larger_than_the_one_before(store: Store, path: Path) -> None:
    fill(store, 3 * BLOCK)
    with_names(path, 9_000, in_block=0)
    query = "SELECT count(*) FROM postings"
    steps, left = [], next(store.rows(query))[0]
    for _ in remove(store, Retention(age_ns=HOUR_NS), hours(2 * BLOCK), clock_s=lambda: 0.0):
        now = next(store.rows(query))[0]
        steps += [left - now] if now < left else []
        left = now
    assert max(steps) == 1_024
    assert all(after <= before * 3 // 2 for before, after in itertools.pairwise(steps))


def test_what_a_sink_has_not_had_stays(store: Store) -> None:
    fill(store, 4 * BLOCK)
    store.save_cursor("json", BLOCK + 2, 1)
    removed(store, Retention(age_ns=HOUR_NS), hours(10 * BLOCK))
    assert paths(store)[0] == f"/data/{BLOCK}"


def test_a_sink_that_there_is_no_more_holds_nothing_up(store: Store) -> None:
    fill(store, 4 * BLOCK)
    store.save_cursor("former", 0, 1)
    store.save_cursor("json", 3 * BLOCK, 1)
    removed(store, Retention(age_ns=HOUR_NS), hours(10 * BLOCK), sinks={"json"})
    assert paths(store)[0] == f"/data/{3 * BLOCK}"


def test_over_the_hard_limit_it_goes_all_the_same_and_is_told_of_whom(store: Store) -> None:
    fill(store, 30 * BLOCK)
    store.save_cursor("json", 3, 1)
    limit = used_bytes(store) // 2
    told = removed(store, Retention(hard_bytes=limit), hours(0))
    assert used_bytes(store) <= limit
    assert told[0].not_had == {"json": told[0].records - 3}
    assert {one.not_had["json"] == one.records for one in told[1:]} <= {True}
    last = list(store.records(Kind.ENGINE))[-1].document["fileaudit"]["retention"]
    assert last["reason"] == "hard limit"
    assert last["not_had"] == [{"sink": "json", "records": told[-1].records}]


def test_a_store_that_is_too_large_becomes_smaller_and_not_much_smaller(store: Store, path: Path) -> None:
    fill(store, 60 * BLOCK)
    limit = used_bytes(store) * 2 // 3
    told = removed(store, Retention(max_bytes=limit), hours(0))
    assert limit * 3 // 4 < used_bytes(store) <= limit
    assert {one.record.document["fileaudit"]["retention"]["reason"] for one in told} == {"size"}  # type: ignore[index]
    assert len(paths(store)) == 60 * BLOCK - sum(one.records for one in told)
    is_provable(path)


def test_freed_pages_are_given_back_to_the_file_system(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fileaudit_engine.store.sweeping._SPARE_PAGES", 4)
    with Store.open(path) as store:
        fill(store, 60 * BLOCK)
        before = next(store.rows("PRAGMA page_count"))[0]
        removed(store, Retention(age_ns=HOUR_NS), hours(50 * BLOCK))
        assert next(store.rows("PRAGMA page_count"))[0] < before / 2
    assert path.stat().st_size < before * 4096 / 2


def test_a_slow_disk_gets_smaller_steps(store: Store) -> None:
    fill(store, 50 * BLOCK)
    now_s = [0.0]

    def clock_s(each_s: float) -> Callable[[], float]:
        def tell() -> float:
            now_s[0] += each_s
            return now_s[0]

        return tell

    slow = sum(1 for _ in remove(store, Retention(age_ns=HOUR_NS), hours(25 * BLOCK), clock_s=clock_s(1.0)))
    quick = sum(1 for _ in remove(store, Retention(age_ns=HOUR_NS), hours(50 * BLOCK), clock_s=clock_s(0.0)))
    assert slow > 2 * quick


def test_rows_that_somebody_took_out_are_told_and_nothing_is_removed(store: Store) -> None:
    fill(store, 3 * BLOCK)
    store.connection.execute("DELETE FROM records WHERE seq = ?", (2 * BLOCK,))
    with pytest.raises(UnusableInput, match=f"row {2 * BLOCK} is missing"):
        removed(store, Retention(age_ns=HOUR_NS), hours(2 * BLOCK + 4))
    assert next(store.rows("SELECT removed_seq FROM chain"))[0] == 0


def test_dead_letters_go_with_their_rows(store: Store) -> None:
    fill(store, 2 * BLOCK)
    store.reject("json", 1, "too long", 1)
    store.reject("json", BLOCK + 1, "too long", 1)
    removed(store, Retention(age_ns=HOUR_NS), hours(BLOCK + 1))
    assert store.dead_letters("json") == {BLOCK + 1: "too long"}
