"""What moves committed pages from the log into the database, beside the writer and not in its way.

SQLite does this by itself, but within the commit that makes the log too long, and that one then takes a
hundred times as long as others. Here a thread with a connection of its own does it while the writer goes
on, and again for what came in the meantime, until that is little. The little that is then left the writer
moves itself, so that the log begins again from its start: nobody else can, while the writer goes on
writing.
"""

import contextlib
import sqlite3
import threading
from typing import Final

EVERY_BYTES: Final = 16 << 20
"""Of what was written, after which it is moved. A page that was written often in that time is moved once."""

LITTLE_PAGES: Final = 256
"""What the writer moves itself: a few milliseconds."""
ROUNDS: Final = 6
"""How often the thread goes on in a row, each time for what came during the last: less and less."""
TOO_LONG_PAGES: Final = 65_536
"""256 MiB: what is left of a log that has become so long the writer moves, rather than let it grow."""

_MOVE: Final = "PRAGMA wal_checkpoint(PASSIVE)"


class Checkpoints:
    """Moves the log of a store into its database.

    The thread is begun when it is first needed: one that is begun before the engine gives up its privileges
    would keep them.
    """

    def __init__(self, uri: str, writer: sqlite3.Connection) -> None:
        self._uri = uri
        self._writer = writer
        self._written = 0
        self._thread: threading.Thread | None = None
        self._wanted = threading.Event()
        self._moved = threading.Event()
        self._stopped = False

    def wrote(self, size: int) -> None:
        """The writer has committed about so many bytes."""
        self._written += size
        if self._moved.is_set():
            self._moved.clear()
            with contextlib.suppress(sqlite3.Error):  # of no consequence for what is committed
                self._writer.execute(_MOVE).fetchone()
        elif self._written >= EVERY_BYTES:
            self._written = 0
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
                self._thread.start()
            self._wanted.set()

    def close(self) -> None:
        """Wait for the thread."""
        if self._thread is not None:
            self._stopped = True
            self._wanted.set()
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._stopped:
                return
            # A full disk stops this, or too many open files; it is tried again when more has been written.
            with contextlib.suppress(sqlite3.Error):
                connection = sqlite3.connect(self._uri, uri=True, isolation_level=None)
                with contextlib.closing(connection):
                    self._move(connection)

    def _move(self, connection: sqlite3.Connection) -> None:
        """Move what there is, and what came meanwhile, until that is little."""
        log = before = 0
        for _ in range(ROUNDS):
            _, log, moved = connection.execute(_MOVE).fetchone()
            if moved - before < LITTLE_PAGES:
                self._moved.set()
                return
            before = moved
        if log > TOO_LONG_PAGES:
            self._moved.set()
