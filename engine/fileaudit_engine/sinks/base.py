"""What a sink answers, per record.

A sink never raises for a record: it says what became of it, and whoever feeds the sink acts on that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from fileaudit_engine.detect.record import Kind, Record


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now; try again later.

    Attributes:
        reason: Why.
        stopped: Whether it makes no sense before somebody has changed something.
    """

    reason: str
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Reject:
    """The receiver will never take it."""

    reason: str


Answer = Delivered | Retry | Reject


class Sink(Protocol):
    """Takes records that are already on disk."""

    def deliver(self, records: Sequence[Record]) -> Sequence[Answer]:
        """One answer a record, in order."""

    def close(self) -> None:
        """Flush and let go."""


class Row(Protocol):
    """A record as the store gives it back, for sinks that follow the store."""

    @property
    def seq(self) -> int:
        """Its number in the store."""

    @property
    def ts_ns(self) -> int:
        """When it happened, nanoseconds since the Unix epoch."""

    @property
    def raw(self) -> bytes:
        """The document as JSON."""

    @property
    def id(self) -> str:
        """`event.id`."""

    @property
    def kind(self) -> Kind:
        """Alert, audit event, or what the engine says about itself."""


@runtime_checkable
class Refreshing(Protocol):
    """A sink that stops when it is refused for good."""

    def refresh(self) -> None:
        """Somebody may have changed something: try again. May be called by another thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What became of an attempt to reach the receiver of a sink.

    Attributes:
        ok: Whether it would take records.
        detail: Who answered, or why nobody does.
        remedy: What to do about it; empty if nothing has to be done.
    """

    ok: bool
    detail: str
    remedy: str = ""
