"""Who listens to whom: from rules and correlations to the correlations that refer to them, and back."""

from collections.abc import Collection

from fileaudit_engine.compiler.plan import CorrelationPlan


def heard_through(plan: CorrelationPlan) -> dict[str, tuple[str, ...]]:
    """The key of a rule or correlation -> the keys of the correlations that refer to it."""
    found: dict[str, list[str]] = {}
    for one in plan.correlations:
        for source in one.rule.sources:
            found.setdefault(source, []).append(one.rule.key)
    return {key: tuple(keys) for key, keys in found.items()}


def behind(plan: CorrelationPlan, keys: Collection[str]) -> frozenset[str]:
    """The keys of all rules and correlations that those of `keys` refer to, through all chains."""
    found: set[str] = set()
    for one in reversed(plan.correlations):
        if one.rule.key in keys or one.rule.key in found:
            found.update(one.rule.sources)
    return frozenset(found)


def before(plan: CorrelationPlan, key: str) -> frozenset[str]:
    """The keys of all correlations that refer to a rule or correlation, through all chains."""
    found = {key}
    for one in plan.correlations:
        if not found.isdisjoint(one.rule.sources):
            found.add(one.rule.key)
    return frozenset(found - {key})
