"""What to do when connections break again and again, and nothing is kept: the same would come for ever.

After a few times it is told, with a remedy. From then on there is a pause before each attempt, longer each
time, and an attempt is a small portion on a connection of its own, which is ended at once: so there is
progress even with a receiver that closes connections whenever it likes, and what comes twice is little.
Portions grow as long as all goes well, and in the end nothing is doubted any more.
"""

from collections.abc import Callable
from typing import Final

from fileaudit_engine.sinks.syslog.patience import Patience

MANY: Final = 3
"""So many losses in a row are no coincidence."""
PORTION: Final = 64
"""Frames of the first portion."""
ALL: Final = 4_096
"""A portion of so many is no small one any more."""


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
        self._not_before_s = clock_s()
        self.portion: int | None = None

    @property
    def waits(self) -> bool:
        """Whether nothing should be tried yet."""
        return self._clock_s() < self._not_before_s

    def lost(self, reason: str) -> None:
        """A connection broke, and nothing was kept since the last one did."""
        self._losses += 1
        if self._losses < MANY:
            return
        pause_s = self._patience.pause_s * 2.0 ** min(self._losses - MANY, 16)
        self._not_before_s = self._clock_s() + min(pause_s, self._patience.longest_pause_s)
        if self.portion is not None:
            self.portion = max(self.portion // 2, 1)
            return
        self.portion = PORTION
        self._tell(
            f"{self._losses} connections in a row broke before it could be known what has arrived ({reason}):"
            " records come again, in small portions and with pauses, until the receiver ends connections in"
            " good order; see its log, and whether it, or a balancer or firewall before it, closes"
            " connections by itself"
        )

    def kept(self) -> None:
        """What a connection had carried is the receiver's."""
        self._losses = 0
        if self.portion is not None:
            self.portion = self.portion * 2 if self.portion * 2 < ALL else None

    def hurry(self) -> None:
        """Somebody may have changed something: try at once."""
        self._not_before_s = self._clock_s()
