"""What the engine says of its own coming and going."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.store.kept import Kept

from fileaudit_engine import __version__
from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.detect.record import Record
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.runtime import lifecycle
from fileaudit_engine.runtime.heartbeat import Before
from fileaudit_engine.runtime.lifecycle import reload_record, start_record, stop_record
from fileaudit_engine.sources.base import Counters
from fileaudit_engine.store.store import Store

RULE = """
title: {name}
name: {name}
level: {level}
logsource: {{product: linux, category: file_access}}
detection: {{selection: {{TargetFilename: /{name}}}, condition: selection}}
"""
START_NS = 1_795_867_200_000_000_000


def compiled(**levels: str) -> Compiled:
    text = "---".join(RULE.format(name=name, level=level) for name, level in levels.items())
    return compile_rules(parse_text(text, "rules").rules)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s" / "db") as opened:
        yield opened


def facts(record: Record) -> dict[str, Any]:
    own: Any = record.document["fileaudit"]
    found: dict[str, Any] = own["engine"]
    return found


def test_a_start_names_the_rules_and_the_trails_in_force(store: Store) -> None:
    rules = compiled(secrets="high", keys="low", trail="informational")
    record = start_record(store, rules, Before("never", None), ts_ns=START_NS, host="web1")
    told = facts(record)
    assert (told["rules"], told["rules_total"]) == (["keys", "secrets"], 2)
    assert (told["trails"], told["trails_total"]) == (["trail"], 1)
    assert told["version"] == __version__
    assert told["store"] == store.identity.hex()
    assert told["previous"] == {"how": "never"}


def test_a_start_says_by_which_clock_and_whether_it_is_kept_right(store: Store) -> None:
    record = start_record(store, compiled(a="low"), Before("never", None), ts_ns=START_NS, host="web1")
    assert facts(record)["clock"]["source"] == "boottime+realtime"
    assert {type(facts(record)["clock"].get("synchronized"))} <= {bool, type(None)}


def test_a_start_says_for_how_long_nobody_was_watching(store: Store) -> None:
    record = start_record(
        store, compiled(a="low"), Before("killed", START_NS - 75 * 10**9), ts_ns=START_NS, host="web1"
    )
    assert facts(record)["previous"] == {
        "how": "killed",
        "until": "2026-11-28T11:58:45.000000000Z",
        "unwatched_seconds": 75,
    }
    assert "the one before was killed at 2026-11-28T11:58:45" in str(record.document["message"])


def test_a_pack_of_thousands_of_rules_is_counted_and_its_first_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lifecycle, "MOST_NAMES", 2)
    told = facts(reload_record(compiled(c="low", a="low", b="low"), ts_ns=START_NS, host="web1"))
    assert (told["rules"], told["rules_total"]) == (["a", "b"], 3)


def test_a_stop_says_why_and_what_was_seen_and_lost() -> None:
    counters = Counters(seen=9, filtered=4, delivered=3, lost={"open": 2})
    told = facts(stop_record(counters, reason="SIGTERM", ts_ns=START_NS, host="web1"))
    assert told["reason"] == "SIGTERM"
    assert told["events"] == {"seen": 9, "filtered": 4, "delivered": 3, "lost": {"open": 2}}


def test_they_are_kept_in_the_chain(store: Store) -> None:
    rules = compiled(a="low")
    store.append(
        [
            start_record(store, rules, Before("never", None), ts_ns=START_NS, host="web1"),
            reload_record(rules, ts_ns=START_NS + 1, host="web1"),
            stop_record(Counters(), reason="the output is closed", ts_ns=START_NS + 2, host="web1"),
        ]
    )
    kept = Kept(store.path)
    kept.read_on()
    actions = [document["event"]["action"] for document in kept.actions()]
    assert actions == ["engine_start", "rules_reloaded", "engine_stop"]
