"""The oracle of correlation: every window is made anew from the full history, wherever one can change.

Nothing is kept from one look to the next but whether the condition was true. It is slow, and meant to be
read:

    order      who came too late is left out; the others stand by time, and where times are equal as they came
    entries    a match counts once for each group that some step of a correlation gives it
    looks      at every entry, and one nanosecond after an entry is `timespan` old, the window is a list
    crossings  a number or a truth is made of that list; an alert is where false became true
    chains     correlations stand behind what they refer to, so the crossings of those are there already

At one instant entries leave first, then matches enter, then what waited for its time to be over is judged.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.unit.detect.correlation_window import (
    ENTERING,
    JUDGING,
    LEAVING,
    Entry,
    Exact,
    Position,
    compares,
    exact,
    holds,
    is_met,
    names,
    needs_numbers,
    newest_of_each_value,
    number_in,
    number_of,
    steps_of,
)

from fileaudit_engine.compiler.plan import CorrelationPlan, CorrelationStep, UserCorrelation
from fileaudit_engine.detect.crossing import Contribution, Crossing, Limits, Match, Number
from fileaudit_engine.detect.identity import fingerprint
from fileaudit_engine.events.fields import BY_NAME, Field, unlisted
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.rules.ast import Condition, CorrelationType

Act = Match | int
"""What a correlator is given: a match, or a time before which everything was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One step of one correlation hears of something."""

    at: Position
    step: int
    group: tuple[Exact, ...]
    value: tuple[Exact, ...]
    events: tuple[Contribution, ...]
    event: FileEvent
    chained: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A crossing, where it happened, and the lowest step of what caused it."""

    at: Position
    step: int
    crossing: Crossing


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a correlator has to answer.

    Attributes:
        crossings: All, in order, silent ones too.
        late: How many matches came too late.
        undecided: Whether two groups of one correlation that others listen to crossed at one instant, neither
            by an event: nothing says which of them the others hear first.
    """

    crossings: list[Crossing] = field(default_factory=list)
    late: int = 0
    undecided: bool = False


def expected(
    plan: CorrelationPlan,
    acts: Iterable[Act],
    *,
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
    losses: Sequence[Loss] = (),
) -> Expected:
    """The answer; losses are known from the beginning, and no limit but lateness and listing is looked at."""
    matches, late = in_order(acts, limits.lateness_ns)
    order = {fingerprint(match.event): number for number, match in enumerate(matches)}
    raised: list[list[Raised]] = []
    for number, one in enumerate(plan.correlations):
        groups = entries(heard for heard in told(one, matches, raised) if counts(one, heard))
        watched = [(Watched(one, number, group, limits, losses, order), groups[group]) for group in groups]
        found = itertools.chain.from_iterable(itertools.starmap(crossings, watched))
        raised.append(sorted(found, key=lambda one: (one.at, one.step)))
    everything = sorted(itertools.chain.from_iterable(raised), key=lambda found: found.at)
    heard = {step.number for one in plan.correlations for step in one.steps if step.chained}
    return Expected(
        crossings=[found.crossing for found in everything],
        late=late,
        undecided=any(is_undecided(raised[number]) for number in heard),
    )


def is_undecided(raised: Sequence[Raised]) -> bool:
    instants = [(one.at.ts_ns, one.at.phase) for one in raised if one.at.phase != ENTERING]
    return len(set(instants)) < len(instants)


# --- order -------------------------------------------------------------------------------------------------


def in_order(acts: Iterable[Act], lateness_ns: int) -> tuple[list[Match], int]:
    """The matches that came in time, in order, and the number of the others."""
    newest, kept, late = -math.inf, list[Match](), 0
    for act in acts:
        ts = act if isinstance(act, int) else act.ts_ns
        if isinstance(act, Match) and ts < newest - lateness_ns:
            late += 1
        elif isinstance(act, Match):
            kept.append(act)
        newest = max(newest, ts)
    return sorted(kept, key=lambda match: match.ts_ns), late


# --- entries -----------------------------------------------------------------------------------------------


def told(one: UserCorrelation, matches: Sequence[Match], raised: Sequence[list[Raised]]) -> Iterator[Told]:
    """All that a correlation's steps hear, from rules and from the crossings of inner correlations."""
    for index, step in enumerate(one.steps):
        if step.chained:
            for inner in raised[step.number]:
                yield told_by_a_crossing(one, index, step, inner)
            continue
        for number, match in enumerate(matches):
            if step.number in match.rules:
                yield Told(
                    at=Position(match.ts_ns, ENTERING, number),
                    step=index,
                    group=tuple(exact(field.get(match.event)) for field in step.group),
                    value=tuple(exact(field.get(match.event)) for field in step.values),
                    events=(Contribution(ts_ns=match.ts_ns, id=fingerprint(match.event), event=match.event),),
                    event=match.event,
                )


def told_by_a_crossing(one: UserCorrelation, index: int, step: CorrelationStep, inner: Raised) -> Told:
    crossing = inner.crossing
    event = crossing.event
    assert event is not None

    def value(name: str) -> Exact:
        meant = one.rule.aliases.get(name, {}).get(step.key, name)
        return exact(crossing.group[meant] if meant in crossing.group else _field(meant).get(event))

    return Told(
        at=inner.at,
        step=index,
        group=tuple(map(value, one.rule.group_by)),
        value=tuple(map(value, one.rule.value_fields)),
        events=crossing.events,
        event=event,
        chained=() if crossing.correlation.silent else (crossing.id,),
        losses=crossing.losses,
    )


