"""Every alert and every event of the audit trail, on disk before anyone sees it.

One SQLite file in WAL mode: one writer, which holds a lock as long as it lives, and any number of readers
at the same time. A batch is one transaction. Killing the process at any moment loses nothing that was
committed. Losing power is another matter: an alert is forced to the disk with its transaction
(`synchronous=FULL`), and with it all that was committed before. Of the audit trail the last moments may be
missing after a power failure (`NORMAL`): what came since the last alert or checkpoint (16 MiB of rows) and
was not yet written back by the system, because a forced write for each of its batches would cost more than
the capture itself. `force` makes up for it wherever something is told about the store elsewhere. The file
is never damaged by either.

Ids of records are deterministic and a known one is passed over, so that writing a batch twice is harmless.
"""

import contextlib
import os
import sqlite3
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final

from typing_extensions import Self

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.diagnostics import MachineCannot, unusable_file
from fileaudit_engine.events.model import Loss
from fileaudit_engine.store.checkpoints import Checkpoints
from fileaudit_engine.store.documents import Damaged, Unpacker
from fileaudit_engine.store.files import existing, prepare, take_lock
from fileaudit_engine.store.losses import loss_of, record_of_loss
from fileaudit_engine.store.opening import WRITING, connect, damaged, refusal, uri_of
from fileaudit_engine.store.states import PACKING, packed, unpacked
from fileaudit_engine.store.stored import StoredRecord
from fileaudit_engine.store.transactions import Transactions
from fileaudit_engine.store.writer import Also, Head, Writer, head_of

_SAVE: Final = (
    "INSERT INTO states (name, saved_ns, version, state) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE"
    " SET saved_ns = excluded.saved_ns, version = excluded.version, state = excluded.state"
)
_LOAD: Final = "SELECT saved_ns, version, state FROM states WHERE name = ?"
_MARK: Final = "INSERT INTO marks (name, ns) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET ns = excluded.ns"
_CURSOR: Final = (
    "INSERT INTO cursors (sink, seq, saved_ns) VALUES (?, ?, ?) ON CONFLICT (sink) DO UPDATE"
    " SET seq = excluded.seq, saved_ns = excluded.saved_ns"
)
_LETTER: Final = "INSERT INTO dead_letters VALUES (?, ?, ?, ?) ON CONFLICT (sink, seq) DO NOTHING"
_FORGIVE: Final = "DELETE FROM dead_letters WHERE sink = ? AND seq = ?"
_AFTER: Final = (
    "SELECT seq, ts_ns, document FROM records"
    " WHERE seq > max(?, (SELECT removed_seq FROM chain)) AND seq <= ?{of_kinds} ORDER BY seq LIMIT ?"
)
_OF_KINDS: Final = " AND kind IN (SELECT id FROM names WHERE dimension = 1 AND text IN ({marks}))"
_LAST_SEQ: Final = (1 << 63) - 1
_READ_BYTES: Final = 16 << 20
"""Documents that are read at a time, unless one alone is larger: rows of a hostile name are long."""
_ONE: Final = "SELECT seq, ts_ns, document FROM records WHERE seq = ?"
_OF_KIND: Final = (
    "SELECT seq, ts_ns, document FROM records WHERE seq > (SELECT removed_seq FROM chain)"
    " AND kind = (SELECT id FROM names WHERE dimension = 1 AND text = ?) ORDER BY seq"
)
_ROW_BYTES: Final = 250
"""What a row takes beside its document, in the log and its share of the indexes included."""


