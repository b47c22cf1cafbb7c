"""What `replay --deliver` writes into a real node, searched back: it is what the store has."""

import collections
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from tests.integration.elastic_templates import put_templates
from tests.unit.events.examples import EVERYTHING
from tests.unit.sinks.every_operation import DAY
from tools.elastic.node import Node

from fileaudit_engine.cli.common import Exit
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.events.jsonl import line_of
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.ruletest.load import load_cases
from fileaudit_engine.sources.replay import ReplaySource
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.stored import StoredRecord
from fileaudit_engine.text import from_kernel, to_document

ROOT: Final = Path(__file__).parents[2]
RULES: Final = (ROOT / "rules/linux", ROOT / "rules/audit/whole_host.yml")
DEMO: Final = ROOT / "tests/fixtures/demo/attack.ndjson"
PAGE: Final = 10_000
"""What a node gives at a time."""
MOST_S: Final = 120

HOSTILE: Final = [
    b"/srv/two\nlines",
    b"/srv/<34>1 2026-01-01T00:00:00Z forged",
    b'/srv/"}\n{"create":{}}\n{"event":{"id":"forged"}}',
    b"/srv/\x01\x1b[2J\x7f\x9b",
    b"/srv/\xff\xfe\xc3\x28 is no UTF-8",
    b"/srv/\xed\xa0\x80 is half a character",
    b"/srv/\\x0a is written so",
    b'/srv/"quoted"',
    b"/srv/back\\slash",
    "/srv/\u202egnp.exe \u2028 \U0001f4a9 ß İ".encode(),
    b"/srv/" + b"/".join([b"n" * 255] * 15),
    b"/srv/* ? ~ ^ : [a TO b] && || !(x) \\* ${jndi:ldap://x} {{mustache}} %{pattern}",
    b"/srv/ ",
]
"""Names that mean something to somebody on the way."""
TOO_LONG: Final = b"/srv/" + b"/".join([b"\xff" * 255] * 15)
"""A name that each of its bytes makes four times as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A recording that was replayed into a store, and handed on to a node.

    Attributes:
        node: It.
        streams: Where in it.
        folder: Holds the store `events.db`, the recording and the configuration.
        rows: Of the store.
    """

    node: Node
    streams: str
    folder: Path
    rows: Sequence[StoredRecord]

    def search(self, asked: Mapping[str, Any]) -> Any:
        """What the node finds."""
        self.node.ask("POST", f"/{self.streams}/_refresh")
        return self.node.ask("POST", f"/{self.streams}/_search", {"track_total_hits": True, **asked})

    def hits(self) -> list[dict[str, Any]]:
        """All that the node has, in the order of the store."""
        found = self.search({"size": PAGE, "sort": [{"event.sequence": "asc"}]})["hits"]
        assert found["total"]["value"] == len(found["hits"])
        return list(found["hits"])

    def replay(self, store: str) -> str:
        """Replay the recording into a store, and deliver; what was said."""
        place = ("--store", self.folder / store, "--deliver")
        return command(
            "replay", self.folder / "recording.ndjson", *place, *options(self.folder), "--format", "none"
        )


def command(*arguments: str | Path) -> str:
    """What the program says where all goes well."""
    done = run(*arguments)
    assert done.returncode == Exit.FINE, done.stderr
    return done.stderr


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fileaudit_engine", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=MOST_S,
    )


def options(folder: Path) -> tuple[str | Path, ...]:
    """What all runs have in common."""
    return ("--config", folder / "config.yml", *(f"--rules={rules}" for rules in RULES))


def recorded() -> Iterator[bytes]:
    """Events of each rule's own tests, of each operation, with each field, and of each hostile name."""
    cases = load_cases(ROOT / "tests/fixtures").cases
    events = [one.event for case in cases for one in case.events]
    last = max(event.ts_ns for event in events)
    odd = [
        msgspec.structs.replace(EVERYTHING, path=from_kernel(name), ts_ns=last + number)
        for number, name in enumerate((*HOSTILE, TOO_LONG))
    ]
    # Two tests may tell of the very same event: of such twins the store keeps one.
    events = [*events, *odd, *DAY]
    yield from dict.fromkeys(map(line_of, sorted(events, key=lambda event: event.ts_ns)))


