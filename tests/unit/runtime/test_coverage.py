"""For how much of a range somebody was watching, from what the engine said about itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.detect.record import Record
from fileaudit_engine.events.model import Loss
from fileaudit_engine.events.times import SECOND_NS, parse_rfc3339, rfc3339
from fileaudit_engine.runtime import coverage
from fileaudit_engine.runtime.coverage import ALIVE, Known, coverage_of
from fileaudit_engine.store.store import Store

BEGIN_NS = 1_000_000 * SECOND_NS
"""Where the range of these tests begins; it is a thousand seconds long."""
END = 1_000
LATER = 10_000


def ns(second: float) -> int:
    """A second of the range."""
    return BEGIN_NS + int(second * SECOND_NS)


def start(second: float, how: str = "never", until: float | None = None, **facts: Any) -> Record:
    """The engine starts; the one before it was last alive at `until`."""
    previous = {"how": how} if until is None else {"how": how, "until": rfc3339(ns(until))}
    return engine_record(
        Action.ENGINE_START, ns(second), "web-1", "watching", {"previous": previous, **facts}
    )


def stop(second: float) -> Record:
    return engine_record(Action.ENGINE_STOP, ns(second), "web-1", "stopped", {})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "kept" / "fileaudit.db") as opened:
        yield opened


def known(store: Store, now: float = LATER, kept: float | None = None) -> Known:
    return coverage_of(store, ns(0), ns(END), ns(now), None if kept is None else ns(kept))


def gaps(store: Store, now: float = LATER) -> list[tuple[float, float, str]]:
    """The gaps in seconds of the range, and how they came."""
    found = known(store, now).coverage
    assert found.gaps_total == len(found.gaps)
    assert found.watched_seconds == pytest.approx(found.seconds - sum(gap.seconds for gap in found.gaps))
    return [(second(gap.since), second(gap.until), gap.how) for gap in found.gaps]


def second(time: str) -> float:
    return (parse_rfc3339(time) - BEGIN_NS) / SECOND_NS


# ----------------------------------------------------------------------------------------------------- gaps


def test_a_store_that_says_nothing_of_an_engine_is_no_proof_of_anything(store: Store) -> None:
    found = known(store).coverage
    assert (found.known, found.percent, found.gaps_total) == (False, None, 0)


def test_an_engine_that_runs_all_the_time_leaves_no_gap(store: Store) -> None:
    store.append([start(-500), stop(1_500)])
    assert gaps(store) == []
    assert known(store).coverage.percent == 100.0


def test_nobody_watches_before_the_first_start(store: Store) -> None:
    store.append([start(250), stop(1_500)])
    assert gaps(store) == [(0, 250, "not started")]
    assert known(store).coverage.percent == 75.0


def test_between_a_stop_and_the_next_start_nobody_watches(store: Store) -> None:
    store.append([start(-10), stop(100), start(300, "stopped", 100), stop(1_500)])
    assert gaps(store) == [(100, 300, "stopped")]


def test_an_engine_that_was_killed_watched_until_it_was_last_alive(store: Store) -> None:
    store.append([start(-10), start(300, "killed", 100), stop(1_500)])
    assert gaps(store) == [(100, 300, "killed")]


def test_an_engine_that_said_something_was_alive_then(store: Store) -> None:
    loss = Loss(first_ns=ns(150), last_ns=ns(160), counts={"open": 1})
    store.append([start(-10)], [loss])
    store.append([start(300, "killed", 100), stop(1_500)])
    assert gaps(store) == [(160, 300, "killed")]


def test_an_engine_that_was_killed_before_the_range_is_not_counted_for_it(store: Store) -> None:
    store.append([start(-500), start(300, "killed", -100), stop(1_500)])
    assert gaps(store) == [(0, 300, "killed")]


def test_what_comes_behind_the_range_tells_how_it_ended(store: Store) -> None:
    store.append([start(-10), start(2_000, "killed", 900)])
    assert gaps(store) == [(900, 1_000, "killed")]


def test_a_stop_is_a_gap_to_the_end_where_no_start_follows(store: Store) -> None:
    store.append([start(-10), stop(600)])
    assert gaps(store) == [(600, 1_000, "stopped")]


def test_what_is_yet_to_come_is_no_gap(store: Store) -> None:
    store.append([start(-10), stop(600)])
    assert gaps(store, now=700) == [(600, 700, "stopped")]
    assert known(store, now=700).coverage.seconds == 700


def test_an_engine_that_has_not_been_heard_of_for_a_minute_was_killed(store: Store) -> None:
    store.append([start(-10)])
    store.mark(ALIVE, ns(500))
    assert gaps(store, now=561) == [(500, 561, "killed")]
    assert gaps(store, now=559) == []


def test_a_mark_that_is_older_than_the_start_is_of_an_earlier_engine(store: Store) -> None:
    store.mark(ALIVE, ns(-500))
    store.append([start(100, "killed", -500)])
    assert gaps(store, now=400) == [(0, 100, "killed"), (100, 400, "killed")]


def test_before_the_first_record_that_was_kept_nothing_is_known(store: Store) -> None:
    store.append([start(600, "stopped", 400), stop(1_500)])
    found = known(store, kept=200).coverage
    assert (found.begins, found.seconds) == (rfc3339(ns(200)), 800)
    assert [(second(gap.since), second(gap.until)) for gap in found.gaps] == [(400, 600)]


def test_of_many_gaps_the_longest_are_told_and_all_are_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "MOST_GAPS", 2)
    starts = [start(100 * n + 10 * n, "killed", 100 * n) for n in range(1, 6)]
    store.append([start(-10), *starts, stop(1_500)])
    found = known(store).coverage
    assert found.gaps_total == 5
    assert [gap.seconds for gap in found.gaps] == [40, 50]
    assert found.watched_seconds == 1_000 - 150


@settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    lives=st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400), st.booleans()), max_size=8),
    first=st.integers(-600, 900),
)
def test_what_is_watched_is_the_sum_of_the_lives_of_engines(
    tmp_path_factory: pytest.TempPathFactory, lives: list[tuple[int, int, bool]], first: int
) -> None:
    """Each engine lives some seconds, ends by a stop or a kill; the next one starts some seconds later."""
    records, watched, moment, end = [], 0, first, first
    previous: dict[str, object] = {"how": "never"}
    for alive, pause, is_killed in lives:
        facts: dict[str, object] = {"previous": previous}
        records.append(engine_record(Action.ENGINE_START, ns(moment), "web-1", "watching", facts))
        end = moment + alive
        watched += max(0, min(end, END) - max(moment, 0))
        if not is_killed:
            records.append(stop(end))
        previous = {"how": "killed" if is_killed else "stopped", "until": rfc3339(ns(end))}
        moment = end + pause
    with Store.open(tmp_path_factory.mktemp("lives") / "kept" / "fileaudit.db") as store:
        store.append(records)
        if lives and lives[-1][2]:
            store.mark(ALIVE, ns(end))
        found = known(store).coverage
    assert found.known is bool(lives)
    assert found.watched_seconds == watched


# ---------------------------------------------------------------------------------------- losses and trouble


def test_what_was_lost_is_added_up_by_operation(store: Store) -> None:
    losses = [
        Loss(first_ns=ns(10), last_ns=ns(12), counts={"open": 5, "write": 1}),
        Loss(first_ns=ns(11), last_ns=ns(13), counts={"open": 4}),
        Loss(first_ns=ns(1_000), last_ns=ns(1_001), counts={"open": 99}),
    ]
    store.append([start(-10)], losses)
    found = known(store).coverage.losses
    assert (found.events, found.times, found.seconds) == (10, 2, 3.0)
    assert found.what == {"open": 9, "write": 1}


def lost(first: float, last: float, events: int) -> Loss:
    return Loss(first_ns=ns(first), last_ns=ns(last), counts={"open": events})


def test_losses_with_less_than_a_minute_between_are_one_time(store: Store) -> None:
    store.append([start(-10)], [lost(10, 12, 5), lost(70, 75, 1), lost(136, 137, 7)])
    found = known(store).coverage.losses
    assert [(second(one.since), second(one.until), one.events) for one in found.spans] == [
        (10, 75, 6),
        (136, 137, 7),
    ]
    assert found.spans_total == 2


def test_of_many_times_of_losses_those_with_the_most_events_are_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "MOST_GAPS", 2)
    store.append([start(-10)], [lost(100 * n, 100 * n + 1, events) for n, events in enumerate((5, 9, 1, 7))])
    found = known(store).coverage.losses
    assert [one.events for one in found.spans] == [9, 7]
    assert (found.spans_total, found.events) == (4, 22)


def unavailable(second: float, reason: str) -> Record:
    facts: dict[str, object] = {"reason": reason}
    return engine_record(Action.STORE_UNAVAILABLE, ns(second), "web-1", "no room", facts, alert_level="high")


def available(second: float, since: float) -> Record:
    facts: dict[str, object] = {"since": rfc3339(ns(since)), "waited": 12, "lost": 0}
    return engine_record(Action.STORE_AVAILABLE, ns(second), "web-1", "again", facts)


def test_trouble_with_the_store_has_a_beginning_an_end_and_a_reason(store: Store) -> None:
    store.append([start(-10), unavailable(100, "disk full"), available(160, since=100)])
    (found,) = known(store).coverage.troubles
    assert (second(found.since), found.until, found.reason) == (100, rfc3339(ns(160)), "disk full")


def test_trouble_that_nobody_said_was_over_goes_on(store: Store) -> None:
    store.append([start(-10), unavailable(100, "disk full")])
    (found,) = known(store).coverage.troubles
    assert found.until is None


def test_trouble_that_began_before_the_range_is_told(store: Store) -> None:
    store.append([start(-100), unavailable(-50, "disk full"), available(20, since=-50)])
    (found,) = known(store).coverage.troubles
    assert second(found.since) == -50


# ----------------------------------------------------------------------------------------------- which ran


def reloaded(second: float, **facts: Any) -> Record:
    return engine_record(Action.RULES_RELOADED, ns(second), "web-1", "reloaded", facts)


def test_the_rules_of_all_engines_that_ran_in_the_range_ran(store: Store) -> None:
    store.append(
        [
            start(-900, rules=["earlier"], trails=[]),
            start(-100, "killed", -200, rules=["a"], trails=["t"]),
            start(100, "killed", 50, rules=["b"], trails=[]),
            start(1_100, "killed", 1_050, rules=["later"], trails=[]),
        ]
    )
    found = known(store)
    assert found.ran == {"a", "t", "b"}
    assert found.complete


def test_rules_that_were_reloaded_before_the_range_are_those_that_ran_in_it(store: Store) -> None:
    store.append([start(-900, rules=["old"], trails=[]), reloaded(-500, rules=["new"], trails=[])])
    assert known(store).ran == {"new", "old"}


def test_rules_of_an_engine_that_was_stopped_before_the_range_did_not_run_in_it(store: Store) -> None:
    store.append([start(-900, rules=["old"], trails=[]), stop(-500)])
    assert known(store).ran == frozenset()


def test_a_list_of_rules_that_was_cut_is_not_all(store: Store) -> None:
    store.append([start(10, rules=["a"], rules_total=2_000, trails=[])])
    assert not known(store).complete


def test_what_other_programs_wrote_into_a_record_of_the_engine_breaks_nothing(store: Store) -> None:
    facts: dict[str, object] = {"previous": ["killed"], "rules": "all", "trails": {"x": 1}}
    store.append([engine_record(Action.ENGINE_START, ns(10), "web-1", "watching", facts)])
    found = known(store)
    assert found.coverage.known
    assert not found.complete
