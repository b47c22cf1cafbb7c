"""The way to the store, and the waiting room in front of it.

A record is shown to a sink only when it is on disk. While the store cannot be written (its disk is full, it
is read-only all of a sudden), records wait in memory and are tried again every second. That is an alert of
its own, the only one that is shown before it is on disk, because nothing else would tell; it waits with the
others and is kept before them. When all are on disk a record says how long it took and how many had waited.

The waiting room is bounded by number and by size. When it is full, `commit` waits itself: the source is then
not read, the kernel's ring fills, and what finds no room there is counted as lost like everything else.
Nobody on the host waits for any of this.
"""

import os
import time
from collections.abc import Callable, Sequence
from typing import Final

from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.detect.record import Record
from fileaudit_engine.diagnostics import FileauditError, MachineCannot
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.events.times import SECOND_NS, rfc3339
from fileaudit_engine.store.losses import loss_of
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import counted, printable, to_document

WAITING_ROOM: Final = 20_000
"""Records that may wait."""

WAITING_BYTES: Final = 64 << 20
"""Of their documents as JSON; in memory they take some four times as much."""

RETRY_S: Final = 1.0
"""Pause between two tries."""

PORTION: Final = 1_000
"""Records that waited are committed so many at a time: where some find room, those are safe."""


class Spool:
    """Commits records, at once or when the store takes them again.

    Args:
        store: Where they go.
        tell: Is told, in words, when the store fails and when it is well again.
        proceed: Whether waiting for the store still has a point; asked while the waiting room is full.
        host: This host's name.
        clock_ns: The time, nanoseconds since the Unix epoch; without it the trouble is told, and no record.
        clock_s: Monotonic seconds.
        sleep: Waits so many seconds.
    """

    def __init__(  # noqa: PLR0913 - one argument a part
        self,
        store: Store,
        *,
        tell: Callable[[str], None],
        proceed: Callable[[], bool],
        host: str = "",
        clock_ns: Callable[[], int] | None = None,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._tell = tell
        self._proceed = proceed
        self._host = host
        self._clock_ns = clock_ns
        self._clock_s = clock_s
        self._sleep = sleep
        self._records: list[Record] = []
        self._bytes = 0
        self._not_before_s = 0.0
        self._urgent: list[Record] = []
        self._since_ns: int | None = None
        """Since when the store takes nothing; None: it does, or there is no clock."""
        self._waited = self._lost = 0
        """Records that had to wait since then, and events that they say were lost."""

    @property
    def waiting(self) -> int:
        """Records that are not on disk yet."""
        return len(self._records)

    def commit(self, records: Sequence[Record] = ()) -> Sequence[Record]:
        """Put records on disk; returns the records that are there now and were not before."""
        if not self._records:
            trouble = self._try(records)
            if trouble is None:
                return records
            self._begin(trouble)
            self._wait(records)
            return ()
        self._wait(records)
        committed: list[Record] = []
        while self._records:
            if self._clock_s() >= self._not_before_s:
                committed += self._some()
            elif not self._is_full() or not self._proceed():
                break
            else:
                self._sleep(RETRY_S)
        return committed

    def failed(self, trouble: FileauditError) -> None:
        """Somebody else found that the store cannot be written: records might, too, if there were any."""
        if not self._records and self._clock_ns is not None:
            self._begin(trouble)

    def take_urgent(self) -> Sequence[Record]:
        """What is to be shown although it is not on disk yet; each is returned once."""
        urgent, self._urgent = self._urgent, []
        return urgent

    def finish(self) -> Sequence[Record]:
        """A last try, without a pause; what `waiting` counts afterwards is not on disk."""
        self._not_before_s = 0.0
        return self.commit()

    def give_up(self) -> Sequence[Record]:
        """What will never be on disk; nothing waits any more."""
        records, self._records, self._bytes = self._records, [], 0
        return records

    def _try(self, records: Sequence[Record]) -> MachineCannot | None:
        """Commit records; returns why it cannot be done."""
        if not records:
            return None
        try:
            self._store.append(records)
        except MachineCannot as error:
            self._not_before_s = self._clock_s() + RETRY_S
            return error
        return None

    def _wait(self, records: Sequence[Record]) -> None:
        self._records.extend(records)
        self._bytes += sum(len(encode(record.document)) for record in records)
        self._waited += len(records)
        losses = (loss_of(record.document) for record in records)
        self._lost += sum(loss.total for loss in losses if loss is not None)

    def _is_full(self) -> bool:
        return len(self._records) >= WAITING_ROOM or self._bytes >= WAITING_BYTES

    def _some(self) -> Sequence[Record]:
        """Commit what has waited longest; none if the store still takes nothing."""
        portion = self._records[:PORTION]
        if len(portion) == len(self._records) and self._since_ns is not None:
            portion.append(self._over(self._since_ns))
        if self._try(portion) is not None:
            return ()
        self._bytes -= sum(len(encode(record.document)) for record in self._records[:PORTION])
        del self._records[:PORTION]
        if not self._records:
            self._end()
        return portion

    def _begin(self, trouble: FileauditError) -> None:
        """The store takes nothing: say so, by an alert where there is a clock."""
        remedy = f" ({trouble.remedy})" if isinstance(trouble, MachineCannot) else ""
        self._tell(f"{printable(str(trouble))}; records wait in memory until it can{remedy}")
        self._waited = self._lost = 0
        if self._clock_ns is not None:
            alert = self._alert(trouble, self._clock_ns())
            self._urgent.append(alert)
            self._wait([alert])
            self._since_ns = alert.ts_ns

    def _end(self) -> None:
        waited = counted(self._waited, "record")
        self._tell(f"the store can be written again: {waited} that waited are on disk")
        self._since_ns = None

    def _alert(self, trouble: FileauditError, now_ns: int) -> Record:
        reason = printable(str(trouble.__cause__ or trouble))
        folder = self._store.path.parent
        free = _free_bytes(str(folder))
        room = "" if free is None else f" ({free:,} bytes are free in {printable(str(folder))})"
        return engine_record(
            Action.STORE_UNAVAILABLE,
            now_ns,
            self._host,
            f"{reason}{room}; records wait in memory",
            {"store_path": to_document(str(self._store.path)), "reason": reason, "free_bytes": free},
            alert_level="high",
        )

    def _over(self, since_ns: int) -> Record:
        """What is said when it is over, in the same transaction as the last of what waited."""
        now_ns = since_ns if self._clock_ns is None else max(self._clock_ns(), since_ns)
        seconds = (now_ns - since_ns) // SECOND_NS
        waited = f"{counted(self._waited, 'record')} had waited for {counted(seconds, 'second')}"
        return engine_record(
            Action.STORE_AVAILABLE,
            now_ns,
            self._host,
            f"{waited}, {counted(self._lost, 'event')} lost",
            {"since": rfc3339(since_ns), "seconds": seconds, "waited": self._waited, "lost": self._lost},
        )


def _free_bytes(folder: str) -> int | None:
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize
