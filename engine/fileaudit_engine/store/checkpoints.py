"""What moves committed pages from the log into the database, beside the writer and not in its way.

SQLite does this by itself, but within the commit that makes the log too long, and that one then takes a
hundred times as long as others. Here a thread with a connection of its own does it while the writer goes
on. What came in the meantime the writer moves itself, which is little: then the log begins again from its
start.
"""

import contextlib
import sqlite3
import threading
from typing import Final

EVERY_BYTES: Final = 16 << 20
"""Of what was written, after which it is moved. A page that was written often in that time is moved once."""

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
        connection = sqlite3.connect(self._uri, uri=True, isolation_level=None)
        try:
            while True:
                self._wanted.wait()
                self._wanted.clear()
                if self._stopped:
                    return
                # A full disk stops this, too; it is tried again when more has been written.
                with contextlib.suppress(sqlite3.Error):
                    connection.execute(_MOVE).fetchone()
                    self._moved.set()
        finally:
            connection.close()
