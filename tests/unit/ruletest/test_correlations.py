"""Correlations in test cases: virtual time, exact comparison, and the rules that fall silent."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.ruletest.correlated_packs import (
    BOTH,
    IN_ORDER,
    MANY,
    ONLY_READ,
    RENAMED,
    TRIO,
    correlation,
    opened,
    renames,
)
from tests.unit.ruletest.packs import compiled, one_case, run

from fileaudit_engine.ruletest.runner import CaseRunner


def test_a_case_expects_a_correlation_as_it_does_a_rule(tmp_path: Path) -> None:
    alert = "{rule: many_renamed, level: critical, at: 2s, fields: {process.pid: 7, event.kind: alert}}"
    case = one_case(tmp_path, events=renames("0s", "1s", "2s"), alerts=(alert,))
    assert run(case, RENAMED, MANY).passed


def test_just_below_the_threshold_nothing_may_be_expected(tmp_path: Path) -> None:
    assert run(one_case(tmp_path, events=renames("0s", "1s")), RENAMED, MANY).passed


@pytest.mark.parametrize(
    ("last", "alerts"),
    [("60s", ("{rule: many_renamed, at: 60s}",)), ("60s1ns", ())],
    ids=["inside", "outside"],
)
def test_the_timespan_is_exact_to_the_nanosecond(tmp_path: Path, last: str, alerts: tuple[str, ...]) -> None:
    case = one_case(tmp_path, events=renames("0s", "1s", last), alerts=alerts)
    assert run(case, RENAMED, MANY).passed


def test_groups_count_apart(tmp_path: Path) -> None:
    events = (*renames("0s", "2s", pid=7), *renames("1s", "3s", pid=8))
    assert run(one_case(tmp_path, events=events), RENAMED, MANY).passed


def test_every_case_begins_anew(tmp_path: Path) -> None:
    plans = compiled(RENAMED, MANY)
    runner = CaseRunner(plans.user, plans.kernel, plans.correlations)
    case = one_case(tmp_path, events=renames("0s", "1s"))
    assert all(runner.run(case).passed for _ in range(3))


def test_events_of_a_case_are_taken_as_they_come_and_put_in_order(tmp_path: Path) -> None:
    case = one_case(
        tmp_path,
        events=(opened("200ms", "write"), opened("100ms")),
        alerts=("{rule: read_then_written, at: 200ms}",),
    )
    assert run(case, *TRIO, IN_ORDER).passed


def test_what_comes_later_than_the_lateness_does_not_count(tmp_path: Path) -> None:
    case = one_case(tmp_path, events=(opened("300ms", "write"), opened("99ms")))
    assert run(case, *TRIO, IN_ORDER).passed


def test_the_time_of_an_absence_is_the_end_of_the_window(tmp_path: Path) -> None:
    case = one_case(tmp_path, events=(opened("5s"),), alerts=("{rule: only_read, at: 65s}",))
    assert run(case, *TRIO, ONLY_READ).passed


def test_a_correlation_of_a_correlation_hears_it(tmp_path: Path) -> None:
    outer = correlation(
        "twice",
        "type: event_count, rules: [many_renamed], group-by: [ProcessId], timespan: 1h, condition: {gte: 2}",
    )
    events = renames("0s", "1s", "2s", "5m", "301s", "302s")
    case = one_case(tmp_path, events=events, alerts=("{rule: twice, at: 302s}",))
    assert run(case, RENAMED, MANY, outer).passed


def test_a_correlation_that_is_heard_only_through_another_raises_nothing_itself(tmp_path: Path) -> None:
    outer = correlation(
        "outer",
        "type: event_count, rules: [many_renamed], group-by: [ProcessId], timespan: 1h, condition: {gte: 2}",
    )
    case = one_case(
        tmp_path, events=renames("0s", "1s", "2s"), alerts=("{rule: many_renamed}", "{rule: outer}")
    )
    inner, outermost = run(case, RENAMED, MANY, outer).missing
    assert inner.reasons == (
        "it is silent because 'outer' refers to it: 'generate: true' there makes it heard, too",
        "it would have been raised 1 time",
    )
    assert outermost.reasons == (
        "many_renamed was raised 1 time",
        "the most that came together were 1 of 2, for ProcessId 7, at 2s",
    )


def test_rules_that_are_asked_for_are_heard_beside_the_correlation(tmp_path: Path) -> None:
    alerts = ("{rule: many_renamed}", *("{rule: renamed}",) * 3)
    case = one_case(tmp_path, events=renames("0s", "1s", "2s"), alerts=alerts)
    assert run(case, RENAMED, MANY + "generate: true\n").passed


def test_a_correlation_that_is_informational_is_listed_under_audit(tmp_path: Path) -> None:
    quiet = MANY.replace("critical", "informational")
    listed = one_case(tmp_path, events=renames("0s", "1s", "2s"), audit=("{rule: many_renamed}",))
    assert run(listed, RENAMED, quiet).passed
    wrong = one_case(tmp_path, events=renames("0s", "1s", "2s"), alerts=("{rule: many_renamed}",))
    assert "list what it records under 'audit'" in run(wrong, RENAMED, quiet).missing[0].reasons[0]


def test_an_unexpected_correlation_says_what_made_it_and_stands_at_the_newest_event(tmp_path: Path) -> None:
    case = one_case(tmp_path, events=renames("0s", "1s", "2s", "3s"))
    (unexpected,) = run(case, RENAMED, MANY).unexpected
    assert unexpected.reasons == (
        "3 events, for ProcessId 7: from rename /home/0 at 0s to rename /home/2 at 2s",
    )
    assert unexpected.raised.at_ns == 2 * 10**9
    assert unexpected.raised.location == case.events[2].location


def test_an_alert_about_an_absence_stands_at_the_event_that_waited(tmp_path: Path) -> None:
    case = one_case(tmp_path, events=(opened("5s"), opened("2m", "write", "bob")))
    (unexpected,) = run(case, *TRIO, ONLY_READ).unexpected
    assert unexpected.raised.location == case.events[0].location
    assert unexpected.reasons == (
        "shadow_file_read and not shadow_written, for User alice: open /etc/shadow at 5s",
    )


def test_a_difference_of_a_correlation_is_told_like_one_of_a_rule(tmp_path: Path) -> None:
    alerts = ("{rule: many_renamed, at: 1s}",)
    (missing,) = run(
        one_case(tmp_path, events=renames("0s", "1s", "2s"), alerts=alerts), RENAMED, MANY
    ).missing
    assert missing.reasons == (
        "it tells when its condition turns true, and again only after that was false",
        "it was raised at 2s, expected at 1s (what came together at 2s)",
    )


def test_a_match_that_only_a_correlation_hears_is_held_to_the_law_too(tmp_path: Path) -> None:
    plans = compiled(RENAMED, MANY)
    blind = replace(plans.kernel, selectors=(0,) * len(plans.kernel.selectors))
    case = one_case(tmp_path, events=renames("0s"))
    (missing,) = CaseRunner(plans.user, blind, plans.correlations).run(case).missing
    assert missing.rule == "renamed"
    assert missing.reasons == ("the kernel filter would have dropped it: rename /home/0 at 0s",)


def test_an_alert_of_a_correlation_that_the_filter_would_cost_is_named(tmp_path: Path) -> None:
    plans = compiled(RENAMED, MANY)
    blind = replace(plans.kernel, selectors=(0,) * len(plans.kernel.selectors))
    case = one_case(tmp_path, events=renames("0s", "1s", "2s"), alerts=("{rule: many_renamed}",))
    missing = CaseRunner(plans.user, blind, plans.correlations).run(case).missing
    assert [one.rule for one in missing] == ["many_renamed", "renamed", "renamed", "renamed"]
    assert missing[0].reasons == ("the kernel filter would have dropped it: what came together at 2s",)


def test_both_may_come_in_any_order(tmp_path: Path) -> None:
    alerts = ("{rule: read_and_written, at: 1s}",)
    for events in ((opened("0s"), opened("1s", "write")), (opened("0s", "write"), opened("1s"))):
        assert run(one_case(tmp_path, events=events, alerts=alerts), *TRIO, BOTH).passed
