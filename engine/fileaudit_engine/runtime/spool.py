"""The way to the store, and the waiting room in front of it.

A record is shown to a sink only when it is on disk. While the store cannot be written (its disk is full,
another program holds its lock), records wait in memory and are tried again every second; that is said once,
and once more when it is over. When the waiting room is full, `commit` waits itself: the source is then not
read, the kernel's ring fills, and what finds no room there is counted as lost like everything else.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from fileaudit_engine.detect.record import Record
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.events.model import Loss
from fileaudit_engine.store.store import Store

WAITING_ROOM: Final = 20_000
"""Records that may wait: some 100 MB of documents at the worst usual size."""

RETRY_S: Final = 1.0
"""Pause between two tries."""


class Spool:
    """Commits records, at once or when the store takes them again.

    Args:
        store: Where they go.
        tell: Is told, in words, when the store fails and when it is well again.
        proceed: Whether waiting for the store still has a point; asked while the waiting room is full.
        clock_s: Monotonic seconds.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        tell: Callable[[str], None],
        proceed: Callable[[], bool],
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._tell = tell
        self._proceed = proceed
        self._clock_s = clock_s
        self._sleep = sleep
        self._records: list[Record] = []
        self._losses: list[Loss] = []
        self._not_before_s = 0.0

    @property
    def waiting(self) -> int:
        """Records that are not on disk yet."""
        return len(self._records)

    def commit(self, records: Sequence[Record] = (), losses: Sequence[Loss] = ()) -> Sequence[Record]:
        """Put records and losses on disk; returns the records that are there now and were not before."""
        if not self._records and not self._losses:
            return records if self._try(records, losses) else self._keep(records, losses)
        self._keep(records, losses)
        while True:
            if self._clock_s() >= self._not_before_s and self._try(self._records, self._losses):
                return self._emptied()
            if len(self._records) < WAITING_ROOM or not self._proceed():
                return ()
            self._sleep(RETRY_S)

    def finish(self) -> Sequence[Record]:
        """A last try, without a pause; what `waiting` counts afterwards is not on disk."""
        self._not_before_s = 0.0
        return self.commit()

    def _try(self, records: Sequence[Record], losses: Sequence[Loss]) -> bool:
        if not records and not losses:
            return True
        try:
            self._store.append(records, losses)
        except MachineCannot as error:
            if not self._records and not self._losses:
                self._tell(f"{error}; records wait in memory until it can ({error.remedy})")
            self._not_before_s = self._clock_s() + RETRY_S
            return False
        return True

    def _keep(self, records: Sequence[Record], losses: Sequence[Loss]) -> Sequence[Record]:
        self._records.extend(records)
        self._losses.extend(losses)
        return ()

    def _emptied(self) -> Sequence[Record]:
        self._tell(f"the store can be written again: {len(self._records):,} records that waited are on disk")
        records, self._records, self._losses = self._records, [], []
        return records
