"""For how much of a range of time somebody was watching, and what was lost all the same.

The engine's own records tell: a start says when the engine before it was last alive and how that ended, a
stop that nobody watches from then on. What begins before the range or ends behind it is found by the nearest
such record outside. An engine that was killed and not started again is known by when it was last alive only.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from fileaudit_engine.detect.engine_record import Action
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.events.model import Loss
from fileaudit_engine.events.times import SECOND_NS, parse_rfc3339, rfc3339
from fileaudit_engine.runtime.report_data import Coverage, Gap, Losses, LostSpan, Trouble
from fileaudit_engine.store.losses import loss_of
from fileaudit_engine.store.search import Search, search
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.stored import StoredRecord

ALIVE: Final = "alive"
"""The mark that a running engine renews."""
SILENCE_NS: Final = 60 * SECOND_NS
"""An engine renews it every ten seconds; one that has not for a minute does not run."""
MOST_GAPS: Final = 50
MOST_TROUBLES: Final = 20

_LIFE: Final = frozenset({Action.ENGINE_START.value, Action.ENGINE_STOP.value})
_RULES: Final = frozenset({Action.ENGINE_START.value, Action.RULES_RELOADED.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known about the engine in a range.

    Attributes:
        coverage: How much of it was watched.
        ran: The rules and trails that were loaded at some time in it.
        complete: Whether `ran` is all of them.
    """

    coverage: Coverage
    ran: frozenset[str]
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """What the engine says about itself: when, what, and the particulars."""

    ts_ns: int
    action: str
    facts: Mapping[str, Any]
    message: str
    lost: Loss | None


@dataclass(slots=True)
class _Ran:
    """Which rules were loaded."""

    names: set[str] = field(default_factory=set)
    told: bool = False
    complete: bool = True

    def take(self, facts: Mapping[str, Any]) -> None:
        """What a start, or a reload, says of them."""
        for kind in ("rules", "trails"):
            names = facts.get(kind)
            if isinstance(names, list):
                self.told = True
                self.names.update(map(str, names))
                self.complete &= facts.get(f"{kind}_total", len(names)) == len(names)
            else:
                self.complete = False


@dataclass(slots=True)
class _Lost:
    """Losses, added up in the order in which they ended."""

    counts: dict[str, int] = field(default_factory=dict)
    times: int = 0
    seconds_ns: int = 0
    spans_total: int = 0
    _spans: list[tuple[int, int, int]] = field(default_factory=list)
    """Of those that are over the largest: events, beginning, end."""
    _span: tuple[int, int, int] = (0, 0, 0)
    """Of the one at hand."""

    def take(self, loss: Loss) -> None:
        for what, count in loss.counts.items():
            self.counts[what] = self.counts.get(what, 0) + count
        self.times += 1
        events, first_ns, last_ns = self._span
        self.seconds_ns += max(0, loss.last_ns - max(loss.first_ns, last_ns))  # what overlaps counts once
        if not events or loss.first_ns - last_ns > SILENCE_NS:
            self._close()
            self.spans_total += 1
            events, first_ns = 0, loss.first_ns
        self._span = events + loss.total, min(first_ns, loss.first_ns), max(last_ns, loss.last_ns)

    def _close(self) -> None:
        if self._span[0]:
            heapq.heappush(self._spans, self._span)
            if len(self._spans) > MOST_GAPS:
                heapq.heappop(self._spans)
        self._span = 0, 0, self._span[2]

    def data(self) -> Losses:
        self._close()
        what = dict(sorted(self.counts.items(), key=lambda item: (-item[1], item[0])))
        return Losses(
            events=sum(what.values()),
            times=self.times,
            seconds=self.seconds_ns / SECOND_NS,
            what=what,
            spans=[
                LostSpan(since=rfc3339(first_ns), until=rfc3339(last_ns), events=events)
                for events, first_ns, last_ns in sorted(self._spans, key=lambda span: span[1])
            ],
            spans_total=self.spans_total,
        )


