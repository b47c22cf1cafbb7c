"""What `run` says in the audit trail about itself, on the kernel of this machine."""

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.test_commands import WATCHED, Running, cat, engine, running, the_alert
from tests.unit.store.kept import Kept

from fileaudit_engine.store.anchors import AnchorFile

pytestmark = pytest.mark.kernel


def said(command: Running, beginning: str) -> list[str]:
    return [line for line in command.err if line.startswith(beginning)]


def actions(store: Path) -> list[dict[str, Any]]:
    """What the engine said of itself so far; the chain holds."""
    kept = Kept(store)
    kept.read_on()
    return kept.actions()


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules" / "watched.yml"
    path.parent.mkdir()
    path.write_text(WATCHED.format(name="watched", path=tmp_path / "secret"))
    return path.parent


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("secret")
    return path


def test_start_and_stop_stand_around_what_was_seen_and_are_anchored(
    tmp_path: Path, rules: Path, secret: Path
) -> None:
    with engine(tmp_path, "--rules", rules) as command:
        the_alert(command, cat(str(secret)))
        assert command.stop() == 0
    kept = Kept(command.store)
    kept.read_on()
    first, *_, last = kept.documents
    assert first["event"]["action"] == "engine_start"
    assert first["fileaudit"]["engine"]["previous"] == {"how": "never"}
    assert first["fileaudit"]["engine"]["rules"] == ["watched"]
    assert last["event"]["action"] == "engine_stop"
    assert last["fileaudit"]["engine"]["reason"] == "SIGTERM"
    assert last["fileaudit"]["engine"]["events"]["delivered"] >= 1
    anchors = AnchorFile(Path(f"{command.store}.anchors")).read().found
    assert [anchor.seq for anchor in anchors] == [1, len(kept.documents)]
    (line,) = said(command, "chain")
    assert f"head {len(kept.documents)} · anchored {len(kept.documents)} · {command.store}.anchors" in line


def test_a_second_engine_on_one_store_is_refused_and_told_by_whom(tmp_path: Path, rules: Path) -> None:
    with engine(tmp_path, "--rules", rules) as command:
        second = Running("run", "--store", command.store, "--rules", rules)
        second.wait_for(lambda c: c.process.poll() is not None)
        assert second.stop() == 3
        assert any(f"process {command.process.pid}" in line for line in second.err)
        assert command.stop() == 0
    assert [one["event"]["action"] for one in actions(command.store)] == ["engine_start", "engine_stop"]


def test_a_killed_engine_is_told_by_the_next_one_with_the_time_that_nobody_watched(
    tmp_path: Path, rules: Path, secret: Path
) -> None:
    with engine(tmp_path, "--rules", rules) as command:
        alert = the_alert(command, cat(str(secret)))
        killed_ns = time.time_ns()
        command.process.kill()
        command.process.wait()
    with engine(tmp_path, "--rules", rules) as command:
        assert command.stop() == 0
    (_, again, _) = actions(command.store)
    previous = again["fileaudit"]["engine"]["previous"]
    assert previous["how"] == "killed"
    assert alert["@timestamp"] <= previous["until"] < again["@timestamp"]
    gap_ns = previous["unwatched_seconds"] * 10**9
    assert 0 <= gap_ns <= time.time_ns() - killed_ns + 10**9


def test_rows_that_were_cut_off_while_nobody_ran_are_an_alert_at_the_start(
    tmp_path: Path, rules: Path, secret: Path
) -> None:
    with engine(tmp_path, "--rules", rules) as command:
        the_alert(command, cat(str(secret)))
        assert command.stop() == 0
    with contextlib.closing(sqlite3.connect(command.store)) as database:
        database.execute("DELETE FROM records WHERE seq > 1")
        database.commit()
    with engine(tmp_path, "--rules", rules) as command:
        command.wait_for(lambda c: c.out)
        (alert,) = command.documents()
        assert alert["rule"]["id"] == "audit_trail_altered"
        assert alert["log"]["level"] == "critical"
        assert alert["fileaudit"]["engine"]["agreed_seq"] == 1
        assert command.stop() == 0
    assert len(said(command, "ALTERED")) == 1
    with engine(tmp_path, "--rules", rules) as command:  # it is told once: what was made since agrees
        assert command.stop() == 0
    assert command.documents() == []


def test_other_rules_are_told_by_name_when_they_are_in_force(tmp_path: Path, rules: Path) -> None:
    with engine(tmp_path, "--rules", rules) as command:
        (rules / "other.yml").write_text(WATCHED.format(name="other", path="/nowhere"))
        command.process.send_signal(1)
        command.wait_for(lambda c: said(c, "reload"))
        assert command.stop() == 0
    (_, reload, _) = actions(command.store)
    assert reload["event"]["action"] == "rules_reloaded"
    assert reload["fileaudit"]["engine"]["rules"] == ["other", "watched"]


def test_retention_and_the_json_log_are_as_the_configuration_says(
    tmp_path: Path, rules: Path, secret: Path
) -> None:
    config = tmp_path / "config.yml"
    config.write_text(
        f"rules: [{rules}]\n"
        f"store: {{path: {tmp_path}/store/events.db, anchors: {{file: {tmp_path}/apart/anchors.log}}}}\n"
        f"sinks: {{json: {{path: {tmp_path}/log}}}}\n"
    )
    with running("run", "--config", config, "--format", "json") as command:
        alert = the_alert(command, cat(str(secret)))
        assert command.stop() == 0
    lines = (tmp_path / "log" / "fileaudit.ndjson").read_text().splitlines()
    assert sum(alert["event"]["id"] in line for line in lines) == 1
    assert "engine_stop" in lines[-1]
    assert len(AnchorFile(tmp_path / "apart" / "anchors.log").read().found) == 2
    assert not (tmp_path / "store" / "events.db.anchors").exists()
