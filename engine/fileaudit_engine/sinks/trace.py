"""File operations as they happen, one line each, in columns.

    TIME          OPERATION  OUTCOME  PROCESS              PID      TID  USER          FLAGS  PATH
    07:30:45.123  open       ok       cat                 4242     4242  alice         O_RDONLY  /etc/hostname
    07:30:45.124  open       EACCES   cat                 4242     4242  alice         O_RDONLY  /etc/shadow

A value that is wider than its column pushes the others to the right: a column is never worth a lost letter.
The path comes last, so that it may be as long as it is.
"""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, TextIO

from fileaudit_engine.detect.record import Record
from fileaudit_engine.events.flags import open_flag_names
from fileaudit_engine.events.model import FileEvent, Operation
from fileaudit_engine.events.wording import failure
from fileaudit_engine.sinks import output
from fileaudit_engine.sinks.base import Answer
from fileaudit_engine.sinks.output import Output, padded, painted
from fileaudit_engine.sinks.terminal import clock_of
from fileaudit_engine.text import printable

_TIME, _OPERATION, _OUTCOME, _PROCESS, _NUMBER, _USER, _FLAGS = 12, 11, 8, 15, 7, 12, 28

_STYLES: Final = {
    **dict.fromkeys((Operation.OPEN, Operation.READ), output.CYAN),
    **dict.fromkeys((Operation.WRITE, Operation.TRUNCATE), output.YELLOW),
    **dict.fromkeys(
        (Operation.CREATE, Operation.MKDIR, Operation.LINK, Operation.SYMLINK, Operation.RENAME), output.GREEN
    ),
    **dict.fromkeys((Operation.UNLINK, Operation.RMDIR, Operation.UMOUNT), output.RED),
    Operation.EXEC: output.BLUE,
}
"""By what becomes of the file; changes of its metadata, and mounts, are magenta."""


class TraceLines:
    """Prints the event of every record, below a line with the names of the columns.

    Attributes:
        output: The stream; its `gone` says why it takes nothing any more.
    """

    def __init__(self, stream: TextIO, *, color: bool, zone: tzinfo | None = None) -> None:
        """Print the header to `stream` at once: an empty screen would look like a hung command."""
        self.output = Output(stream)
        self._color = color
        self._zone = zone
        self.output.write(trace_header(color=color) + "\n")

    def deliver(self, records: Sequence[Record]) -> list[Answer]:
        """One line a record."""
        lines = [trace_line(record.event, color=self._color, zone=self._zone) for record in records]
        return self.output.answer("".join(f"{line}\n" for line in lines), records)

    def close(self) -> None:
        """Flush; the stream stays open."""
        self.output.close()


def trace_header(*, color: bool) -> str:
    """The names of the columns."""
    names = (
        "TIME".ljust(_TIME),
        "OPERATION".ljust(_OPERATION),
        "OUTCOME".ljust(_OUTCOME),
        "PROCESS".ljust(_PROCESS),
        "PID".rjust(_NUMBER),
        "TID".rjust(_NUMBER),
        "USER".ljust(_USER),
        "FLAGS".ljust(_FLAGS),
        "PATH",
    )
    return painted(" ".join(names), output.BOLD, color=color)


def trace_line(event: FileEvent, *, color: bool, zone: tzinfo | None = None) -> str:
    """One operation; times in `zone` (None: the local one)."""
    style = _STYLES.get(event.operation, output.MAGENTA)
    failed = failure(event)
    columns = (
        painted(clock_of(event.ts_ns, zone), output.DIM, color=color),
        painted(padded(event.operation.value, _OPERATION), style, color=color),
        painted(padded(failed or "ok", _OUTCOME), output.RED if failed else output.DIM, color=color),
        padded(_process(event), _PROCESS),
        _number(event.process.pid),
        _number(event.thread_id),
        padded(_user(event), _USER),
        painted(padded(_flags(event), _FLAGS), output.DIM, color=color),
        painted(_path(event), output.BOLD, color=color),
    )
    return " ".join(columns)


def _process(event: FileEvent) -> str:
    return printable(event.process.name or (event.process.executable or "?").rpartition("/")[2])


def _number(value: int | None) -> str:
    return ("-" if value is None else str(value)).rjust(_NUMBER)


def _user(event: FileEvent) -> str:
    if event.user_name is not None:
        return printable(event.user_name)
    return "-" if event.user_id is None else str(event.user_id)


def _flags(event: FileEvent) -> str:
    if event.flags is None:
        return "-"
    opened = event.operation in {Operation.OPEN, Operation.CREATE}
    return "|".join(open_flag_names(event.flags)) if opened else hex(event.flags)


def _path(event: FileEvent) -> str:
    return printable(event.path or event.asked_path or "-")
