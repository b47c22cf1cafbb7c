"""The unit of flow: events that arrived together, completed only where a rule may match.

A batch is columns, not objects. The one column that every batch has is `candidates`: for each event the
clauses of the kernel plan that it may satisfy, as a bit set, or `EVERY` where nobody has filtered. The live
source fills it from the kernel's answer. A source that nobody filters for can say what each event has in a
field (`Columns`), and the match index finds the candidates. Whoever wants more of an event asks `complete`.
"""

import abc
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from fileaudit_engine.events.fields import Field, Value
from fileaudit_engine.events.model import FileEvent

EVERY: Final = -1
"""The candidate set of an event that nobody has filtered: as a two's complement number, all bits set."""

BATCH_EVENTS: Final = 512
"""Events in one batch at the most: larger ones fall out of the cache, smaller ones cost per batch."""

BATCH_DELAY_S: Final = 0.005
"""How long the oldest event of a batch may wait for company."""


class Batch(Protocol):
    """Events in the order in which they happened, as far as their source knows it."""

    @property
    def candidates(self) -> Sequence[int]:
        """Per event, the clauses that may match (`EVERY`: not filtered). Its length is the batch's size."""

    def complete(self, index: int) -> FileEvent:
        """Event number `index` in full."""


class Columns(abc.ABC):
    """A batch that nobody has filtered, and that can be looked at field by field.

    A class, not a protocol: the detector asks every batch whether it is one, and a protocol takes 30 µs
    to say so.
    """

    __slots__ = ()

    @property
    @abc.abstractmethod
    def candidates(self) -> Sequence[int]:
        """`EVERY`, for each event."""

    @abc.abstractmethod
    def column(self, field: Field) -> Sequence[Value] | None:
        """What rules see of a field, event by event; None where no event of the batch has it."""

    @abc.abstractmethod
    def only(self, places: Sequence[int]) -> "Columns":
        """The events at these places, as a batch of their own."""

    @abc.abstractmethod
    def complete(self, index: int) -> FileEvent:
        """Event number `index` in full."""


class ManyNames(abc.ABC):
    """A batch in which one call may be several events: one for each name of its file."""

    __slots__ = ()

    @property
    @abc.abstractmethod
    def again(self) -> Collection[int]:
        """The indexes of events that tell of the call before them, under another name of its file.

        A rule that matches a call under one of its names is not asked again.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatch(Columns):
    """Complete events as a batch; nobody has filtered them."""

    events: Sequence[FileEvent]

    @property
    def candidates(self) -> Sequence[int]:
        """`EVERY`, for each."""
        return (EVERY,) * len(self.events)

    def column(self, field: Field) -> Sequence[Value]:
        """The field's value of every event."""
        return list(map(field.get, self.events))

    def only(self, places: Sequence[int]) -> "EventBatch":
        """The events at these places."""
        return EventBatch(events=[self.events[place] for place in places])

    def complete(self, index: int) -> FileEvent:
        """Event number `index`."""
        return self.events[index]
