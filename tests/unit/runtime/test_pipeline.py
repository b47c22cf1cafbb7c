"""The pipeline: what is committed, shown and counted, and in which order."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.batch import EVERY, Batch
from fileaudit_engine.events.model import FileEvent, Loss, Operation, Process
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.runtime.pipeline import Pipeline
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.sinks.base import Answer, Delivered, Retry, Sink
from fileaudit_engine.sinks.memory import Memory
from fileaudit_engine.sources.base import Counters
from fileaudit_engine.store.store import Store

RULES = """
title: secrets
name: secrets
level: high
logsource: {product: linux, category: file_access}
detection: {selection: {TargetFilename: /secret}, condition: selection}
---
title: trail
name: trail
level: informational
logsource: {product: linux, category: file_access}
detection: {selection: {TargetFilename: /public}, condition: selection}
"""


@dataclass(frozen=True)
class Listed:
    """A batch of events that nobody has filtered."""

    events: Sequence[FileEvent]

    @property
    def candidates(self) -> Sequence[int]:
        return [EVERY] * len(self.events)

    def complete(self, index: int) -> FileEvent:
        return self.events[index]


@dataclass
class Recorded:
    """A source that yields what it is given."""

    items: Sequence[Batch | Loss]
    taken: list[int] = field(default_factory=list)

    def batches(self) -> Iterator[Batch | Loss]:
        for number, item in enumerate(self.items):
            self.taken.append(number)
            yield item

    def counters(self) -> Counters:
        return Counters()

    def close(self) -> None:
        pass


class Witness:
    """A sink that looks into the store at the moment when it is given something."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.stored_before: list[list[str]] = []

    def deliver(self, records: Sequence[Record]) -> Sequence[Answer]:
        with Store.open(self._path, read_only=True) as store:
            self.stored_before.append([record.id for record in store.records(Kind.ALERT)])
        return [Delivered()] * len(records)

    def close(self) -> None:
        pass


def always() -> bool:
    return True


def opened(path: str, ts_ns: int = 1) -> FileEvent:
    return FileEvent(ts_ns=ts_ns, operation=Operation.OPEN, path=path, process=Process(pid=7))


def pipeline(*sinks: Sink, store: Store | None = None, losses: list[Loss] | None = None) -> Pipeline:
    compiled = compile_rules(parse_text(RULES, "rules").rules)
    heard = [] if losses is None else losses
    return Pipeline(
        detector=Detector(compiled.user, compiled.kernel),
        sinks=sinks,
        spool=Spool(store, tell=print, proceed=always) if store else None,
        host="here",
        on_loss=heard.append,
    )


def test_an_alert_is_on_disk_when_a_sink_sees_it(tmp_path: Path) -> None:
    witness, memory = Witness(tmp_path / "s" / "db"), Memory()
    with Store.open(tmp_path / "s" / "db") as store:
        pipeline(witness, memory, store=store).feed(Listed([opened("/secret")]))
    assert witness.stored_before == [[record.id for record in memory.records]]


def test_informational_rules_write_audit_events_and_the_others_alerts() -> None:
    memory = Memory()
    line = pipeline(memory)
    line.feed(Listed([opened("/secret"), opened("/public", 2), opened("/other", 3)]))
    assert [(record.rule, record.kind) for record in memory.records] == [
        ("secrets", Kind.ALERT),
        ("trail", Kind.EVENT),
    ]
    assert line.tally().alerts == {"high": 1}
    assert line.tally().audit_events == 1


def test_a_loss_is_stored_told_and_counted(tmp_path: Path) -> None:
    loss = Loss(first_ns=1, last_ns=2, counts={"open": 3, "process": 1})
    told: list[Loss] = []
    with Store.open(tmp_path / "s" / "db") as store:
        line = pipeline(store=store, losses=told)
        line.feed(loss)
        assert list(store.losses()) == [loss]
    assert told == [loss]
    assert line.tally().lost == {"open": 3, "process": 1}


def test_it_stops_after_the_batch_during_which_it_was_told_to() -> None:
    source = Recorded([Listed([]), Listed([]), Listed([])])
    answers = iter([True, False])
    pipeline().run(source, proceed=lambda: next(answers))
    assert source.taken == [0, 1]


