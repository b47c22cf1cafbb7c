"""Why a rule stayed silent, in one line an event."""

from pathlib import Path

from tests.unit.ruletest.packs import (
    DELETE_LOG,
    DELETED,
    OPEN_HOSTNAME,
    OPEN_SHADOW,
    SHADOW,
    loaded,
    one_case,
    run,
)


def reasons(folder: Path, *events: str, rule: str = SHADOW, expected: str = "shadow_file_read") -> list[str]:
    """Why the one expected alert is missing."""
    case = one_case(folder, events=events, alerts=(f"{{rule: {expected}}}",))
    (missing,) = run(case, rule).missing
    return list(missing.reasons)


def test_a_filter_that_holds_is_named(tmp_path: Path) -> None:
    by_login = OPEN_SHADOW.replace("{", "{Image: /usr/bin/login, ", 1)
    assert reasons(tmp_path, by_login) == ["open /etc/shadow at 0s: 'filter_login' holds and excludes it"]


def test_the_values_that_keep_a_selection_from_holding_are_shown(tmp_path: Path) -> None:
    written = OPEN_HOSTNAME.replace("read", "write").replace("{", "{Image: /bin/vi, ", 1)
    (reason,) = reasons(tmp_path, written)
    assert reason == (
        "open /etc/hostname at 2s: "
        "'selection' does not hold (AccessMode is ['write'], TargetFilename is '/etc/hostname')"
    )


def test_filters_that_do_not_hold_are_no_news(tmp_path: Path) -> None:
    assert "filter_login" not in reasons(tmp_path, OPEN_HOSTNAME)[0]


def test_of_alternatives_all_that_fail_are_told_and_exclusions_of_exclusions_are_wanted(
    tmp_path: Path,
) -> None:
    condition = "1 of sel* and not (filter_login and not again)"
    rule = SHADOW.replace("selection and not filter_login", condition)
    rule = rule.replace("  selection:", "  again: {User: root}\n  sel_b: {TargetFilename: /b}\n  selection:")
    by_login = OPEN_HOSTNAME.replace("{", "{Image: /usr/bin/login, User: a, ", 1)
    (reason,) = reasons(tmp_path, by_login, rule=rule)
    assert [part.partition(" (")[0] for part in reason.partition(": ")[2].split("; ")] == [
        "'again' does not hold",
        "'sel_b' does not hold",
        "'selection' does not hold",
        "'filter_login' holds and excludes it",
    ]


AT_NIGHT = """
title: Logs are read at night
name: at_night
id: 6d2a1c0e-6f0b-4a0e-9a51-5a4b1f6f0c14
logsource: {product: linux, category: file_access}
detection:
  selection: {TargetFilename: /etc/shadow, UtcTime|hour: 3}
  condition: selection
level: low
"""
"""A rule that looks at the time."""
WHEN = "the case starts at 2026-01-01T00:00:00Z unless its 'start' says otherwise"


def test_a_rule_that_looks_at_the_time_is_told_when_the_case_starts(tmp_path: Path) -> None:
    assert reasons(tmp_path, OPEN_SHADOW, rule=AT_NIGHT, expected="at_night")[-1] == WHEN
    assert WHEN not in reasons(tmp_path, OPEN_HOSTNAME)


def test_so_is_one_that_fired_though_it_should_not(tmp_path: Path) -> None:
    rule = AT_NIGHT.replace("hour: 3", "hour: 0")
    (unexpected,) = run(one_case(tmp_path, events=(OPEN_SHADOW,)), rule).unexpected
    assert unexpected.reasons[-1] == WHEN


def test_a_case_that_says_when_it_starts_proves_rules_about_the_time(tmp_path: Path) -> None:
    case = f"events: [{OPEN_SHADOW}], alerts: [{{rule: at_night}}]"
    cases = [f"{{name: '{hour}', start: 2026-03-04T{hour}:00:00Z, {case}}}" for hour in ("03", "04")]
    at_three, at_four = loaded(tmp_path, f"tests: [{', '.join(cases)}]").cases
    assert run(at_three, AT_NIGHT).passed
    (missing,) = run(at_four, AT_NIGHT).missing
    assert WHEN not in missing.reasons


def test_events_of_other_log_sources_do_not_come_close(tmp_path: Path) -> None:
    assert reasons(tmp_path, DELETE_LOG) == [
        "no event then is of its log source, file_access (open, read, write)"
    ]
    assert reasons(tmp_path, OPEN_SHADOW, rule=DELETED, expected="log_deleted") == [
        "no event then is of its log source, file_delete (rmdir, unlink)"
    ]


def test_the_closest_events_come_first_and_the_others_are_counted(tmp_path: Path) -> None:
    by_login = "{Image: /usr/bin/login, "
    both_wrong = OPEN_HOSTNAME.replace("{", by_login, 1)
    found = reasons(tmp_path, *(both_wrong,) * 4, OPEN_SHADOW.replace("{", by_login, 1))
    assert found[0].startswith("open /etc/shadow at 0s: 'filter_login'")
    assert len(found) == 4
    assert found[-1] == "and 2 more events of its log source"


def test_a_huge_value_does_not_hide_the_explanation(tmp_path: Path) -> None:
    long = OPEN_HOSTNAME.replace("hostname", "x" * 4_000)
    assert all(len(reason) < 500 for reason in reasons(tmp_path, long))
