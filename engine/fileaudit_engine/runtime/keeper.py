"""States that outlive the process: kept with the store, and found there at the next start.

A state is what is known at one moment and would be lost with the process: open windows, repeats that are not
told yet. It is kept when the engine stops, and now and then before: whatever ends the engine, little is lost,
and what is lost is told at the next start. What has been told is no part of it. So a state is kept only when
all that was to be told before is on disk.

While a state is written the source is not read: the kernel's ring has to take what happens, and what finds no
room there is lost, and told like every loss. On one core, 44,000 groups with 72,000 events take 1.6 s. So the
time that it takes says how often it is done: it is one part in `SHARE` of all time at the most.

A state that cannot be kept, or not be read, is told and stops nothing.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

from fileaudit_engine.diagnostics import FileauditError
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import printable

EVERY_S: Final = 10.0
"""Between two times at which states are kept, if that takes no time worth mentioning."""

SHARE: Final = 100
"""Of this many parts of the time, keeping states takes one at the most."""

States = Mapping[str, Callable[[], bytes]]
"""By name, what writes the state as it is now."""


class Keeper:
    """Keeps states.

    Args:
        store: Where they are kept.
        tell: Is told, in words, what cannot be kept or read, and when it can again.
        clock_s: Monotonic seconds.
    """

    def __init__(
        self, store: Store, *, tell: Callable[[str], None], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._tell = tell
        self._clock_s = clock_s
        self._kept_at_s = clock_s()
        self._pause_s = EVERY_S
        self._changes = 0
        self._failing = False

    def found(self, name: str) -> tuple[int, bytes] | None:
        """When a state was kept, nanoseconds since the Unix epoch, and the state; None if there is none."""
        try:
            return self._store.load_state(name)
        except FileauditError as error:
            self._tell(f"{printable(str(error))}; {name} begin anew")
            return None

    def is_due(self, changes: int, *, idle: bool) -> bool:
        """Whether states should be kept now.

        Args:
            changes: How often something has changed so far.
            idle: Whether there is nothing else to do; if not, it can wait as long again.
        """
        if changes == self._changes:
            return False
        return self._clock_s() - self._kept_at_s >= self._pause_s * (1 if idle else 2)

    def keep(self, states: States, changes: int, *, seen_ns: int) -> None:
        """Keep states.

        Args:
            states: All of them.
            changes: See `is_due`.
            seen_ns: Everything that happened before has been seen, nanoseconds since the Unix epoch.
        """
        began_s = self._clock_s()
        try:
            for name, written in states.items():
                self._store.save_state(name, seen_ns, written())
        except FileauditError as error:
            if not self._failing:
                self._tell(f"{printable(str(error))}; open windows are not kept until it can")
            self._failing = True
        else:
            if self._failing:
                self._tell("the store can be written again: open windows are kept")
            self._failing = False
            self._changes = changes
        self._kept_at_s = self._clock_s()
        self._pause_s = max(EVERY_S, SHARE * (self._kept_at_s - began_s))
