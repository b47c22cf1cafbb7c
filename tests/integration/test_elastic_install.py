"""`elastic install` and `elastic status` against real nodes: what they take, and what they do with it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.elastic_documents import NAMES, hostile, refusals
from tests.unit.detect.crossings import RENAMES
from tests.unit.events.examples import EVERYTHING, SHADOW
from tests.unit.events.records import record
from tools.elastic.node import Node

from fileaudit_engine.cli.main import main
from fileaudit_engine.detect.record import Record
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.events.times import UNITS_NS

TEMPLATES = "/_component_template/fileaudit@mappings"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `elastic …` for a node; returns status, output and complaints."""

    def elastic(node: Node, *arguments: str, **options: object) -> tuple[int, str, str]:
        configuration = tmp_path / "config.yml"
        elasticsearch = {"hosts": [node.url], **options}
        configuration.write_text(json.dumps({"sinks": {"elasticsearch": elasticsearch}}))
        capsys.readouterr()
        status = main(["elastic", *arguments, "--config", str(configuration), "--color", "never"])
        return status, *capsys.readouterr()

    return elastic


@pytest.fixture
def installed(each_elastic: Node, run: Run) -> Node:
    """A node that has the templates, and no data stream by those that somebody has put by hand."""
    status, said, complaints = run(each_elastic, "install", "--rollover")
    assert status == 0, said + complaints
    return each_elastic


def kept(node: Node) -> Any:
    return [node.ask("GET", "/_component_template"), node.ask("GET", "/_index_template")]


def test_installing_twice_changes_nothing_and_says_so(installed: Node, run: Run) -> None:
    before, version = kept(installed), node_state(installed)
    status, said, _ = run(installed, "install")
    assert (status, said.count("unchanged")) == (0, 4)
    assert "everything is as it should be: nothing was changed" in said
    assert (kept(installed), node_state(installed)) == (before, version)


def node_state(node: Node) -> object:
    """The version of what the node knows: every change of a template is another one."""
    return node.ask("GET", "/_cluster/state/version")["version"]


def test_a_bare_node_is_told_what_it_lacks_and_what_that_costs(installed: Node, run: Run) -> None:
    _, said, _ = run(installed, "install")
    for part in ("wildcard", "constant_keyword", "match_only_text", "lifecycle"):
        assert f"{part}: " in said
    assert f"Elasticsearch {installed.version}" in said


def test_a_template_that_was_edited_is_shown_and_put_back(installed: Node, run: Run) -> None:
    before = kept(installed)
    body = installed.ask("GET", TEMPLATES)["component_templates"][0]["component_template"]
    body["template"]["mappings"]["properties"]["user"]["properties"]["name"]["ignore_above"] = 256
    installed.ask("PUT", TEMPLATES, {"template": body["template"], "_meta": body["_meta"]})
    status, said, _ = run(installed, "install", "--dry-run")
    assert (status, "would be put back" in said) == (0, True)
    assert "- mappings.user.name.ignore_above  256\n" in said
    assert run(installed, "status")[0] == 1
    assert "put back" in run(installed, "install")[1]
    assert contents(kept(installed)) == contents(before)
    assert run(installed, "status")[0] == 0


def contents(found: Any) -> Any:
    """Without the times at which newer nodes say that a template was made or changed."""
    if isinstance(found, dict):
        return {
            key: contents(value) for key, value in found.items() if not key.endswith(("_date", "_millis"))
        }
    return [contents(one) for one in found] if isinstance(found, list) else found


def test_what_the_operator_wants_otherwise_stays_and_has_the_last_word(installed: Node, run: Run) -> None:
    custom = "/_component_template/fileaudit@custom"
    installed.ask("PUT", custom, {"template": {"settings": {"index.number_of_replicas": 0}}})
    try:
        assert run(installed, "install")[0] == 0
        found = installed.ask("GET", custom)["component_templates"][0]["component_template"]["template"]
        assert found == {"settings": {"index": {"number_of_replicas": "0"}}}
        made = installed.ask("POST", "/_index_template/_simulate_index/logs-fileaudit.alert-any")
        assert made["template"]["settings"]["index"]["number_of_replicas"] == "0"
    finally:
        installed.ask("PUT", custom, {"template": {"settings": {}}})


# ---------------------------------------------------------------------------------------------- documents


def alert(event: FileEvent = SHADOW, **changes: Any) -> Record:
    return record(event, **changes)


def search(node: Node, namespace: str, body: dict[str, Any]) -> Any:
    return node.ask("POST", f"/logs-fileaudit.*-{namespace}/_search", body)


