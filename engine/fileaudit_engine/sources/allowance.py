"""A share of a processor's time, for work that others can cause as often as they like."""

import contextlib
import time
from collections.abc import Callable, Iterator


class Allowance:
    """Time that may be spent: it grows with the time that passes, up to a bound.

    The last piece of work may take more than what is left; the next one then waits until that is made up for.

    Args:
        share: What is gained, in seconds a second.
        most_s: What can be saved up, in seconds; it is there from the start.
        clock: Tells seconds.
    """

    def __init__(self, share: float, most_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._most = self._left = most_s
        self._clock = clock
        self._counted_at = clock()

    def is_left(self) -> bool:
        """Whether anything may be begun."""
        now = self._clock()
        self._left = min(self._most, self._left + self._share * (now - self._counted_at))
        self._counted_at = now
        return self._left > 0

    @contextlib.contextmanager
    def spent(self) -> Iterator[None]:
        """Take off what the block takes."""
        began = self._clock()
        try:
            yield
        finally:
            self._left -= self._clock() - began