class _Watch:
    """Goes through starts and stops in the order of time, and gathers the gaps between them."""

    def __init__(self, since_ns: int, until_ns: int) -> None:
        self.known = False
        self.gaps_total = 0
        self.gaps_ns = 0
        self._since_ns, self._until_ns = since_ns, until_ns
        self._longest: list[tuple[int, int, int, str]] = []
        self._down_ns: int | None = None
        """Since when nobody watches; None: somebody does, or nothing is known yet."""
        self._how = ""
        self._heard_ns = since_ns
        """When it last said anything at all: somebody who says something is alive."""

    def hear(self, note: _Note) -> None:
        """The next of all that the engine says."""
        if note.action in _LIFE:
            self._take(note)
        self._heard_ns = max(self._heard_ns, note.ts_ns)

    def _take(self, note: _Note) -> None:
        """The next start or stop."""
        if note.action == Action.ENGINE_STOP.value:
            if self._down_ns is None:
                self._down_ns, self._how = note.ts_ns, "stopped"
        else:
            previous = note.facts.get("previous")
            self._start(note.ts_ns, previous if isinstance(previous, dict) else {})
        self.known = True

    def _start(self, ts_ns: int, previous: Mapping[str, Any]) -> None:
        how = str(previous.get("how") or "killed")
        if self._down_ns is not None:
            self._gap(self._down_ns, ts_ns, self._how)
        elif how == "never":
            if not self.known:
                self._gap(self._since_ns, ts_ns, "not started")
        else:
            self._gap(max(_time_of(previous.get("until"), ts_ns), self._heard_ns), ts_ns, how)
        self._down_ns = None

    def end(self, alive_ns: int | None, now_ns: int) -> None:
        """Nothing is known of later starts and stops: it runs on, is stopped, or was killed unnoticed."""
        if self._down_ns is not None:
            self._gap(self._down_ns, self._until_ns, self._how)
        elif self.known and alive_ns is not None and now_ns - alive_ns > SILENCE_NS:
            self._gap(max(alive_ns, self._heard_ns), self._until_ns, "killed")

    def _gap(self, first_ns: int, last_ns: int, how: str) -> None:
        first_ns, last_ns = max(first_ns, self._since_ns), min(last_ns, self._until_ns)
        if last_ns <= first_ns:
            return
        self.gaps_total += 1
        self.gaps_ns += last_ns - first_ns
        entry = (last_ns - first_ns, first_ns, last_ns, how)
        if len(self._longest) < MOST_GAPS:
            heapq.heappush(self._longest, entry)
        else:
            heapq.heappushpop(self._longest, entry)

    def gaps(self) -> list[Gap]:
        """The longest ones, in the order of time."""
        return [
            Gap(since=rfc3339(first), until=rfc3339(last), seconds=length / SECOND_NS, how=how)
            for length, first, last, how in sorted(self._longest, key=lambda gap: gap[1])
        ]


def coverage_of(store: Store, since_ns: int, until_ns: int, now_ns: int, kept_ns: int | None) -> Known:
    """What the store knows about the engine in a range.

    Args:
        store: Open.
        since_ns: Where the range begins, nanoseconds since the Unix epoch.
        until_ns: Before which moment it ends.
        now_ns: The present: what is not yet is no gap.
        kept_ns: The time of the earliest record, if retention has removed others; else None.

    Raises:
        UnusableInput: The file is damaged.
        MachineCannot: The system refuses.
    """
    first_ns = since_ns if kept_ns is None else max(since_ns, kept_ns)
    last_ns = max(first_ns, min(until_ns, now_ns))
    watch, ran, lost = _Watch(first_ns, last_ns), _Ran(), _Lost()
    troubles = _troubles_told(store, first_ns, last_ns)
    within = _told(store, Search(since_ns=first_ns, until_ns=last_ns, newest_first=False))
    for note in (*_before(store, first_ns), *within):
        watch.hear(note)
        if note.action in _RULES:
            ran.take(note.facts)
        if note.lost is not None and note.ts_ns >= first_ns:
            lost.take(note.lost)
        if note.action == Action.STORE_AVAILABLE.value and note.ts_ns >= first_ns:
            _end_trouble(troubles, note)
    after = next(_life(_told(store, Search(since_ns=last_ns, newest_first=False))), None)
    if after is not None:
        watch.hear(after)
    watch.end(None if after else store.marked(ALIVE), now_ns)
    return Known(
        coverage=_coverage(watch, lost, troubles, (first_ns, last_ns)),
        ran=frozenset(ran.names),
        complete=ran.told and ran.complete,
    )


