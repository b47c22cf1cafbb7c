"""Is a store what the engine wrote, all of it and nothing else?

Everything is computed again from the rows, in their order: the chain (`verify_chain`), what rows are found
by (`verify_index`), where the chain begins (`verify_start`), and what anchors say of it (`verify_anchors`).
It is read piece by piece in short transactions (`verify_reading`), in memory that does not grow with the
store, while an engine writes and retention removes.

Without anchors two things cannot be seen: that the newest rows are gone, and that somebody computed the chain
anew, with all that follows from it. Everything else can.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.store.anchors import Anchor
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.verify_finding import Finding, What, together
from fileaudit_engine.store.verify_reading import Reader
from fileaudit_engine.store.verify_schema import (
    INDEXES,
    OTHERS,
    dictionaries,
    differences,
    expected_schema,
    readable,
    schema_of,
)
from fileaudit_engine.store.verify_start import before_the_first, cut_tail, impossible_blocks, lost_postings
from fileaudit_engine.store.verify_walk import Announced, Checked, Walk

ROUNDS: Final = 100
"""How often retention may have gone on when we are at the end, before what it says is taken as it is."""

Progress = Callable[[int, int], None]
"""Told now and then how many rows were checked, and of how many."""


def verify(store: Store, anchors: Iterable[Anchor] = ()) -> Iterator[Finding]:
    """Everything that is wrong with a store; see `Verification.findings`."""
    return Verification(store, anchors).findings()


class Verification:
    """One look at all of a store.

    Attributes:
        checked: What was checked so far.
    """

    def __init__(
        self,
        store: Store,
        anchors: Iterable[Anchor] = (),
        *,
        progress: Progress = lambda _done, _all: None,
        announced: Announced = None,
    ) -> None:
        """Look at a store.

        Args:
            store: Open, for reading or writing.
            anchors: Of this store and of others.
            progress: Told how far it is.
            announced: Where all anchors of the store are to be had, as the engine's own file has them: up to
                where those older than a row have announced that rows go. It is asked at the end, and must
                look anew: retention may have gone on meanwhile.
        """
        self.checked = Checked()
        self._store = store
        self._connection = store.connection
        self._given = anchors
        self._progress = progress
        self._announced = announced
        self._others = False
        """Whether what tells which rows others have had can be asked."""

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong, as it is found: mostly in the order of the rows.

        Raises:
            MachineCannot: The file cannot be read, or an engine does not let us.
        """
        as_it_was = self._connection.text_factory
        self._connection.text_factory = _text
        try:
            yield from together(self._findings())
        except sqlite3.OperationalError as error:
            raise MachineCannot(
                f"the store {self._store.path} cannot be read: {error}",
                remedy="look at the file's owner, and whether the disk can be read",
            ) from error
        except sqlite3.DatabaseError as error:
            self.checked.complete = False
            yield Finding(what=What.DAMAGED, message=f"the file is damaged, not all can be read: {error}")
        finally:
            self._connection.text_factory = as_it_was

    def _findings(self) -> Iterator[Finding]:
        found, expected = schema_of(self._connection), expected_schema()
        yield from differences(found, expected)
        if not readable(found, expected):
            self.checked.complete = False
            return
        yield from dictionaries(self._connection)
        indexes = all(found.get(("index", name)) == expected["index", name] for name in INDEXES)
        self._others = all(found.get(("table", name)) == expected["table", name] for name in OTHERS)
        yield from self._rows(Reader(self._connection, indexes=indexes))

    def _rows(self, reader: Reader) -> Iterator[Finding]:
        start, head = reader.head()
        walk = Walk(reader, self._connection, self._given, start, self.checked, self._announced)
        yield from before_the_first(self._connection)
        yield from walk.begin()
        for _ in range(ROUNDS):
            while walk.position < head:
                yield from walk.take(reader.piece(walk.position, head))
                self._progress(self.checked.rows, self.checked.rows + max(0, head - walk.position))
            now, last = reader.head()
            if walk.start.agrees_with(now) or (now == start and last <= head):
                start = now
                break
            start, head = now, max(head, last)  # retention was here, and says so behind what was read
        yield from walk.end(start)
        yield from impossible_blocks(self._connection)
        yield from lost_postings(self._connection)
        if self._others and not walk.cut_off:
            yield from cut_tail(self._connection, walk.shift)


def _text(raw: bytes) -> str:
    """A text of the store; the engine writes valid ones only, but who else?"""
    return raw.decode("utf-8", "surrogateescape")
