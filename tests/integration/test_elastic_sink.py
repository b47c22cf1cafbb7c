"""The sink and real nodes: what is there afterwards, and what a refusal is to them.

How `replay --deliver` fills a node is in `test_elastic_replay`, what happens when nodes and networks fail in
`test_faults_elastic`.
"""

import dataclasses
import hashlib
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from tests.integration.elastic_templates import put_templates
from tests.unit.sinks.syslog.rows import alert, alerts, document, row
from tools.elastic.node import Node
from tools.syslog.certificates import Certificates

from fileaudit_engine.sinks.base import Answer, Delivered, Reject, Retry
from fileaudit_engine.sinks.elastic.sink import ElasticSink
from fileaudit_engine.sinks.secrets import Secret
from fileaudit_engine.sinks.settings import ElasticSettings
from fileaudit_engine.store.stored import StoredRecord

DELIVERED: Final = Delivered()
NAMES: Final = (
    b"/srv/two\nlines",
    b'/srv/"quoted\\',
    b"/srv/\x1b[31mred\x00",
    b"/srv/\xff\xfe",
    b"/srv/" + "ä中\U00010400".encode(),
    b'/srv/{"create":{"_index":"x"}}\n{}',
    b"/srv/" + b"x" * 4_000,
    b"\xff" * 4_096,
)


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> str:
    """Data streams of its own for each test."""
    return re.sub(r"[^a-z0-9]+", "_", request.node.name.lower())[:80]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A sink, and what its node has."""

    node: Node
    namespace: str
    sink: ElasticSink

    def sources(self) -> list[dict[str, Any]]:
        """Of all documents, in the order of the store."""
        self.node.ask("POST", f"/logs-fileaudit.*-{self.namespace}/_refresh")
        query = {"size": 10_000, "sort": [{"event.sequence": "asc"}]}
        hits = self.node.ask("POST", f"/logs-fileaudit.*-{self.namespace}/_search", query)["hits"]["hits"]
        assert all(hit["_id"] == hit["_source"]["event"]["id"] for hit in hits)
        return [hit["_source"] for hit in hits]


@pytest.fixture
def open_delivery(each_elastic: Node, namespace: str) -> Iterator[Delivery]:
    put_templates(each_elastic)
    with closing(ElasticSink(ElasticSettings(hosts=(each_elastic.url,), namespace=namespace))) as sink:
        yield Delivery(node=each_elastic, namespace=namespace, sink=sink)


def reason(answers: Sequence[Answer]) -> str:
    """Of the first answer, which is none of success."""
    assert isinstance(answers[0], Retry | Reject), answers[0]
    return answers[0].reason


def test_documents_are_there_once_with_their_ids_however_often_they_are_sent(open_delivery: Delivery) -> None:
    rows = alerts(1_500)
    assert open_delivery.sink.deliver(rows) == [DELIVERED] * len(rows)
    assert open_delivery.sink.deliver(rows) == [DELIVERED] * len(rows)
    assert [one["event"]["id"] for one in open_delivery.sources()] == [one.id for one in rows]


def test_a_hostile_name_is_one_document_and_comes_back_as_it_is(open_delivery: Delivery) -> None:
    rows = [alert(seq, path=name, source=name) for seq, name in enumerate(NAMES, 1)]
    assert open_delivery.sink.deliver(rows) == [DELIVERED] * len(rows)
    found = open_delivery.sources()
    assert [one["file"]["path"] for one in found] == [one.document["file"]["path"] for one in rows]
    assert [one["message"] for one in found] == [one.document["message"] for one in rows]


@pytest.mark.parametrize("name", ['quote"d', "back\\slash", "tab\t\\", "\\x5c"])
def test_a_name_is_found_without_regard_to_case_whatever_it_needs_escaped(
    name: str, open_delivery: Delivery
) -> None:
    found = document()
    found["user"]["name"] = name
    open_delivery.sink.deliver([row(found)])
    open_delivery.sources()
    query = {"query": {"term": {"user.name.caseless": name.upper()}}}
    count = open_delivery.node.ask("POST", f"/logs-fileaudit.*-{open_delivery.namespace}/_count", query)
    assert count["count"] == 1


def test_alerts_and_events_go_to_streams_of_their_own(open_delivery: Delivery) -> None:
    event = document()
    event["event"] |= {"id": "e" * 32, "kind": "event", "dataset": "fileaudit.event"}
    assert open_delivery.sink.deliver([alert(1), row(event, 2)]) == [DELIVERED] * 2
    assert [one["data_stream"]["dataset"] for one in open_delivery.sources()] == [
        *("fileaudit.alert", "fileaudit.event")
    ]


def test_what_a_mapping_does_not_take_is_rejected_alone_with_the_type_of_its_error(
    open_delivery: Delivery,
) -> None:
    mapped(open_delivery, {"process": {"properties": {"pid": {"type": "short"}}}})
    bad = document()
    bad["event"]["id"] = "b" * 32
    bad["process"]["pid"] = 40_000
    small = document()
    small["event"]["id"] = "a" * 32
    small["process"]["pid"] = 40
    first, second = open_delivery.sink.deliver([row(bad, 1), row(small, 2)])
    assert isinstance(first, Reject)
    assert first.reason.startswith("400: document_parsing_exception: ")
    assert "process.pid" in first.reason
    assert second == DELIVERED
    assert len(open_delivery.sources()) == 1


def mapped(delivery: Delivery, properties: dict[str, Any], **more: Any) -> None:
    """Somebody's own template for the alerts of this test."""
    known = {"@timestamp": {"type": "date"}, "event": {"properties": {"sequence": {"type": "long"}}}}
    delivery.node.ask(
        "PUT",
        f"/_index_template/of-{delivery.namespace}",
        {
            "index_patterns": [f"logs-fileaudit.alert-{delivery.namespace}"],
            "priority": 900,
            "template": {"mappings": {"dynamic": False, "properties": known | properties}},
            **({"data_stream": {}} | more),
        },
    )