def counts(answer: Any, name: str) -> dict[object, int]:
    buckets = answer["aggregations"][name]["buckets"]
    return {one.get("key_as_string", one["key"]): one["doc_count"] for one in buckets}


def test_documents_land_in_data_streams_and_are_counted_by_what_they_say(installed: Node) -> None:
    records = [*map(alert, RENAMES), alert(), alert(EVERYTHING, title="Other", level="low")]
    assert refusals(installed, "logs-fileaudit.alert-counted", records) == []
    by = {
        "rules": {"terms": {"field": "rule.name"}},
        "levels": {"terms": {"field": "log.level"}},
        "minutes": {"date_histogram": {"field": "@timestamp", "fixed_interval": "1h"}},
        "severity": {"max": {"field": "event.severity"}},
        "bytes": {"sum": {"field": "fileaudit.bytes"}},
        "tactics": {"terms": {"field": "threat.tactic.name"}},
    }
    found = search(installed, "counted", {"size": 0, "aggs": by})
    assert counts(found, "rules") == {"Shadow file read": 6, "Other": 1}
    assert counts(found, "levels") == {"error": 6, "notice": 1}
    assert sum(counts(found, "minutes").values()) == 7
    assert counts(found, "tactics") == {"Credential Access": 7}
    assert found["aggregations"]["severity"]["value"] == 73
    assert found["aggregations"]["bytes"]["value"] == 8_192
    streams = installed.ask("GET", "/_resolve/index/logs-fileaudit.alert-counted")["data_streams"]
    assert len(streams) == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"term": {"file.path.caseless": "/ETC/shadow"}}, True),
        ({"term": {"file.path": "/ETC/shadow"}}, False),
        ({"wildcard": {"process.executable.caseless": "*/BIN/*"}}, True),
        ({"term": {"fileaudit.ancestry.executables.caseless": "/usr/bin/BASH"}}, True),
        ({"term": {"fileaudit.ancestry.executables": "/usr/sbin/sshd"}}, True),
        ({"term": {"fileaudit.ancestry.names.caseless": "SSHD"}}, True),
        ({"term": {"fileaudit.ancestry.executables": "/usr/bin/cat"}}, False),
        ({"range": {"user.effective.group.id.number": {"lt": 100}}}, True),
        ({"range": {"fileaudit.login_user.id.number": {"lt": 1000}}}, False),
        ({"term": {"fileaudit.flags_names.caseless": "o_cloexec"}}, True),
        ({"match": {"message": "shadow"}}, True),
        (
            {
                "query_string": {
                    "query": 'file.path.caseless:\\/etc\\/SHADOW AND rule.name:"Shadow file read"'
                }
            },
            True,
        ),
        ({"query_string": {"query": "shadow"}}, True),
    ],
    ids=str,
)
def test_what_rules_ask_can_be_asked_of_the_node(
    query: dict[str, Any],
    found: bool,  # noqa: FBT001 - one column of the table
    installed: Node,
) -> None:
    assert refusals(installed, "logs-fileaudit.alert-asked", [alert()]) == []
    answer = search(installed, "asked", {"query": query})
    assert (answer["hits"]["total"]["value"] > 0) is found


def test_a_text_that_is_too_long_to_be_found_is_named(installed: Node) -> None:
    long = alert(msgspec.structs.replace(SHADOW, path=NAMES[0]))
    assert refusals(installed, "logs-fileaudit.alert-long", [long, alert()]) == []
    answer = search(installed, "long", {"query": {"term": {"_ignored": "file.path"}}})
    assert [hit["_id"] for hit in answer["hits"]["hits"]] == [long.id]
    assert answer["hits"]["hits"][0]["_source"]["file"]["path"] == "\\xff" * 4_096


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(records=st.lists(hostile(), min_size=10, max_size=25, unique_by=lambda one: one.id))
def test_no_document_is_refused_for_what_is_in_it(installed: Node, records: list[Record]) -> None:
    assert refusals(installed, "logs-fileaudit.event-hostile", records) == []


# ------------------------------------------------------------------------------------------- data streams


def test_a_data_stream_of_other_mappings_is_told_and_rolled_over(installed: Node, run: Run) -> None:
    body = installed.ask("GET", TEMPLATES)["component_templates"][0]["component_template"]
    older = json.loads(json.dumps(body["template"]))
    older["mappings"]["_meta"] = {"fileaudit@mappings": "of before"}
    del older["mappings"]["properties"]["tags"]
    installed.ask("PUT", TEMPLATES, {"template": older, "_meta": body["_meta"]})
    assert refusals(installed, "logs-fileaudit.event-grown", [alert(level="informational")]) == []
    status, said, _ = run(installed, "install")
    assert "logs-fileaudit.event-grown goes on with the mappings it has" in said
    assert (status, "'--rollover' begins it now" in said) == (0, True)
    status, said, _ = run(installed, "status")
    assert "logs-fileaudit.event-grown is written by other mappings than the installed ones" in said
    assert status == 1
    _, said, _ = run(installed, "install", "--rollover")
    assert "logs-fileaudit.event-grown  its next index is begun: .ds-logs-fileaudit.event-grown-" in said
    assert "event-grown" not in run(installed, "install", "--rollover")[1]


