"""Sweeping: rows that do not exist for anybody any more are taken out of the file, little by little.

Each step is a transaction that takes about `STEP_S`, so that a commit of the engine never waits long behind
one. How much that is, each kind of work finds out by itself: it does half as much again after a short step,
and half as much after a long one. What a row or a posting costs is not known beforehand: pages that nobody
has read for months are slower by far. So there is a bound on a step, too.

A name goes together with the last posting that has it. Nobody ever looks for dead ones among all names, of
which there may be millions, and a process that is killed leaves none.
"""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Final

from fileaudit_engine.store.opening import refusal
from fileaudit_engine.store.store import Store

STEP_S: Final = 0.010
"""How long a step should take at the most; one of unknown work may take twice as long."""

_FEWEST, _FIRST, _MOST = 16, 128, 1_024
"""Rows, postings or pages in a step."""

_SPARE_PAGES: Final = 1_024
"""Free pages that stay in the file: what comes next takes them, and need not ask the file system."""
_SPARE_SHARE: Final = 20

SWEPT: Final = "swept"
"""The mark that holds up to which row all is swept."""
_LAST_ROW: Final = "SELECT max(seq) FROM (SELECT seq FROM records WHERE seq <= ? ORDER BY seq LIMIT ?)"
_DELETE_ROWS: Final = "DELETE FROM records WHERE seq <= ?"
_POSTINGS: Final = "SELECT block, name FROM postings WHERE block <= ? ORDER BY block, name LIMIT ?"
_DELETE_POSTINGS: Final = "DELETE FROM postings WHERE (block, name) <= (?, ?)"
_DELETE_NAME: Final = (
    "DELETE FROM names WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM postings WHERE name = ?1)"
)
_LAST_NAME: Final = "SELECT max(id) FROM names"
KEPT_NAME: Final = "kept_name"
"""The mark that holds the number of the name that the last sweep kept for its number's sake."""

Deed = Callable[[int], int]
"""Does something of which there is much: takes how much at the most, returns how much it was; 0: all is done.
"""


def left_over(store: Store) -> bool:
    """Whether something is to be swept: the process that removed it did not live to do so."""
    return (store.marked(SWEPT) or 0) < store.removed_seq


def sweep(store: Store, until_seq: int, clock_s: Callable[[], float]) -> Iterator[None]:
    """Take out what belongs to rows up to a number; yields after every step.

    Raises:
        MachineCannot: The store cannot be written.
        UnusableInput: It is damaged.
    """
    deeds: tuple[Deed, ...] = (
        lambda most: _sweep_rows(store, until_seq, most),
        _Postings(store, until_seq),
        lambda _: _sweep_letters(store, until_seq),
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
            most = min(most + most // 2, _MOST)


def _sweep_rows(store: Store, until_seq: int, most: int) -> int:
    last = next(store.rows(_LAST_ROW, until_seq, most))[0]
    if last is None:
        return 0
    _change(store, _DELETE_ROWS, (last,))
    store.wrote(most * 500)
    return most


def _sweep_letters(store: Store, until_seq: int) -> int:
    """There are few."""
    _change(store, "DELETE FROM dead_letters WHERE seq <= ?", (until_seq,))
    return 0


class _Postings:
    """Takes out postings, and with them the names that no row has any more.

    The name with the greatest number stays, so that no number is ever given twice. The next time it may not
    be that any more: then it is looked at again.
    """

    def __init__(self, store: Store, until_seq: int) -> None:
        self._store = store
        self._until_seq = until_seq
        self._last: int | None = None

    def __call__(self, most: int) -> int:
        store = self._store
        if self._last is None:
            self._last = self._begun()
        postings = list(store.rows(_POSTINGS, self._until_seq, most))
        if not postings:
            return 0
        self._delete({name for _, name in postings}, postings[-1])
        store.wrote(len(postings) * 1_000)  # their index has them all over the place
        return len(postings)

    def _begun(self) -> int:
        """The number of the name that stays; the one that stayed the last time goes, if it is dead."""
        store = self._store
        self._last = last = int(next(store.rows(_LAST_NAME))[0] or 0)
        kept = store.marked(KEPT_NAME)
        if kept is not None and kept != last:
            self._delete({kept}, (0, 0))
        if kept != last:
            store.mark(KEPT_NAME, last)
        return last

    def _delete(self, names: set[int], until: tuple[int, int]) -> None:
        store, gone = self._store, 0

        def change(connection: sqlite3.Connection) -> None:
            nonlocal gone
            connection.execute(_DELETE_POSTINGS, until)
            # Only here is it known for sure what the open block has: a transaction begins with counting it.
            dead = [(name,) for name in sorted(names) if name != self._last and not store.is_open(name)]
            gone = connection.executemany(_DELETE_NAME, dead).rowcount

        store.append((), also=change)
        if gone:
            store.forget_names()


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
