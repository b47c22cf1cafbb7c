"""From a batch to findings: only candidates are completed, only their rules are evaluated.

The batch says which clauses an event may satisfy; a memo turns that bit set into the rules that own them. An
event that nobody has filtered (`EVERY`) gets the rules of its operation from the match index. From there on
nothing knows the difference.
"""

from collections.abc import Iterator

from fileaudit_engine.compiler.plan import KernelPlan, UserPlan
from fileaudit_engine.detect.match_index import MatchIndex
from fileaudit_engine.detect.record import Finding
from fileaudit_engine.detect.runnable import RunnableRule, runnable
from fileaudit_engine.events.batch import EVERY, Batch

_MEMO_ENTRIES = 65_536
"""Bit sets remembered; an attacker who makes up combinations fills it, and then it starts over."""


class Detector:
    """Evaluates the rules of a plan on batches. Stateless but for its memo."""

    def __init__(self, user: UserPlan, kernel: KernelPlan) -> None:
        self._rules = tuple(map(runnable, user.rules))
        self._owners = kernel.owners
        self._index = MatchIndex(self._rules)
        self._memo: dict[int, tuple[RunnableRule, ...]] = {}

    def findings(self, batch: Batch) -> Iterator[Finding]:
        """What the rules say of the batch, in the order of its events, then of the rules."""
        memo = self._memo
        for index, candidates in enumerate(batch.candidates):
            if not candidates:
                continue
            event = batch.complete(index)
            if candidates == EVERY:
                rules = self._index.rules(event)
            else:
                rules = memo.get(candidates) or self._remember(candidates)
            for rule in rules:
                if rule.matches(event):
                    yield rule.finding(event)

    def _remember(self, candidates: int) -> tuple[RunnableRule, ...]:
        if len(self._memo) >= _MEMO_ENTRIES:
            self._memo.clear()
        rules = tuple(self._rules[number] for number in self.owners(candidates))
        self._memo[candidates] = rules
        return rules

    def owners(self, candidates: int) -> tuple[int, ...]:
        """The rules that own the clauses of a bit set, in the order of the plan."""
        found: set[int] = set()
        while candidates > 0:
            lowest = candidates & -candidates
            found.update(self._owners[lowest.bit_length() - 1])
            candidates ^= lowest
        return tuple(sorted(found))
