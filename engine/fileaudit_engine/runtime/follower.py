"""A sink that follows the store: what is committed is handed on, whatever happens to sink or engine.

The store is the spool. A follower reads it in the order of its rows, behind the number of the last row that
its sink has had, and saves that number (the cursor) now and then. While nothing fails it is in step: rows are
handed on right after their commit. A sink that answers `Retry` falls behind and catches up later, a bounded
time of each tick; what it rejects becomes a dead letter. A killed engine goes on from the saved cursor: what
came after it is told again, nothing is left out, and ids are the same.

A sink that has never had anything of a store begins at its end, unless told to begin at its start.

How it goes about it is its `Pace`: a file takes turns with detection (`BESIDE`), a receiver behind a network
has a thread of its own (`deliveries`).
"""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.diagnostics import FileauditError, MachineCannot, UnusableInput
from fileaudit_engine.sinks.base import Answer, Reject, Retry
from fileaudit_engine.store.stored import StoredRecord
from fileaudit_engine.store.writer import Head
from fileaudit_engine.text import counted

BUDGET_S: Final = 0.01
"""What a tick may take of detection's time, seconds."""
SAVE_S: Final = 1.0
"""Pause between two cursors: each is a transaction, and what came since the last one may be told again."""
RETRY_S: Final = 1.0
"""Pause after a file could not be written."""
CLOSING_S: Final = 2.0
"""How long the end may be waited for when the engine stops."""

_MOST_SCANNED: Final = 100_000
"""Rows that are looked through at a time for those of a kind: a tenth of a second."""
_PORTION: Final = 64
"""Rows that are read at a time at first: some hundred kilobytes."""
_MOST_ROWS: Final = 1_024
_QUICK_S, _SLOW_S = BUDGET_S / 8, BUDGET_S / 4


