"""Sinks behind a network: one that is slow, dead or wrong delays its own records and nothing else."""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.runtime import deliveries as module
from fileaudit_engine.runtime import delivery as delivering
from fileaudit_engine.runtime.deliveries import Deliveries
from fileaudit_engine.runtime.delivery import Delivery
from fileaudit_engine.runtime.follower import EVERYTHING, Follower, Pace, StoreSink, Wanted
from fileaudit_engine.runtime.mailbox import MOST_LETTERS, MOST_WORDS, Mailbox
from fileaudit_engine.sinks.base import Answer, Delivered, Reject, Retry
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.stored import StoredRecord

QUICK = Pace(
    budget_s=1.0,
    closing_s=1.0,
    most_rows=64,
    quick_s=1.0,
    slow_s=10.0,
    save_s=0.01,
    retry_s=lambda _: 0.01,
    patience_s=0.0,
)
DEADLINE_S = 60.0


class Receiver:
    """A sink that answers as it is told, and remembers what it took."""

    def __init__(self, answer: Callable[[StoredRecord], Answer] = lambda _: Delivered()) -> None:
        self.answer = answer
        self.rows: list[int] = []
        self.closed = 0
        self.refreshed = 0

    def deliver(self, records: Sequence[StoredRecord]) -> list[Answer]:
        answers = [self.answer(one) for one in records]
        self.rows += [r.seq for r, a in zip(records, answers, strict=True) if isinstance(a, Delivered)]
        return answers

    def refresh(self) -> None:
        self.refreshed += 1

    def close(self) -> None:
        self.closed += 1


