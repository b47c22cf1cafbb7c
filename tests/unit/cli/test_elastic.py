"""`elastic install` and `elastic status`, as somebody reads them who has a full node."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record
from tests.unit.sinks.elastic.full_node import FullNode, failure

from fileaudit_engine.cli.main import main
from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.store.store import Store

STREAM = "logs-fileaudit.alert-default"
MAPPINGS = "/_component_template/fileaudit@mappings"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def node() -> Iterator[FullNode]:
    with FullNode() as served:
        yield served


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where a store is, or is not."""
    return tmp_path / "s" / "db"


@pytest.fixture
def run(node: FullNode, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `elastic …`; returns status, output and complaints."""

    def elastic(*arguments: str) -> tuple[int, str, str]:
        path = tmp_path / "config.yml"
        said = {"store": {"path": str(store)}, "sinks": {"elasticsearch": {"hosts": [node.url]}}}
        path.write_text(json.dumps(said))
        capsys.readouterr()
        status = main(["elastic", *arguments, "--config", str(path)])
        return status, *capsys.readouterr()

    return elastic


# ----------------------------------------------------------------------------------------------- install


def test_a_full_node_is_told_of_line_by_line(run: Run, node: FullNode) -> None:
    assert run("install") == (
        0,
        f"""\
node      {node.url} · Elasticsearch 9.2.0
+ policy     fileaudit             created
+ component  fileaudit@settings    created
+ component  fileaudit@mappings    created
+ component  fileaudit@enhanced    created
+ template   logs-fileaudit.alert  created
+ template   logs-fileaudit.event  created
6 put, 0 left as they are
""",
        "",
    )


def test_a_dry_run_says_the_same_and_changes_nothing(run: Run, node: FullNode) -> None:
    status, said, _ = run("install", "--dry-run")
    assert (status, said.count("would be created"), node.changes) == (0, 6, [])
    assert said.endswith("6 would be put, 0 left as they are; nothing was changed\n")


def test_a_second_time_nothing_is_changed(run: Run) -> None:
    run("install")
    status, said, _ = run("install")
    assert (status, said.count("unchanged")) == (0, 6)
    assert said.endswith("everything is as it should be: nothing was changed\n")


def test_what_was_edited_is_shown_place_by_place(run: Run, node: FullNode) -> None:
    run("install")
    properties = node.kept[MAPPINGS]["template"]["mappings"]["properties"]
    properties["message"]["type"] = "keyword"
    properties["\x1b[2J"] = {"type": "text"}
    said = run("install")[1]
    assert "~ component  fileaudit@mappings    put back: it was not what the engine had put\n" in said
    assert "      - mappings.message.type  keyword\n      + mappings.message.type  text\n" in said
    assert "      - mappings.\\x1b[2J.type  text\n" in said


def test_of_a_template_that_is_another_one_altogether_the_beginning_is_shown(
    run: Run, node: FullNode
) -> None:
    run("install")
    node.kept[MAPPINGS] = {"template": {}}
    said = run("install", "--dry-run")[1]
    assert said.count("      + ") == 40
    assert " more lines\n" in said


def test_a_policy_of_ones_own_stays_and_is_shown(run: Run, node: FullNode) -> None:
    run("install")
    node.kept["/_ilm/policy/fileaudit"]["policy"]["phases"]["delete"] = {"min_age": "365d"}
    status, said, _ = run("install")
    assert status == 0
    assert "= policy     fileaudit             left as it is: you have your own\n" in said
    assert "- policy.phases.delete.min_age  365d\n" in said


def test_a_template_that_is_in_the_way_stops_everything(run: Run, node: FullNode) -> None:
    node.others = [{"name": "mine", "index_template": {"index_patterns": ["logs-*"], "priority": 250}}]
    status, said, _ = run("install")
    assert (status, node.changes) == (1, [])
    assert "✗ the index template mine is for logs-fileaudit.alert-* as well" in said
    assert said.endswith("nothing was changed\n")


def test_a_template_that_decides_instead_is_told_and_is_a_finding(run: Run, node: FullNode) -> None:
    node.others = [{"name": "mine", "index_template": {"index_patterns": ["logs-*"], "priority": 300}}]
    status, said, _ = run("install")
    assert (status, said.count("created")) == (1, 6)
    assert "! the index template mine has a higher priority and decides about" in said


def test_the_last_line_does_not_call_right_what_the_status_calls_wrong(run: Run, node: FullNode) -> None:
    run("install")
    node.others = [{"name": "mine", "index_template": {"index_patterns": ["logs-*"], "priority": 300}}]
    status, said, _ = run("install")
    assert (status, said.count("unchanged")) == (1, 6)
    assert said.endswith("\nnothing was changed: what stands in the way is not the engine's to change\n")


def test_a_data_stream_gets_new_mappings_when_somebody_says_so(run: Run, node: FullNode) -> None:
    node.streams = {STREAM: [".ds-1"]}
    assert (
        f"! data stream {STREAM} goes on with the mappings it has until its next index\n" in run("install")[1]
    )
    said = run("install", "--rollover", "--dry-run")[1]
    assert f"~ data stream {STREAM}  its next index would be begun\n" in said
    assert node.streams == {STREAM: [".ds-1"]}
    said = run("install", "--rollover")[1]
    assert f"~ data stream {STREAM}  its next index is begun: .ds-{STREAM}-000002\n" in said


def test_what_is_put_before_a_refusal_has_been_told(run: Run, node: FullNode) -> None:
    node.answers = {"PUT /_index_template": failure(400, "illegal_argument_exception", "not this one")}
    status, said, complaints = run("install")
    assert (status, said.count("created")) == (3, 4)
    assert "the node refuses the template logs-fileaudit.alert: 400: not this one" in complaints
    assert "4 of 6 are put; the same command again goes on from there\n" in complaints
    node.answers = {}
    assert run("install")[0] == 0


def test_without_an_elasticsearch_in_the_configuration_the_remedy_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yml"
    path.write_text("rules: []\n")
    assert main(["elastic", "install", "--config", str(path)]) == 2
    assert "write `sinks: {elasticsearch: {hosts:" in capsys.readouterr().err
    assert main(["elastic", "status"]) == 2
    assert "name a configuration by --config" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ status


def found_alerts(**changes: Any) -> dict[str, Any]:
    newest = {
        "@timestamp": "2026-11-24T07:30:45.123456789Z",
        "message": "Shadow file read: root opened /etc/shadow\x1b[2J",
        "fileaudit": {"rule": {"level": "high"}},
    }
    return {
        "hits": {"total": {"value": 1_234}, "hits": [{"_source": newest | changes}]},
        "aggregations": {
            "levels": {"buckets": [{"key": "low", "doc_count": 34}, {"key": "high", "doc_count": 1_200}]}
        },
    }


def test_status_tells_templates_streams_and_alerts(run: Run, node: FullNode) -> None:
    run("install")
    node.streams = {STREAM: [".ds-1", ".ds-2"]}
    node.answers = {"POST /logs-fileaudit.alert-default/_search": (200, found_alerts())}
    run("install", "--rollover")
    node.marks = {node.streams[STREAM][-1]: _marks(node)}
    assert run("status") == (
        0,
        f"""\
node      {node.url} · Elasticsearch 9.2.0
templates fileaudit             -         as it should be
          fileaudit@settings    0.1.0     as it should be
          fileaudit@mappings    0.1.0     as it should be
          fileaudit@enhanced    0.1.0     as it should be
          logs-fileaudit.alert  0.1.0     as it should be
          logs-fileaudit.event  0.1.0     as it should be
streams   {STREAM}  15 documents · 6.0K · 3 indices
alerts    1,234  high 1,200 · low 34
          newest 2026-11-24T07:30:45.123456789Z  high  Shadow file read: root opened /etc/shadow\\x1b[2J
store     there is none on this host
✓ nothing is wrong
""",
        "",
    )


def _marks(node: FullNode) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("mappings", "enhanced"):
        body = node.kept[f"/_component_template/fileaudit@{name}"]
        found |= body["template"]["mappings"]["_meta"]
    return found


def test_an_endless_message_is_cut(run: Run, node: FullNode) -> None:
    node.answers = {"POST /logs-fileaudit.alert-default/_search": (200, found_alerts(message="\x1b" * 9_000))}
    newest = next(line for line in run("status")[1].splitlines() if "newest" in line)
    assert len(newest) < 300
    assert newest.endswith("…")


def test_templates_that_are_not_as_they_should_be_are_a_finding(run: Run) -> None:
    status, said, _ = run("status")
    assert status == 1
    assert "✗ 6 templates not as shipped (fileaudit, fileaudit@settings, " in said
    assert said.endswith("'elastic install' puts it right\n")


def test_what_waits_and_what_was_rejected_is_told_from_the_store(run: Run, store: Path) -> None:
    run("install")
    with Store.open(store) as opened:
        opened.append([record(), record(msgspec.structs.replace(SHADOW, ts_ns=SHADOW.ts_ns + 1))])
        opened.save_cursor("elasticsearch", 1, SHADOW.ts_ns, rejected={1: "a mapping: \x1b[2J"})
    status, said, _ = run("status")
    assert status == 1
    assert f"store     {store}  sent up to row 1 of 2: 1 row behind\n" in said
    assert "          the oldest that waits happened 2026-11-24T07:30:45.123456790Z, " in said
    assert "          row 1 was rejected: a mapping: \\x1b[2J\n" in said
    assert "✗ 1 row waiting: does the engine run" in said
    assert "✗ 1 record rejected: mend what the reasons say" in said


def test_a_store_of_which_nothing_was_ever_sent_is_no_finding(run: Run, store: Path) -> None:
    run("install")
    with Store.open(store) as opened:
        opened.append([record()])
    status, said, _ = run("status")
    assert (status, "1 row; nothing of it was ever sent to Elasticsearch\n" in said) == (0, True)


def test_rows_that_came_a_moment_ago_may_wait(run: Run, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("install")
    with Store.open(store) as opened:
        opened.append([record()])
        opened.save_cursor("elasticsearch", 0, SHADOW.ts_ns)
    monkeypatch.setattr("time.time_ns", lambda: SHADOW.ts_ns + UNITS_NS["m"])
    assert run("status")[0] == 0
    monkeypatch.setattr("time.time_ns", lambda: SHADOW.ts_ns + UNITS_NS["h"])
    assert run("status")[0] == 1


def test_a_store_that_is_asked_for_by_name_must_be_there(run: Run, tmp_path: Path) -> None:
    assert run("status", "--store", str(tmp_path / "none"))[0] == 2


def test_what_may_not_be_seen_is_named_and_the_rest_is_told(run: Run, node: FullNode) -> None:
    run("install")
    node.answers = {"GET /_resolve": failure(403, "security_exception", "not for you")}
    status, said, _ = run("status")
    assert status == 0
    assert "? templates: the node refuses: 403: not for you\n" in said
    assert "? data streams: the node refuses: 403: not for you\n" in said
    assert "alerts    0\n" in said


def test_programs_get_the_same_as_json(run: Run, node: FullNode, store: Path) -> None:
    run("install")
    node.streams = {STREAM: [".ds-1"]}
    node.indices = ["logs-fileaudit.event-default"]
    node.answers = {"POST /logs-fileaudit.alert-default/_search": (200, found_alerts())}
    with Store.open(store) as opened:
        opened.append([record()])
        opened.save_cursor("elasticsearch", 0, SHADOW.ts_ns, rejected={1: "why"})
    status, said, _ = run("status", "--format", "json")
    found = json.loads(said)
    assert status == 1
    assert found["node"] == {"hosts": node.url, "version": "9.2.0"}
    assert {one["state"] for one in found["templates"]} == {"same"}
    assert found["lacks"] == []
    assert [(one["name"], one["data_stream"]) for one in found["streams"]] == [
        (STREAM, True),
        ("logs-fileaudit.event-default", False),
    ]
    assert found["alerts"]["levels"] == {"high": 1_200, "low": 34}
    assert (found["store"]["cursor"], found["store"]["behind"]) == (0, 1)
    assert found["store"]["rejected"] == [{"row": 1, "reason": "why"}]
    assert len(found["findings"]) == 4


def test_a_node_that_is_not_there_ends_with_three(run: Run, node: FullNode) -> None:
    node.product = "OpenSearch"
    assert run("status")[0] == 3
