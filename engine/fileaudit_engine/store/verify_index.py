"""Whether rows are found by what they say: columns, names, blocks and postings, held against the documents.

Whoever renames a name, or takes a posting away, hides rows from every search without touching one. All of it
follows from the documents, which the chain vouches for, and so it can be computed again.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from fileaudit_engine.store.facets import COLUMNS, Dimension, Facet
from fileaudit_engine.store.verify_finding import Finding, Place, What, at, place_of, shown
from fileaudit_engine.store.verify_reading import Block, Name, Piece, Reader, Row, brief

MAX_GROUPS: Final = 1_000
"""Kinds of columns that do not agree, each told once with the number of its rows; more by themselves."""

MAX_BLOCK_ROWS: Final = 1 << 17
"""More than the engine ever puts into one block: its counts must fit into memory."""

_SHOWN_NAMES: Final = 3
_LAST_COLUMN: Final = len(COLUMNS)
_EMPTY: Final = (None,) * _LAST_COLUMN
_GONE: Final = (0, "")
"""In the place of a name that there is not."""

Said = Mapping[str, Any]
"""A document."""


class _Says(NamedTuple):
    """What a column says, and what its document.

    Attributes:
        column: Its place in `COLUMNS`.
        number: What stands there.
        name: The name of that number.
        text: What the document says.
    """

    column: int
    number: int | None
    name: Name
    text: str | None

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        if self.text is None:
            return self.number is None
        return self.name == (self.column + 1, self.text)


@dataclass(slots=True)
class _Group:
    """Rows in which a column says the same instead of the same."""

    what: What
    message: str
    first_seq: int
    last_seq: int
    place: Place
    rows: int = 1


class IndexCheck:
    """Takes rows with what their documents say, and yields what does not agree.

    Attributes:
        rows: Rows whose columns were compared.
        blocks: Closed blocks whose postings were compared.
        open_rows: Rows behind the last closed block; those every search looks through.
    """

    def __init__(self, reader: Reader, after: int) -> None:
        self.rows = 0
        self.blocks = 0
        self._reader = reader
        self._groups: dict[_Says, _Group] = {}
        self._begin(after)

    @property
    def open_rows(self) -> int:
        """Rows behind the last closed block."""
        return self._counted

    def restart(self, after: int) -> None:
        """Retention has removed the rows up to this one."""
        self._begin(after)

    def lose(self, until: int) -> None:
        """Not all that stands about the rows up to this one could be read: their blocks are passed over."""
        self._begin(until)
        self._lost = True

    def incomplete(self) -> None:
        """A row of the block cannot be read: nothing can be said of its postings."""
        self._whole = False

    def take(
        self, row: Row, facets: Sequence[Facet], pid: int | None, names: Mapping[int, Name], said: Said
    ) -> Iterator[Finding]:
        """The next row.

        Args:
            row: As it stands there.
            facets: What its document says.
            pid: The process that its document is about.
            names: What its columns mean.
            said: Its document.
        """
        self._count(row.ts_ns, facets)
        expected: list[Facet | None] = list(_EMPTY)
        for facet in facets:
            if facet[0] <= _LAST_COLUMN:
                expected[facet[0] - 1] = facet
        if [None if number is None else names[number] or _GONE for number in row.columns] != expected:
            for column, number in enumerate(row.columns):
                name, wanted = None if number is None else names[number], expected[column]
                says = _Says(column, number, name, None if wanted is None else wanted[1])
                if not says.agrees:
                    yield from self._column(row.seq, says, place_of(row.ts_ns, said))
        if pid != row.pid:
            message = f"its column 'pid' says {row.pid}, its document {pid}"
            yield at(row.seq, What.COLUMN, message, place_of(row.ts_ns, said))

    def _count(self, ts_ns: int, facets: Sequence[Facet]) -> None:
        self.rows += 1
        self._counted += 1
        if self._counted <= MAX_BLOCK_ROWS:
            self._counts.update([(dimension, brief(text)) for dimension, text in facets])
        else:
            self._counts.clear()
        if self._counted == 1:
            self._first_ns = self._last_ns = ts_ns
        elif ts_ns > self._last_ns:
            self._last_ns = ts_ns
        elif ts_ns < self._first_ns:
            self._first_ns = ts_ns

    def begin(self, piece: Piece) -> Iterator[Finding]:
        """The rows of a piece come now."""
        block = piece.block
        if block is None or block.first_seq <= self._first:
            return
        if self._counted and not self._lost:
            message = "these rows are in no block: no search finds them"
            last = block.first_seq - 1
            yield Finding(what=What.BLOCK, message=message, first_seq=self._first, last_seq=last)
        self._begin(block.first_seq - 1)

    def end(self, piece: Piece) -> Iterator[Finding]:
        """All rows of a piece were taken."""
        for seq in piece.unfound:
            yield at(seq, What.INDEX, "the index by time does not have it")
        block = piece.block
        if block is None or piece.until != block.last_seq:
            return
        yield from self._block(block, piece)
        self._begin(block.last_seq)

    def finish(self) -> Iterator[Finding]:
        """There are no more rows."""
        for group in self._groups.values():
            count = f" ({group.rows:,} rows)" if group.rows > 1 else ""
            yield Finding(
                what=group.what,
                message=group.message + count,
                first_seq=group.first_seq,
                last_seq=group.last_seq,
                place=group.place,
            )
        self._groups.clear()

    def _begin(self, after: int) -> None:
        self._first = after + 1
        self._counts: Counter[Facet] = Counter()
        self._counted = 0
        self._whole = True
        self._lost = False
        self._first_ns = self._last_ns = 0

    def _column(self, seq: int, says: _Says, place: Place) -> Iterator[Finding]:
        group = self._groups.get(says)
        if group is not None:
            group.last_seq = seq
            group.rows += 1
            return
        found = self._reader.again(seq, says.column)
        if found is None or says._replace(number=found[0], name=found[1]).agrees:
            return  # retention was faster
        what, message = self._described(says)
        if len(self._groups) < MAX_GROUPS:
            self._groups[says] = _Group(what, message, seq, seq, place)
        else:
            yield at(seq, what, message, place)

    def _described(self, told: _Says) -> tuple[What, str]:
        """What kind of finding it is that a column says one thing and the document another."""
        index, number, name, text = told
        column = COLUMNS[index].name.lower()
        says = "nothing" if text is None else shown(text)
        if number is None:
            return What.COLUMN, f"the column '{column}' is empty, the document says {says}"
        if name is None:
            return What.NAME, f"name {number}, which the column '{column}' has, is gone; it was {says}"
        dimension, other = name
        known = text is not None and self._reader.number_of((index + 1, text)) is not None
        if text is not None and not known and dimension == index + 1:
            return What.NAME, f"name {number} was altered: it is {shown(other)} now, in the documents {says}"
        return What.COLUMN, f"the column '{column}' says {shown(other)}, the document {says}"

    def _block(self, block: Block, piece: Piece) -> Iterator[Finding]:
        if self._lost:
            return
        self.blocks += 1
        if block.first_seq != self._first:
            message = f"the block begins before row {self._first:,}, where it should begin"
            yield _about(block, What.BLOCK, message)
            return
        if not self._whole:
            return
        if self._counted > MAX_BLOCK_ROWS:
            yield _about(block, What.BLOCK, "the block is larger than any that the engine makes")
            return
        if (block.first_ns, block.last_ns) != (self._first_ns, self._last_ns):
            yield _about(block, What.BLOCK, "the times of the block are not those of its rows")
        if piece.unfound_postings:
            message = f"the index by name lacks {piece.unfound_postings:,} postings of the block"
            yield _about(block, What.INDEX, message)
        differences = list(_differences(self._counts, piece.postings or []))
        if differences:
            more = len(differences) - _SHOWN_NAMES
            rest = f"; and {more:,} more" if more > 0 else ""
            yield _about(block, What.POSTINGS, "; ".join(differences[:_SHOWN_NAMES]) + rest)


def _differences(counts: Counter[Facet], postings: Sequence[tuple[int, Name, int]]) -> Iterator[str]:
    """What the postings of a block say otherwise than its rows."""
    left = dict(counts)
    for number, name, count in postings:
        if name is None:
            yield f"name {number}, which {count:,} rows have by the postings, is gone"
            continue
        right = left.pop(name, 0)
        if right != count:
            yield f"{_named(name)} is in {right:,} rows, by the postings in {count:,}"
    for name, count in left.items():
        yield f"{_named(name)} is in {count:,} rows, by the postings in none"


def _named(name: Facet) -> str:
    dimension, text = name
    known = dimension in set(Dimension)
    word = Dimension(dimension).name.lower() if known else f"dimension {dimension}"
    return f"{word} {shown(text)}"


def _about(block: Block, what: What, message: str) -> Finding:
    return Finding(what=what, message=message, first_seq=block.first_seq, last_seq=block.last_seq)
