"""Blocks: postings say which names the rows of a closed block have, and how often."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.events.examples import HOSTILE, SHADOW
from tests.unit.events.records import record

from fileaudit_engine.detect.record import Record
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.events.model import Container, Process
from fileaudit_engine.store import blocks
from fileaudit_engine.store.facets import Dimension, facets_of
from fileaudit_engine.store.store import Store

DAY_NS = 86_400 * 10**9
REPEATABLE = settings(derandomize=True, database=None, deadline=None, max_examples=40)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ROWS", 10)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s" / "x.db") as opened:
        yield opened


def at(ts_ns: int, path: str = "/etc/shadow", level: str = "high") -> Record:
    return record(msgspec.structs.replace(SHADOW, ts_ns=ts_ns, path=path), level=level)


def closed(store: Store) -> list[tuple[int, int, int, int]]:
    return list(store.rows("SELECT first_seq, last_seq, first_ns, last_ns FROM blocks ORDER BY first_seq"))


def posted(store: Store) -> dict[int, Counter[tuple[int, str]]]:
    """What postings say, by block."""
    found: dict[int, Counter[tuple[int, str]]] = {}
    query = "SELECT block, dimension, text, count FROM postings JOIN names ON names.id = name"
    for block, dimension, text, count in store.rows(query):
        found.setdefault(block, Counter())[dimension, text] = count
    return found


def counted(store: Store) -> dict[int, Counter[tuple[int, str]]]:
    """What they should say, from the documents alone."""
    found = {}
    for first, last, _, _ in closed(store):
        rows = store.read(range(first, last + 1))
        found[first] = Counter(facet for row in rows for facet in facets_of(row.document))
    return found


def test_a_block_is_closed_when_there_are_enough_rows(store: Store) -> None:
    store.append([at(i) for i in range(9)])
    assert closed(store) == []
    store.append([at(9)])
    assert closed(store) == [(1, 10, 0, 9)]
    store.append([at(20)])
    assert closed(store) == [(1, 10, 0, 9)]


def test_rows_of_one_transaction_are_in_one_block(store: Store) -> None:
    store.append([at(i) for i in range(25)])
    assert closed(store) == [(1, 25, 0, 24)]


def test_a_block_knows_its_earliest_and_its_latest_time_in_whatever_order_they_came(store: Store) -> None:
    store.append([at(7), at(3), at(9)])
    store.append([at(i) for i in (5, 4, 1, 100, 50, 6, 8)])
    assert closed(store) == [(1, 10, 1, 100)]


def test_a_block_is_closed_after_a_day(store: Store) -> None:
    store.append([at(5)])
    store.append([at(5 + DAY_NS - 1)])
    assert closed(store) == []
    store.append([at(5 + DAY_NS)])
    assert closed(store) == [(1, 2, 5, 5 + DAY_NS - 1)]


def test_a_block_is_closed_after_a_day_even_if_nothing_comes(store: Store) -> None:
    store.append([at(5)])
    store.close_block_if_old(5 + DAY_NS - 1)
    assert closed(store) == []
    store.close_block_if_old(5 + DAY_NS)
    assert closed(store) == [(1, 1, 5, 5)]
    store.close_block_if_old(5 + 2 * DAY_NS)
    assert len(closed(store)) == 1


def test_each_doer_is_counted_as_himself(store: Store) -> None:
    box = Container(id="c" * 64, name="box")
    doers: list[dict[str, object]] = [
        {},
        {"user_name": "alice"},
        {"user_name": None, "user_id": 7},
        {"process": msgspec.structs.replace(SHADOW.process, args=("cat", "-n"))},
        {"session_id": 8, "login_user_name": "bob"},
        {"container": box},
        {"process": Process(pid=1)},
    ]
    for round_ in range(0, 21, 7):
        store.append(
            [
                record(msgspec.structs.replace(SHADOW, ts_ns=round_ + i, **doer), level="informational")
                for i, doer in enumerate(doers)
            ]
        )
    assert posted(store)[1][Dimension.CONTAINER, "box"] == 2
    assert posted(store) == counted(store)


def test_names_that_are_gone_come_back_with_the_rows_of_the_open_block(tmp_path: Path) -> None:
    path = tmp_path / "s" / "x.db"
    with Store.open(path) as store:
        store.append([at(5, "/somewhere")])
        store.connection.execute("DELETE FROM names WHERE text = '/somewhere'")
    with Store.open(path) as store:
        store.close_block_if_old(5 + DAY_NS)
        assert posted(store) == counted(store)


def test_postings_count_the_names_of_the_rows(store: Store) -> None:
    store.append([at(i, "/a" if i % 3 else "/b") for i in range(9)])
    store.append([at(9, HOSTILE, level="informational")])
    ((_, of_block),) = posted(store).items()
    assert of_block[Dimension.PATH, "/a"] == 6
    assert of_block[Dimension.PATH, "/b"] == 3
    assert of_block[Dimension.KIND, "alert"] == 9
    assert posted(store) == counted(store)


def test_rows_of_before_a_restart_are_counted_in_the_block_they_end_up_in(tmp_path: Path) -> None:
    path = tmp_path / "s" / "x.db"
    for start in range(0, 24, 4):
        with Store.open(path) as store:
            store.append([at(i, f"/{i % 5}") for i in range(start, start + 4)])
    with Store.open(path, read_only=True) as store:
        assert [block[:2] for block in closed(store)] == [(1, 12), (13, 24)]
        assert posted(store) == counted(store)


def test_a_batch_that_fails_leaves_no_trace_in_names_rows_and_counts(store: Store) -> None:
    def refuse(_connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    store.append([at(i) for i in range(5)])
    head = store.head
    for _ in range(3):
        with pytest.raises(MachineCannot, match="full"):
            store.append([at(i, "/only in what failed") for i in range(5, 25)], also=refuse)
    assert store.head == head
    store.append([at(i, "/new") for i in range(5, 10)])
    assert list(store.rows("SELECT 1 FROM names WHERE text = '/only in what failed'")) == []
    assert closed(store) == [(1, 10, 0, 9)]
    assert posted(store) == counted(store)


def test_what_is_known_is_not_counted_again(store: Store) -> None:
    store.append([at(i) for i in range(9)])
    assert store.append([at(i) for i in range(12)]) == 3
    assert closed(store) == [(1, 12, 0, 11)]
    assert posted(store) == counted(store)


def test_names_are_found_again_after_all_were_forgotten(store: Store) -> None:
    store.append([at(1)])
    store.forget_names()
    store.append([at(2)])
    assert len(list(store.rows("SELECT 1 FROM names WHERE text = '/etc/shadow'"))) == 1


def test_a_name_of_the_open_block_is_in_use(store: Store) -> None:
    store.append([at(1, "/open")])
    ((number,),) = store.rows("SELECT id FROM names WHERE text = '/open'")
    assert store.is_open(number)
    store.append([at(i) for i in range(2, 12)])
    assert not store.is_open(number)


@given(
    st.lists(
        st.tuples(
            st.lists(
                st.tuples(st.integers(0, 3 * DAY_NS), st.sampled_from(["/a", "/b", HOSTILE])), max_size=8
            ),
            st.booleans(),
        ),
        max_size=12,
    )
)
@REPEATABLE
def test_whatever_comes_blocks_follow_each_other_and_postings_are_right(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[list[tuple[int, str]], bool]]
) -> None:
    path = tmp_path_factory.mktemp("blocks") / "x.db"
    store = Store.open(path)
    for events, restart in batches:
        store.append([at(ts_ns, name) for ts_ns, name in events])
        if restart:
            store.close()
            store = Store.open(path)
    rows = store.records_after(0, 1_000)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    before = 0
    for first, last, first_ns, last_ns in closed(store):
        assert first == before + 1
        times = [row.ts_ns for row in rows[first - 1 : last]]
        assert (first_ns, last_ns) == (min(times), max(times))
        before = last
    assert posted(store) == counted(store)
    store.close()
