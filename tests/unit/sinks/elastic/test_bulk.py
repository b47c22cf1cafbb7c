"""What is sent of a record, and what is believed of an answer."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sinks.syslog.rows import alert, document, row

from fileaudit_engine.sinks.base import Delivered, Reject, Retry
from fileaudit_engine.sinks.elastic.bulk import (
    MOST_ID,
    MOST_ITEMS,
    Item,
    Maker,
    Outcome,
    Untrue,
    outcome_of,
    portions,
)
from fileaudit_engine.store.stored import StoredRecord

SENT = "2026-11-28T12:00:00.000000000Z"


def made(record: StoredRecord, namespace: str = "default") -> Item:
    item = Maker(namespace).item(record, SENT)
    assert isinstance(item, Item)
    return item


def refusal(raw: bytes) -> str:
    answer = Maker("default").item(StoredRecord(seq=1, ts_ns=0, raw=raw), SENT)
    assert isinstance(answer, Reject)
    return answer.reason


def test_an_alert_goes_to_the_alerts_and_keeps_its_id() -> None:
    item = made(alert(7), "prod")
    assert json.loads(item.action) == {
        "create": {"_index": "logs-fileaudit.alert-prod", "_id": f"{7:032x}"},
    }
    assert item.id == f"{7:032x}"


@pytest.mark.parametrize("name", ["engine_start", "event"])
def test_what_is_no_alert_goes_to_the_events(name: str) -> None:
    found = document("alert")
    found["event"] |= {"kind": "event", "dataset": f"fileaudit.{name}"}
    assert json.loads(made(row(found)).action)["create"]["_index"] == "logs-fileaudit.event-default"


def test_a_document_is_the_stored_one_with_what_only_the_sender_knows() -> None:
    found = document("alert")
    found["event"]["ingested"] = "2026-11-28T09:00:00.000000000Z"
    sent = json.loads(made(row(found, seq=42), "prod").document)
    assert sent.pop("data_stream") == {"type": "logs", "dataset": "fileaudit.alert", "namespace": "prod"}
    assert sent["event"].pop("sequence") == 42
    assert sent["event"].pop("created") == found["event"].pop("ingested")
    assert sent["event"].pop("ingested") == SENT
    assert sent["event"].pop("risk_score") == found["event"]["severity"]
    assert sent["host"].pop("os") == {"type": "linux"}
    assert sent == found


def test_what_is_no_alert_has_no_risk() -> None:
    found = document("alert")
    found["event"]["kind"] = "event"
    assert "risk_score" not in json.loads(made(row(found)).document)["event"]


def test_a_document_without_a_host_is_of_one_with_linux() -> None:
    found = document("alert")
    found.pop("host", None)
    assert json.loads(made(row(found)).document)["host"] == {"os": {"type": "linux"}}


def test_of_a_document_that_does_not_say_when_it_was_handed_on_nothing_is_made_up() -> None:
    found = document("alert")
    found["event"].pop("ingested", None)
    assert "created" not in json.loads(made(row(found)).document)["event"]


@given(st.text(), st.integers(0, 2**63 - 1))
def test_whatever_is_in_a_record_a_line_is_one_line(text: str, seq: int) -> None:
    found = document("alert")
    found["file"]["path"] = found["event"]["action"] = found["host"] = text.encode(errors="replace").decode()
    item = made(StoredRecord(seq=seq, ts_ns=0, raw=json.dumps(found).encode()))
    assert b"\n" not in item.action + item.document
    assert json.loads(item.document)["file"]["path"] == found["file"]["path"]


@given(st.text(alphabet='\\"nu05c/\n\x00ä', max_size=40))
def test_backslashes_and_quotes_are_spelled_as_numbers_and_say_the_same(text: str) -> None:
    found = document("alert")
    found["file"]["path"] = text
    sent = made(row(found)).document
    assert json.loads(sent)["file"]["path"] == text
    assert b"\\\\" not in sent
    assert b'\\"' not in sent


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"event":{}}',
        b'{"event":[]}',
        b'{"event":{"id":7}}',
        b'{"event":null}',
        b"\xff",
    ],
)
def test_what_is_no_document_is_refused_in_words(raw: bytes) -> None:
    assert "no document of ours" in refusal(raw)


@pytest.mark.parametrize("identity", ["", "x" * (MOST_ID + 1), "ä" * (MOST_ID // 2 + 1)])
def test_an_id_for_which_a_node_refuses_the_whole_request_is_not_sent(identity: str) -> None:
    assert "event.id" in refusal(json.dumps({"event": {"id": identity}}).encode())


def test_the_longest_id_is_sent() -> None:
    raw = json.dumps({"event": {"id": "ä" * (MOST_ID // 2)}}).encode()
    assert made(StoredRecord(seq=1, ts_ns=0, raw=raw)).id == "ä" * (MOST_ID // 2)


def sized(size: int) -> Item:
    return Item("id", "x", b"a", b"d" * (size - 3))


@given(st.lists(st.integers(3, 400), max_size=60), st.integers(1, 500))
def test_portions_are_all_items_in_order_each_within_the_limit_or_alone(
    sizes: list[int], most_bytes: int
) -> None:
    items = [sized(size) for size in sizes]
    found = list(portions(items, most_bytes))
    assert [item for portion in found for item in portion] == items
    assert all(len(portion) == 1 or sum(item.size for item in portion) <= most_bytes for portion in found)
    for before, after in itertools.pairwise(found):
        assert sum(item.size for item in before) + after[0].size > most_bytes


def test_a_portion_has_no_more_items_than_a_node_likes() -> None:
    assert [len(one) for one in portions([sized(10)] * (2 * MOST_ITEMS + 1), 1 << 30)] == [
        *(MOST_ITEMS, MOST_ITEMS),
        1,
    ]


ITEMS = [Item(name, "x", b"", b"") for name in ("a", "b")]


def answered(*results: dict[str, Any]) -> Outcome:
    pairs = zip(ITEMS, results, strict=True)
    return outcome_of({"items": [{"create": {"_id": item.id, **result}} for item, result in pairs]}, ITEMS)


def one(status: int, kind: str = "", reason: str = "because", **more: Any) -> Delivered | Retry | Reject:
    error = {"error": {"type": kind, "reason": reason}} if kind else {}
    return answered({"status": 201}, {"status": status, **error, **more}).answers[1]


@pytest.mark.parametrize(
    ("status", "kind"), [(200, ""), (201, ""), (409, "version_conflict_engine_exception")]
)
def test_what_is_there_is_delivered(status: int, kind: str) -> None:
    assert one(status, kind) == Delivered()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, "es_rejected_execution_exception"),
        (503, "unavailable_shards_exception"),
        (500, "anything"),
        (404, "index_not_found_exception"),
        (403, "cluster_block_exception"),
        (400, "validation_exception"),
        (400, "index_closed_exception"),
        (409, "something_else"),
        (400, "illegal_argument_exception/pipeline with id [x] does not exist"),
        (302, ""),
        (0, ""),
    ],
)
def test_what_is_not_because_of_the_record_is_tried_again(status: int, kind: str) -> None:
    name, _, said = kind.partition("/")
    answer = one(status, name, said or "because")
    assert isinstance(answer, Retry)
    assert str(status) in answer.reason


def test_without_a_data_stream_the_remedy_is_named() -> None:
    answer = one(404, "index_not_found_exception")
    assert isinstance(answer, Retry)
    assert "elastic install" in answer.reason


@pytest.mark.parametrize(
    "kind", ["document_parsing_exception", "strict_dynamic_mapping_exception", "illegal_argument_exception"]
)
def test_what_the_node_cannot_take_is_rejected_with_the_type_of_its_error(kind: str) -> None:
    answer = one(400, kind, "no\nway \x1b[31m" + "x" * 10_000)
    assert isinstance(answer, Reject)
    assert answer.reason.startswith(f"400: {kind}: no way ")
    assert answer.reason.isprintable()
    assert len(answer.reason) < 1_000


def test_what_may_not_be_because_of_the_record_is_told_apart() -> None:
    refused = {"status": 400, "error": {"type": "document_parsing_exception"}}
    doubtful = {
        "status": 400,
        "error": {"type": "illegal_argument_exception", "reason": "pipeline with id [x]"},
    }
    assert list(answered(refused, doubtful).doubtful) == [1]


def test_what_went_to_the_failure_store_is_rejected() -> None:
    assert isinstance(one(201, failure_store="used"), Reject)
    assert one(201, failure_store="not_enabled") == Delivered()


@pytest.mark.parametrize("status", [401, 403])
def test_who_may_not_write_is_told_apart(status: int) -> None:
    outcome = answered(
        {"status": 201}, {"status": status, "error": {"type": "security_exception", "reason": "no"}}
    )
    assert outcome.refused == (status, "security_exception: no")
    assert isinstance(outcome.answers[1], Retry)


def test_a_node_with_too_much_to_do_is_told_apart() -> None:
    assert answered({"status": 429}, {"status": 201}).overwhelmed
    assert not answered({"status": 400}, {"status": 201}).overwhelmed


def results(*names: str, key: str = "create") -> Any:
    return {"items": [{key: {"_id": name, "status": 201}} for name in names]}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "fine",
        {},
        {"items": "all"},
        {"items": [1, 2]},
        {"items": [{}, {}]},
        results("a"),
        results("a", "b", "b"),
        results("b", "a"),
        results("a", "c"),
        results("a", "b", key="index"),
        {"items": [{"create": {"_id": "a", "status": 201}}, {"create": {"_id": "b"}}]},
        {"items": [{"create": {"_id": "a", "status": 201}}, {"create": {"_id": "b", "status": "201"}}]},
        {
            "items": [
                {"create": {"_id": name, "status": 201}, "index": {"_id": name, "status": 201}}
                for name in "ab"
            ]
        },
    ],
)
def test_an_answer_that_is_not_about_what_was_sent_is_not_believed(body: Any) -> None:
    with pytest.raises(Untrue):
        outcome_of(body, ITEMS)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["items", "create", "_id", "status", "error", "type"]), inner, max_size=4
        )
    ),
)


@given(JSON_VALUES)
def test_no_answer_does_more_than_be_disbelieved(body: Any) -> None:
    try:
        answers = outcome_of(body, ITEMS).answers
    except Untrue:
        return
    assert len(answers) == len(ITEMS)
