"""Retention while the engine runs: at the start and every hour, between two batches, a little at a time."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from fileaudit_engine.detect.record import Record
from fileaudit_engine.diagnostics import FileauditError
from fileaudit_engine.events.times import UNITS_NS, rfc3339
from fileaudit_engine.runtime.chores import Every, Turns
from fileaudit_engine.store.lag import Lag, lag_of
from fileaudit_engine.store.retention import Removed, Retention, remove, used_bytes
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import counted, printable

EVERY_S: Final = 3_600.0
HELD_S: Final = 86_400.0
"""How often is told that a sink holds old records back."""
LOOK_S: Final = 60.0
"""How often the size is looked at: in an hour a flood of events fills 50 GB."""


class Retaining:
    """Removes what is not to be kept. A chore.

    Args:
        store: Of what.
        retention: What is kept.
        host: This host's name.
        sinks: Those that follow the store: what they have not had stays.
        show: Is given what the engine says about a removal, which is in the store already.
        tell: Is told, in words, what was removed, and why nothing can be.
        announce: Tells where the store is not that rows are about to go; see `store.retention.remove`.
        now_ns: The time that ages are measured by, nanoseconds since the Unix epoch; see `believed`.
        clock_s: Monotonic seconds.
    """

    def __init__(  # noqa: PLR0913 - one argument a part
        self,
        store: Store,
        retention: Retention,
        *,
        host: str,
        sinks: Collection[str],
        show: Callable[[Sequence[Record]], None],
        tell: Callable[[str], None],
        now_ns: Callable[[], int],
        announce: Callable[[int], bool],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._retention = retention
        self._host = host
        self._sinks = tuple(sinks)
        self._show = show
        self._tell = tell
        self._now_ns = now_ns
        self._announce = announce
        self._clock_s = clock_s
        self._hour, self._minute = Every(EVERY_S, clock_s), Every(LOOK_S, clock_s)
        self._day = Every(HELD_S, clock_s)
        self._turns = Turns(clock_s)
        self._steps: Iterator[Removed | None] | None = None
        self._removed: list[Removed] = []
        self._trouble = ""
        self._urgent = False
        """Whether the hard limit is passed: then every turn is taken, and the source waits as it must."""

    def tick(self, *, idle: bool) -> None:
        """Look whether something is to be removed, if it is time; go on with it, if there is time."""
        if self._steps is None and self._is_due():
            self._steps, self._urgent = self._begun(), self._is_above(self._retention.hard_bytes)
        if self._steps is None or not self._turns.is_mine(idle=idle or self._urgent):
            return
        began_s = self._clock_s()
        try:
            self._go_on(self._steps)
        except FileauditError as error:
            self._end(str(error))
        self._turns.took(self._clock_s() - began_s)

    def close(self) -> None:
        """Say what was removed; what is left to be swept, the next start sweeps."""
        if self._removed:
            self._end("")

    def _is_due(self) -> bool:
        hour, minute = self._hour.is_due(), self._minute.is_due()
        return hour or (minute and self._is_over())

    def _is_over(self) -> bool:
        retention = self._retention
        return self._is_above(retention.max_bytes) or self._is_above(retention.hard_bytes)

    def _is_above(self, limit: int | None) -> bool:
        try:
            return limit is not None and used_bytes(self._store) > limit
        except FileauditError:  # whoever writes tells
            return False

    def _begun(self) -> Iterator[Removed | None]:
        now_ns = self._now_ns()
        self._store.close_block_if_old(now_ns)
        yield from remove(
            self._store,
            self._retention,
            now_ns,
            host=self._host,
            sinks=self._sinks,
            announce=self._announce,
        )

    def _go_on(self, steps: Iterator[Removed | None]) -> None:
        try:
            removed = next(steps)
        except StopIteration:
            self._end("")
            return
        if removed is not None:
            self._removed.append(removed)
            self._show([removed.record])

    def _end(self, trouble: str) -> None:
        """It is done, or cannot be for now."""
        if self._removed:
            self._tell(_words(self._removed))
        self._tell_who_holds()
        if trouble and trouble != self._trouble:
            self._tell(f"{printable(trouble)}; old records stay until it can be")
        self._trouble = trouble
        self._steps, self._removed = None, []

    def _tell_who_holds(self) -> None:
        """Once a day: which sinks have not had what is old enough to go, so that it stays."""
        for sink, lag in self._holding():
            waits = counted((self._now_ns() - (lag.oldest_ns or 0)) // UNITS_NS["d"], "day")
            self._tell(
                f"{counted(lag.behind, 'record')} stay beyond their time, the oldest for {waits}:"
                f" {printable(sink)} has not had them; mend it, remove it from the configuration, or set"
                " 'store.hard_limit'"
            )

    def _holding(self) -> list[tuple[str, Lag]]:
        age_ns = self._retention.age_ns
        if age_ns is None or not self._sinks:
            return []
        try:
            lags = {sink: lag_of(self._store, self._store.cursor(sink) or 0) for sink in self._sinks}
        except FileauditError:
            return []
        old_ns = self._now_ns() - age_ns
        held = [
            (sink, lag) for sink, lag in lags.items() if lag.oldest_ns is not None and lag.oldest_ns < old_ns
        ]
        return held if held and self._day.is_due() else []


def _words(removed: Sequence[Removed]) -> str:
    """`removed 1,234 records until 2026-08-30T12:00:00.000000000Z`, and who had not had them."""
    told = counted(sum(one.records for one in removed), "record")
    words = f"removed {told} until {rfc3339(max(one.last_ns for one in removed))}"
    for sink in sorted({sink for one in removed for sink in one.not_had}):
        missed = counted(sum(one.not_had.get(sink, 0) for one in removed), "record")
        words += f"; {printable(sink)} has never had {missed} of these"
    return words
