"""What former versions of the store kept, moved into the present one.

Versions 1 to 3 had alerts, audit events and losses in tables of their own, each with its own numbers,
documents as plain JSON, and no chain. Their rows are numbered and chained anew, in the order of their
times: the chain vouches for them from then on. Cursors did not exist.
"""

import itertools
import sqlite3
from collections.abc import Iterator
from typing import Final

import msgspec

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.model import Loss
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.store.losses import record_of_loss

_ALL: Final = (
    "SELECT ts_ns, 0, seq, document FROM old_alerts UNION ALL SELECT ts_ns, 1, seq, document FROM old_events"
    " UNION ALL SELECT last_ns, 2, first_ns, what || ' ' || count FROM old_losses ORDER BY 1, 2, 3, 4"
)
_TABLES: Final = ("alerts", "events", "losses", "states")
_INDEXES: Final = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"


class Unmovable(ValueError):
    """A row of a former version is no record; the message says which."""


def put_aside(connection: sqlite3.Connection) -> None:
    """Give the tables of a former version other names; in a transaction."""
    for (index,) in connection.execute(_INDEXES).fetchall():
        connection.execute(f'DROP INDEX "{index}"')
    for table in _tables(connection, ""):
        connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")


def former(connection: sqlite3.Connection) -> Iterator[Record]:
    """What was kept in the tables that were put aside, in the order of its time.

    Raises:
        Unmovable: A row is no record.
    """
    by_row = itertools.groupby(connection.execute(_ALL), key=lambda row: row[:3])
    for (ts_ns, table, key), rows in by_row:
        if table == _TABLES.index("losses"):
            counts = {what: int(count) for *_, told in rows for what, _, count in [told.rpartition(" ")]}
            yield record_of_loss(Loss(first_ns=key, last_ns=ts_ns, counts=counts))
            continue
        for *_, content in rows:
            yield _record(ts_ns, content, f"row {key} of {_TABLES[table]}")


def clear_away(connection: sqlite3.Connection) -> None:
    """Take over the states as they are, and drop the tables that were put aside."""
    for table in _tables(connection, "old_"):
        if table == "states":
            connection.execute("INSERT INTO states SELECT * FROM old_states")
        connection.execute(f"DROP TABLE old_{table}")


def _tables(connection: sqlite3.Connection, prefix: str) -> list[str]:
    """Those that there are: states came with version 3."""
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return [table for table in _TABLES if prefix + table in there]


def _record(ts_ns: int, content: bytes, where: str) -> Record:
    try:
        document = msgspec.json.decode(content)
        document.setdefault("@timestamp", rfc3339(ts_ns))
        return Record(
            id=document["event"]["id"],
            kind=Kind(document["event"]["kind"]),
            ts_ns=ts_ns,
            rule=document["rule"]["id"],
            level=document["fileaudit"]["rule"]["level"],
            document=document,
            event=None,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unmovable(f"{where} holds no document") from error
