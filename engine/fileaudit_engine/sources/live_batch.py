"""Events from the ring that arrived together: bytes, completed only where somebody asks.

Most records are one event each, under the name that the kernel gave. The few whose path has to be followed,
or whose file has other names, are made into events at once (`resolve`): how many events they are, and which
rules may match each, is known only then.
"""

from collections.abc import Collection, Sequence
from typing import Final

from fileaudit_engine.events import wire
from fileaudit_engine.events.batch import ManyNames
from fileaudit_engine.events.model import FileEvent, PathState
from fileaudit_engine.sources.resolve import Resolver

_STATE_AT: Final = 5
_HINTS_AT: Final = 7
_UNRESOLVED: Final = int(PathState.UNRESOLVED)
_ALIAS: Final = int(wire.Hint.ALIAS)


class LiveBatch(ManyNames):
    """A run of file records, completed on demand.

    Args:
        run: The bytes.
        starts: Where the batch's records begin in it.
        candidates: Their candidate sets.
        lookups: What gives their numbers a meaning.
        resolver: Goes on with their paths; without one, they are as the kernel left them.

    Attributes:
        candidates: As for every batch.
        records: How many records its events were made of.
    """

    __slots__ = (
        "_again",
        "_callers",
        "_lookups",
        "_made",
        "_resolver",
        "_run",
        "_starts",
        "candidates",
        "records",
    )

    def __init__(
        self,
        run: bytes,
        starts: Sequence[int],
        candidates: Sequence[int],
        lookups: wire.Lookups,
        resolver: Resolver | None = None,
    ) -> None:
        self.records = len(starts)
        self.candidates = candidates
        self._again: Collection[int] = ()
        self._run = run
        self._starts = starts
        self._lookups = lookups
        self._callers: wire.Callers = {}
        self._resolver = resolver
        self._made: dict[int, FileEvent] = {}
        if resolver is not None:
            special = [
                index
                for index, at in enumerate(starts)
                if run[at + _STATE_AT] & _UNRESOLVED or run[at + _HINTS_AT] & _ALIAS
            ]
            if special:
                self._make(special, resolver)

    @property
    def again(self) -> Collection[int]:
        """See `ManyNames`."""
        return self._again

    def complete(self, index: int) -> FileEvent:
        """Event number `index`."""
        made = self._made.get(index)
        if made is not None:
            return made
        record = wire.file_record(self._run, self._starts[index], self._lookups, self._callers)
        return record.event if self._resolver is None else self._resolver.event(record, self._lookups)

    def _make(self, special: Sequence[int], resolver: Resolver) -> None:
        """Make the events of these records, in their places."""
        starts: list[int] = []
        candidates: list[int] = []
        again: set[int] = set()
        done = 0
        for index in special:
            starts += self._starts[done:index]
            candidates += self.candidates[done:index]
            done = index + 1
            at = self._starts[index]
            record = wire.file_record(self._run, at, self._lookups, self._callers)
            for number, named in enumerate(resolver.events(record, self.candidates[index], self._lookups)):
                if number:
                    again.add(len(starts))
                self._made[len(starts)] = named.event
                starts.append(at)
                candidates.append(named.candidates)
        self._starts = [*starts, *self._starts[done:]]
        self.candidates = [*candidates, *self.candidates[done:]]
        self._again = again
