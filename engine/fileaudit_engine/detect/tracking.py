"""One correlation at work: its groups, the events of each, and when its condition crosses.

An event finds its group by the values in `group-by`. What is too old leaves first; then the event comes. Each
time the condition is looked at. Whenever it has turned true since it was looked at last, that is a crossing.

Where the condition can also turn true because events leave, the group has a timer at the next such moment.
Where it cannot (a count that has to be reached), nobody waits: what has left is found with the next event.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from fileaudit_engine.compiler.plan import UserCorrelation
from fileaudit_engine.detect.crossing import Contribution, Crossing, Evicted, Limits
from fileaudit_engine.detect.keys import (
    Key,
    as_value,
    key_of,
    key_of_event,
    of_crossing,
    of_event,
    room_of,
    values_of,
)
from fileaudit_engine.detect.occurrence import Occurrence, distinct, merged
from fileaudit_engine.detect.shapes import shape_of
from fileaudit_engine.detect.windows import NEVER, Values, Window
from fileaudit_engine.detect.windows_in_time import Awaiting
from fileaudit_engine.events.fields import Value
from fileaudit_engine.events.model import FileEvent

Route = tuple[Callable[[FileEvent], Key], int, Callable[[FileEvent], Values] | None]
"""What is read of an event to find its group, the steps that it is, and what is read as its value."""

_NONE: Final[Sequence[Crossing]] = ()
_SWEEP_EVERY: Final = 16
"""Groups that begin between two looks for groups that are over."""


JUDGEMENTS: Final = 0
"""Of one moment, first whose time is over is judged: it speaks of what happened before the moment."""
LEAVES: Final = 1


class Timers(Protocol):
    """Wakes a group at a time."""

    def set(self, at_ns: int, tracked: "Tracked", key: Key, window: Window) -> None:
        """Wake it then, and at no other time."""


class Tracked:
    """The groups of one correlation.

    Attributes:
        plan: The correlation.
        number: Its index in the plan.
        kind: Which of the timers of one moment its are.
        span_ns: Its timespan.
        reach_ns: How far back what it tells of an alert may reach.
        groups: By their key, the least recently used first.
        entries: Events in all of them.
        beside: What groups take beside their events, in the room of events.
        evicted_groups: Groups that were forgotten because there were too many.
        evicted_events: Events that were forgotten because their group had too many.
        late: Matches that came too late.
        keeps_newest: Whether its windows hold their newest event: where the condition turns true by itself,
            after a long time, and somebody relies on it.
        told_ns: When it told last that something may have been missed.
    """

    def __init__(
        self, number: int, plan: UserCorrelation, limits: Limits, timers: Timers, *, heard: bool
    ) -> None:
        """No group yet; `heard`: another correlation refers to it."""
        self.plan = plan
        self.number = number
        self.shape = shape_of(plan, limits)
        self.kind = LEAVES if self.shape.judges is None else JUDGEMENTS
        self.span_ns = plan.rule.timespan_ns
        self.reach_ns = self.span_ns * (2 if self.shape.judges else 1)
        self.groups: OrderedDict[Key, Window] = OrderedDict()
        self.entries = 0
        self.beside = 0
        self.evicted_groups = 0
        self.evicted_events = 0
        self.late = 0
        self.told_ns: int | None = None
        self._holds = self.shape.holds
        self._timed = self.shape.timed
        self._judged_later = self.shape.judges is not None
        self._begun = 0
        self.keeps_newest = self._timed and (heard or self._judged_later)
        self._limits = limits
        self._timers = timers
        self._names = plan.rule.group_by
        steps, numeric = plan.steps, self.shape.numeric
        self._key = [key_of_event(step.group) for step in steps]
        self._values: list[Callable[[FileEvent], Values]] = []
        if self.shape.values:
            self._values = [
                values_of([of_event(field) for field in step.values], numeric=numeric) for step in steps
            ]
        self._chained_key = [key_of([of_crossing(field) for field in step.group]) for step in steps]
        self._chained_values = [
            values_of([of_crossing(field) for field in step.values], numeric=numeric) if step.values else None
            for step in steps
        ]
        self._alike = all((step.group, step.values) == (steps[0].group, steps[0].values) for step in steps)

    @property
    def room(self) -> int:
        """What all of it takes, in the room of events."""
        return self.entries + self.beside

    # --- what comes ---------------------------------------------------------------------------------------

    def route(self, steps: Sequence[int]) -> Route | None:
        """How an event that matches these steps comes in; None where that depends on the event."""
        if len(steps) > 1 and not self._alike:
            return None
        bits = sum(1 << step for step in steps)
        return self._key[steps[0]], bits, self._values[steps[0]] if self._values else None

    def event(
        self, ts_ns: int, steps: Sequence[int], event: FileEvent, occurrence: Occurrence
    ) -> Sequence[Crossing]:
        """An event matches rules of this correlation."""
        found: list[Crossing] = []
        for key, bits, values in self.of_event(steps, event):
            found += self.enter(ts_ns, key, bits, values, occurrence)
        return found

    def of_event(self, steps: Sequence[int], event: FileEvent) -> Iterator[tuple[Key, int, Values]]:
        """The groups that an event counts in, with the steps and the values that count there."""
        together: dict[Key, int] = {}
        values_by_key: dict[Key, Values] = {}
        for step in steps:
            values = self._values[step](event) if self._values else None
            if not self._values or values is not None:
                key = self._key[step](event)
                together[key] = together.get(key, 0) | 1 << step
                values_by_key.setdefault(key, values)
        for key, bits in together.items():
            yield key, bits, values_by_key[key]

    def of_crossing(self, step: int, crossing: Crossing) -> tuple[Key, Values] | None:
        """The group that a crossing of another correlation counts in; None if it does not count."""
        values_in = self._chained_values[step]
        values = values_in(crossing) if values_in else None
        if values is None and values_in:
            return None
        return self._chained_key[step](crossing), values

    def enter(
        self, ts_ns: int, key: Key, steps: int, values: Values, occurrence: Occurrence
    ) -> Sequence[Crossing]:
        """An event counts in a group; whatever should have woken the group before has done so."""
        groups, holds = self.groups, self._holds
        window = groups.get(key)
        if window is None:
            window = self._new(key, ts_ns)
            window.since_ns = ts_ns - self.span_ns
        else:
            groups.move_to_end(key)
            if not self._judged_later:
                self.entries -= window.leave(ts_ns - self.span_ns)
                if window.active and not (window.size and holds(window)):
                    window.active = False
        window.used_ns = ts_ns
        if window.add(occurrence, steps, values):
            self.entries += 1
        elif window.forgotten:
            self.evicted_events += window.forgotten
            window.forgotten = 0
        if self._timed:
            self._may_wake(key, window, steps, occurrence)
        if not holds(window):
            window.active = window.active and self._judged_later
        elif not window.active:
            window.active = True
            return [self._crossing(ts_ns, key, window)]
        return _NONE

    def _may_wake(self, key: Key, window: Window, steps: int, occurrence: Occurrence) -> None:
        """The condition may turn true by itself."""
        if self.keeps_newest and steps & self.shape.asked:
            window.newest = occurrence.event
        if window.turn < 0 and window.wakes:
            self._set_timer(key, window)

    def _new(self, key: Key, ts_ns: int) -> Window:
        """A group that begins. Now and then, as many as have begun since make room that are over."""
        groups = self.groups
        self._begun += 1
        if not self._begun % _SWEEP_EVERY or len(groups) >= self._limits.groups:
            self.sweep(ts_ns, 2 * _SWEEP_EVERY)
            while len(groups) >= self._limits.groups:
                self.evict()
        window = groups[key] = self.shape.new()
        self.beside += room_of(key)
        return window

    def sweep(self, now_ns: int, most: int) -> None:
        """Remove groups all of whose events have left, the least recently used first, at most so many."""
        groups, horizon_ns = self.groups, now_ns - self.span_ns
        over: list[Key] = []
        for key, window in groups.items():
            if window.used_ns >= horizon_ns or window.turn >= 0 or len(over) == most:
                break
            over.append(key)
            self.entries -= window.size
            self.beside -= room_of(key)
        for key in over:
            del groups[key]

    def within_limits(self) -> None:
        """Forget what is more than the limit, which may have been larger."""
        while len(self.groups) > self._limits.groups:
            self.evict()

    def evict(self) -> None:
        """Forget the least recently used group; there is one."""
        key, window = self.groups.popitem(last=False)
        window.turn = -1
        self.entries -= window.size
        self.beside -= room_of(key)
        self.evicted_groups += 1

    # --- what leaves --------------------------------------------------------------------------------------

    def wake(self, now_ns: int, key: Key, window: Window) -> Sequence[Crossing]:
        """The timer of a group has gone off."""
        found = self._passed(now_ns, key, window)
        if window.size:
            if window.wakes:
                self._set_timer(key, window)
        elif window.used_ns < now_ns - self.span_ns and self.groups.get(key) is window:
            del self.groups[key]
            self.beside -= room_of(key)
        return found

    def _passed(self, now_ns: int, key: Key, window: Window) -> Sequence[Crossing]:
        """All that has left, or whose time is over, until `now_ns`, moment by moment."""
        found: list[Crossing] = []
        while (due_ns := window.oldest_ns + self.span_ns + 1) <= now_ns:
            found += self._judged(key, window) if self._judged_later else self._left(due_ns, key, window)
        return found

    def _left(self, due_ns: int, key: Key, window: Window) -> Sequence[Crossing]:
        """At this moment something leaves."""
        self.entries -= window.leave(due_ns - self.span_ns)
        if not (window.size and self._holds(window)):
            window.active = False
        elif not window.active:
            window.active = True
            return [self._crossing(due_ns, key, window)]
        return _NONE

    def _judged(self, key: Key, window: Window) -> list[Crossing]:
        """The time of the event that waited for longest is over."""
        assert isinstance(window, Awaiting)  # noqa: S101 - only those are judged
        assert self.shape.judges is not None  # noqa: S101
        judged = window.judge()
        found: list[Crossing] = []
        holds = self.shape.judges(judged.present, judged.around)
        if holds and (judged.gap or not window.active):
            over_ns = judged.ts_ns + self.span_ns
            found = [self._crossing(over_ns, key, window)]
        window.active = holds
        window.done()
        self.entries -= 1
        return found

    def _set_timer(self, key: Key, window: Window) -> None:
        oldest_ns = window.oldest_ns
        if window.turn < 0 and oldest_ns != NEVER:
            self._timers.set(oldest_ns + self.span_ns + 1, self, key, window)

    def take_over(self, before: "Tracked") -> None:
        """Go on with the groups of another that means the same."""
        self.groups, self.entries, self.beside = before.groups, before.entries, before.beside
        self.evicted_groups, self.evicted_events = before.evicted_groups, before.evicted_events
        self.late, self.told_ns = before.late, before.told_ns

    def current(self, now_ns: int) -> Iterator[tuple[Key, Window]]:
        """All groups, as they are at a time that is not before that of any event."""
        for key, window in self.groups.items():
            if not self._judged_later:
                self.entries -= window.leave(now_ns - self.span_ns)
                window.active = window.active and window.size > 0 and self._holds(window)
            yield key, window

    # --- what is told -------------------------------------------------------------------------------------

    def _crossing(self, ts_ns: int, key: Key, window: Window) -> Crossing:
        occurrences = window.occurrences()
        chains = [each.chain for each in occurrences if each.chain is not None]
        return Crossing(
            correlation=self.plan,
            ts_ns=ts_ns,
            group=self.group(key),
            value=self.shape.number(window),
            total=len(occurrences),
            events=self.listed(occurrences),
            first_ns=occurrences[0].ts_ns,
            last_ns=occurrences[-1].ts_ns,
            event=window.newest if self.keeps_newest else occurrences[-1].event,
            chained=tuple(one for chain in chains for one in chain.alerts)[-self._limits.listed :],
            losses=merged(*(chain.losses for chain in chains)),
            evicted=Evicted(self.evicted_groups, self.evicted_events),
            late=self.late,
        )

    def group(self, key: Key) -> dict[str, Value]:
        """The values of a group by their names."""
        values = key if isinstance(key, tuple) else (key,)
        return dict(zip(self._names, map(as_value, values), strict=True))

    def listed(self, occurrences: Sequence[Occurrence]) -> tuple[Contribution, ...]:
        """The newest events, as an alert lists them."""
        newest = occurrences[-self._limits.listed :]
        if not any(each.chain for each in newest):
            return tuple(Contribution(each.ts_ns, each.id, each.event) for each in newest)
        found: dict[str, Contribution] = {}
        for each in reversed(newest):
            found.update((one.id, one) for one in reversed(tuple(each.contributions())))
            if len(found) >= self._limits.listed:
                break
        return distinct(reversed(found.values()))[-self._limits.listed :]