def _coverage(
    watch: _Watch, lost: _Lost, troubles: Mapping[str, Trouble], span_ns: tuple[int, int]
) -> Coverage:
    whole_ns = span_ns[1] - span_ns[0]
    watched_ns = whole_ns - watch.gaps_ns if watch.known else 0
    return Coverage(
        known=watch.known,
        begins=rfc3339(span_ns[0]),
        seconds=whole_ns / SECOND_NS,
        watched_seconds=watched_ns / SECOND_NS,
        percent=100 * watched_ns / whole_ns if watch.known and whole_ns else None,
        gaps=watch.gaps(),
        gaps_total=watch.gaps_total,
        losses=lost.data(),
        troubles=[troubles[since] for since in sorted(troubles)][-MOST_TROUBLES:],
    )


# --- the engine's records ----------------------------------------------------------------------------------


def _told(store: Store, wanted: Search) -> Iterator[_Note]:
    """What the engine says about itself, in the order that is asked for."""
    for record in search(store, replace(wanted, kinds=(Kind.ENGINE,))):
        yield _note_of(record)


def _life(notes: Iterable[_Note]) -> Iterator[_Note]:
    return (note for note in notes if note.action in _LIFE)


def _before(store: Store, ns: int) -> list[_Note]:
    """The last start or stop before a moment, and the last reload since, in the order of time."""
    found: list[_Note] = []
    for note in _told(store, Search(until_ns=ns, newest_first=True)):
        if note.action in _LIFE:
            return [note, *found]
        if note.action in _RULES and not found:
            found.append(note)
    return found


def _note_of(record: StoredRecord) -> _Note:
    document = record.document
    own = document.get("fileaudit", {})
    facts = own.get("engine", {})
    return _Note(
        ts_ns=record.ts_ns,
        action=str(document.get("event", {}).get("action")),
        facts=facts if isinstance(facts, dict) else {},
        message=str(document.get("message", "")),
        lost=loss_of(document),
    )


# --- trouble with the store --------------------------------------------------------------------------------


def _troubles_told(store: Store, since_ns: int, until_ns: int) -> dict[str, Trouble]:
    """What alerts say of the store's not being writable, by the time when that began; the latest ones."""
    wanted = Search(
        since_ns=since_ns,
        until_ns=until_ns,
        kinds=(Kind.ALERT,),
        rules=(Action.STORE_UNAVAILABLE.value,),
        limit=MOST_TROUBLES,
    )
    notes = map(_note_of, search(store, wanted))
    return {
        (since := rfc3339(note.ts_ns)): Trouble(
            since=since, until=None, reason=str(note.facts.get("reason") or note.message)
        )
        for note in notes
    }


def _end_trouble(troubles: dict[str, Trouble], note: _Note) -> None:
    """The store can be written again; when the trouble began may lie before the range."""
    since = rfc3339(_time_of(note.facts.get("since"), note.ts_ns))
    reason = troubles[since].reason if since in troubles else ""
    troubles[since] = Trouble(since=since, until=rfc3339(note.ts_ns), reason=reason)
    if len(troubles) > MOST_TROUBLES:
        del troubles[min(troubles)]


def _time_of(text: object, otherwise_ns: int) -> int:
    try:
        return parse_rfc3339(str(text))
    except ValueError:
        return otherwise_ns
