"""Retention while the engine runs: when, how much at a time, and what is said."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record

from fileaudit_engine.detect.record import Record
from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.runtime.chores import BUSY_SHARE
from fileaudit_engine.runtime.retaining import EVERY_S, LOOK_S, Retaining
from fileaudit_engine.store import blocks
from fileaudit_engine.store.retention import Retention, used_bytes
from fileaudit_engine.store.store import Store

HOUR_NS = UNITS_NS["h"]
BLOCK = 4


class Bench:
    """Retention of a real store, with time that passes only when it is told to."""

    def __init__(self, store: Store, retention: Retention, sinks: tuple[str, ...] = ()) -> None:
        self.store = store
        self.said: list[str] = []
        self.announced: list[int] = []
        self.can_announce = True
        self.shown = list[Record]()
        self.now_s = 1_000_000.0
        self.retaining = Retaining(
            store,
            retention,
            host="here",
            sinks=sinks,
            show=self.shown.extend,
            tell=self.said.append,
            now_ns=lambda: int(self.now_s * 1e9),
            announce=self.announce,
            clock_s=lambda: self.now_s,
        )

    def announce(self, until_seq: int) -> bool:
        self.announced.append(until_seq)
        return self.can_announce

    def keep(self, count: int) -> None:
        """Audit events of now."""
        for number in range(count):
            event = msgspec.structs.replace(SHADOW, ts_ns=int(self.now_s * 1e9) + number, path=f"/{number}")
            self.store.append([record(event, level="informational")])

    def rows(self) -> int:
        return len(self.store.records_after(0, 10_000)) - len(self.shown)

    def ticks(self, count: int = 100, *, idle: bool = True) -> None:
        for _ in range(count):
            self.retaining.tick(idle=idle)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ROWS", BLOCK)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s" / "db") as opened:
        yield opened


def test_what_is_too_old_goes_at_the_start_and_every_hour(store: Store) -> None:
    bench = Bench(store, Retention(age_ns=HOUR_NS))
    bench.keep(2 * BLOCK)
    bench.now_s += 2 * EVERY_S
    bench.ticks()
    assert bench.rows() == 0
    bench.keep(2 * BLOCK)
    bench.now_s += 0.9 * EVERY_S
    bench.ticks()
    assert bench.rows() == 2 * BLOCK
    bench.now_s += 0.2 * EVERY_S
    bench.ticks()
    assert bench.rows() == 0


def test_what_goes_was_announced_and_what_cannot_be_announced_stays(store: Store) -> None:
    bench = Bench(store, Retention(age_ns=HOUR_NS))
    bench.keep(2 * BLOCK)
    bench.now_s += 2 * EVERY_S
    bench.can_announce = False
    bench.ticks()
    assert bench.rows() == 2 * BLOCK
    (said,) = bench.said
    assert said.startswith("nothing is removed that no anchor has announced")
    bench.can_announce = True
    bench.now_s += EVERY_S
    bench.ticks()
    assert bench.rows() == 0
    assert store.removed_seq == bench.announced[-1] == 2 * BLOCK


def test_what_was_removed_is_said_once_it_is_done_and_shown(store: Store) -> None:
    bench = Bench(store, Retention(age_ns=HOUR_NS))
    bench.keep(2 * BLOCK)
    bench.now_s += 2 * EVERY_S
    bench.ticks()
    assert bench.said == ["removed 8 records until 1970-01-12T13:46:40.000000007Z"]
    (shown,) = bench.shown
    assert "8 records" in str(shown.document["message"])


def test_a_store_that_grows_too_large_does_not_wait_for_the_hour(store: Store) -> None:
    bench = Bench(store, Retention(max_bytes=256 << 10))
    bench.ticks()
    bench.keep(150 * BLOCK)
    assert used_bytes(store) > 256 << 10
    bench.now_s += LOOK_S
    bench.ticks(1_000)
    assert used_bytes(store) <= 256 << 10
    assert len(bench.said) == 1


def test_what_a_sink_has_never_had_is_said(store: Store) -> None:
    bench = Bench(store, Retention(hard_bytes=256 << 10), ("json",))
    store.save_cursor("json", 0, 1)
    bench.keep(150 * BLOCK)
    bench.ticks(1_000)
    assert "; json has never had " in bench.said[0]


def test_while_there_is_work_it_takes_a_part_of_the_time_only(store: Store) -> None:
    bench = Bench(store, Retention(age_ns=HOUR_NS))
    bench.keep(8 * BLOCK)
    bench.now_s += 2 * EVERY_S
    before = store.connection.total_changes
    step_s = 0.01
    turns = 0
    real = bench.retaining._go_on

    def timed(steps: Iterator[object]) -> None:
        nonlocal turns
        turns += 1
        bench.now_s += step_s
        real(steps)  # type: ignore[arg-type]  # what it was given

    bench.retaining._go_on = timed  # type: ignore[method-assign]  # time passes in it
    began_s = bench.now_s
    while bench.retaining._steps is not None or not turns:
        bench.retaining.tick(idle=False)
        bench.now_s += 0.001
    assert store.connection.total_changes > before
    assert turns * step_s <= (bench.now_s - began_s + BUSY_SHARE * step_s) / BUSY_SHARE * 1.1


@pytest.mark.parametrize(("hard_bytes", "turns"), [(1, 20), (1 << 40, 1)])
def test_above_the_hard_limit_every_turn_is_taken(store: Store, hard_bytes: int, turns: int) -> None:
    bench = Bench(store, Retention(age_ns=HOUR_NS, hard_bytes=hard_bytes))
    bench.keep(100 * BLOCK)
    bench.now_s += 2 * EVERY_S
    taken = 0

    def a_long_step(_steps: Iterator[object]) -> None:
        nonlocal taken
        taken += 1
        bench.now_s += 1

    bench.retaining._go_on = a_long_step  # type: ignore[method-assign,assignment]
    for _ in range(20):
        bench.retaining.tick(idle=False)
        bench.now_s += 0.01
    assert taken == turns


def test_a_store_that_takes_nothing_is_told_once_and_tried_again(store: Store, tmp_path: Path) -> None:
    bench = Bench(store, Retention(age_ns=HOUR_NS))
    bench.keep(2 * BLOCK)
    bench.now_s += 2 * EVERY_S
    with contextlib.closing(sqlite3.connect(tmp_path / "s" / "db")) as other:
        store.connection.execute("PRAGMA busy_timeout = 0")
        other.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            bench.ticks(10)
            bench.now_s += 1.1 * EVERY_S
        other.execute("ROLLBACK")
    assert len(bench.said) == 1
    assert "old records stay" in bench.said[0]
    bench.ticks()
    assert bench.rows() == 0


def test_what_was_removed_before_the_end_is_said_at_the_end(store: Store) -> None:
    bench = Bench(store, Retention(age_ns=HOUR_NS))
    bench.keep(2 * BLOCK)
    bench.now_s += 2 * EVERY_S
    bench.ticks(1)
    bench.retaining.close()
    assert len(bench.said) == 1
    bench.retaining.close()
    assert len(bench.said) == 1


def test_rows_of_a_day_ago_are_closed_so_that_they_can_go(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "ROWS", 1_000)
    bench = Bench(store, Retention(age_ns=HOUR_NS))
    bench.keep(3)
    bench.now_s += 25 * EVERY_S
    bench.ticks()
    assert bench.rows() == 0


def test_a_sink_that_holds_old_records_back_is_told_of_once_a_day(store: Store) -> None:
    bench = Bench(store, Retention(age_ns=HOUR_NS, max_bytes=None, hard_bytes=None), ("elasticsearch",))
    bench.keep(3 * BLOCK)
    store.save_cursor("elasticsearch", 2, 5)
    bench.ticks()
    assert bench.said == []
    for _ in range(30):
        bench.now_s += EVERY_S
        bench.ticks()
    held = [words for words in bench.said if "has not had them" in words]
    rest = (
        "elasticsearch has not had them; mend it, remove it from the configuration, or set 'store.hard_limit'"
    )
    assert held == [
        f"10 records stay beyond their time, the oldest for 0 days: {rest}",
        f"10 records stay beyond their time, the oldest for 1 day: {rest}",
    ]
