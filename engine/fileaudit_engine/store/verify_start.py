"""Where a chain begins, and who vouches for it: its store's identity, or a record of retention in it.

When retention removes rows it says so in a record, in the same transaction, and that record is chained like
every other. So the newest one and what the store says about its start always agree.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fileaudit_engine.store.chain import genesis
from fileaudit_engine.store.verify_finding import Finding, Place, What, at
from fileaudit_engine.store.verify_reading import Start

_NEXT_POSTINGS: Final = "SELECT min(block) FROM postings WHERE block > ?"
_BLOCK: Final = "SELECT 1 FROM blocks WHERE first_seq = ?"
_REMOVED: Final = "SELECT max(removed_seq) FROM chain"
_BEHIND: Final = (
    "SELECT 'the sink ' || sink, seq FROM cursors UNION ALL SELECT 'the sink ' || sink, seq FROM dead_letters"
    " UNION ALL SELECT 'the index', last_seq FROM blocks"
    " UNION ALL SELECT 'the disk', ns FROM marks WHERE name = 'forced' ORDER BY 2 DESC LIMIT 1"
)
_NO_NUMBERS: Final = "SELECT min(seq), max(seq) FROM records WHERE seq < 1"
_HEAD: Final = "SELECT max(seq) FROM records"


class StartCheck:
    """Holds what a store says about its start against what its rows say."""

    def __init__(self, start: Start | None) -> None:
        self._start = start
        self._vouched: tuple[int, str] = (0, "")
        """Up to which row the newest record of retention says that it removed, and that row's link."""
        self.vouched_in = 0
        """The row that says so; 0: there is none."""

    def findings(self) -> Iterator[Finding]:
        """What is wrong with it by itself."""
        start = self._start
        if start is None:
            message = "the store does not say where its chain begins"
            yield Finding(what=What.START_CHANGED, message=message)
        elif not start.removed_seq and start.removed_link != genesis(start.store):
            message = "the link before the first row is not the one that the store's identity gives"
            yield Finding(what=What.START_CHANGED, message=message)

    def engine_record(self, seq: int, document: Mapping[str, Any], place: Place) -> Iterator[Finding]:
        """What the engine has said about itself in a row."""
        own = document.get("fileaudit")
        if not isinstance(own, dict):
            return
        engine, retention = own.get("engine"), own.get("retention")
        if isinstance(retention, dict):
            until, link = retention.get("removed_until_seq"), retention.get("removed_link")
            if isinstance(until, int) and isinstance(link, str):
                self._vouched = (until, link)
                self.vouched_in = seq
        identity = engine.get("store") if isinstance(engine, dict) else None
        if identity is not None and self._start is not None and identity != self._start.store.hex():
            message = f"the engine wrote this row to the store {str(identity)[:32]!a}, which this one is not"
            yield at(seq, What.IDENTITY, message, place)

    def agrees_with(self, start: Start | None) -> bool:
        """Whether the newest record of retention says that the chain begins there."""
        return start is None or _said(start) == self._vouched

    def held_against(self, told: int | None) -> Iterator[Finding]:
        """What anchors from before that row announced, of a store whose anchors are all there."""
        until, _ = self._vouched
        if told is not None and told < until:
            known = f"no more than row {told:,}" if told else "nothing of the kind"
            yield Finding(
                what=What.START_CUT_OFF,
                message=f"row {self.vouched_in:,} says that retention removed the rows up to {until:,};"
                f" anchors from before announced {known}",
                first_seq=told + 1,
                last_seq=until,
            )

    def finish(self, start: Start | None) -> Iterator[Finding]:
        """All rows were looked at."""
        if start is None or self.agrees_with(start):
            return
        until, _ = self._vouched
        if start.removed_seq > until:
            known = f"retention only removed the rows up to {until:,}" if until else "retention removed none"
            yield Finding(
                what=What.START_CUT_OFF,
                message=f"the store says that its chain begins behind row {start.removed_seq:,}; {known}",
                first_seq=until + 1,
                last_seq=start.removed_seq,
            )
        elif start.removed_seq < until:
            message = f"retention has removed the rows up to {until:,}, the store says {start.removed_seq:,}"
            yield Finding(what=What.START_CHANGED, message=message)
        else:
            message = (
                f"the link of row {until:,}, the last that retention removed, is not the one that it told"
            )
            yield Finding(what=What.START_CHANGED, message=message)


def cut_tail(connection: sqlite3.Connection, shift: int) -> Iterator[Finding]:
    """Rows that others have had, and that are not there: what can be seen of a cut tail without anchors.

    Args:
        connection: To the store.
        shift: How much greater the number of the last row once was.
    """
    connection.execute("BEGIN")
    try:
        head = connection.execute(_HEAD).fetchone()[0] or connection.execute(_REMOVED).fetchone()[0] or 0
        row = connection.execute(_BEHIND).fetchone()
    finally:
        connection.execute("ROLLBACK")
    head += shift
    if row is not None and row[1] > head:
        message = f"the newest rows are gone: {ascii(row[0])[1:-1]} has had row {row[1]:,}"
        yield Finding(what=What.CUT_OFF, message=message, first_seq=head + 1, last_seq=row[1])


def before_the_first(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Rows with numbers that the engine gives to none; what retention has yet to sweep is none of them."""
    first, last = connection.execute(_NO_NUMBERS).fetchone()
    if first is not None:
        message = "the engine gives no row such a number"
        yield Finding(what=What.INSERTED, message=message, first_seq=first, last_seq=last)


def impossible_blocks(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Blocks that end before they begin."""
    for first, last in connection.execute(
        "SELECT first_seq, last_seq FROM blocks WHERE last_seq < first_seq"
    ):
        yield at(first, What.BLOCK, f"the block that begins here ends with row {last:,}")


def lost_postings(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Postings of blocks that are not there; what retention has yet to sweep is none."""
    block = connection.execute(_REMOVED).fetchone()[0] or 0
    while True:
        connection.execute("BEGIN")
        try:
            block = max(block, connection.execute(_REMOVED).fetchone()[0] or 0)
            block = connection.execute(_NEXT_POSTINGS, (block,)).fetchone()[0]
            missing = block is not None and connection.execute(_BLOCK, (block,)).fetchone() is None
        finally:
            connection.execute("ROLLBACK")
        if block is None:
            return
        if missing:
            yield at(block, What.BLOCK, "the block that begins here is gone, its postings are not")


def _said(start: Start) -> tuple[int, str]:
    return (start.removed_seq, start.removed_link.hex()) if start.removed_seq else (0, "")