def test_it_stops_when_the_reader_of_its_output_is_gone() -> None:
    gone = Memory(answer=lambda _: Retry("the reader has closed the pipe"))
    source = Recorded([Listed([opened("/secret")]), Listed([opened("/secret")])])
    pipeline(gone).run(source, proceed=always)
    assert source.taken == [0]


def test_nothing_is_written_where_nothing_matched(tmp_path: Path) -> None:
    memory = Memory()
    with Store.open(tmp_path / "s" / "db") as store:
        pipeline(memory, store=store).feed(Listed([opened("/other")]))
        assert not list(store.records(Kind.ALERT))
    assert not memory.records


def test_records_say_when_they_were_handed_on_only_where_there_is_a_clock() -> None:
    memory = Memory()
    compiled = compile_rules(parse_text(RULES, "rules").rules)
    Pipeline(
        detector=Detector(compiled.user, compiled.kernel),
        sinks=[memory],
        host="here",
        on_loss=print,
        clock_ns=lambda: 1_000_000_000,
    ).feed(Listed([opened("/secret")]))
    pipeline(memory).feed(Listed([opened("/secret")]))
    ingested = [dict(record.document["event"]).get("ingested") for record in memory.records]  # type: ignore[call-overload]  # an object of the document
    assert ingested == ["1970-01-01T00:00:01.000000000Z", None]


def test_an_alert_names_the_losses_in_whose_time_it_happened() -> None:
    memory = Memory()
    line = pipeline(memory)
    line.feed(Loss(first_ns=10, last_ns=20, counts={"open": 3}))
    line.feed(Listed([opened("/secret", ts_ns) for ts_ns in (9, 10, 20, 21)]))
    named = ["losses" in dict(record.document["fileaudit"]) for record in memory.records[1:]]  # type: ignore[call-overload]  # an object of the document
    assert memory.records[0].kind is Kind.ENGINE
    assert named == [False, True, True, False]


class Diligent:
    """A chore that notes when it had its turns."""

    def __init__(self) -> None:
        self.turns: list[bool] = []

    def tick(self, *, idle: bool) -> None:
        self.turns.append(idle)

    def close(self) -> None:
        pass


def test_a_chore_has_a_turn_after_every_item_and_is_told_whether_there_is_time() -> None:
    chore = Diligent()
    line = pipeline()
    line.add_chore(chore)
    for item in (Listed([opened("/secret")]), Listed([]), Loss(first_ns=1, last_ns=2, counts={"open": 1})):
        line.feed(item)
    assert chore.turns == [False, True, False]


def test_what_could_not_be_kept_is_shown_at_the_end(tmp_path: Path) -> None:
    memory = Memory()
    with (
        Store.open(tmp_path / "s" / "db") as store,
        contextlib.closing(sqlite3.connect(tmp_path / "s" / "db")) as other,
    ):
        line = pipeline(memory, store=store)
        other.execute("BEGIN IMMEDIATE")
        line.feed(Listed([opened("/secret")]))
        assert not memory.records
        assert line.finish() == 1
    assert [record.rule for record in memory.records] == ["secrets"]


def test_a_full_store_is_shown_at_once_and_once(tmp_path: Path) -> None:
    memory, compiled = Memory(), compile_rules(parse_text(RULES, "rules").rules)
    with (
        Store.open(tmp_path / "s" / "db") as store,
        contextlib.closing(sqlite3.connect(tmp_path / "s" / "db")) as other,
    ):
        line = Pipeline(
            detector=Detector(compiled.user, compiled.kernel),
            sinks=[memory],
            spool=Spool(store, tell=print, proceed=always, clock_ns=time.time_ns),
            host="here",
            on_loss=print,
        )
        other.execute("BEGIN IMMEDIATE")
        line.feed(Listed([opened("/secret")]))
        assert [record.rule for record in memory.records] == ["store_unavailable"]
        other.execute("ROLLBACK")
        assert line.finish() == 0
    assert [record.rule for record in memory.records] == ["store_unavailable", "secrets", ""]
    assert line.tally().alerts == {"high": 2}
