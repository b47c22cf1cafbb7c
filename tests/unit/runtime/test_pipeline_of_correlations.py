"""The pipeline with correlations in it: what is told, kept and gone on with, and how time passes."""

import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from fileaudit_engine.cli.run import COPY_NS, Passage
from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.detect.correlate import Counts
from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.detect.crossing_alert import facts_of
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.detect.suppress import Suppress, Suppressor
from fileaudit_engine.diagnostics import MachineCannot, has_errors
from fileaudit_engine.events.batch import EventBatch
from fileaudit_engine.events.model import FileEvent, Loss, Operation, Process
from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.runtime.correlations import Correlations
from fileaudit_engine.runtime.keeper import EVERY_S, SHARE, Keeper
from fileaudit_engine.runtime.pipeline import CORRELATIONS, REPEATS, Pipeline
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.sinks.memory import Memory
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.writer import Also

RULES = """
title: A secret is opened
name: secrets
level: high
logsource: {product: linux, category: file_access}
detection: {selection: {TargetFilename: /secret*}, condition: selection}
---
title: Three secrets
name: three
level: critical
correlation:
  type: event_count
  rules: [secrets]
  group-by: [ProcessId]
  timespan: 1m
  condition: {gte: 3}
"""
CHAIN = """
---
title: Three secrets by two processes
name: twice
level: critical
correlation:
  type: event_count
  rules: [three]
  group-by: []
  timespan: 1m
  condition: {gte: 2}
"""
LOUD = RULES.replace("title: Three", "generate: true\ntitle: Three")
START_NS = 1_800_000_000 * SECOND_NS
LATENESS_NS = Limits().lateness_ns
IDLE = EventBatch(events=())


def compiled(rules: str) -> Compiled:
    found = parse_text(rules, "rules")
    assert not has_errors(found.diagnostics)
    return compile_rules(found.rules, found.correlations)


def opened(number: int, *, pid: int = 7, path: str = "/secret") -> FileEvent:
    return FileEvent(
        ts_ns=START_NS + number * SECOND_NS,
        operation=Operation.OPEN,
        path=f"{path}{number}",
        process=Process(pid=pid),
    )


TWO_PROCESSES = tuple(opened(number, pid=pid) for number in (1, 2, 3) for pid in (7, 8))
"""Three secrets each."""


def batch(*events: FileEvent) -> EventBatch:
    return EventBatch(events=events)


