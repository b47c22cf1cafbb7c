"""Anchors are made while the engine runs, and looked at when it starts.

At the start, at the end, and now and then in between, what the last row of the store is goes to a file kept
apart and to the host's own logs. Before that it is forced to the disk: an anchor for a row that a power
failure takes away would accuse the wrong one.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.detect.record import Record
from fileaudit_engine.diagnostics import FileauditError
from fileaudit_engine.events.times import SECOND_NS, rfc3339
from fileaudit_engine.sinks.base import Answer, Retry
from fileaudit_engine.sinks.journal import to_journal, to_syslog
from fileaudit_engine.store.anchored import Disagreement, Wrong, held_against
from fileaudit_engine.store.anchors import Anchor, AnchorFile, line_of
from fileaudit_engine.store.settings import ANCHOR_TARGETS, StoreSettings
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import printable

EVERY_RECORDS: Final = 100_000
"""So many records never wait for an anchor, however short the time."""

ANCHORED: Final = "anchored"
"""The mark in a store that says when an anchor of it was last made."""

Log = Callable[[Anchor], Answer | None]
"""Writes an anchor into a log of the host; None: this host has no such log."""


def journal(anchor: Anchor) -> Answer | None:
    """An anchor as an entry of the journal, with fields to search for."""
    fields = {
        "FILEAUDIT_STORE": anchor.store.hex(),
        "FILEAUDIT_SEQ": str(anchor.seq),
        "FILEAUDIT_LINK": anchor.link.hex(),
    }
    return to_journal(line_of(anchor), fields)


def syslog(anchor: Anchor) -> Answer | None:
    """An anchor as a line of syslog."""
    return to_syslog(line_of(anchor))


LOGS: Final[Mapping[str, Log]] = dict(zip(ANCHOR_TARGETS, (journal, syslog), strict=True))


class Anchoring:
    """Makes anchors of a store. A chore.

    Args:
        store: Which.
        file: Where they are kept.
        settings: How often, and into which logs.
        tell: Is told, in words, what does not take them.
        clock_ns: The time, nanoseconds since the Unix epoch.
        clock_s: Monotonic seconds.
        logs: How to write into a log, by its name.

    Attributes:
        seq: The row of the last anchor; 0: there is none yet.
        places: Who has it.
    """

    def __init__(  # noqa: PLR0913 - one argument a part
        self,
        store: Store,
        file: AnchorFile,
        settings: StoreSettings,
        *,
        tell: Callable[[str], None],
        clock_ns: Callable[[], int] = time.time_ns,
        clock_s: Callable[[], float] = time.monotonic,
        logs: Mapping[str, Log] = LOGS,
    ) -> None:
        self.seq = 0
        self._start: int | None = None
        """Up to where rows were announced to go; None: there is no anchor yet, the store is believed."""
        self.places: tuple[str, ...] = ()
        self._store = store
        self._file = file
        self._logs = {name: log for name, log in logs.items() if name in settings.anchor_to}
        self._every_s = settings.anchor_every_ns / SECOND_NS
        self._tell = tell
        self._clock_ns = clock_ns
        self._clock_s = clock_s
        self._due_s = 0.0
        self._path = printable(str(file.path))
        self._silent: set[str] = set()
        """What does not take anchors, and was told to."""

    def check(self, host: str) -> Record | None:
        """Hold the store against the anchors that are there: an alert if it is not what it was.

        Comes before anything is written to the store.
        """
        try:
            anchors = self._file.read().found
            if not anchors and self._store.marked(ANCHORED) is not None:
                path = printable(str(self._file.path))
                self._tell(f"{path} has no anchors any more; the store is not held against any")
            identity = self._store.identity
            self._start = max((one.start for one in anchors if one.store == identity), default=None)
            wrong = held_against(self._store, anchors)
        except FileauditError as error:
            self._tell(f"{printable(str(error))}; the store is not held against anchors")
            return None
        return None if wrong is None else _alert(wrong, self._store, self._clock_ns(), host)

    def tick(self, *, idle: bool) -> None:  # noqa: ARG002 - it takes a few milliseconds every ten minutes
        """Make one if it is time, and there is something new."""
        new = self._store.head.seq - self.seq
        if new >= EVERY_RECORDS or (new and self._clock_s() >= self._due_s):
            self.anchor()

    def close(self) -> None:
        """Make one for all that is there."""
        if self._store.head.seq != self.seq:
            self.anchor()

    def anchor(self) -> None:
        """Make one now."""
        self._make(self._store.removed_seq if self._start is None else self._start)

    def announce(self, until_seq: int) -> bool:
        """Tell that the rows up to a number are about to be removed; whether the file has it."""
        self._start = until_seq
        return self._make(until_seq)

    def _make(self, start: int) -> bool:
        """Make one that says where the chain begins; whether the file has it."""
        self._due_s = self._clock_s() + self._every_s
        try:
            head = self._store.force()
        except FileauditError as error:
            self._note("", str(error))
            return False
        self._note("", "")
        if not head.seq:
            return False
        anchor = Anchor(self._store.identity, head.seq, head.link, self._clock_ns(), start)
        self.places = tuple(self._told(anchor))
        if not self.places:
            return False
        self.seq = head.seq
        self._remember(anchor)
        return self._path in self.places

    def _remember(self, anchor: Anchor) -> None:
        """Note in the store that there is one, so that it is noticed when there is none any more."""
        try:
            self._store.mark(ANCHORED, anchor.time_ns)
        except FileauditError as error:
            self._note("", str(error))

    def _told(self, anchor: Anchor) -> Iterator[str]:
        """Tell everybody; who has it."""
        path = self._path
        try:
            self._file.append(anchor)
        except FileauditError as error:
            self._note(path, str(error))
        else:
            self._note(path, "")
            yield path
        for name, log in self._logs.items():
            answer = log(anchor)
            if answer is not None:
                self._note(name, answer.reason if isinstance(answer, Retry) else "")
                if not isinstance(answer, Retry):
                    yield name

    def _note(self, place: str, trouble: str) -> None:
        """Tell trouble once, until it is over."""
        if trouble and place not in self._silent:
            self._tell(f"{printable(trouble)}; no anchor is kept there until it can be")
            self._silent.add(place)
        elif not trouble and place in self._silent:
            self._tell(f"anchors are kept again{f' in {place}' if place else ''}")
            self._silent.discard(place)


_WORDS: Final = {
    Wrong.CUT_OFF: "row {seq:,} was there at {time}, and is not there any more",
    Wrong.MISSING: "row {seq:,} was there at {time}, and is missing",
    Wrong.ALTERED: "row {seq:,}, or one before it, is not what it was at {time}",
    Wrong.UNANNOUNCED: "rows that were there at {time} are said to be removed by retention, which announced"
    " nothing of the kind; row {seq:,} was the last",
    Wrong.REPLACED: "this is another store than at {time}, which had {seq:,} rows",
}


def _alert(wrong: Disagreement, store: Store, now_ns: int, host: str) -> Record:
    anchor = wrong.anchor
    words = _WORDS[wrong.what].format(seq=anchor.seq, time=rfc3339(anchor.time_ns))
    agreed = "" if wrong.agreed_seq is None else f"; up to row {wrong.agreed_seq:,} it is what it was"
    return engine_record(
        Action.AUDIT_TRAIL_ALTERED,
        now_ns,
        host,
        f"{words}{agreed}",
        {
            "store": store.identity.hex(),
            "what": wrong.what.value,
            "anchor": {
                "store": anchor.store.hex(),
                "seq": anchor.seq,
                "link": anchor.link.hex(),
                "time": rfc3339(anchor.time_ns),
            },
            "agreed_seq": wrong.agreed_seq,
            "head_seq": store.head.seq,
        },
        alert_level="critical",
    )
