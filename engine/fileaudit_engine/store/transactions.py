"""Transactions of the one writer of a store: whole or not at all, forced to the disk or not."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from fileaudit_engine.diagnostics import MachineCannot


class Transactions:
    """Makes the transactions of a connection."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path
        self._forced: bool | None = None
        """Whether the next commit is forced to the disk; None: not set yet."""

    @contextlib.contextmanager
    def begun(self, *, forced: bool, kept: str = "what was committed stays") -> Iterator[None]:
        """A transaction that ends with the block: committed, or rolled back if anything is raised.

        Args:
            forced: Whether the commit waits until the disk has it, and all that was committed before.
            kept: What is to be said of what is there after a failure.

        Raises:
            MachineCannot: The disk is full, the file is damaged, or another process does not let go of it.
        """
        connection = self.connection
        try:
            if self._forced is not forced:  # takes effect outside of transactions only
                connection.execute(f"PRAGMA synchronous = {'FULL' if forced else 'NORMAL'}")
                self._forced = forced
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise _failure(error, self.path, kept) from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _failure(error: sqlite3.Error, path: Path, kept: str) -> MachineCannot:
    return MachineCannot(
        f"the store {path} cannot be written: {error}",
        remedy=f"free some space or repair the file; {kept}",
    )