def test_without_a_data_stream_nothing_is_made_and_rows_wait_for_the_templates(
    open_delivery: Delivery,
) -> None:
    open_delivery.node.ask(
        "PUT",
        f"/_index_template/of-{open_delivery.namespace}",
        {"index_patterns": [f"logs-fileaudit.alert-{open_delivery.namespace}"], "priority": 900},
    )
    assert "elastic install" in reason(open_delivery.sink.deliver(alerts(3)))
    indices = open_delivery.node.ask("GET", f"/_cat/indices/*{open_delivery.namespace}*?format=json")
    assert indices == []
    open_delivery.node.ask("DELETE", f"/_index_template/of-{open_delivery.namespace}")
    assert open_delivery.sink.deliver(alerts(3)) == [DELIVERED] * 3


def test_a_pipeline_that_is_not_there_makes_rows_wait_until_it_is(open_delivery: Delivery) -> None:
    name = f"of-{open_delivery.namespace}"
    settings = {"settings": {"index.default_pipeline": name}}
    template = {"index_patterns": [f"logs-fileaudit.alert-{open_delivery.namespace}"], "priority": 900}
    open_delivery.node.ask(
        "PUT", f"/_index_template/{name}", {**template, "data_stream": {}, "template": settings}
    )
    answers = open_delivery.sink.deliver(alerts(20))
    assert "pipeline with id" in reason(answers)
    assert all(isinstance(one, Retry) for one in answers)
    open_delivery.node.ask("PUT", f"/_ingest/pipeline/{name}", {"processors": []})
    assert open_delivery.sink.deliver(alerts(20)) == [DELIVERED] * 20


def test_an_index_that_takes_nothing_makes_rows_wait_and_not_the_sink(open_delivery: Delivery) -> None:
    open_delivery.sink.deliver(alerts(1))
    block(open_delivery, on=True)
    assert "cluster_block_exception" in reason(open_delivery.sink.deliver(alerts(2, first=2)))
    block(open_delivery, on=False)
    assert open_delivery.sink.deliver(alerts(2, first=2)) == [DELIVERED] * 2


def block(delivery: Delivery, *, on: bool) -> None:
    target = f"/logs-fileaudit.alert-{delivery.namespace}/_settings"
    delivery.node.ask("PUT", target, {"index.blocks.write": on or None})


