"""A sink that follows the store: what is committed is handed on, whatever happens to sink or engine.

The store is the spool. A follower reads it in the order of its rows, behind the number of the last row that
its sink has had, and saves that number (the cursor) now and then. While nothing fails it is in step: rows are
handed on right after their commit. A sink that answers `Retry` falls behind and catches up later, a bounded
time of each tick; what it rejects becomes a dead letter. A killed engine goes on from the saved cursor: what
came after it is told again, nothing is left out, and ids are the same.

A sink that has never had anything of a store begins at its end, unless told to begin at its start.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol, runtime_checkable

from fileaudit_engine.diagnostics import FileauditError, MachineCannot, UnusableInput
from fileaudit_engine.sinks.base import Answer, Delivered, Reject
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.stored import StoredRecord
from fileaudit_engine.text import counted

BUDGET_S: Final = 0.01
"""What a tick may take of detection's time, seconds."""
SAVE_S: Final = 1.0
"""Pause between two cursors: each is a transaction, and what came since the last one may be told again."""
RETRY_S: Final = 1.0
"""Pause after a sink has taken nothing."""
CLOSING_S: Final = 2.0
"""How long the end may be waited for when the engine stops."""

_PORTION: Final = 64
"""Rows that are read at a time at first: some hundred kilobytes."""
_MOST_ROWS: Final = 1_024
_QUICK_S, _SLOW_S = BUDGET_S / 8, BUDGET_S / 4


class StoreSink(Protocol):
    """Takes rows of the store, in order, and answers for each."""

    def deliver(self, records: Sequence[StoredRecord]) -> Sequence[Answer]:
        """One answer a record, in order."""

    def close(self) -> None:
        """Flush and let go."""


@runtime_checkable
class KeepingSink(Protocol):
    """A sink that knows later than it answers what will stay, even over a power failure."""

    @property
    def kept(self) -> int:
        """Up to which row what was delivered stays."""

    def again(self) -> bool:
        """Whether what was delivered behind `kept` may be lost: it is delivered again. Says so once."""

    def keep(self, seq: int) -> None:
        """All up to a row is delivered: see to it that it stays. May be asked with the same row again."""


def _ignore(_reason: str) -> None:
    """Who is told where nobody asked."""


