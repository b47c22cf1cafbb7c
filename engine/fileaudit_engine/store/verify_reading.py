"""Reading a store that may have been altered, piece by piece, while an engine writes to it.

A piece is some hundred rows that follow on each other, with all that stands in other tables about them, read
in one short transaction. Nothing is believed: not that a value has its type, and not that a page can be read.
Rows that cannot be read are told apart from those that are not there.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from fileaudit_engine.store.chain import LINK_BYTES, STORE_ID_BYTES
from fileaudit_engine.store.facets import COLUMNS

PIECE_ROWS: Final = 1_024
PIECE_BYTES: Final = 8 << 20
"""Of packed documents: a piece has at least one row, however large."""

MAX_FRUITLESS: Final = 100
"""Pieces without a row that can be read, after which the rest is given up: there may be no end to them."""

MAX_CHARACTERS: Final = 8 << 20
"""Of names that are remembered, 32 MB at the worst; then all are forgotten."""
_NAME_CHARACTERS: Final = 100
"""What a name is reckoned beside its text."""
_LONG: Final = 256
"""Characters of a text from which it is counted by its digest."""

_COLUMN_NAMES: Final = ", ".join(dimension.name.lower() for dimension in COLUMNS)
_ROWS: Final = (
    f"SELECT seq, ts_ns, id, {_COLUMN_NAMES}, pid, document, link FROM records NOT INDEXED"  # noqa: S608 - constants
    " WHERE seq > ? AND seq <= ? ORDER BY seq"
)
_CHAIN: Final = "SELECT store, removed_seq, removed_link FROM chain"
_BLOCK: Final = (
    "SELECT first_seq, last_seq, first_ns, last_ns FROM blocks WHERE last_seq > ? ORDER BY first_seq LIMIT 1"
)
_POSTINGS: Final = (
    "SELECT p.name, n.dimension, n.text, p.count FROM postings AS p LEFT JOIN names AS n ON n.id = p.name"
    " WHERE p.block = ?"
)
_UNFOUND_POSTINGS: Final = (
    "SELECT count(*) FROM postings AS p WHERE p.block = ? AND NOT EXISTS (SELECT 1 FROM postings AS q"
    " INDEXED BY postings_by_name WHERE q.name = p.name AND q.block = p.block AND q.count = p.count)"
)
_UNFOUND_ROWS: Final = (
    "SELECT r.seq FROM records AS r NOT INDEXED WHERE r.seq BETWEEN ? AND ? AND NOT EXISTS (SELECT 1 FROM"
    " records AS x INDEXED BY records_by_time WHERE x.ts_ns = r.ts_ns AND x.id = r.id AND x.seq = r.seq)"
)
_NAME: Final = "SELECT dimension, text FROM names WHERE id = ?"
_NUMBER: Final = "SELECT id FROM names WHERE dimension = ? AND text = ?"

Name = tuple[int, str] | None
"""A dimension and a text; None: there is no name of that number."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where the chain begins, as the store says."""

    store: bytes
    removed_seq: int
    removed_link: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it stands there."""

    seq: int
    ts_ns: int
    record_id: bytes
    columns: tuple[int | None, ...]
    pid: int | None
    frame: bytes
    link: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """A row of `blocks`."""

    first_seq: int
    last_seq: int
    first_ns: int
    last_ns: int


@dataclass(slots=True)
class Piece:
    """Rows that follow on each other, and what stands about them.

    Attributes:
        start: Where the chain began when they were read.
        after: They come behind this number.
        until: Nothing else stands up to here.
        rows: Those that can be read.
        unreadable: Numbers of those that are there and cannot be read.
        names: The names that their columns have.
        unfound: Numbers of those that the index by time does not have.
        block: The closed block that they end in, or lie in.
        postings: Of the block, if they are its last ones: number, name, count.
        unfound_postings: How many of those the index by name does not have.
        damage: What SQLite said, if not everything about them can be read.
    """

    start: Start | None
    after: int
    until: int
    rows: list[Row] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)
    names: dict[int, Name] = field(default_factory=dict)
    unfound: list[int] = field(default_factory=list)
    block: Block | None = None
    postings: list[tuple[int, Name, int]] | None = None
    unfound_postings: int = 0
    damage: str = ""


class Reader:
    """Reads pieces of a store.

    Attributes:
        damage: What SQLite said of pages that cannot be read, the last time.
    """

    def __init__(self, connection: sqlite3.Connection, *, indexes: bool = True) -> None:
        self._connection = connection
        self._names: dict[int, Name] = {}
        self._characters = 0
        """Of the names that are remembered."""
        self._fruitless = 0
        """Damaged pieces in a row of which nothing could be read."""
        self._indexes = indexes
        """Whether the indexes that are to be asked are there."""
        self.damage = ""

    def head(self) -> tuple[Start | None, int]:
        """Where the chain begins, and the number of the last row; 0 if there is none.

        Raises:
            sqlite3.DatabaseError: The file is damaged there.
        """
        with self._transaction():
            return self._start(), self._last()

    def piece(self, after: int, until: int) -> Piece:
        """The next rows behind a number, up to another one.

        Raises:
            sqlite3.OperationalError: The system refuses.
        """
        try:
            with self._transaction():
                return self._whole(after, until)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            self.damage = str(error)
        return self._damaged(after, min(until, after + PIECE_ROWS))

    def number_of(self, name: tuple[int, str]) -> int | None:
        """The number of a name; None if there is none."""
        row = self._connection.execute(_NUMBER, name).fetchone()
        return None if row is None else row[0]

    def again(self, seq: int, column: int) -> tuple[int | None, Name] | None:
        """What a column of a row says now; None if the row is not there any more."""
        self._names.clear()
        with self._transaction():
            start = self._start()
            found = list(self._read(seq - 1, seq))
            if not found or (start is not None and start.removed_seq >= seq):
                return None
            number = found[0].columns[column]
            return number, None if number is None else self._name(number)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _start(self) -> Start | None:
        rows = self._connection.execute(_CHAIN).fetchmany(2)
        if len(rows) != 1:
            return None
        store, seq, link = rows[0]
        whole = _is_bytes(store, STORE_ID_BYTES) and _is_bytes(link, LINK_BYTES) and isinstance(seq, int)
        return Start(store, seq, link) if whole and seq >= 0 else None

    def _last(self) -> int:
        row = self._connection.execute("SELECT max(seq) FROM records").fetchone()
        return row[0] or 0

    def _whole(self, after: int, until: int) -> Piece:
        start = self._start()
        if start is not None and start.removed_seq > after:
            after = start.removed_seq  # retention was here
        block = self._block(after)
        if block is not None and block.first_seq <= after + 1:
            until = min(until, block.last_seq)
        elif block is not None:
            until = min(until, block.first_seq - 1)
            block = None
        piece = Piece(start=start, after=after, until=until, block=block)
        size = 0
        for row in self._read(after, until):
            piece.rows.append(row)
            size += len(row.frame)
            if len(piece.rows) >= PIECE_ROWS or size >= PIECE_BYTES:
                piece.until = row.seq
                break
        self._add_what_stands_elsewhere(piece)
        return piece

    def _add_what_stands_elsewhere(self, piece: Piece) -> None:
        numbers = {number for row in piece.rows for number in row.columns if number is not None}
        if self._characters > MAX_CHARACTERS:
            self._names.clear()
            self._characters = 0
        piece.names = {number: self._name(number) for number in numbers}
        connection, block = self._connection, piece.block
        if piece.rows and self._indexes:
            found = connection.execute(_UNFOUND_ROWS, (piece.rows[0].seq, piece.rows[-1].seq))
            piece.unfound = [seq for (seq,) in found]
        if block is not None and piece.until == block.last_seq:
            rows = connection.execute(_POSTINGS, (block.first_seq,))
            piece.postings = [
                (n, None if d is None else (d, brief(text)), count) for n, d, text, count in rows
            ]
            if self._indexes:
                piece.unfound_postings = connection.execute(_UNFOUND_POSTINGS, (block.first_seq,)).fetchone()[
                    0
                ]

    def _read(self, after: int, until: int) -> Iterator[Row]:
        for values in self._connection.execute(_ROWS, (after, until)):
            row = _row(values)
            if row is None:
                raise sqlite3.DatabaseError(f"row {values[0]} holds values of other types")
            yield row

    def _block(self, after: int) -> Block | None:
        row = self._connection.execute(_BLOCK, (after,)).fetchone()
        return None if row is None else Block(*row)

    def _name(self, number: int) -> Name:
        if number not in self._names:
            name: Name = self._connection.execute(_NAME, (number,)).fetchone()
            self._names[number] = name
            self._characters += _NAME_CHARACTERS + (len(name[1]) if name else 0)
        return self._names[number]

    def _damaged(self, after: int, until: int) -> Piece:
        """What can be read of rows of which not all can, or not what stands about them: each by itself."""
        piece = Piece(start=None, after=after, until=until, damage=self.damage)
        self._names.clear()
        for seq in range(after + 1, until + 1):
            row = self._alone(seq)
            if row is not None:
                piece.rows.append(row)
                piece.names.update(
                    (number, self._names[number]) for number in row.columns if number is not None
                )
            elif self.damage:
                piece.unreadable.append(seq)
        self._fruitless = 0 if piece.rows else self._fruitless + 1
        if self._fruitless > MAX_FRUITLESS:
            raise sqlite3.DatabaseError(piece.damage)
        return piece

    def _alone(self, seq: int) -> Row | None:
        self.damage = ""
        try:
            with self._transaction():
                row = next(self._read(seq - 1, seq), None)
                for number in row.columns if row else ():
                    if number is not None:
                        self._name(number)
                return row
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            self.damage = str(error)
        return None


def brief(text: str) -> str:
    """What a text is counted by: of a long one its beginning and a digest, so that many fit into memory."""
    if len(text) <= _LONG:
        return text
    return text[:_LONG] + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


_NUMBER_OR_NOTHING: Final = frozenset({int, type(None)})


def _row(values: Sequence[Any]) -> Row | None:
    seq, ts_ns, record_id, *columns, pid, frame, link = values
    numbers = {*map(type, columns), type(pid)} <= _NUMBER_OR_NOTHING
    whole = isinstance(ts_ns, int) and isinstance(record_id, bytes) and isinstance(frame, bytes)
    if not (numbers and whole and isinstance(link, bytes) and len(record_id) <= 255):
        return None
    return Row(seq, ts_ns, record_id, tuple(columns), pid, frame, link)


def _is_bytes(value: object, size: int) -> bool:
    return isinstance(value, bytes) and len(value) == size
