"""The order of the two records of an exec.

One tells the process table what a process runs from now on, the other is the event. They are written by two
programs at one tracepoint, which the kernel runs in the order in which their kinds were first attached by
anybody: where another tracer was there before, the event comes first, and would be of the former program.
"""

from typing import Final

from fileaudit_engine.events import wire
from fileaudit_engine.events.model import Operation
from fileaudit_engine.events.process_record import pid_of_process

_EXEC: Final = Operation.EXEC.number


class ExecOrder:
    """Puts the record of the table before that of the event, wherever both are in a run."""

    def __init__(self) -> None:
        self._known: set[int] = set()
        """Processes whose record for the table has come, and whose event has not."""

    def sorted(self, run: bytes, starts: list[int]) -> list[int]:
        """Where the records begin, in their order."""
        waiting: dict[int, int] = {}
        moves: list[tuple[int, int]] = []
        for number, at in enumerate(starts):
            kind = wire.kind_of(run, at)
            if kind == wire.Kind.FILE:
                if wire.operation_of(run, at) == _EXEC and wire.succeeded(run, at):
                    self._event(wire.pid_of_file(run, at), number, waiting)
            elif kind == wire.Kind.EXEC:
                pid = pid_of_process(run, at)
                place = waiting.pop(pid, None)
                if place is None:
                    self._known.add(pid)
                else:
                    moves.append((number, place))
            elif kind == wire.Kind.EXIT:
                self._known.discard(pid_of_process(run, at))
        return _moved(starts, moves) if moves else starts

    def _event(self, pid: int, number: int, waiting: dict[int, int]) -> None:
        if pid in self._known:
            self._known.discard(pid)
        else:
            waiting[pid] = number


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
