"""Records as they come back from the store."""

from typing import Any

import msgspec

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.store.facets import kind_of


class StoredRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A record as it was kept; see `detect.record.Record`.

    Attributes:
        seq: Its number in the store.
        ts_ns: When it happened, nanoseconds since the Unix epoch.
        raw: The document as JSON, to the byte as it was kept.
    """

    seq: int
    ts_ns: int
    raw: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The document, made anew each time."""
        found: dict[str, Any] = msgspec.json.decode(self.raw)
        return found

    @property
    def id(self) -> str:
        """`event.id`."""
        return self._head.event.id

    @property
    def kind(self) -> Kind:
        """Alert, audit event, or what the engine says about itself."""
        return kind_of(self.document)

    @property
    def rule(self) -> str:
        """The key of the rule; empty where there is none."""
        return self._head.rule.id

    @property
    def level(self) -> str:
        """Its level; empty where there is none."""
        return self._head.fileaudit.rule.level

    @property
    def _head(self) -> "_Head":
        return _HEAD.decode(self.raw)


class _Event(msgspec.Struct):
    id: str = ""


class _Rule(msgspec.Struct):
    id: str = ""


class _Level(msgspec.Struct):
    level: str = ""


class _Own(msgspec.Struct):
    rule: _Level = msgspec.field(default_factory=_Level)


class _Head(msgspec.Struct):
    event: _Event = msgspec.field(default_factory=_Event)
    rule: _Rule = msgspec.field(default_factory=_Rule)
    fileaudit: _Own = msgspec.field(default_factory=_Own)


_HEAD = msgspec.json.Decoder(_Head)