@pytest.fixture(scope="module")
def delivered(each_elastic: Node, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    folder = tmp_path_factory.mktemp("replayed")
    namespace = re.sub(r"[^a-z0-9]", "_", folder.name)
    where = {"hosts": [each_elastic.url], "namespace": namespace, "from": "start"}
    (folder / "config.yml").write_text(json.dumps({"sinks": {"elasticsearch": where}}))
    (folder / "recording.ndjson").write_bytes(b"".join(recorded()))
    command("elastic", "install", "--config", folder / "config.yml")
    made = Delivered(node=each_elastic, streams=f"logs-fileaudit.*-{namespace}", folder=folder, rows=[])
    made.replay("events.db")
    with Store.open(folder / "events.db", read_only=True) as store:
        rows = store.records_after(0, PAGE)
        assert rows[-1].seq == store.head.seq, "all of them are here"
        assert not store.dead_letters("elasticsearch")
    return Delivered(node=each_elastic, streams=made.streams, folder=folder, rows=rows)


def test_a_node_has_what_the_store_has_and_nothing_else(delivered: Delivered) -> None:
    streams = {Kind.ALERT: "alert", Kind.EVENT: "event", Kind.ENGINE: "event"}
    found = [(hit["_id"], hit["_source"]["data_stream"]["dataset"]) for hit in delivered.hits()]
    assert found == [(row.id, f"fileaudit.{streams[row.kind]}") for row in delivered.rows]
    assert {row.kind for row in delivered.rows} >= {Kind.ALERT, Kind.EVENT}


def test_documents_are_those_of_the_store_but_for_what_is_added_on_the_way(delivered: Delivered) -> None:
    for hit, row in zip(delivered.hits(), delivered.rows, strict=True):
        sent, kept = hit["_source"], row.document
        assert sent["data_stream"].pop("type") == "logs"
        del sent["data_stream"]
        assert sent["event"].pop("sequence") == row.seq
        assert sent["host"].pop("os") == {"type": "linux"}
        risk = kept["event"].get("severity") if row.kind is Kind.ALERT else None
        assert sent["event"].pop("risk_score", None) == risk
        created, ingested = sent["event"].pop("created", None), sent["event"].pop("ingested")
        assert created == kept["event"].pop("ingested", None)
        assert ingested > kept["@timestamp"]
        assert sent == kept


def test_rules_and_levels_are_counted_as_the_store_counts_them(delivered: Delivered) -> None:
    levels = {"terms": {"field": "fileaudit.rule.level", "size": 10}}
    asked = {
        "size": 0,
        "aggs": {"rules": {"terms": {"field": "rule.id", "size": 1_000}, "aggs": {"levels": levels}}},
    }
    buckets = delivered.search(asked)["aggregations"]["rules"]["buckets"]
    found = {
        (rule["key"], level["key"]): level["doc_count"]
        for rule in buckets
        for level in rule["levels"]["buckets"]
    }
    expected = collections.Counter((row.rule, row.level) for row in delivered.rows if row.rule)
    assert found == expected
    assert len(expected) > 30


def test_a_second_time_adds_nothing(delivered: Delivered) -> None:
    before = delivered.hits()
    delivered.replay("events.db")
    delivered.replay("another.db")
    again = {hit["_id"]: hit["_source"] for hit in delivered.hits()}
    assert {hit["_id"]: hit["_source"] for hit in before} == again


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_one_value_that_is_found_as_it_is_written(
    delivered: Delivered, name: bytes
) -> None:
    kept = to_document(from_kernel(name))
    for field in ("file.path", "file.path.caseless"):
        hits = delivered.search({"query": {"term": {field: kept}}})["hits"]["hits"]
        assert {hit["_source"]["file"]["path"] for hit in hits} == {kept}
        assert sorted(hit["_id"] for hit in hits) == rows_of(delivered, kept)


def test_a_name_that_is_too_long_for_an_index_is_whole_in_its_document(delivered: Delivered) -> None:
    kept = to_document(from_kernel(TOO_LONG))
    hits = delivered.search({"query": {"term": {"_ignored": "file.path"}}})["hits"]["hits"]
    assert {hit["_source"]["file"]["path"] for hit in hits} == {kept}
    assert sorted(hit["_id"] for hit in hits) == rows_of(delivered, kept)


def rows_of(delivered: Delivered, path: str) -> list[str]:
    """The ids of what the store has of a file."""
    found = [row.id for row in delivered.rows if row.document.get("file", {}).get("path") == path]
    assert found
    return sorted(found)


def test_what_comes_back_from_a_node_is_read_as_the_same_events(delivered: Delivered) -> None:
    back, kept = delivered.folder / "back.ndjson", delivered.folder / "kept.ndjson"
    back.write_bytes(b"".join(json.dumps(hit["_source"]).encode() + b"\n" for hit in delivered.hits()))
    kept.write_bytes(b"".join(row.raw + b"\n" for row in delivered.rows))
    assert events_in(back) == events_in(kept)
    assert len(events_in(back)) > 100


def test_a_refused_password_loses_nothing_and_a_later_run_delivers(
    elastic_secure: Node, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.touch(mode=0o600)
    secret.write_text("wrong\n")
    who = {"username": "deliverer", "password_file": str(secret), "ca_file": str(elastic_secure.ca)}
    where = {"hosts": [elastic_secure.url], "namespace": "refused_at_first", "from": "start"}
    (tmp_path / "config.yml").write_text(json.dumps({"sinks": {"elasticsearch": where | who}}))
    put_templates(elastic_secure)
    replay = ("replay", DEMO, "--store", tmp_path / "events.db", "--deliver", *options(tmp_path))

    refused = run(*replay)
    assert refused.returncode == Exit.MACHINE, refused.stderr
    assert f"the password of deliverer in {secret} is refused" in refused.stderr
    secret.write_text("deliver-it\n")
    command(*replay)

    elastic_secure.ask("POST", "/logs-fileaudit.*-refused_at_first/_refresh")
    asked = {"size": PAGE, "sort": [{"event.sequence": "asc"}]}
    hits = elastic_secure.ask("POST", "/logs-fileaudit.*-refused_at_first/_search", asked)["hits"]["hits"]
    with Store.open(tmp_path / "events.db", read_only=True) as store:
        rows = store.records_after(0, PAGE)
    assert [hit["_id"] for hit in hits] == [row.id for row in rows]
    assert rows


def events_in(recording: Path) -> list[FileEvent]:
    source = ReplaySource([recording])
    try:
        found = list(source.events())
    finally:
        source.close()
    assert [str(one) for one in source.diagnostics] == []
    return found
