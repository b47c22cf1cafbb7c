"""The order of the two records of an exec.

One tells the process table what a process runs from now on, the other is the event. They are written by two
programs at one tracepoint, which the kernel runs in the order in which their kinds were first attached by
anybody: where another tracer was there before, the event comes first, and would be of the former program.

Which record belongs to which event shows in the process and its image: the event of an exec may have been
filtered, and the next one of the same process is not about the record that is left over.
"""

from typing import Final

from fileaudit_engine.events import wire
from fileaudit_engine.events.model import Operation
from fileaudit_engine.events.process_record import PROCESS_HEAD, pid_of_process

_EXEC: Final = Operation.EXEC.number
_IMAGE_OF_FILE: Final = -5
_IMAGE_OF_PROCESS: Final = -3
"""Places in the heads of records, from their ends."""


class ExecOrder:
    """Puts the record of the table before that of the event, wherever both are in a run."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}
        """By process the image of a record for the table that has come, and whose event has not."""

    def sorted(self, run: bytes, starts: list[int]) -> list[int]:
        """Where the records begin, in their order."""
        waiting: dict[int, tuple[int, int]] = {}
        moves: list[tuple[int, int]] = []
        for number, at in enumerate(starts):
            kind = wire.kind_of(run, at)
            if kind == wire.Kind.FILE:
                if wire.operation_of(run, at) == _EXEC and wire.succeeded(run, at):
                    self._event(run, at, number, waiting)
            elif kind == wire.Kind.EXEC:
                place = self._place(run, at, waiting)
                if place is not None:
                    moves.append((number, place))
            elif kind == wire.Kind.EXIT:
                self._known.pop(pid_of_process(run, at), None)
        return _moved(starts, moves) if moves else starts

    def _event(self, run: bytes, at: int, number: int, waiting: dict[int, tuple[int, int]]) -> None:
        """An event whose record has come needs nothing more; any other waits for it."""
        pid, image = wire.pid_of_file(run, at), int(wire.FILE_HEAD.unpack_from(run, at)[_IMAGE_OF_FILE])
        if self._known.pop(pid, None) != image:
            waiting[pid] = image, number

    def _place(self, run: bytes, at: int, waiting: dict[int, tuple[int, int]]) -> int | None:
        """Before which record one for the table belongs; None if it stays where it is."""
        pid, image = pid_of_process(run, at), int(PROCESS_HEAD.unpack_from(run, at)[_IMAGE_OF_PROCESS])
        of_event, place = waiting.pop(pid, (None, 0))
        if of_event == image:
            return place
        self._known[pid] = image
        return None


def _moved(starts: list[int], moves: list[tuple[int, int]]) -> list[int]:
    """The starts with those at the first places of `moves` put before those at the second ones."""
    before = {place: number for number, place in moves}
    moved = {number for number, _ in moves}
    ordered: list[int] = []
    for number, at in enumerate(starts):
        if number in before:
            ordered.append(starts[before[number]])
        if number not in moved:
            ordered.append(at)
    return ordered
