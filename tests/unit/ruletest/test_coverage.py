"""Which rules are proven to fire, to stay silent, both or neither."""

from pathlib import Path

from tests.unit.ruletest.correlated_packs import BOTH, MANY, RENAMED, TRIO, WRITTEN, correlation, renames
from tests.unit.ruletest.packs import (
    DELETED,
    OPEN_HOSTNAME,
    OPEN_PASSWD,
    OPEN_SHADOW,
    PASSWD,
    SHADOW,
    SHADOW_ID,
    compiled,
    one_case,
)

from fileaudit_engine.ruletest.cases import Case
from fileaudit_engine.ruletest.coverage import Coverage, RuleCoverage, coverage_of
from fileaudit_engine.ruletest.runner import CaseRunner


def coverage(*cases: Case, rules: tuple[str, ...] = (SHADOW, DELETED)) -> Coverage:
    plans = compiled(*rules)
    names = CaseRunner(plans.user, plans.kernel, plans.correlations).names
    return coverage_of(plans.user.rules, plans.correlations, cases, names)


def test_a_rule_fires_if_a_case_expects_it_by_any_of_its_names(tmp_path: Path) -> None:
    case = one_case(tmp_path, events=(OPEN_SHADOW,), alerts=(f"{{rule: {SHADOW_ID}}}",))
    assert coverage(case).rules == {
        "shadow_file_read": RuleCoverage(firing=True, silent=False),
        "log_deleted": RuleCoverage(firing=False, silent=False),
    }


def test_a_rule_is_silent_only_if_an_event_of_its_log_source_is_fed(tmp_path: Path) -> None:
    found = coverage(one_case(tmp_path, events=(OPEN_HOSTNAME,)))
    assert found.rules["shadow_file_read"].silent
    assert not found.rules["log_deleted"].silent
    assert found.never_tested == ("log_deleted",)


def test_an_informational_rule_is_proven_by_audit_lists_only(tmp_path: Path) -> None:
    firing = one_case(tmp_path, events=(OPEN_PASSWD,), audit=("{rule: passwd_read}",))
    silent = one_case(tmp_path, events=(OPEN_HOSTNAME,), audit=())
    says_nothing = one_case(tmp_path, events=(OPEN_HOSTNAME,))
    rules = (PASSWD,)
    assert coverage(firing, rules=rules).rules["passwd_read"] == RuleCoverage(firing=True, silent=False)
    assert coverage(silent, rules=rules).rules["passwd_read"] == RuleCoverage(firing=False, silent=True)
    assert coverage(says_nothing, rules=rules).never_tested == ("passwd_read",)


def test_a_list_that_is_about_another_rule_proves_no_silence(tmp_path: Path) -> None:
    other = PASSWD.replace("passwd_read", "other_read").replace("c12", "c14").replace("users", "others")
    firing = one_case(tmp_path, events=(OPEN_PASSWD,), audit=("{rule: passwd_read}",))
    assert coverage(firing, rules=(PASSWD, other.replace("/etc/passwd", "/srv"))).never_tested == (
        "other_read",
    )


def test_the_percentage_counts_rules_that_are_both(tmp_path: Path) -> None:
    firing = one_case(tmp_path, events=(OPEN_SHADOW,), alerts=("{rule: shadow_file_read}",))
    silent = one_case(tmp_path, events=(OPEN_HOSTNAME,))
    assert coverage(firing).percent == 0
    assert coverage(firing, silent).percent == 50
    assert (coverage(firing, silent).firing, coverage(firing, silent).silent) == (1, 1)


def test_of_no_rules_nothing_is_proven() -> None:
    assert coverage(rules=()).percent == 0


def test_correlations_count_as_rules_after_those(tmp_path: Path) -> None:
    case = one_case(tmp_path, events=renames("0s", "1s", "2s"), alerts=("{rule: many_renamed}",))
    found = coverage(case, rules=(RENAMED, MANY, SHADOW, WRITTEN, BOTH))
    assert list(found.rules) == [
        "renamed",
        "shadow_file_read",
        "shadow_written",
        "many_renamed",
        "read_and_written",
    ]
    assert found.rules["many_renamed"] == RuleCoverage(firing=True, silent=False)
    assert found.never_tested == ("shadow_file_read", "shadow_written", "read_and_written")


def test_a_correlation_is_silent_if_an_event_of_its_rules_is_fed(tmp_path: Path) -> None:
    found = coverage(one_case(tmp_path, events=(OPEN_HOSTNAME,)), rules=(RENAMED, MANY, *TRIO, BOTH))
    assert found.rules["read_and_written"] == RuleCoverage(firing=False, silent=True)
    assert found.rules["many_renamed"] == RuleCoverage(firing=False, silent=False)


def test_what_is_heard_only_through_correlations_is_proven_by_those(tmp_path: Path) -> None:
    outer = correlation(
        "outer", "type: event_count, rules: [many_renamed], group-by: [], timespan: 1h, condition: {gte: 1}"
    )
    case = one_case(tmp_path, events=renames("0s", "1s", "2s"), alerts=("{rule: outer}",))
    silent = one_case(tmp_path, events=renames("0s"))
    found = coverage(case, silent, rules=(RENAMED, MANY, outer))
    assert set(found.rules.values()) == {RuleCoverage(firing=True, silent=True)}
    assert found.percent == 100


def test_a_rule_that_is_heard_by_itself_too_is_not_proven_by_a_correlation(tmp_path: Path) -> None:
    alerts = ("{rule: many_renamed}",)
    case = one_case(tmp_path, events=renames("0s", "1s", "2s"), alerts=alerts)
    found = coverage(case, rules=(RENAMED, MANY + "generate: true\n"))
    assert not found.rules["renamed"].firing


def test_what_is_heard_through_an_informational_correlation_is_proven_by_audit_lists_only(
    tmp_path: Path,
) -> None:
    rules = (RENAMED, MANY.replace("critical", "informational"))
    says_nothing = one_case(tmp_path, events=renames("0s"))
    silent = one_case(tmp_path, events=renames("0s"), audit=())
    assert coverage(says_nothing, rules=rules).never_tested == ("renamed", "many_renamed")
    assert coverage(silent, rules=rules).silent == 2
