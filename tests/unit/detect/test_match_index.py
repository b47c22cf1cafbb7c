"""The match index is under the same law as the kernel: it may keep too many rules, never too few."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.examples import ANY, event, path_test, user_rule
from tests.unit.compiler.strategies import REPEATABLE, events_for, predicates

from fileaudit_engine.compiler.ir import Predicate
from fileaudit_engine.detect.match_index import MatchIndex
from fileaudit_engine.detect.runnable import runnable
from fileaudit_engine.events.fields import LogSource
from fileaudit_engine.events.model import Operation

LOG_SOURCES = st.sampled_from(LogSource)


@settings(REPEATABLE, max_examples=100)
@given(st.lists(st.tuples(predicates(), LOG_SOURCES), min_size=1, max_size=5), st.integers(0, 2**32))
def test_every_rule_that_matches_an_event_is_among_its_rules(
    written: list[tuple[Predicate, LogSource]], seed: int
) -> None:
    rules = [runnable(user_rule(predicate, logsource=source)) for predicate, source in written]
    index = MatchIndex(rules)
    for happened in events_for([predicate for predicate, _ in written], seed=seed, count=20):
        among = {id(rule) for rule in index.rules(happened)}
        assert {id(rule) for rule in rules if rule.matches(happened)} <= among


@pytest.mark.parametrize("operation", Operation)
def test_a_rule_is_kept_for_exactly_the_operations_of_its_log_source(operation: Operation) -> None:
    for source in LogSource:
        rule = runnable(user_rule(path_test("/", ANY), logsource=source))
        found = MatchIndex([rule]).rules(event(operation=operation))
        assert found == ((rule,) if operation in source.operations else ())


def test_rules_come_in_the_order_of_the_plan() -> None:
    rules = [runnable(user_rule(path_test(ANY), key=str(number))) for number in range(5)]
    assert MatchIndex(rules).rules(event()) == tuple(rules)
