"""Candidates for events that nobody has filtered: recordings, and test cases without the kernel's model.

The same idea as the kernel's classifier, under the same law, in user space: leave out what cannot match. The
index knows one dimension, the operation, which every event has and every rule's log source restricts.
"""

from collections.abc import Mapping, Sequence

from fileaudit_engine.detect.runnable import RunnableRule
from fileaudit_engine.events.model import FileEvent, Operation


class MatchIndex:
    """Rules by the operations of their log source."""

    def __init__(self, rules: Sequence[RunnableRule]) -> None:
        self._by_operation: Mapping[Operation, tuple[RunnableRule, ...]] = {
            operation: tuple(rule for rule in rules if operation in rule.plan.logsource.operations)
            for operation in Operation
        }

    def rules(self, event: FileEvent) -> tuple[RunnableRule, ...]:
        """The rules that may match the event, in the order of the plan."""
        return self._by_operation[event.operation]
