"""What the commands do and say about sinks that are behind a network."""

import argparse
import json
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record

from fileaudit_engine.cli.delivering import router_of, routes_lines, warn_of_secrets
from fileaudit_engine.cli.doctor_sinks import progress_of, sink_checks
from fileaudit_engine.cli.live import alert_sinks
from fileaudit_engine.cli.main import main
from fileaudit_engine.cli.replay import _delivered
from fileaudit_engine.config import Config, parse_config
from fileaudit_engine.runtime.deliveries import Deliveries
from fileaudit_engine.runtime.delivery import Delivery
from fileaudit_engine.runtime.follower import EVERYTHING
from fileaudit_engine.sinks.base import Answer, Reject
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.stored import StoredRecord

EVENT = {"Operation": "open", "AccessMode": "read", "TargetFilename": "/etc/shadow", "User": "alice"}


def config_of(text: str, folder: Path = Path("/nowhere")) -> Config:
    return parse_config(text.encode(), folder / "config.yml")


@pytest.fixture
def listening() -> Iterator[int]:
    """A port on which somebody takes connections, and reads nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def refusing() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


# ------------------------------------------------------------------------------------------------ routes


def test_without_routes_and_sinks_nothing_is_said_of_them() -> None:
    assert routes_lines(Config(), router_of(Config())) == []


def test_the_greeting_says_who_gets_what() -> None:
    config = config_of(
        "routes:\n"
        "  - {level: [high, critical], to: [elasticsearch, syslog]}\n"
        "  - {level: [low, medium], to: [elasticsearch]}\n"
        "sinks:\n"
        "  elasticsearch: {hosts: ['https://es:9200']}\n"
        "  syslog: {address: 'tls://siem:6514'}\n"
        "  json: {path: /var/log/fileaudit}\n"
    )
    assert routes_lines(config, router_of(config)) == [
        "routes    terminal       critical high medium low",
        "          json           critical high medium low informational engine",
        "          elasticsearch  critical high medium low",
        "          syslog         critical high",
    ]


def shown(capsys: pytest.CaptureFixture[str], config: Config, *, show_audit: bool = False) -> list[str]:
    """The levels of the alerts and audit events that are printed of one of each."""
    args = argparse.Namespace(format="json", show_audit=show_audit, color="never")
    records = [record(level=level) for level in ("high", "low", "informational")]
    for sink in alert_sinks(args, router_of(config)):
        sink.deliver(records)
    lines = capsys.readouterr().out.splitlines()
    return [json.loads(line)["fileaudit"]["rule"]["level"] for line in lines]


def test_the_terminal_shows_alerts_unless_a_route_says_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, Config()) == ["high", "low"]
    assert shown(capsys, Config(), show_audit=True) == ["high", "low", "informational"]
    to_terminal = config_of("routes: [{level: [high, informational], to: [terminal]}]")
    assert shown(capsys, to_terminal) == ["high", "informational"]
    silent = config_of("routes: [{level: low, to: []}]")
    assert shown(capsys, silent) == ["high"]


def test_a_secret_that_everybody_can_read_is_told_of_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)
    (tmp_path / "es.key").write_text("c2VjcmV0")
    (tmp_path / "es.key").chmod(0o644)
    text = "sinks: {elasticsearch: {hosts: ['https://es:9200'], api_key_file: es.key}}"
    warn_of_secrets(config_of(text, tmp_path))
    said = capsys.readouterr().err
    assert said.startswith("SINK      ")
    assert "es.key" in said
    assert "c2VjcmV0" not in said
    (tmp_path / "es.key").chmod(0o600)
    warn_of_secrets(config_of(text, tmp_path))
    assert capsys.readouterr().err == ""


# ------------------------------------------------------------------------------------------------ replay


def replayed(tmp_path: Path, *arguments: str) -> int:
    (tmp_path / "events.ndjson").write_text(json.dumps({**EVENT, "@timestamp": "2026-11-24T07:30:45Z"}))
    return main(["replay", str(tmp_path / "events.ndjson"), "--format", "none", *arguments])


def test_delivery_needs_a_store_and_a_sink(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replayed(tmp_path, "--deliver") == 2
    assert "--deliver needs --store" in capsys.readouterr().err
    assert replayed(tmp_path, "--deliver", "--store", str(tmp_path / "s" / "db")) == 2
    assert "--deliver needs a configuration" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_what_cannot_be_delivered_stays_and_the_status_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fileaudit_engine.cli.replay.PATIENCE_S", 0.2)
    config = tmp_path / "config.yml"
    config.write_text(f"sinks: {{syslog: {{address: 'tcp://127.0.0.1:{refusing()}'}}}}")
    store = tmp_path / "s" / "db"
    assert replayed(tmp_path, "--deliver", "--store", str(store), "--config", str(config)) == 3
    said = capsys.readouterr().err
    assert "that the sinks have 1 record of the store is not certain; a later run goes on there" in said
    assert "sink     syslog · 0 delivered · 0 rejected · 1 behind" in said
    with Store.open(store, read_only=True) as kept:
        assert kept.cursors() == {"syslog": 0}
        assert kept.head.seq == 1


class Refusing:
    """A sink that takes nothing for good."""

    def deliver(self, records: Sequence[StoredRecord]) -> list[Answer]:
        return [Reject("no such pipeline") for _ in records]

    def close(self) -> None:
        """Nothing is open."""


def test_what_is_rejected_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(tmp_path / "s" / "db") as store:
        refused = Delivery("far", lambda _: Refusing(), store, wanted=EVERYTHING)
        store.append([record(level="high")])
        assert _delivered(Deliveries([refused], store, host="h", keep=store.append, tell=print)) == 1
    assert "1 record rejected; `doctor` says why" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ doctor


def test_the_doctor_asks_no_sink_where_there_is_none() -> None:
    assert list(sink_checks(Config())) == []


def test_the_doctor_says_whether_a_receiver_answers_and_what_it_costs_if_not(listening: int) -> None:
    (fine,) = sink_checks(
        config_of(f"sinks: {{syslog: {{address: 'tcp://127.0.0.1:{listening}'}}}}\nstore: {{path: none.db}}")
    )
    assert (fine.name, fine.ok, fine.required) == ("syslog", True, False)
    host = f"http://127.0.0.1:{refusing()}"
    (gone,) = sink_checks(
        config_of(f"sinks: {{elasticsearch: {{hosts: ['{host}']}}}}\nstore: {{path: none.db}}")
    )
    assert (gone.name, gone.ok, gone.required) == ("elasticsearch", False, False)
    assert gone.cost == "its records wait in the store until it takes them"
    assert gone.remedy


def test_a_secret_that_is_not_there_is_a_finding_of_the_doctor_and_no_traceback(tmp_path: Path) -> None:
    text = (
        "sinks: {elasticsearch: {hosts: ['https://127.0.0.1:9'], api_key_file: es.key}}\nstore: {path: x.db}"
    )
    (found,) = sink_checks(config_of(text, tmp_path))
    assert not found.ok
    assert "es.key" in found.detail


def test_the_doctor_says_how_far_each_sink_is_and_what_it_has_rejected(
    tmp_path: Path, listening: int
) -> None:
    with Store.open(tmp_path / "s" / "db") as store:
        store.append([record(level="high"), record(msgspec.structs.replace(SHADOW, ts_ns=1), level="low")])
        store.save_cursor("syslog", 1, 5, rejected={1: "too long"})
        store.save_cursor("json", 0, 5)
    text = f"sinks: {{syslog: {{address: 'tcp://127.0.0.1:{listening}'}}}}\nstore: {{path: s/db}}"
    _, found = sink_checks(config_of(text, tmp_path))
    assert (found.name, found.ok) == ("delivery", False)
    assert found.detail == "syslog is 1 row behind, 1 record rejected; the first is row 1: too long"
    assert found.cost == "syslog has not got them"
    (progress,) = progress_of(config_of(text, tmp_path))
    assert (progress.sink, progress.behind, progress.rejected) == ("syslog", 1, 1)
    assert progress.lag_seconds > 0
