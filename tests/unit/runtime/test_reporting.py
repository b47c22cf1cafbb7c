"""What a report says of a store, figure by figure."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.events.examples import CAT, SHADOW
from tests.unit.events.records import record

from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.detect.record import Record
from fileaudit_engine.diagnostics import InternalError
from fileaudit_engine.events.model import Loss, Operation
from fileaudit_engine.events.times import SECOND_NS, parse_rfc3339, rfc3339
from fileaudit_engine.resources import schemas_dir
from fileaudit_engine.runtime import controls
from fileaudit_engine.runtime.controls import FrameworkSpec, RequirementSpec, frameworks
from fileaudit_engine.runtime.report_data import Report
from fileaudit_engine.runtime.reporting import FILES, USERS, Question, report_of
from fileaudit_engine.store import blocks
from fileaudit_engine.store.anchors import Anchor
from fileaudit_engine.store.retention import Retention, remove
from fileaudit_engine.store.store import Store

DAY = "2026-11-20"
BEGIN_NS = parse_rfc3339(f"{DAY}T00:00:00Z")
HOUR_NS = 3_600 * SECOND_NS
END_NS = BEGIN_NS + 24 * HOUR_NS
_O = Operation


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ROWS", 7)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "kept" / "fileaudit.db") as opened:
        yield opened


def seen(
    hour: float,
    path: str = "/etc/shadow",
    *,
    operation: Operation = _O.OPEN,
    errno: int = 0,
    user: str = "alice",
    level: str = "informational",
    key: str = "whole_host",
    **facts: Any,
) -> Record:
    event = msgspec.structs.replace(
        SHADOW,
        ts_ns=BEGIN_NS + int(hour * HOUR_NS),
        operation=operation,
        path=path,
        errno=errno,
        user_name=user,
        **facts,
    )
    return record(event, level=level, key=key)


def append_one_by_one(store: Store, records: list[Record]) -> None:
    """What comes at once is in one block."""
    for one in records:
        store.append([one])


def started(hour: float, **facts: Any) -> Record:
    known = {"previous": {"how": "never"}, **facts}
    return engine_record(Action.ENGINE_START, BEGIN_NS + int(hour * HOUR_NS), "web-1", "watching", known)


def asked(**changes: Any) -> Question:
    known: dict[str, Any] = {
        "since_ns": BEGIN_NS,
        "until_ns": END_NS,
        "now_ns": END_NS,
        "host": "web-1",
        "anchors": (),
        "anchors_file": "/var/log/fileaudit/anchors.log",
        "frameworks": (),
    }
    return Question(**known | changes)


def said(store: Store, **changes: Any) -> Report:
    return report_of(store, asked(**changes))


# ------------------------------------------------------------------------------------------------- figures


def test_what_lies_outside_of_the_range_is_not_counted(store: Store) -> None:
    store.append([seen(hour) for hour in (-1, 0, 12, 23.99, 24, 30)])
    assert said(store).totals.records == 3


def test_records_are_told_apart_by_kind_and_outcome(store: Store) -> None:
    store.append([seen(1), seen(2, errno=13), seen(3, level="high", key="shadow_file_read"), started(0.5)])
    totals = said(store).totals
    assert (totals.records, totals.alerts, totals.events, totals.engine) == (4, 1, 2, 1)
    assert totals.outcomes == {"success": 2, "failure": 1}


def test_operations_have_their_outcomes(store: Store) -> None:
    store.append([seen(1), seen(2, errno=13), seen(3, errno=2), seen(4, operation=_O.CHMOD)])
    found = {row.operation: (row.records, row.success, row.failure) for row in said(store).operations}
    assert found == {"open": (3, 1, 2), "chmod": (1, 1, 0)}


def test_the_course_has_an_hour_for_each_since_the_first_record(store: Store) -> None:
    store.append([seen(20.5), seen(20.6), seen(22, level="low"), started(23)])
    course = said(store).course
    assert course.unit == "hour"
    assert [(bucket.begins, bucket.alerts, bucket.events) for bucket in course.buckets] == [
        (f"{DAY}T20", 0, 2),
        (f"{DAY}T21", 0, 0),
        (f"{DAY}T22", 1, 0),
        (f"{DAY}T23", 0, 0),
    ]


@pytest.mark.parametrize(
    ("days", "unit", "buckets"), [(8, "hour", 8 * 24), (9, "day", 9), (200, "day", 200), (201, "month", 7)]
)
def test_a_long_range_is_told_by_days_or_months(store: Store, days: int, unit: str, buckets: int) -> None:
    store.append([seen(0), seen(days * 24 - 1)])
    course = said(
        store, until_ns=BEGIN_NS + days * 24 * HOUR_NS, now_ns=BEGIN_NS + 1_000 * 24 * HOUR_NS
    ).course
    assert (course.unit, len(course.buckets)) == (unit, buckets + (unit == "month"))
    assert sum(bucket.events for bucket in course.buckets) == 2


def test_of_users_and_files_the_busiest_are_named_and_all_are_counted(store: Store) -> None:
    store.append([seen(n / 100, f"/tmp/{n % 30}", user=f"user{n % 15:02d}") for n in range(60)])
    report = said(store)
    assert (len(report.users.top), report.users.distinct, report.users.records) == (USERS, 15, 60)
    assert (len(report.files.top), report.files.distinct) == (FILES, 30)
    assert report.users.top[0].records == 4


def test_commands_are_those_of_the_process(store: Store) -> None:
    process = msgspec.structs.replace(CAT, args=("rm", "-rf", "/srv"))
    store.append([seen(1, process=process), seen(2, process=process), seen(3)])
    top = said(store).commands.top
    assert (top[0].name, top[0].records) == ("rm -rf /srv", 2)


def test_alerts_are_told_by_level_rule_and_day(store: Store) -> None:
    store.append(
        [
            seen(1, level="high", key="a"),
            seen(2, level="high", key="a"),
            seen(25, level="critical", key="b c"),
            seen(26, level="low", key="a"),
        ]
    )
    alerts = said(store, until_ns=END_NS + 24 * HOUR_NS).alerts
    assert alerts.levels == {"critical": 1, "high": 2, "medium": 0, "low": 1}
    rows = [(row.level, row.rule, row.alerts, row.first_day, row.last_day) for row in alerts.rules]
    assert rows == [
        ("critical", "b c", 1, "2026-11-21", "2026-11-21"),
        ("high", "a", 2, DAY, DAY),
        ("low", "a", 1, "2026-11-21", "2026-11-21"),
    ]
    assert [(day.day, day.critical, day.high, day.low) for day in alerts.days] == [
        (DAY, 0, 2, 0),
        ("2026-11-21", 1, 0, 1),
    ]


def test_a_denied_access_has_who_which_file_and_how_often(store: Store) -> None:
    denied = [seen(n, errno=13, user="CORP\\jane doe", path="/etc/a b") for n in (1, 2)]
    store.append([*denied, seen(3, errno=1), seen(4, errno=2), seen(5)])
    found = said(store).denied
    assert [(row.user, row.path, row.records) for row in found.top] == [
        ("CORP\\jane doe", "/etc/a b", 2),
        ("alice", "/etc/shadow", 1),
    ]
    assert (found.records, found.distinct) == (3, 2)


def test_a_changed_file_has_what_was_done_to_it(store: Store) -> None:
    deeds = [_O.WRITE, _O.WRITE, _O.CHMOD, _O.OPEN]
    store.append([seen(n, "/etc/a b", operation=deed) for n, deed in enumerate(deeds)])
    store.append([seen(9, "/etc/c", operation=_O.UNLINK, errno=13)])
    found = said(store).changes
    assert [(row.path, row.records, row.operations) for row in found.top] == [
        ("/etc/a b", 3, {"write": 2, "chmod": 1})
    ]
    assert (found.records, found.distinct) == (3, 1)


def test_a_session_has_who_logged_in_and_its_first_and_last_record(store: Store) -> None:
    session: dict[str, Any] = {"session_id": 7, "login_user_name": "alice", "login_user_id": 1000}
    store.append([seen(hour, **session) for hour in (5, 3, 9, 26)])
    store.append([seen(n / 10) for n in range(20)])
    (found,) = [one for one in said(store).sessions.top if one.session == "7"]
    assert (found.login_user, found.records) == ("alice", 3)
    assert (found.first, found.last) == (rfc3339(BEGIN_NS + 3 * HOUR_NS), rfc3339(BEGIN_NS + 9 * HOUR_NS))


def test_losses_and_gaps_are_findings(store: Store) -> None:
    loss = Loss(first_ns=BEGIN_NS + HOUR_NS, last_ns=BEGIN_NS + HOUR_NS + 5, counts={"open": 12})
    store.append([started(6), seen(7)], [loss])
    texts = [finding.text for finding in said(store).findings if finding.weight == "bad"]
    assert texts == [
        "1 gap in coverage, 6 h 0 m in all (1 not started)",
        "12 events found no room and were lost",
    ]


def test_that_the_engine_found_its_trail_altered_is_the_first_finding(store: Store) -> None:
    altered = engine_record(
        Action.AUDIT_TRAIL_ALTERED,
        BEGIN_NS + 5,
        "web-1",
        "row 7 is not what it was",
        {},
        alert_level="critical",
    )
    store.append([started(0), seen(1), altered])
    report = said(store)
    assert report.findings[0].text == "the engine found the audit trail altered when it started: 1 time"
    assert (report.alerts.levels["critical"], report.operations[0].operation) == (1, "open")
    assert len(report.operations) == 1


def test_names_that_somebody_edited_break_no_report(store: Store) -> None:
    append_one_by_one(store, [seen(n, level="high", key="a", errno=13) for n in range(9)])
    store.connection.execute("UPDATE names SET text = 'x' || id || ' y' WHERE dimension >= 20")
    assert said(store).totals.records == 9


def test_a_day_that_somebody_edited_is_no_day(store: Store) -> None:
    append_one_by_one(store, [seen(n, level="high", key="a") for n in range(9)])
    store.connection.execute("UPDATE names SET text = char(27) || '[2J high a' WHERE dimension = 23")
    alerts = said(store).alerts
    assert all(day.day.isprintable() for day in alerts.days)
    assert all(row.first_day.isprintable() for row in alerts.rules)


# --------------------------------------------------------------------------------------------------- chain


def test_the_chain_has_its_head_and_its_last_anchor(store: Store) -> None:
    store.append([seen(1)])
    first = store.head
    store.append([seen(2)])
    foreign = Anchor(bytes(16), 99, bytes(32), END_NS)
    older = Anchor(store.identity, first.seq, first.link, BEGIN_NS)
    newest = Anchor(store.identity, store.head.seq, store.head.link, BEGIN_NS + 5)
    chain = said(store, anchors=[newest, older, foreign]).chain
    assert (chain.head_seq, chain.head_link) == (2, store.head.link.hex())
    assert chain.anchor is not None
    assert (chain.anchor.seq, chain.anchor.agrees) == (2, True)


@pytest.mark.parametrize("seq", [1, 5])
def test_an_anchor_that_the_store_does_not_agree_with_is_a_finding(store: Store, seq: int) -> None:
    store.append([seen(1), seen(2)])
    report = said(store, anchors=[Anchor(store.identity, seq, bytes(32), BEGIN_NS)])
    assert report.chain.anchor is not None
    assert report.chain.anchor.agrees is False
    assert any(one.weight == "bad" and "anchor" in one.text for one in report.findings)


def test_what_retention_removed_is_told_and_is_no_gap(store: Store) -> None:
    append_one_by_one(store, [started(-10), *(seen(n) for n in range(20))])
    for _ in remove(store, Retention(age_ns=12 * HOUR_NS), END_NS):
        pass
    report = said(store)
    assert report.chain.removed_seq == 7
    assert report.chain.first_seq == 8
    assert report.store.records == store.head.seq - 7
    assert report.coverage.begins == rfc3339(BEGIN_NS + 6 * HOUR_NS)
    assert any("removed by retention" in one.text for one in report.findings)


def test_an_anchor_of_a_row_that_retention_removed_cannot_be_held_against_anything(store: Store) -> None:
    append_one_by_one(store, [seen(n) for n in range(20)])
    links = dict(store.rows("SELECT seq, link FROM records"))
    for _ in remove(store, Retention(age_ns=12 * HOUR_NS), END_NS):
        pass
    at = said(store).chain.removed_seq

    def agrees(seq: int, link: bytes) -> bool | None:
        anchor = said(store, anchors=[Anchor(store.identity, seq, link, BEGIN_NS)]).chain.anchor
        assert anchor is not None
        return anchor.agrees

    assert agrees(at - 1, links[at - 1]) is None
    assert agrees(at, links[at]) is True
    assert agrees(at, bytes(32)) is False


# ------------------------------------------------------------------------------------------------ controls


def state(store: Store, **served: Any) -> tuple[str, int]:
    spec = RequirementSpec(id="1.1", title="Something is recorded", **served)
    framework = FrameworkSpec(name="Some", version="1", requirements=(spec,))
    (found,) = said(store, frameworks=[framework]).controls
    (one,) = found.requirements
    return one.state, one.records


def test_a_requirement_whose_rules_were_seen_has_their_records(store: Store) -> None:
    store.append([seen(1, key="trail"), seen(2, key="trail"), seen(3, key="rule", level="high")])
    assert state(store, rules=("rule", "other"), trails=("trail",)) == ("seen", 3)


def test_rules_that_ran_and_saw_nothing_are_told_apart_from_rules_that_did_not_run(store: Store) -> None:
    store.append([started(-1, rules=["rule"], trails=[]), seen(1)])
    assert state(store, rules=("rule",)) == ("ran", 0)
    assert state(store, trails=("trail",)) == ("nothing", 0)
    assert state(store, sections=("chain",)) == ("engine", 0)


def test_alerts_of_rules_are_no_trail(store: Store) -> None:
    store.append([started(-1, rules=["rule"], trails=["other"]), seen(1, key="rule", level="high")])
    assert state(store, rules=("rule",), trails=("trail",)) == ("no trail", 1)
    assert state(store, rules=("rule",), trails=("other",)) == ("seen", 1)


def test_that_nothing_ran_that_serves_a_requirement_is_a_finding(store: Store) -> None:
    spec = RequirementSpec(id="10.2", title="Everything is recorded", trails=("absent",))
    framework = FrameworkSpec(name="PCI DSS", version="4.0.1", requirements=(spec,))
    found = [one for one in said(store, frameworks=[framework]).findings if one.section == "controls"]
    assert [(one.weight, one.text) for one in found] == [
        ("bad", "nothing ran that serves 1 of 1 requirement: PCI DSS 10.2")
    ]


@pytest.mark.parametrize(
    ("facts", "ran"), [({"rules": ["x"], "trails": []}, False), ({}, None)], ids=["told", "not told"]
)
def test_whether_a_rule_ran_is_left_open_where_the_store_does_not_say(
    store: Store,
    facts: dict[str, Any],
    ran: bool | None,  # noqa: FBT001 - a parameter of the test
) -> None:
    store.append([started(-1, **facts)])
    spec = RequirementSpec(id="1", title="x", rules=("rule",))
    framework = FrameworkSpec(name="Some", version="1", requirements=(spec,))
    (serving,) = said(store, frameworks=[framework]).controls[0].requirements[0].serving
    assert serving.ran is ran


def test_the_mapping_that_is_shipped_can_be_read() -> None:
    assert {"SOC 2", "HIPAA", "PCI DSS"} <= {framework.name for framework in frameworks()}
    assert (schemas_dir() / controls.FILE).is_file()


@pytest.mark.parametrize(
    "raw",
    [
        "{",
        '{"frameworks": [{"name": "x"}]}',
        '{"frameworks": [{"name": 1, "version": "", "requirements": []}]}',
    ],
)
def test_a_mapping_that_is_broken_is_a_fault_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: str
) -> None:
    (tmp_path / controls.FILE).write_text(raw)
    monkeypatch.setattr(controls, "schemas_dir", lambda: tmp_path)
    with pytest.raises(InternalError, match=r"controls\.json"):
        frameworks.__wrapped__()
