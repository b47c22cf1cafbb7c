"""The way out: records go on disk, then in front of people, and are counted on the way."""

import collections
from collections.abc import Iterable, Sequence

from fileaudit_engine.detect.period import repeats_in
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.diagnostics import FileauditError
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.sinks.base import Retry, Sink


class Outlet:
    """Takes records to the store and to the sinks.

    Args:
        sinks: Are shown what is on disk.
        spool: The way to the store; None keeps nothing.

    Attributes:
        alerts: How many came this way, by level; reports of repeats are none.
        audit_events: Likewise.
        gone: Why a sink cannot show anything any more, so that going on has no point; empty while it can.
    """

    def __init__(self, sinks: Iterable[Sink], spool: Spool | None) -> None:
        self.alerts: collections.Counter[str] = collections.Counter()
        self.audit_events = 0
        self.gone = ""
        self._sinks = tuple(sinks)
        self._spool = spool
        self._shown_before: set[str] = set()
        """Ids of what was shown before it was on disk, and is not to be shown again."""

    @property
    def waiting(self) -> int:
        """Records that are not on disk yet."""
        return 0 if self._spool is None else self._spool.waiting

    def hand_on(self, records: Sequence[Record]) -> None:
        """Put records on disk, and what has waited; then in front of people."""
        spool = self._spool
        self._count(records)
        if spool is None:
            self.show(records)
        elif records or spool.waiting:
            self.show(spool.commit(records))
            self._show_urgent(spool)

    def show(self, records: Sequence[Record]) -> None:
        """Put in front of people what is on disk already."""
        if self._shown_before:
            records = [record for record in records if not self._was_shown(record)]
        for sink in self._sinks if records else ():
            refused = [answer.reason for answer in sink.deliver(records) if isinstance(answer, Retry)]
            self.gone = self.gone or "".join(refused[:1])

    def store_failed(self, trouble: FileauditError) -> None:
        """Somebody else found that the store cannot be written."""
        if self._spool is not None:
            self._spool.failed(trouble)
            self._show_urgent(self._spool)

    def settle(self) -> int:
        """Try once more what waits for the store; returns how many records go on waiting."""
        if self._spool is not None:
            self.show(self._spool.finish())
            self._show_urgent(self._spool)
        return self.waiting

    def finish(self) -> int:
        """Bring to an end what waits for the store; returns how many records could not be kept.

        Those are shown all the same: there will be no other time.
        """
        if self._spool is None or not self.settle():
            return 0
        unkept = self._spool.give_up()
        self.show(unkept)
        return len(unkept)

    def _show_urgent(self, spool: Spool) -> None:
        urgent = spool.take_urgent()
        if urgent:
            self._count(urgent)
            self.show(urgent)
            self._shown_before.update(record.id for record in urgent)

    def _was_shown(self, record: Record) -> bool:
        if record.id not in self._shown_before:
            return False
        self._shown_before.discard(record.id)
        return True

    def _count(self, records: Sequence[Record]) -> None:
        for record in records:
            if record.kind is Kind.EVENT:
                self.audit_events += 1
            elif record.kind is Kind.ALERT and not repeats_in(record):
                self.alerts[record.level] += 1
