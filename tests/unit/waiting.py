"""For tests of what must not wait: a test that hangs says nothing."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class StillWaiting(Exception):
    """It has waited for what never comes."""


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """Fails where something is waited for."""

    def wake(_signal: int, _frame: FrameType | None) -> None:
        raise StillWaiting

    before = signal.signal(signal.SIGALRM, wake)
    signal.setitimer(signal.ITIMER_REAL, 20, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
