"""How often everything was in a range of time: what reports count.

Closed blocks have been counted when they were closed: their postings are added up. Only the blocks that
reach over an edge of the range, and the rows that are in no block yet, are looked at one by one. All sums are
made by SQLite in temporary tables on the disk, so that millions of names take no memory here.

Every statement is a short transaction of its own, so that the store's log can be written back meanwhile; what
is counted are the rows that were there at the beginning. What retention removes meanwhile may be missing.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from typing_extensions import Self

from fileaudit_engine.store.documents import Damaged, Unpacker
from fileaudit_engine.store.facets import Dimension, facets_in
from fileaudit_engine.store.opening import refusal
from fileaudit_engine.store.store import Store

_PORTION: Final = 512
"""Blocks whose postings are added up at once, some seconds: no longer is the log kept from being cut back."""

_BLOCKS: Final = (
    "SELECT first_seq, last_seq, first_ns, last_ns FROM blocks"
    " WHERE first_seq > (SELECT removed_seq FROM chain) AND last_ns >= ? AND first_ns < ? ORDER BY first_seq"
)
_TABLES: Final = (
    "CREATE TEMP TABLE sums (name INTEGER PRIMARY KEY, count INTEGER NOT NULL)",
    "CREATE TEMP TABLE edges (dimension, text, count INTEGER, PRIMARY KEY (dimension, text)) WITHOUT ROWID",
    "CREATE TEMP TABLE totals (dimension INTEGER, count INTEGER, name INTEGER, text TEXT)",
    "CREATE TEMP TABLE files (path TEXT, count INTEGER)",
)
_ADD_BLOCKS: Final = (
    # `+name`: an index that has names in order would have SQLite read the postings of all times.
    "INSERT INTO sums SELECT name, sum(count) FROM postings WHERE block BETWEEN ? AND ? GROUP BY +name"
    " ON CONFLICT (name) DO UPDATE SET count = count + excluded.count"
)
_ADD_EDGE: Final = (
    "INSERT INTO edges VALUES (?, ?, ?)"
    " ON CONFLICT (dimension, text) DO UPDATE SET count = count + excluded.count"
)
_ADD_KNOWN_EDGES: Final = (
    "INSERT INTO sums SELECT n.id, e.count FROM edges AS e"
    " JOIN names AS n ON n.dimension = e.dimension AND n.text = e.text WHERE true"
    " ON CONFLICT (name) DO UPDATE SET count = count + excluded.count"
)
_TOTAL_OF_KNOWN: Final = (
    "INSERT INTO totals SELECT n.dimension, s.count, s.name, NULL FROM sums AS s"
    " CROSS JOIN names AS n ON n.id = s.name"
)
_TOTAL_OF_OTHERS: Final = (
    "INSERT INTO totals SELECT e.dimension, e.count, NULL, e.text FROM edges AS e"
    " WHERE NOT EXISTS (SELECT 1 FROM names AS n WHERE n.dimension = e.dimension AND n.text = e.text)"
)
_IN_ORDER: Final = "CREATE INDEX temp.totals_in_order ON totals (dimension, count DESC, name)"
_BY_TEXT: Final = "CREATE INDEX temp.totals_by_text ON totals (text, dimension) WHERE text IS NOT NULL"
_TOP: Final = (
    "SELECT coalesce(t.text, n.text), t.count FROM"
    " (SELECT * FROM totals WHERE dimension = ? ORDER BY count DESC, name LIMIT ?) AS t"
    " LEFT JOIN names AS n ON n.id = t.name"
)
_ALL: Final = (
    "SELECT coalesce(t.text, n.text), t.count FROM totals AS t LEFT JOIN names AS n ON n.id = t.name"
    " WHERE t.dimension = ?"
)
_SUMS: Final = "SELECT coalesce(sum(count), 0), count(*) FROM totals WHERE dimension = ?"
_OF_FILES: Final = (
    "INSERT INTO files SELECT substr(text, instr(text, ' ') + 1) AS path, sum(count) FROM"
    " (SELECT coalesce(t.text, n.text) AS text, t.count AS count FROM totals AS t"
    " LEFT JOIN names AS n ON n.id = t.name WHERE t.dimension = ?) GROUP BY path"
)
_TOP_FILES: Final = "SELECT path, count FROM files ORDER BY count DESC, path LIMIT ?"
_ONE: Final = (
    "SELECT sum(count) FROM ("
    "SELECT s.count AS count FROM sums AS s JOIN names AS n ON n.id = s.name"
    " WHERE n.dimension = ?1 AND n.text = ?2 UNION ALL"
    " SELECT count FROM totals WHERE dimension = ?1 AND text = ?2)"
)
_ROWS: Final = (
    "SELECT ts_ns, document FROM records NOT INDEXED WHERE seq BETWEEN ? AND ? AND ts_ns >= ? AND ts_ns < ?"
)
_WITH_NAME: Final = (
    "SELECT block FROM postings WHERE name = (SELECT id FROM names WHERE dimension = ? AND text = ?)"
)
_OF_LOGIN: Final = " AND login_user = (SELECT id FROM names WHERE dimension = ? AND text = ?)"


class Block(NamedTuple):
    """A block, by its rows and their times."""

    first_seq: int
    last_seq: int
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class Sums:
    """How many records have a name in a dimension, and how many names there are."""

    records: int
    distinct: int


@dataclass(slots=True)
class _Span:
    """The earliest and the latest of some times, nanoseconds since the Unix epoch."""

    first_ns: int
    last_ns: int

    def take(self, ts_ns: int) -> None:
        self.first_ns, self.last_ns = min(self.first_ns, ts_ns), max(self.last_ns, ts_ns)


def totals(
    store: Store, since_ns: int, until_ns: int, dimensions: Sequence[Dimension]
) -> Mapping[Dimension, Counter[str]]:
    """All names of some dimensions with the number of their records; for dimensions of few names.

    Raises:
        UnusableInput: The file is damaged.
        MachineCannot: The system refuses.
    """
    with Totals(store, since_ns, until_ns) as counted:
        return {dimension: counted.all(dimension) for dimension in dimensions}


class Totals:
    """The counts of a range of time; a context that lets go of what it has made.

    Only one of them may be open on a store at a time.
    """

    def __init__(self, store: Store, since_ns: int, until_ns: int) -> None:
        """Count the records from `since_ns` on and before `until_ns`, nanoseconds since the Unix epoch.

        Raises:
            UnusableInput: The file is damaged.
            MachineCannot: The system refuses.
        """
        self._store = store
        self._connection = store.connection
        self._range = since_ns, until_ns
        self._unpack = Unpacker(store.connection)
        self._sessions: dict[str, _Span] = {}
        self._whole: list[Block] = []
        try:
            self._count()
        except (sqlite3.Error, OverflowError) as error:
            self.close()
            raise refusal(error, store.path) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of what was made."""
        for name in ("sums", "edges", "totals", "files"):
            self._connection.execute(f"DROP TABLE IF EXISTS temp.{name}")
        self._connection.execute("PRAGMA temp_store = MEMORY")

    def __enter__(self) -> Self:
        """The counts themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go."""
        self.close()

    def all(self, dimension: Dimension) -> Counter[str]:
        """Every name with the number of its records; for dimensions of few names."""
        return Counter(dict(self._store.rows(_ALL, dimension.value)))

    def top(self, dimension: Dimension, most: int) -> list[tuple[str, int]]:
        """The names with the most records, at most so many; of equal ones, those that came first."""
        found = self._store.rows(_TOP, dimension.value, most)
        return sorted(found, key=lambda row: (-row[1], row[0]))

    def sums(self, dimension: Dimension) -> Sums:
        """How many records and names a dimension has."""
        return Sums(*next(self._store.rows(_SUMS, dimension.value)))

    def of(self, dimension: Dimension, name: str) -> int:
        """The number of records that have the name."""
        return next(self._store.rows(_ONE, dimension.value, name))[0] or 0

    def changed_files(self, most: int) -> tuple[list[tuple[str, int]], int]:
        """The files with the most changes, and how many files were changed at all."""
        list(self._store.rows("DELETE FROM files"))
        list(self._store.rows(_OF_FILES, Dimension.CHANGED.value))
        distinct: int = next(self._store.rows("SELECT count(*) FROM files"))[0]
        return list(self._store.rows(_TOP_FILES, most)), distinct

    def session_span(self, name: str) -> tuple[int, int] | None:
        """When a session was first and last seen within the range; None if it was not.

        Args:
            name: As of the dimension SESSION.
        """
        try:
            span = self._span_in_blocks(name)
        except (sqlite3.Error, OverflowError) as error:
            raise refusal(error, self._store.path) from error
        known = self._sessions.get(name)
        if span is None or known is None:
            span = span or known
        else:
            span.take(known.first_ns)
            span.take(known.last_ns)
        return None if span is None else (span.first_ns, span.last_ns)

    # --- counting -------------------------------------------------------------------------------------------

    def _count(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA temp_store = FILE")
        for table in _TABLES:
            execute(table)
        whole, edges = self._blocks()
        self._whole = whole
        for first, last in _runs(whole):
            execute(_ADD_BLOCKS, (first.first_seq, last.first_seq))
        for block in edges:
            self._count_edge(block)
        for statement in (_ADD_KNOWN_EDGES, _TOTAL_OF_KNOWN, _TOTAL_OF_OTHERS, _IN_ORDER, _BY_TEXT):
            execute(statement)

    def _blocks(self) -> tuple[list[Block], list[Block]]:
        """The blocks that lie in the range, and what reaches over an edge or is in no block yet."""
        since_ns, until_ns = self._range
        execute = self._connection.execute
        execute("BEGIN")
        try:
            blocks = [Block(*row) for row in execute(_BLOCKS, (since_ns, until_ns))]
            last = execute(
                "SELECT max((SELECT removed_seq FROM chain), coalesce((SELECT max(last_seq) FROM blocks), 0))"
            ).fetchone()[0]
            head = execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()[0]
        finally:
            execute("COMMIT")
        whole = [block for block in blocks if since_ns <= block.first_ns and block.last_ns < until_ns]
        inside = {block.first_seq for block in whole}
        edges = [block for block in blocks if block.first_seq not in inside]
        return whole, [*edges, Block(last + 1, head, since_ns, until_ns)]

    def _count_edge(self, block: Block) -> None:
        counted: Counter[tuple[int, str]] = Counter()
        for ts_ns, frame in self._connection.execute(_ROWS, (block.first_seq, block.last_seq, *self._range)):
            facets = self._facets(frame)
            counted.update(facets)
            for dimension, text in facets:
                if dimension == Dimension.SESSION:
                    self._sessions.setdefault(text, _Span(ts_ns, ts_ns)).take(ts_ns)
        rows = [(dimension, text, count) for (dimension, text), count in counted.items()]
        self._connection.executemany(_ADD_EDGE, rows)

    def _facets(self, frame: bytes) -> Sequence[tuple[int, str]]:
        """What a row is counted by; nothing if it is damaged, which `verify` tells."""
        try:
            return facets_in(self._unpack(frame)) or ()
        except Damaged:
            return ()

    # --- sessions -------------------------------------------------------------------------------------------

    def _span_in_blocks(self, name: str) -> _Span | None:
        """When a session was first and last seen in the blocks that lie in the range."""
        rows = self._connection.execute(_WITH_NAME, (Dimension.SESSION.value, name))
        having = {block for (block,) in rows}
        blocks = [block for block in self._whole if block.first_seq in having]
        span: _Span | None = None
        for block in sorted(blocks, key=lambda block: block.first_ns):
            if span is not None and block.first_ns >= span.first_ns:
                break
            ts_ns = next(self._times(block, name, "ts_ns"), None)
            if ts_ns is not None:
                span = span or _Span(ts_ns, ts_ns)
                span.take(ts_ns)
        for block in sorted(blocks, key=lambda block: -block.last_ns):
            if span is None or block.last_ns <= span.last_ns:
                break
            span.take(next(self._times(block, name, "ts_ns DESC"), span.last_ns))
        return span

    def _times(self, block: Block, name: str, order: str) -> Iterator[int]:
        """The times of the session's rows in a block."""
        session, _, login = name.partition(" ")
        query = _ROWS
        values: tuple[object, ...] = (block.first_seq, block.last_seq, *self._range)
        if login != "?":
            query, values = query + _OF_LOGIN, (*values, Dimension.LOGIN_USER.value, login)
        signs = tuple(f'"session_id":{sign}{session}'.encode() for sign in ('"', ""))
        for ts_ns, frame in self._connection.execute(f"{query} ORDER BY {order}", values):
            try:
                raw = self._unpack(frame)
            except Damaged:
                continue
            if any(sign in raw for sign in signs) and (Dimension.SESSION, name) in (facets_in(raw) or ()):
                yield ts_ns


def _runs(blocks: Sequence[Block]) -> Iterator[tuple[Block, Block]]:
    """The first and the last of blocks that follow one another, as many as are added up at once."""
    start = 0
    for index in range(1, len(blocks) + 1):
        ends = index == len(blocks) or blocks[index].first_seq != blocks[index - 1].last_seq + 1
        if ends or index - start == _PORTION:
            yield blocks[start], blocks[index - 1]
            start = index
