"""An event as windows remember it, and how long it stays whole.

One event may stand in the windows of many correlations: they share one `Occurrence`. The newest ones keep
their event, so that an alert can show what it was made of. Of older ones only the id is kept, a tenth of it;
and that is computed only if some window still has the occurrence by then, which few do in a flood.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from sys import getrefcount
from typing import Final

import msgspec

from fileaudit_engine.detect.crossing import Contribution, Crossing
from fileaudit_engine.detect.identity import fingerprint
from fileaudit_engine.events.model import FileEvent, Loss

MOST_OF_CROSSING: Final = 100
"""Of the events that made a correlation cross, those that are remembered for whoever refers to it."""


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
        weight: How many events it holds at first.
    """

    ts_ns: int
    event: FileEvent | None
    fingerprint: str | None = None
    chain: Chain | None = None
    weight: int = 1

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


def _references_of_our_own() -> int:
    """References that are counted of an occurrence which only the list of whole ones had.

    They are the variable's and the argument's; versions of Python differ in which of them they count.
    """
    kept = deque([Occurrence(0, None)])
    oldest = kept.popleft()
    return getrefcount(oldest)


_NOBODY_ELSE: Final = _references_of_our_own()


class Whole:
    """The newest occurrences, which keep their events.

    Of those that stand for crossings, the newest keep the ids of what the crossings were made of.
    """

    def __init__(self, limit: int, named: int, reach_ns: int) -> None:
        """None yet.

        Args:
            limit: How many events there may be.
            named: How many ids of what crossings were made of.
            reach_ns: How long any window remembers.
        """
        self._room = limit
        self._names_room = named
        self._reach_ns = reach_ns
        self.kept: deque[Occurrence] = deque()
        self._chained: deque[Occurrence] = deque()

    def take_over(self, other: "Whole") -> None:
        """Hold what another one holds."""
        for occurrence in other.kept:
            self.keep(occurrence)

    def keep(self, occurrence: Occurrence) -> None:
        """Hold the events of one more; the oldest let go of theirs."""
        kept = self.kept
        kept.append(occurrence)
        self._room -= occurrence.weight
        while self._room < 0:
            oldest = kept.popleft()
            self._room += oldest.weight
            if getrefcount(oldest) > _NOBODY_ELSE:
                oldest.let_go(named=oldest.ts_ns >= occurrence.ts_ns - self._reach_ns)
        if occurrence.chain is not None:
            self._keep_names(occurrence)

    def _keep_names(self, occurrence: Occurrence) -> None:
        chained = self._chained
        chained.append(occurrence)
        self._names_room -= occurrence.weight
        while self._names_room < 0:
            oldest = chained.popleft()
            self._names_room += oldest.weight
            if oldest.chain is not None:
                oldest.chain = msgspec.structs.replace(oldest.chain, events=())


def chained(ts_ns: int, crossings: Iterable[Crossing], direct: FileEvent | None) -> Occurrence:
    """One occurrence for crossings that have one cause, and for the event that is the cause, if it counts.

    Args:
        ts_ns: When they crossed.
        crossings: One or more.
        direct: The event, where it matched a rule of the same correlation.
    """
    crossings = tuple(crossings)
    event = crossings[0].event if direct is None else direct
    chain = Chain(
        alerts=tuple(one.id for one in crossings if not one.correlation.silent),
        events=distinct(each for one in crossings for each in one.events)[-MOST_OF_CROSSING:],
        losses=merged(*(one.losses for one in crossings)),
        direct=direct is not None,
    )
    return Occurrence(ts_ns=ts_ns, event=event, chain=chain, weight=1 + len(chain.events))


def merged(*losses: tuple[Loss, ...]) -> tuple[Loss, ...]:
    """All of them, each once."""
    by_time = {(loss.first_ns, loss.last_ns): loss for some in losses for loss in some}
    return tuple(by_time.values())


def distinct(contributions: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """Each once, in order of time."""
    by_id = {one.id: one for one in contributions}
    return tuple(sorted(by_id.values(), key=lambda one: one.ts_ns))
