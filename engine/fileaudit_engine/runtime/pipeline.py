"""From a source's batches to records on disk and in front of people.

The order is the promise: a batch's records are committed to the store before any sink sees them, and what
was lost is stored and told like everything else. `run`, `replay` and `trace` differ in what they plug in.
"""

import collections
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from fileaudit_engine.detect.alert import record_of
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.record import Finding, Kind, Record
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import Loss
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.sinks.base import Retry, Sink
from fileaudit_engine.sources.base import Source

_RECENT_LOSSES: Final = 16
"""Losses that findings are compared with: a loss is known before the events that were in the ring with it."""


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
        spool: Spool | None = None,
        host: str,
        on_loss: Callable[[Loss], None],
        clock_ns: Callable[[], int | None] = _no_clock,
    ) -> None:
        """Plug it together.

        Args:
            detector: The rules in use; may be replaced between two items.
            sinks: Are shown what is on disk.
            spool: The way to the store; None keeps nothing.
            host: This host's name, for events that do not say where they happened.
            on_loss: Is told of every loss.
            clock_ns: The time that records are handed on, nanoseconds since the Unix epoch; without it they
                do not say, and the same recording gives the same documents every time.
        """
        self.detector = detector
        self._sinks = tuple(sinks)
        self._spool = spool
        self._host = host
        self._on_loss = on_loss
        self._clock_ns = clock_ns
        self._alerts: collections.Counter[str] = collections.Counter()
        self._lost: collections.Counter[str] = collections.Counter()
        self._recent: collections.deque[Loss] = collections.deque(maxlen=_RECENT_LOSSES)
        self._audit_events = 0
        self.gone = ""
        """Why a sink cannot show anything any more, so that going on has no point; empty while it can."""

    def run(self, source: Source, *, proceed: Callable[[], bool]) -> None:
        """Feed all that the source yields, for as long as `proceed` says so.

        `proceed` is asked once per batch; a live source yields an empty one when nothing happens.
        """
        for item in source.batches():
            self.feed(item)
            if self.gone or not proceed():
                return

    def feed(self, item: Batch | Loss) -> None:
        """Take one item of a source through to the end."""
        if isinstance(item, Loss):
            self._lose(item)
            return
        findings = list(self.detector.findings(item))
        if findings:
            self._take(self._with_losses(findings))
        elif self._spool is not None and self._spool.waiting:
            self._show(self._spool.commit())

    def _take(self, findings: Sequence[Finding]) -> None:
        now_ns = self._clock_ns()
        records = [record_of(found, host=self._host, ingested_ns=now_ns) for found in findings]
        self._count(records)
        self._show(records if self._spool is None else self._spool.commit(records))

    def finish(self) -> int:
        """Bring to an end what waits for the store; returns how many records could not be kept."""
        if self._spool is None:
            return 0
        self._show(self._spool.finish())
        return self._spool.waiting

    def tally(self) -> Tally:
        """What came out so far."""
        return Tally(alerts=dict(self._alerts), audit_events=self._audit_events, lost=dict(self._lost))

    def _with_losses(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """The findings, each with the losses in whose time its event happened."""
        if not self._recent:
            return findings
        times = [found.event.ts_ns for found in findings]
        first_ns, last_ns = min(times), max(times)
        near = [loss for loss in self._recent if loss.first_ns <= last_ns and loss.last_ns >= first_ns]
        return [_with(found, near) for found in findings] if near else findings

    def _count(self, records: Sequence[Record]) -> None:
        for record in records:
            if record.kind is Kind.ALERT:
                self._alerts[record.level] += 1
            else:
                self._audit_events += 1

    def _show(self, records: Sequence[Record]) -> None:
        for sink in self._sinks if records else ():
            refused = [answer.reason for answer in sink.deliver(records) if isinstance(answer, Retry)]
            self.gone = self.gone or "".join(refused[:1])

    def _lose(self, loss: Loss) -> None:
        self._lost.update(loss.counts)
        self._recent.append(loss)
        if self._spool is not None:
            self._show(self._spool.commit(losses=(loss,)))
        self._on_loss(loss)


def _with(finding: Finding, losses: Sequence[Loss]) -> Finding:
    """The finding with those of the losses in whose time its event happened."""
    ts_ns = finding.event.ts_ns
    own = tuple(loss for loss in losses if loss.first_ns <= ts_ns <= loss.last_ns)
    return msgspec.structs.replace(finding, losses=own) if own else finding
