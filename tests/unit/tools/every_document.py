"""One document or more of each kind that reaches Elasticsearch, by those who make them in the engine."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
from tests.unit.detect.crossings import RENAMES, contributions, plan
from tests.unit.events.examples import EVERYTHING, LOSS, SHADOW
from tests.unit.events.records import record
from tests.unit.sinks.every_operation import DAY

from fileaudit_engine.cli.trail import Trail
from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.detect.alert import contribution_records, record_of_crossing
from fileaudit_engine.detect.crossing import Crossing, Evicted
from fileaudit_engine.detect.record import Record
from fileaudit_engine.detect.suppress import Suppress, Suppressor
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.events.model import Loss, Process
from fileaudit_engine.events.times import SECOND_NS, UNITS_NS
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.runtime import anchoring
from fileaudit_engine.runtime.deliveries import Deliveries
from fileaudit_engine.runtime.delivery import Delivery
from fileaudit_engine.runtime.follower import EVERYTHING as ALL_ROWS
from fileaudit_engine.runtime.heartbeat import Before
from fileaudit_engine.runtime.lifecycle import reload_record, start_record, stop_record
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.sources.base import Counters
from fileaudit_engine.store.anchored import Disagreement, Wrong
from fileaudit_engine.store.anchors import Anchor
from fileaudit_engine.store.losses import record_of_loss
from fileaudit_engine.store.retention import Retention, remove
from fileaudit_engine.store.store import Store

Document = Mapping[str, Any]

HOST = "web-1"
NOW_NS = SHADOW.ts_ns + UNITS_NS["d"]
UNWATCHED = Loss(first_ns=SHADOW.ts_ns - 9, last_ns=SHADOW.ts_ns, counts={})
RULES = """
title: Secrets
name: secrets
level: {level}
logsource: {{product: linux, category: file_access}}
detection: {{selection: {{TargetFilename: /s}}, condition: selection}}
"""
SENT = {
    "data_stream": {"type": "logs", "dataset": "fileaudit.alert", "namespace": "default"},
    "host": {"os": {"type": "linux"}},
    "event": {
        "sequence": 7,
        "risk_score": 73,
        "created": "2026-11-24T07:30:45.123456789Z",
        "ingested": "2026-11-24T07:30:45.123456789Z",
    },
}
"""What the sink adds to each."""


def documents(folder: Path) -> list[Document]:
    """All of them, as a receiver decodes them."""
    records = [*matches(), *engine_records(folder)]
    return [*(as_sent(one) for one in records), SENT]


def as_sent(one: Record) -> Document:
    """The document out of its JSON."""
    return cast("Document", msgspec.json.decode(encode(one.document)))


def matches() -> Iterator[Record]:
    """Alerts and events of the audit trail: of rules, of correlations, and of what was folded."""
    container = msgspec.structs.replace(SHADOW, container=EVERYTHING.container, extra={"my.field": [1, {}]})
    cut = msgspec.structs.replace(SHADOW, process=cut_off(SHADOW.process))
    for event in (SHADOW, EVERYTHING, container, cut, *DAY):
        yield record(event, losses=(LOSS, UNWATCHED), tags=("attack.t1003.008", "attack.credential-access"))
        yield record(event, level="informational")
    seen = crossing()
    yield record_of_crossing(seen, host=HOST, ingested_ns=NOW_NS)
    yield from contribution_records(seen, host=HOST)
    suppressor = Suppressor(Suppress(by=("rule.id",), for_ns=UNITS_NS["m"]))
    suppressor.feed([record(), record(msgspec.structs.replace(SHADOW, ts_ns=SHADOW.ts_ns + 1))])
    yield from suppressor.finish()


def cut_off(process: Process) -> Process:
    """The process and all before it, with arguments that were too long."""
    parent = None if process.parent is None else cut_off(process.parent)
    return msgspec.structs.replace(process, args_truncated=True, parent=parent)


def crossing() -> Crossing:
    """A crossing with everything that one can have."""
    return Crossing(
        correlation=plan(),
        group={"ProcessId": 4242, "User": None},
        events=contributions(*RENAMES),
        total=5,
        value=5,
        first_ns=RENAMES[0].ts_ns,
        last_ns=RENAMES[-1].ts_ns,
        event=RENAMES[-1],
        ts_ns=RENAMES[-1].ts_ns,
        chained=("ab",),
        evicted=Evicted(groups=1, events=2),
        late=3,
        suspected=True,
        losses=(LOSS, UNWATCHED),
    )


def engine_records(folder: Path) -> Iterator[Record]:
    """What the engine says about itself, each by whoever says it."""
    with Store.open(folder / "kept" / "db") as store:
        yield record_of_loss(LOSS, HOST)
        yield start_record(store, compiled(), Before("killed", SHADOW.ts_ns), ts_ns=NOW_NS, host=HOST)
        yield stop_record(Counters(lost={"open": 1}), reason="SIGTERM", ts_ns=NOW_NS, host=HOST)
        yield reload_record(compiled(), ts_ns=NOW_NS, host=HOST)
        yield from _of_trouble(store)
        anchor = Anchor(store=b"s" * 16, seq=3, link=b"l" * 32, time_ns=NOW_NS)
        wrong = Disagreement(what=Wrong.ALTERED, anchor=anchor, agreed_seq=2)
        yield anchoring._alert(wrong, store, NOW_NS, HOST)
        yield from _of_trail(store)
        yield from _of_sinks(store)
        yield from _of_retention(store)


def compiled() -> Compiled:
    text = "---".join(RULES.format(level=level) for level in ("high", "informational"))
    return compile_rules(parse_text(text.replace("secrets", "other", 1), "rules").rules)


def _of_trouble(store: Store) -> Iterator[Record]:
    spool = Spool(store, tell=lambda _: None, proceed=lambda: True, host=HOST, clock_ns=lambda: NOW_NS)
    yield spool._alert(MachineCannot("No space left on device"), NOW_NS)
    yield spool._over(NOW_NS - SECOND_NS)


def _of_trail(store: Store) -> Iterator[Record]:
    kept: list[Record] = []
    outlet = SimpleNamespace(hand_on=kept.extend)
    trail = cast("Trail", SimpleNamespace(store=store, _host=HOST, _outlet=outlet))
    for reason in ("the disk is full", ""):
        Trail._note_json_log(trail, reason)
    Trail._tell_replaced(trail)
    yield from kept


def _of_sinks(store: Store) -> Iterator[Record]:
    kept: list[Record] = []

    def keep(records: Sequence[Record]) -> None:
        kept.extend(records)

    store.append([record()])
    delivery = Delivery("elasticsearch", lambda _: cast("Any", None), store, wanted=ALL_ROWS, from_start=True)
    deliveries = Deliveries([delivery], store, host=HOST, keep=keep, tell=lambda _: None)
    delivery.delivered, delivery.rejected, delivery.trouble = 5, 1, "refused"
    for reason in ("refused", ""):
        deliveries._note(delivery, reason)
    deliveries._tell_how_far()
    yield from kept


def _of_retention(store: Store) -> Iterator[Record]:
    store.save_cursor("syslog", 0, NOW_NS)
    store.close_block_if_old(NOW_NS + UNITS_NS["w"])
    removed = remove(store, Retention(hard_bytes=1), NOW_NS + UNITS_NS["w"], host=HOST)
    yield next(one for one in removed if one is not None).record
