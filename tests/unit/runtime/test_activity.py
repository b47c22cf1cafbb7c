"""Sums of what was done: exact as a whole, bounded in memory, sorted as asked."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.events.examples import HOSTILE

from fileaudit_engine.events.model import FileEvent, Loss, Operation, Process
from fileaudit_engine.runtime.activity import Activity, Actor, Rows
from fileaudit_engine.runtime.counts import ORDERS, Counts

_O = Operation


def did(
    operation: Operation = _O.OPEN, pid: int = 7, path: str | None = "/f", *, name: str = "p", **facts: Any
) -> FileEvent:
    """What a process did to a file."""
    process = Process(pid=pid, start_ns=pid, name=name, executable=f"/bin/{name}")
    return FileEvent(ts_ns=1, operation=operation, process=process, path=path, user_id=0, **facts)


def moved(operation: Operation, size: int, calls: int, pid: int = 7, path: str = "/f") -> FileEvent:
    return did(operation, pid, path, transferred_bytes=size, transfer_calls=calls)


def after(*events: FileEvent, **bounds: int) -> Activity:
    """The sums of some events, in one interval that has ended."""
    activity = Activity(**bounds)
    for event in events:
        activity.feed(event)
    activity.end_interval()
    return activity


def pids(rows: Rows[Actor]) -> list[int]:
    return [row.subject.pid for row in rows.rows]


def test_calls_and_bytes_are_summed_by_process_and_by_file() -> None:
    activity = after(
        did(_O.OPEN, 1, "/a"),
        moved(_O.READ, 4096, 3, 1, "/a"),
        moved(_O.READ, 10, 1, 1, "/b"),
        moved(_O.WRITE, 5, 2, 2, "/b"),
        did(_O.UNLINK, 2, "/b", errno=13),
    )
    first, second = activity.processes("read", None, whole=True).rows
    assert (first.subject.pid, first.counts.reads, first.counts.read_bytes) == (1, 4, 4106)
    assert (first.counts.operations, first.counts.failed) == (5, 0)
    assert (second.counts.writes, second.counts.written_bytes, second.counts.failed) == (2, 5, 1)
    files = {row.subject.path: row.counts for row in activity.files("ops", None, whole=True).rows}
    assert (files["/a"].operations, files["/b"].operations) == (4, 4)
    assert files["/b"].of(_O.UNLINK) == 1


def test_a_read_that_does_not_say_how_many_calls_it_was_is_one() -> None:
    assert after(did(_O.READ)).whole.reads == 1


def test_bytes_of_anything_but_reads_and_writes_are_not_mixed_with_theirs() -> None:
    whole = after(did(_O.TRUNCATE, new_size_bytes=99), did(_O.OPEN, transferred_bytes=5)).whole
    assert (whole.read_bytes, whole.written_bytes) == (0, 0)


def test_an_interval_has_only_what_came_in_it_and_the_whole_has_everything() -> None:
    activity = after(did(pid=1), did(pid=1))
    activity.feed(did(pid=2))
    assert pids(activity.processes("ops", None, whole=False)) == [1]
    activity.end_interval()
    assert pids(activity.processes("ops", None, whole=False)) == [2]
    assert pids(activity.processes("ops", None, whole=True)) == [1, 2]
    assert (activity.interval.operations, activity.whole.operations) == (1, 3)
    activity.end_interval()
    assert pids(activity.processes("ops", None, whole=False)) == []
    assert activity.interval.operations == 0


BUSIEST = {
    "ops": moved(_O.READ, 0, 100, 5),
    "read": moved(_O.READ, 10_000, 1, 5),
    "written": moved(_O.WRITE, 10_000, 1, 5),
    "reads": moved(_O.READ, 0, 100, 5),
    "writes": moved(_O.WRITE, 0, 100, 5),
    "failed": did(_O.OPEN, 5, errno=2),
}


@pytest.mark.parametrize("order", BUSIEST)
def test_rows_are_sorted_as_asked(order: str) -> None:
    others = [did(pid=1), moved(_O.READ, 9, 9, 2), moved(_O.WRITE, 9, 9, 3)]
    assert pids(after(*others, BUSIEST[order]).processes(order, 1, whole=True)) == [5]


def test_who_raised_alerts_comes_first_where_that_is_asked() -> None:
    activity = after(did(pid=1), did(pid=1))
    activity.feed(did(pid=2))
    activity.alert(did(pid=2), level="high", title="t")
    activity.end_interval()
    assert pids(activity.processes("alerts", 1, whole=True)) == [2]
    assert activity.levels == {"high": 1}
    assert [(news.title, news.actor.pid, news.path) for news in activity.alerts] == [("t", 2, "/f")]
    assert activity.whole.alerts == 1
    assert activity.whole.operations == 3


def test_every_order_is_tested_here() -> None:
    assert set(ORDERS) == {*BUSIEST, "alerts"}


def test_what_is_in_no_row_is_in_the_rest() -> None:
    events = [moved(_O.READ, 10 * pid, pid, pid, f"/{pid}") for pid in range(1, 6)]
    rows = after(*events).processes("read", 2, whole=True)
    assert pids(rows) == [5, 4]
    assert (rows.others, rows.rest.read_bytes, rows.rest.reads) == (3, 60, 6)


def test_a_process_is_called_by_what_it_ran_last_and_one_with_the_same_number_is_another() -> None:
    reused = FileEvent(
        ts_ns=1, operation=_O.OPEN, path="/f", process=Process(pid=7, start_ns=99, name="other")
    )
    rows = after(did(name="sh"), did(name="cat"), reused).processes("ops", None, whole=True).rows
    assert [(row.subject.name, row.counts.operations) for row in rows] == [("cat", 2), ("other", 1)]


def test_an_event_that_does_not_know_the_program_tells_of_no_other_one() -> None:
    unknown = FileEvent(
        ts_ns=1, operation=_O.OPEN, path="/f", user_id=0, process=Process(pid=7, start_ns=7, name="cat")
    )
    for order in ((did(name="cat"), unknown), (unknown, did(name="cat"))):
        (row,) = after(*order).processes("ops", None, whole=True).rows
        assert row.subject.executable == "/bin/cat"


def test_a_file_tells_who_touched_it_last() -> None:
    (row,) = after(did(pid=1, name="a"), did(pid=2, name="b")).files("ops", None, whole=True).rows
    assert row.subject.actor.name == "b"


def test_a_file_without_a_path_is_told_by_what_was_asked_for() -> None:
    activity = after(did(path=None, asked_path="../x"), did(path=None))
    paths = {row.subject.path for row in activity.files("ops", None, whole=True).rows}
    assert paths == {"../x", None}


def test_losses_are_summed() -> None:
    activity = Activity()
    activity.lose(Loss(first_ns=1, last_ns=2, counts={"open": 3, "process": 1}))
    activity.lose(Loss(first_ns=2, last_ns=3, counts={"open": 1}))
    assert activity.lost == 5


def test_a_full_table_lets_go_of_those_that_did_least_and_keeps_their_sum() -> None:
    events = [moved(_O.READ, 1 << 20, 5, pid=1_000_000, path="/big")]
    events += [did(pid=pid, path=f"/{pid}") for pid in range(5_000)]
    activity = after(*events, most_rows=100)
    for rows in (
        activity.processes("read", None, whole=True),
        activity.files("read", None, whole=True),
    ):
        assert len(rows.rows) <= 100
        assert len(rows.rows) + rows.others == 5_001
        assert rows.rows[0].counts.read_bytes == 1 << 20
        assert rows.rest.operations == 5_005 - sum(row.counts.operations for row in rows.rows)


def test_whoever_raised_an_alert_is_let_go_last() -> None:
    activity = Activity(most_rows=10)
    activity.alert(did(pid=1), level="high", title="t")
    for pid in range(2, 1_000):
        for _ in range(3):
            activity.feed(did(pid=pid))
    activity.end_interval()
    assert pids(activity.processes("alerts", 1, whole=True)) == [1]


def test_long_names_fill_a_table_before_many_do() -> None:
    events = [did(pid=1, path=f"/{'d' * 4_000}/{number}") for number in range(1_000)]
    rows = after(*events, most_characters=100_000).files("ops", None, whole=True)
    assert sum(len(row.subject.path or "") for row in rows.rows) <= 100_000
    assert len(rows.rows) + rows.others == 1_000
    assert rows.rest.operations == rows.others


def test_one_name_that_is_longer_than_all_may_be_together_is_kept_alone() -> None:
    rows = after(did(path="/" + "x" * 500), did(path="/y"), most_characters=100).files(
        "ops", None, whole=True
    )
    assert len(rows.rows) + rows.others == 2


def test_alerts_that_are_remembered_are_bounded() -> None:
    activity = Activity()
    for number in range(1_000):
        activity.alert(did(path=f"/{number}"), level="low", title="t")
    assert len(activity.alerts) == 100
    assert activity.alerts[-1].path == "/999"
    assert activity.levels == {"low": 1_000}


def test_the_alerts_of_an_interval_are_those_that_came_in_it() -> None:
    activity = Activity()
    for title in ("a", "b"):
        activity.alert(did(), level="low", title=title)
    activity.end_interval()
    assert [news.title for news in activity.interval_alerts] == ["a", "b"]
    for _ in range(150):
        activity.alert(did(), level="low", title="c")
    activity.end_interval()
    assert {news.title for news in activity.interval_alerts} == {"c"}
    activity.end_interval()
    assert not activity.interval_alerts
    assert activity.alerts


def test_hostile_names_are_kept_as_they_are() -> None:
    (row,) = after(did(path=HOSTILE, name=HOSTILE)).files("ops", None, whole=True).rows
    assert (row.subject.path, row.subject.actor.name) == (HOSTILE, HOSTILE)


_some_events = st.lists(
    st.builds(
        did,
        st.sampled_from(Operation),
        st.integers(1, 6),
        st.sampled_from(["/a", "/b", "/c", "/d", None]),
        name=st.sampled_from(["p", "q"]),
        errno=st.sampled_from([0, 2]),
        transferred_bytes=st.none() | st.integers(0, 1 << 40),
        transfer_calls=st.none() | st.integers(0, 9),
    ),
    max_size=40,
)


@given(st.lists(_some_events, max_size=4), st.integers(1, 4), st.sampled_from(sorted(ORDERS)))
@settings(derandomize=True, database=None, deadline=None)
def test_rows_and_rest_are_together_all_that_was_done(
    intervals: list[list[FileEvent]], most_rows: int, order: str
) -> None:
    activity = Activity(most_rows=most_rows)
    for events in intervals:
        for event in events:
            activity.feed(event)
        activity.end_interval()
    fed = [event for events in intervals for event in events]
    calls = Counter[Operation]()
    for event in fed:
        calls[event.operation] += 1 if event.transfer_calls is None else event.transfer_calls
    for rows in (activity.processes(order, 2, whole=True), activity.files(order, 2, whole=True)):
        total = Counts()
        total.add(rows.rest)
        for row in rows.rows:
            total.add(row.counts)
        assert {o: total.of(o) for o in Operation if total.of(o)} == +calls
        assert len(rows.rows) <= min(2, most_rows)
        assert min(rows.rest.calls) >= 0
