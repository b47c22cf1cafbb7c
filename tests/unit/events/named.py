"""A batch of calls that have several names."""

from collections.abc import Sequence

from fileaudit_engine.events.batch import EVERY, ManyNames
from fileaudit_engine.events.model import FileEvent


class Named(ManyNames):
    """Calls, each of which is an event for each of its names.

    Args:
        calls: The events of each call.
        candidates: Of each event; for all of them nobody has filtered, if none are given.
    """

    __slots__ = ("_again", "_events", "candidates")

    def __init__(self, *calls: Sequence[FileEvent], candidates: Sequence[int] = ()) -> None:
        self._events = [event for call in calls for event in call]
        self._again: set[int] = set()
        at = 0
        for call in calls:
            self._again |= set(range(at + 1, at + len(call)))
            at += len(call)
        self.candidates = candidates or [EVERY] * len(self._events)

    @property
    def again(self) -> set[int]:
        """The indexes of those that tell of the call before them."""
        return self._again

    def complete(self, index: int) -> FileEvent:
        """Event number `index`."""
        return self._events[index]
