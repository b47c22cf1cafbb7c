"""`replay` with correlations and suppression: the whole way, from files to documents."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from fileaudit_engine.cli.main import main
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.store.store import Store

RULES = """
title: A file gets another name
name: renamed
level: low
logsource: {product: linux, category: file_rename}
detection: {selection: {TargetFilename: '*.enc'}, condition: selection}
---
title: Many files renamed
name: many_renamed
level: high
correlation:
  type: event_count
  rules: [renamed]
  group-by: [ProcessId]
  timespan: 1m
  condition: {gte: 5}
"""
FOLDED = "suppress: {by: [rule.name], for: 10m}\n"


def renamed(pid: int, second: int) -> str:
    return json.dumps(
        {
            "@timestamp": f"2026-11-24T07:{30 + second // 60}:{second % 60:02d}Z",
            "Operation": "rename",
            "TargetFilename": f"/home/a/{pid}-{second}.enc",
            "ProcessId": pid,
        }
    )


@pytest.fixture
def replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "folded.yml").write_text(FOLDED)

    def run(lines: list[str], *arguments: str) -> tuple[list[dict[str, Any]], str]:
        (tmp_path / "events.ndjson").write_text("".join(f"{line}\n" for line in lines))
        paths = [str(tmp_path / "events.ndjson"), "--rules", str(tmp_path / "rules.yml")]
        assert main(["replay", *paths, "--format", "json", *arguments]) == 0
        out, err = capsys.readouterr()
        return [json.loads(line) for line in out.splitlines()], err

    return run


def messages(documents: list[dict[str, Any]]) -> list[str]:
    return [document["message"].partition(";")[0] for document in documents]


MANY = [renamed(7, second) for second in range(5)]


def test_a_correlation_alerts_and_its_rule_does_not(replay: Any) -> None:
    documents, err = replay(MANY)
    assert messages(documents) == ["Many files renamed: 5 events within 1m for ProcessId 7"]
    assert "alerts   1 (0 critical · 1 high · 0 medium · 0 low)" in err
    assert "correlated  1 rule · " in err


def test_one_event_too_few_is_no_alert(replay: Any) -> None:
    assert replay(MANY[1:])[0] == []


def test_the_events_behind_an_alert_are_in_the_store_and_shown_where_asked_for(
    replay: Any, tmp_path: Path
) -> None:
    place = tmp_path / "s" / "db"
    documents, _ = replay(MANY, "--store", str(place), "--show-audit")
    assert [document["event"]["kind"] for document in documents] == ["event"] * 5 + ["alert"]
    with Store.open(place, read_only=True) as store:
        events, (alert,) = list(store.records(Kind.EVENT)), store.records(Kind.ALERT)
    ids = [event.document["fileaudit"]["event_id"] for event in events]
    assert ids == alert.document["fileaudit"]["correlation"]["event_ids"]


def test_the_same_recording_gives_the_same_documents_every_time(replay: Any) -> None:
    lines = [renamed(pid, second) for second in range(80) for pid in (7, 8, 9)]
    assert replay(lines)[0] == replay(lines)[0]


def test_events_of_one_moment_may_come_in_any_order(replay: Any) -> None:
    lines = [renamed(pid, 1) for pid in (7, 8, 9) for _ in range(5)]
    shuffled = random.Random(0).sample(lines, len(lines))
    assert sorted(messages(replay(shuffled)[0])) == sorted(messages(replay(lines)[0]))


def test_repeats_are_folded_and_reported_at_the_end(replay: Any, tmp_path: Path) -> None:
    lines = [renamed(pid, second) for second in range(5) for pid in (7, 8, 9)]
    documents, err = replay(lines, "--config", str(tmp_path / "folded.yml"))
    assert [document["fileaudit"].get("repeats", {}).get("count") for document in documents] == [None, 2]
    assert "alerts   1 (" in err
    assert "suppressed  2 repeats · 1 report of them · 0 not over yet" in err


def test_limits_of_the_configuration_hold(replay: Any, tmp_path: Path) -> None:
    (tmp_path / "small.yml").write_text("correlation: {groups: 1}\n")
    lines = [renamed(pid, second) for second in range(5) for pid in (7, 8)]
    documents, err = replay(lines, "--config", str(tmp_path / "small.yml"))
    assert documents == []
    assert "0 forgotten" not in err


def test_a_suspicion_and_losses_in_a_recording_are_told(replay: Any, tmp_path: Path) -> None:
    rules = RULES.replace("name: many_renamed", "name: many_renamed\nsuspected: true")
    (tmp_path / "rules.yml").write_text(rules)
    loss = {
        "@timestamp": "2026-11-24T07:30:04Z",
        "event": {"action": "lost"},
        "fileaudit": {
            "lost": {
                "first_ns": 1_795_505_400_000_000_000,
                "last_ns": 1_795_505_404_000_000_000,
                "counts": {"rename": 9},
            }
        },
    }
    (document,) = replay([*MANY[:3], json.dumps(loss)])[0]
    assert document["fileaudit"]["correlation"]["suspected"]
    assert document["fileaudit"]["losses"]["counts"] == {"rename": 9}


def test_what_came_too_late_is_told_with_what_to_do(replay: Any) -> None:
    in_order = [renamed(7, second) for second in range(5)]
    assert "too late" not in replay(in_order)[1]
    told = replay([renamed(7, 30), *in_order])[1]
    assert "5 events came too late to be correlated: sort the recordings by time" in told
