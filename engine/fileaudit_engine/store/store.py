"""Every alert and every event of the audit trail, on disk before anyone sees it.

One SQLite file in WAL mode: one writer, any number of readers at the same time. A batch is one transaction.
Killing the process at any moment loses nothing that was committed. Losing power is another matter: an alert
is forced to the disk with its transaction (`synchronous=FULL`), and with it all that was committed before.
Of the audit trail the last moments may be missing after a power failure (`NORMAL`): what came since the last
alert or checkpoint (32 MiB of log) and was not yet written back by the system, because a forced write for
each of its batches would cost more than the capture itself. The file is never damaged by either.

The rows' ids are deterministic and a known one is passed over, so that writing a batch twice is harmless.
"""

import importlib.resources
import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote

import msgspec
from typing_extensions import Self

from fileaudit_engine.detect.alert import SEVERITIES
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.diagnostics import MachineCannot, unusable_file
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.store.files import existing, prepare
from fileaudit_engine.store.states import PACKING, packed, unpacked
from fileaudit_engine.text import to_document

APPLICATION_ID: Final = 0x46414544
"""`FAED` in the file's header: `file` and we know a store by it."""

BUSY_S: Final = 1.0
"""How long to wait for another writer; a transaction of ours takes milliseconds."""

_TABLES: Final = {Kind.ALERT: "alerts", Kind.EVENT: "events"}
_COLUMNS: Final = (
    "id, ts_ns, rule, level, severity, operation, outcome, path, user, pid, executable, document"
)
_KEYS: Final = {Kind.ALERT: "id", Kind.EVENT: "ts_ns, id"}
"""What tells two rows apart."""
_INSERT: Final = {
    kind: f"INSERT INTO {table} ({_COLUMNS}) VALUES ({', '.join('?' * 12)})"  # noqa: S608 - constants
    f" ON CONFLICT ({_KEYS[kind]}) DO NOTHING"
    for kind, table in _TABLES.items()
}
_INSERT_LOSS: Final = (
    "INSERT INTO losses VALUES (?, ?, ?, ?) ON CONFLICT (first_ns, last_ns, what) DO NOTHING"
)
_SAVE: Final = (
    "INSERT INTO states (name, saved_ns, version, state) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE"
    " SET saved_ns = excluded.saved_ns, version = excluded.version, state = excluded.state"
)
_LOAD: Final = "SELECT saved_ns, version, state FROM states WHERE name = ?"
_PAGE_BYTES: Final = 16 << 10
"""A record takes about 2 KiB: seven fill such a page, one wastes half of SQLite's usual 4 KiB."""
_CACHE_KIB: Final = 2 << 10
"""SQLite's usual size. Rows of the trail come in order, so that a batch touches few pages of a long one."""
_CHECKPOINT_PAGES: Final = 2_000
"""32 MiB of log: what is written often between two checkpoints reaches the database once."""
_WAL_LIMIT_BYTES: Final = 64 << 20
"""What the log is cut back to after a burst."""

Row = tuple[str | int | bytes | None, ...]


MIGRATIONS: Final = ("version_1.sql", "version_2.sql", "version_3.sql")
"""What takes a store from one version to the next: the first makes version 1 of an empty file. The file's
`user_version` says how many have been applied."""


