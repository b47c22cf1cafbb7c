"""Whether it makes sense to ask a receiver that has refused us for good.

A wrong key or another host's certificate is no trouble that passes by itself. So nobody is asked again before
somebody has changed something: said so, or written another file. What was changed over there nobody tells us,
so every five minutes it is tried all the same.
"""

from collections.abc import Callable
from typing import Final

LOOK_S: Final = 10.0
"""Pause between two looks at files of secrets and certificates."""
REFUSED_S: Final = 300.0
"""After so long a refusal is looked at again."""


class Gate:
    """Shut by a refusal, opened by a change.

    Args:
        changed: Whether files are others than those that were refused.
        clock_s: Monotonic seconds.

    Attributes:
        reason: Why it is shut; empty while it is not.
        refreshed: Whether somebody says that something has changed.
    """

    def __init__(self, changed: Callable[[], bool], clock_s: Callable[[], float]) -> None:
        self._changed = changed
        self._clock_s = clock_s
        self.reason = ""
        self.refreshed = False
        self._look_at_s = self._until_s = 0.0

    def shut(self, reason: str) -> None:
        """It makes no sense until something has changed."""
        self.reason = reason
        self._look_at_s, self._until_s = self._clock_s() + LOOK_S, self._clock_s() + REFUSED_S

    def opened(self) -> bool:
        """Whether to begin anew, with files as they are now. Says so once."""
        refreshed, self.refreshed = self.refreshed, False
        if refreshed or (self.reason and self._is_over()):
            self.reason = ""
            return True
        return False

    def _is_over(self) -> bool:
        now_s = self._clock_s()
        if now_s >= self._until_s:
            return True
        if now_s < self._look_at_s:
            return False
        self._look_at_s = now_s + LOOK_S
        return self._changed()
