"""The lines of one file as rows: what its documents look like is learned from them.

The first lines show which members the file's documents have, and a shape is made for them (`events.shape`).
A line that the shape does not take goes to the reader, which knows what it means or what is wrong with it.
Where the reader takes such lines, the next shape is made for them too, up to a bound: whoever wrote the file
may mean to keep us learning.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.events.jsonl import EventReader
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.events.outline import Outline, common, outline_of
from fileaudit_engine.events.shape import Row, Shape, shape_of
from fileaudit_engine.sources.unpack import Block

LOOKED_AT: Final = 64
"""Lines that a shape is learned from at a time."""
_LESSONS: Final = 16
"""Tries to make a shape for one file: each costs as much as reading some fifty lines."""
_FREQUENT: Final = 3
"""Kinds of lines that are tried alone where there is no shape for all."""
_PAUSE: Final = 16
"""Blocks that nothing is tried on after one whose lines have no common shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A block as far as it is of one shape.

    Attributes:
        shape: Of the rows; None if there are none.
        rows: One a line, None where only the reader knows.
        refused: Indexes of those lines.
    """

    shape: Shape | None
    rows: Sequence[Row | None]
    refused: Sequence[int]


class Decoder:
    """Decodes the blocks of one file, in their order."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader
        self._shape: Shape | None = None
        self._begun = False
        self._lessons = _LESSONS
        self._pause = 0

    def decode(self, block: Block) -> Decoded:
        """The lines as rows."""
        if not self._begun:
            self._begin(block)
        if self._pause or self._shape is None:
            self._pause = max(0, self._pause - 1)
            return Decoded(shape=None, rows=(None,) * len(block.lines), refused=range(len(block.lines)))
        rows, refused = self._shape.rows(block.lines, escaped=block.escaped)
        return Decoded(shape=self._shape, rows=rows, refused=refused)

    def learn(self, events: Sequence[bytes], decoded: Decoded) -> None:
        """Look for a better shape.

        Args:
            events: Lines that were refused, and that the reader took for events; the first `LOOKED_AT`.
            decoded: What they were in.
        """
        before = self._shape
        many = 2 * len(decoded.refused) >= len(decoded.rows)
        if events and not self._pause:
            self._try([common(events, before.outline if before else frozenset())])
            if many and self._shape is before:
                self._try(_looks(events))
        if many and self._shape is before and not self._pause:
            self._pause = _PAUSE

    def _begin(self, block: Block) -> None:
        self._begun = True
        events = [
            line
            for number, line in enumerate(block.lines[:LOOKED_AT], start=block.first_line)
            if isinstance(self._reader.read(line, number), FileEvent)
        ]
        self._try(_looks(events))

    def _try(self, looks: Iterable[Outline]) -> None:
        """Take the first that a shape can be made for."""
        known = self._shape.outline if self._shape else frozenset()
        for outline in looks:
            if outline == known or not self._lessons:
                continue
            self._lessons -= 1
            shape = shape_of(outline)
            if shape is not None:
                self._shape = shape
                return


def _looks(events: Sequence[bytes]) -> Iterator[Outline]:
    """Outlines for lines, best first: of all of them; of those that are alike, the most frequent ones."""
    yield common(events)
    seen = Counter(outline_of(line) for line in events)
    for outline, _ in seen.most_common(_FREQUENT):
        if outline is not None:
            yield outline
