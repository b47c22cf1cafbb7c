"""An alert, and the repeats of it that were folded: as it is held, saved and at last reported.

Of the alert only its document is held, as the JSON that is stored and sent anyway: two kilobytes, where the
objects would be ten. What a report needs besides is read back from there.
"""

from typing import Annotated, Any, Final

import msgspec

from fileaudit_engine.detect.alert import SEVERITIES
from fileaudit_engine.detect.identity import digest, pack
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.diagnostics import Location
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.events.objects import Document, member_of
from fileaudit_engine.events.reader import event_of
from fileaudit_engine.events.times import LAST_NS, rfc3339
from fileaudit_engine.text import from_document, to_document

LISTED: Final = 10
"""Ids of repeats that a report lists: enough to look at some, little enough for every document."""

_Moment = Annotated[int, msgspec.Meta(ge=0, le=LAST_NS)]
_Length = Annotated[int, msgspec.Meta(ge=1, le=LAST_NS)]
_Count = Annotated[int, msgspec.Meta(ge=0)]
_NOWHERE: Final = Location(file="")


class Period(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A first alert and its repeats. Times are nanoseconds since the Unix epoch.

    Attributes:
        key: What repeats have in common with it, as a fingerprint.
        id: Of the first alert, and so its time, rule (as documents spell it), level and document.
        has_event: Whether the alert stands for an event that its document describes.
        for_ns: How far from the first alert a repeat may be.
        count: Repeats.
        first_repeat_ns: The earliest of them, and the latest.
        ids: Of the first few that came.
    """

    key: str
    id: str
    first_ns: _Moment
    rule: str
    level: str
    document: msgspec.Raw
    has_event: bool = True
    for_ns: _Length
    count: _Count = 0
    first_repeat_ns: _Moment = 0
    last_repeat_ns: _Moment = 0
    ids: list[str] = []

    @property
    def end_ns(self) -> int:
        """The last moment of the period."""
        return self.first_ns + self.for_ns

    @property
    def size_bytes(self) -> int:
        """What it takes, nearly."""
        return len(memoryview(self.document))

    def covers(self, record: Record) -> bool:
        """Whether an alert of the same key is a repeat: near in time on either side, and no more severe."""
        return (
            abs(record.ts_ns - self.first_ns) <= self.for_ns
            and SEVERITIES[record.level] <= SEVERITIES[self.level]
        )

    def fold(self, record: Record) -> None:
        """Count a repeat."""
        first_ns = self.first_repeat_ns if self.count else record.ts_ns
        self.first_repeat_ns = min(first_ns, record.ts_ns)
        self.last_repeat_ns = max(self.last_repeat_ns, record.ts_ns)
        self.count += 1
        if len(self.ids) < LISTED:
            self.ids.append(record.id)


def begun_by(record: Record, key: str, for_ns: int) -> Period:
    """The period that an alert begins."""
    return Period(
        key=key,
        id=record.id,
        first_ns=record.ts_ns,
        rule=to_document(record.rule),
        level=record.level,
        document=msgspec.Raw(encode(record.document)),
        has_event=record.event is not None,
        for_ns=for_ns,
    )


def report_of(period: Period) -> Record:
    """What is told of the repeats: the first alert's document again, with `fileaudit.repeats`.

    It is a record of its own, at the time of the last repeat, with an id that follows from the first alert's
    id and the count. When it is handed on, nobody knows here: there is no `event.ingested` in it.
    """
    document: Document = msgspec.json.decode(period.document)
    event = _event_in(document) if period.has_event else None
    record_id = digest(pack((period.id, "repeats", period.count)))
    last = rfc3339(period.last_repeat_ns)
    facts = member_of(document, "event")
    facts.pop("ingested", None)
    facts["id"] = record_id
    document["@timestamp"] = last
    times = "time" if period.count == 1 else "times"
    document["message"] = (
        f"{document.get('message', '')} (repeated {period.count:,} more {times} until {last})".lstrip()
    )
    member_of(document, "fileaudit")["repeats"] = {
        "of": period.id,
        "count": period.count,
        "first": rfc3339(period.first_repeat_ns),
        "last": last,
        "ids": list(period.ids),
    }
    return Record(
        id=record_id,
        kind=Kind.ALERT,
        ts_ns=period.last_repeat_ns,
        rule=from_document(period.rule),
        level=period.level,
        document=document,
        event=event,
    )


def _event_in(document: Document) -> FileEvent | None:
    found = event_of(document, lambda _: _NOWHERE, allow_unknown_fields=True)
    return found if isinstance(found, FileEvent) else None


def repeats_in(record: Record) -> int:
    """How many repeats a record reports; 0 if it is no report."""
    facts: Any = record.document.get("fileaudit")
    repeats: Any = facts.get("repeats") if isinstance(facts, dict) else None
    return int(repeats["count"]) if isinstance(repeats, dict) else 0


def resumed(saved: msgspec.Raw) -> Period | None:
    """A saved period, independent of what it was read from; None if it is none that this engine wrote."""
    try:
        period = msgspec.json.decode(saved, type=Period)
        msgspec.json.decode(period.document, type=dict[str, object])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if period.level not in SEVERITIES or len(period.ids) > LISTED:
        return None
    period.document = period.document.copy()
    return period
