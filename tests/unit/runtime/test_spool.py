"""The spool: what the store refuses waits, in order, and is shown only once it is on disk."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import pytest

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.events.model import FileEvent, Loss, Operation, Process
from fileaudit_engine.runtime import spool as module
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.store.store import Store


class Moody:
    """A store that refuses while it is told to."""

    def __init__(self) -> None:
        self.refuses = False
        self.tries = 0
        self.kept: list[str] = []
        self.losses: list[Loss] = []

    def append(self, records: Sequence[Record], losses: Sequence[Loss] = ()) -> int:
        self.tries += 1
        if self.refuses:
            raise MachineCannot("the disk is full", remedy="free some space")
        self.kept += [record.id for record in records]
        self.losses += losses
        return len(records)


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.at_each_sleep: Callable[[], None] = lambda: None

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.at_each_sleep()


def record(name: str) -> Record:
    event = FileEvent(ts_ns=1, operation=Operation.OPEN, process=Process(pid=1))
    return Record(id=name, kind=Kind.ALERT, ts_ns=1, rule="r", level="high", document={}, event=event)


class Bench:
    """A spool over a moody store, what it said, and its clock."""

    def __init__(self) -> None:
        self.store, self.clock = Moody(), Clock()
        self.said: list[str] = []
        self.going_on = True
        self.spool = Spool(
            cast("Store", self.store),
            tell=self.said.append,
            proceed=lambda: self.going_on,
            clock_s=self.clock,
            sleep=self.clock.sleep,
        )


@pytest.fixture
def bench() -> Bench:
    return Bench()


def ids(records: Sequence[Record]) -> list[str]:
    return [one.id for one in records]


def test_what_the_store_takes_is_handed_back_at_once(bench: Bench) -> None:
    assert ids(bench.spool.commit([record("a")])) == ["a"]
    assert bench.store.kept == ["a"]
    assert not bench.said


def test_what_it_refuses_waits_and_comes_later_in_order(bench: Bench) -> None:
    bench.store.refuses = True
    assert bench.spool.commit([record("a")]) == ()
    assert bench.spool.commit([record("b")]) == ()
    bench.store.refuses = False
    bench.clock.now_s += 1
    assert ids(bench.spool.commit([record("c")])) == ["a", "b", "c"]
    assert bench.store.kept == ["a", "b", "c"]
    assert bench.spool.waiting == 0


def test_losses_wait_like_records(bench: Bench) -> None:
    loss = Loss(first_ns=1, last_ns=2, counts={"open": 1})
    bench.store.refuses = True
    bench.spool.commit(losses=[loss])
    bench.store.refuses = False
    bench.spool.finish()
    assert bench.store.losses == [loss]


def test_trouble_is_told_once_and_its_end_once(bench: Bench) -> None:
    bench.store.refuses = True
    for _ in range(5):
        bench.clock.now_s += 1
        bench.spool.commit([record("a")])
    bench.store.refuses = False
    bench.spool.finish()
    assert len(bench.said) == 2
    assert "the disk is full" in bench.said[0]
    assert "5 records" in bench.said[1]


def test_it_is_not_tried_at_every_batch(bench: Bench) -> None:
    bench.store.refuses = True
    for _ in range(50):
        bench.spool.commit([record("a")])
    assert bench.store.tries == 1


def test_a_full_waiting_room_waits_for_the_store_and_drops_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_ROOM", 3)
    bench.store.refuses = True
    bench.spool.commit([record("a")])
    bench.clock.at_each_sleep = lambda: setattr(bench.store, "refuses", bench.clock.now_s < 105)
    assert ids(bench.spool.commit([record("b"), record("c")])) == ["a", "b", "c"]
    assert bench.clock.now_s >= 105


def test_it_stops_waiting_when_the_engine_is_to_stop(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_ROOM", 1)
    bench.store.refuses = True
    bench.going_on = False
    assert bench.spool.commit([record("a")]) == ()
    assert bench.spool.finish() == ()
    assert bench.spool.waiting == 1


def test_a_real_store_whose_lock_is_held_takes_everything_afterwards(tmp_path: Path) -> None:
    path, said = tmp_path / "s" / "db", list[str]()
    with Store.open(path) as store, Store.open(path) as other:
        spool = Spool(store, tell=said.append, proceed=lambda: True)
        other._connection.execute("BEGIN IMMEDIATE")
        assert spool.commit([record("a")]) == ()
        other._connection.execute("ROLLBACK")
        assert ids(spool.finish()) == ["a"]
        assert [kept.id for kept in store.records(Kind.ALERT)] == ["a"]
    assert len(said) == 2