def _statements(migration: str) -> list[str]:
    text = importlib.resources.files(__package__).joinpath(migration).read_text("utf-8")
    return text.split(";\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """A record as it was kept; see `detect.record.Record`."""

    id: str
    kind: Kind
    ts_ns: int
    rule: str
    level: str
    document: dict[str, Any]


class Store:
    """An open store; a context that closes it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._forced: bool | None = None
        """Whether the next commit is forced to the disk; None: not set yet."""
        self.path = path

    @classmethod
    def open(cls, path: Path | str, *, read_only: bool = False) -> Self:
        """Open the store at `path`; unless `read_only`, make it where there is none.

        Raises:
            UnusableInput: The file is no store, is damaged, is of a newer version, or its place is not safe.
            MachineCannot: The system refuses.
        """
        place = existing(Path(path)) if read_only else prepare(Path(path))
        uri = f"file:{quote(bytes(place))}?mode={'ro' if read_only else 'rw'}"
        connection = None
        try:
            connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None)
            _check(connection, place, read_only=read_only)
            if not read_only:
                _set_up(connection)
                _migrate(connection)
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise _refusal(error, place) from error
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        return cls(connection, place)

    def append(self, records: Sequence[Record], losses: Sequence[Loss] = ()) -> int:
        """Commit records and losses, all or nothing; returns how many records were not known before.

        Raises:
            MachineCannot: The disk is full, the file is damaged, or another writer does not let go of it.
        """
        rows = {kind: [_row(r) for r in records if r.kind is kind] for kind in Kind}
        connection = self._connection
        try:
            self._force(when=bool(rows[Kind.ALERT]))
            connection.execute("BEGIN IMMEDIATE")
            before = connection.total_changes
            for kind, statement in _INSERT.items():
                connection.executemany(statement, rows[kind])
            new = connection.total_changes - before
            connection.executemany(_INSERT_LOSS, _loss_rows(losses))
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise _write_failure(error, self.path) from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return new

    def save_state(self, name: str, saved_ns: int, state: bytes) -> None:
        """Keep what a part of the engine was in the middle of, instead of what it last said of that.

        It is one transaction, and not forced to the disk: after a power failure an earlier state may be
        found.

        Args:
            name: Of the part.
            saved_ns: When, nanoseconds since the Unix epoch.
            state: Anything.

        Raises:
            MachineCannot: The state is too large, the disk is full, the file is damaged, or another writer
                does not let go of it. The earlier state is still there.
        """
        try:
            kept = packed(state)
        except ValueError as error:
            raise MachineCannot(
                f"the state of {name} cannot be saved: {error}",
                remedy="let it hold less: lower 'groups' and 'entries' of 'correlation' in the configuration",
            ) from error
        try:
            self._force(when=False)
            self._connection.execute(_SAVE, (name, saved_ns, PACKING, kept))
        except sqlite3.Error as error:
            raise _write_failure(error, self.path, "the earlier state is still there") from error

    def load_state(self, name: str) -> tuple[int, bytes] | None:
        """When a part of the engine last saved its state, nanoseconds since the Unix epoch, and the state.

        None if it never has. A state that is no good any more is refused whenever it is asked for, until
        another one is saved: whoever asks may well begin anew.

        Raises:
            UnusableInput: The state is damaged, or of another version; or the whole file is damaged.
            MachineCannot: The system refuses.
        """
        row = next(self._rows(_LOAD, name), None)
        if row is None:
            return None
        saved_ns, version, kept = row
        try:
            return saved_ns, unpacked(version, kept)
        except ValueError as error:
            raise unusable_file(
                "FA094",
                str(self.path),
                f"the saved state of {name} cannot be used: {error}",
                "begin without it: what was half counted at the last stop is counted anew",
            ) from error

    def _force(self, *, when: bool) -> None:
        """Decide whether the next commit waits for the disk; takes effect outside of transactions only."""
        if self._forced is not when:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if when else 'NORMAL'}")
            self._forced = when

    def records(self, kind: Kind) -> Iterator[StoredRecord]:
        """All records of a kind, in the order in which they were kept.

        Raises:
            UnusableInput: The file is damaged.
        """
        for record_id, ts_ns, rule, level, document in self._rows(
            f"SELECT id, ts_ns, rule, level, document FROM {_TABLES[kind]} ORDER BY seq"  # noqa: S608 - constants
        ):
            yield StoredRecord(
                id=record_id,
                kind=kind,
                ts_ns=ts_ns,
                rule=rule,
                level=level,
                document=msgspec.json.decode(document),
            )

    def losses(self) -> Iterator[Loss]:
        """All losses, the earliest first.

        Raises:
            UnusableInput: The file is damaged.
        """
        rows = self._rows(
            "SELECT first_ns, last_ns, what, count FROM losses ORDER BY first_ns, last_ns, what"
        )
        for (first_ns, last_ns), group in itertools.groupby(rows, key=lambda row: row[:2]):
            counts = {what: count for _, _, what, count in group}
            yield Loss(first_ns=first_ns, last_ns=last_ns, counts=counts)

    def _rows(self, query: str, *values: str) -> Iterator[Any]:
        try:
            yield from self._connection.execute(query, values)
        except sqlite3.Error as error:
            raise _refusal(error, self.path) from error

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        self._connection.close()

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")  # of a new file; comes before the journal mode
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
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
    if application == APPLICATION_ID and version > len(MIGRATIONS):
        raise unusable_file(
            "FA093",
            str(path),
            f"the store has version {version}, this engine knows versions up to {len(MIGRATIONS)}",
            "use the newer engine that made it, or another store",
        )
    if application != APPLICATION_ID and (application or tables or version):
        raise unusable_file(
            "FA093", str(path), "this is another program's database", "name another file with --store"
        )
    if read_only and version < len(MIGRATIONS):
        raise unusable_file(
            "FA093",
            str(path),
            "the store is empty" if not version else f"the store has the old version {version}",
            "run the engine with it once: that brings it to the present version",
        )


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the present version, a transaction a step; two processes may try at once."""
    while True:
        connection.execute("BEGIN IMMEDIATE")
        version = _number(connection, "user_version")
        if version >= len(MIGRATIONS):
            connection.execute("ROLLBACK")
            return
        try:
            # Not `executescript`: it would commit the transaction first.
            for statement in _statements(MIGRATIONS[version]):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except sqlite3.Error:
            connection.execute("ROLLBACK")
            raise


def _row(record: Record) -> Row:
    return (
        record.id,
        record.ts_ns,
        to_document(record.rule),
        record.level,
        SEVERITIES[record.level],
        *_event_columns(record.event),
        encode(record.document),
    )


def _event_columns(event: FileEvent | None) -> Row:
    """What can be searched for of an event; of what is not about one, the columns say nothing."""
    if event is None:
        return "", "", None, None, 0, None
    return (
        event.operation.value,
        event.outcome.value,
        _text(event.path),
        _text(event.user_name),
        event.process.pid,
        _text(event.process.executable),
    )


def _text(name: str | None) -> str | None:
    return None if name is None else to_document(name)


def _loss_rows(losses: Sequence[Loss]) -> list[Row]:
    return [
        (loss.first_ns, loss.last_ns, what, count) for loss in losses for what, count in loss.counts.items()
    ]


def _refusal(error: sqlite3.Error, path: Path) -> Exception:
    """What SQLite's error on opening means for the user."""
    if isinstance(error, sqlite3.OperationalError):
        return MachineCannot(
            f"the store {path} cannot be opened: {error}",
            remedy="look at the file's owner and the free space, or choose another place with --store",
        )
    return unusable_file(
        "FA093",
        str(path),
        f"the file is no store, or is damaged: {error}",
        "move it away, the engine makes a new one; or restore it from a backup",
    )


def _write_failure(
    error: sqlite3.Error, path: Path, kept: str = "nothing of the batch was kept"
) -> MachineCannot:
    return MachineCannot(
        f"the store {path} cannot be written: {error}",
        remedy=f"free some space or repair the file; {kept}",
    )
