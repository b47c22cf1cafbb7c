"""Correlation: a state machine that events and time go into, and crossings come out of.

    (state, event or time) -> (state, crossings)

It has no clock and reads nothing: the same input gives the same answer, whenever and wherever, and however it
is cut into portions. The state is changed in place (a million groups are not copied for each event), and
`correlation_state` writes it down and reads it again.

**Order.** Events wait until no earlier one can come any more, which is when `lateness` has passed since, and
are then taken in the order of their time; equal times in the order in which they came. One that comes later
than that is counted, and correlated with nothing. Moments at which a group has to be looked at without an
event are timers, taken in the same order: what leaves at a moment does so before what comes at it.

**Chains.** Correlations stand behind what they refer to, so one pass over them in order takes a crossing on
to all that wait for it. Whatever one cause brings to a correlation counts once there.
"""

import heapq
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final

import msgspec

from fileaudit_engine.compiler.plan import CorrelationPlan, UserPlan
from fileaudit_engine.detect.causes import Cause, Feeds, brought, feed_of, listeners
from fileaudit_engine.detect.correlation_state import resume, saved
from fileaudit_engine.detect.crossing import Crossing, Limits, Match
from fileaudit_engine.detect.handover import take_over, unlike
from fileaudit_engine.detect.keys import Key
from fileaudit_engine.detect.meaning import Meanings
from fileaudit_engine.detect.missed import Losses, suspicion
from fileaudit_engine.detect.occurrence import Occurrence, Whole, merged
from fileaudit_engine.detect.tracking import LEAVES, Tracked
from fileaudit_engine.detect.windows import LONG_AGO, NEVER, Window
from fileaudit_engine.events.model import Loss

_MEMO_ENTRIES: Final = 65_536
"""Sets of rules that are remembered."""

_STALE_TIMERS: Final = 1_000
"""Timers of groups that are gone, beyond as many as there are groups, before they are cleared away."""

_SWEPT_AT_ONCE: Final = 1_000
"""Groups that are over and are removed whenever it is told what time it is: a millisecond's work."""

_ROOM_EVERY: Final = 256
"""Events between two looks at how much is held: by their number, so that portions make no difference."""

_ts_ns: Final = attrgetter("ts_ns")


