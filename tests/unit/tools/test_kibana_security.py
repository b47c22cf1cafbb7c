"""Documents as Kibana Security wants them: its External Alerts rule takes alerts, its timeline shows them.

The rule is a stock one of Elastic's: `event.kind: alert` outside of its own modules, by `event.ingested`; it
names an alert by `message` and reads severity and risk from `event.severity` and `event.risk_score`. What may
go together in `event.*` is said by ECS 8.17.
"""

import itertools
import json
from dataclasses import dataclass
from typing import Any, Final

import pytest
from tests.unit.tools.kibana_documents import documents
from tests.unit.tools.kql_reader import Document, Filter, values_at

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.sinks.elastic.bulk import Item, Maker

EXTERNAL_ALERTS: Final = "event.kind:alert and not event.module:(endgame or endpoint or cloud_defend)"
SEVERITIES: Final = {21, 47, 73, 99}
"""What the rule reads as low, medium, high and critical."""
SENT: Final = "2026-11-28T10:00:00.000000000Z"

TYPES: Final = {
    "file": {"access", "change", "creation", "deletion", "info"},
    "process": {"access", "change", "end", "info", "start"},
    "host": {"access", "change", "end", "info", "start"},
    "configuration": {"access", "change", "creation", "deletion", "info"},
}
"""ECS: which types are expected in a category."""
NUMBERS: Final = {
    *("event.risk_score", "event.sequence", "event.severity", "file.size", "process.pid"),
    *("process.parent.pid", "process.thread.id", "process.args_count"),
}
"""ECS: what is a number; of the places that our documents have, everything else is text or a moment."""
SHOWN: Final = ("event.category", "event.action", "host.name", "message", "@timestamp")
"""Columns of a timeline that every document fills."""
TOLD: Final = ("file.name", "process.name", "process.parent.name", "user.name")
"""What the row of an alert says besides: who did it with what, as far as that is known."""
OURS: Final = {"fileaudit"}
"""Objects at the top that ECS does not know."""
ECS: Final = {
    *("@timestamp", "message", "tags", "container", "data_stream", "ecs", "event", "file", "host", "log"),
    *("orchestrator", "process", "related", "rule", "threat", "user"),
}


@dataclass(frozen=True)
class Row:
    """A record of a store."""

    raw: bytes
    id: str
    seq: int
    ts_ns: int = 0
    kind: Kind = Kind.ALERT


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """Documents as they arrive in Elasticsearch."""
    maker = Maker("default")
    arrived = []
    for number, document in enumerate(documents(tmp_path_factory.mktemp("kibana")), 1):
        row = Row(raw=json.dumps(document).encode(), id=document["event"]["id"], seq=number)
        item = maker.item(row, SENT)
        assert isinstance(item, Item)
        arrived.append(json.loads(item.document))
    return arrived


@pytest.fixture(scope="module")
def alerts(sent: list[Document]) -> list[Document]:
    return [document for document in sent if Filter(EXTERNAL_ALERTS).holds(document)]


def members(document: Any, place: str = "") -> list[tuple[str, Any]]:
    """The leaves of a document, lists taken apart."""
    if isinstance(document, dict):
        return list(
            itertools.chain.from_iterable(
                members(value, f"{place}.{key}".lstrip(".")) for key, value in document.items()
            )
        )
    if isinstance(document, list):
        return list(itertools.chain.from_iterable(members(value, place) for value in document))
    return [(place, document)]


def test_the_rule_takes_every_alert_and_nothing_else(sent: list[Document], alerts: list[Document]) -> None:
    ours = [document for document in sent if document["data_stream"]["dataset"] == "fileaudit.alert"]
    assert alerts == ours
    assert {document["event"]["dataset"] for document in alerts} == {"fileaudit.alert", "fileaudit.engine"}


def test_the_rule_finds_name_severity_and_time_of_each(alerts: list[Document]) -> None:
    for document in alerts:
        assert document["message"].startswith(document["rule"]["name"])
        assert document["event"]["severity"] in SEVERITIES
        assert document["event"]["risk_score"] == document["event"]["severity"]
        assert document["event"]["ingested"] == SENT


def test_an_alert_about_a_file_is_of_the_category_file_first(alerts: list[Document]) -> None:
    about_files = [document for document in alerts if "file" in document]
    assert len(about_files) > 10
    assert {document["event"]["category"][0] for document in about_files} == {"file"}


def test_categories_and_types_go_together(sent: list[Document]) -> None:
    for document in sent:
        categories, types = document["event"]["category"], document["event"]["type"]
        assert categories
        assert types
        assert set(types) <= set().union(*(TYPES[category] for category in categories)), document["event"]
        for category in categories:
            assert set(types) & TYPES[category], document["event"]


def test_kind_and_outcome_are_words_of_ecs(sent: list[Document]) -> None:
    assert {document["event"]["kind"] for document in sent} == {"alert", "event"}
    assert {document["event"].get("outcome") for document in sent} <= {"success", "failure", None}


def test_the_timeline_has_something_for_each_of_its_columns(sent: list[Document]) -> None:
    for document in sent:
        assert [place for place in SHOWN if not values_at(document, place)] == [], document


def test_the_row_of_an_alert_says_who_did_it_with_what(alerts: list[Document]) -> None:
    for place in TOLD:
        assert any(values_at(document, place) for document in alerts), place
    for document in alerts:
        assert bool(values_at(document, "file.path")) == bool(values_at(document, "file.name"))


def test_the_pages_of_hosts_find_all_of_them(sent: list[Document]) -> None:
    assert {one for document in sent for one in values_at(document, "host.os.type")} == {"linux"}
    assert all(values_at(document, "host.name") for document in sent)


def test_what_belongs_to_kibana_is_in_no_document(sent: list[Document]) -> None:
    for document in sent:
        assert document.keys() <= ECS | OURS
        assert not {"signal", "kibana"} & document.keys()


def test_what_ecs_has_as_a_word_is_one(sent: list[Document]) -> None:
    for document in sent:
        for place, value in members({key: value for key, value in document.items() if key not in OURS}):
            if place != "file.device":  # a word in the mapping, a number in documents: both are taken
                assert isinstance(value, int if place in NUMBERS else str), (place, value)
