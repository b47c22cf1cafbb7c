"""What to do when connections break again and again, and nothing is kept: the same would come for ever.

After a few times it is told, with a remedy. From then on there is a pause before each attempt, longer each
time, and an attempt is a small portion on a connection of its own, which is ended at once: so there is
progress even with a receiver that closes connections whenever it likes, and what comes twice is little.
Portions grow as long as all goes well; after an hour without a loss nothing is doubted any more.
"""

from collections.abc import Callable
from typing import Final

from fileaudit_engine.sinks.syslog.patience import Patience

MANY: Final = 3
"""So many losses in a row are no coincidence."""
PORTION: Final = 64
"""Frames of the first portion."""
MOST: Final = 4_096
"""Frames of the largest."""


class Doubts:
    """Counts losses in a row; see the module.

    Args:
        tell: Is told what an administrator should know, in words.
        patience: How long what may take.
        clock_s: Monotonic seconds.

    Attributes:
        portion: How many frames a connection may carry; None: any number.
    """

    def __init__(
        self, *, tell: Callable[[str], None], patience: Patience, clock_s: Callable[[], float]
    ) -> None:
        self._tell = tell
        self._patience = patience
        self._clock_s = clock_s
        self._losses = 0
        self._not_before_s = self._lost_s = clock_s()
        self._told = False
        self.portion: int | None = None

    @property
    def waits(self) -> bool:
        """Whether nothing should be tried yet."""
        return self._clock_s() < self._not_before_s

    def lost(self, reason: str) -> None:
        """A connection broke, and nothing was kept since the last one did."""
        self._losses += 1
        self._lost_s = self._clock_s()
        if self.portion is not None:
            self.portion = max(self.portion // 2, 1)
        if self._losses < MANY:
            return
        pause_s = self._patience.pause_s * 2.0 ** min(self._losses - MANY, 16)
        self._not_before_s = self._lost_s + min(pause_s, self._patience.longest_pause_s)
        if self.portion is None:
            self.portion = PORTION
        if not self._told:
            self._told = True
            self._tell(
                f"{self._losses} connections in a row broke before it could be known what has arrived"
                f" ({reason}): records come again, in small portions and with pauses, until the receiver ends"
                " connections in good order; see its log, and whether it, or a balancer or firewall before"
                " it, closes connections by itself"
            )

    def kept(self) -> None:
        """What a connection had carried is the receiver's."""
        self._losses = 0
        if self.portion is not None:
            self.portion = min(self.portion * 2, MOST)
            if self._clock_s() - self._lost_s >= self._patience.alone_s:
                self.portion = None

    def hurry(self) -> None:
        """Somebody may have changed something: try at once, and say it again if it was not that."""
        self._told = False
        self._not_before_s = self._clock_s()
