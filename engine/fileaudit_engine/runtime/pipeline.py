"""From a source's batches to records on disk and in front of people.

The order is the promise: a batch's records are committed to the store before any sink sees them, and what
was lost is stored and told like everything else. `run`, `replay` and `record` differ in what they plug in.
"""

import collections
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fileaudit_engine.detect.alert import record_of
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import Loss
from fileaudit_engine.sinks.base import Retry, Sink
from fileaudit_engine.sources.base import Source
from fileaudit_engine.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What came out so far.

    Attributes:
        alerts: Number of alerts by level.
        audit_events: Number of audit events.
        lost: Number of lost events by operation.
    """

    alerts: Mapping[str, int]
    audit_events: int
    lost: Mapping[str, int]


def _no_clock() -> None:
    return None


class Pipeline:
    """Feeds batches through detection into the store and the sinks."""

    def __init__(  # noqa: PLR0913 - one argument a part
        self,
        *,
        detector: Detector,
        sinks: Sequence[Sink],
        store: Store | None = None,
        host: str,
        on_loss: Callable[[Loss], None],
        clock_ns: Callable[[], int | None] = _no_clock,
    ) -> None:
        """Plug it together.

        Args:
            detector: The rules in use; may be replaced between two items.
            sinks: Are shown what is on disk.
            store: Where records are kept; None keeps nothing.
            host: This host's name, for events that do not say where they happened.
            on_loss: Is told of every loss.
            clock_ns: The time that records are handed on, nanoseconds since the Unix epoch; without it they
                do not say, and the same recording gives the same documents every time.
        """
        self.detector = detector
        self._sinks = tuple(sinks)
        self._store = store
        self._host = host
        self._on_loss = on_loss
        self._clock_ns = clock_ns
        self._alerts: collections.Counter[str] = collections.Counter()
        self._lost: collections.Counter[str] = collections.Counter()
        self._audit_events = 0
        self.reader_gone = False
        """Whether a sink's receiver has gone for good, so that going on has no point."""

    def run(self, source: Source, *, proceed: Callable[[], bool]) -> None:
        """Feed all that the source yields, for as long as `proceed` says so.

        `proceed` is asked once per batch; a live source yields an empty one when nothing happens.
        """
        for item in source.batches():
            self.feed(item)
            if self.reader_gone or not proceed():
                return

    def feed(self, item: Batch | Loss) -> None:
        """Take one item of a source through to the end."""
        if isinstance(item, Loss):
            self._lose(item)
            return
        findings = list(self.detector.findings(item))
        if findings:
            now_ns = self._clock_ns()
            self._hand_on([record_of(found, host=self._host, ingested_ns=now_ns) for found in findings])

    def tally(self) -> Tally:
        """What came out so far."""
        return Tally(alerts=dict(self._alerts), audit_events=self._audit_events, lost=dict(self._lost))

    def _hand_on(self, records: Sequence[Record]) -> None:
        if self._store is not None:
            self._store.append(records)
        for record in records:
            if record.kind is Kind.ALERT:
                self._alerts[record.level] += 1
            else:
                self._audit_events += 1
        for sink in self._sinks:
            self.reader_gone |= any(isinstance(answer, Retry) for answer in sink.deliver(records))

    def _lose(self, loss: Loss) -> None:
        self._lost.update(loss.counts)
        if self._store is not None:
            self._store.append((), losses=(loss,))
        self._on_loss(loss)
