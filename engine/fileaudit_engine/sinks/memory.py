"""A sink that keeps what it is given: for tests, of this project and of those who build on it."""

from collections.abc import Callable, Sequence

from fileaudit_engine.detect.record import Record
from fileaudit_engine.sinks.base import Answer, Delivered


def _delivered(_record: Record) -> Answer:
    return Delivered()


class Memory:
    """Keeps the records that it answers `Delivered` to.

    Attributes:
        records: Them, in order.
        closed: Whether `close` was called.
    """

    def __init__(self, answer: Callable[[Record], Answer] = _delivered) -> None:
        self.records: list[Record] = []
        self.closed = False
        self._answer = answer

    def deliver(self, records: Sequence[Record]) -> list[Answer]:
        """What `answer` says of each."""
        answers = [self._answer(record) for record in records]
        self.records += [r for r, a in zip(records, answers, strict=True) if isinstance(a, Delivered)]
        return answers

    def close(self) -> None:
        """Note it."""
        self.closed = True
