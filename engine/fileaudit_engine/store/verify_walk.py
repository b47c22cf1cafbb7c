"""Going through the rows of a store once, with everything that looks at them."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from fileaudit_engine.store.anchors import Anchor
from fileaudit_engine.store.documents import Damaged, Unpacker
from fileaudit_engine.store.facets import ENGINE_DATASET, Facet, facets_of, pid_of
from fileaudit_engine.store.verify_anchors import AnchorCheck
from fileaudit_engine.store.verify_chain import Chain, Link
from fileaudit_engine.store.verify_finding import Finding, Place, What, at
from fileaudit_engine.store.verify_index import IndexCheck
from fileaudit_engine.store.verify_reading import Piece, Reader, Row, Start
from fileaudit_engine.store.verify_start import StartCheck

Announced = Callable[[int], int | None] | None
"""Up to where anchors older than a row have announced that rows go (`anchors.announced`)."""


@dataclass(slots=True)
class Checked:
    """What was checked; grows while findings are taken.

    Attributes:
        identity: Of the store; None if it does not say.
        rows: Rows that were read.
        first_seq: The first of them; 0 if there was none.
        last_seq: The last.
        first_ns: The earliest time of any, nanoseconds since the Unix epoch.
        last_ns: The latest.
        removed_seq: Up to here retention has removed rows.
        links: Rows that fit their links.
        indexed: Rows whose columns were held against their documents.
        blocks: Blocks whose postings were held against their rows.
        anchors: What anchors say; None before the rows were looked at.
        complete: Whether all could be looked at.
        vouched_in: The row in which retention says what it removed; 0: there is none.
    """

    identity: bytes | None = None
    rows: int = 0
    first_seq: int = 0
    last_seq: int = 0
    first_ns: int = 0
    last_ns: int = 0
    removed_seq: int = 0
    links: int = 0
    indexed: int = 0
    blocks: int = 0
    anchors: AnchorCheck | None = None
    complete: bool = True
    vouched_in: int = 0

    def count(self, row: Row) -> None:
        """A row was read."""
        if not self.rows:
            self.first_seq, self.first_ns, self.last_ns = row.seq, row.ts_ns, row.ts_ns
        self.rows += 1
        self.last_seq = row.seq
        self.first_ns = min(self.first_ns, row.ts_ns)
        self.last_ns = max(self.last_ns, row.ts_ns)


class Walk:
    """Takes pieces in their order, and yields what is wrong with them.

    Attributes:
        position: The rows up to here were looked at.
        start: What is known of where the chain begins.
        cut_off: Whether anchors have told that the newest rows are gone.
    """

    def __init__(  # noqa: PLR0913 - one argument a part
        self,
        reader: Reader,
        connection: sqlite3.Connection,
        anchors: Iterable[Anchor],
        start: Start | None,
        checked: Checked,
        announced: Announced = None,
    ) -> None:
        """Begin where the store says that its chain begins."""
        self.position = start.removed_seq if start else 0
        self.start = StartCheck(start)
        self.cut_off = False
        self._link = start.removed_link if start else None
        self._reader = reader
        self._unpack = Unpacker(connection)
        self._chain = Chain(self.position, self._link)
        self._index = IndexCheck(reader, self.position)
        self._anchors = AnchorCheck(anchors, start.store if start else None)
        self._announced = announced
        self._checked = checked
        checked.identity = start.store if start else None
        checked.removed_seq, checked.anchors = self.position, self._anchors

    @property
    def shift(self) -> int:
        """How much greater the numbers were that the last rows were linked with."""
        return self._chain.shift

    def begin(self) -> Iterator[Finding]:
        """Before the first row."""
        yield from self.start.findings()
        yield from self._anchors.begin(self.position, self._link)

    def take(self, piece: Piece) -> Iterator[Finding]:
        """The next rows."""
        if piece.after > self.position and piece.start is not None:
            yield from self._skip(piece.after, piece.start.removed_link)
        yield from self._index.begin(piece)
        rows = {row.seq: row for row in piece.rows}
        for seq in sorted((*rows, *piece.unreadable)):
            yield from self._row(rows[seq], piece) if seq in rows else self._unreadable(seq, piece)
        yield from self._index.end(piece)
        if piece.damage:
            self._index.lose(piece.until)
            if not piece.unreadable:
                yield _about(piece)
        self.position = piece.until
        self._checked.links, self._checked.indexed = self._chain.agree, self._index.rows
        self._checked.blocks = self._index.blocks

    def end(self, start: Start | None) -> Iterator[Finding]:
        """There are no more rows, and the chain begins there now."""
        yield from self._chain.finish()
        yield from self._index.finish()
        self._checked.vouched_in = self.start.vouched_in
        yield from self.start.finish(start)
        if self._announced is not None and self.start.vouched_in:
            yield from self.start.held_against(self._announced(self.start.vouched_in))
        last = max(self._checked.last_seq, self._checked.removed_seq) + self._chain.shift
        for found in self._anchors.finish(last):
            self.cut_off = self.cut_off or found.what is What.CUT_OFF
            yield found
        self._checked.links = self._chain.agree

    def _skip(self, seq: int, link: bytes) -> Iterator[Finding]:
        """Retention has removed rows that were not looked at yet."""
        self._checked.removed_seq = seq
        yield from self._chain.restart(seq, link)
        yield from self._anchors.begin(seq, link)
        self._index.restart(seq)

    def _unreadable(self, seq: int, piece: Piece) -> Iterator[Finding]:
        self._index.incomplete()
        self._chain.unreadable(seq, None)
        yield at(seq, What.DAMAGED, f"it cannot be read: {piece.damage}")

    def _row(self, row: Row, piece: Piece) -> Iterator[Finding]:
        self._checked.count(row)
        try:
            raw = self._unpack(row.frame)
        except Damaged as error:
            self._index.incomplete()
            self._chain.unreadable(row.seq, row.link)
            yield at(row.seq, What.DAMAGED, f"its document cannot be had: {error}", Place(ts_ns=row.ts_ns))
            yield from self._anchors.take(row.seq, row.link)
            return
        document, facets, pid = _said(raw)
        link = Link(row.seq, row.ts_ns, row.record_id, raw, row.link, document)
        yield from self._chain.take(link)
        yield from self._anchors.take(row.seq + self._chain.shift, row.link)
        if self._chain.shift:
            self._index.incomplete()
        if document is None or facets is None:
            self._index.incomplete()
            yield at(row.seq, What.EDITED, "its document is none that the engine writes", link.place)
            return
        yield from self._index.take(row, facets, pid, piece.names, document)
        if document.get("event", {}).get("dataset") == ENGINE_DATASET:
            yield from self.start.engine_record(row.seq, document, link.place)


def _about(piece: Piece) -> Finding:
    message = f"what they are found by cannot be read: {piece.damage}"
    return Finding(what=What.DAMAGED, message=message, first_seq=piece.after + 1, last_seq=piece.until)


def _said(raw: bytes) -> tuple[dict[str, Any] | None, list[Facet] | None, int | None]:
    """What a document says: itself, what it is found by, and its process; None where it is no document."""
    try:
        document = msgspec.json.decode(raw)
        facets = facets_of(document)
        for _, text in facets:
            if type(text) is not str:
                return None, None, None
        return document, facets, pid_of(document)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None, None, None