def test_a_request_of_megabytes_is_taken_whole(open_delivery: Delivery) -> None:
    found = document()
    rows = []
    for seq in range(1, 9):
        found["event"]["id"] = f"{seq:032x}"
        found["process"]["command_line"] = "x" * 1_000_000
        rows.append(row(found, seq))
    assert open_delivery.sink.deliver(rows) == [DELIVERED] * len(rows)
    assert len(open_delivery.sources()) == len(rows)


# ------------------------------------------------------------------------------------------------- who we are


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.touch(mode=0o600)
    file.write_text("deliver-it\n")
    return file


@pytest.fixture
def deliverer(elastic_secure: Node, namespace: str, password: Path) -> ElasticSettings:
    """Who has the least rights that are enough."""
    put_templates(elastic_secure)
    return ElasticSettings(
        hosts=(elastic_secure.url,),
        namespace=namespace,
        username="deliverer",
        password=Secret(file=password),
        ca_file=elastic_secure.ca,
    )


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def answers_of(settings: ElasticSettings, rows: Sequence[StoredRecord]) -> list[Answer]:
    with closing(ElasticSink(settings)) as sink:
        return sink.deliver(rows)


def test_who_may_create_documents_delivers(deliverer: ElasticSettings) -> None:
    assert answers_of(deliverer, alerts(5)) == [DELIVERED] * 5


def test_a_wrong_password_stops_the_sink_until_another_one_is_in_the_file(
    deliverer: ElasticSettings, password: Path, elastic_secure: Node
) -> None:
    password.write_text("another")
    clock = Clock()
    with closing(ElasticSink(deliverer, clock_s=clock)) as sink:
        words = reason(sink.deliver(alerts(3)))
        assert f"the password of deliverer in {password} is refused: 401: security_exception" in words
        assert "another" not in words
        password.write_text("deliver-it")
        assert reason(sink.deliver(alerts(3))) == words
        clock.now_s += 10.0
        assert sink.deliver(alerts(3)) == [DELIVERED] * 3
    elastic_secure.ask("POST", f"/logs-fileaudit.*-{deliverer.namespace}/_refresh")
    count = elastic_secure.ask("GET", f"/logs-fileaudit.*-{deliverer.namespace}/_count")
    assert count["count"] == 3


def test_a_key_that_the_node_does_not_know_stops_the_sink(deliverer: ElasticSettings, tmp_path: Path) -> None:
    file = tmp_path / "es.key"
    file.write_text("VGhpcyBpcyBubzpBUEkga2V5")
    settings = dataclasses.replace(deliverer, username=None, password=None, api_key=Secret(file=file))
    words = reason(answers_of(settings, alerts(1)))
    assert f"the API key in {file} is refused: 401" in words


def test_who_says_nothing_is_told_to_say_who_they_are(deliverer: ElasticSettings) -> None:
    settings = dataclasses.replace(deliverer, username=None, password=None)
    assert "set 'api_key_file'" in reason(answers_of(settings, alerts(1)))


def test_who_may_only_read_is_told_what_they_need(deliverer: ElasticSettings, password: Path) -> None:
    password.write_text("only-looks")
    words = reason(answers_of(dataclasses.replace(deliverer, username="reader"), alerts(2)))
    assert "user reader may not write" in words
    assert "create_doc" in words


def certificates_of(node: Node) -> Certificates:
    assert node.certificates is not None
    return node.certificates


def test_a_node_of_another_authority_is_told_nothing(
    deliverer: ElasticSettings, elastic_secure: Node
) -> None:
    stranger = dataclasses.replace(deliverer, ca_file=certificates_of(elastic_secure).other_ca)
    assert "its certificate does not come from one in " in reason(answers_of(stranger, alerts(1)))


def test_a_fingerprint_is_as_good_as_a_file(deliverer: ElasticSettings, elastic_secure: Node) -> None:
    pem = certificates_of(elastic_secure).server.cert.read_text()
    right = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    known = dataclasses.replace(deliverer, ca_file=None, ca_fingerprint=right)
    assert answers_of(known, alerts(1)) == [DELIVERED]
    wrong = dataclasses.replace(known, ca_fingerprint="0" * 64)
    assert "'ca_fingerprint'" in reason(answers_of(wrong, alerts(1)))
