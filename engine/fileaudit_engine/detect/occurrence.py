"""An event as windows remember it, and how long it stays whole.

One event may stand in the windows of many correlations: they share one `Occurrence`. The newest ones keep
their event, so that an alert can show what it was made of. Of older ones only the id is kept, a tenth of it;
and that is computed only if some window still has the occurrence by then, which few do in a flood.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from sys import getrefcount

import msgspec

from fileaudit_engine.detect.crossing import Contribution, Crossing
from fileaudit_engine.detect.identity import fingerprint
from fileaudit_engine.events.model import FileEvent, Loss

_NOBODY_ELSE = 2
"""References to an occurrence that only the list of whole ones had: the variable and the argument."""


class Chain(msgspec.Struct, frozen=True, gc=False):
    """What an occurrence is made of that crossings of other correlations are part of.

    Attributes:
        alerts: The ids of those crossings that are alerts, too.
        events: Their contributions.
        losses: What was lost while their windows were open.
        direct: Whether the event itself matched a rule, too.
    """

    alerts: tuple[str, ...]
    events: tuple[Contribution, ...]
    losses: tuple[Loss, ...]
    direct: bool


class Occurrence(msgspec.Struct, gc=False):
    """An event that counts.

    Attributes:
        ts_ns: When, nanoseconds since the Unix epoch.
        event: The event, as long as it is held.
        fingerprint: Its id, once it was asked for; empty where there is no event.
        chain: Crossings that it stands for; None for an event that only matched rules.
    """

    ts_ns: int
    event: FileEvent | None
    fingerprint: str | None = None
    chain: Chain | None = None

    @property
    def weight(self) -> int:
        """How many events it may hold."""
        return 1 if self.chain is None else 1 + len(self.chain.events)

    def let_go(self, *, named: bool) -> None:
        """Let go of all events; their ids stay, its own if it is still `named` by anything."""
        if named:
            _ = self.id
        self.event = None
        if self.chain is not None:
            events = tuple(Contribution(each.ts_ns, each.id) for each in self.chain.events)
            self.chain = msgspec.structs.replace(self.chain, events=events)

    @property
    def id(self) -> str:
        """The event's id; computed once."""
        if self.fingerprint is None:
            self.fingerprint = "" if self.event is None else fingerprint(self.event)
        return self.fingerprint

    def contributions(self) -> Iterator[Contribution]:
        """The events that it stands for."""
        if self.chain is not None:
            yield from self.chain.events
        if self.chain is None or self.chain.direct:
            yield Contribution(self.ts_ns, self.id, self.event)


class Whole:
    """The newest occurrences, which keep their events."""

    def __init__(self, limit: int, reach_ns: int) -> None:
        """None yet.

        Args:
            limit: How many events there may be.
            reach_ns: How long any window remembers.
        """
        self._room = limit
        self._reach_ns = reach_ns
        self._kept: deque[Occurrence] = deque()

    def keep(self, occurrence: Occurrence) -> None:
        """Hold the events of one more; the oldest let go of theirs."""
        kept = self._kept
        kept.append(occurrence)
        self._room -= occurrence.weight
        while self._room < 0:
            oldest = kept.popleft()
            self._room += oldest.weight
            if getrefcount(oldest) > _NOBODY_ELSE:
                oldest.let_go(named=oldest.ts_ns >= occurrence.ts_ns - self._reach_ns)


def chained(ts_ns: int, crossings: Iterable[Crossing], direct: FileEvent | None) -> Occurrence:
    """One occurrence for crossings that have one cause, and for the event that is the cause, if it counts.

    Args:
        ts_ns: When they crossed.
        crossings: One or more.
        direct: The event, where it matched a rule of the same correlation.
    """
    crossings = tuple(crossings)
    event = crossings[0].event if direct is None else direct
    return Occurrence(
        ts_ns=ts_ns,
        event=event,
        chain=Chain(
            alerts=tuple(one.id for one in crossings if not one.correlation.silent),
            events=distinct(contribution for one in crossings for contribution in one.events),
            losses=merged(*(one.losses for one in crossings)),
            direct=direct is not None,
        ),
    )


def merged(*losses: tuple[Loss, ...]) -> tuple[Loss, ...]:
    """All of them, each once."""
    by_time = {(loss.first_ns, loss.last_ns): loss for some in losses for loss in some}
    return tuple(by_time.values())


def distinct(contributions: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """Each once, in order of time."""
    by_id = {one.id: one for one in contributions}
    return tuple(sorted(by_id.values(), key=lambda one: one.ts_ns))
