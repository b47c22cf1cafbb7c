"""Documents of every kind that reach Elasticsearch, as the engine makes them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from tests.unit.events.examples import EVERYTHING, LOSS, SHADOW
from tests.unit.sinks.every_operation import DAY

from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.events.jsonl import line_of
from fileaudit_engine.resources import rules_dir
from fileaudit_engine.store.losses import record_of_loss

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden" / "documents"
DEMO = ROOT / "tests" / "fixtures" / "demo" / "attack.ndjson"
PREVIOUS = {"how": "killed", "until": "2026-11-24T07:30:45.000000000Z", "unwatched_seconds": 90}
RETENTION: dict[str, object] = {"retention": {"removed": 7, "reason": "older than 90d"}}
HOW_FAR = {"sink": "elasticsearch", "behind": 12, "lag_seconds": 3}
WORKED: dict[str, Any] = {
    "login_user_id": 1000,
    "login_user_name": "alice",
    "working_directory": "/srv",
    "owner_name": "root",
    "container": EVERYTHING.container,
}
LOGGED_IN = [msgspec.structs.replace(one, **WORKED) for one in DAY]
IN_CONTAINER = msgspec.structs.replace(SHADOW, container=EVERYTHING.container)
FACTS: Mapping[Action, dict[str, Any]] = {
    Action.ENGINE_START: {"version": "1", "rules_total": 41, "previous": PREVIOUS},
    Action.STORE_UNAVAILABLE: {"reason": "No space left on device"},
    Action.SINK_UNAVAILABLE: {**HOW_FAR, "reason": "refused"},
    Action.DELIVERY: {**HOW_FAR, "delivered": 4_096, "rejected": 1},
}
"""`fileaudit.engine` of some actions, as those who record them say it."""


def documents(folder: Path) -> list[Mapping[str, Any]]:
    """A recorded attack, a day at work and an event with every field through all rules; and the engine's own.

    Args:
        folder: Where the recording is written.
    """
    golden = [json.loads((GOLDEN / name).read_text()) for name in ("alert.json", "crossing.json")]
    return [*_replayed(folder), *golden, *_engine()]


def _replayed(folder: Path) -> list[dict[str, Any]]:
    recording = folder / "recorded.ndjson"
    recording.write_bytes(b"".join(map(line_of, [EVERYTHING, IN_CONTAINER, *LOGGED_IN])) + DEMO.read_bytes())
    rules = rules_dir()
    command = [sys.executable, "-m", "fileaudit_engine", "replay", str(recording), "--format", "json"]
    scopes = [f"--rules={rules / place}" for place in ("linux", "audit/whole_host.yml")]
    done = subprocess.run(
        [*command, *scopes, "--show-audit", "--log-level", "error"],
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _engine() -> Iterator[Mapping[str, Any]]:
    yield record_of_loss(LOSS, "web-1").document
    for action in Action:
        own = RETENTION if action is Action.RETENTION else None
        level = "critical" if action is Action.AUDIT_TRAIL_ALTERED else None
        facts = FACTS.get(action, {"reason": "told"})
        record = engine_record(action, LOSS.last_ns, "web-1", "it is so", facts, own=own, alert_level=level)
        yield record.document
