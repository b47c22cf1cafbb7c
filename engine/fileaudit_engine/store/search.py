"""Finding records: by time, file, user, process, rule and words; and what comes while one looks.

What is found is exactly what a look at every document would find, in the order of time. How it is found
stands in `search_names` (which names are meant), `search_scan` (where they are) and `search_order` (in which
order rows are told).
"""

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from typing import Final

from typing_extensions import Self

from fileaudit_engine.diagnostics import UnusableInput
from fileaudit_engine.store.facets import Dimension
from fileaudit_engine.store.opening import refusal
from fileaudit_engine.store.search_filters import Search
from fileaudit_engine.store.search_scan import Scan
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.stored import StoredRecord

__all__ = ["Search", "Watch", "count", "in_portions", "is_known", "known", "numbers", "search"]

_PORTIONS: Final = (32, 256)
"""Documents that are read at once: few at first, so that something is seen soon."""
MOST_NEWS: Final = 10_000
"""Rows that a watch looks through at once: whoever stopped it for an hour gets a bit at a time."""


def search(store: Store, wanted: Search) -> Iterator[StoredRecord]:
    """The records that are looked for, as they were when the search began.

    Documents are read as the caller goes on. What retention removes meanwhile is left out.

    Raises:
        ValueError: A pattern is longer than any name.
        UnusableInput: The file is damaged.
        MachineCannot: The system refuses.
    """
    return in_portions(store, numbers(store, wanted))


def numbers(store: Store, wanted: Search) -> Iterator[int]:
    """The numbers of the records that are looked for, for whoever wants a page of them in another order.

    Raises:
        ValueError: As `search`; likewise the other errors.
    """
    return _numbers(store, Scan(store.connection, wanted), wanted)


def in_portions(
    store: Store, numbers: Iterator[int], damaged: Callable[[int], None] | None = None
) -> Iterator[StoredRecord]:
    """Records by their numbers, read some at a time; those that are not there any more are left out.

    Args:
        store: Where they are.
        numbers: Theirs.
        damaged: Is told the number of each that cannot be read, which is then left out, too.

    Raises:
        UnusableInput: A record is damaged, and nobody is to be told.
    """
    for size in itertools.chain(_PORTIONS, itertools.repeat(_PORTIONS[-1])):
        portion = list(itertools.islice(numbers, size))
        if not portion:
            return
        for number in portion:
            yield from _read(store, number, damaged)


def _read(store: Store, number: int, damaged: Callable[[int], None] | None) -> list[StoredRecord]:
    try:
        return store.read([number])
    except UnusableInput:
        if damaged is None:
            raise
        damaged(number)
        return []


def count(store: Store, wanted: Search) -> int:
    """How many records are looked for, whatever `skip` and `limit` say.

    Raises:
        ValueError: As `search`; likewise the other errors.
    """
    with Scan(store.connection, wanted) as scan:
        try:
            scan.begin()
            return scan.count()
        except (sqlite3.Error, OverflowError) as error:
            raise refusal(error, store.path) from error


class Watch:
    """What comes, as it comes; a context that lets go of what it has made."""

    def __init__(self, store: Store, wanted: Search) -> None:
        """Watch for what is looked for and comes after `wanted.after_seq`.

        Raises:
            ValueError: As `search`.
        """
        self._store = store
        self._seen = wanted.after_seq
        self._scan = Scan(store.connection, wanted)

    def news(self) -> list[StoredRecord]:
        """What has come since the last time, in the order of its coming: a bit at a time while `behind`.

        Raises:
            UnusableInput: As `search`.
            MachineCannot: Likewise.
        """
        try:
            self._scan.begin(self._seen, MOST_NEWS)
            hits = sorted(self._scan.hits(), key=lambda hit: hit[1])
        except (sqlite3.Error, OverflowError) as error:
            raise refusal(error, self._store.path) from error
        self._seen = max(self._seen, self._scan.head)
        return self._store.read(seq for _, seq in hits)

    @property
    def behind(self) -> bool:
        """Whether more was there than has been looked at."""
        return self._seen < self._store.head.seq

    def __enter__(self) -> Self:
        """The watch itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go."""
        self._scan.close()


def _numbers(store: Store, scan: Scan, wanted: Search) -> Iterator[int]:
    end = None if wanted.limit is None else wanted.skip + wanted.limit
    with scan:
        try:
            scan.begin()
            yield from (seq for _, seq in itertools.islice(scan.hits(), wanted.skip, end))
        except (sqlite3.Error, OverflowError) as error:
            raise refusal(error, store.path) from error


def known(store: Store, dimension: Dimension, most: int) -> list[str]:
    """Names of a dimension that the store has, as documents have them; at most so many.

    Raises:
        UnusableInput: The file is damaged.
    """
    query = "SELECT text FROM names WHERE dimension = ? LIMIT ?"
    return [text for (text,) in store.rows(query, int(dimension), most)]


def is_known(store: Store, dimension: Dimension, text: str) -> bool:
    """Whether the store has that name, as documents have it.

    Raises:
        UnusableInput: The file is damaged.
    """
    query = "SELECT 1 FROM names WHERE dimension = ? AND text = ?"
    return next(store.rows(query, int(dimension), text), None) is not None
