"""Searches one by one: what hostile patterns do, what comes while one looks, what writers notice of it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.store import blocks, search
from fileaudit_engine.store.facets import Dimension
from fileaudit_engine.store.search import Search, Watch, count, is_known
from fileaudit_engine.store.search_patterns import MAX_PATTERN
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import from_kernel


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(blocks, "ROWS", 5)
    with Store.open(tmp_path / "x.db") as opened:
        yield opened


def made(ts_ns: int, path: str = "/etc/shadow", **changes: object) -> Record:
    event = msgspec.structs.replace(SHADOW, ts_ns=ts_ns, path=path, asked_path=None, **changes)
    return record(event)


def found(store: Store, **wanted: object) -> list[int]:
    return [one.seq for one in search.search(store, Search(newest_first=False, **wanted))]  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------ patterns


@pytest.mark.parametrize(
    ("glob", "paths"),
    [
        ("/a/*", ["/a/b", "/a/%_[x]"]),
        ("/a/**", ["/a/b", "/a/b/c", "/a/%_[x]"]),
        ("/a/%_[x]", ["/a/%_[x]"]),
        ("/a/_", []),
        ("/?/b", ["/a/b"]),
        ("**", ["/a/b", "/a/b/c", "/a/%_[x]"]),
        ("*" * 10_000, None),
        ("**********", ["/a/b", "/a/b/c", "/a/%_[x]"]),
        ("/A/b", []),
    ],
)
def test_a_glob_means_what_it_says_and_nothing_that_sql_would_read_into_it(
    store: Store, glob: str, paths: list[str] | None
) -> None:
    there = ["/a/b", "/a/b/c", "/a/%_[x]"]
    store.append([made(i, path) for i, path in enumerate(there)])
    if paths is None:
        with pytest.raises(ValueError, match="10,000 characters, more than any name"):
            found(store, paths=[glob])
        return
    assert {there[seq - 1] for seq in found(store, paths=[glob])} == set(paths)


def test_a_pattern_that_would_stop_a_regular_expression_is_answered(store: Store) -> None:
    store.append([made(1, "/" + "a" * 4_000)])
    assert found(store, paths=["/" + "*a" * (MAX_PATTERN // 2 - 2) + "b"]) == []
    assert found(store, paths=["/" + "*a" * 2_000]) == [1]


def test_a_byte_that_is_no_text_is_found_as_it_is_and_as_output_shows_it(store: Store) -> None:
    store.append([made(1, from_kernel(b"/tmp/\xff")), made(2, "/tmp/\\xff"), made(3, "/tmp/\u00e4")])
    assert found(store, paths=["/tmp/\udcff"]) == [1]
    assert found(store, paths=["/tmp/\\xff"]) == [1]
    assert found(store, paths=["/tmp/\\\\xff"]) == [2]
    assert found(store, paths=["/tmp/\\x5cxff"]) == [2]
    assert found(store, paths=["/tmp/\\\\xf?"]) == [2]  # where the escape of its backslash begins, too
    assert found(store, paths=["/tmp/\\xc3\\xa4"]) == [3]
    assert found(store, paths=["/tmp/?"]) == [1, 3]


def test_a_hundred_thousand_names_are_no_more_trouble_than_one(store: Store) -> None:
    store.append([made(1, "/many/wanted")])
    rows = ((None, int(Dimension.PATH), f"/many/{i:06d}") for i in range(100_000))
    store.connection.execute("BEGIN")
    store.connection.executemany("INSERT INTO names VALUES (?, ?, ?)", rows)
    store.connection.execute("COMMIT")
    store.append([made(2, "/many/050000"), made(3, "/other")])
    assert found(store, paths=["/many/*"]) == [1, 2]
    assert count(store, Search(paths=["/many/*"])) == 2


def test_a_record_that_meets_a_filter_twice_counts_once(store: Store) -> None:
    as_himself = [made(i, user_name="alice", login_user_name="alice") for i in range(5)]
    other = msgspec.structs.replace(SHADOW.process, pid=7)
    as_root = [made(i, user_name="root", login_user_name="alice", process=other) for i in range(5, 9)]
    store.append([*as_himself, *as_root, made(9, user_name="alice", login_user_name="bob")])
    assert count(store, Search(users=["alice"])) == 10
    assert count(store, Search(users=["bob"])) == 1
    assert count(store, Search(processes=["**", "1"])) == 10
    assert count(store, Search(processes=["**", "4242"])) == 10
    assert count(store, Search(paths=["**", "/etc/shadow"])) == 10


def test_words_are_a_part_of_any_name_whatever_their_case(store: Store) -> None:
    store.append([made(1), made(2, "/tmp/stra\xdfe", user_name="bob"), made(3, "/tmp/\u212aelvin")])
    assert found(store, words=["SHADOW", "STRA\xdfE"]) == [1, 2, 3]  # all were found by a rule of that name
    assert found(store, words=["STRA\xdfE"]) == [2]
    assert found(store, words=["kELVIN"]) == [3]
    assert found(store, words=["BoB"]) == [2]


def test_words_in_small_letters_are_found_in_capitals(store: Store) -> None:
    store.append([made(1, "/srv/README.TXT"), made(2, "/srv/Ä/README.TXT"), made(3, "/srv/read")])
    assert found(store, words=["readme.txt"]) == [1, 2]


def test_an_id_is_found_in_closed_blocks_and_in_the_open_one(store: Store) -> None:
    records = [made(i) for i in range(12)]
    store.append(records)
    for number in (0, 7, 11):
        assert found(store, ids=[records[number].id]) == [number + 1]
    assert found(store, ids=["0" * 32, "no id"]) == []


# ----------------------------------------------------------------------------------- readers and the writer


def test_a_search_that_somebody_has_not_read_to_its_end_keeps_no_log_from_being_written_back(
    store: Store,
) -> None:
    store.append([made(i) for i in range(500)])
    with Store.open(store.path, read_only=True) as reader:
        unread = search.search(reader, Search())
        next(unread)
        store.append([made(1_000)])
        busy, *_ = store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy == 0
        assert len(list(unread)) == 499  # and what came since is not of this search


def test_a_search_leaves_nothing_behind_in_its_connection(store: Store) -> None:
    store.append([made(1)])
    assert found(store, paths=["/etc/*"], users=["root"], words=["x"]) == []
    unread = search.search(store, Search(paths=["/etc/*"]))
    next(unread)
    unread.close()  # type: ignore[attr-defined]  # it is a generator
    assert list(store.connection.execute("SELECT name FROM temp.sqlite_master")) == []


def test_what_retention_takes_away_meanwhile_is_left_out(store: Store) -> None:
    store.append([made(i) for i in range(100)])
    unread = search.search(store, Search())
    assert next(unread).seq == 100
    store.connection.execute("DELETE FROM records WHERE seq <= 50")
    assert [one.seq for one in unread] == list(range(99, 50, -1))


def test_searches_only_read(store: Store) -> None:
    store.append([made(1)])
    with Store.open(store.path, read_only=True) as reader:
        assert found(reader, paths=["/etc/**"]) == [1]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.connection.execute("DELETE FROM records")


# -------------------------------------------------------------------------------------------- what comes


def test_a_watch_hands_over_what_comes_in_the_order_of_its_coming_and_once(store: Store) -> None:
    store.append([made(50)])
    with Store.open(store.path, read_only=True) as reader, Watch(reader, Search(after_seq=1)) as watch:
        assert watch.news() == []
        store.append([made(40), made(30)])
        assert [one.ts_ns for one in watch.news()] == [40, 30]
        assert watch.news() == []


def test_a_watch_knows_names_that_are_new(store: Store) -> None:
    store.append([made(1)])
    with Watch(store, Search(paths=["/new/*", "/exact"], kinds=[Kind.ALERT], after_seq=1)) as watch:
        for serial in range(2, 10):
            store.append([made(serial, f"/new/{serial}"), made(serial, "/exact"), made(serial, "/else")])
            assert [one.document["file"]["path"] for one in watch.news()] == [f"/new/{serial}", "/exact"]


def test_a_watch_that_was_held_up_gets_a_bit_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_NEWS", 10)
    store.append([made(i) for i in range(25)])
    with Watch(store, Search()) as watch:
        assert [len(watch.news()), watch.behind] == [10, True]
        assert [len(watch.news()), len(watch.news()), watch.behind] == [10, 5, False]


def test_a_watch_goes_on_behind_what_was_removed(store: Store) -> None:
    store.append([made(i) for i in range(12)])
    with Watch(store, Search(after_seq=1)) as watch:
        store.connection.execute("DELETE FROM blocks WHERE last_seq <= 5")
        store.connection.execute("UPDATE chain SET removed_seq = 5")
        assert [one.seq for one in watch.news()] == [6, 7, 8, 9, 10, 11, 12]


def test_a_name_is_known_or_not(store: Store) -> None:
    store.append([made(1)])
    assert is_known(store, Dimension.RULE, "shadow_file_read")
    assert not is_known(store, Dimension.USER, "shadow_file_read")
