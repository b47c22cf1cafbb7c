"""A sink that follows the store: whatever happens to either, it gets everything, in order."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.events.examples import LOSS, SHADOW
from tests.unit.events.records import record
from tests.unit.sinks.small_disk import small_disk
from tests.unit.sources.namespaces import needs_root

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.runtime import follower as module
from fileaudit_engine.runtime.follower import Follower
from fileaudit_engine.sinks.base import Answer, Delivered, Reject, Retry
from fileaudit_engine.sinks.jsonfile import JsonFile
from fileaudit_engine.sinks.settings import JsonLogSettings
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.stored import StoredRecord

Answering = Callable[[StoredRecord], Answer]


class Taker:
    """A sink that answers as it is told, and remembers the rows that it took."""

    def __init__(self) -> None:
        self.answers: Answering = lambda _: Delivered()
        self.rows: list[int] = []
        self.deliveries = 0
        self.closed = False

    def deliver(self, records: Sequence[StoredRecord]) -> list[Answer]:
        self.deliveries += 1
        answers = [self.answers(one) for one in records]
        self.rows += [r.seq for r, a in zip(records, answers, strict=True) if isinstance(a, Delivered)]
        return answers

    def close(self) -> None:
        self.closed = True


class Keeper(Taker):
    """A sink that knows later what stays."""

    kept = 0
    asked = 0
    failed = False

    def again(self) -> bool:
        failed, self.failed = self.failed, False
        return failed

    def keep(self, seq: int) -> None:
        self.asked = seq


class Bench:
    """A real store, a sink, a clock that stands still, and what was said."""

    def __init__(self, path: Path, sink: Taker | None = None) -> None:
        self.store = Store.open(path)
        self.sink = sink or Taker()
        self.said: list[str] = []
        self.noted: list[str] = []
        self.now_s = 1_000.0

    def follow(self, *, from_start: bool = True) -> Follower:
        return Follower(
            "sink",
            self.sink,
            self.store,
            tell=self.said.append,
            from_start=from_start,
            noted=self.noted.append,
            clock_ns=lambda: 7,
            clock_s=lambda: self.now_s,
        )

    def append(self, *numbers: int) -> None:
        self.store.append([at(number) for number in numbers])


def at(ts_ns: int) -> Record:
    return record(msgspec.structs.replace(SHADOW, ts_ns=ts_ns))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "s" / "db")
    yield made
    made.store.close()


# ----------------------------------------------------------------------------------------------- in step


def test_what_is_committed_is_handed_on_at_the_next_tick_with_losses_and_all(bench: Bench) -> None:
    follower = bench.follow()
    bench.append(1, 2)
    follower.tick(idle=False)
    assert bench.sink.rows == [1, 2]
    bench.store.append([record(level="informational")], [LOSS])
    follower.tick(idle=False)
    assert bench.sink.rows == [1, 2, 3, 4]
    assert follower.behind == 0


def test_records_that_the_store_knew_already_are_not_told_again(bench: Bench) -> None:
    follower = bench.follow()
    bench.append(1, 2)
    follower.tick(idle=False)
    bench.append(2, 3)
    follower.tick(idle=False)
    assert bench.sink.rows == [1, 2, 3]


def test_a_new_follower_of_an_old_store_begins_at_its_end(bench: Bench) -> None:
    bench.append(1, 2)
    follower = bench.follow(from_start=False)
    bench.append(3)
    follower.tick(idle=False)
    assert bench.sink.rows == [3]


def test_or_at_its_start_if_that_is_asked_for(bench: Bench) -> None:
    bench.append(1, 2)
    bench.follow(from_start=True).tick(idle=False)
    assert bench.sink.rows == [1, 2]


@pytest.mark.parametrize("from_start", [True, False])
def test_where_it_began_is_known_from_the_first_moment_on(bench: Bench, *, from_start: bool) -> None:
    """Killed before the first cursor, it must not begin at another end; and retention must know of it."""
    bench.append(1, 2)
    bench.follow(from_start=from_start)
    bench.append(3)
    bench.follow(from_start=not from_start).tick(idle=False)
    assert bench.sink.rows == ([1, 2, 3] if from_start else [3])


# ------------------------------------------------------------------------------------------------ trouble


def test_a_sink_that_takes_nothing_is_asked_again_after_a_while_and_gets_everything(bench: Bench) -> None:
    follower = bench.follow()
    bench.sink.answers = lambda _: Retry("the disk is full")
    for number in range(1, 50):
        bench.append(number)
        follower.tick(idle=False)
    assert bench.sink.deliveries == 1
    bench.sink.answers = lambda _: Delivered()
    bench.now_s += 1
    follower.tick(idle=False)
    assert bench.sink.rows == list(range(1, 50))
    assert bench.said == [
        "sink takes nothing: the disk is full; it gets everything later",
        "sink has had everything again",
    ]
    assert bench.noted == ["the disk is full", ""]


def test_a_sink_that_takes_now_and_then_is_told_of_once(bench: Bench) -> None:
    follower = bench.follow()
    bench.append(*range(1, 31))
    bench.sink.answers = lambda one: Delivered() if one.seq <= bench.now_s - 1_000 else Retry("nearly full")
    for _ in range(31):
        follower.tick(idle=False)
        bench.now_s += 1
    assert bench.sink.rows[-1] == 30
    assert bench.noted == ["nearly full", ""]


def test_after_a_retry_in_the_middle_it_goes_on_exactly_there(bench: Bench) -> None:
    follower = bench.follow()
    bench.append(*range(1, 11))
    bench.sink.answers = lambda one: Delivered() if one.seq < 4 else Retry("full")
    follower.tick(idle=False)
    bench.sink.answers = lambda _: Delivered()
    bench.now_s += 1
    follower.tick(idle=False)
    assert bench.sink.rows == list(range(1, 11))


def test_what_it_rejects_is_a_dead_letter_and_the_others_go_on(bench: Bench) -> None:
    follower = bench.follow()
    bench.append(1, 2, 3)
    bench.sink.answers = lambda one: Reject("too large") if one.seq == 2 else Delivered()
    follower.tick(idle=False)
    assert bench.sink.rows == [1, 3]
    assert bench.store.dead_letters("sink") == {2: "too large"}
    assert bench.said == ["sink does not take row 2: too large"]


def test_catching_up_takes_a_bounded_time_of_each_tick(bench: Bench) -> None:
    bench.append(*range(1, 3_001))

    def slowly(_: StoredRecord) -> Answer:
        bench.now_s += 0.000_1
        return Delivered()

    bench.sink.answers = slowly
    follower, longest, ticks = bench.follow(), 0.0, 0
    while follower.behind:
        before = bench.now_s
        follower.tick(idle=False)
        longest, ticks = max(longest, bench.now_s - before), ticks + 1
    assert bench.sink.rows == list(range(1, 3_001))
    assert ticks > 10
    assert longest <= module.BUDGET_S


def test_a_very_slow_sink_gets_one_row_a_tick_in_the_end(bench: Bench) -> None:
    bench.append(*range(1, 301))

    def very_slowly(_: StoredRecord) -> Answer:
        bench.now_s += 1
        return Delivered()

    bench.sink.answers = very_slowly
    follower = bench.follow()
    for _ in range(10):
        follower.tick(idle=False)
    before = len(bench.sink.rows)
    follower.tick(idle=False)
    assert len(bench.sink.rows) == before + 1


def test_rows_that_retention_took_are_told_as_missing(bench: Bench) -> None:
    follower = bench.follow()
    bench.append(*range(1, 11))
    bench.store.connection.execute("UPDATE chain SET removed_seq = 4")
    follower.tick(idle=False)
    assert bench.sink.rows == [5, 6, 7, 8, 9, 10]
    assert bench.said == ["sink has never had 4 rows that the store has removed"]


def test_a_damaged_row_is_a_dead_letter_and_the_others_go_on(bench: Bench) -> None:
    follower = bench.follow()
    bench.append(*range(1, 11))
    bench.store.connection.execute("UPDATE records SET document = x'00' WHERE seq IN (1, 6, 7)")
    for _ in range(3):
        follower.tick(idle=False)
        bench.now_s += 1
    assert bench.sink.rows == [2, 3, 4, 5, 8, 9, 10]
    assert sorted(bench.store.dead_letters("sink")) == [1, 6, 7]


def test_a_store_that_is_shorter_than_its_cursor_is_told_from_its_start(bench: Bench) -> None:
    bench.append(1, 2)
    bench.store.save_cursor("sink", 99, 7)
    follower = bench.follow()
    follower.tick(idle=False)
    assert bench.sink.rows == [1, 2]
    assert bench.said == ["sink has had 99 rows of a store that has 2: it begins anew"]
    follower.close()
    assert bench.store.cursor("sink") == 2


# ------------------------------------------------------------------------------------------------- cursor


def test_the_cursor_is_saved_once_a_second_and_at_the_end(bench: Bench) -> None:
    follower, saved = bench.follow(), list[int | None]()
    for number in range(1, 6):
        bench.append(number)
        follower.tick(idle=False)
        saved.append(bench.store.cursor("sink"))
        bench.now_s += 0.4
    assert saved == [1, 1, 1, 4, 4]
    follower.close()
    assert bench.store.cursor("sink") == 5
    assert bench.sink.closed


def test_a_cursor_that_cannot_be_saved_is_told_once_and_saved_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise MachineCannot("the store is full")

    follower = bench.follow()
    bench.append(1)
    with monkeypatch.context() as patch:
        patch.setattr(bench.store, "save_cursor", full)
        for _ in range(5):
            follower.tick(idle=False)
            bench.now_s += 1
    assert bench.said == ["how much sink has had cannot be noted: the store is full"]
    follower.tick(idle=False)
    assert bench.store.cursor("sink") == 1
    assert bench.sink.rows == [1]


def test_the_cursor_is_never_ahead_of_what_stays(tmp_path: Path) -> None:
    sink = Keeper()
    bench = Bench(tmp_path / "db", sink)
    follower = bench.follow()
    bench.append(1, 2, 3)
    follower.tick(idle=False)
    assert (sink.rows, sink.asked, bench.store.cursor("sink")) == ([1, 2, 3], 3, 0)
    sink.kept = 2
    follower.tick(idle=False)
    assert bench.store.cursor("sink") == 2  # as soon as it stays
    sink.kept = 3
    follower.close()
    assert bench.store.cursor("sink") == 3
    bench.store.close()


def test_at_the_end_the_rest_is_handed_on_but_not_waited_for_for_ever(bench: Bench) -> None:
    follower = bench.follow()
    bench.append(*range(1, 101))
    follower.close()
    assert bench.sink.rows == list(range(1, 101))
    follower = bench.follow()
    bench.append(101)
    bench.sink.answers = lambda _: Retry("full")
    follower.close()
    assert bench.said[-1] == "sink has not had the last 1 row of the store; the next start goes on there"
    assert bench.store.cursor("sink") == 100


# --------------------------------------------------------------------------------------------------- law

STEP = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 40)),
    st.tuples(st.sampled_from(["tick", "pass time", "stop and start", "kill and start"]), st.just(0)),
)


@given(steps=st.lists(STEP, max_size=30), moods=st.lists(st.sampled_from("DDDRJ"), min_size=1, max_size=20))
@settings(deadline=None, max_examples=60)
def test_every_row_is_taken_or_a_dead_letter_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], moods: list[str]
) -> None:
    """A kill may only repeat; without one, each row is taken once and in order."""
    bench = Bench(tmp_path_factory.mktemp("law") / "db")
    of_mood: dict[str, Answer] = {"D": Delivered(), "R": Retry("not now"), "J": Reject("never")}
    asked = 0

    def moody(_: StoredRecord) -> Answer:
        nonlocal asked
        asked += 1
        return of_mood[moods[asked % len(moods)]]

    bench.sink.answers = moody
    follower, number, killed = bench.follow(), 0, False
    for step, count in steps:
        match step:
            case "append":
                bench.append(*range(number + 1, number + count + 1))
                number += count
            case "tick":
                follower.tick(idle=True)
            case "pass time":
                bench.now_s += 1
            case "stop and start":
                follower.close()
                follower = bench.follow()
            case _:
                follower, killed = bench.follow(), True
    bench.sink.answers = lambda _: Delivered()
    bench.now_s += 1
    follower.close()
    letters = set(bench.store.dead_letters("sink"))
    assert set(bench.sink.rows) | letters == set(range(1, number + 1))
    if not killed and "R" not in moods:
        assert bench.sink.rows == sorted(set(bench.sink.rows))
        assert not letters & set(bench.sink.rows)
    bench.store.close()


# ------------------------------------------------------------------------------------------- a full disk


@needs_root
def test_a_log_on_a_full_disk_is_behind_and_has_everything_once_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1 << 20) as disk, Store.open(tmp_path / "db") as store:
        said, now_s = list[str](), 0.0
        log = JsonFile(JsonLogSettings(folder=disk / "log", max_bytes=100_000), tell=said.append)
        follower = Follower(
            "json",
            log,
            store,
            tell=said.append,
            from_start=True,
            clock_s=lambda: now_s,
        )
        (disk / "ballast").write_bytes(b"x" * 600_000)
        for start in range(1, 1_001, 50):
            store.append([at(number) for number in range(start, start + 50)])
            follower.tick(idle=False)
            now_s += 1
        assert follower.behind > 0
        assert said[0] == "json takes nothing: No space left on device; it gets everything later"
        had = ids_in(disk / "log")
        assert had == [one.id for one in store.records(Kind.ALERT)][: len(had)]
        (disk / "ballast").unlink()
        subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
        now_s += 1
        while follower.behind:
            follower.tick(idle=True)
        assert len(said) == 2
        follower.close()
        assert store.cursor("json") == store.head.seq
        assert ids_in(disk / "log") == [one.id for one in store.records(Kind.ALERT)]


# ------------------------------------------------------------------------------------------------ kill -9


def test_a_log_that_is_followed_has_its_cursor_saved_while_it_grows(tmp_path: Path) -> None:
    with Store.open(tmp_path / "db") as store:
        log = JsonFile(JsonLogSettings(folder=tmp_path / "log"), tell=print)
        follower = Follower("json", log, store, tell=print, from_start=True)
        store.append([at(1), at(2)])
        for _ in range(2_000):
            follower.tick(idle=True)
            if store.cursor("json") == 2:
                break
            time.sleep(0.005)
        assert store.cursor("json") == 2
        follower.close()


ENGINE = """
import sys
from pathlib import Path
import msgspec
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record
from fileaudit_engine.runtime.follower import Follower
from fileaudit_engine.sinks.jsonfile import JsonFile
from fileaudit_engine.sinks.settings import JsonLogSettings
from fileaudit_engine.store.store import Store

