"""What is done beside the work, a little at a time, in the thread that does the work.

Only that thread writes to the store. So whoever else has something to do there (retention, anchors, sinks
that follow the store) gets a turn after every item of the source, and takes some ten milliseconds of it at
the most.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol


class Chore(Protocol):
    """Something that is to be done again and again."""

    def tick(self, *, idle: bool) -> None:
        """Do a little of it, if it is time; must not raise for what may happen to a disk.

        Args:
            idle: Whether the source had nothing: there is time.
        """

    def close(self) -> None:
        """The end of it; nothing comes after."""


BUSY_SHARE: Final = 5
"""While there is work, one of so many parts of the time is left to a chore that could go on for long."""


class Turns:
    """Says when something long may go on: at once when there is nothing else to do, else after a pause.

    Args:
        clock_s: Monotonic seconds.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._not_before_s = 0.0

    def is_mine(self, *, idle: bool) -> bool:
        """Whether it may go on now."""
        return idle or self._clock_s() >= self._not_before_s

    def took(self, seconds: float) -> None:
        """It went on for so long."""
        self._not_before_s = self._clock_s() + seconds * (BUSY_SHARE - 1)


class Every:
    """Says when a time has gone by; the first time is now.

    Args:
        seconds: How long it is.
        clock_s: Monotonic seconds.
    """

    def __init__(self, seconds: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock_s = clock_s
        self._due_s = clock_s()

    def is_due(self) -> bool:
        """Whether it has gone by since this was last true."""
        now_s = self._clock_s()
        if now_s < self._due_s:
            return False
        self._due_s = now_s + self._seconds
        return True
