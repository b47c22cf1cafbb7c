"""Who listens to whom, through chains."""

from tests.unit.ruletest.correlated_packs import MANY, RENAMED, correlation
from tests.unit.ruletest.packs import SHADOW, compiled

from fileaudit_engine.compiler.listening import before, behind, heard_through

OUTER = correlation(
    "outer",
    "type: temporal, rules: [many_renamed, shadow_file_read], group-by: [], timespan: 1h",
)
PLAN = compiled(OUTER, RENAMED, SHADOW, MANY).correlations


def test_a_rule_is_heard_through_those_that_refer_to_it() -> None:
    assert heard_through(PLAN) == {
        "renamed": ("many_renamed",),
        "many_renamed": ("outer",),
        "shadow_file_read": ("outer",),
    }


def test_behind_a_correlation_stands_all_that_it_is_made_of() -> None:
    assert behind(PLAN, {"outer"}) == {"many_renamed", "renamed", "shadow_file_read"}
    assert behind(PLAN, {"many_renamed"}) == {"renamed"}
    assert behind(PLAN, {"renamed"}) == frozenset()


def test_before_a_rule_stands_all_that_is_made_of_it() -> None:
    assert before(PLAN, "renamed") == {"many_renamed", "outer"}
    assert before(PLAN, "shadow_file_read") == {"outer"}
    assert before(PLAN, "outer") == frozenset()
