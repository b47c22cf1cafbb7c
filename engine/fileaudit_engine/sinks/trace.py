"""File operations as they happen, one line each, in columns.

    TIME         OPERATION   OUTCOME PROCESS             PID     TID USER     DETAIL    PATH
    07:30:45.123 open        ok      cat                4242    4242 alice    O_RDONLY  /etc/hostname
    07:30:45.124 open        EACCES  cat                4242    4242 alice    O_RDONLY  /etc/shadow
    07:30:45.126 rename      ok      mv                 4243    4243 alice    -         /a -> /b

The colour of an operation says what becomes of the file: green makes one, red takes one away, yellow gives it
another name, magenta changes what it is, blue writes into it, cyan looks at it. A value that is wider than
its column pushes the others to the right: a column is never worth a lost letter. The path comes last, so
that it may be as long as it is; what else is to be known of it follows behind two blanks (`trace_words`).
"""

import functools
from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, TextIO

from fileaudit_engine.events.model import FileEvent, Operation
from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.events.wording import failure
from fileaudit_engine.sinks import output
from fileaudit_engine.sinks.output import BOLD, Output, padded, painted
from fileaudit_engine.sinks.terminal_words import moment_of
from fileaudit_engine.sinks.trace_words import detail_of, files_of, notes_of
from fileaudit_engine.text import printable

_TIME, _OPERATION, _OUTCOME, _PROCESS, _NUMBER, _USER, _DETAIL = 12, 11, 7, 15, 7, 8, 30
"""Widths that usual values fit: the kernel has 15 bytes for a process's name and 7 digits for its id."""

_STYLES: Final = {
    **dict.fromkeys((Operation.CREATE, Operation.MKDIR, Operation.SYMLINK, Operation.LINK), output.GREEN),
    **dict.fromkeys((Operation.UNLINK, Operation.RMDIR), output.RED),
    Operation.RENAME: output.YELLOW,
    **dict.fromkeys((Operation.MOUNT, Operation.UMOUNT), f"{BOLD};{output.YELLOW}"),
    Operation.WRITE: f"{BOLD};{output.BLUE}",
    **dict.fromkeys((Operation.OPEN, Operation.READ), output.CYAN),
    Operation.EXEC: f"{BOLD};{output.CYAN}",
}
"""By what becomes of the file; whatever is not here changes what the file is, and is magenta."""


class TraceLines:
    """Prints events below a line with the names of the columns.

    Attributes:
        output: The stream; its `gone` says why it takes nothing any more.
    """

    def __init__(self, stream: TextIO, *, color: bool, zone: tzinfo | None = None) -> None:
        """Print the header to `stream` at once: an empty screen would look like a hung command."""
        self.output = Output(stream)
        self._color = color
        self._zone = zone
        self.output.write(trace_header(color=color) + "\n")

    def show(self, events: Sequence[FileEvent]) -> None:
        """One line an event."""
        lines = [trace_line(event, color=self._color, zone=self._zone) for event in events]
        self.output.write("".join(f"{line}\n" for line in lines))


def style_of(operation: Operation) -> str:
    """The colour that says what becomes of the file."""
    return _STYLES.get(operation, output.MAGENTA)


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
        "DETAIL".ljust(_DETAIL),
        "PATH",
    )
    return painted(" ".join(names), BOLD, color=color)


def trace_line(event: FileEvent, *, color: bool, zone: tzinfo | None = None) -> str:
    """One operation; times in `zone` (None: the local one)."""
    style = style_of(event.operation)
    failed = failure(event)
    columns = (
        painted(_clock(event.ts_ns, zone), output.DIM, color=color),
        painted(padded(event.operation.value, _OPERATION), style, color=color),
        painted(padded(failed or "ok", _OUTCOME), output.RED if failed else output.DIM, color=color),
        padded(_process(event), _PROCESS),
        _number(event.process.pid),
        _number(event.thread_id),
        padded(_user(event), _USER),
        painted(padded(detail_of(event, zone), _DETAIL), output.DIM, color=color),
        _end(event, style, color=color),
    )
    return " ".join(columns)


def _clock(ts_ns: int, zone: tzinfo | None) -> str:
    """The time of day, to the millisecond: `07:30:45.123`."""
    return f"{_second(ts_ns // SECOND_NS, zone)}.{ts_ns % SECOND_NS // 1_000_000:03d}"


@functools.lru_cache(maxsize=64)
def _second(second: int, zone: tzinfo | None) -> str:
    """Events come many to the second; the calendar is asked once for each."""
    return f"{moment_of(second * SECOND_NS, zone):%H:%M:%S}"


def _end(event: FileEvent, style: str, *, color: bool) -> str:
    """The files, then the notes."""
    arrow = painted(" -> ", style, color=color)
    files = arrow.join(painted(name, BOLD, color=color) for name in files_of(event))
    return "  ".join((files, *(painted(note, output.DIM, color=color) for note in notes_of(event))))


def _process(event: FileEvent) -> str:
    return printable(event.process.name or (event.process.executable or "?").rpartition("/")[2])


def _number(value: int | None) -> str:
    return ("-" if value is None else str(value)).rjust(_NUMBER)


def _user(event: FileEvent) -> str:
    if event.user_name is not None:
        return printable(event.user_name)
    return "-" if event.user_id is None else str(event.user_id)