class Follower:
    """Feeds one sink from a store; a chore of the pipeline.

    Args:
        name: Of the sink, under which its cursor and its dead letters are kept.
        sink: It.
        store: Open for writing.
        tell: Is told, in words, when the sink takes nothing, and when it does again.
        from_start: Where to begin if there is no cursor: at the first row, else behind the last one.
        noted: Is told why the sink takes nothing, and the empty text when it has had everything again.
        clock_ns: Nanoseconds since the Unix epoch.
        clock_s: Monotonic seconds.

    Attributes:
        position: The last row that the sink has had.
    """

    def __init__(  # noqa: PLR0913 - one argument a part
        self,
        name: str,
        sink: StoreSink,
        store: Store,
        *,
        tell: Callable[[str], None],
        from_start: bool = False,
        noted: Callable[[str], None] = _ignore,
        clock_ns: Callable[[], int] = time.time_ns,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin at the cursor.

        Raises:
            UnusableInput: The store is damaged.
            MachineCannot: There is no cursor yet, and it cannot be saved.
        """
        self._name = name
        self._sink = sink
        self._keeping = sink if isinstance(sink, KeepingSink) else None
        self._store = store
        self._tell = tell
        self._noted = noted
        self._clock_ns = clock_ns
        self._clock_s = clock_s
        self._portion = _PORTION
        self._took_s = 0.0
        self._trouble = ""
        self._unsaved = ""
        self._not_before_s = self._save_at_s = clock_s()
        found = store.cursor(name)
        self.position = found if found is not None else 0 if from_start else store.head.seq
        if found is None:
            # Before anything else: a kill must not move the beginning, and retention must know of us.
            store.save_cursor(name, self.position, clock_ns())
        elif found > store.head.seq:  # another store, or an older copy of it, stands in its place
            self._tell(
                f"{name} has had {found:,} rows of a store that has {store.head.seq:,}: it begins anew"
            )
            self.position = 0
        self._saved = self._tried = self.position

    @property
    def behind(self) -> int:
        """How many rows the sink has not had yet."""
        return self._store.head.seq - self.position

    def tick(self, *, idle: bool) -> None:  # noqa: ARG002 - a chore is told; catching up goes by the clock
        """Hand on what has been committed, for as long as `BUDGET_S` allows; save the cursor if it is due."""
        if self.behind and self._clock_s() >= self._not_before_s:
            self._catch_up(self._clock_s() + BUDGET_S)
        due = self._clock_s() >= self._save_at_s
        if due:
            self._save_at_s = self._clock_s() + SAVE_S
            self._keep()
        if due or (self._keeping is not None and self._kept() > self._tried):
            self._save()

    def close(self) -> None:
        """Hand on the rest, close the sink, and save the cursor."""
        self._not_before_s = self._clock_s()
        if self.behind:
            self._catch_up(self._clock_s() + CLOSING_S)
        self._keep()
        self._sink.close()
        self._save()
        if self.behind:
            words = f"{self._name} has not had the last {counted(self.behind, 'row')} of the store"
            self._tell(f"{words}; the next start goes on there")

    def _catch_up(self, until_s: float) -> None:
        before = self.behind
        while self.behind and self._hand_on() and self._clock_s() + self._took_s < until_s:
            pass
        if not self.behind and before > _MOST_ROWS:
            self._save_at_s = self._clock_s()

    def _hand_on(self) -> bool:
        """Hand on one portion; returns whether to go on at once."""
        began_s = self._clock_s()
        try:
            records = self._read()
            trouble = self._settle(records, self._sink.deliver(records))
        except FileauditError as error:  # of the store: it is full or damaged, and says so elsewhere, too
            trouble = str(error)
        self._took_s = self._clock_s() - began_s
        if self._took_s < _QUICK_S:
            self._portion = min(self._portion * 2, _MOST_ROWS)
        elif self._took_s > _SLOW_S:
            self._portion = max(self._portion // 2, 1)
        self._report(trouble)
        if trouble:
            self._not_before_s = self._clock_s() + RETRY_S
        return not trouble

    def _read(self) -> Sequence[StoredRecord]:
        """The next rows; of those that cannot be read, none is a reason to stop at it for ever."""
        try:
            records = self._store.records_after(self.position, self._portion)
        except UnusableInput:
            try:
                records = self._store.read([self.position + 1])
            except UnusableInput as error:
                self._reject(self.position + 1, str(error))
                return ()
            if not records:
                raise
        if records and records[0].seq > self.position + 1:
            missed = counted(records[0].seq - self.position - 1, "row")
            self._tell(f"{self._name} has never had {missed} that the store has removed")
        return records

    def _settle(self, records: Sequence[StoredRecord], answers: Sequence[Answer]) -> str:
        """Act on answers; returns why it cannot go on, empty if it can."""
        for record, answer in zip(records, answers, strict=True):
            match answer:
                case Delivered():
                    self.position = record.seq
                case Reject(reason=reason):
                    self._reject(record.seq, reason)
                case _:
                    return answer.reason
        return ""

    def _reject(self, seq: int, reason: str) -> None:
        self._store.reject(self._name, seq, reason, self._clock_ns())
        self.position = seq
        self._tell(f"{self._name} does not take row {seq:,}: {reason}")

    def _report(self, trouble: str) -> None:
        """Tell trouble once, and its end once: when the sink has had everything."""
        if trouble and not self._trouble:
            self._tell(f"{self._name} takes nothing: {trouble}; it gets everything later")
            self._noted(trouble)
        elif self._trouble and not trouble and not self.behind:
            self._tell(f"{self._name} has had everything again")
            self._noted("")
        if trouble or not self.behind:
            self._trouble = trouble

    def _keep(self) -> None:
        if self._keeping is None:
            return
        if self._keeping.again():
            self.position = self._tried = self._saved
        self._keeping.keep(self.position)

    def _kept(self) -> int:
        """Up to which row what was delivered stays: a sink that keeps says so a while after it was asked."""
        return self.position if self._keeping is None else min(self._keeping.kept, self.position)

    def _save(self) -> None:
        """Save the cursor, as far as what was delivered stays."""
        self._tried = kept = self._kept()
        if not kept or kept == self._saved:
            return
        try:
            self._store.save_cursor(self._name, kept, self._clock_ns())
        except MachineCannot as error:
            if str(error) != self._unsaved:
                self._tell(f"how much {self._name} has had cannot be noted: {error}")
            self._unsaved = str(error)
        else:
            self._saved, self._unsaved = kept, ""
