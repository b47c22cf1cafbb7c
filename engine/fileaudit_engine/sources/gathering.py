"""Rows and events of recordings, gathered into batches."""

from collections.abc import Iterator, Sequence
from typing import Final

from fileaudit_engine.events.batch import BATCH_EVENTS, Batch, EventBatch
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.events.shape import Row, Shape
from fileaudit_engine.sources.column_batch import ColumnBatch, ShapeColumns
from fileaudit_engine.sources.unpack import MAX_LINE_BYTES

_BATCH_BYTES: Final = MAX_LINE_BYTES
"""A batch ends with the line that makes it larger."""
_CACHED_BYTES: Final = 144 << 10
"""A batch of long lines ends with the block that makes it larger: what was decoded of them has to be in the
processor's cache still when columns are made of it. Lines of a usual length fill a batch before that."""


class Gathering:
    """What was read and is not yet handed on; every method hands on what is full."""

    def __init__(self) -> None:
        self._columns: ShapeColumns | None = None
        self._escaped = False
        self._block_escaped = False
        self._rows: list[Row | None] = []
        self._events: dict[int, FileEvent] = {}
        self._size = 0

    def expect(self, shape: Shape, *, escaped: bool, size: int) -> Iterator[Batch]:
        """The rows that follow are of this shape; `escaped` as in `ColumnBatch`, `size` in bytes."""
        if self._columns is None or self._columns.shape is not shape:
            if len(self._events) < len(self._rows):
                yield from self.rest()
            self._columns = ShapeColumns(shape)
        if self._size > _CACHED_BYTES:
            yield from self.rest()
        self._block_escaped = escaped
        self._escaped |= escaped
        self._size += size

    def rows(self, rows: Sequence[Row]) -> Iterator[Batch]:
        """Rows, in their order."""
        start = 0
        while start < len(rows):
            end = start + BATCH_EVENTS - len(self._rows)
            self._rows += rows[start:end]
            start = end
            if len(self._rows) == BATCH_EVENTS:
                yield from self.rest()

    def event(self, event: FileEvent, size: int) -> Iterator[Batch]:
        """An event among them."""
        self._events[len(self._rows)] = event
        self._rows.append(None)
        self._size += size
        if len(self._rows) == BATCH_EVENTS or self._size > _BATCH_BYTES:
            yield from self.rest()

    def rest(self) -> Iterator[Batch]:
        """All that there is."""
        if self._rows:
            rows, events, escaped = self._rows, self._events, self._escaped
            self._rows, self._events, self._size = [], {}, 0
            self._escaped = self._block_escaped
            yield self._batch(rows, events, escaped=escaped)

    def _batch(self, rows: list[Row | None], events: dict[int, FileEvent], *, escaped: bool) -> Batch:
        stand_in = next((row for row in rows if row is not None), None)
        if self._columns is None or stand_in is None:
            return EventBatch(events=tuple(events.values()))
        whole = [stand_in if row is None else row for row in rows] if events else rows
        return ColumnBatch(columns=self._columns, rows=whole, escaped=escaped, events=events)
