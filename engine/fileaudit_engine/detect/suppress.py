"""The same again, told once: alerts that repeat another within a time are folded into one report.

The first alert of a key passes and begins a period. Alerts with the same key at most `for_ns` away from it,
before or after, are its repeats: they do not pass, they are counted, and when the period is over they are
reported together. The key is what the document says at certain places.

    09:00:00  alert  cat reads /etc/shadow     passes
    09:00:07  alert  cat reads /etc/shadow     is folded
    09:09:59  alert  cat reads /etc/shadow     is folded
    09:10:01  report cat reads /etc/shadow (repeated 2 more times until 09:09:59)

Nothing is folded into something milder, and nothing folded goes untold: a period that is given up early,
because there are too many, is reported then. Time is the records' own. A period is over as soon as a record
or `advance` shows a later time. No memory of the latest time is kept: after a clock that was wrong by years
has been put right, alerts are folded as before.
"""

import heapq
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from fileaudit_engine.detect.identity import digest
from fileaudit_engine.detect.period import Period, begun_by, report_of, resumed
from fileaudit_engine.detect.places import value_at
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.text import counted

MAX_KEYS: Final = 100_000
"""Periods that are open at once: of the alerts of a whole host in ten minutes, more than anybody reads."""
MAX_BYTES: Final = 256 << 20
"""Their documents together: enough for `MAX_KEYS` usual ones. Only long names make them longer."""
STATE_VERSION: Final = 1

_key_of: Final = msgspec.json.Encoder(order="sorted").encode


class Suppress(msgspec.Struct, frozen=True, kw_only=True):
    """What counts as the same again.

    Attributes:
        by: Dotted places in an alert's document whose values agree; a missing value is one, too.
        for_ns: How far from the first alert its repeats may be, nanoseconds; a distance of exactly this is
            still near enough.
    """

    by: tuple[str, ...]
    for_ns: int


class SuppressCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a suppressor has done since it began, and holds.

    Attributes:
        open: Periods that are not over.
        folded: Alerts that did not pass.
        reports: Reports that were made of them.
        forgotten: Periods that were ended early because there were too many.
    """

    open: int = 0
    folded: int = 0
    reports: int = 0
    forgotten: int = 0


class _State(msgspec.Struct, kw_only=True):
    """What is saved: the periods, the least recently used first."""

    version: int
    periods: list[Period]


class _Saved(msgspec.Struct):
    """The same before it is known what is usable of it."""

    version: int
    periods: list[msgspec.Raw] = []


class Suppressor:
    """Folds repeats. Records go in, records come out, and nothing else decides what comes."""

    def __init__(self, suppress: Suppress, *, max_keys: int = MAX_KEYS, max_bytes: int = MAX_BYTES) -> None:
        """Begin with nothing to repeat.

        Args:
            suppress: What counts as the same again.
            max_keys: Periods to hold; of more, the least recently used are ended early.
            max_bytes: The same for the sum of their documents.
        """
        self._by = suppress.by
        self._for_ns = suppress.for_ns
        self._max_keys, self._max_bytes = max_keys, max_bytes
        self._open: OrderedDict[str, Period] = OrderedDict()
        """The least recently used first."""
        self._ends: list[tuple[int, str]] = []
        """A heap of ends and keys; entries of periods that ended early are passed over when they come up."""
        self._bytes = self._folded = self._reports = self._forgotten = 0

    @property
    def counts(self) -> SuppressCounts:
        """How much there was, and is."""
        return SuppressCounts(
            open=len(self._open), folded=self._folded, reports=self._reports, forgotten=self._forgotten
        )

    def feed(self, records: Iterable[Record]) -> list[Record]:
        """What is to be passed on, in order: records that are no repeats, and reports of those that were.

        Audit events always pass.
        """
        passed: list[Record] = []
        for record in records:
            self._end_before(record.ts_ns, passed)
            if record.kind is Kind.ALERT and self._is_repeat(record, passed):
                continue
            passed.append(record)
        return passed

    def advance(self, now_ns: int) -> list[Record]:
        """The reports of periods that ended before `now_ns`."""
        reports: list[Record] = []
        self._end_before(now_ns, reports)
        return reports

    def finish(self) -> list[Record]:
        """The reports of all periods: nothing more will come."""
        reports: list[Record] = []
        for _, key in sorted((period.end_ns, key) for key, period in self._open.items()):
            self._end(key, reports)
        self._ends.clear()
        return reports

    def save(self) -> bytes:
        """The periods as JSON, for `resume`. The counts begin anew."""
        return msgspec.json.encode(_State(version=STATE_VERSION, periods=list(self._open.values())))

    def resume(self, saved: bytes) -> list[str]:
        """Go on where another suppressor was saved; before the first record.

        Its periods go on as they were begun, whatever `by` and `for_ns` are now: alerts under other places
        do not fold into them, and they are reported when they are over.

        Returns:
            What could not be taken over, in words; then only that is missing.
        """
        try:
            state = msgspec.json.decode(saved, type=_Saved)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return [f"the saved repeats of alerts cannot be read: {error}"]
        if state.version != STATE_VERSION:
            return [f"the saved repeats of alerts have version {state.version}, not {STATE_VERSION}"]
        periods = list(filter(None, map(resumed, state.periods)))
        for period in periods:
            self._hold(period)
        unusable = len(state.periods) - len(periods)
        return [f"the saved repeats of {counted(unusable, 'alert')} cannot be read"] if unusable else []

    def _is_repeat(self, record: Record, passed: list[Record]) -> bool:
        """Whether the alert repeats another, which then counts it; else it begins a period."""
        key = self._key(record.document)
        period = self._open.get(key)
        if period is not None and period.covers(record):
            period.fold(record)
            self._open.move_to_end(key)
            self._folded += 1
            return True
        if period is not None:
            self._end(key, passed)
        self._hold(begun_by(record, key, self._for_ns))
        self._make_room(passed)
        return False

    def _key(self, document: Mapping[str, object]) -> str:
        """The values as a fingerprint, so that it does not matter how long they are.

        The places are part of it: periods from before a change of the configuration are not mistaken for
        others.
        """
        return digest(_key_of((self._by, [_value(document, place) for place in self._by])))

    def _hold(self, period: Period) -> None:
        self._open[period.key] = period
        self._bytes += period.size_bytes
        if len(self._ends) > 2 * len(self._open) + 1024:  # mostly of periods that ended early
            self._ends = [(held.end_ns, key) for key, held in self._open.items()]
            heapq.heapify(self._ends)
        else:
            heapq.heappush(self._ends, (period.end_ns, period.key))

    def _make_room(self, passed: list[Record]) -> None:
        while len(self._open) > self._max_keys or (self._bytes > self._max_bytes and len(self._open) > 1):
            self._forgotten += 1
            self._end(next(iter(self._open)), passed)

    def _end_before(self, now_ns: int, passed: list[Record]) -> None:
        while self._ends and self._ends[0][0] < now_ns:
            end_ns, key = heapq.heappop(self._ends)
            period = self._open.get(key)
            if period is not None and period.end_ns == end_ns:
                self._end(key, passed)

    def _end(self, key: str, passed: list[Record]) -> None:
        period = self._drop(key)
        if period is not None and period.count:
            self._reports += 1
            passed.append(report_of(period))

    def _drop(self, key: str) -> Period | None:
        period = self._open.pop(key, None)
        if period is not None:
            self._bytes -= period.size_bytes
        return period


def left_over(saved: bytes) -> list[Record]:
    """The reports of a saved state that nobody will go on with."""
    suppressor = Suppressor(Suppress(by=(), for_ns=1))
    suppressor.resume(saved)
    return suppressor.finish()


def _value(document: Mapping[str, object], place: str) -> object:
    """What a document has at a dotted place; None if nothing.

    A rule without `rule.uuid` is known by its `rule.id`.
    """
    found = value_at(document, place)
    return value_at(document, "rule.id") if found is None and place == "rule.uuid" else found