class Store:
    """An open store; a context that closes it."""

    def __init__(self, connection: sqlite3.Connection, path: Path, lock: int | None) -> None:
        """Of a connection that `open` has made; `lock` is the descriptor of the writer's lock."""
        self.connection = connection
        """For modules of this package only."""
        self.path = path
        self._lock = lock
        self._file = _file_at(path)
        self._transactions = Transactions(connection, path)
        self._unpack = Unpacker(connection)
        self._writer: Writer | None = None
        self._checkpoints: Checkpoints | None = None
        if lock is not None:
            self._writer = Writer(self._transactions)
            self._checkpoints = Checkpoints(uri_of(path, WRITING), connection)

    @classmethod
    def open(cls, path: Path | str, *, read_only: bool = False) -> Self:
        """Open the store at `path`; unless `read_only`, make it where there is none.

        Raises:
            UnusableInput: The file is no store, is damaged, is of a newer version, or its place is not safe.
            MachineCannot: The system refuses, or another process writes to the store.
        """
        place = existing(Path(path)) if read_only else prepare(Path(path))
        lock = None if read_only else take_lock(place)
        connection = None
        try:
            connection = connect(place, read_only=read_only)
            return cls(connection, place, lock)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if lock is not None:
                os.close(lock)
            if isinstance(error, sqlite3.Error):
                raise refusal(error, place) from error
            raise

    # ------------------------------------------------------------------------------------------ writing

    def append(
        self,
        records: Sequence[Record],
        losses: Sequence[Loss] = (),
        *,
        host: str = "",
        also: Also | None = None,
    ) -> int:
        """Commit records and losses, all or nothing; returns how many were not known before.

        Args:
            records: In the order in which they are to be kept.
            losses: Are kept behind them.
            host: This host's name, for what is said of losses.
            also: What else is done in the same transaction, with its connection.

        Raises:
            MachineCannot: The disk is full, the file is damaged, or another process does not let go of it.
        """
        lost = [record_of_loss(loss, host) for loss in losses]
        new = self._writing.append([*records, *lost], also)
        if new and self._checkpoints is not None:
            self._checkpoints.wrote(self._writing.written_bytes + new * _ROW_BYTES)
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
            MachineCannot: The state is too large, the disk is full, the file is damaged, or another process
                does not let go of it. The earlier state is still there.
        """
        try:
            kept = packed(state)
        except ValueError as error:
            raise MachineCannot(
                f"the state of {name} cannot be saved: {error}",
                remedy="let it hold less: lower 'groups' and 'entries' of 'correlation' in the configuration",
            ) from error
        self._note(_SAVE, (name, saved_ns, PACKING, kept), "the earlier state is still there")
        if self._checkpoints is not None:
            self._checkpoints.wrote(len(kept))

    def mark(self, name: str, ns: int) -> None:
        """Remember a moment, nanoseconds since the Unix epoch, instead of the one that had that name.

        Raises:
            MachineCannot: As `append`.
        """
        self._note(_MARK, (name, ns))

    def save_cursor(
        self, sink: str, seq: int, saved_ns: int, *, rejected: Mapping[int, str] = MappingProxyType({})
    ) -> None:
        """Remember that a sink has had everything up to a row, but for what it has rejected.

        Args:
            sink: Its name.
            seq: The row.
            saved_ns: Now, nanoseconds since the Unix epoch.
            rejected: Rows that it will never take, and why; they are noted in the same transaction.

        Raises:
            MachineCannot: As `append`.
        """
        with self._transactions.begun(forced=False, kept="what was noted before stands"):
            letters = ((sink, number, reason, saved_ns) for number, reason in rejected.items())
            self.connection.executemany(_LETTER, letters)
            self.connection.execute(_CURSOR, (sink, seq, saved_ns))

    def reject(self, sink: str, seq: int, reason: str, failed_ns: int) -> None:
        """Remember that a sink will never take a row, and why.

        Raises:
            MachineCannot: As `append`.
        """
        self._note(_LETTER, (sink, seq, reason, failed_ns))

    def forgive(self, sink: str, numbers: Iterable[int]) -> None:
        """A sink has taken rows, after all, that it had rejected.

        Raises:
            MachineCannot: As `append`.
        """
        with self._transactions.begun(forced=False, kept="what was noted before stands"):
            self.connection.executemany(_FORGIVE, [(sink, number) for number in numbers])

    def force(self) -> Head:
        """See to it that all that is committed survives a power failure; returns the head that does.

        Raises:
            MachineCannot: As `append`.
        """
        head = self.head
        self._note(_MARK, ("forced", head.seq), forced=True)
        return head

    def close_block_if_old(self, now_ns: int) -> None:
        """Close the open block if it began a day ago; for whoever looks after the store.

        Raises:
            MachineCannot: As `append`.
        """
        self._writing.close_block_if_old(now_ns)

    def wrote(self, size: int) -> None:
        """What `also` of `append` did has made the log longer by about so many bytes."""
        if self._checkpoints is not None:
            self._checkpoints.wrote(size)

    def is_open(self, name: int) -> bool:
        """Whether a name, by its number, is in use without a posting: in the open block."""
        return self._writing.is_open(name)

    def forget_names(self) -> None:
        """Names were taken out of the store."""
        self._writing.forget_names()

    # ------------------------------------------------------------------------------------------ reading

    @property
    def head(self) -> Head:
        """The last row of the chain.

        Raises:
            UnusableInput: The file is damaged.
        """
        if self._writer is not None:
            return self._writer.head
        try:
            return head_of(self.connection)
        except sqlite3.Error as error:
            raise refusal(error, self.path) from error

    @property
    def is_in_its_place(self) -> bool:
        """Whether its path still leads to it: whoever moves another file there leaves it without a name."""
        return _file_at(self.path) == self._file

    @property
    def removed_seq(self) -> int:
        """Retention has removed the rows up to here: they do not exist, though some may still lie there.

        Raises:
            UnusableInput: The file is damaged.
        """
        row = next(self.rows("SELECT removed_seq FROM chain"), None)
        if row is None:
            raise damaged(self.path, "it does not say where its chain begins")
        return int(row[0])

    @property
    def identity(self) -> bytes:
        """What tells this store from all others: 16 bytes.

        Raises:
            UnusableInput: The file is damaged.
        """
        row = next(self.rows("SELECT store FROM chain"), None)
        if row is None:
            raise damaged(self.path, "it does not say which one it is")
        found: bytes = row[0]
        return found

    def load_state(self, name: str) -> tuple[int, bytes] | None:
        """When a part of the engine last saved its state, nanoseconds since the Unix epoch, and the state.

        None if it never has. A state that is no good any more is refused whenever it is asked for, until
        another one is saved: whoever asks may well begin anew.

        Raises:
            UnusableInput: The state is damaged, or of another version; or the whole file is damaged.
            MachineCannot: The system refuses.
        """
        row = next(self.rows(_LOAD, name), None)
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

    def marked(self, name: str) -> int | None:
        """A moment that was remembered; None if none was."""
        row = next(self.rows("SELECT ns FROM marks WHERE name = ?", name), None)
        return None if row is None else row[0]

    def cursor(self, sink: str) -> int | None:
        """Up to which row a sink has had everything; None if nobody has ever said."""
        row = next(self.rows("SELECT seq FROM cursors WHERE sink = ?", sink), None)
        return None if row is None else row[0]

    def cursors(self) -> dict[str, int]:
        """All of them."""
        return dict(self.rows("SELECT sink, seq FROM cursors ORDER BY sink"))

    def dead_letters(self, sink: str) -> dict[int, str]:
        """The rows that a sink will never take, and why."""
        return dict(self.rows("SELECT seq, reason FROM dead_letters WHERE sink = ? ORDER BY seq", sink))

    def records_after(
        self, seq: int, limit: int, *, until: int | None = None, kinds: Collection[Kind] | None = None
    ) -> list[StoredRecord]:
        """The rows that follow a number, at most `limit`, in order; fewer if their documents are large.

        Args:
            seq: The number.
            limit: Of rows.
            until: The last row that is looked at; None: the last there is. Who wants few of many rows bounds
                the time that it takes.
            kinds: Those that are wanted; None: all. Others are not even unpacked.

        Raises:
            UnusableInput: The file is damaged.
        """
        names = () if kinds is None else tuple(kind.value for kind in kinds)
        of_kinds = "" if kinds is None else _OF_KINDS.format(marks=", ".join("?" * len(names)))
        found: list[StoredRecord] = []
        room = _READ_BYTES
        query, last = _AFTER.format(of_kinds=of_kinds), _LAST_SEQ if until is None else until
        with contextlib.closing(self.rows(query, seq, last, *names, limit)) as rows:
            for row in rows:
                found.append(self._stored(row))
                room -= len(found[-1].raw)
                if room < 0:
                    break
        return found

    def read(self, numbers: Iterable[int]) -> list[StoredRecord]:
        """Rows by their numbers, in the order given; what is not there is left out.

        Raises:
            UnusableInput: The file is damaged.
        """
        return [self._stored(row) for number in numbers for row in self.rows(_ONE, number)]

    def records(self, kind: Kind) -> Iterator[StoredRecord]:
        """All records of a kind, in the order in which they were kept.

        Raises:
            UnusableInput: The file is damaged.
        """
        return (self._stored(row) for row in self.rows(_OF_KIND, kind.value))

    def losses(self) -> Iterator[Loss]:
        """All losses, in the order in which they were kept.

        Raises:
            UnusableInput: The file is damaged.
        """
        for record in self.records(Kind.ENGINE):
            loss = loss_of(record.document)
            if loss is not None:
                yield loss

    def rows(self, query: str, *values: object) -> Generator[Any, None, None]:
        """What a query finds; for modules of this package only.

        Raises:
            UnusableInput: The file is damaged.
            MachineCannot: The system refuses.
        """
        try:
            yield from self.connection.execute(query, values)
        except sqlite3.Error as error:
            raise refusal(error, self.path) from error
        except OverflowError as error:
            raise refusal(error, self.path) from error

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        if self._checkpoints is not None:
            self._checkpoints.close()
        if self._writer is not None:
            self._writer.close()
        self.connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    @property
    def _writing(self) -> Writer:
        if self._writer is None:
            raise MachineCannot(f"the store {self.path} is open for reading only", remedy="")
        return self._writer

    def _note(
        self,
        statement: str,
        values: tuple[object, ...],
        kept: str = "what was noted before stands",
        *,
        forced: bool = False,
    ) -> None:
        """One small transaction that is no row of the chain."""
        with self._transactions.begun(forced=forced, kept=kept):
            self.connection.execute(statement, values)

    def _stored(self, row: tuple[int, int, bytes]) -> StoredRecord:
        seq, ts_ns, frame = row
        try:
            return StoredRecord(seq=seq, ts_ns=ts_ns, raw=self._unpack(frame))
        except Damaged as error:
            raise unusable_file(
                "FA093",
                str(self.path),
                f"the document of row {seq} is damaged: {error}",
                "`verify` tells what else is; restore the file from a backup",
            ) from error


def _file_at(path: Path) -> tuple[int, int] | None:
    """What tells the file at a path from all others; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