def entries(told: Iterable[Told]) -> dict[tuple[Exact, ...], list[Entry]]:
    """By group, in order. What several steps hear at one position is one entry."""
    groups: dict[tuple[Exact, ...], dict[Position, list[Told]]] = {}
    for one in told:
        groups.setdefault(one.group, {}).setdefault(one.at, []).append(one)
    return {
        group: [
            Entry(
                at=at,
                steps=frozenset(one.step for one in together),
                value=together[0].value,
                events=tuple(itertools.chain.from_iterable(one.events for one in together)),
                event=together[0].event,
                chained=tuple(itertools.chain.from_iterable(one.chained for one in together)),
                losses=tuple(itertools.chain.from_iterable(one.losses for one in together)),
            )
            for at, together in sorted(positions.items())
        ]
        for group, positions in groups.items()
    }


def counts(one: UserCorrelation, told: Told) -> bool:
    """Whether a step has the value that the type asks for."""
    if needs_numbers(one):
        return number_in(told.value[0][1]) is not None
    return all(value is not None for _, value in told.value)


# --- crossings ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Watched:
    """A group of a correlation, and what its alerts are written with."""

    one: UserCorrelation
    number: int
    group: tuple[Exact, ...]
    limits: Limits
    losses: Sequence[Loss]
    order: Mapping[str, int]

    def crossing(self, ts_ns: int, window: Sequence[Entry], value: Number | None, reach_ns: int) -> Crossing:
        shown = newest_of_each_value(window) if self._counts_values else window
        return Crossing(
            correlation=self.one,
            ts_ns=ts_ns,
            group=dict(zip(self.one.rule.group_by, (value for _, value in self.group), strict=True)),
            value=value,
            total=len(shown),
            events=self._unique(shown)[-self.limits.listed :],
            first_ns=shown[0].ts,
            last_ns=shown[-1].ts,
            event=shown[-1].event,
            chained=tuple(itertools.chain.from_iterable(entry.chained for entry in shown)),
            losses=self._lost(shown, ts_ns - reach_ns, ts_ns),
        )

    def _lost(self, window: Iterable[Entry], first_ns: int, last_ns: int) -> tuple[Loss, ...]:
        """What was lost in the time that is looked at, and in that of inner correlations."""
        inner = [loss for entry in window for loss in entry.losses]
        return tuple(
            loss
            for loss in self.losses
            if (loss.first_ns <= last_ns and loss.last_ns >= first_ns) or loss in inner
        )

    def _unique(self, window: Iterable[Entry]) -> tuple[Contribution, ...]:
        """Each event once, in order, whatever entries it is behind."""
        events = {event.id: event for entry in window for event in entry.events}
        return tuple(sorted(events.values(), key=lambda event: self.order[event.id]))

    @property
    def _counts_values(self) -> bool:
        return self.one.rule.type is CorrelationType.VALUE_COUNT


def crossings(watched: Watched, members: Sequence[Entry]) -> Iterator[Raised]:
    condition = watched.one.rule.condition
    if condition is not None and names(condition, negated=True):
        return judgements(watched, members, condition)
    return turns(watched, members)


def turns(watched: Watched, members: Sequence[Entry]) -> Iterator[Raised]:
    """Wherever the condition turns from false to true."""
    one, before = watched.one, False
    for at, step, window in looks(watched, members):
        value = number_of(one, window) if window and one.rule.condition is None else None
        now = bool(window) and (compares(one, value) if value is not None else is_met(one, window))
        if now and not before:
            crossing = watched.crossing(at.ts_ns, window, value, one.rule.timespan_ns)
            yield Raised(at=at, step=step, crossing=crossing)
        before = now


def looks(watched: Watched, members: Sequence[Entry]) -> list[tuple[Position, int, list[Entry]]]:
    """Every window that differs from the one before, in order: what leaves at an instant leaves first."""
    timespan_ns = watched.one.rule.timespan_ns
    found: list[tuple[tuple[int, int], Position, int, list[Entry]]] = []
    for entry in members:
        window = [e for e in members if e.at <= entry.at and e.ts >= entry.ts - timespan_ns]
        found.append(((entry.ts, 1), entry.at, min(entry.steps), window))
    for leaver in members:
        if leaver != next(e for e in members if e.ts == leaver.ts):
            continue  # entries of one time leave together
        ts_ns = leaver.ts + timespan_ns + 1
        at = Position(ts_ns, LEAVING, watched.number, leaver.at, min(leaver.steps))
        window = [e for e in members if ts_ns - timespan_ns <= e.ts < ts_ns]
        found.append(((ts_ns, 0), at, min(leaver.steps), window))
    return [look[1:] for look in sorted(found, key=lambda look: look[:2])]


def judgements(watched: Watched, members: Sequence[Entry], condition: Condition) -> Iterator[Raised]:
    """What is there and what is not can be told of an entry when its time is over."""
    keys = [step.key for step in watched.one.steps]
    timespan_ns = watched.one.rule.timespan_ns
    wanted = {keys.index(name) for name in names(condition, negated=False)}
    armed, before = True, -math.inf
    for x in (entry for entry in members if entry.steps & wanted):
        ts_ns = x.ts + timespan_ns
        near = [e for e in members if x.ts <= e.ts <= ts_ns]
        around = [e for e in members if x.ts - timespan_ns <= e.ts <= ts_ns]
        true = holds(condition, {keys[s] for s in steps_of(near)}, {keys[s] for s in steps_of(around)})
        armed = armed or x.ts - before > timespan_ns
        if true and armed:
            at = Position(ts_ns, JUDGING, watched.number, x.at, min(x.steps))
            events = [e for e in near if e.steps & wanted]
            crossing = watched.crossing(ts_ns, events, None, 2 * timespan_ns)
            yield Raised(at=at, step=min(x.steps), crossing=crossing)
        armed, before = not true, x.ts


def _field(name: str) -> Field:
    return BY_NAME.get(name) or unlisted(name)
