"""A live command over events of our making: for tests that look at it through a terminal or a pipe.

The first argument says what the source yields before it is idle; the others are the command and its options.
With BEHIND in the environment it is not the job in front of its terminal.
"""

import contextlib
import fcntl
import os
import signal
import sys
import termios
import time
from collections.abc import Iterator

from tests.unit.sinks.every_operation import DAY

from fileaudit_engine.cli import live
from fileaudit_engine.cli.main import main
from fileaudit_engine.events.batch import Batch, EventBatch
from fileaudit_engine.events.model import Loss
from fileaudit_engine.sources.base import Counters

ITEMS: dict[str, list[Batch | Loss]] = {
    "day": [EventBatch(events=DAY)],
    "loss": [EventBatch(events=DAY), Loss(first_ns=1, last_ns=2, counts={"open": 1_234})],
    "nothing": [],
}


class Made:
    """A source that yields what it is given, and then nothing until it is closed."""

    def __init__(self, items: list[Batch | Loss]) -> None:
        self._items = items
        self._closed = False

    def batches(self) -> Iterator[Batch | Loss]:
        while self._items:
            yield self._items.pop(0)
        while not self._closed:
            time.sleep(0.02)
            yield EventBatch(events=[])

    def counters(self) -> Counters:
        return Counters(seen=len(DAY), delivered=len(DAY))

    def close(self) -> None:
        self._closed = True


if __name__ == "__main__":
    with contextlib.suppress(OSError):  # stdin is no terminal
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    if os.environ.get("BEHIND"):
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # a shell would have put it there
        if child := os.fork():
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        os.setpgid(0, 0)
    made = Made(ITEMS[sys.argv[1]])
    live.open_source = lambda *_, **__: made  # type: ignore[assignment]  # a double
    sys.exit(main(sys.argv[2:]))
