"""Which blocks may have what is looked for, and which of their rows do.

A filter of a few names goes from these to the blocks that have them (`postings_by_name`). Where its names are
in so many places that this would be more work than the search itself, blocks are asked one by one instead, as
they come up. Rows of a block are looked through by their numbers alone; documents are not touched.

Every statement is a short transaction of its own: no reader keeps the log of the store from being written
back. A search speaks of the rows that were there when it began. What retention removes meanwhile is missing.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

from typing_extensions import Self

from fileaudit_engine.store.documents import Unpacker
from fileaudit_engine.store.facets import COLUMNS, Dimension
from fileaudit_engine.store.search_filters import Search, filters_of
from fileaudit_engine.store.search_names import NEVER, Wanted
from fileaudit_engine.store.search_order import Block, Hit, in_order
from fileaudit_engine.store.writer import key_of

MOST_POSTINGS: Final = 200_000
"""Postings that are read to find the blocks of one filter, some 50 ms."""
MOST_WAITING: Final = 100_000
"""Rows that wait for their turn, some 20 MB at the worst."""
_EARLIEST: Final = -(1 << 63)
_LATEST: Final = (1 << 63) - 1

_BLOCKS: Final = (
    "SELECT first_seq, last_seq, first_ns, last_ns FROM blocks"
    " WHERE last_seq > ? AND first_seq <= ? AND last_ns >= ? AND first_ns < ?"
)
_BLOCKS_OF_NAMES: Final = (
    "SELECT block, count(*) FROM (SELECT p.block AS block FROM {table} AS w CROSS JOIN postings AS p"
    " INDEXED BY postings_by_name ON p.name = w.name LIMIT ?) GROUP BY block"
)
_HAS: Final = "SELECT 1 FROM postings WHERE block = ? AND name IN {numbers} LIMIT 1"
_COUNTED: Final = "SELECT coalesce(sum(count), 0) FROM postings WHERE block = ? AND name IN {numbers}"
_BY_NUMBER: Final = "records NOT INDEXED WHERE seq BETWEEN ? AND ? AND ts_ns >= ? AND ts_ns < ?"
_BY_ID: Final = (
    "records INDEXED BY records_by_time"
    " WHERE +seq BETWEEN ? AND ? AND ts_ns >= ? AND ts_ns < ? AND id IN ({ids})"
)


class Scan:
    """A search at work; a context that lets go of what it has made.

    Attributes:
        head: The last row that it speaks of.
    """

    def __init__(self, connection: sqlite3.Connection, search: Search) -> None:
        """Look at what there is.

        Raises:
            ValueError: See `filters_of`.
        """
        filters = filters_of(search)
        self._connection = connection
        self._search = search
        self._since_ns = _EARLIEST if search.since_ns is None else search.since_ns
        self._until_ns = _LATEST if search.until_ns is None else search.until_ns
        self._ids = tuple(map(key_of, search.ids))
        self._named_until = 0
        self._after = search.after_seq
        self.head = 0
        unpack = Unpacker(connection)
        self._wanted = [Wanted(connection, one, unpack) for one in filters]

    def close(self) -> None:
        """Let go."""
        for wanted in self._wanted:
            wanted.close()

    def __enter__(self) -> Self:
        """The search itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go."""
        self.close()

    def begin(self, after_seq: int | None = None, most: int = _LATEST) -> None:
        """Look at what is there now; again to go on with what has come since.

        Args:
            after_seq: To speak only of rows after that one; None: as the search says.
            most: Of how many rows to speak.
        """
        connection = self._connection
        connection.execute("BEGIN")
        try:
            after = self._search.after_seq if after_seq is None else after_seq
            self._after = max(after, self._number("SELECT removed_seq FROM chain"))
            last = self._number("SELECT coalesce(max(seq), 0) FROM records")
            upto = last if self._search.upto_seq is None else self._search.upto_seq
            self.head = min(last, upto, self._after + most)
            self._look_up_names()
            self._blocks = self._in_range()
        finally:
            if connection.in_transaction:
                connection.execute("COMMIT")
        self._conditions = [wanted.condition() for wanted in self._wanted]

    def _look_up_names(self) -> None:
        newest = self._number("SELECT coalesce(max(id), 0) FROM names")
        if newest > self._named_until:
            for wanted in self._wanted:
                wanted.extend(self._named_until)
            self._named_until = newest

    def hits(self) -> Iterator[Hit]:
        """Time and number of the rows that are looked for, in the order that is asked for."""
        search, candidates = self._search, self._candidates()
        bound = MOST_WAITING if search.limit is None else search.skip + search.limit
        return in_order(
            candidates,
            self._hits_of,
            newest_first=search.newest_first,
            bound=max(1, min(bound, MOST_WAITING)),
        )

    def count(self) -> int:
        """How many rows there are."""
        candidates = self._candidates()
        self._told_by_postings = self._is_told_by_postings()
        return sum(map(self._count_of, candidates))

    # --- blocks ---------------------------------------------------------------------------------------------

    def _in_range(self) -> list[Block]:
        """The closed blocks that the range of time and numbers touches, and what is in none yet."""
        last = self._number("SELECT coalesce(max(last_seq), 0) FROM blocks")
        values = (self._after, self.head, self._since_ns, self._until_ns)
        blocks = [Block(*row) for row in self._connection.execute(_BLOCKS, values)]
        first = max(last, self._after) + 1
        return [*blocks, Block(first, self.head, _EARLIEST, _LATEST)] if first <= self.head else blocks

    def _candidates(self) -> list[Block]:
        """Those of them that few-named filters allow, and that need not be asked again for these."""
        if NEVER in self._conditions:
            return []
        blocks, self._asked = self._blocks, list[str]()
        for wanted in sorted(self._wanted, key=lambda wanted: wanted.count):
            if not wanted.narrows or all(map(_is_open, blocks)):
                continue
            found = self._blocks_of(wanted)
            if found is None:
                self._asked.append(_HAS.format(numbers=wanted.numbers))
            else:
                blocks = [block for block in blocks if _is_open(block) or block.first_seq in found]
        return blocks

    def _blocks_of(self, wanted: Wanted) -> set[int] | None:
        """The blocks that have one of the names; None if it is not worth finding them all."""
        if wanted.count > MOST_POSTINGS:
            return None
        rows = self._connection.execute(
            _BLOCKS_OF_NAMES.format(table=wanted.table), (MOST_POSTINGS,)
        ).fetchall()
        return None if sum(count for _, count in rows) == MOST_POSTINGS else {block for block, _ in rows}

    def _may_have(self, block: Block) -> bool:
        """Whether a closed block has a name for each of the filters that were not asked before."""
        execute = self._connection.execute
        return _is_open(block) or all(execute(has, (block.first_seq,)).fetchone() for has in self._asked)

    # --- rows -----------------------------------------------------------------------------------------------

    def _hits_of(self, block: Block) -> Sequence[Hit]:
        if not self._may_have(block):
            return ()
        source, values = self._rows(block)
        found: list[Hit] = self._connection.execute(f"SELECT ts_ns, seq FROM {source}", values).fetchall()  # noqa: S608 - conditions of ours
        return found

    def _count_of(self, block: Block) -> int:
        if not self._may_have(block):
            return 0
        if self._is_whole(block):
            if not self._wanted:
                return block.last_seq - block.first_seq + 1
            if self._told_by_postings:
                counted = _COUNTED.format(numbers=self._wanted[0].numbers)
                return int(self._connection.execute(counted, (block.first_seq,)).fetchone()[0])
        source, values = self._rows(block)
        return int(self._connection.execute(f"SELECT count(*) FROM {source}", values).fetchone()[0])  # noqa: S608 - conditions of ours

    def _rows(self, block: Block) -> tuple[str, tuple[int | bytes, ...]]:
        """Where the rows of a block are, and what they must be."""
        first, last = max(block.first_seq, self._after + 1), min(block.last_seq, self.head)
        conditions = "".join(f" AND {condition}" for condition in self._conditions)
        if not self._ids:
            return _BY_NUMBER + conditions, (first, last, self._since_ns, self._until_ns)
        ids = ", ".join("?" * len(self._ids))
        since_ns, until_ns = max(self._since_ns, block.first_ns), self._until_ns
        if block.last_ns < until_ns:
            until_ns = block.last_ns + 1
        return _BY_ID.format(ids=ids) + conditions, (first, last, since_ns, until_ns, *self._ids)

    def _is_whole(self, block: Block) -> bool:
        """Whether all rows of a closed block are in the range."""
        return (
            not (_is_open(block) or self._ids)
            and self._after < block.first_seq
            and block.last_seq <= self.head
            and self._since_ns <= block.first_ns
            and block.last_ns < self._until_ns
        )

    def _is_told_by_postings(self) -> bool:
        """Whether counts of postings add up: names of one dimension, in which a row has one."""
        if len(self._wanted) != 1 or not self._wanted[0].narrows:
            return False
        dimension = self._wanted[0].only_dimension()
        return dimension in COLUMNS or dimension is Dimension.PID

    def _number(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])


def _is_open(block: Block) -> bool:
    return block.first_ns == _EARLIEST and block.last_ns == _LATEST
