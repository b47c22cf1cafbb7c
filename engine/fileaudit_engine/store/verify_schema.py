"""Whether a store is made as the engine makes it: tables, indexes, views, and what frames were packed with.

A trigger could remove what comes in, a view show something else than there is, and without an index nothing
is found. So whatever the file has must be what `schema.sql` makes, and nothing else.
"""

import re
import sqlite3
from collections.abc import Iterator
from typing import Final

import zstandard

from fileaudit_engine.store.documents import number_of, shipped
from fileaudit_engine.store.opening import LAST_SEQ, altered, knows_its_chain, refusal, schema
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.verify_finding import Finding, What, shown

READ: Final = frozenset({"records", "names", "blocks", "postings", "chain", "dictionaries"})
"""Tables that everything else is read from: where one of them is another, nothing more can be checked."""

OTHERS: Final = frozenset({"cursors", "dead_letters", "marks"})
"""Tables that tell which rows others have had."""

INDEXES: Final = frozenset({"records_by_time", "postings_by_name"})

_NEEDED: Final = tuple(
    [("table", name) for name in sorted(READ | {"marks"})] + [("index", name) for name in sorted(INDEXES)]
)
"""What `query` and `report` read, by type and name."""

_IMPOSSIBLE_BLOCK: Final = "SELECT 1 FROM blocks WHERE last_seq >= ? LIMIT 1"
_ALL: Final = "SELECT type, name, tbl_name, sql FROM sqlite_master"
_SQLITES_OWN: Final = ("sqlite_stat", "sqlite_sequence")
"""What SQLite makes by itself and nobody else can: `ANALYZE` statistics, which change how fast something is
found, and not what; and the counters of tables that a store of a former version had."""

_MEANINGLESS: Final = re.compile(r"('(?:[^']|'')*')|--[^\n]*|\s+")

Schema = dict[tuple[str, str], tuple[str, str]]


def schema_of(connection: sqlite3.Connection) -> Schema:
    """What a database is made of: type and name, to the table and the statement, without comments."""
    return {
        (kind, name): (table, _MEANINGLESS.sub(_meaning, sql or ""))
        for kind, name, table, sql in connection.execute(_ALL)
        if not name.startswith(_SQLITES_OWN)
    }


def expected_schema() -> Schema:
    """What the engine makes."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for statement in schema():
            connection.execute(statement)
        return schema_of(connection)
    finally:
        connection.close()


def differences(found: Schema, expected: Schema) -> Iterator[Finding]:
    """What is not as the engine made it."""
    for kind, name in sorted(expected.keys() - found.keys()):
        yield Finding(what=What.SCHEMA, message=f"the {kind} {shown(name)} is gone")
    for kind, name in sorted(found.keys() - expected.keys()):
        yield Finding(what=What.SCHEMA, message=f"the {kind} {shown(name)} is not of the engine's making")
    for kind, name in sorted(found.keys() & expected.keys()):
        if found[kind, name] != expected[kind, name]:
            message = f"the {kind} {shown(name)} is not what the engine made it"
            yield Finding(what=What.SCHEMA, message=message)


def readable(found: Schema, expected: Schema) -> bool:
    """Whether the tables that everything is read from are those of the engine."""
    return all(found.get(("table", name)) == expected["table", name] for name in READ)


def refuse_altered(store: Store) -> None:
    """Refuse to read a store whose tables are others than the engine's, or whose chain begins nowhere.

    In the place of a table there may be a view without an end. `Store.open` does not ask: `verify` has to
    open such a store, too.

    Raises:
        UnusableInput: It was altered so; or the file is damaged.
        MachineCannot: The system refuses.
    """
    try:
        found, expected = schema_of(store.connection), expected_schema()
        for key in _NEEDED:
            if found.get(key) != expected[key]:
                kind, name = key
                raise altered(store.path, f"the {kind} '{name}' is gone, or another one")
        if not knows_its_chain(store.connection):
            raise altered(store.path, "it does not say where its chain begins or ends")
        if store.connection.execute(_IMPOSSIBLE_BLOCK, (LAST_SEQ,)).fetchone() is not None:
            raise altered(store.path, "a block in it ends behind all rows that there can be")
    except sqlite3.Error as error:
        raise refusal(error, store.path) from error


def dictionaries(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Dictionaries that are not what frames were packed with."""
    for number, content in connection.execute("SELECT id, content FROM dictionaries ORDER BY id"):
        if not _is_right(number, content):
            message = f"dictionary {number} was altered: documents that were packed with it cannot be had"
            yield Finding(what=What.DICTIONARY, message=message)


def _is_right(number: int, content: bytes) -> bool:
    try:
        own = number_of(content)
    except (zstandard.ZstdError, TypeError, ValueError):
        return False
    return own == number and (number != number_of(shipped()) or content == shipped())


def _meaning(found: re.Match[str]) -> str:
    return found[1] or " "
