"""Opening the file of a store: whether it is one, of which version, and how SQLite is to treat it."""

import contextlib
import importlib.resources
import itertools
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import quote

from fileaudit_engine.diagnostics import MachineCannot, unusable_file
from fileaudit_engine.store.blocks import LONGEST_NS
from fileaudit_engine.store.chain import STORE_ID_BYTES, genesis
from fileaudit_engine.store.documents import add_shipped
from fileaudit_engine.store.migration import Unmovable, clear_away, former, put_aside
from fileaudit_engine.store.transactions import Transactions
from fileaudit_engine.store.writer import Writer

APPLICATION_ID: Final = 0x46414544
"""`FAED` in the file's header: `file` and we know a store by it."""

LAST_SEQ: Final = 1 << 62
"""Numbers of rows are below it: the engine gives them out one by one."""

VERSION: Final = 4
"""The file's `user_version`."""

WRITING: Final = "mode=rw"
READING: Final = "mode=ro"
BUSY_S: Final = 1.0
"""How long a reader waits for another process, and an engine that starts."""
WRITER_BUSY_MS: Final = 20
"""How long an engine that runs waits for another program that holds the store, such as an SQL prompt: whoever
writes does not capture meanwhile, and tries again later."""

_VIEWS_FOR_TABLES: Final = (
    "SELECT name FROM sqlite_master WHERE type = 'view'"
    " AND name NOT IN ('found', 'alerts', 'events', 'engine')"
)
_PORTION: Final = 1_000
"""Records of a former version that are moved at a time."""
_PAGE_BYTES: Final = 4 << 10
"""A row takes some 400 bytes; postings are written all over their index, and each costs a page of the log."""
_CACHE_KIB: Final = 8 << 10
_MAPPED_BYTES: Final = 8 << 30
"""Readers map the file: they go through blocks in half the time. The writer must not die of a file that
somebody cuts short."""
_WAL_LIMIT_BYTES: Final = 64 << 20
"""What the log is cut back to after a burst."""
_INCREMENTAL: Final = 2
"""Pages that retention has freed can be given back in steps."""


def uri_of(place: Path, options: str) -> str:
    """The name by which SQLite opens a file that is there."""
    return f"file:{quote(bytes(place))}?{options}"


def connect(place: Path, *, read_only: bool) -> sqlite3.Connection:
    """Connect to the store in a file that is there.

    Raises:
        UnusableInput: The file is no store, is damaged, or of a newer version.
        MachineCannot: The system refuses.
    """
    try:
        if not read_only:
            return _connected(place, WRITING, _become_writer)
        try:
            return _connected(place, READING, _become_reader)
        except sqlite3.OperationalError as error:
            # A reader has a file beside the store. On a full disk or a mounted image there is no room for it,
            # and no writer either, if there is no log and nobody holds the file.
            if _has_log(place) or "locked" in str(error):
                raise
            return _connected(place, f"{READING}&immutable=1", _become_reader)
    except sqlite3.Error as error:
        raise refusal(error, place) from error
    except Unmovable as error:
        raise damaged(place, str(error)) from error


def _connected(
    place: Path, options: str, become: Callable[[sqlite3.Connection, Path], None]
) -> sqlite3.Connection:
    connection = sqlite3.connect(uri_of(place, options), uri=True, timeout=BUSY_S, isolation_level=None)
    try:
        become(connection, place)
    except BaseException:
        connection.close()
        raise
    return connection


def _become_reader(connection: sqlite3.Connection, place: Path) -> None:
    _check(connection, place, read_only=True)
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")


def _become_writer(connection: sqlite3.Connection, place: Path) -> None:
    _check(connection, place, read_only=False)
    _set_up(connection)
    _bring_up_to_date(connection, place)
    if _number(connection, "auto_vacuum") != _INCREMENTAL:  # of a former version
        _give_back(connection)
    add_shipped(connection)  # another version may have packed with another one
    _check_chain(connection, place)
    connection.execute(f"PRAGMA busy_timeout = {WRITER_BUSY_MS}")


