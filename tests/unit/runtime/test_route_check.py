"""A route that names what no rule has is told of: it would send nothing, and say nothing."""

import pytest
from tests.unit.events.records import rule

from fileaudit_engine.runtime.route import Route
from fileaudit_engine.runtime.route_check import idle_names

RULES = [rule(), rule(key="noisy", id=None, title="Much noise", tags=())]


@pytest.mark.parametrize(
    "route",
    [
        Route(
            rules=("shadow_file_read", "NOISY", "much*", "6d2b1f0e-*", "audit_trail_altered", "Audit trail *")
        ),
        Route(tags=("attack.T1003*", "*")),
        Route(levels=frozenset({"low"})),
    ],
)
def test_what_some_rule_has_is_nothing_to_tell(route: Route) -> None:
    assert idle_names([route], RULES) == []


def test_what_no_rule_has_is_told_once() -> None:
    routes = [Route(rules=("shadow", "nois", "noisy")), Route(rules=("nois",), tags=("attack.t9999",))]
    assert idle_names(routes, RULES) == [
        "no rule is called 'shadow'",
        "no rule is called 'nois'",
        "no rule has the tag 'attack.t9999'",
    ]


def test_without_rules_every_name_is_told() -> None:
    assert idle_names([Route(rules=("a",), tags=("*",))], []) == [
        "no rule is called 'a'",
        "no rule has the tag '*'",
    ]
