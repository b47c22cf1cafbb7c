"""Which rules the cases prove.

A rule is *firing* if some case expects it. It is *silent* if some case feeds it an event of its log source
and expects nothing of it: only then has anybody looked whether it says too much. A rule that is neither has
never been tested. For a rule that only writes to the audit trail, a case without `audit` expects nothing and
forbids nothing, so it proves nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fileaudit_engine.compiler.plan import UserRule
from fileaudit_engine.rules.names import RuleNames
from fileaudit_engine.ruletest.cases import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCoverage:
    """What the cases say of one rule."""

    firing: bool
    silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the cases say of each rule, by its key, in the order in which the rules were loaded."""

    rules: Mapping[str, RuleCoverage]

    @property
    def firing(self) -> int:
        """How many rules some case expects."""
        return sum(rule.firing for rule in self.rules.values())

    @property
    def silent(self) -> int:
        """How many rules some case proves to stay silent."""
        return sum(rule.silent for rule in self.rules.values())

    @property
    def never_tested(self) -> tuple[str, ...]:
        """Rules that are neither."""
        return tuple(key for key, rule in self.rules.items() if not (rule.firing or rule.silent))

    @property
    def percent(self) -> float:
        """The share of rules that are both, 0 to 100; 0 where there are no rules."""
        both = sum(rule.firing and rule.silent for rule in self.rules.values())
        return 100 * both / len(self.rules) if self.rules else 0.0


def coverage_of(rules: Sequence[UserRule], cases: Sequence[Case], names: RuleNames) -> Coverage:
    """The coverage of `rules` by `cases`."""
    firing: set[str] = set()
    silent: set[str] = set()
    for case in cases:
        expected = {key for e in case.expectations if (key := names.key(e.rule)) is not None}
        operations = {event.event.operation for event in case.events}
        firing |= expected
        silent |= {
            rule.rule.key
            for rule in rules
            if rule.rule.key not in expected
            and not operations.isdisjoint(rule.logsource.operations)
            and (case.audit is not None or rule.rule.level != "informational")
        }
    return Coverage(
        rules={
            rule.rule.key: RuleCoverage(firing=rule.rule.key in firing, silent=rule.rule.key in silent)
            for rule in rules
        }
    )
