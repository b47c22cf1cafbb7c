"""The numbers of the names that meet a filter.

They are looked up once and stand in a table of the connection's own, so that a hundred thousand of them are
as good as one. Numbers of names are never given twice: what comes later has greater ones, and is all that has
to be looked at when a search goes on with rows that came since.
"""

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from fileaudit_engine.store.documents import Unpacker
from fileaudit_engine.store.facets import COLUMNS, Dimension
from fileaudit_engine.store.search_filters import TEXTS, Filter
from fileaudit_engine.store.search_patterns import NamePattern
from fileaudit_engine.text import fold

MOST_IN_TEXT: Final = 64
"""Numbers that are written into a statement; more are read from the table."""

NEVER: Final = "0"
"""The condition of a filter that nothing meets."""

_serial: Final = itertools.count(1)
_Values = tuple[str | int | bytes, ...]
_TAKE: Final = "INSERT OR IGNORE INTO {table} SELECT id FROM names WHERE {where}"
_HOLDS: Final = (
    "CASE WHEN length(text) = length(CAST(text AS BLOB)) THEN instr(lower(text), ?) > 0 ELSE {} END"
)
"""Of a text without other letters than ASCII's, SQLite knows the lower case; it counts characters and
bytes."""


class Wanted:
    """The names that meet a filter, and what a row must have to be met.

    Attributes:
        narrows: Whether postings can tell that a block has nothing that meets the filter.
        count: How many names there are.
        numbers: Their numbers, as SQL takes them behind `IN`.
    """

    def __init__(self, connection: sqlite3.Connection, wanted: Filter, unpack: Unpacker) -> None:
        """Make the table; `extend` fills it."""
        self._connection = connection
        self._filter = wanted
        self._unpack = unpack
        self._name = f"wanted_{next(_serial)}"
        self._everything = {d for d, pattern in wanted.patterns if pattern.is_everything}
        self._container_ids: set[str] = set()
        self.narrows = not self._everything
        self.count = 0
        self.numbers = "()"
        connection.execute(f"CREATE TEMP TABLE {self._name} (name INTEGER PRIMARY KEY)")
        connection.create_function(f"folded_{self._name}", 1, self._holds_words)
        connection.create_function(f"inside_{self._name}", 1, self._is_inside)

    def close(self) -> None:
        """Let go of the table."""
        self._connection.execute(f"DROP TABLE IF EXISTS {self.table}")
        self._connection.create_function(f"folded_{self._name}", 1, None)
        self._connection.create_function(f"inside_{self._name}", 1, None)

    @property
    def table(self) -> str:
        """The table of the numbers; its column is `name`."""
        return f"temp.{self._name}"

    def only_dimension(self) -> Dimension | None:
        """The dimension that all the names are of, if it is one."""
        query = f"SELECT DISTINCT dimension FROM {self.table} JOIN names ON id = name"  # noqa: S608 - a name of ours
        found = self._connection.execute(query).fetchall()
        return Dimension(found[0][0]) if len(found) == 1 else None

    def extend(self, after: int) -> None:
        """Look up the names whose numbers are greater than `after`; in a transaction of the caller."""
        for dimension, pattern in self._filter.patterns:
            if not pattern.is_everything:
                self._look_up(dimension, pattern, after)
        for word in self._filter.words:
            holds = _HOLDS.format(f"folded_{self._name}(text)")
            within = ", ".join(str(int(dimension)) for dimension in TEXTS)
            self._take(f"{_after(after)} AND dimension IN ({within}) AND {holds}", (word,))
        self.count = self._number(f"SELECT count(*) FROM {self.table}")  # noqa: S608 - a name of ours
        self.numbers = self._in_text()

    def condition(self) -> str:
        """What holds of a row that is met, as SQL; `NEVER` if none is."""
        met = [
            condition for dimension in sorted(self._filter.dimensions) if (condition := self._of(dimension))
        ]
        return f"({' OR '.join(met)})" if met else NEVER

    def _in_text(self) -> str:
        if self.count > MOST_IN_TEXT:
            return self.table
        rows = self._connection.execute(f"SELECT name FROM {self.table}")  # noqa: S608 - a name of ours
        return f"({', '.join(str(name) for (name,) in rows)})"

    def _of(self, dimension: Dimension) -> str:
        column = dimension.name.lower()
        if dimension in self._everything:
            return f"{column} IS NOT NULL"
        if not self.count:
            return ""
        if dimension is Dimension.PID:
            pids = [str(int(p.exact)) for d, p in self._filter.patterns if d is dimension and p.exact]
            return f"pid IN ({', '.join(pids)})"
        if dimension is Dimension.CONTAINER_ID:
            return f"(container IS NOT NULL AND inside_{self._name}(document))" if self._container_ids else ""
        return f"{column} IN {self.numbers}" if dimension in COLUMNS else ""

    def _look_up(self, dimension: Dimension, pattern: NamePattern, after: int) -> None:
        where, values = _where(dimension, pattern, after)
        if pattern.fits is None and dimension is not Dimension.CONTAINER_ID:
            self._take(where, values)
            return
        rows = self._connection.execute(f"SELECT id, text FROM names WHERE {where}", values)  # noqa: S608 - constants
        put = f"INSERT OR IGNORE INTO {self.table} VALUES (?)"  # noqa: S608 - a name of ours
        self._connection.executemany(put, self._fitting(rows, dimension, pattern.fits))

    def _fitting(
        self, rows: sqlite3.Cursor, dimension: Dimension, fits: Callable[[str], bool] | None
    ) -> Iterator[tuple[int]]:
        for number, text in rows:
            if fits is None or fits(text):
                if dimension is Dimension.CONTAINER_ID:
                    self._container_ids.add(text)
                yield (number,)

    def _take(self, where: str, values: _Values) -> None:
        self._connection.execute(_TAKE.format(table=self.table, where=where), values)

    def _number(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])

    def _holds_words(self, text: str) -> bool:
        found = fold(text)
        return any(word in found for word in self._filter.words)

    def _is_inside(self, frame: bytes) -> bool:
        return _IDENTITY.decode(self._unpack(frame)).container.id in self._container_ids


class _Container(msgspec.Struct):
    id: str = ""


class _Identity(msgspec.Struct):
    container: _Container = msgspec.field(default_factory=_Container)


_IDENTITY: Final = msgspec.json.Decoder(_Identity)


def _after(number: int) -> str:
    """Of all names by the index of their texts; of the newest ones by their numbers."""
    return f"id > {number}" if number else "+id > 0"


def _where(dimension: Dimension, pattern: NamePattern, after: int) -> tuple[str, _Values]:
    """What names must be that may fit a pattern, as SQL and the values for it."""
    of = "+dimension" if after else "dimension"
    conditions, values = [_after(after), f"{of} = {int(dimension)}"], list[str | int | bytes]()
    if pattern.exact is not None:
        conditions.append("text = ?")
        values.append(pattern.exact)
    if pattern.prefix:
        conditions.append("text >= ? AND text < CAST(? AS TEXT)")
        values += [pattern.prefix, _end(pattern.prefix)]
    if pattern.part:
        conditions.append("instr(text, ?) > 0")
        values.append(pattern.part)
    return " AND ".join(conditions), tuple(values)


def _end(prefix: str) -> bytes:
    """What all texts that begin with the prefix are less than, to the byte, and no other text in between."""
    raw = prefix.encode()
    return raw[:-1] + bytes((raw[-1] + 1,))