folder = Path(sys.argv[1])
store = Store.open(folder / "store" / "db")
log = JsonFile(JsonLogSettings(folder=folder / "log", max_bytes=200_000), tell=lambda _: None)
follower = Follower("json", log, store, tell=lambda _: None, from_start=True)
start = store.head.seq
for ts_ns in range(start + 1, 10**9, 20):
    store.append([record(msgspec.structs.replace(SHADOW, ts_ns=n)) for n in range(ts_ns, ts_ns + 20)])
    follower.tick(idle=False)
    print(ts_ns, flush=True)
"""


def test_after_kills_of_the_engine_the_log_has_every_row_and_repeats_only_what_was_not_noted(
    tmp_path: Path,
) -> None:
    for moment in (1, 3, 30, 60, 90):
        with subprocess.Popen(
            [sys.executable, "-c", ENGINE, tmp_path], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
        ) as engine:
            assert engine.stdout
            for _ in range(moment):
                assert engine.stdout.readline()
            time.sleep(0.01)
            engine.kill()
    with Store.open(tmp_path / "store" / "db") as store:
        cursor = store.cursor("json")
        changes = {"folder": tmp_path / "log", "max_bytes": 200_000}
        log = JsonFile(JsonLogSettings(**changes), tell=lambda _: None)  # type: ignore[arg-type] # by name
        before = ids_in(tmp_path / "log")
        Follower("json", log, store, tell=lambda _: None).close()
        kept = [one.id for one in store.records(Kind.ALERT)]
        assert len(kept) > 180 * 20
        assert set(ids_in(tmp_path / "log")) == set(kept)
        assert ids_in(tmp_path / "log")[: len(before)] == before
        assert cursor is not None
        assert kept[:cursor] == list(dict.fromkeys(before))[:cursor]


def ids_in(folder: Path) -> list[str]:
    files = sorted(
        folder.glob("fileaudit-*.ndjson"), key=lambda place: (place.name[:20], int(place.name.split(".")[1]))
    )
    places = (*files, folder / "fileaudit.ndjson")
    lines = [line for place in places for line in place.read_bytes().splitlines()]
    return [json.loads(line)["event"]["id"] for line in lines]


def test_what_a_sink_could_not_keep_it_gets_again_from_the_cursor_on(tmp_path: Path) -> None:
    sink = Keeper()
    bench = Bench(tmp_path / "s" / "db", sink)
    follower = bench.follow()
    bench.append(1, 2, 3)
    follower.tick(idle=False)
    sink.kept = 1
    follower.tick(idle=False)
    assert bench.store.cursor("sink") == 1
    sink.failed = True
    for _ in range(2):
        bench.now_s += module.SAVE_S
        follower.tick(idle=False)
    assert sink.rows == [1, 2, 3, 2, 3]
    assert bench.store.cursor("sink") == 1
    sink.kept = 3
    follower.tick(idle=False)
    assert bench.store.cursor("sink") == 3
    bench.store.close()


def test_lines_that_a_disk_lost_are_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed attempt the system has dropped the pages, and the next one succeeds all the same."""
    log = JsonFile(JsonLogSettings(folder=tmp_path / "log"), tell=lambda _: None)
    place, really = tmp_path / "log" / "fileaudit.ndjson", os.fdatasync
    lost: list[int] = []

    def failing_once(descriptor: int) -> None:
        if not lost and os.fstat(descriptor).st_size:
            lost.append(os.fstat(descriptor).st_size)
            raise OSError(5, "Input/output error")
        really(descriptor)

    monkeypatch.setattr(os, "fdatasync", failing_once)
    bench = Bench(tmp_path / "s" / "db")
    follower = Follower(
        "json", log, bench.store, tell=bench.said.append, from_start=True, clock_s=lambda: bench.now_s
    )
    bench.append(*range(1, 6))
    for _ in range(2_000):
        follower.tick(idle=True)
        bench.now_s += module.SAVE_S
        if bench.store.cursor("json") == 5:
            break
        time.sleep(0.005)
    assert bench.store.cursor("json") == 5
    ids = [json.loads(line)["event"]["id"] for line in place.read_bytes()[lost[0] :].splitlines()]
    assert ids == [row.id for row in bench.store.records_after(0, 10)]
    follower.close()
    bench.store.close()
