"""Recorded events as a source: files of JSON lines, plain or compressed.

Files are streamed, whatever they unfold to: at most one block of lines and one batch are in memory, and both
are bounded. Lines are decoded many at a time (`decode`), and those that only the reader understands one by
one. What is wrong with a line, or with a whole file, is noted with its place and the rest goes on; who wants
to stop at the first mistake says so (`strict`).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from fileaudit_engine.diagnostics import Diagnostic, Location, UnusableInput, error_at
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.jsonl import EventReader
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.sources.base import Counters
from fileaudit_engine.sources.decode import LOOKED_AT, Decoder
from fileaudit_engine.sources.gathering import Gathering
from fileaudit_engine.sources.unpack import (
    MAX_LINE_BYTES,
    MAX_SKIPPED_BYTES,
    STDIN,
    UNREADABLE,
    Block,
    Overlong,
    blocks,
    never_waits,
    opened,
    why,
)

MAX_DIAGNOSTICS: Final = 1_000
"""What is kept of them: a file of a million broken lines needs no million messages."""


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
        for item in self._items():
            if isinstance(item, Loss):
                for name, count in item.counts.items():
                    self._lost[name] = self._lost.get(name, 0) + count
            else:
                self._delivered += len(item.candidates)
            yield item
            if self._closed:
                return

    def events(self) -> Iterator[FileEvent]:
        """All events, one by one, for who wants no batches. That some were lost changes nothing about them.

        Raises:
            UnusableInput: As `batches`.
        """
        for item in self.batches():
            if not isinstance(item, Loss):
                yield from map(item.complete, range(len(item.candidates)))

    def counters(self) -> Counters:
        """What was read so far; recorded losses are counted as lost."""
        lost = sum(self._lost.values())
        return Counters(seen=self._delivered + lost, delivered=self._delivered, lost=dict(self._lost))

    def close(self) -> None:
        """Read no further."""
        self._closed = True

    def _items(self) -> Iterator[Batch | Loss]:
        gathered = Gathering()
        for path in self._paths:
            name = "<stdin>" if path == STDIN else path
            reader = EventReader(file=name, allow_unknown_fields=self._allow_unknown_fields)
            number = 0
            try:
                with opened(path) as stream:
                    full = never_waits(path)
                    for number, items in self._file(reader, blocks(stream, full=full), gathered):  # noqa: B007 - told if it fails
                        yield from items
                        if not full:
                            yield from gathered.rest()
            except UNREADABLE as error:
                location = Location(file=name, line=number, column=1 if number else 0)
                yield from self._note((error_at("FA070", why(error), location),), gathered)
        yield from gathered.rest()

    def _file(
        self, reader: EventReader, parts: Iterator[Block | Overlong], gathered: Gathering
    ) -> Iterator[tuple[int, Iterator[Batch | Loss]]]:
        """For each part of a file, the number of its last line, and what becomes of it."""
        decoder = Decoder(reader)
        for part in parts:
            if isinstance(part, Overlong):
                yield part.line, self._note((_overlong(reader.file, part),), gathered)
            else:
                last = part.first_line + len(part.lines) - 1
                yield last, self._block(reader, decoder, part, gathered)

    def _block(
        self, reader: EventReader, decoder: Decoder, block: Block, gathered: Gathering
    ) -> Iterator[Batch | Loss]:
        decoded = decoder.decode(block)
        if decoded.shape is not None:
            yield from gathered.expect(decoded.shape, escaped=block.escaped, size=block.size)
        done = 0
        events: list[bytes] = []
        for index in decoded.refused:
            yield from gathered.rows(decoded.rows[done:index])
            done = index + 1
            line = block.lines[index]
            item = reader.read(line, block.first_line + index) if line.strip() else ()
            if isinstance(item, FileEvent):
                if len(events) < LOOKED_AT:
                    events.append(line)
                yield from gathered.event(item, len(line))
            elif isinstance(item, Loss):
                yield from gathered.rest()
                yield item
            else:
                yield from self._note(item, gathered)
        yield from gathered.rows(decoded.rows[done:])
        if decoded.refused:
            decoder.learn(events, decoded)

    def _note(self, diagnostics: Sequence[Diagnostic], gathered: Gathering) -> Iterator[Batch]:
        """Keep what is wrong; where that ends the run, hand on what came before."""
        for diagnostic in diagnostics:
            if self._strict:
                yield from gathered.rest()
                raise UnusableInput([diagnostic])
            if len(self._diagnostics) < MAX_DIAGNOSTICS:
                self._diagnostics.append(diagnostic)
            else:
                self._unnamed += 1


def _overlong(file: str, overlong: Overlong) -> Diagnostic:
    message = f"the line is longer than {MAX_LINE_BYTES >> 20} MiB"
    if overlong.endless:
        message += f" and does not end in {MAX_SKIPPED_BYTES >> 20} MiB more: nothing behind it was read"
    return error_at("FA076", message, Location(file=file, line=overlong.line, column=1))