def _has_log(place: Path) -> bool:
    log = place.with_name(place.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def refusal(error: sqlite3.Error | OverflowError, path: Path) -> Exception:
    """What SQLite's error on reading means for the user."""
    if isinstance(error, OverflowError):
        return altered(path, "a number in it is greater than any that the engine writes")
    if isinstance(error, sqlite3.OperationalError):
        return MachineCannot(
            f"the store {path} cannot be opened: {error}",
            remedy="look at the file's owner and the free space, or choose another place with --store; where"
            " nothing can be written, copy the store and its -wal elsewhere and name the copy",
        )
    return damaged(path, str(error))


def damaged(path: Path, reason: str) -> Exception:
    """What is said of a file that the engine has not written so."""
    return unusable_file(
        "FA093",
        str(path),
        f"the file is no store, or is damaged: {reason}",
        "move it away, the engine makes a new one; or restore it from a backup",
    )


def altered(path: Path, reason: str) -> Exception:
    """What is said to a reader of a store that somebody else has written to."""
    return unusable_file(
        "FA093",
        str(path),
        f"the store is not as the engine made it: {reason}",
        "run 'verify': it says what was altered",
    )


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")  # of a new file; comes before the journal mode
    connection.execute(f"PRAGMA auto_vacuum = {_INCREMENTAL}")  # likewise
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA wal_autocheckpoint = 0")  # `checkpoints` does that
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
    connection.execute("PRAGMA trusted_schema = OFF")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _check(connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
    """Refuse another program's database, and a store that a later version of the engine has made."""
    connection.execute("BEGIN")  # one view of all three, while another process may be making the store
    application, version = _number(connection, "application_id"), _number(connection, "user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    connection.execute("COMMIT")
    if application == APPLICATION_ID and version > VERSION:
        raise unusable_file(
            "FA093",
            str(path),
            f"the store has version {version}, this engine knows versions up to {VERSION}",
            "use the newer engine that made it, or another store",
        )
    if application != APPLICATION_ID and (application or tables or version):
        raise unusable_file(
            "FA093", str(path), "this is another program's database", "name another file with --store"
        )
    if read_only and version < VERSION:
        raise unusable_file(
            "FA093",
            str(path),
            "the store is empty" if not version else f"the store has the old version {version}",
            "run the engine with it once: that brings it to the present version",
        )


def _check_chain(connection: sqlite3.Connection, place: Path) -> None:
    """Refuse to go on with a chain of which nobody can say where it begins, or what its next number is."""
    views = connection.execute(_VIEWS_FOR_TABLES).fetchone()
    if views is not None:  # one without an end would hold us up for ever
        raise damaged(place, f"a view stands in the place of its table {views[0]!a}")
    if not knows_its_chain(connection):
        raise damaged(place, "it does not say where its chain begins or ends")


def knows_its_chain(connection: sqlite3.Connection) -> bool:
    """Whether a store says where its chain begins and ends, in numbers that the engine gives to rows."""
    begins = connection.execute("SELECT removed_seq FROM chain").fetchone()
    last = connection.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()[0]
    return begins is not None and 0 <= begins[0] < LAST_SEQ and last < LAST_SEQ


def _bring_up_to_date(connection: sqlite3.Connection, place: Path) -> None:
    """Make the tables, and move what is in those of a former version into them; all or nothing."""
    former_version = _number(connection, "user_version")
    if former_version == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if former_version:
            put_aside(connection)
        _make(connection)
        if former_version:
            _move(connection, place)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _make(connection: sqlite3.Connection) -> None:
    # Not by `executescript`: it would commit first.
    for statement in schema():
        connection.execute(statement)
    store_id = secrets.token_bytes(STORE_ID_BYTES)
    connection.execute("INSERT INTO chain VALUES (1, ?, 0, ?)", (store_id, genesis(store_id)))
    add_shipped(connection)


def _move(connection: sqlite3.Connection, place: Path) -> None:
    writer = Writer(Transactions(connection, place))
    for _, day in itertools.groupby(former(connection), key=lambda record: record.ts_ns // LONGEST_NS):
        while portion := list(itertools.islice(day, _PORTION)):
            writer.add(portion)  # of one day: blocks hold no more
    writer.close()
    clear_away(connection)


def _give_back(connection: sqlite3.Connection) -> None:
    """Write a file anew whose pages are those of a former version; while somebody reads it, next time."""
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        connection.execute(f"PRAGMA auto_vacuum = {_INCREMENTAL}")
        connection.execute("VACUUM")
    connection.execute("PRAGMA journal_mode = WAL")


def schema() -> list[str]:
    """The statements that make the tables of an empty file."""
    text = importlib.resources.files(__package__).joinpath("schema.sql").read_text("utf-8")
    return text.split(";\n")
