"""From a source's batches to records on disk and in front of people.

    batch -> findings -> records ─┬─> suppressor -> store -> sinks
               └─> correlations ──┘

The order is the promise: a batch's records are committed to the store before any sink sees them, and what
was lost is stored and told like everything else. `run`, `replay` and `trace` differ in what they plug in.

Time. Correlations and the suppressor go by the time of events. Where there is a clock, time passes for them
without events, too, but never further than what has certainly been seen: when the source has nothing, that is
all that happened before it was asked.
"""

import collections
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from fileaudit_engine.detect.alert import record_of, record_of_crossing
from fileaudit_engine.detect.correlate import Counts
from fileaudit_engine.detect.crossing import Crossing
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.record import Finding, Record
from fileaudit_engine.detect.suppress import Suppress, SuppressCounts, Suppressor, left_over
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import Loss
from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.runtime.chores import Chore
from fileaudit_engine.runtime.correlations import PUT_BACK, PUT_BACK_NS, Correlations, seen_until
from fileaudit_engine.runtime.keeper import Keeper, States
from fileaudit_engine.runtime.outlet import Outlet
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.sinks.base import Sink
from fileaudit_engine.sources.base import Source
from fileaudit_engine.store.losses import record_of_loss
from fileaudit_engine.text import counted

_RECENT_LOSSES: Final = 16
"""Losses that findings are compared with: a loss is known before the events that were in the ring with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What came out so far.

    Attributes:
        alerts: Number of alerts by level; reports of repeats are none.
        audit_events: Number of audit events.
        lost: Number of lost events by operation.
        correlated: What correlations hold; None where there are none.
        suppressed: What was folded; None where nothing is.
    """

    alerts: Mapping[str, int]
    audit_events: int
    lost: Mapping[str, int]
    correlated: Counts | None = None
    suppressed: SuppressCounts | None = None


CORRELATIONS: Final = "correlations"
"""The name of their state."""
REPEATS: Final = "repeats"
"""The name of the suppressor's."""


_NOTHING: Final = Suppress(by=(), for_ns=1)
"""What a suppressor goes by that has nothing to do."""


def _ignore(_words: str) -> None:
    pass


def _no_clock() -> None:
    return None