def test_status_says_what_is_there_for_people_and_programs(installed: Node, run: Run) -> None:
    late = msgspec.structs.replace(SHADOW, ts_ns=SHADOW.ts_ns + 30_000 * UNITS_NS["d"])
    records = [alert(late, title="The \x1b[31mnewest"), alert(level="low")]
    assert refusals(installed, "logs-fileaudit.alert-told", records) == []
    status, said, _ = run(installed, "status", namespace="told")
    assert status == 0, said
    assert "alerts    2  high 1 · low 1\n" in said
    assert "logs-fileaudit.alert-told  2 documents · " in said
    assert "\x1b" not in said
    assert "x1b[31mnewest" in said
    found = json.loads(run(installed, "status", "--format", "json", namespace="told")[1])
    assert found["alerts"]["newest"]["level"] == "high"
    assert found["alerts"]["levels"] == {"high": 1, "low": 1}
    assert {one["state"] for one in found["templates"]} == {"same"}
    assert "logs-fileaudit.alert-told" in {one["name"] for one in found["streams"]}


def test_status_counts_no_alerts_of_other_namespaces(installed: Node, run: Run) -> None:
    assert refusals(installed, "logs-fileaudit.alert-others", [alert(level="low")]) == []
    status, said, _ = run(installed, "status", namespace="alone")
    assert (status, "alerts    0\n" in said) == (0, True)


# -------------------------------------------------------------------------------------------- who may what


@pytest.fixture
def secret(tmp_path: Path) -> Callable[[str], str]:
    def write(content: str) -> str:
        path = tmp_path / "secret"
        path.write_text(content)
        path.chmod(0o600)
        return str(path)

    return write


def test_it_is_installed_over_tls_by_who_may(
    elastic_secure: Node, run: Run, secret: Callable[[str], str]
) -> None:
    who: dict[str, object] = {
        "username": elastic_secure.user,
        "password_file": secret(elastic_secure.password),
    }
    status, said, complaints = run(elastic_secure, "install", ca_file=str(elastic_secure.ca), **who)
    assert status == 0, said + complaints
    assert run(elastic_secure, "status", ca_file=str(elastic_secure.ca), **who)[0] == 0


def test_who_may_not_install_learns_what_it_takes(
    elastic_secure: Node, run: Run, secret: Callable[[str], str]
) -> None:
    who: dict[str, object] = {"username": "reader", "password_file": secret("only-looks")}
    status, _, complaints = run(elastic_secure, "install", ca_file=str(elastic_secure.ca), **who)
    assert status == 3
    assert "manage_index_templates" in complaints


def test_who_may_only_read_is_told_the_rest(
    elastic_secure: Node, run: Run, secret: Callable[[str], str]
) -> None:
    who: dict[str, object] = {"username": "reader", "password_file": secret("only-looks")}
    status, said, _ = run(elastic_secure, "status", ca_file=str(elastic_secure.ca), **who)
    assert status == 0
    assert "? templates: the node refuses" in said
    assert "alerts    " in said


def test_a_wrong_password_is_told_without_it(
    elastic_secure: Node, run: Run, secret: Callable[[str], str]
) -> None:
    who: dict[str, object] = {"username": "elastic", "password_file": secret("not-this-one")}
    status, said, complaints = run(elastic_secure, "status", ca_file=str(elastic_secure.ca), **who)
    assert (status, "401" in complaints) == (3, True)
    assert "not-this-one" not in said + complaints


def test_a_node_of_another_authority_is_not_trusted(
    elastic_secure: Node, run: Run, secret: Callable[[str], str]
) -> None:
    assert elastic_secure.certificates is not None
    other = str(elastic_secure.certificates.other_ca)
    who: dict[str, object] = {"username": "elastic", "password_file": secret(elastic_secure.password)}
    status, _, complaints = run(elastic_secure, "install", ca_file=other, **who)
    assert (status, "certificate" in complaints) == (3, True)


def test_a_node_that_is_not_there_is_told(elastic: Node, run: Run) -> None:
    status, _, complaints = run(elastic, "status", hosts=["http://127.0.0.1:1"])
    assert (status, "http://127.0.0.1:1" in complaints) == (3, True)
