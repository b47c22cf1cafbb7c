"""Sweeping: rows that do not exist for anybody any more are taken out of the file, little by little.

Each step is a transaction that takes about `STEP_S`, so that a commit of the engine never waits long behind
one. How much that is, each kind of work finds out by itself: it does twice as much after a short step, and
half as much after a long one.
"""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Final

from fileaudit_engine.store.opening import refusal
from fileaudit_engine.store.store import Store

STEP_S: Final = 0.010
"""How long a step should take at the most; one of unknown work may take twice as long."""

_FEWEST, _FIRST, _MOST = 16, 128, 8_192
"""Rows in a step."""

_SPARE_PAGES: Final = 1_024
"""Free pages that stay in the file: what comes next takes them, and need not ask the file system."""
_SPARE_SHARE: Final = 20

SWEPT: Final = "swept"
"""The mark that holds up to which row all is swept."""
_LAST_ROW: Final = "SELECT max(seq) FROM (SELECT seq FROM records WHERE seq <= ? ORDER BY seq LIMIT ?)"
_DELETE_ROWS: Final = "DELETE FROM records WHERE seq <= ?"
_LAST_POSTING: Final = (
    "SELECT block, name FROM"
    " (SELECT block, name FROM postings WHERE block <= ? ORDER BY block, name LIMIT ?)"
    " ORDER BY block DESC, name DESC LIMIT 1"
)
_DELETE_POSTINGS: Final = "DELETE FROM postings WHERE (block, name) <= (?, ?)"
_DEAD: Final = (
    "SELECT id, EXISTS (SELECT 1 FROM postings WHERE name = names.id) FROM names"
    " WHERE id > ? AND id < ? ORDER BY id LIMIT ?"
)

Deed = Callable[[int], int]
"""Does something of which there is much: takes how much at the most, returns how much it was; 0: all is done.
"""


def left_over(store: Store) -> bool:
    """Whether something is to be swept: the process that removed it did not live to do so."""
    removed_seq: int = next(store.rows("SELECT removed_seq FROM chain"))[0]
    return (store.marked(SWEPT) or 0) < removed_seq


def sweep(store: Store, until_seq: int, clock_s: Callable[[], float]) -> Iterator[None]:
    """Take out what belongs to rows up to a number; yields after every step.

    Raises:
        MachineCannot: The store cannot be written.
        UnusableInput: It is damaged.
    """
    deeds: tuple[Deed, ...] = (
        lambda most: _sweep_rows(store, until_seq, most),
        lambda most: _sweep_postings(store, until_seq, most),
        lambda _: _sweep_letters(store, until_seq),
        _DeadNames(store),
        lambda most: _give_back(store, most),
    )
    for deed in deeds:
        yield from _paced(deed, clock_s)
    store.mark(SWEPT, until_seq)


def _paced(deed: Deed, clock_s: Callable[[], float]) -> Iterator[None]:
    """Do something to its end, in steps of the right size."""
    most = _FIRST
    while True:
        began_s = clock_s()
        if not deed(most):
            return
        took_s = clock_s() - began_s
        yield
        if took_s > STEP_S:
            most = max(most // 2, _FEWEST)
        elif took_s < STEP_S / 2:
            most = min(most * 2, _MOST)


def _sweep_rows(store: Store, until_seq: int, most: int) -> int:
    last = next(store.rows(_LAST_ROW, until_seq, most))[0]
    if last is None:
        return 0
    _change(store, _DELETE_ROWS, (last,))
    store.wrote(most * 500)
    return most


def _sweep_postings(store: Store, until_seq: int, most: int) -> int:
    last = next(store.rows(_LAST_POSTING, until_seq, most), None)
    if last is None:
        return 0
    _change(store, _DELETE_POSTINGS, last)
    store.wrote(most * 1_000)  # their index has them all over the place
    return most


def _sweep_letters(store: Store, until_seq: int) -> int:
    """There are few."""
    _change(store, "DELETE FROM dead_letters WHERE seq <= ?", (until_seq,))
    return 0


class _DeadNames:
    """Takes out names that no row has any more.

    The one with the greatest number stays, so that no number is ever given twice.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looked_at = 0
        self._until: int | None = None
        """Those that come from now on are in use."""

    def __call__(self, most: int) -> int:
        store = self._store
        if self._until is None:
            self._until = next(store.rows("SELECT max(id) FROM names"))[0] or 0
        looked_at = list(store.rows(_DEAD, self._looked_at, self._until, most))
        if looked_at:
            self._looked_at = looked_at[-1][0]
        dead = [(name,) for name, used in looked_at if not used and not store.is_open(name)]
        if dead:
            store.append((), also=lambda connection: _delete_names(connection, dead))
            store.forget_names()
            store.wrote(len(dead) * 200)
        return len(looked_at)


def _delete_names(connection: sqlite3.Connection, names: list[tuple[int]]) -> None:
    connection.executemany("DELETE FROM names WHERE id = ?", names)


def _give_back(store: Store, most: int) -> int:
    """Give free pages back to the file system, except some."""
    pages, free = (int(next(store.rows(f"PRAGMA {name}"))[0]) for name in ("page_count", "freelist_count"))
    wanted = min(free - max(_SPARE_PAGES, pages // _SPARE_SHARE), most)
    if wanted <= 0:
        return 0
    try:
        # Not `execute`: it takes the first step only, which is one page.
        store.connection.executescript(f"PRAGMA incremental_vacuum({wanted})")
    except sqlite3.Error as error:
        raise refusal(error, store.path) from error
    store.wrote(wanted << 13)
    return pages - int(next(store.rows("PRAGMA page_count"))[0])


def _change(store: Store, statement: str, values: tuple[int, ...]) -> None:
    def change(connection: sqlite3.Connection) -> None:
        connection.execute(statement, values)

    store.append((), also=change)
