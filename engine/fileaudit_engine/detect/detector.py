"""From a batch to findings: only candidates are completed, only their rules are evaluated.

A batch that was filtered says which clauses each event may satisfy; a memo turns that bit set into the rules
that own them. For one that nobody has filtered the match index finds the rules. From there on nothing knows
the difference.
"""

import functools
import itertools
from collections.abc import Collection, Iterator, Sequence

from fileaudit_engine.compiler.plan import KernelPlan, UserPlan
from fileaudit_engine.detect.match_index import Candidates, MatchIndex
from fileaudit_engine.detect.record import Finding
from fileaudit_engine.detect.runnable import RunnableRule, runnable
from fileaudit_engine.events.batch import EVERY, Batch, Columns, EventBatch, ManyNames
from fileaudit_engine.events.model import FileEvent

_MEMO_ENTRIES = 65_536
"""Bit sets remembered; an attacker who makes up combinations fills it, and then it starts over."""


Matched = Sequence[tuple[RunnableRule, FileEvent]]
"""The rules that match a call, each with the event, of those that the call is, that it matches."""


class Detector:
    """Evaluates the rules of a plan on batches. Stateless but for its memo.

    Attributes:
        numbers: The index in the plan of each rule that it evaluates, by the identity of the object.
    """

    def __init__(self, user: UserPlan, kernel: KernelPlan) -> None:
        self._rules = tuple(map(runnable, user.rules))
        self.numbers = {id(rule): number for number, rule in enumerate(self._rules)}
        self._owners = kernel.owners
        self._memo: dict[int, tuple[RunnableRule, ...]] = {}

    @functools.cached_property
    def _index(self) -> MatchIndex:
        """Made when the first event comes that nobody has filtered; a live host may never see one."""
        return MatchIndex(self._rules)

    def prepare(self) -> "Detector":
        """Make the index now, where events are coming that nobody has filtered."""
        _ = self._index
        return self

    def findings(self, batch: Batch) -> Iterator[Finding]:
        """What the rules say of the batch, in the order of its events, then of the rules."""
        if isinstance(batch, ManyNames) and batch.again:
            yield from itertools.chain.from_iterable(self.calls(batch))
            return
        for index, rules in self._candidates(batch):
            event = batch.complete(index)
            for rule in rules:
                if rule.matches(event):
                    yield rule.finding(event)

    def calls(self, batch: Batch) -> Iterator[Sequence[Finding]]:
        """The same, call by call, of which one may be several events; calls without any are left out."""
        return ([rule.finding(event) for rule, event in call] for call in self.matched(batch))

    def matched(self, batch: Batch) -> Iterator[Matched]:
        """Call by call, the rules that match and the event of the call that each matched; never none."""
        again = batch.again if isinstance(batch, ManyNames) else ()
        return filter(None, _once_a_call(self._candidates(batch), batch, again))

    def _candidates(self, batch: Batch) -> Candidates:
        return self._index.candidates(batch) if isinstance(batch, Columns) else self._filtered(batch)

    def _filtered(self, batch: Batch) -> Candidates:
        """The candidates that a filter in front has found."""
        memo = self._memo
        for index, clauses in enumerate(batch.candidates):
            if clauses == EVERY:  # it came when other rules were in force
                for _, rules in self._index.candidates(EventBatch(events=(batch.complete(index),))):
                    yield index, rules
            elif clauses:
                yield index, memo.get(clauses) or self._remember(clauses)

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


def _once_a_call(candidates: Candidates, batch: Batch, again: Collection[int]) -> Iterator[Matched]:
    """What the rules say where one call may be several events: each rule once a call."""
    current, matched = -1, set[int]()
    told: list[tuple[RunnableRule, FileEvent]] = []
    for index, rules in candidates:
        call = index
        while call in again:
            call -= 1
        if call != current:
            yield told
            current, matched, told = call, set(), []
        event = batch.complete(index)
        for rule in rules:
            if id(rule) not in matched and rule.matches(event):
                matched.add(id(rule))
                told.append((rule, event))
    yield told
