"""Which rules the cases prove.

A rule is *firing* if some case expects it. It is *silent* if some case feeds it an event of its log source
and expects nothing of it: only then has anybody looked whether it says too much. A rule that is neither has
never been tested. For a rule that only writes to the audit trail, a case without `audit` expects nothing and
forbids nothing, so it proves nothing.

Correlations count as rules; their events are those of all rules behind them. What is heard only through
correlations raises nothing itself: it is proven by those, through all chains.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fileaudit_engine.compiler.listening import before
from fileaudit_engine.compiler.plan import CorrelationPlan, UserRule
from fileaudit_engine.events.model import Operation
from fileaudit_engine.rules.ast import QUIET_LEVEL
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Provable:
    """A rule or correlation, and what may prove it.

    Attributes:
        key: Its key.
        operations: Operations of the events that it may have something to say of.
        through: The keys of what is raised if it says something: itself, or the correlations that it is heard
            through.
        quiet: Whether all of that only writes to the audit trail.
    """

    key: str
    operations: frozenset[Operation]
    through: frozenset[str]
    quiet: bool


def coverage_of(
    rules: Sequence[UserRule], correlations: CorrelationPlan, cases: Sequence[Case], names: RuleNames
) -> Coverage:
    """The coverage of rules and of the correlations that refer to them by `cases`."""
    provable = _provable(rules, correlations)
    firing: set[str] = set()
    silent: set[str] = set()
    for case in cases:
        expected = {key for e in case.expectations if (key := names.key(e.rule)) is not None}
        operations = {event.event.operation for event in case.events}
        audited = {names.key(name) for name in case.audited}
        for one in provable:
            if not one.through.isdisjoint(expected):
                firing.add(one.key)
            elif operations.isdisjoint(one.operations):
                continue
            elif not one.quiet or (case.audit is not None and (not audited or one.key in audited)):
                silent.add(one.key)
    return Coverage(
        rules={one.key: RuleCoverage(firing=one.key in firing, silent=one.key in silent) for one in provable}
    )


def _provable(rules: Sequence[UserRule], plan: CorrelationPlan) -> list[_Provable]:
    levels = {one.rule.key: one.rule.level for one in rules}
    levels |= {one.rule.key: one.rule.level for one in plan.correlations}
    silent = {rules[number].rule.key for number in plan.silent}
    silent |= {one.rule.key for one in plan.correlations if one.silent}
    operations = {one.rule.key: one.logsource.operations for one in rules}
    operations |= {one.rule.key: one.operations for one in plan.correlations}
    found = []
    for key in levels:
        through = before(plan, key) - silent if key in silent else frozenset({key})
        quiet = all(levels[one] == QUIET_LEVEL for one in through)
        found.append(_Provable(key=key, operations=operations[key], through=through, quiet=quiet))
    return found
