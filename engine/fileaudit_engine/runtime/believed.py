"""The time by which old records are told from new ones.

A clock that is years ahead for an hour (a dead battery, a slip of the hand) must not have everything
removed for its age. So the clock is believed where something keeps it right (chronyd, ntpd,
systemd-timesyncd: the kernel knows); else only as far as the engine has lived: not further than twice the
time that it ran since it was last believed. After a year off, an unsteered clock is behind for a while;
then records are kept longer, never shorter. A clock that is put back is believed at once: it makes records
younger.
"""

import contextlib
import time
from collections.abc import Callable
from typing import Final

from fileaudit_engine.diagnostics import FileauditError
from fileaudit_engine.enrich.clock import clock_state
from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.store.store import Store

BELIEVED: Final = "believed"
"""The mark in the store: what was last believed."""

CATCHING_UP: Final = 2
"""What was lived counts so much, so that a clock that was behind with reason comes up."""


def is_steered() -> bool:
    """Whether something keeps the host's clock right."""
    state = clock_state()
    return state is not None and state.synchronized


class BelievedClock:
    """Tells the time that is believed.

    Args:
        store: Remembers it over a restart.
        since_ns: What is believed at first of a store that remembers nothing: when an engine was last seen
            alive; None: the clock.
        steered: Whether something keeps the clock right.
        clock_ns: The clock, nanoseconds since the Unix epoch.
        clock_s: Monotonic seconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        since_ns: int | None = None,
        steered: Callable[[], bool] = is_steered,
        clock_ns: Callable[[], int] = time.time_ns,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        remembered = store.marked(BELIEVED)
        self._store = store
        self._steered = steered
        self._clock_ns = clock_ns
        self._clock_s = clock_s
        self._at_s = clock_s()
        self._latest_ns = since_ns if remembered is None else remembered

    def latest_ns(self) -> int:
        """What was last believed, without another look; any thread may ask."""
        return self._clock_ns() if self._latest_ns is None else min(self._latest_ns, self._clock_ns())

    def now_ns(self) -> int:
        """What is believed now, nanoseconds since the Unix epoch; remembered from now on."""
        now_ns, now_s = self._clock_ns(), self._clock_s()
        if self._latest_ns is None or self._steered():
            believed_ns = now_ns
        else:
            lived_ns = int((now_s - self._at_s) * SECOND_NS)
            believed_ns = min(now_ns, self._latest_ns + CATCHING_UP * lived_ns)
        self._latest_ns, self._at_s = believed_ns, now_s
        with contextlib.suppress(FileauditError):  # whoever writes tells; next time less is believed
            self._store.mark(BELIEVED, believed_ns)
        return believed_ns