class Counts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What correlations hold, and what they had to let go.

    Attributes:
        correlations: How many there are.
        groups: Groups that they hold.
        entries: Events in those, each as often as it counts somewhere.
        late: Events that came too late.
        evicted_groups: Groups that were forgotten; `evicted_events` likewise.
    """

    correlations: int = 0
    groups: int = 0
    entries: int = 0
    late: int = 0
    evicted_groups: int = 0
    evicted_events: int = 0


Timer = tuple[int, int, int, int, Key, Window]
"""When, judgement or leave, the correlation, its number among all timers, and the group."""


class Correlator:
    """Correlates matches.

    Attributes:
        tracked: The correlations, in the plan's order.
        rules: Keys of the rules, by number.
        limits: How much they may hold.
        newest_ns: The latest time that is known of; None before anything is.
        late: Events that came too late.
        taken: Events that had their turn.
        pending: Events that wait for their turn, as they came.
        taken_ns: What is earlier is too late, whatever the lateness: too many events had been waiting.
        known_ns: What happened until then is not taken again.
        losses: What was lost lately.
        whole: The events that are held in full.
    """

    def __init__(
        self,
        plan: CorrelationPlan,
        user: UserPlan,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        """Nothing has happened yet.

        Args:
            plan: The correlations.
            user: The rules that they refer to.
            limits: How much may be held.
        """
        self.limits = limits
        self.rules = tuple(rule.rule.key for rule in user.rules)
        self.timers: list[Timer] = []
        self.turns = 0
        self._fed_by_rule = listeners(plan, chained=False)
        self._fed_by_correlation = listeners(plan, chained=True)
        self.tracked = tuple(
            Tracked(number, one, limits, self, heard=number in self._fed_by_correlation)
            for number, one in enumerate(plan.correlations)
        )
        self.meanings = Meanings(plan, user)
        self.newest_ns: int | None = None
        self.late = 0
        self.taken = 0
        self.pending: list[Match] = []
        self.known_ns = LONG_AGO
        self.taken_ns = LONG_AGO
        self._in_order = True
        """Whether `pending` is in the order of time."""
        reach_ns = max((one.reach_ns for one in self.tracked), default=0)
        self.losses = Losses(
            reach_ns=reach_ns,
            judged=any(one.plan.rule.suspected for one in self.tracked),
        )
        self._numbers = {id(one): number for number, one in enumerate(plan.correlations)}
        self.whole = Whole(limits.held, limits.entries, reach_ns)
        self._feeds: dict[tuple[int, ...], Feeds] = {}

    # --- what goes in -------------------------------------------------------------------------------------

    def feed(self, matches: Iterable[Match]) -> list[Crossing]:
        """Events happened; returns what has certainly crossed by now, but for silent correlations."""
        newest_ns, lateness_ns = self.newest_ns, self.limits.lateness_ns
        pending, found = self.pending, list[Crossing]()
        for match in matches:
            ts_ns = match.ts_ns
            if ts_ns <= self.known_ns:
                continue
            if newest_ns is None or ts_ns > newest_ns:
                newest_ns = self.newest_ns = ts_ns
            elif ts_ns < max(newest_ns - lateness_ns, self.taken_ns):
                self._too_late(match)
                continue
            self._in_order = self._in_order and (not pending or ts_ns >= pending[-1].ts_ns)
            pending.append(match)
            if len(pending) > self.limits.waiting:
                self._do_not_wait(found)
        self._until(found)
        return found

    def advance(self, now_ns: int) -> list[Crossing]:
        """It is `now_ns`, and everything that happened until then has been fed, but for the lateness."""
        if self.newest_ns is None or now_ns > self.newest_ns:
            self.newest_ns = now_ns
        found: list[Crossing] = []
        self._until(found)
        for tracked in self.tracked:
            tracked.sweep(self.newest_ns - self.limits.lateness_ns, _SWEPT_AT_ONCE)
        return found

    def lose(self, loss: Loss) -> list[Crossing]:
        """Events were lost. Alerts whose window it touches will say so."""
        self.losses.add(loss)
        found: list[Crossing] = []
        self._until(found)
        return found

    def finish(self) -> list[Crossing]:
        """Nothing more will happen: time runs on until every window is empty."""
        found: list[Crossing] = []
        self._put_in_order()
        self._take(len(self.pending), found)
        self._ring(NEVER - 1, found)
        return found

    def save(self) -> bytes:
        """The state as JSON; see `correlation_state`."""
        return saved(self)

    def resume(self, state: bytes) -> list[str]:
        """Go on with a saved state, before anything is fed; returns in words what could not be taken over."""
        return resume(self, state)

    def goes_on_whole(self, after: "Correlator") -> bool:
        """Whether all of its correlations are there, unchanged, in another one."""
        return not unlike(self, after)

    def take_over(self, before: "Correlator") -> list[str]:
        """Go on, before anything is fed, with what another one holds, which is of no use any more.

        Returns:
            In words, what of it could not be taken over.
        """
        return take_over(before, self)

    def ignore_until(self, ts_ns: int) -> None:
        """What happened until then was fed already, and will come once more."""
        self.known_ns = ts_ns

    @property
    def waiting(self) -> bool:
        """Whether time alone may bring something."""
        return bool(self.pending or self.timers or self.losses.unjudged)

    @property
    def counts(self) -> Counts:
        """What is held, and what was let go."""
        return Counts(
            correlations=len(self.tracked),
            groups=sum(len(one.groups) for one in self.tracked),
            entries=sum(one.entries for one in self.tracked),
            late=self.late,
            evicted_groups=sum(one.evicted_groups for one in self.tracked),
            evicted_events=sum(one.evicted_events for one in self.tracked),
        )

    # --- order --------------------------------------------------------------------------------------------

    def _too_late(self, match: Match) -> None:
        self.late += 1
        for tracked, _, _ in self._listening(match.rules):
            tracked.late += 1

    def _until(self, found: list[Crossing]) -> None:
        """Take all that nothing earlier can come before any more."""
        if self.newest_ns is None:
            return
        self._put_in_order()
        certain_ns = self.newest_ns - self.limits.lateness_ns
        self._take(bisect_left(self.pending, certain_ns, key=_ts_ns), found)
        self._ring(certain_ns, found)
        self.losses.forget(certain_ns)

    def _do_not_wait(self, found: list[Crossing]) -> None:
        """Too many events wait: take half of them, as if nothing earlier could come any more."""
        self._until(found)
        if len(self.pending) > self.limits.waiting:
            excess = len(self.pending) - self.limits.waiting // 2
            self.taken_ns = self.pending[excess - 1].ts_ns
            self._take(excess, found)

    def _put_in_order(self) -> None:
        if not self._in_order:
            self.pending.sort(key=_ts_ns)
            self._in_order = True

    def _take(self, count: int, found: list[Crossing]) -> None:
        """Take so many of the events that wait."""
        if not count:
            return
        taken = self.pending[:count]
        del self.pending[:count]
        keep, feeds_of, listening = self.whole.keep, self._feeds.get, self._listening
        for match in taken:
            ts_ns, event = match.ts_ns, match.event
            if (self.timers and self.timers[0][0] <= ts_ns) or self.losses.unjudged:
                self._ring(ts_ns, found)
            self.taken += 1
            if not self.taken % _ROOM_EVERY:
                self._make_room()
            occurrence = Occurrence(ts_ns, event)
            feeds = feeds_of(match.rules) or listening(match.rules)
            for place, (tracked, steps, route) in enumerate(feeds):
                if route is None:
                    crossings = tracked.event(ts_ns, steps, event, occurrence)
                else:
                    key_of, bits, value_of = route
                    value = None
                    if value_of is not None and (value := value_of(event)) is None:
                        continue
                    crossings = tracked.enter(ts_ns, key_of(event), bits, value, occurrence)
                if crossings and self._tell(tracked, crossings, found):
                    self._goes_on(tracked, crossings, feeds[place + 1 :], occurrence, found)
                    break
            keep(occurrence)

    def _tell(self, tracked: Tracked, crossings: Sequence[Crossing], found: list[Crossing]) -> bool:
        """Tell crossings, unless they are silent or go on to other correlations; whether they go on."""
        if tracked.number in self._fed_by_correlation:
            return True
        if not tracked.plan.silent:
            found += map(self._told, crossings)
        return False

    def _listening(self, rules: tuple[int, ...]) -> Feeds:
        """Who is fed by an event that matches these rules, and with which steps."""
        feeds = self._feeds.get(rules)
        if feeds is None:
            if len(self._feeds) >= _MEMO_ENTRIES:
                self._feeds.clear()
            steps: dict[int, list[int]] = defaultdict(list)
            for rule in rules:
                for number, step in self._fed_by_rule.get(rule, ()):
                    steps[number].append(step)
            feeds = tuple(feed_of(self.tracked[number], steps[number]) for number in sorted(steps))
            self._feeds[rules] = feeds
        return feeds

    # --- chains -------------------------------------------------------------------------------------------

    def _goes_on(
        self,
        tracked: Tracked,
        crossings: Sequence[Crossing],
        feeds: Feeds,
        occurrence: Occurrence | None,
        found: list[Crossing],
    ) -> None:
        """What crossed goes on to the correlations that refer to it, with what else had the same cause.

        Args:
            tracked: What crossed.
            crossings: Its crossings, which have one cause.
            feeds: Correlations behind it that the cause feeds directly.
            occurrence: The cause, if it is an event.
            found: What is told.
        """
        causes: dict[int, Cause] = {one.number: (one, steps, []) for one, steps, _ in feeds}
        self._hand_on(tracked, crossings, causes, found)
        while causes:  # few, and each only hands on to those behind it
            number = min(causes)
            cause = causes.pop(number)
            brings = brought(crossings[0].ts_ns, cause, occurrence, self.whole.keep)
            self._hand_on(cause[0], brings, causes, found)

    def _hand_on(
        self,
        tracked: Tracked,
        crossings: Sequence[Crossing],
        causes: dict[int, Cause],
        found: list[Crossing],
    ) -> None:
        """Tell crossings, and note for whom they are causes."""
        for crossing in map(self._told, crossings):
            if not tracked.plan.silent:
                found.append(crossing)
            for outer, step in self._fed_by_correlation.get(tracked.number, ()):
                causes.setdefault(outer, (self.tracked[outer], (), []))[2].append((step, crossing))

    def _told(self, crossing: Crossing) -> Crossing:
        """The crossing, with what was lost while its window was open."""
        if not self.losses.kept:
            return crossing
        reach_ns = self.tracked[self._numbers[id(crossing.correlation)]].reach_ns
        lost = self.losses.between(crossing.ts_ns - reach_ns, crossing.ts_ns)
        return msgspec.structs.replace(crossing, losses=merged(crossing.losses, lost)) if lost else crossing

    # --- time ---------------------------------------------------------------------------------------------

    def set(self, at_ns: int, tracked: Tracked, key: Key, window: Window) -> None:
        """Wake a group then, and at no other time."""
        self.turns += 1
        window.turn = self.turns
        heapq.heappush(self.timers, (at_ns, tracked.kind, tracked.number, self.turns, key, window))

    def _next_ns(self) -> int:
        """When something has to be looked at next."""
        timer_ns = self.timers[0][0] if self.timers else NEVER
        return min(timer_ns, self.losses.due_ns) if self.losses.unjudged else timer_ns

    def _ring(self, now_ns: int, found: list[Crossing]) -> None:
        """Look at all that has to be looked at until now, in its order."""
        while (next_ns := self._next_ns()) <= now_ns:
            if self.losses.due_ns == next_ns:
                self._suspect(self.losses.judged(), found)
                continue
            for tracked, crossing in self._woken():
                self._goes_on(tracked, (crossing,), (), None, found)

    def _woken(self) -> list[tuple[Tracked, Crossing]]:
        """What the next moment brings by itself.

        All that leaves at a moment has left before any of it goes on. What is judged goes on first to those
        that are judged at the same moment and refer to it.
        """
        timers = self.timers
        due_ns, kind, number, *_ = timers[0]
        woken: list[tuple[Tracked, Crossing]] = []
        while timers and timers[0][:2] == (due_ns, kind) and (kind == LEAVES or timers[0][2] == number):
            _, _, its_number, turn, key, window = heapq.heappop(timers)
            if window.turn == turn:
                window.turn = -1
                tracked = self.tracked[its_number]
                woken += ((tracked, crossing) for crossing in tracked.wake(due_ns, key, window))
        return woken

    def _suspect(self, loss: Loss, found: list[Crossing]) -> None:
        """Tell where a loss may hide what was waited for."""
        for tracked in self.tracked:
            crossing = suspicion(tracked, loss)
            if crossing is not None and not tracked.plan.silent:
                found.append(crossing)

    # --- bounds -------------------------------------------------------------------------------------------

    def _make_room(self) -> None:
        """Forget groups while more events are held than may be, and timers of groups that are gone."""
        excess = sum(one.room for one in self.tracked) - self.limits.entries
        while excess > 0:
            fullest = max(self.tracked, key=lambda one: one.room)
            excess -= fullest.room
            fullest.evict()
            excess += fullest.room
        if len(self.timers) > 2 * sum(len(one.groups) for one in self.tracked) + _STALE_TIMERS:
            self.timers = [timer for timer in self.timers if timer[-1].turn == timer[3]]
            heapq.heapify(self.timers)
