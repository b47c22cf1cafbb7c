"""Records for people, one aligned line each, and more of each if that is asked for.

    TIME (UTC)                KIND      OPERATION OUTCOME USER   PROCESS    RULE              PATH 2026-11-28
    07:30:45.123   audit     open      ok      alice  vim[4711]  home_directories  /home/alice/notes
    2026-11-28 07:30:46.004 ▌ HIGH      open      EACCES  alice  cat[4242]  shadow_file_read  /etc/shadow

Columns are as wide as what has been shown so far needs, within bounds; what is wider pushes the rest to the
right. The path comes last and is never cut. Names are shown by `text.printable`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timezone
from typing import Any, Final

from fileaudit_engine.cli.query_rows import Row, row_of
from fileaudit_engine.events.model import Operation
from fileaudit_engine.sinks import output
from fileaudit_engine.sinks.output import BOLD, DIM, padded, painted, width
from fileaudit_engine.sinks.terminal import BAR_STYLES, LEVEL_STYLES
from fileaudit_engine.sinks.terminal_words import clock_of, moment_of
from fileaudit_engine.sinks.trace import style_of
from fileaudit_engine.sinks.trace_words import name_of
from fileaudit_engine.store.stored import StoredRecord
from fileaudit_engine.text import from_document

_BAR: Final = "▌"
_TIME: Final = 23
_NAMES: Final = ("KIND", "OPERATION", "OUTCOME", "USER", "PROCESS", "RULE")
_WIDEST: Final = (13, 20, 12, 16, 28, 32)
"""How wide the columns may become: one long name must not leave the others a terminal apart."""
_OPERATIONS: Final = frozenset(operation.value for operation in Operation)
_KINDS: Final = {"event": "audit", "engine": "engine"}


class Lines:
    """Makes lines of records."""

    def __init__(self, *, color: bool, details: bool = False) -> None:
        """In colours or without; with `details` further lines follow each."""
        self._color = color
        self._details = details
        self._widths = [
            max(len(name), least) for name, least in zip(_NAMES, (9, 9, 7, 5, 12, 16), strict=True)
        ]
        self._begun = False

    def of(self, records: Sequence[StoredRecord]) -> str:
        """The lines of some records; before the first of all the names of the columns."""
        rows = [row_of(record) for record in records]
        shown = [self._columns(row) for row in rows]
        for columns in shown:
            pairs = zip(columns, self._widths, _WIDEST, strict=True)
            self._widths = [max(before, min(width(text), most)) for (text, _), before, most in pairs]
        lines = [] if self._begun else [self._header()]
        self._begun = True
        for row, columns in zip(rows, shown, strict=True):
            lines.append(self._line(row, columns))
            if self._details:
                lines += self._more(row)
        return "".join(f"{line}\n" for line in lines)

    def _header(self) -> str:
        names = (padded(name, columns) for name, columns in zip(_NAMES, self._widths, strict=True))
        return self._paint(f"{'TIME (UTC)'.ljust(_TIME)}   {' '.join(names)} PATH", BOLD)

    def _columns(self, row: Row) -> list[tuple[str, str]]:
        """What stands in the columns, and in which style."""
        alert = row.kind == "alert"
        kind = row.level.upper() if alert else _KINDS.get(row.kind, row.kind)
        process = _shown(row.process or row.executable.rpartition("/")[2])
        failed = row.error or ("failed" if row.outcome == "failure" else "")
        return [
            (_shown(kind), LEVEL_STYLES.get(row.level, BOLD) if alert else DIM),
            (_shown(row.operation), _style_of(row.operation)),
            (_shown(failed or ("ok" if row.outcome == "success" else "")), output.RED if failed else DIM),
            (_shown(row.user), ""),
            (f"{process}[{row.pid}]" if row.pid else process, ""),
            (_shown(row.rule), BOLD if alert else DIM),
        ]

    def _line(self, row: Row, columns: Sequence[tuple[str, str]]) -> str:
        moment = f"{moment_of(row.ts_ns, timezone.utc):%Y-%m-%d} {clock_of(row.ts_ns, timezone.utc)}"
        bar = self._paint(_BAR, BAR_STYLES.get(row.level, BOLD)) if row.kind == "alert" else " "
        cells = (
            self._paint(text, style) + " " * max(0, columns - width(text))
            for (text, style), columns in zip(columns, self._widths, strict=True)
        )
        return f"{self._paint(moment, DIM)} {bar} {' '.join(cells)} {self._end(row)}"

    def _end(self, row: Row) -> str:
        """The files; of what is not about one, what happened."""
        if row.tells or not row.path:
            return self._paint(_shown(row.message), BOLD if row.kind == "alert" else "")
        path = self._paint(_shown(row.path), BOLD)
        if not row.other_path:
            return path
        other = _shown(row.other_path)
        if row.operation in {Operation.RENAME.value, Operation.LINK.value}:
            return f"{self._paint(other, BOLD)} {self._paint('->', DIM)} {path}"
        return f"{path}  {self._paint(f'(also {other})', DIM)}"

    def _more(self, row: Row) -> Iterator[str]:
        """What else the document says, a line each."""
        for name, text in _details(row.document):
            yield f"{' ' * _TIME}   {self._paint(name.ljust(9), DIM)} {text}"
        yield f"{' ' * _TIME}   {self._paint('record'.ljust(9), DIM)} {_shown(row.id)}  row {row.seq}"

    def _paint(self, text: str, style: str) -> str:
        return painted(text, style, color=self._color)


def _details(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a line has no room for, as far as there is any of it."""
    member = _Members(document)
    found = {
        "rule": member.text("rule.name"),
        "told": member.text("message"),
        "program": member.text("process.executable"),
        "command": member.text("process.command_line"),
        "folder": member.text("process.working_directory"),
        "parent": member.text("process.parent.executable") or member.text("process.parent.name"),
        "user": member.pairs(("", "user.name"), ("uid", "user.id"), ("login", "fileaudit.login_user.name")),
        "session": member.text("fileaudit.session_id"),
        "container": member.pairs(
            ("", "container.name"), ("id", "container.id"), ("image", "container.image.name")
        ),
        "asked for": member.text("fileaudit.asked_path"),
        "host": member.text("host.name"),
    }
    return ((name, text) for name, text in found.items() if text)


class _Members:
    """Members of a document as words that do nothing to a terminal."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def text(self, name: str) -> str:
        found: Any = self._document
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return "" if found is None or isinstance(found, dict) else _shown(str(found))

    def pairs(self, *names: tuple[str, str]) -> str:
        words = ((label, self.text(name)) for label, name in names)
        return "  ".join(f"{label} {text}".strip() for label, text in words if text)


def _style_of(operation: str) -> str:
    return style_of(Operation(operation)) if operation in _OPERATIONS else ""


def _shown(text: str) -> str:
    return name_of(from_document(text)) if text else ""
