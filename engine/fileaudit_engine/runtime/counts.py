"""How much was done: calls by operation, bytes, failures, alerts."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from fileaudit_engine.events.model import OPERATIONS, Operation

_READ: Final = Operation.READ.number
_WRITE: Final = Operation.WRITE.number


class Counts:
    """How much was done.

    Attributes:
        calls: Calls by the number of their operation.
        read_bytes: Bytes that were read; `written_bytes` likewise.
        failed: Calls that failed.
        alerts: Alerts that were raised.
    """

    __slots__ = ("alerts", "calls", "failed", "read_bytes", "written_bytes")

    def __init__(self) -> None:
        """Nothing yet."""
        self.calls = [0] * len(OPERATIONS)
        self.read_bytes = 0
        self.written_bytes = 0
        self.failed = 0
        self.alerts = 0

    def count(self, operation: int, calls: int, *, moved: int = 0, failed: bool = False) -> None:
        """Count calls of an operation (its number), and the bytes that they moved."""
        self.calls[operation] += calls
        if operation == _READ:
            self.read_bytes += moved
        elif operation == _WRITE:
            self.written_bytes += moved
        if failed:
            self.failed += calls

    def of(self, *operations: Operation) -> int:
        """Calls of some operations."""
        return sum(self.calls[operation.number] for operation in operations)

    @property
    def operations(self) -> int:
        """All calls."""
        return sum(self.calls)

    @property
    def reads(self) -> int:
        """Calls that read."""
        return self.calls[_READ]

    @property
    def writes(self) -> int:
        """Calls that wrote."""
        return self.calls[_WRITE]

    def add(self, other: "Counts") -> None:
        """Count what `other` counts as well."""
        self._combine(other, 1)

    def without(self, others: "Iterable[Counts]") -> "Counts":
        """What is left after taking out what others count."""
        left = Counts()
        left.add(self)
        for other in others:
            left._combine(other, -1)
        return left

    def _combine(self, other: "Counts", sign: int) -> None:
        self.calls = [mine + sign * its for mine, its in zip(self.calls, other.calls, strict=True)]
        self.read_bytes += sign * other.read_bytes
        self.written_bytes += sign * other.written_bytes
        self.failed += sign * other.failed
        self.alerts += sign * other.alerts


Order = Callable[[Counts], int]

ORDERS: Final[Mapping[str, Order]] = {
    "ops": lambda counts: counts.operations,
    "read": lambda counts: counts.read_bytes,
    "written": lambda counts: counts.written_bytes,
    "reads": lambda counts: counts.reads,
    "writes": lambda counts: counts.writes,
    "failed": lambda counts: counts.failed,
    "alerts": lambda counts: counts.alerts,
}
"""What rows can be sorted by, largest first."""
