r"""Records as CSV (RFC 4180): a line of names, then one a record, each ended by CR LF.

Spreadsheets take a cell that begins with `=`, `+`, `-` or `@` for a formula, whether it is quoted or not: a
file's name could run one. Such a cell gets an apostrophe in front. Characters that act on a terminal or break
lines are written as `\xNN` or `\uNNNN`, so that a record is always one line.
"""

import csv
import io
from collections.abc import Sequence
from typing import Final

from fileaudit_engine.cli.query_rows import row_of
from fileaudit_engine.store.stored import StoredRecord
from fileaudit_engine.text import printable

COLUMNS: Final = (
    *("time", "kind", "level", "rule", "operation", "outcome", "error", "user", "login_user", "process"),
    *("executable", "pid", "command", "path", "other_path", "container", "host", "message", "id", "seq"),
)
_FORMULAS: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""What a formula begins with; the wide forms, too, which some programs take for the others."""


class Table:
    """Makes lines of CSV of records."""

    def __init__(self) -> None:
        self._begun = False

    def of(self, records: Sequence[StoredRecord]) -> str:
        """The lines of some records; before the first of all the names of the columns."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        if not self._begun:
            writer.writerow(COLUMNS)
        self._begun = True
        for record in records:
            row = row_of(record)
            writer.writerow([cell(str(getattr(row, name))) for name in COLUMNS])
        return text.getvalue()


def cell(text: str) -> str:
    """A text for one cell: nothing in it acts, neither here nor in a spreadsheet."""
    shown = text if text.isprintable() and text.isascii() else _escaped(text)
    return f"'{shown}" if shown.startswith(_FORMULAS) else shown


def _escaped(text: str) -> str:
    """As `printable`, but a backslash stays one: texts of documents have their escapes already."""
    return "\\".join(map(printable, text.split("\\")))
