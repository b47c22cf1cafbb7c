"""Signs of life, and what the next start makes of them."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zstandard
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record

from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.diagnostics import FileauditError
from fileaudit_engine.runtime.heartbeat import ALIVE, EVERY_S, STOPPED, Before, Heartbeat, before
from fileaudit_engine.store.store import Store

NOW_NS = 1_000_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s" / "db") as opened:
        yield opened


class Bench:
    """A heartbeat with time that passes only when it is told to."""

    def __init__(self, store: Store) -> None:
        self.now_s = 50.0
        self.failures = list[FileauditError]()
        self.beat = Heartbeat(
            store,
            failed=self.failures.append,
            clock_ns=lambda: int(self.now_s * 1e9),
            clock_s=lambda: self.now_s,
        )


def test_it_is_noted_every_ten_seconds(store: Store) -> None:
    bench, noted = Bench(store), set[int | None]()
    for _ in range(25):
        bench.beat.tick(idle=False)
        noted.add(store.marked(ALIVE))
        bench.now_s += 1
    assert noted == {50 * 10**9, 60 * 10**9, 70 * 10**9}
    assert store.marked(STOPPED) is None


def test_a_store_that_takes_nothing_is_told(store: Store, tmp_path: Path) -> None:
    bench = Bench(store)
    with contextlib.closing(sqlite3.connect(tmp_path / "s" / "db")) as other:
        other.execute("BEGIN IMMEDIATE")
        bench.beat.tick(idle=True)
        other.execute("ROLLBACK")
    assert len(bench.failures) == 1


def test_a_store_that_is_new_was_never_watched(store: Store) -> None:
    assert before(store, NOW_NS) == Before("never", None)


def test_an_engine_that_was_killed_was_there_until_its_last_sign(store: Store) -> None:
    Bench(store).beat.tick(idle=True)
    assert before(store, NOW_NS) == Before("killed", 50 * 10**9)


def test_a_record_is_a_sign_of_life_too(store: Store) -> None:
    Bench(store).beat.tick(idle=True)
    store.append([record(msgspec.structs.replace(SHADOW, ts_ns=57 * 10**9))])
    assert before(store, NOW_NS) == Before("killed", 57 * 10**9)


def test_a_record_of_the_future_is_none(store: Store) -> None:
    Bench(store).beat.tick(idle=True)
    store.append([record(msgspec.structs.replace(SHADOW, ts_ns=NOW_NS * 2))])
    assert before(store, NOW_NS) == Before("killed", NOW_NS)


def test_an_engine_that_stopped_says_so_in_the_chain(store: Store) -> None:
    Bench(store).beat.tick(idle=True)
    store.append([engine_record(Action.ENGINE_STOP, 58 * 10**9, "here", "SIGTERM", {})])
    assert before(store, NOW_NS) == Before("stopped", 58 * 10**9)


def test_an_engine_that_stopped_is_known_to_have_though_others_wrote_since(store: Store) -> None:
    bench = Bench(store)
    bench.beat.tick(idle=True)
    bench.now_s += 5
    store.append([engine_record(Action.ENGINE_STOP, 54 * 10**9, "here", "SIGTERM", {})])
    bench.beat.close()
    store.append([record(msgspec.structs.replace(SHADOW, ts_ns=60 * 10**9))])
    assert before(store, NOW_NS) == Before("stopped", 55 * 10**9)


def test_an_engine_that_ran_again_and_was_killed_is_told_as_killed(store: Store) -> None:
    bench = Bench(store)
    bench.beat.close()
    bench.now_s += 100
    bench.beat.tick(idle=True)
    assert before(store, NOW_NS) == Before("killed", 150 * 10**9)


@pytest.mark.parametrize("document", [b"damaged", b"[]", b'{"event": []}', b"{}", b"no JSON"])
def test_a_newest_record_that_somebody_has_spoilt_is_no_reason_not_to_watch(
    store: Store, document: bytes
) -> None:
    Bench(store).beat.tick(idle=True)
    store.append([engine_record(Action.ENGINE_STOP, 58 * 10**9, "here", "SIGTERM", {})])
    frame = document if document == b"damaged" else zstandard.compress(document)
    store.connection.execute("UPDATE records SET document = ?", (frame,))
    assert before(store, NOW_NS).how == "killed"


def test_a_store_whose_place_another_file_has_taken_is_told_of_once(tmp_path: Path) -> None:
    told: list[str] = []
    now_s = 0.0
    with Store.open(tmp_path / "s" / "db") as store, Store.open(tmp_path / "s" / "other") as other:
        beat = Heartbeat(store, failed=print, replaced=lambda: told.append("replaced"), clock_s=lambda: now_s)
        beat.tick(idle=True)
        assert told == []
        (tmp_path / "s" / "other").rename(tmp_path / "s" / "db")
        for _ in range(3):
            now_s += EVERY_S
            beat.tick(idle=True)
        assert told == ["replaced"]
        assert other.is_in_its_place is False
