"""What finds no room is counted: nothing is lost silently."""

import os
from pathlib import Path

import pytest
from tests.kernel.capture import Capture, begins, in_child, made

from fileaudit_engine.compiler.ir import All, Matches, Test
from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.model import FileEvent, Loss

pytestmark = pytest.mark.kernel

OPENS = 5000


SUCCEEDS = Test(field=BY_NAME["Outcome"], check=Matches(pattern=("success",), cased=False))


def flood(path: Path, opens: int = OPENS) -> None:
    for _ in range(opens):
        os.close(os.open(path, os.O_RDONLY))


def test_sent_is_delivered_and_lost_exactly(place: Path) -> None:
    path = made(place / "file")
    capture = Capture(kernel_plan([All(operands=(begins(place), SUCCEEDS))]), ring_bytes=4096)
    try:
        in_child(lambda: flood(path))
    finally:
        capture.close()
    rest = list(capture.source.batches())
    delivered = sum(len(item.candidates) for item in rest if not isinstance(item, Loss))
    losses = [item for item in rest if isinstance(item, Loss)]
    counters = capture.source.counters()
    assert 0 < delivered < OPENS
    assert delivered + sum(loss.counts.get("open", 0) for loss in losses) == OPENS
    assert counters.delivered == delivered
    assert counters.lost["open"] == OPENS - delivered
    assert counters.seen - counters.filtered == counters.delivered + counters.lost["open"]
    assert all(loss.first_ns < loss.last_ns for loss in losses)


def test_process_records_that_are_lost_are_counted_apart(place: Path) -> None:
    path = made(place / "file")
    capture = Capture(kernel_plan([begins(place)]), ring_bytes=4096)
    try:
        in_child(lambda: flood(path))
        for _ in range(6):
            in_child(int)
    finally:
        capture.close()
    assert capture.source.counters().lost["process"] >= 6


def test_a_ring_that_is_read_loses_nothing(place: Path) -> None:
    path = made(place / "file")
    capture = Capture(kernel_plan([begins(place), All(operands=())]), ring_bytes=1 << 22)
    try:
        pid = in_child(lambda: flood(path))
        events = [seen.event for seen in capture.arrived()]
    finally:
        capture.close()
    mine = [event for event in events if event.process.pid == pid and event.path == str(path)]
    assert len(mine) == OPENS
    assert [event.ts_ns for event in mine] == sorted(event.ts_ns for event in mine)
    assert capture.source.counters().lost == {}


def completed(capture: Capture) -> list[FileEvent]:
    """All that a closed capture still holds."""
    batches = [item for item in capture.source.batches() if not isinstance(item, Loss)]
    return [batch.complete(index) for batch in batches for index in range(len(batch.candidates))]


def test_a_flood_for_the_audit_trail_leaves_room_for_the_alert_that_it_is_meant_to_hide(place: Path) -> None:
    common, secret = made(place / "common"), made(place / "secret")
    rules = [All(operands=(begins(path), SUCCEEDS)) for path in (common, secret)]
    capture = Capture(kernel_plan(rules, audit=[0]), ring_bytes=1 << 16)
    try:
        in_child(lambda: flood(common))
        in_child(lambda: flood(secret, 1))
    finally:
        capture.close()
    seen = [event.path for event in completed(capture)]
    assert seen.count(str(secret)) == 1
    assert 0 < seen.count(str(common)) < OPENS
    assert capture.source.counters().lost["open"] == OPENS - seen.count(str(common))


def test_one_users_flood_leaves_room_for_what_others_do(place: Path) -> None:
    path = made(place / "file")
    path.chmod(0o644)
    capture = Capture(kernel_plan([All(operands=(begins(place), SUCCEEDS))]), ring_bytes=1 << 18)

    def nobody() -> None:
        os.setuid(65534)
        flood(path)

    try:
        in_child(nobody)
        in_child(lambda: flood(path, 1))
    finally:
        capture.close()
    users = [event.user_id for event in completed(capture)]
    assert users.count(0) == 1
    assert 0 < users.count(65534) < OPENS
