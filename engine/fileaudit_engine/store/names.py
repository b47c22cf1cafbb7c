"""The numbers of names, as the writer of a store knows them.

A name is a text in a dimension (`facets`): rows and postings have its number. Names that are new get theirs
in memory and are written with the rows that brought them, in one transaction; if that fails there never
were any.
"""

import sqlite3
from collections.abc import Iterable
from typing import Final

from fileaudit_engine.store.doers import Doer
from fileaudit_engine.store.facets import COLUMNS, Facet

REMEMBERED: Final = 65_536
"""Names that are known without asking; then all are forgotten, and the hot ones are back with the next
batch."""
MAX_REMEMBERED: Final = 128
"""Characters of a name that is remembered: a longer one is looked up each time, and all of them take 40 MB at
the worst."""
LAST: Final = 1 << 62
"""Numbers are below it."""
_ROOM: Final = 1 << 32
"""That many numbers in front of a limit are as good as none."""

_NONE: Final[list[int | None]] = [None] * len(COLUMNS)
_LAST_COLUMN: Final = len(COLUMNS)
_NEWEST: Final = "SELECT coalesce(max(id), 0) FROM names WHERE id < ?"
_FIND: Final = "SELECT id FROM names WHERE dimension = ? AND text = ?"
_INSERT: Final = "INSERT INTO names (id, dimension, text) VALUES (?, ?, ?)"


class Names:
    """Gives names their numbers.

    Attributes:
        generation: Grows whenever what was known may not hold any more.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.generation = 0
        self._connection = connection
        self._known: dict[Facet, int] = {}
        self._new: dict[Facet, int] = {}
        self._next = 0

    def begin(self) -> None:
        """A transaction has begun."""
        self._new.clear()
        self._next = self._newest() + 1
        if len(self._known) > REMEMBERED:
            self._known.clear()

    def numbers(self, facets: Iterable[Facet]) -> list[int]:
        """The numbers of names, those of new ones included."""
        known, looked_up = self._known, self._look_up
        return [known.get(facet) or looked_up(facet) for facet in facets]

    def columns(self, facets: Iterable[Facet], doer: Doer | None, numbers: list[int]) -> list[int | None]:
        """The numbers of a record's names as its row has them.

        Args:
            facets: What the record is found by.
            doer: What it is found by besides.
            numbers: All are added to these.
        """
        known, looked_up, add = self._known.get, self._look_up, numbers.append
        columns: list[int | None] = _NONE.copy()
        for facet in facets:
            number = known(facet) or looked_up(facet)
            add(number)
            if facet[0] <= _LAST_COLUMN:
                columns[facet[0] - 1] = number
        if doer is not None:
            if doer.generation != self.generation:
                self._introduce(doer)
            numbers += doer.numbers
            for place, number in doer.columns:
                columns[place] = number
        return columns

    def write(self) -> None:
        """Write those that are new."""
        if self._new:
            rows = [(number, *facet) for facet, number in self._new.items()]
            self._connection.executemany(_INSERT, rows)

    def committed(self) -> None:
        """The transaction stands."""
        self._known.update(
            (facet, number) for facet, number in self._new.items() if len(facet[1]) <= MAX_REMEMBERED
        )
        self._new.clear()

    def forget(self) -> None:
        """Names may be gone from the store, or never have come there."""
        self._known.clear()
        self.generation += 1

    def _newest(self) -> int:
        """The greatest number so far; one that somebody else has put close to the end does not count."""
        limit = LAST
        while True:
            newest: int = self._connection.execute(_NEWEST, (limit,)).fetchone()[0]
            if newest < limit - _ROOM or limit <= _ROOM:
                return newest
            limit //= 2

    def _introduce(self, doer: Doer) -> None:
        doer.numbers = self.numbers(doer.facets)
        doer.columns = [
            (dimension - 1, number)
            for (dimension, _), number in zip(doer.facets, doer.numbers, strict=True)
            if dimension <= _LAST_COLUMN
        ]
        doer.generation = self.generation

    def _look_up(self, facet: Facet) -> int:
        number = self._new.get(facet)
        if number is None:
            row = self._connection.execute(_FIND, facet).fetchone()
            if row is not None:
                number = int(row[0])
                if len(facet[1]) <= MAX_REMEMBERED:
                    self._known[facet] = number
                return number
            number = self._new[facet] = self._next
            self._next += 1
        return number
