"""Recorded events as a source: files of JSON lines, plain or compressed.

Files are streamed, whatever they unfold to: at most one line and one batch of them are in memory, and both
are bounded. What is wrong with a line, or with a whole file, is noted with its place and the rest goes on;
who wants to stop at the first mistake says so (`strict`).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from fileaudit_engine.diagnostics import Diagnostic, Location, UnusableInput, error_at
from fileaudit_engine.events.batch import BATCH_EVENTS, Batch, EventBatch
from fileaudit_engine.events.jsonl import EventReader
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.sources.base import Counters
from fileaudit_engine.sources.unpack import MAX_LINE_BYTES, STDIN, UNREADABLE, lines, opened, why

MAX_DIAGNOSTICS: Final = 1_000
"""What is kept of them: a file of a million broken lines needs no million messages."""
_BATCH_BYTES: Final = MAX_LINE_BYTES
"""A batch ends with the line that makes it larger."""


class ReplaySource:
    """Events from recorded files, in the order in which they were recorded.

    Attributes:
        diagnostics: What was wrong with the input so far; the first `MAX_DIAGNOSTICS`, and one that says how
            many more there are.
    """

    def __init__(
        self, paths: Sequence[str | Path], *, allow_unknown_fields: bool = False, strict: bool = False
    ) -> None:
        """Read `paths` one after the other; `-` is the standard input.

        Args:
            paths: Files; `.gz` and `.zst` are decompressed.
            allow_unknown_fields: Keep what the field table does not know in `FileEvent.extra`.
            strict: Raise `UnusableInput` at the first line that is not valid.
        """
        self._paths = tuple(map(str, paths))
        self._allow_unknown_fields = allow_unknown_fields
        self._strict = strict
        self._diagnostics: list[Diagnostic] = []
        self._unnamed = 0
        self._delivered = 0
        self._lost: dict[str, int] = {}
        self._closed = False

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """What was wrong with the input so far."""
        if not self._unnamed:
            return list(self._diagnostics)
        last = self._diagnostics[-1].location
        more = error_at("FA070", f"{self._unnamed} more of these were found and are not listed", last)
        return [*self._diagnostics, more]

    def batches(self) -> Iterator[Batch | Loss]:
        """All events, and the losses among them.

        Raises:
            UnusableInput: The first mistake, where `strict` was asked for.
        """
        events: list[FileEvent] = []
        size = 0
        for item, line_bytes in self._items():
            if isinstance(item, FileEvent):
                events.append(item)
                size += line_bytes
            if len(events) == BATCH_EVENTS or size > _BATCH_BYTES or (events and isinstance(item, Loss)):
                yield self._batch(events)
                events, size = [], 0
            if isinstance(item, Loss):
                self._count_loss(item)
                yield item
            if self._closed:
                return
        if events:
            yield self._batch(events)

    def counters(self) -> Counters:
        """What was read so far; recorded losses are counted as lost."""
        lost = sum(self._lost.values())
        return Counters(seen=self._delivered + lost, delivered=self._delivered, lost=dict(self._lost))

    def close(self) -> None:
        """Read no further."""
        self._closed = True

    def _batch(self, events: list[FileEvent]) -> EventBatch:
        self._delivered += len(events)
        return EventBatch(events=tuple(events))

    def _count_loss(self, loss: Loss) -> None:
        for name, count in loss.counts.items():
            self._lost[name] = self._lost.get(name, 0) + count

    def _items(self) -> Iterator[tuple[FileEvent | Loss, int]]:
        """Every valid line as what it says, with its length."""
        for path in self._paths:
            name = "<stdin>" if path == STDIN else path
            reader = EventReader(file=name, allow_unknown_fields=self._allow_unknown_fields)
            number = 0
            try:
                with opened(path) as stream:
                    for number, line in enumerate(lines(stream), start=1):
                        item = self._read(reader, line, number)
                        if item is not None and line is not None:
                            yield item, len(line)
            except UNREADABLE as error:
                location = Location(file=name, line=number, column=1 if number else 0)
                self._note(error_at("FA070", why(error), location))

    def _read(self, reader: EventReader, line: bytes | None, number: int) -> FileEvent | Loss | None:
        if line is None:
            message = f"the line is longer than {MAX_LINE_BYTES >> 20} MiB"
            self._note(error_at("FA076", message, Location(file=reader.file, line=number, column=1)))
            return None
        if not line.strip():
            return None
        item = reader.read(line, number)
        if isinstance(item, tuple):
            for diagnostic in item:
                self._note(diagnostic)
            return None
        return item

    def _note(self, diagnostic: Diagnostic) -> None:
        if self._strict:
            raise UnusableInput([diagnostic])
        if len(self._diagnostics) < MAX_DIAGNOSTICS:
            self._diagnostics.append(diagnostic)
        else:
            self._unnamed += 1
