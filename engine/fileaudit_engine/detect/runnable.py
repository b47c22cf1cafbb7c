"""A rule that can be asked: its plan and the functions that were made of it, once."""

from collections.abc import Mapping
from dataclasses import dataclass

from fileaudit_engine.compiler.plan import UserRule
from fileaudit_engine.detect.evaluate import Matcher, matcher
from fileaudit_engine.detect.record import Finding
from fileaudit_engine.events.model import FileEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnableRule:
    """A rule with its functions.

    Attributes:
        plan: The rule as the compiler made it.
        matches: The whole rule.
        selections: Each detection by name.
    """

    plan: UserRule
    matches: Matcher
    selections: Mapping[str, Matcher]

    def finding(self, event: FileEvent) -> Finding:
        """The finding for an event that matches."""
        holding = tuple(name for name, holds in self.selections.items() if holds(event))
        return Finding(rule=self.plan, event=event, selections=holding)


def runnable(rule: UserRule) -> RunnableRule:
    """Build the functions of a rule; done once."""
    return RunnableRule(
        plan=rule,
        matches=matcher(rule.predicate),
        selections={name: matcher(predicate) for name, predicate in rule.selections.items()},
    )