def _constant(_failures: int) -> float:
    return RETRY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a follower goes, in seconds and rows.

    Attributes:
        budget_s: How long a tick may hand on.
        closing_s: How long the rest may be handed on at the end.
        most_rows: At most so many are read at a time.
        quick_s: Portions that take less are doubled.
        slow_s: Portions that take more are halved.
        save_s: Pause between two cursors.
        retry_s: The pause after so many failures in a row, the first one being 1.
        patience_s: How long a sink may take nothing before that is told.
        last_try: Whether a sink that takes nothing is tried once more at the end.
    """

    budget_s: float = BUDGET_S
    closing_s: float = CLOSING_S
    most_rows: int = _MOST_ROWS
    quick_s: float = _QUICK_S
    slow_s: float = _SLOW_S
    save_s: float = SAVE_S
    retry_s: Callable[[int], float] = _constant
    patience_s: float = 0.0
    last_try: bool = True


BESIDE: Final = Pace()
"""In the thread that detects."""


class Followed(Protocol):
    """What a follower needs of a store; `store.store.Store` is one."""

    @property
    def head(self) -> Head:
        """The last row."""

    @property
    def removed_seq(self) -> int:
        """The last row that retention has removed."""

    def records_after(
        self, seq: int, limit: int, *, until: int | None = None, kinds: Collection[Kind] | None = None
    ) -> Sequence[StoredRecord]:
        """The rows that follow a number, in order."""

    def read(self, numbers: Iterable[int]) -> Sequence[StoredRecord]:
        """Rows by their numbers."""

    def cursor(self, sink: str) -> int | None:
        """Up to which row a sink has had everything."""

    def save_cursor(self, sink: str, seq: int, saved_ns: int) -> None:
        """Remember that."""

    def reject(self, sink: str, seq: int, reason: str, failed_ns: int) -> None:
        """Remember that a sink will never take a row."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows a sink is given; the others count as had.

    Attributes:
        kinds: Of these kinds; None: of all.
        fits: And of these those for which this is true; None: all.
    """

    kinds: frozenset[Kind] | None = None
    fits: Callable[[StoredRecord], bool] | None = None

    def is_met_by(self, record: StoredRecord) -> bool:
        """Whether a row is one of them."""
        return (self.kinds is None or record.kind in self.kinds) and (self.fits is None or self.fits(record))


EVERYTHING: Final = Wanted()


class Follower:
    """Feeds one sink from a store; a chore of the pipeline.

    Args:
        name: Of the sink, under which its cursor and its dead letters are kept.
        sink: It.
        store: Of a follower beside detection, open for writing.
        wanted: Which rows the sink is given.
        pace: How fast.
        tell: Is told, in words, when the sink takes nothing, and when it does again.
        from_start: Where to begin if there is no cursor: at the first row, else behind the last one.
        noted: Is told why the sink takes nothing, and the empty text when it has had everything again.
        clock_ns: Nanoseconds since the Unix epoch.
        clock_s: Monotonic seconds.

    Attributes:
        position: The last row that the sink has had.
        trouble: Why it takes nothing; empty while it does.
        stopped: Whether that will be so until somebody has changed something.
        delivered: Rows that the sink has taken since the start, each once.
        rejected: Rows that it has refused since then.
    """

    def __init__(  # noqa: PLR0913 - one argument a part
        self,
        name: str,
        sink: StoreSink,
        store: Followed,
        *,
        wanted: Wanted = EVERYTHING,
        pace: Pace = BESIDE,
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
        self._wanted = wanted
        self._pace = pace
        self._tell = tell
        self._noted = noted
        self._clock_ns = clock_ns
        self._clock_s = clock_s
        self._portion = _PORTION
        self._took_s = 0.0
        self.trouble = ""
        self.stopped = False
        self.delivered = self.rejected = 0
        self._failures = 0
        self._since_s = 0.0
        self._told = False
        """Whether trouble was told, and its end is to be."""
        self._unsaved = ""
        self._not_before_s = self._save_at_s = clock_s()
        found = store.cursor(name)
        self.position = max(found, 0) if found is not None else 0 if from_start else store.head.seq
        if found is None:
            # Before anything else: a kill must not move the beginning, and retention must know of us.
            store.save_cursor(name, self.position, clock_ns())
        elif found > store.head.seq:  # another store, or an older copy of it, stands in its place
            self._tell(
                f"{name} has had {found:,} rows of a store that has {store.head.seq:,}: it begins anew"
            )
            self.position = 0
        self._saved = self._tried = self._counted = self.position

    @property
    def behind(self) -> int:
        """How many rows the sink has not had yet."""
        return self._store.head.seq - self.position

    @property
    def pause_s(self) -> float:
        """How long a tick has nothing to do, unless something new is committed."""
        now_s = self._clock_s()
        wanted_s = max(self._not_before_s, now_s) if self.behind else self._save_at_s
        return max(0.0, min(wanted_s, self._save_at_s) - now_s)

    def hurry(self) -> None:
        """Try at once again what failed."""
        self._not_before_s, self._failures = self._clock_s(), 0

    def tick(self, *, idle: bool) -> None:  # noqa: ARG002 - a chore is told; catching up goes by the clock
        """Hand on what has been committed, as long as the pace allows; save the cursor if it is due."""
        if self.behind and self._clock_s() >= self._not_before_s:
            self._catch_up(self._clock_s() + self._pace.budget_s)
        due = self._clock_s() >= self._save_at_s
        if due:
            self._save_at_s = self._clock_s() + self._pace.save_s
            self._keep()
        if due or (self._keeping is not None and self._kept() > self._tried):
            self._save()

    def close(self) -> None:
        """Hand on the rest, close the sink, and save the cursor."""
        self._not_before_s = self._clock_s()
        try:
            if self.behind and (not self.trouble or self._pace.last_try):
                self._catch_up(self._clock_s() + self._pace.closing_s)
            self._keep()
        finally:
            self._sink.close()
        self._save()
        if self.behind:
            words = f"{self._name} has not had the last {counted(self.behind, 'row')} of the store"
            self._tell(f"{words}; the next start goes on there")

    def _catch_up(self, until_s: float) -> None:
        before = self.behind
        while self.behind and self._hand_on() and self._clock_s() + self._took_s < until_s:
            pass
        if not self.behind and before > self._pace.most_rows:
            self._save_at_s = self._clock_s()

    def _hand_on(self) -> bool:
        """Hand on one portion; returns whether to go on at once."""
        began_s = self._clock_s()
        before = self.position
        try:
            trouble = self._portion_to_sink()
        except FileauditError as error:  # of the store: it is full or damaged, and says so elsewhere, too
            trouble = str(error)
        self._took_s = self._clock_s() - began_s
        if self._took_s < self._pace.quick_s:
            self._portion = min(self._portion * 2, self._pace.most_rows)
        elif self._took_s > self._pace.slow_s:
            self._portion = max(self._portion // 2, 1)
        if trouble:
            self._failures = 1 if self.position != before else self._failures + 1
            self._not_before_s = self._clock_s() + self._pace.retry_s(self._failures)
        self._report(trouble)
        return not trouble

    def _portion_to_sink(self) -> str:
        """Read, and hand on what is wanted; returns why it cannot go on, empty if it can."""
        records, until = self._read()
        fits = self._wanted.fits
        wanted = records if fits is None else [record for record in records if fits(record)]
        trouble = self._settle(wanted, self._sink.deliver(wanted)) if wanted else ""
        if not trouble:
            self.position = max(self.position, until)
        return trouble

    def _read(self) -> tuple[Sequence[StoredRecord], int]:
        """The next rows that may be wanted, and up to where there are no others.

        Of rows that cannot be read, none is a reason to stop at it for ever.
        """
        removed = self._store.removed_seq
        if removed > self.position:
            missed = counted(removed - self.position, "row")
            self._tell(f"{self._name} has never had {missed} that the store has removed")
            self.position = removed
        until, kinds = min(self._store.head.seq, self.position + _MOST_SCANNED), self._wanted.kinds
        try:
            records = self._store.records_after(self.position, self._portion, until=until, kinds=kinds)
        except UnusableInput as error:
            return self._read_one(self.position + 1, error)
        return records, records[-1].seq if records else until

    def _read_one(self, seq: int, trouble: UnusableInput) -> tuple[Sequence[StoredRecord], int]:
        """As `_read`, of a row alone."""
        try:
            records = self._store.read([seq])
        except UnusableInput as error:
            self._reject(seq, str(error))
            return (), seq
        if not records:
            raise trouble
        kinds = self._wanted.kinds
        return [record for record in records if kinds is None or record.kind in kinds], seq

    def _settle(self, records: Sequence[StoredRecord], answers: Sequence[Answer]) -> str:
        """Act on answers; returns why it cannot go on, empty if it can."""
        rejected: list[Reject] = []
        trouble, self.stopped = "", False
        for record, answer in zip(records, answers, strict=True):
            if isinstance(answer, Retry):
                trouble, self.stopped = answer.reason, answer.stopped
                break
            if isinstance(answer, Reject):
                self._store.reject(self._name, record.seq, answer.reason, self._clock_ns())
                rejected.append(answer)
            self._passed(record.seq, rejected=isinstance(answer, Reject))
        if rejected:
            first = next(r.seq for r, a in zip(records, answers, strict=True) if a is rejected[0])
            self._tell_rejected(first, rejected[0].reason, len(rejected) - 1)
        return trouble

    def _passed(self, seq: int, *, rejected: bool) -> None:
        """The sink has had a row, or never will; one that comes again does not count again."""
        self.position = seq
        if seq > self._counted:
            self._counted = seq
            self.delivered += not rejected
            self.rejected += rejected

    def _reject(self, seq: int, reason: str) -> None:
        self._store.reject(self._name, seq, reason, self._clock_ns())
        self._passed(seq, rejected=True)
        self._tell_rejected(seq, reason, 0)

    def _tell_rejected(self, seq: int, reason: str, others: int) -> None:
        """One line, however many there are: whoever prints it is who detects."""
        rest = f"; nor {counted(others, 'row')} behind it" if others else ""
        self._tell(f"{self._name} does not take row {seq:,}: {reason}{rest}")

    def _report(self, trouble: str) -> None:
        """Tell trouble once, and its end once: when the sink has had everything."""
        if trouble:
            self._since_s = self._since_s if self.trouble else self._clock_s()
            self.trouble = trouble
            patient = not self.stopped and self._clock_s() - self._since_s < self._pace.patience_s
            if not self._told and not patient:
                self._told = True
                self._tell(f"{self._name} takes nothing: {trouble}; it gets everything later")
                self._noted(trouble)
        elif not self.behind:
            if self._told:
                self._tell(f"{self._name} has had everything again")
                self._noted("")
            self.trouble, self._told, self._failures = "", False, 0

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
