"""The one writer of a store: rows, their names, their chain and their blocks, a batch in one transaction.

What the writer knows of the store (its head, the numbers of names, the open block) is what is committed. It
is put right after a transaction that failed.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.store.blocks import OpenBlock, open_block_of
from fileaudit_engine.store.chain import link
from fileaudit_engine.store.documents import Packer
from fileaudit_engine.store.doers import Doer, Doers
from fileaudit_engine.store.facets import COLUMNS, Facet, deed_facets, facets_of, pid_of
from fileaudit_engine.store.names import Names
from fileaudit_engine.store.transactions import Transactions

_COLUMN_NAMES: Final = ", ".join(dimension.name.lower() for dimension in COLUMNS)
_INSERT: Final = (
    f"INSERT INTO records (seq, ts_ns, id, {_COLUMN_NAMES}, pid, document, link)"  # noqa: S608 - constants
    f" VALUES ({', '.join('?' * (len(COLUMNS) + 6))})"
)
_KNOWN: Final = "SELECT 1 FROM records WHERE ts_ns = ? AND id = ?"
_LAST: Final = "SELECT seq, link FROM records ORDER BY seq DESC LIMIT 1"
_BEFORE_FIRST: Final = "SELECT removed_seq, removed_link FROM chain"
_LAST_CLOSED: Final = "SELECT max(last_seq) FROM blocks"
_ID_BYTES: Final = 16

Also = Callable[[sqlite3.Connection], None]
"""What else is done in the transaction."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The last row of a chain.

    Attributes:
        seq: Its number; 0 where there has never been one.
        link: Its link.
    """

    seq: int
    link: bytes


class Prepared(msgspec.Struct, gc=False):
    """A record on its way to the disk."""

    ts_ns: int
    id: bytes
    raw: bytes
    facets: list[Facet]
    doer: Doer | None
    pid: int | None


class Writer:
    """Appends to a store; see `store.Store.append`."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._connection = transactions.connection
        self._packer = Packer()
        self._names = Names(self._connection)
        self._doers = Doers()
        self._open: OpenBlock | None = None
        """None: to be counted again."""
        self._repeats = False
        """Whether the last batch had records that were known: the next one probably has, too, and each is
        looked for. Otherwise the index says so, and the batch is tried again."""
        self.head = head_of(self._connection)
        self.written_bytes = 0
        """Of documents, as they were kept, by the last batch."""

    def append(self, records: Sequence[Record], also: Also | None = None) -> int:
        """Commit records; returns how many were not known before."""
        rows = self._new(map(self._prepared, records))
        forced = any(record.kind is Kind.ALERT for record in records)
        try:
            new = self._commit(rows, also, forced=forced)
        except MachineCannot as error:
            if self._repeats or not _says_unique(error):
                raise
            self._repeats = True
            new = self._commit(rows, also, forced=forced)
        self._repeats = new < len(records)
        return new

    def add(self, records: Iterable[Record]) -> None:
        """Write records that are not known, in a transaction of the caller's, which must stand."""
        self.head = self._write(self._new(map(self._prepared, records)))
        self._names.committed()

    def close(self) -> None:
        """Nothing more comes."""
        self._packer.close()

    def is_open(self, name: int) -> bool:
        """Whether the open block has a name, by its number; without a posting it is in use all the same."""
        return self._open is None or name in self._open.counts

    def forget_names(self) -> None:
        """Names may be gone from the store."""
        self._names.forget()

    def close_block_if_old(self, now_ns: int) -> None:
        """Close the open block if a day has gone by since its first row."""
        if self._open is not None and not self._open.is_full(now_ns):
            return

        def close(_connection: sqlite3.Connection) -> None:
            if self._opened().is_full(now_ns):
                self._close()

        self._commit((), close, forced=False)

    def _prepared(self, record: Record) -> Prepared:
        document = record.document
        raw = encode(document)
        doer = self._doers.of(record)
        facets = facets_of(document) if doer is None else deed_facets(document)
        return Prepared(record.ts_ns, key_of(record.id), raw, facets, doer, pid_of(document))

    def _new(self, rows: Iterable[Prepared]) -> list[Prepared]:
        """Each record once."""
        return list({(row.ts_ns, row.id): row for row in rows}.values())

    def _without_known(self, rows: Sequence[Prepared]) -> list[Prepared]:
        ask = self._connection.execute
        return [row for row in rows if ask(_KNOWN, (row.ts_ns, row.id)).fetchone() is None]

    def _commit(self, rows: Sequence[Prepared], also: Also | None, *, forced: bool) -> int:
        """One transaction; returns how many rows it wrote."""
        if not rows and also is None:
            return 0
        try:
            with self._transactions.begun(forced=forced):
                fresh = self._without_known(rows) if self._repeats else rows
                head = self._write(fresh)
                if also is not None:
                    also(self._connection)
        except BaseException:
            self._open = None
            self._names.forget()
            raise
        self._names.committed()
        self.head = head
        return len(fresh)

    def _write(self, rows: Sequence[Prepared]) -> Head:
        packing = self._packer.begin([row.raw for row in rows])
        self._names.begin()
        if rows and self._opened().is_full(rows[0].ts_ns):  # nothing came for a while
            self._close()
        block = self._opened()
        seq, previous = self.head.seq, self.head.link
        names: list[int] = []
        links, columns = [], []
        for row in rows:
            seq += 1
            previous = link(previous, seq, row.ts_ns, row.id, row.raw)
            links.append(previous)
            columns.append(self._names.columns(row.facets, row.doer, names))
        frames = list(packing())
        numbers = range(self.head.seq + 1, seq + 1)
        self._connection.executemany(
            _INSERT,
            (
                (number, row.ts_ns, row.id, *of_names, row.pid, frame, its_link)
                for number, row, of_names, frame, its_link in zip(
                    numbers, rows, columns, frames, links, strict=True
                )
            ),
        )
        self.written_bytes = sum(map(len, frames))
        self._names.write()
        if rows:
            block.take(self.head.seq + 1, [row.ts_ns for row in rows], names, len(rows))
            if block.is_full(rows[-1].ts_ns):
                self._close()
        return Head(seq=seq, link=previous)

    def _opened(self) -> OpenBlock:
        """The open block; in a transaction."""
        if self._open is None:
            connection = self._connection
            closed = connection.execute(_LAST_CLOSED).fetchone()[0]
            removed = connection.execute(_BEFORE_FIRST).fetchone()[0]
            self._open = open_block_of(connection, self._names, max(closed or 0, removed))
        return self._open

    def _close(self) -> None:
        if self._open is not None:
            self._open.write(self._connection)
        self._open = OpenBlock()


def head_of(connection: sqlite3.Connection) -> Head:
    """The last row of the chain; after retention has removed all, the last that it removed."""
    row = connection.execute(_LAST).fetchone() or connection.execute(_BEFORE_FIRST).fetchone() or (0, b"")
    return Head(seq=row[0], link=row[1])


def key_of(text: str) -> bytes:
    """An id as it is kept: 32 hexadecimal digits as the number that they are, anything else as UTF-8."""
    if len(text) == 2 * _ID_BYTES:
        try:
            raw = bytes.fromhex(text)
        except ValueError:
            return text.encode()
        if len(raw) == _ID_BYTES:  # there may be spaces between digits
            return raw
    return text.encode()


def _says_unique(error: MachineCannot) -> bool:
    return isinstance(error.__cause__, sqlite3.IntegrityError) and "UNIQUE" in str(error.__cause__)
