"""The spool: what the store refuses waits, in order, and is shown only once it is on disk."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.events.model import FileEvent, Loss, Operation, Process
from fileaudit_engine.runtime import spool as module
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.store.losses import record_of_loss
from fileaudit_engine.store.store import Store


class Moody:
    """A store that refuses while it is told to."""

    def __init__(self) -> None:
        self.refuses = False
        self.room = 1_000
        self.tries = 0
        self.kept: list[str] = []
        self.path = Path("/tmp/fileaudit.db")

    def append(self, records: Sequence[Record]) -> int:
        self.tries += 1
        if self.refuses or len(self.kept) + len(records) > self.room:
            raise MachineCannot("the disk is full", remedy="free some space")
        self.kept += [record.id for record in records]
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


def record(name: str, text: str = "") -> Record:
    event = FileEvent(ts_ns=1, operation=Operation.OPEN, process=Process(pid=1))
    document = {
        "event": {"id": name, "kind": "alert"},
        "rule": {"id": "r"},
        "fileaudit": {"rule": {"level": "high"}},
        "message": text,
    }
    return Record(id=name, kind=Kind.ALERT, ts_ns=1, rule="r", level="high", document=document, event=event)


def facts(one: Record) -> dict[str, Any]:
    """What the engine says of itself."""
    own: Any = one.document["fileaudit"]
    found: dict[str, Any] = own["engine"]
    return found


class Bench:
    """A spool over a moody store, what it said, and its clock."""

    def __init__(self, *, timed: bool = False) -> None:
        self.store, self.clock = Moody(), Clock()
        self.said: list[str] = []
        self.going_on = True
        self.spool = Spool(
            cast("Store", self.store),
            tell=self.said.append,
            proceed=lambda: self.going_on,
            clock_ns=(lambda: int(self.clock() * 1e9)) if timed else None,
            clock_s=self.clock,
            sleep=self.clock.sleep,
        )


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def timed() -> Bench:
    """With a clock, so that it tells of trouble by records."""
    return Bench(timed=True)


def ids(records: Sequence[Record]) -> list[str]:
    return [one.id for one in records]


def test_what_the_store_takes_is_handed_back_at_once(bench: Bench) -> None:
    assert ids(bench.spool.commit([record("a")])) == ["a"]
    assert bench.store.kept == ["a"]
    assert not bench.said


def test_what_it_refuses_waits_and_comes_later_in_order(bench: Bench) -> None:
    bench.store.refuses = True
    assert ids(bench.spool.commit([record("a")])) == []
    assert ids(bench.spool.commit([record("b")])) == []
    bench.store.refuses = False
    bench.clock.now_s += 1
    assert ids(bench.spool.commit([record("c")])) == ["a", "b", "c"]
    assert bench.store.kept == ["a", "b", "c"]
    assert bench.spool.waiting == 0


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
    assert ids(bench.spool.commit([record("a")])) == []
    assert ids(bench.spool.finish()) == []
    assert bench.spool.waiting == 1
    assert ids(bench.spool.give_up()) == ["a"]
    assert bench.spool.waiting == 0


def test_what_waits_is_bounded_by_its_size_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_BYTES", 1_000)
    bench.store.refuses = True
    bench.spool.commit([record("a", text="x" * 2_000)])
    bench.clock.at_each_sleep = lambda: setattr(bench.store, "refuses", bench.clock.now_s < 105)
    assert ids(bench.spool.commit([record("b")])) == ["a", "b"]
    assert bench.clock.now_s >= 105


def test_what_waited_is_committed_in_portions_and_what_found_room_is_safe(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PORTION", 2)
    bench.store.refuses = True
    bench.spool.commit([record(name) for name in "abcde"])
    bench.store.room = 4
    bench.store.refuses = False
    assert ids(bench.spool.finish()) == ["a", "b", "c", "d"]
    assert bench.spool.waiting == 1
    bench.store.room = 10
    assert ids(bench.spool.finish()) == ["e"]
    assert bench.store.kept == list("abcde")
    assert len(bench.said) == 2


def test_a_full_store_is_an_alert_that_is_shown_at_once_and_kept_first(timed: Bench) -> None:
    timed.store.refuses = True
    assert ids(timed.spool.commit([record("a")])) == []
    (alert,) = timed.spool.take_urgent()
    assert (alert.kind, alert.level, alert.rule) == (Kind.ALERT, "high", "store_unavailable")
    assert "the disk is full" in str(alert.document["message"])
    assert facts(alert)["free_bytes"] > 0
    assert not timed.spool.take_urgent()
    timed.store.refuses = False
    timed.clock.now_s += 3
    assert ids(timed.spool.commit([record("b")]))[:3] == [alert.id, "a", "b"]


def test_its_end_is_told_with_how_long_it_took_and_how_many_waited(timed: Bench) -> None:
    timed.store.refuses = True
    timed.spool.commit([record("a"), record_of_loss(Loss(first_ns=1, last_ns=2, counts={"open": 5}))])
    timed.clock.now_s += 7
    timed.store.refuses = False
    *_, over = timed.spool.commit([record("b")])
    assert over.kind is Kind.ENGINE
    assert facts(over) == {"since": "1970-01-01T00:01:40.000000000Z", "seconds": 7, "waited": 4, "lost": 5}
    assert timed.store.kept[-1] == over.id


def test_trouble_that_comes_again_is_another_alert(timed: Bench) -> None:
    for _ in range(2):
        timed.store.refuses = True
        timed.clock.now_s += 5
        timed.spool.commit([record("a")])
        assert len(timed.spool.take_urgent()) == 1
        timed.store.refuses = False
        timed.clock.now_s += 5
        assert facts(timed.spool.commit()[-1])["waited"] == 2


def test_trouble_that_somebody_else_found_is_told_though_no_record_waits(timed: Bench) -> None:
    timed.store.refuses = True
    timed.spool.failed(MachineCannot("the disk is full", remedy="free some space"))
    timed.spool.failed(MachineCannot("the disk is full", remedy="free some space"))
    assert len(timed.spool.take_urgent()) == 1
    timed.store.refuses = False
    assert [one.rule for one in timed.spool.commit()] == ["store_unavailable", ""]


def test_a_real_store_that_is_locked_takes_everything_afterwards(tmp_path: Path) -> None:
    path, said = tmp_path / "s" / "db", list[str]()
    with Store.open(path) as store, contextlib.closing(sqlite3.connect(path)) as other:
        spool = Spool(store, tell=said.append, proceed=lambda: True, clock_ns=time.time_ns)
        other.execute("BEGIN IMMEDIATE")
        assert ids(spool.commit([record("a")])) == []
        other.execute("ROLLBACK")
        assert len(spool.finish()) == 3
        assert [kept.rule for kept in store.records(Kind.ALERT)] == ["store_unavailable", "r"]
        (over,) = store.records(Kind.ENGINE)
        assert over.document["event"]["action"] == "store_available"
    assert len(said) == 2


Step = tuple[str, int]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.integers(0, 5)),
        st.tuples(st.just("room"), st.integers(0, 30)),
        st.tuples(st.sampled_from(["wait", "failed", "finish"]), st.just(0)),
    ),
    max_size=30,
)


@given(steps)
def test_whatever_a_store_takes_when_nothing_is_lost_doubled_or_out_of_order(sequence: list[Step]) -> None:
    """A store that has room for some records now and then, which it gets in portions of three."""
    bench = Bench(timed=True)
    given_ids: list[str] = []
    returned: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PORTION", 3)
        bench.store.room = 5
        for step, number in [*sequence, ("room", 1_000), ("finish", 0)]:
            bench.clock.now_s += 0.001
            match step:
                case "commit":
                    new = [record(f"{len(given_ids) + index}") for index in range(number)]
                    given_ids += ids(new)
                    returned += ids(bench.spool.commit(new))
                case "room":
                    bench.store.room = max(bench.store.room, number)
                case "wait":
                    bench.clock.now_s += 1
                case "failed":
                    bench.spool.failed(MachineCannot("the disk is full", remedy=""))
                case _:
                    returned += ids(bench.spool.finish())
    own = set(given_ids)
    assert bench.spool.waiting == 0
    assert returned == bench.store.kept
    assert [one for one in returned if one in own] == given_ids
    assert len(set(returned)) == len(returned)
    alerts = ids(bench.spool.take_urgent())
    assert [one for one in returned if one not in own and one in alerts] == alerts
    assert len(returned) == len(given_ids) + 2 * len(alerts)
