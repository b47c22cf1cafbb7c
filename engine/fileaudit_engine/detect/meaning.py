"""What a correlation asks for, as a fingerprint: the same as long as its windows mean the same.

Everything counts that decides what stands in a window: the correlation's own type, time, groups and
condition, and what the rules and correlations detect that it refers to, through all chains. Titles and
places in files do not: a rule that was moved, or described better, is the same rule.
"""

import dataclasses
from collections.abc import Mapping
from typing import Final

from fileaudit_engine.compiler.plan import CorrelationPlan, CorrelationStep, UserPlan
from fileaudit_engine.detect.identity import digest
from fileaudit_engine.rules.ast import Rule
from fileaudit_engine.text import to_kernel

_ASIDE: Final = frozenset({"location"})
"""Attributes that say nothing of what is meant."""


class Meanings:
    """The meanings of a plan's correlations."""

    def __init__(self, plan: CorrelationPlan, user: UserPlan) -> None:
        self._plan = plan
        self._user = user
        self._known: dict[int, str] = {}

    def of(self, number: int) -> str:
        """The meaning of a correlation, by its index in the plan."""
        if number not in self._known:
            self._known[number] = self._digest(number)
        return self._known[number]

    def _digest(self, number: int) -> str:
        one = self._plan.correlations[number]
        rule = one.rule
        asked = (
            *(rule.type.value, rule.timespan_ns, rule.comparisons, rule.condition, rule.group_by),
            rule.percentile,
            [(self._of_step(step), _names(step)) for step in one.steps],
        )
        return digest(to_kernel(written(asked)))

    def _of_step(self, step: CorrelationStep) -> tuple[str, str]:
        if step.chained:
            return step.key, self.of(step.number)
        return step.key, detection_of(self._user.rules[step.number].rule)


def detection_of(rule: Rule) -> str:
    """What a rule detects."""
    return written((rule.logsource, rule.detections, rule.conditions))


def _names(step: CorrelationStep) -> tuple[list[str], list[str]]:
    return [field.name for field in step.group], [field.name for field in step.values]


def written(value: object) -> str:
    """A value of the syntax tree as text, without its places."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        members = (
            f"{field.name}={written(getattr(value, field.name))}"
            for field in dataclasses.fields(value)
            if field.name not in _ASIDE
        )
        return f"{type(value).__name__}({', '.join(members)})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{written(key)}: {written(member)}' for key, member in value.items())}}}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(written, value))}]"
    return repr(value)