class Bench:
    """A real store, threads, and what was said."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = Store.open(path)
        self.said: list[str] = []
        self.all: list[Deliveries] = []

    def begin(self, *deliveries: Delivery) -> Deliveries:
        made = Deliveries(deliveries, self.store, host="web-1", keep=self.store.append, tell=self.said.append)
        self.all.append(made)
        made.tick(idle=True)
        return made

    def delivery(
        self, sink: StoreSink, *, name: str = "far", wanted: Wanted = EVERYTHING, from_start: bool = True
    ) -> Delivery:
        return Delivery(name, lambda _: sink, self.store, wanted=wanted, from_start=from_start, pace=QUICK)

    def append(self, *numbers: int, level: str = "high") -> None:
        self.store.append([at(number, level) for number in numbers])

    def actions(self) -> list[str]:
        return [one.document["event"]["action"] for one in self.store.records(Kind.ENGINE)]

    def restart(self) -> None:
        for made in self.all:
            made.close()
        self.all = []
        self.store.close()
        self.store = Store.open(self.path)


def at(ts_ns: int, level: str = "high") -> Record:
    return record(msgspec.structs.replace(SHADOW, ts_ns=ts_ns), level=level)


def until(deliveries: Deliveries, holds: Callable[[], object]) -> None:
    """Give turns until something holds."""
    give_up_s = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < give_up_s, "it never came to that"
        deliveries.tick(idle=True)
        time.sleep(0.002)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "s" / "db")
    yield made
    for one in made.all:
        one.close()
    made.store.close()


# ----------------------------------------------------------------------------------------------- the way


def test_a_sink_gets_what_is_committed_in_order_and_its_cursor_is_saved(bench: Bench) -> None:
    sink = Receiver()
    deliveries = bench.begin(bench.delivery(sink))
    bench.append(*range(1, 501))
    until(deliveries, lambda: bench.store.cursor("far") == 500)
    assert sink.rows == list(range(1, 501))


def test_what_is_committed_later_wakes_it(bench: Bench) -> None:
    sink = Receiver()
    deliveries = bench.begin(bench.delivery(sink))
    for number in range(1, 6):
        bench.append(number)
        until(deliveries, lambda: len(sink.rows) == number)  # noqa: B023 - asked at once


def test_a_new_sink_of_an_old_store_begins_at_its_end_even_if_the_engine_is_killed_at_once(
    bench: Bench,
) -> None:
    bench.append(1, 2)
    bench.delivery(Receiver(), from_start=False)
    bench.append(3)
    sink = Receiver()
    deliveries = bench.begin(bench.delivery(sink, from_start=False))
    until(deliveries, lambda: sink.rows == [3])


def test_after_a_restart_it_goes_on_behind_its_cursor(bench: Bench) -> None:
    first = Receiver()
    deliveries = bench.begin(bench.delivery(first))
    bench.append(*range(1, 11))
    until(deliveries, lambda: bench.store.cursor("far") == 10)
    bench.restart()
    second = Receiver()
    deliveries = bench.begin(bench.delivery(second))
    bench.append(11, 12)
    until(deliveries, lambda: len(second.rows) == 2)
    assert second.rows == [11, 12]


def test_kinds_that_it_does_not_want_count_as_had(bench: Bench) -> None:
    sink = Receiver()
    deliveries = bench.begin(bench.delivery(sink, wanted=Wanted(kinds=frozenset({Kind.ALERT}))))
    bench.append(1, 2)
    bench.append(3, 4, 5, level="informational")
    bench.append(6)
    bench.append(7, level="informational")
    until(deliveries, lambda: bench.store.cursor("far") == 7)
    assert sink.rows == [1, 2, 6]


def test_nor_does_a_row_that_does_not_fit_go_there(bench: Bench) -> None:
    sink = Receiver()
    deliveries = bench.begin(bench.delivery(sink, wanted=Wanted(fits=lambda one: one.seq % 2 == 0)))
    bench.append(*range(1, 10))
    until(deliveries, lambda: bench.store.cursor("far") == 9)
    assert sink.rows == [2, 4, 6, 8]


# ----------------------------------------------------------------------------------------------- trouble


def test_a_sink_that_hangs_holds_up_neither_the_other_nor_the_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLOSING_S", 0.05)
    let_go = threading.Event()

    def hang(_: StoredRecord) -> Answer:
        let_go.wait()
        return Delivered()

    live = Receiver()
    dead = bench.delivery(Receiver(hang), name="dead")
    deliveries = bench.begin(dead, bench.delivery(live, name="live"))
    bench.append(*range(1, 101))
    until(deliveries, lambda: bench.store.cursor("live") == 100)
    bench.all.clear()
    deliveries.close()
    assert bench.store.cursors() == {"dead": 0, "live": 100}
    assert "dead still waits for an answer: what it had last is told again" in bench.said
    let_go.set()
    assert dead.join(DEADLINE_S)


def test_a_sink_that_hangs_is_told_of_and_when_it_has_answered(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HANGS_S", 0.05)
    let_go = threading.Event()

    def hang(_: StoredRecord) -> Answer:
        let_go.wait()
        return Delivered()

    deliveries = bench.begin(bench.delivery(Receiver(hang), wanted=Wanted(kinds=frozenset({Kind.ALERT}))))
    bench.append(1)
    until(deliveries, lambda: "sink_unavailable" in bench.actions())
    assert bench.said[0].startswith("far takes nothing: it has been in one call for")
    let_go.set()
    until(deliveries, lambda: "sink_available" in bench.actions())
    assert bench.said[1:] == ["far has answered again"]


def test_a_store_that_took_the_place_of_ours_is_not_followed(bench: Bench, tmp_path: Path) -> None:
    with Store.open(tmp_path / "other" / "db") as other:
        other.append([at(number) for number in range(1, 9)])
    sink = Receiver()
    delivery = bench.delivery(sink)
    monkey = tmp_path / "other" / "db"
    delivery._path = monkey
    deliveries = bench.begin(delivery)
    bench.append(1)
    until(deliveries, lambda: bench.said)
    assert bench.said == [
        f"far takes nothing: another store stands at {monkey} now; it gets everything later"
    ]
    assert sink.rows == []


def test_a_cursor_that_cannot_be_is_the_beginning(bench: Bench) -> None:
    bench.store.save_cursor("far", -5, 5)
    bench.append(1, 2)
    sink = Receiver()
    deliveries = bench.begin(bench.delivery(sink))
    until(deliveries, lambda: sink.rows == [1, 2])
    assert bench.said == []


def test_what_fails_comes_again_and_the_records_say_since_when(bench: Bench) -> None:
    sink = Receiver(lambda _: Retry("no route to host"))
    deliveries = bench.begin(bench.delivery(sink))
    bench.append(*range(1, 4))
    until(deliveries, lambda: "sink_unavailable" in bench.actions())
    found = next(bench.store.records(Kind.ENGINE)).document
    assert found["message"] == "Sink takes nothing: far: no route to host, 3 behind"
    facts = dict(found["fileaudit"]["engine"])
    assert facts.pop("lag_seconds") >= 0
    assert facts == {"sink": "far", "reason": "no route to host", "behind": 3}
    sink.answer = lambda _: Delivered()
    until(deliveries, lambda: "sink_available" in bench.actions())
    assert sink.rows[:3] == [1, 2, 3]
    assert bench.said == [
        "far takes nothing: no route to host; it gets everything later",
        "far has had everything again",
    ]


def test_a_sink_that_raises_loses_nothing(bench: Bench) -> None:
    sink = Receiver()

    def raises(_: StoredRecord) -> Answer:
        raise RuntimeError("a bug\nof a library")

    sink.answer = raises
    deliveries = bench.begin(bench.delivery(sink))
    bench.append(1, 2)
    until(deliveries, lambda: bench.said)
    assert (
        bench.said[0] == "far takes nothing: RuntimeError: a bug\\x0aof a library; it gets everything later"
    )
    sink.answer = lambda _: Delivered()
    until(deliveries, lambda: sink.rows[:2] == [1, 2])


def test_nor_does_one_that_answers_for_fewer_than_it_was_given(bench: Bench) -> None:
    sink = Receiver()
    whole = sink.deliver
    sink.deliver = lambda records: whole(records)[:-1]  # type: ignore[method-assign]
    deliveries = bench.begin(bench.delivery(sink))
    bench.append(1, 2)
    until(deliveries, lambda: bench.said)
    assert bench.store.cursor("far") == 0
    sink.deliver = whole  # type: ignore[method-assign]
    until(deliveries, lambda: bench.store.cursor("far") in {2, 3, 4})


def test_a_sink_that_cannot_even_be_made_is_made_later(bench: Bench) -> None:
    sink = Receiver()
    tries = iter([RuntimeError("not yet"), MachineCannot("nor yet", remedy=""), None])

    def make(_: object) -> StoreSink:
        error = next(tries)
        if error is not None:
            raise error
        return sink

    deliveries = bench.begin(Delivery("far", make, bench.store, wanted=EVERYTHING, pace=QUICK))
    bench.append(1)
    until(deliveries, lambda: sink.rows == [1] and len(bench.said) > 1)
    assert bench.said[:2] == [
        "far takes nothing: RuntimeError: not yet; it gets everything later",
        "far takes nothing: nor yet; it gets everything later",
    ]


def test_a_refresh_reaches_the_sink_and_what_waits_for_its_time_is_tried_at_once(bench: Bench) -> None:
    sink = Receiver(lambda _: Retry("refused"))
    slow = dataclasses.replace(QUICK, retry_s=lambda _: 3_600.0)
    deliveries = bench.begin(
        Delivery("far", lambda _: sink, bench.store, wanted=EVERYTHING, from_start=True, pace=slow)
    )
    bench.append(1)
    until(deliveries, lambda: bench.said)
    sink.answer = lambda _: Delivered()
    deliveries.refresh()
    until(deliveries, lambda: sink.rows[:1] == [1])
    assert sink.refreshed == 1


# ------------------------------------------------------------------------------------------ dead letters


def refuse_even(one: StoredRecord) -> Answer:
    return Reject(f"row {one.seq} is no good") if one.seq % 2 == 0 else Delivered()


def test_what_is_rejected_is_a_dead_letter_and_the_others_arrive(bench: Bench) -> None:
    sink = Receiver(refuse_even)
    deliveries = bench.begin(bench.delivery(sink))
    bench.append(*range(1, 6))
    until(deliveries, lambda: bench.store.cursor("far") == 5)
    assert sink.rows == [1, 3, 5]
    assert bench.store.dead_letters("far") == {2: "row 2 is no good", 4: "row 4 is no good"}
    until(deliveries, lambda: bench.said)
    assert bench.said == ["far does not take row 2: row 2 is no good; nor 1 row behind it"]


def test_a_dead_letter_is_tried_once_more_at_the_next_start_and_forgiven_if_it_is_taken(
    bench: Bench,
) -> None:
    deliveries = bench.begin(bench.delivery(Receiver(refuse_even)))
    bench.append(*range(1, 6))
    until(deliveries, lambda: bench.store.cursor("far") == 5)
    bench.restart()
    sink = Receiver(lambda one: Reject("still not") if one.seq == 4 else Delivered())
    deliveries = bench.begin(bench.delivery(sink))
    until(deliveries, lambda: bench.store.dead_letters("far") == {4: "row 4 is no good"})
    assert sink.rows == [2]
    assert bench.said[-1] == "far has taken 1 row that it had rejected"


def test_dead_letters_are_tried_again_when_somebody_asks(bench: Bench) -> None:
    sink = Receiver(refuse_even)
    deliveries = bench.begin(bench.delivery(sink))
    bench.append(*range(1, 601))
    until(deliveries, lambda: len(bench.store.dead_letters("far")) == 300)
    sink.answer = lambda _: Delivered()
    deliveries.refresh()
    until(deliveries, lambda: not bench.store.dead_letters("far"))
    assert sorted(sink.rows) == list(range(1, 601))


def test_a_dead_letter_that_routes_keep_away_today_is_forgiven_and_not_sent(bench: Bench) -> None:
    bench.append(1, level="informational")
    bench.append(2, 3)
    bench.store.save_cursor("far", 3, 5, rejected={1: "no", 2: "no", 3: "no"})
    sink = Receiver()
    wanted = Wanted(kinds=frozenset({Kind.ALERT}), fits=lambda one: one.seq != 3)
    deliveries = bench.begin(bench.delivery(sink, wanted=wanted))
    until(deliveries, lambda: not bench.store.dead_letters("far"))
    assert sink.rows == [2]


def test_dead_letters_of_a_receiver_that_is_down_wait_longer_and_longer_and_are_its_trouble(
    bench: Bench,
) -> None:
    bench.append(1)
    bench.store.save_cursor("far", 1, 5, rejected={1: "no"})
    asked: list[int] = []

    def pause_s(failures: int) -> float:
        asked.append(failures)
        return 0.01 * failures

    pace = dataclasses.replace(QUICK, retry_s=pause_s)
    sink = Receiver(lambda _: Retry("nobody listens"))
    delivery = Delivery("far", lambda _: sink, bench.store, wanted=EVERYTHING, pace=pace)
    deliveries = bench.begin(delivery)
    until(deliveries, lambda: len(asked) > 2)
    assert asked[:3] == [1, 2, 3]
    assert delivery.trouble == "nobody listens"
    sink.answer = lambda _: Delivered()
    until(deliveries, lambda: not bench.store.dead_letters("far"))
    until(deliveries, lambda: not delivery.trouble)


def test_a_receiver_that_is_down_is_waited_for_even_if_it_has_dead_letters(bench: Bench) -> None:
    bench.append(1, 2)
    bench.store.save_cursor("far", 1, 5, rejected={1: "no"})
    turns = 0

    class Counted(Delivery):
        def _publish(self, follower: Follower) -> None:
            nonlocal turns
            turns += 1
            super()._publish(follower)

    never = dataclasses.replace(QUICK, retry_s=lambda _: 3_600.0, save_s=3_600.0)
    down = Receiver(lambda _: Retry("down"))
    delivery = Counted("far", lambda _: down, bench.store, wanted=EVERYTHING, pace=never)
    deliveries = bench.begin(delivery)
    until(deliveries, lambda: delivery.trouble)
    time.sleep(0.2)
    assert turns < 10


def test_a_sink_that_comes_back_after_long_is_told_how_far_it_is_behind(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "FAR_BEHIND", 3)
    bench.store.save_cursor("far", 0, 5)
    bench.append(1, 2, 3)
    deliveries = bench.begin(bench.delivery(Receiver()))
    until(deliveries, lambda: bench.said)
    assert bench.said == ["far goes on where it was, 3 rows behind"]


def test_a_dead_letter_that_a_receiver_will_not_decide_on_holds_no_other_up(bench: Bench) -> None:
    numbers = range(1, 601)
    bench.append(*numbers)
    bench.store.save_cursor("far", 600, 5, rejected=dict.fromkeys(numbers, "no"))
    sink = Receiver(lambda one: Retry("doubtful") if one.seq == 7 else Delivered())
    delivery = bench.delivery(sink)
    deliveries = bench.begin(delivery)
    until(deliveries, lambda: bench.store.dead_letters("far") == {7: "no"})
    until(deliveries, lambda: not delivery.trouble)


def test_of_many_rejected_rows_one_line_is_told_and_of_many_lines_some(bench: Bench) -> None:
    sink = Receiver(lambda _: Reject("the pipeline is not there"))
    deliveries = bench.begin(bench.delivery(sink))
    bench.append(*range(1, 65))
    until(deliveries, lambda: bench.store.cursor("far") == 64)
    assert len(bench.said) <= 64 / 2
    mailbox = Mailbox(0)
    for number in range(MOST_WORDS + 7):
        mailbox.say(str(number))
    news = mailbox.take_news()
    assert (len(news.words), news.unsaid) == (MOST_WORDS, 7)


def test_a_dead_letter_is_never_saved_behind_its_cursor_nor_without_it() -> None:
    mailbox = Mailbox(0)
    mailbox.reject(7, "no")
    assert mailbox.take().rejected == {}
    mailbox.reached(6)
    assert mailbox.take().rejected == {}
    mailbox.reached(7)
    taken = mailbox.take()
    assert (taken.cursor, taken.rejected) == (7, {7: "no"})
    mailbox.put_back(taken)
    mailbox.reject(8, "nor this")
    mailbox.reached(9)
    assert mailbox.take().rejected == {7: "no", 8: "nor this"}


def test_dead_letters_that_cannot_be_saved_stop_the_sink_before_they_fill_the_memory() -> None:
    mailbox = Mailbox(0)
    for seq in range(MOST_LETTERS):
        mailbox.reject(seq, "no")
    with pytest.raises(MachineCannot, match="what it rejects cannot be noted in the store"):
        mailbox.reject(MOST_LETTERS, "no")


def test_a_cursor_that_cannot_be_saved_is_saved_when_it_can(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, full = bench.store.save_cursor, True

    def saving(sink: str, seq: int, saved_ns: int, **rest: object) -> None:
        if full:
            raise MachineCannot("no space left", remedy="")
        save(sink, seq, saved_ns, **rest)  # type: ignore[arg-type]

    delivery = bench.delivery(Receiver(refuse_even))
    monkeypatch.setattr(bench.store, "save_cursor", saving)
    deliveries = bench.begin(delivery)
    bench.append(*range(1, 4))
    until(deliveries, lambda: bench.said and "cannot be noted" in bench.said[-1])
    assert bench.store.cursor("far") == 0
    full = False
    until(deliveries, lambda: bench.store.cursor("far") == 3)
    assert bench.store.dead_letters("far") == {2: "row 2 is no good"}


def test_while_the_store_cannot_be_written_it_is_tried_once_a_second_not_at_every_turn(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    def saving(sink: str, *_: object, **__: object) -> None:
        tries.append(sink)
        raise MachineCannot("database is locked", remedy="")

    deliveries = bench.begin(bench.delivery(Receiver()))
    monkeypatch.setattr(bench.store, "save_cursor", saving)
    bench.append(1)
    until(deliveries, lambda: tries)
    for _ in range(1_000):
        deliveries.tick(idle=False)
    assert len(tries) <= 2


def test_rows_that_come_again_count_once(bench: Bench) -> None:
    heard: list[int] = []

    def answer(one: StoredRecord) -> Answer:
        heard.append(one.seq)
        return Retry("once more") if one.seq == 3 and heard.count(3) < 4 else Delivered()

    deliveries = bench.begin(bench.delivery(Receiver(answer), wanted=Wanted(kinds=frozenset({Kind.ALERT}))))
    bench.append(*range(1, 6))
    assert deliveries.drain(DEADLINE_S, proceed=lambda: True)
    deliveries.close()
    bench.all.clear()
    assert deliveries.lines() == ["sink     far · 5 delivered · 0 rejected · 0 behind"]


# --------------------------------------------------------------------------------------------------- end


def test_at_the_end_a_receiver_that_is_down_is_not_tried_once_more(bench: Bench) -> None:
    calls: list[int] = []

    def answer(one: StoredRecord) -> Answer:
        calls.append(one.seq)
        return Retry("down")

    sink = Receiver(answer)
    never = dataclasses.replace(QUICK, retry_s=lambda _: 3_600.0, last_try=False)
    deliveries = bench.begin(
        Delivery("far", lambda _: sink, bench.store, wanted=EVERYTHING, from_start=True, pace=never)
    )
    bench.append(1)
    until(deliveries, lambda: calls)
    deliveries.close()
    bench.all.clear()
    assert len(calls) == 1
    assert sink.closed == 1


def test_at_the_end_the_rest_is_handed_on_and_the_lines_say_what_came_of_it(bench: Bench) -> None:
    sink = Receiver(refuse_even)
    deliveries = bench.begin(bench.delivery(sink))
    bench.append(*range(1, 301))
    deliveries.close()
    bench.all.clear()
    assert len(sink.rows) == 150
    assert sink.closed == 1
    assert bench.store.cursor("far") == 300
    assert len(bench.store.dead_letters("far")) == 150
    assert deliveries.lines() == ["sink     far · 150 delivered · 150 rejected · 0 behind"]


def test_whoever_waits_for_all_to_be_delivered_is_told_whether_it_was(bench: Bench) -> None:
    sink = Receiver()
    deliveries = bench.begin(bench.delivery(sink))
    bench.append(1, 2, 3)
    assert deliveries.drain(DEADLINE_S, proceed=lambda: True)
    assert sink.rows == [1, 2, 3]
    sink.answer = lambda _: Retry("gone")
    bench.append(4)
    assert not deliveries.drain(0.05, proceed=lambda: True)
    assert not deliveries.drain(DEADLINE_S, proceed=lambda: False)


def test_a_sink_that_has_stopped_is_not_waited_for_and_is_told_of_at_once(bench: Bench) -> None:
    sink = Receiver(lambda _: Retry("the key is wrong", stopped=True))
    patient = dataclasses.replace(QUICK, patience_s=3_600.0)
    deliveries = bench.begin(
        Delivery("far", lambda _: sink, bench.store, wanted=EVERYTHING, from_start=True, pace=patient)
    )
    bench.append(1)
    assert not deliveries.drain(3_600.0, proceed=lambda: True)
    assert bench.said == ["far takes nothing: the key is wrong; it gets everything later"]


def test_now_and_then_records_say_how_far_each_sink_has_come(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = Receiver(refuse_even)
    deliveries = bench.begin(bench.delivery(sink))
    bench.append(1, 2, 3)
    until(deliveries, lambda: bench.store.cursor("far") == 3)
    assert bench.actions() == []
    monkeypatch.setattr(deliveries._due, "is_due", lambda: True)
    deliveries.tick(idle=True)
    assert bench.actions() == ["delivery"]
    found = next(bench.store.records(Kind.ENGINE)).document
    assert found["message"] == "Delivery: far: 2 records delivered, 1 rejected"
    assert found["fileaudit"]["engine"] == {
        "sink": "far",
        "behind": 0,
        "lag_seconds": 0,
        "delivered": 2,
        "rejected": 1,
    }


def test_a_record_about_deliveries_is_no_reason_for_the_next_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = Receiver()
    deliveries = bench.begin(bench.delivery(sink))
    bench.append(1)
    until(deliveries, lambda: sink.rows == [1])
    for _ in range(3):
        with monkeypatch.context() as now:
            now.setattr(deliveries._due, "is_due", lambda: True)
            deliveries.tick(idle=True)
        assert deliveries.drain(DEADLINE_S, proceed=lambda: True)
        until(deliveries, lambda: deliveries._all[0].delivered == 2)
    assert bench.actions() == ["delivery"]


def test_the_lag_is_the_age_of_the_oldest_record_that_waits(bench: Bench) -> None:
    sink = Receiver(lambda _: Retry("gone"))
    deliveries = bench.begin(bench.delivery(sink))
    bench.append(time.time_ns() - 90 * SECOND_NS)
    until(deliveries, lambda: bench.actions() == ["sink_unavailable"])
    facts = next(bench.store.records(Kind.ENGINE)).document["fileaudit"]["engine"]
    assert 90 <= facts["lag_seconds"] < 200


# ------------------------------------------------------------------------------------------------ the law


@settings(max_examples=25, deadline=None)
@given(
    answers=st.lists(st.sampled_from(["take", "retry", "reject", "raise"]), max_size=60),
    rows=st.integers(1, 40),
)
def test_whatever_a_sink_answers_it_has_every_row_or_there_is_a_dead_letter(
    tmp_path_factory: pytest.TempPathFactory, answers: list[str], rows: int
) -> None:
    bench = Bench(tmp_path_factory.mktemp("law") / "s" / "db")
    said = iter(answers)

    def answer(_: StoredRecord) -> Answer:
        match next(said, "take"):
            case "retry":
                return Retry("later")
            case "reject":
                return Reject("never")
            case "raise":
                raise OSError("torn")
            case _:
                return Delivered()

    sink = Receiver(answer)
    deliveries = bench.begin(bench.delivery(sink, wanted=Wanted(kinds=frozenset({Kind.ALERT}))))
    bench.append(*range(1, rows + 1))
    assert deliveries.drain(DEADLINE_S, proceed=lambda: True)
    deliveries.close()
    letters = bench.store.dead_letters("far")
    assert set(sink.rows) | set(letters) == set(range(1, rows + 1)) - (
        {one.seq for one in bench.store.records(Kind.ENGINE)}
    )
    assert not set(sink.rows) & set(letters)
    bench.store.close()
