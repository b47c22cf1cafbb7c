"""From correlation documents to the plan of what is made of the rules' matches.

A correlation listens to rules and to other correlations. It stands behind all of those, so that one pass
over the plan takes an event through every chain. The kernel's filter needs nothing more: the rules that are
referred to are rules of the plan like all others, whether they raise alerts by themselves or not.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from fileaudit_engine.compiler.plan import CorrelationPlan, CorrelationStep, UserCorrelation, UserRule
from fileaudit_engine.events.fields import BY_NAME, Field, unlisted
from fileaudit_engine.rules.ast import QUIET_LEVEL, Correlation


def correlation_plan(correlations: Sequence[Correlation], rules: Sequence[UserRule]) -> CorrelationPlan:
    """The plan.

    Args:
        correlations: Without circles; their sources are among themselves and `rules`.
        rules: The rules of the user plan, in its order.
    """
    ordered = tuple(_behind_their_sources(correlations))
    rule_numbers = {rule.rule.key: number for number, rule in enumerate(rules)}
    numbers = {correlation.key: number for number, correlation in enumerate(ordered)}
    silent = _silent(correlations)
    operations = {rule.rule.key: rule.logsource.operations for rule in rules}
    for one in ordered:
        operations[one.key] = frozenset().union(*(operations[source] for source in one.sources))
    feeding = frozenset(
        rule_numbers[source] for one in ordered for source in one.sources if source in rule_numbers
    )
    return CorrelationPlan(
        correlations=tuple(
            UserCorrelation(
                rule=one,
                steps=tuple(_step(one, source, rule_numbers, numbers) for source in one.sources),
                silent=one.key in silent,
                operations=operations[one.key],
            )
            for one in ordered
        ),
        feeding=feeding,
        silent=frozenset(number for number in feeding if rules[number].rule.key in silent),
    )


def quiet_rules(rules: Sequence[UserRule], plan: CorrelationPlan) -> list[int]:
    """The rules whose matches can only end in the audit trail, as indices in `rules`."""
    waited_for: set[str] = set()
    for one in reversed(plan.correlations):
        if one.rule.key in waited_for or one.rule.level != QUIET_LEVEL:
            waited_for.update(one.rule.sources)
    return [
        number
        for number, rule in enumerate(rules)
        if rule.rule.level == QUIET_LEVEL and rule.rule.key not in waited_for
    ]


def _behind_their_sources(correlations: Sequence[Correlation]) -> Iterator[Correlation]:
    """Each one behind those that it refers to; depth first without recursion, for chains of any length."""
    by_key = {one.key: one for one in correlations}
    done: set[str] = set()
    for start in correlations:
        waiting = [start]
        while waiting:
            one = waiting[-1]
            before = [by_key[key] for key in one.sources if key in by_key and key not in done]
            if before:
                waiting += before
                continue
            waiting.pop()
            if one.key not in done:
                done.add(one.key)
                yield one


def _silent(correlations: Collection[Correlation]) -> set[str]:
    """The keys that are referred to, and that no correlation that refers to them wants to hear alone."""
    named = {source for one in correlations for source in one.sources}
    return named - {source for one in correlations if one.generate for source in one.sources}


def _step(
    one: Correlation, source: str, rules: Mapping[str, int], correlations: Mapping[str, int]
) -> CorrelationStep:
    chained = source not in rules
    return CorrelationStep(
        key=source,
        chained=chained,
        number=correlations[source] if chained else rules[source],
        group=tuple(_field(one, source, name) for name in one.group_by),
        values=tuple(_field(one, source, name) for name in one.value_fields),
    )


def _field(one: Correlation, source: str, name: str) -> Field:
    """The field that a name of a correlation means in the matches of one of its sources."""
    meant = one.aliases.get(name, {}).get(source, name)
    return BY_NAME.get(meant) or unlisted(meant)
