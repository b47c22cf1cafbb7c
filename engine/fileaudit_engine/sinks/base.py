"""What a sink answers, per record.

A sink never raises for a record: it says what became of it, and whoever feeds the sink acts on that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fileaudit_engine.detect.record import Record


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now; try again later."""

    reason: str


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
