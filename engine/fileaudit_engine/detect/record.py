"""What detection hands on: records, ready for disk, terminal and wire.

A rule of level `informational` writes an audit event, every other level raises an alert. Both are one ECS
document with a deterministic id, so that the same event through the same rules is kept once.
"""

import enum
from collections.abc import Mapping

import msgspec

from fileaudit_engine.compiler.plan import UserRule
from fileaudit_engine.events.model import FileEvent, Loss


class Kind(str, enum.Enum):
    """What a record is. The first two are ECS' `event.kind`; an engine's record is an event there."""

    ALERT = "alert"
    EVENT = "event"
    ENGINE = "engine"
    """What the engine says about itself: when it watched, and what was lost."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A rule matched an event.

    Attributes:
        rule: Which.
        event: What happened.
        selections: The detections that hold for the event, in document order.
        losses: What was lost in the time that the rule speaks of.
    """

    rule: UserRule
    event: FileEvent
    selections: tuple[str, ...]
    losses: tuple[Loss, ...] = ()


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An alert or an audit event as it is stored, shown and sent.

    Attributes:
        id: Deterministic, `event.id` of the document.
        kind: Alert or audit event.
        ts_ns: When it happened, nanoseconds since the Unix epoch.
        rule: Key of the rule.
        level: Its level.
        document: The ECS document, nested, JSON types only, names escaped by `text.to_document`. Records
            share parts of it: it is not for changing.
        event: The event behind it, for output that wants the untouched names; of what a correlation has
            seen, the newest one. None where it is not known any more, or where there is none.
    """

    id: str
    kind: Kind
    ts_ns: int
    rule: str
    level: str
    document: Mapping[str, object]
    event: FileEvent | None
