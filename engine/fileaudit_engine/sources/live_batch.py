"""Events from the ring that arrived together: bytes, completed only where somebody asks."""

from collections.abc import Sequence

import msgspec

from fileaudit_engine.events import wire
from fileaudit_engine.events.model import FileEvent, PathState
from fileaudit_engine.sources.follow import follow, normalised


class LiveBatch:
    """A run of file records, completed on demand.

    Args:
        run: The bytes.
        starts: Where the batch's records begin in it.
        candidates: Their candidate sets.
        lookups: What gives their numbers a meaning.
    """

    __slots__ = ("_lookups", "_run", "_starts", "candidates")

    def __init__(
        self, run: bytes, starts: Sequence[int], candidates: Sequence[int], lookups: wire.Lookups
    ) -> None:
        self.candidates = candidates
        self._run = run
        self._starts = starts
        self._lookups = lookups

    def complete(self, index: int) -> FileEvent:
        """Event number `index`; a path that the kernel left unresolved is followed now."""
        event = wire.file_record(self._run, self._starts[index], self._lookups).event
        return _followed(event) if event.path_state & PathState.UNRESOLVED else event


def _followed(event: FileEvent) -> FileEvent:
    """The event with the links in its path followed, where that is possible without waiting."""
    path = event.path
    if path is None or not path.startswith("/"):
        return event
    state, pid = event.path_state, event.process.pid
    thread = event.thread_id or pid
    target = None
    if not state & (PathState.UNREACHABLE | PathState.TRUNCATED):
        target = follow(path, pid=pid, thread=thread)
    if target is None:
        return msgspec.structs.replace(event, path=normalised(path, pid=pid, thread=thread))
    state = (state & ~PathState.UNRESOLVED) | PathState.FOLLOWED
    return msgspec.structs.replace(event, path=target, path_state=state)
