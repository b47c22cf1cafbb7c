"""A sink that is shown only what is meant for it."""

from collections.abc import Callable, Sequence

from fileaudit_engine.detect.record import Record
from fileaudit_engine.sinks.base import Answer, Delivered, Sink


class Chosen:
    """Passes on the records that fit; the others are none of its business, so it has had them.

    Args:
        sink: What they are passed on to.
        fits: Which ones.
    """

    def __init__(self, sink: Sink, fits: Callable[[Record], bool]) -> None:
        self._sink = sink
        self._fits = fits

    def deliver(self, records: Sequence[Record]) -> Sequence[Answer]:
        """One answer a record, in order."""
        chosen = [record for record in records if self._fits(record)]
        answers = iter(self._sink.deliver(chosen) if chosen else ())
        passed = set(map(id, chosen))
        return [next(answers) if id(record) in passed else Delivered() for record in records]

    def close(self) -> None:
        """Close what is behind it."""
        self._sink.close()