@dataclass
class Bench:
    """A pipeline, what comes out of it, and its clocks."""

    store: Store
    rules: str = RULES
    suppress: Suppress | None = None
    now_ns: int = START_NS
    now_s: float = 0.0
    memory: Memory = field(default_factory=Memory)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keeper = Keeper(self.store, tell=self.told.append, clock_s=lambda: self.now_s)
        detector, correlations = self.parts(self.rules)
        self.line = Pipeline(
            detector=detector,
            correlations=correlations,
            suppressor=None if self.suppress is None else Suppressor(self.suppress),
            sinks=[self.memory],
            spool=Spool(self.store, tell=self.told.append, proceed=lambda: False, clock_s=lambda: self.now_s),
            keeper=self.keeper,
            host="here",
            on_loss=lambda _: None,
            tell=self.told.append,
            clock_ns=lambda: self.now_ns,
        )

    @staticmethod
    def parts(rules: str) -> tuple[Detector, Correlations | None]:
        plan = compiled(rules)
        detector = Detector(plan.user, plan.kernel)
        if not plan.correlations.correlations:
            return detector, None
        return detector, Correlations(detector, plan.correlations, plan.user, Limits())

    def at(self, second: float, *items: EventBatch | Loss) -> "Bench":
        """It becomes so late, and the items come."""
        self.now_ns, self.now_s = START_NS + int(second * SECOND_NS), second
        for item in items:
            self.line.feed(item)
        return self

    def alerts(self) -> list[tuple[str, int]]:
        """Rules and seconds of the alerts that were shown."""
        return [
            (one.rule, (one.ts_ns - START_NS) // SECOND_NS) for one in self.memory.records if is_alert(one)
        ]

    def last(self) -> Record:
        return next(one for one in reversed(self.memory.records) if is_alert(one))


def is_alert(one: Record) -> bool:
    return one.kind is Kind.ALERT


@contextmanager
def bench(tmp_path: Path, **changes: Any) -> Iterator[Bench]:
    with Store.open(tmp_path / "s" / "db") as store:
        yield Bench(store, **changes)


def own(one: Record) -> dict[str, Any]:
    found: Any = one.document["fileaudit"]
    assert isinstance(found, dict)
    return found


# ------------------------------------------------------------------------------------------ what is told


def test_a_rule_that_is_silent_alone_is_heard_through_its_correlation_only(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.at(3, batch(opened(1), opened(2), opened(3))).at(4, IDLE).at(5, IDLE)
        assert it.alerts() == [("three", 3)]
        assert it.line.tally().alerts == {"critical": 1}


def test_a_rule_that_a_correlation_wants_to_hear_alone_goes_on_alerting(tmp_path: Path) -> None:
    with bench(tmp_path, rules=LOUD) as it:
        it.at(3, batch(opened(1), opened(2), opened(3))).at(4, IDLE).at(5, IDLE)
        assert sorted(it.alerts()) == [("secrets", 1), ("secrets", 2), ("secrets", 3), ("three", 3)]
        assert it.line.tally().audit_events == 0


def test_events_of_silent_rules_are_kept_beside_the_alert_and_its_ids_lead_to_them(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.at(3, batch(opened(1), opened(2), opened(3))).at(4, IDLE).at(5, IDLE)
        facts = facts_of(it.last().document)
        assert facts is not None
        trail = [one.document["fileaudit"]["event_id"] for one in it.store.records(Kind.EVENT)]
        assert trail == facts.event_ids
        assert [one.id for one in it.store.records(Kind.ALERT)] == [it.last().id]
        assert it.line.tally().audit_events == 3


LOUD_TOO = """
---
title: What is public is opened
name: public
level: low
logsource: {product: linux, category: file_access}
detection: {selection: {TargetFilename: /public*}, condition: selection}
"""


def test_records_are_told_in_the_order_of_their_time_and_events_right_before_their_alert(
    tmp_path: Path,
) -> None:
    public = [opened(number, path="/public") for number in (1, 4, 5)]
    with bench(tmp_path, rules=RULES + LOUD_TOO) as it:
        it.at(5, batch(public[0], opened(1), opened(2), opened(3), *public[1:]))
        order = [(one.kind, one.rule, one.ts_ns) for one in it.memory.records]
    behind = [(Kind.EVENT, "three", opened(number).ts_ns) for number in (1, 2, 3)]
    first, *others = [(Kind.ALERT, "public", event.ts_ns) for event in public]
    assert order == [first, *behind, (Kind.ALERT, "three", opened(3).ts_ns), *others]


def test_alerts_of_rules_and_correlations_are_folded_in_the_order_of_their_time(tmp_path: Path) -> None:
    by_process = Suppress(by=("process.pid",), for_ns=3600 * SECOND_NS)
    with bench(tmp_path, rules=RULES + LOUD_TOO, suppress=by_process) as it:
        it.at(5, batch(opened(1), opened(2), opened(3), opened(4, path="/public")))
        assert it.alerts() == [("three", 3)]


def test_what_is_in_the_trail_is_not_written_out_again(tmp_path: Path) -> None:
    falling = RULES.replace("{gte: 3}", "{lt: 3}")
    with bench(tmp_path, rules=falling) as it:
        it.at(4, batch(*map(opened, range(1, 5)))).at(5, IDLE).at(6, IDLE)
        it.at(64, IDLE).at(65, IDLE).at(66, IDLE)
        assert it.alerts() == [("three", 1), ("three", 62)]
        assert sum(one.kind is Kind.EVENT for one in it.memory.records) == 3


def test_a_silent_correlation_is_heard_through_the_one_that_listens_to_it(tmp_path: Path) -> None:
    with bench(tmp_path, rules=RULES + CHAIN) as it:
        it.at(3, batch(*TWO_PROCESSES)).at(4, IDLE).at(5, IDLE)
        assert it.alerts() == [("twice", 3)]
        assert len({one.id for one in it.store.records(Kind.EVENT)}) == 6


def test_a_plan_without_correlations_goes_its_way_as_ever(tmp_path: Path) -> None:
    with bench(tmp_path, rules=RULES.partition("---")[0]) as it:
        it.at(3, batch(opened(1), opened(2)))
        assert it.alerts() == [("secrets", 1), ("secrets", 2)]
        assert it.line.tally().correlated is None


# ------------------------------------------------------------------------------------------------ time


def test_an_alert_comes_when_nothing_earlier_can_come_any_more(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.at(3, batch(opened(1), opened(2), opened(3)))
        it.at(3.1, IDLE).at(3.2, IDLE)
        assert it.alerts() == []
        it.at(3.3, IDLE).at(3.4, IDLE)
        assert it.alerts() == [("three", 3)]


def test_time_is_what_it_was_when_the_source_was_asked_not_when_it_had_answered(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.at(3, batch(opened(1), opened(2))).at(100, IDLE)
        it.at(100, batch(opened(3)))
        assert it.line.tally().correlated is not None
        assert it.line.correlations is not None
        assert it.line.correlations.correlator.late == 0


def test_events_that_nothing_matches_let_time_pass_too(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.at(3, batch(opened(1), opened(2), opened(3)))
        it.at(4, batch(opened(4, path="/public")))
        assert it.alerts() == [("three", 3)]


def test_at_the_stop_what_waited_for_later_events_is_told(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.at(3, batch(opened(1), opened(2), opened(3)))
        it.line.settle()
        assert it.alerts() == [("three", 3)]


def test_after_the_clock_was_put_back_correlations_begin_anew(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.at(500, batch(opened(500))).at(501, IDLE)
        it.at(3, batch()).at(3, IDLE)
        assert it.told == ["the clock was put back: correlations begin anew"]
        it.at(3, batch(opened(1), opened(2), opened(3))).at(4, IDLE).at(5, IDLE)
        assert it.alerts() == [("three", 3)]


def test_what_was_certain_before_the_clock_was_put_back_is_told_with_the_events_behind_it(
    tmp_path: Path,
) -> None:
    with bench(tmp_path) as it:
        it.at(500.1, batch(opened(498), opened(499), opened(500)))
        it.at(3, IDLE).at(4, IDLE)
        assert it.alerts() == [("three", 500)]
        assert it.line.tally().audit_events == 3


# ---------------------------------------------------------------------------------------------- losses


def test_an_alert_of_a_correlation_names_what_was_lost_in_its_window(tmp_path: Path) -> None:
    loss = Loss(first_ns=START_NS, last_ns=START_NS + 1, counts={"open": 5})
    with bench(tmp_path) as it:
        it.at(3, loss, batch(opened(1), opened(2), opened(3))).at(4, IDLE).at(5, IDLE)
        assert own(it.last())["losses"]["counts"] == {"open": 5}


def test_a_suspicion_is_told(tmp_path: Path) -> None:
    rules = RULES.replace("name: three", "name: three\nsuspected: true")
    loss = Loss(first_ns=START_NS, last_ns=START_NS + 2 * SECOND_NS, counts={"open": 5})
    with bench(tmp_path, rules=rules) as it:
        it.at(2, batch(opened(1)), loss).at(3, IDLE).at(4, IDLE)
        facts = facts_of(it.last().document)
        assert facts is not None
        assert facts.suspected


# ------------------------------------------------------------------------------------- states that are kept


def test_windows_go_on_after_a_restart_and_the_alert_says_when_nobody_watched(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.line.resume()
        it.at(2, batch(opened(1), opened(2)))
        it.line.settle()
    with bench(tmp_path, now_ns=START_NS + 30 * SECOND_NS) as it:
        it.line.resume()
        assert it.told == ["go on with 1 group and 2 events; nobody was watching for 28 seconds"]
        it.at(33, batch(opened(33))).at(34, IDLE).at(35, IDLE)
        assert it.alerts() == [("three", 33)]
        assert own(it.last())["losses"] == {
            "unwatched": {"from": "2027-01-15T08:00:02.000000000Z", "to": "2027-01-15T08:00:30.000000000Z"}
        }


def test_nobody_watched_until_the_source_was_there_however_long_the_rest_of_a_start_takes(
    tmp_path: Path,
) -> None:
    with bench(tmp_path) as it:
        it.line.resume()
        it.at(2, batch(opened(1), opened(2)))
        it.line.settle()
    with bench(tmp_path, now_ns=START_NS + 30 * SECOND_NS) as it:
        it.line.resume(START_NS + 20 * SECOND_NS)
        assert it.told == ["go on with 1 group and 2 events; nobody was watching for 18 seconds"]


def test_nothing_is_kept_by_a_pipeline_that_has_not_looked_what_is_there(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.store.save_state(CORRELATIONS, 1, b"what was there")
        it.at(2, batch(opened(1)))
        it.at(500, IDLE)
        it.line.settle()
        assert it.store.load_state(CORRELATIONS) == (1, b"what was there")


def test_states_are_kept_now_and_then_if_something_has_changed(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.line.resume()
        it.at(2, batch(opened(1)))
        assert it.store.load_state(CORRELATIONS) is None
        it.at(EVERY_S, IDLE)
        kept = it.store.load_state(CORRELATIONS)
        assert kept is not None
        it.at(EVERY_S * 5, IDLE)
        assert it.store.load_state(CORRELATIONS) == kept


def test_with_events_coming_all_the_time_states_are_kept_half_as_often(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.line.resume()
        it.at(EVERY_S, batch(opened(1)))
        assert it.store.load_state(CORRELATIONS) is None
        it.at(2 * EVERY_S, batch(opened(20)))
        found = it.store.load_state(CORRELATIONS)
        assert found is not None
        assert found[0] == opened(20).ts_ns


def test_a_state_of_a_moment_is_kept_with_the_time_until_which_all_was_seen(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.line.resume()
        it.at(2, batch(opened(1))).at(30, IDLE)
        found = it.store.load_state(CORRELATIONS)
        assert found is not None
        assert found[0] == START_NS + 2 * SECOND_NS


def test_a_state_that_is_damaged_is_told_and_begins_anew(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.store.save_state(CORRELATIONS, START_NS, b"{")
        it.line.resume()
        assert len(it.told) == 1
        assert "anew" in it.told[0]
        it.at(3, batch(opened(1), opened(2), opened(3))).at(4, IDLE).at(5, IDLE)
        assert it.alerts() == [("three", 3)]


class Stuck(Store):
    """A store that takes no records for as long as `stuck` says, but states."""

    stuck = False

    def append(
        self,
        records: Sequence[Record],
        losses: Sequence[Loss] = (),
        *,
        host: str = "",
        also: Also | None = None,
    ) -> int:
        if self.stuck:
            raise MachineCannot("the store cannot be written: disk full", remedy="free some space")
        return super().append(records, losses, host=host, also=also)


@contextmanager
def stuck_with_an_alert(tmp_path: Path) -> Iterator[tuple[Bench, Stuck]]:
    """Two secrets were opened and are in a state that is kept; the alert about the third finds no room."""
    with Stuck.open(tmp_path / "s" / "db") as store:
        it = Bench(store)
        it.line.resume()
        it.at(2, batch(opened(1), opened(2))).at(EVERY_S, IDLE)
        assert store.load_state(CORRELATIONS) is not None
        store.stuck = True
        it.at(18, batch(opened(18))).at(18.5, IDLE).at(18.6, IDLE)
        assert it.alerts() == []
        yield it, store


def test_a_state_is_not_kept_while_an_alert_that_follows_from_it_waits_for_the_store(tmp_path: Path) -> None:
    with stuck_with_an_alert(tmp_path) as (it, store):
        before = store.load_state(CORRELATIONS)
        it.at(21, IDLE)
        assert store.load_state(CORRELATIONS) == before
        store.stuck = False
        it.at(22, IDLE)
        assert it.alerts() == [("three", 18)]
        assert store.load_state(CORRELATIONS) != before


def test_whoever_is_killed_while_alerts_wait_goes_on_from_before_them(tmp_path: Path) -> None:
    with stuck_with_an_alert(tmp_path) as (it, _):
        it.at(21, IDLE)
    with bench(tmp_path, now_ns=START_NS + 30 * SECOND_NS) as it:
        it.line.resume()
        it.at(31, batch(opened(31))).at(32, IDLE).at(33, IDLE)
        assert it.alerts() == [("three", 31)]


def test_at_the_end_windows_are_not_kept_without_the_alerts_that_follow_from_them_and_that_is_told(
    tmp_path: Path,
) -> None:
    with stuck_with_an_alert(tmp_path) as (it, store):
        before = store.load_state(CORRELATIONS)
        it.line.settle()
        assert store.load_state(CORRELATIONS) == before
        assert it.told[-1] == (
            "4 records could not be stored: open windows are not kept,"
            " the next start goes on with those of before"
        )


def test_at_the_end_the_store_is_tried_once_more_before_windows_are_kept(tmp_path: Path) -> None:
    with stuck_with_an_alert(tmp_path) as (it, store):
        store.stuck = False
        it.line.settle()
        assert it.alerts() == [("three", 18)]
        found = store.load_state(CORRELATIONS)
        assert found is not None
        assert found[0] == START_NS + int(18.6 * SECOND_NS)


STREAM = tuple(opened(second, pid=7 + second % 3 % 2) for second in range(1, 13))
"""Of two processes, one of which opens twice as many."""


def told_with_restarts(place: Path, cuts: tuple[int, ...]) -> list[str]:
    """Ids of all alerts of the stream, by an engine that is stopped and started at these places."""
    ids = []
    with Store.open(place / "db") as store:
        for start, end in itertools.pairwise((0, *cuts, len(STREAM))):
            it = Bench(store, rules=RULES + CHAIN, now_ns=START_NS + start * SECOND_NS)
            it.line.resume()
            for event in STREAM[start:end]:
                it.at((event.ts_ns - START_NS) / SECOND_NS, batch(event))
            it.line.settle()
            ids += [one.id for one in it.memory.records if is_alert(one)]
    return ids


def test_wherever_it_is_stopped_and_started_the_alerts_are_the_same(tmp_path: Path) -> None:
    uncut = told_with_restarts(tmp_path / "uncut", ())
    assert len(uncut) == 1
    for place in range(1, len(STREAM)):
        assert told_with_restarts(tmp_path / str(place), (place,)) == uncut
    assert told_with_restarts(tmp_path / "everywhere", tuple(range(1, len(STREAM)))) == uncut


def test_what_the_disk_has_damaged_is_told_in_one_line_and_begins_anew(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.store.save_state(CORRELATIONS, START_NS, b"{}")
    with sqlite3.connect(tmp_path / "s" / "db") as connection:
        connection.execute("UPDATE states SET state = x'00'")
    with bench(tmp_path) as it:
        it.line.resume()
        (told,) = it.told
        assert "damaged" in told
        assert told.endswith("; correlations begin anew")
        assert told.isprintable()


def test_a_state_from_the_future_is_not_gone_on_with(tmp_path: Path) -> None:
    with bench(tmp_path, now_ns=START_NS + 1000 * SECOND_NS) as it:
        it.line.resume()
        it.at(1000, batch(opened(1000)))
        it.line.settle()
    with bench(tmp_path) as it:
        it.line.resume()
        assert it.told == ["the clock was put back: correlations begin anew"]


def test_what_was_certain_in_a_state_from_the_future_is_told(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.line.resume()
        it.at(500, batch(opened(498), opened(499), opened(500)))
        assert it.store.load_state(CORRELATIONS)
        assert it.alerts() == []
    with bench(tmp_path) as it:
        it.line.resume()
        assert it.alerts() == [("three", 500)]
        it.at(3, batch(opened(3))).at(4, IDLE).at(5, IDLE)
        assert it.line.tally().correlated == Counts(correlations=1, groups=1, entries=1)


def test_rules_that_stay_as_they_are_keep_their_windows_when_others_are_put_in_force(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.at(2, batch(opened(1), opened(2)))
        it.line.use(*it.parts(RULES + CHAIN.replace("[three]", "[secrets]").replace("gte: 2", "gte: 9")))
        it.at(3, batch(opened(3))).at(4, IDLE).at(5, IDLE)
        assert it.alerts() == [("three", 3)]
        assert it.told == []


def test_a_correlation_that_was_changed_begins_anew_and_that_is_told(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.at(2, batch(opened(1), opened(2))).at(2.5, IDLE).at(2.6, IDLE)
        it.line.use(*it.parts(RULES.replace("gte: 3", "gte: 2")))
        it.at(3, batch(opened(3))).at(4, IDLE).at(5, IDLE)
        assert it.alerts() == []
        assert len(it.told) == 1
        assert it.told[0].startswith("three is gone, or was changed")


def test_of_a_correlation_that_is_changed_or_goes_all_is_told_first_that_was_certain(tmp_path: Path) -> None:
    for number, others in enumerate((RULES.replace("gte: 3", "gte: 9"), RULES.partition("---")[0])):
        with bench(tmp_path / str(number)) as it:
            it.at(3, batch(opened(1), opened(2), opened(3)))
            it.line.use(*it.parts(others))
            assert it.alerts() == [("three", 3)]
            assert it.line.tally().audit_events == 3
            assert len(it.told) == 1
            assert "1 group" in it.told[0]


def test_with_rules_that_all_go_on_what_waits_for_earlier_events_goes_on_waiting(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.at(3.1, batch(opened(1), opened(3)))
        it.line.use(*it.parts(RULES))
        assert it.alerts() == []
        late = msgspec.structs.replace(opened(2), ts_ns=START_NS + 3 * SECOND_NS - LATENESS_NS)
        it.at(3.1, batch(late)).at(4, IDLE).at(5, IDLE)
        assert it.alerts() == [("three", 3)]


def test_events_of_before_stand_in_the_trail_of_an_alert_that_comes_under_other_rules(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.at(2, batch(opened(1), opened(2))).at(2.5, IDLE).at(2.6, IDLE)
        it.line.use(*it.parts(RULES))
        it.at(4, batch(opened(3))).at(5, IDLE).at(6, IDLE)
        assert it.alerts() == [("three", 3)]
        assert it.line.tally().audit_events == 3


def test_and_stand_there_once(tmp_path: Path) -> None:
    two = RULES.replace("{gte: 3}", "{eq: 2}")
    with bench(tmp_path, rules=two) as it:
        it.at(3, batch(opened(1), opened(2), opened(3))).at(3.5, IDLE).at(3.6, IDLE)
        it.line.use(*it.parts(two))
        it.at(61.5, IDLE).at(61.6, IDLE)
        assert it.alerts() == [("three", 2), ("three", 61)]
        assert it.line.tally().audit_events == 3


def test_what_a_successor_tells_once_more_does_not_count_once_more(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        passage = Passage(it.line)
        for item in (
            batch(opened(1)),
            IDLE,
            batch(opened(2)),
            Loss(first_ns=1, last_ns=2, counts={"open": 1}),
        ):
            passage.feed(item)
        it.now_ns = START_NS + 2 * SECOND_NS
        it.line.use(*it.parts(RULES), heard_ns=passage.heard_ns)
        it.line.use(*it.parts(RULES))  # at once again, from the same source
        copy = msgspec.structs.replace(opened(2), ts_ns=opened(2).ts_ns + COPY_NS)
        it.at(2.05, batch(copy)).at(3, IDLE).at(4, IDLE)
        assert it.alerts() == []
        after = msgspec.structs.replace(opened(2), ts_ns=opened(2).ts_ns + 3 * SECOND_NS)
        it.at(5, batch(after)).at(6, IDLE).at(7, IDLE)
        assert it.alerts() == [("three", 5)]
        assert own(it.last())["correlation"]["total"] == 3


def test_where_nothing_came_while_a_successor_took_over_nothing_can_come_again(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        passage = Passage(it.line)
        passage.feed(IDLE)
        assert passage.heard_ns is None


def test_correlations_may_come_and_go_with_the_rules(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.line.use(*it.parts(RULES.partition("---")[0]))
        it.at(3, batch(opened(1)))
        it.line.use(*it.parts(RULES))
        it.at(3, batch(opened(2), opened(3)))
        it.line.settle()
        assert it.alerts() == [("secrets", 1)]


# --------------------------------------------------------------------------------------------- repeats


BY_RULE = Suppress(by=("rule.name",), for_ns=10 * SECOND_NS)


def test_a_repeat_is_folded_with_the_events_behind_it_and_reported_when_its_time_is_over(
    tmp_path: Path,
) -> None:
    with bench(tmp_path, suppress=BY_RULE) as it:
        it.at(3, batch(*TWO_PROCESSES)).at(4, IDLE).at(5, IDLE)
        assert it.alerts() == [("three", 3)]
        assert it.line.tally().audit_events == 3
        it.at(20, IDLE).at(21, IDLE)
        assert own(it.last())["repeats"]["count"] == 1
        tally = it.line.tally()
        assert tally.alerts == {"critical": 1}
        assert tally.suppressed is not None
        assert (tally.suppressed.folded, tally.suppressed.reports) == (1, 1)


def test_repeats_that_were_not_told_yet_are_told_after_a_restart(tmp_path: Path) -> None:
    with bench(tmp_path, suppress=BY_RULE, rules=LOUD) as it:
        it.line.resume()
        it.at(3, batch(opened(1), opened(2)))
        it.line.settle()
        assert it.alerts() == [("secrets", 1)]
    with bench(tmp_path, suppress=BY_RULE, now_ns=START_NS + 60 * SECOND_NS) as it:
        it.line.resume()
        it.at(61, IDLE).at(62, IDLE)
        assert own(it.last())["repeats"]["count"] == 1


def test_repeats_are_told_once_where_nothing_is_folded_any_more(tmp_path: Path) -> None:
    with bench(tmp_path, suppress=BY_RULE, rules=LOUD) as it:
        it.line.resume()
        it.at(3, batch(opened(1), opened(2)))
        it.line.settle()
    counts = []
    for _ in range(2):
        with bench(tmp_path, now_ns=START_NS + 4 * SECOND_NS) as it:
            it.line.resume()
            it.line.settle()
            counts.append(len(it.memory.records))
    assert counts == [1, 0]


def test_at_the_end_of_a_recording_all_that_waits_is_told() -> None:
    plan = compiled(LOUD)
    detector, memory = Detector(plan.user, plan.kernel), Memory()
    line = Pipeline(
        detector=detector,
        correlations=Correlations(detector, plan.correlations, plan.user, Limits()),
        suppressor=Suppressor(BY_RULE),
        sinks=[memory],
        host="here",
        on_loss=lambda _: None,
    )
    line.feed(batch(opened(1), opened(2), opened(3)))
    line.feed(IDLE)
    assert [one.rule for one in memory.records] == ["secrets"]
    line.end()
    assert [one.rule for one in memory.records] == ["secrets", "three", "secrets"]
    assert own(memory.records[-1])["repeats"]["count"] == 2
    assert line.tally().correlated is not None


# ----------------------------------------------------------------------------------------- the keeper


class Full(Store):
    """A store on a disk that is full for as long as `full` says."""

    full = True

    def save_state(self, name: str, saved_ns: int, state: bytes) -> None:
        if self.full:
            raise MachineCannot("the store cannot be written: disk full", remedy="free some space")
        super().save_state(name, saved_ns, state)


def state() -> bytes:
    return b"{}"


def test_a_state_that_cannot_be_kept_is_told_once_and_again_when_it_can(tmp_path: Path) -> None:
    told: list[str] = []
    with Full.open(tmp_path / "s" / "db") as store:
        keeper = Keeper(store, tell=told.append)
        for _ in range(3):
            keeper.keep({REPEATS: state}, 1, seen_ns=1)
        assert told == ["the store cannot be written: disk full; open windows are not kept until it can"]
        store.full = False
        keeper.keep({REPEATS: state}, 1, seen_ns=1)
        keeper.keep({REPEATS: state}, 1, seen_ns=2)
        assert told[1:] == ["the store can be written again: open windows are kept"]
        assert store.load_state(REPEATS) == (2, b"{}")


def test_keeping_takes_no_more_than_its_share_of_the_time(tmp_path: Path) -> None:
    now_s = [0.0]

    def slowly() -> bytes:
        now_s[0] += 3
        return b""

    with Store.open(tmp_path / "s" / "db") as store:
        keeper = Keeper(store, tell=print, clock_s=lambda: now_s[0])
        keeper.keep({REPEATS: slowly}, 1, seen_ns=1)
        for passed, due in ((3 * SHARE - 1, False), (3 * SHARE, True)):
            now_s[0] = 3.0 + passed
            assert keeper.is_due(2, idle=True) is due
