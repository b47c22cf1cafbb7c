"""What the engine says about itself, as documents."""

import msgspec
import pytest

from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.store.facets import facets_of, kind_of

NOON_NS = 1_795_867_200_000_000_000


def started(pid: int = 7, ts_ns: int = NOON_NS) -> Record:
    return engine_record(Action.ENGINE_START, ts_ns, "web1", "watching 3 rules", {"pid": pid})


def test_it_says_what_happened_when_and_where() -> None:
    document = msgspec.json.decode(encode(started().document))
    assert document["@timestamp"] == "2026-11-28T12:00:00.000000000Z"
    assert document["host"] == {"name": "web1"}
    assert document["message"] == "Engine started: watching 3 rules"
    assert document["fileaudit"]["engine"] == {"pid": 7}
    assert document["event"]["action"] == "engine_start"
    assert document["event"]["dataset"] == "fileaudit.engine"


def test_it_alerts_nobody_and_belongs_to_no_rule() -> None:
    record = started()
    assert record.kind is Kind.ENGINE
    assert record.level == "informational"
    assert record.document["event"]["kind"] == "event"  # type: ignore[index]  # an object of the document
    assert "rule" not in record.document


def test_what_somebody_must_do_something_about_is_an_alert_with_a_name() -> None:
    record = engine_record(Action.STORE_UNAVAILABLE, NOON_NS, "web1", "full", {}, alert_level="high")
    assert (record.kind, record.level, record.rule) == (Kind.ALERT, "high", "store_unavailable")
    assert record.document["rule"]["name"] == "Store cannot be written"  # type: ignore[index]  # likewise
    assert record.document["log"] == {"level": "error"}


def test_the_same_facts_have_the_same_id_and_others_another() -> None:
    assert started().id == started().id
    assert len({started().id, started(pid=8).id, started(ts_ns=NOON_NS + 1).id}) == 3


@pytest.mark.parametrize("level", [None, "critical"])
@pytest.mark.parametrize("action", Action)
def test_the_store_knows_it_for_what_it_is(action: Action, level: str | None) -> None:
    record = engine_record(action, NOON_NS, "web1", "so it is", {}, alert_level=level)
    assert kind_of(record.document) is record.kind
    assert action.value in {text for _, text in facets_of(record.document)}


def test_a_host_name_that_is_no_text_does_no_harm() -> None:
    record = engine_record(Action.ENGINE_STOP, NOON_NS, "a\udcff\n", "stopped", {})
    assert msgspec.json.decode(encode(record.document))["host"]["name"] == "a\\xff\n"