class Pipeline:
    """Feeds batches through detection into the store and the sinks."""

    def __init__(  # noqa: PLR0913 - one argument a part
        self,
        *,
        detector: Detector,
        correlations: Correlations | None = None,
        suppressor: Suppressor | None = None,
        sinks: Sequence[Sink],
        spool: Spool | None = None,
        keeper: Keeper | None = None,
        host: str,
        on_loss: Callable[[Loss], None],
        tell: Callable[[str], None] = _ignore,
        clock_ns: Callable[[], int | None] = _no_clock,
    ) -> None:
        """Plug it together.

        Args:
            detector: The rules in use; may be replaced between two items, together with `correlations`.
            correlations: Those of the same plan; None: it has none.
            suppressor: Folds repeats; None: all alerts are told.
            sinks: Are shown what is on disk.
            spool: The way to the store; None keeps nothing.
            keeper: Keeps the state of correlations and suppressor, once `resume` has looked at what is there;
                None: it is forgotten.
            host: This host's name, for events that do not say where they happened.
            on_loss: Is told of every loss.
            tell: Is told, in words, what else people should know.
            clock_ns: The time that records are handed on, nanoseconds since the Unix epoch; without it they
                do not say, and the same recording gives the same documents every time.

        Attributes:
            outlet: Where records go.
        """
        self.detector = detector
        self.correlations = correlations
        self._suppressor = suppressor
        self.outlet = Outlet(sinks, spool)
        self._chores: list[Chore] = []
        self._keeper = keeper
        self._host = host
        self._on_loss = on_loss
        self._tell = tell
        self._clock_ns = clock_ns
        self._asked_ns = clock_ns()
        """Since when the source may have looked for what comes next; None where there is no clock."""
        self._changes = 0
        """How often the state of correlations or suppressor has changed."""
        self._reported_ns = 0
        self._resumed = False
        self._lost: collections.Counter[str] = collections.Counter()
        self._recent: collections.deque[Loss] = collections.deque(maxlen=_RECENT_LOSSES)
        self._correlated: Counts | None = None

    @property
    def gone(self) -> str:
        """Why a sink cannot show anything any more, so that going on has no point; empty while it can."""
        return self.outlet.gone

    def add_chore(self, chore: Chore) -> None:
        """Give something a turn after every item."""
        self._chores.append(chore)

    def use(
        self, detector: Detector, correlations: Correlations | None, *, heard_ns: int | None = None
    ) -> None:
        """Put other rules in force; what the correlations that stay as they were hold, goes on.

        Of those that do not, all is told first that nothing can change any more.

        Args:
            detector: The rules.
            correlations: Those of the same plan; None: it has none.
            heard_ns: If another source follows that was there before the former one was gone: until when all
                that correlations hear of came from that one. What comes again does not count again.
        """
        before = self.correlations
        told = [] if before is None else self._going_over(before, correlations)
        self.detector, self.correlations = detector, correlations
        self._changes += 1
        if before is not None and correlations is not None and heard_ns is not None:
            correlations.correlator.ignore_until(heard_ns)
        for words in told:
            self._tell(words)

    def _going_over(self, before: Correlations, after: Correlations | None) -> list[str]:
        """Leave what correlations hold to others; returns in words what does not go on."""
        if after is None or not before.correlator.goes_on_whole(after.correlator):
            self.outlet.hand_on(self._records((), before.conclude()))
        if after is not None:
            return after.take_over(before)
        groups = before.correlator.counts.groups
        return [f"no correlation is left, and {counted(groups, 'group')} let go of"] if groups else []

    def resume(self, watched_ns: int | None = None) -> None:
        """Go on with the states that were kept, before the first item.

        What happened between then and now was not seen: alerts whose window it touches say so.

        Args:
            watched_ns: Since when somebody watches again, nanoseconds since the Unix epoch; None: now.
        """
        now_ns = self._clock_ns() if watched_ns is None else watched_ns
        if self._keeper is None or now_ns is None:
            return
        self._resumed = True
        repeats, found = self._keeper.found(REPEATS), self._keeper.found(CORRELATIONS)
        told = self._resume_repeats(repeats[1]) if repeats else []
        if found and found[1] and self.correlations is not None:
            told += self._resume_correlations(self.correlations, *found, now_ns)
        for words in told:
            self._tell(words)

    def _resume_repeats(self, state: bytes) -> list[str]:
        if self._suppressor is not None:
            return self._suppressor.resume(state)
        self.outlet.hand_on(left_over(state))
        return []

    def _resume_correlations(
        self, correlations: Correlations, kept_ns: int, state: bytes, now_ns: int
    ) -> list[str]:
        told = correlations.correlator.resume(state)
        if kept_ns > now_ns + PUT_BACK_NS:
            self._begun_anew(correlations)
            return [*told, PUT_BACK]
        counts = correlations.correlator.counts
        unwatched = Loss(first_ns=min(kept_ns, now_ns), last_ns=now_ns, counts={})
        self.outlet.hand_on(self._records((), correlations.correlator.lose(unwatched)))
        if counts.groups:
            seconds = (unwatched.last_ns - unwatched.first_ns) // SECOND_NS
            held = f"{counted(counts.groups, 'group')} and {counted(counts.entries, 'event')}"
            told.append(f"go on with {held}; nobody was watching for {counted(seconds, 'second')}")
        return told

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
        elif self.correlations is None:
            self._take(list(self.detector.findings(item)), (), item)
        else:
            self._take(*self._correlated_with(self.correlations, item), item)
        if self._asked_ns is not None:
            self._keep_now_and_then(item)
            self._asked_ns = self._clock_ns()
        for chore in self._chores:
            chore.tick(idle=not isinstance(item, Loss) and not len(item.candidates))

    def end(self) -> None:
        """Nothing more will happen: tell what waits for time to pass."""
        crossings: Sequence[Crossing] = ()
        if self.correlations is not None:
            self._correlated = self.correlations.correlator.counts
            crossings = self.correlations.correlator.finish()
        self.outlet.hand_on(self._records((), crossings, last=True))

    def settle(self) -> None:
        """The source has given up everything that happened until now: tell what was certain only later."""
        now_ns = self._clock_ns()
        if self.correlations is not None and now_ns is not None:
            self.outlet.hand_on(self._records((), self.correlations.conclude(now_ns)))
        if self._keeper is not None and self._resumed and now_ns is not None:
            if waiting := self.outlet.settle():
                stored = f"{counted(waiting, 'record')} could not be stored"
                self._tell(
                    f"{stored}: open windows are not kept, the next start goes on with those of before"
                )
            else:
                self._keeper.keep(self._states(), self._changes, seen_ns=now_ns)

    def finish(self) -> int:
        """Bring to an end what waits for the store; returns how many records could not be kept."""
        return self.outlet.finish()

    def tally(self) -> Tally:
        """What came out so far."""
        correlations = self.correlations
        return Tally(
            alerts=dict(self.outlet.alerts),
            audit_events=self.outlet.audit_events,
            lost=dict(self._lost),
            correlated=self._correlated or (None if correlations is None else correlations.correlator.counts),
            suppressed=None if self._suppressor is None else self._suppressor.counts,
        )

    def _correlated_with(
        self, correlations: Correlations, batch: Batch
    ) -> tuple[Sequence[Finding], Sequence[Crossing]]:
        """What is to be told of a batch."""
        if self._asked_ns is not None and correlations.were_put_back(self._asked_ns):
            self._tell(PUT_BACK)
            correlations = self._begun_anew(correlations)
        before = correlations.heard
        findings, crossings = correlations.take(batch)
        if self._asked_ns is not None and correlations.correlator.waiting:
            seen_ns = seen_until(batch, self._asked_ns)
            crossings = [*crossings, *correlations.correlator.advance(seen_ns)]
        self._changes += correlations.heard != before
        return findings, crossings

    def _begun_anew(self, correlations: Correlations) -> Correlations:
        """The same without what they hold, once all that was certain by it is told."""
        self.outlet.hand_on(self._records((), correlations.conclude()))
        self.correlations = correlations.anew()
        self._changes += 1
        return self.correlations

    def _take(self, findings: Sequence[Finding], crossings: Sequence[Crossing], batch: Batch) -> None:
        """Take what is to be told of a batch to where it is told."""
        if findings or crossings:
            self.outlet.hand_on(self._records(self._with_losses(findings), crossings))
        else:
            self.outlet.hand_on(self._reports(batch))

    def _reports(self, batch: Batch) -> Sequence[Record]:
        """What is known of repeats by now; looked at once a second, since it need not be told at once."""
        asked_ns = self._asked_ns
        if self._suppressor is None or asked_ns is None or 0 <= asked_ns - self._reported_ns < SECOND_NS:
            return ()
        self._reported_ns = asked_ns
        reports = self._suppressor.advance(seen_until(batch, asked_ns))
        self._changes += bool(reports)
        return reports

    def _records(
        self, findings: Sequence[Finding], crossings: Sequence[Crossing], *, last: bool = False
    ) -> list[Record]:
        """The records of what is to be told, without repeats; `last`: and all that is known of those."""
        now_ns = self._clock_ns()
        host = self._host
        records = [record_of(found, host=host, ingested_ns=now_ns) for found in findings]
        of_crossing: dict[str, Crossing] = {}
        for crossing in crossings:
            record = record_of_crossing(crossing, host=host, ingested_ns=now_ns)
            records.append(record)
            of_crossing[record.id] = crossing
        if of_crossing:
            records.sort(key=lambda record: record.ts_ns)
        if self._suppressor is not None:
            self._changes += bool(records)
            records = self._suppressor.feed(records)
            records += self._suppressor.finish() if last else []
        return list(self._with_trail(records, of_crossing, now_ns)) if of_crossing else records

    def _with_trail(
        self, records: Sequence[Record], of_crossing: Mapping[str, Crossing], now_ns: int | None
    ) -> Iterator[Record]:
        """The records, and before the alert of a crossing the events behind it that stand nowhere else."""
        for record in records:
            crossing = of_crossing.get(record.id)
            if crossing is not None and self.correlations is not None:
                yield from self.correlations.trail_of(crossing, host=self._host, ingested_ns=now_ns)
            yield record

    def _keep_now_and_then(self, item: Batch | Loss) -> None:
        keeper, asked_ns = self._keeper, self._asked_ns
        if keeper is None or asked_ns is None or not self._resumed or isinstance(item, Loss):
            return
        if self.outlet.waiting:  # whoever went on from here would not tell those
            return
        if keeper.is_due(self._changes, idle=not len(item.candidates)):
            keeper.keep(self._states(), self._changes, seen_ns=seen_until(item, asked_ns))

    def _states(self) -> States:
        """What is to be kept, by its name; of what is not in use, that nothing is to be gone on with."""
        correlations, suppressor = self.correlations, self._suppressor or Suppressor(_NOTHING)
        nothing: Callable[[], bytes] = bytes
        return {
            CORRELATIONS: nothing if correlations is None else correlations.correlator.save,
            REPEATS: suppressor.save,
        }

    def _with_losses(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """The findings, each with the losses in whose time its event happened."""
        if not self._recent or not findings:
            return findings
        times = [found.event.ts_ns for found in findings]
        first_ns, last_ns = min(times), max(times)
        near = [loss for loss in self._recent if loss.first_ns <= last_ns and loss.last_ns >= first_ns]
        return [_with(found, near) for found in findings] if near else findings

    def _lose(self, loss: Loss) -> None:
        self._lost.update(loss.counts)
        self._recent.append(loss)
        self.outlet.hand_on([record_of_loss(loss, self._host)])
        self._on_loss(loss)
        if self.correlations is not None:
            self._changes += 1
            self.outlet.hand_on(self._records((), self.correlations.correlator.lose(loss)))


def _with(finding: Finding, losses: Sequence[Loss]) -> Finding:
    """The finding with those of the losses in whose time its event happened."""
    ts_ns = finding.event.ts_ns
    own = tuple(loss for loss in losses if loss.first_ns <= ts_ns <= loss.last_ns)
    return msgspec.structs.replace(finding, losses=own) if own else finding
