"""The rules that test cases name, held against those that there are."""

from collections.abc import Sequence

from fileaudit_engine.diagnostics import Collector, Diagnostic
from fileaudit_engine.rules.names import RuleNames
from fileaudit_engine.ruletest.cases import Case, Expectation


def check_names(cases: Sequence[Case], names: RuleNames, levels: dict[str, str]) -> tuple[Diagnostic, ...]:
    """What is wrong with the rules that the cases name; `levels` gives a rule's level by its key."""
    found = Collector()
    for case in cases:
        for expectation in case.alerts:
            _check(expectation, names, levels, found, audit=False)
        for expectation in case.audit or ():
            _check(expectation, names, levels, found, audit=True)
    return tuple(found.diagnostics)


def _check(
    expectation: Expectation, names: RuleNames, levels: dict[str, str], found: Collector, *, audit: bool
) -> None:
    place = expectation.rule_location
    problem = names.problem(expectation.rule)
    if problem is not None:
        found.error("FA064", problem, place, help=names.remedy(expectation.rule))
        return
    informational = levels[names.keys(expectation.rule)[0]] == "informational"
    if informational and not audit:
        found.error(
            "FA068", "an informational rule alerts nobody", place, help="list what it records under 'audit'"
        )
    if audit and not informational:
        found.error(
            "FA068", "only informational rules write audit events", place, help="list it under 'alerts'"
        )
