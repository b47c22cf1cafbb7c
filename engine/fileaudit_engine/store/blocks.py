"""Blocks: the index of a store, of some thousand rows at a time.

A block is what came one after the other until there were `ROWS` of it, or a day had gone by. Then it is
closed: `postings` says which names its rows have, and how often. What is not closed yet is *open*: its
counts are kept in memory, and after a restart counted again.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import Final

from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.store.documents import Damaged, Unpacker
from fileaudit_engine.store.facets import facets_in
from fileaudit_engine.store.names import Names

ROWS: Final = 4_096
"""Rows from which a block is closed. A search looks through a block in about a millisecond; closing one
writes a posting for each of its names, a few hundred as a rule."""

LONGEST_NS: Final = 86_400 * SECOND_NS
"""A block is removed as a whole when it is old enough: it holds no more than a day."""

_BLOCK: Final = "INSERT INTO blocks (first_seq, last_seq, first_ns, last_ns) VALUES (?, ?, ?, ?)"
_OPEN_ROWS: Final = "SELECT seq, ts_ns, document FROM records WHERE seq > ? ORDER BY seq"
_POSTING: Final = "INSERT INTO postings (block, name, count) VALUES (?, ?, ?)"


class OpenBlock:
    """The rows that are in no block yet.

    Attributes:
        rows: How many they are.
        counts: How many of them have a name, by its number.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.counts: Counter[int] = Counter()
        self._first_seq = 0
        self._first_ns = 0
        self._last_ns = 0

    def take(self, first_seq: int, times_ns: Iterable[int], names: Iterable[int], rows: int) -> None:
        """Rows have come.

        Args:
            first_seq: Number of the first of them.
            times_ns: Their times, at least one.
            names: The numbers of all their names.
            rows: How many they are.
        """
        first_ns, last_ns = min(times_ns), max(times_ns)
        if not self.rows:
            self._first_seq, self._first_ns, self._last_ns = first_seq, first_ns, last_ns
        self._first_ns, self._last_ns = min(self._first_ns, first_ns), max(self._last_ns, last_ns)
        self.rows += rows
        self.counts.update(names)

    def is_full(self, now_ns: int) -> bool:
        """Whether it is to be closed.

        Args:
            now_ns: The time of the newest row, or of the clock.
        """
        return self.rows >= ROWS or (self.rows > 0 and now_ns - self._first_ns >= LONGEST_NS)

    def write(self, connection: sqlite3.Connection) -> None:
        """Write it as a block, in the transaction at hand; once that stands it is to be begun anew."""
        first, last = self._first_seq, self._first_seq + self.rows - 1
        connection.execute(_BLOCK, (first, last, self._first_ns, self._last_ns))
        postings = [(first, name, count) for name, count in sorted(self.counts.items())]
        connection.executemany(_POSTING, postings)


def open_block_of(connection: sqlite3.Connection, names: Names, after_seq: int) -> OpenBlock:
    """The open block of a store that is opened.

    Args:
        connection: To it, in a transaction.
        names: Its names.
        after_seq: Of the last row that is in a block, or was removed.
    """
    block, unpack = OpenBlock(), Unpacker(connection)
    for seq, ts_ns, frame in connection.execute(_OPEN_ROWS, (after_seq,)):
        try:
            facets = facets_in(unpack(frame))
        except Damaged:  # `verify` tells; what comes next is kept all the same
            facets = None
        block.take(seq, (ts_ns,), names.numbers(facets or ()), 1)
    return block
