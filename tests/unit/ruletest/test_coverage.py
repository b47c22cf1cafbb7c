"""Which rules are proven to fire, to stay silent, both or neither."""

from pathlib import Path

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


def test_the_percentage_counts_rules_that_are_both(tmp_path: Path) -> None:
    firing = one_case(tmp_path, events=(OPEN_SHADOW,), alerts=("{rule: shadow_file_read}",))
    silent = one_case(tmp_path, events=(OPEN_HOSTNAME,))
    assert coverage(firing).percent == 0
    assert coverage(firing, silent).percent == 50
    assert (coverage(firing, silent).firing, coverage(firing, silent).silent) == (1, 1)


def test_of_no_rules_nothing_is_proven() -> None:
    assert coverage(rules=()).percent == 0
