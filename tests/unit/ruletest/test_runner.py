"""Running cases: exact comparison, virtual time, the audit trail, and the kernel filter's model in front."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.ruletest.packs import (
    DELETE_LOG,
    DELETED,
    OPEN_HOSTNAME,
    OPEN_PASSWD,
    OPEN_SHADOW,
    PASSWD,
    SHADOW,
    SHADOW_ID,
    compiled,
    loaded,
    one_case,
    run,
)

from fileaudit_engine.ruletest.cases import CASE_START_NS
from fileaudit_engine.ruletest.runner import CaseRunner, run_cases


def test_a_case_passes_if_exactly_what_it_expects_is_raised(tmp_path: Path) -> None:
    case = one_case(
        tmp_path,
        events=(OPEN_SHADOW, OPEN_HOSTNAME, DELETE_LOG),
        alerts=("{rule: shadow_file_read, level: high, at: 0s}", "{rule: log_deleted, at: 3s}"),
    )
    assert run(case, SHADOW, DELETED).passed


def test_what_is_raised_beyond_that_is_unexpected(tmp_path: Path) -> None:
    result = run(one_case(tmp_path, events=(OPEN_SHADOW,)), SHADOW)
    assert [one.raised.record.rule for one in result.unexpected] == ["shadow_file_read"]
    assert not result.missing
    assert not result.passed


def test_one_alert_does_not_account_for_two_expectations(tmp_path: Path) -> None:
    case = one_case(tmp_path, events=(OPEN_SHADOW,), alerts=("{rule: shadow_file_read}",) * 2)
    result = run(case, SHADOW)
    assert len(result.missing) == 1
    assert result.missing[0].reasons == ("it came, but other expectations account for each time",)


def test_two_alerts_of_one_rule_need_two_expectations(tmp_path: Path) -> None:
    again = OPEN_SHADOW.replace("0s", "1s")
    case = one_case(tmp_path, events=(OPEN_SHADOW, again), alerts=("{rule: shadow_file_read}",))
    assert len(run(case, SHADOW).unexpected) == 1


def test_a_rule_whose_path_is_broken_fails_the_case_and_is_named(tmp_path: Path) -> None:
    case = one_case(tmp_path, events=(OPEN_SHADOW,), alerts=("{rule: shadow_file_read}",))
    result = run(case, SHADOW.replace("/etc/shadow", "/etc/shadoww"))
    assert [missing.rule for missing in result.missing] == ["shadow_file_read"]
    (reason,) = result.missing[0].reasons
    assert reason == ("open /etc/shadow at 0s: 'selection' does not hold (TargetFilename is '/etc/shadow')")


@pytest.mark.parametrize(
    "name", ["shadow_file_read", SHADOW_ID, SHADOW_ID.upper(), "The shadow file is read"]
)
def test_a_rule_is_named_by_its_name_id_or_title(tmp_path: Path, name: str) -> None:
    assert run(one_case(tmp_path, events=(OPEN_SHADOW,), alerts=(f"{{rule: {name}}}",)), SHADOW).passed


def test_a_rule_that_does_not_exist_is_missing_with_the_nearest_name(tmp_path: Path) -> None:
    result = run(one_case(tmp_path, events=(OPEN_HOSTNAME,), alerts=("{rule: shadow_read}",)), SHADOW)
    assert result.missing[0].reasons == ("no rule is called 'shadow_read'; did you mean 'shadow_file_read'?",)


def test_two_rules_of_one_title_are_not_told_apart_by_it(tmp_path: Path) -> None:
    twin = SHADOW.replace("name: shadow_file_read", "name: twin").replace(SHADOW_ID, SHADOW_ID[:-1] + "9")
    case = one_case(tmp_path, events=(OPEN_HOSTNAME,), alerts=("{rule: The shadow file is read}",))
    assert run(case, SHADOW, twin).missing[0].reasons == (
        "2 rules are called 'The shadow file is read'; write one of shadow_file_read, twin",
    )


@pytest.mark.parametrize(
    ("expectation", "reason"),
    [
        ("level: low", "its level is high, expected low"),
        ("at: 1s", "no event happens at 1s"),
        ("fields: {file.path: /etc/gshadow}", "file.path is '/etc/shadow', expected '/etc/gshadow'"),
        (
            "fields: {file.pth: /etc/shadow}",
            "it has no file.pth, expected '/etc/shadow'; did you mean 'file.path'?",
        ),
        ("fields: {file.path: null}", "file.path is '/etc/shadow', expected absent"),
    ],
)
def test_an_alert_that_differs_is_missing_with_the_difference(
    tmp_path: Path, expectation: str, reason: str
) -> None:
    alert = f"{{rule: shadow_file_read, {expectation}}}"
    result = run(one_case(tmp_path, events=(OPEN_SHADOW,), alerts=(alert,)), SHADOW)
    assert result.missing[0].reasons[0].startswith(reason)
    assert len(result.unexpected) == 1


@pytest.mark.parametrize(
    "fields",
    [
        "{user.id: 1000}",
        '{user.id: "1000"}',
        "{event: {outcome: success, severity: 73}}",
        "{event.category: file}",
        "{event.category: [file]}",
        "{file.inode: null}",
    ],
)
def test_fields_are_compared_as_text_and_lists_hold_their_members(tmp_path: Path, fields: str) -> None:
    event = OPEN_SHADOW.replace("{", "{UserId: 1000, ", 1)
    case = one_case(tmp_path, events=(event,), alerts=(f"{{rule: shadow_file_read, fields: {fields}}}",))
    assert run(case, SHADOW).passed


def test_time_is_virtual_and_the_same_in_every_run(tmp_path: Path) -> None:
    case = one_case(tmp_path, events=("{at: 1h, Operation: unlink, TargetFilename: /var/log/a}",))
    first, second = (run(case, DELETED).unexpected[0].raised.record for _ in range(2))
    assert first.ts_ns == CASE_START_NS + 3_600 * 10**9
    assert first.document["@timestamp"] == "2026-01-01T01:00:00.000000000Z"
    assert first.id == second.id


def test_an_event_without_a_time_happens_at_the_start(tmp_path: Path) -> None:
    event = OPEN_SHADOW.replace("at: 0s, ", "")
    assert run(
        one_case(tmp_path, events=(event,), alerts=("{rule: shadow_file_read, at: 0}",)), SHADOW
    ).passed


def test_audit_events_are_not_alerts(tmp_path: Path) -> None:
    assert run(one_case(tmp_path, events=(OPEN_PASSWD,)), PASSWD).passed


def test_audit_events_are_exact_where_the_case_lists_them(tmp_path: Path) -> None:
    listed = one_case(tmp_path, events=(OPEN_PASSWD,), audit=("{rule: passwd_read, at: 1s}",))
    assert run(listed, PASSWD).passed
    none = one_case(tmp_path, events=(OPEN_PASSWD,), audit=())
    assert [one.raised.record.rule for one in run(none, PASSWD).unexpected] == ["passwd_read"]


def test_an_audit_list_is_about_the_informational_rules_that_its_file_names(tmp_path: Path) -> None:
    scope = PASSWD.replace("passwd_read", "everything").replace("c12", "c14").replace("/etc/passwd", "/*")
    scope = scope.replace("list of users", "whole host")
    about_one = """
        tests:
          - name: It is kept
            events: [{at: 1s, Operation: open, AccessMode: read, TargetFilename: /etc/passwd}]
            audit: [{rule: passwd_read, at: 1s}]
          - name: It is not
            events: [{at: 1s, Operation: open, AccessMode: read, TargetFilename: /etc/hostname}]
            audit: []
    """
    kept, other = loaded(tmp_path, about_one).cases
    assert run(kept, PASSWD, scope).passed
    assert run(other, PASSWD, scope).passed
    twice = PASSWD.replace("/etc/passwd", "/etc/hostname")
    assert [one.raised.record.rule for one in run(other, twice, scope).unexpected] == ["passwd_read"]


def test_a_rule_in_the_wrong_list_is_sent_to_the_other_one(tmp_path: Path) -> None:
    case = one_case(
        tmp_path,
        events=(OPEN_PASSWD, OPEN_SHADOW),
        alerts=("{rule: passwd_read}", "{rule: shadow_file_read}"),
        audit=("{rule: passwd_read}", "{rule: shadow_file_read}"),
    )
    assert [missing.reasons for missing in run(case, PASSWD, SHADOW).missing] == [
        ("the rule is informational and alerts nobody: list what it records under 'audit'",),
        ("only informational rules write audit events: list it under 'alerts'",),
    ]


def test_an_alert_that_the_kernel_filter_would_drop_fails_the_case(tmp_path: Path) -> None:
    plans = compiled(SHADOW)
    case = one_case(tmp_path, events=(OPEN_SHADOW,), alerts=("{rule: shadow_file_read}",))
    blind = replace(plans.kernel, prefixes={}, suffixes={})
    (missing,) = CaseRunner(plans.user, blind).run(case).missing
    assert missing.rule == "shadow_file_read"
    assert missing.reasons == ("the kernel filter would have dropped it: open /etc/shadow at 0s",)


def test_a_filter_that_names_another_rule_fails_the_case_too(tmp_path: Path) -> None:
    plans = compiled(SHADOW, DELETED)
    swapped = replace(plans.kernel, owners=tuple((1 - owner,) for (owner,) in plans.kernel.owners))
    case = one_case(tmp_path, events=(OPEN_SHADOW,), alerts=("{rule: shadow_file_read}",))
    assert [missing.rule for missing in CaseRunner(plans.user, swapped).run(case).missing] == [
        "shadow_file_read"
    ]


def test_an_alert_that_only_the_filter_lets_through_fails_the_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = compiled(SHADOW)
    runner = CaseRunner(plans.user, plans.kernel)
    monkeypatch.setattr(runner._detector._index, "candidates", lambda _batch: iter(()))
    case = one_case(tmp_path, events=(OPEN_SHADOW,))
    assert [missing.reasons for missing in runner.run(case).missing] == [
        ("the match index would have left it out: open /etc/shadow at 0s",)
    ]


def test_a_report_counts_what_passed_and_what_failed(tmp_path: Path) -> None:
    plans = compiled(SHADOW)
    good = one_case(tmp_path, events=(OPEN_HOSTNAME,))
    bad = one_case(tmp_path, events=(OPEN_SHADOW,))
    report = run_cases([good, bad, bad], plans.user, plans.kernel)
    assert (report.passed, report.failed) == (1, 2)
