"""Tables of processes and files, as wide as they need or as wide as a screen is.

    PROCESS      PID USER    OPS  OPENS  READS     READ  WRITES  WRITTEN  ALERTS  PROGRAM
    tar         4227 alice 1,204     12    900  3.1 MiB     292        -       1  /usr/bin/tar

On paper (a pipe, a file) numbers are exact, columns as wide as their values, and nothing is cut. A screen
has room for so much: numbers are short there, columns that matter least are left out, and what is cut is
cut with an ellipsis; of a path the end stays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic

from fileaudit_engine.cli.filters import GROUPS
from fileaudit_engine.events.model import Operation
from fileaudit_engine.runtime.activity import Actor, Item, Row, Rows, S
from fileaudit_engine.runtime.counts import Counts
from fileaudit_engine.sinks.output import padded, width
from fileaudit_engine.sinks.trace_words import name_of, size_words
from fileaudit_engine.text import counted

_MOST: Final = 24
"""Width that a column grows to on paper; a longer value pushes those behind it in its own line."""
_LAST: Final = 16
"""Columns of a screen below which the last column is not worth its place."""
_SHORT: Final = ("", "K", "M", "G", "T", "P", "E")
_ELLIPSIS: Final = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[S]):
    """A column.

    Attributes:
        title: What stands above it.
        text: What a subject has there; None for numbers.
        number: What counts have there.
        size: Whether the number is one of bytes.
        right: Whether values stand at its right end.
        main: Whether it is the one that names the subject.
        width: Its width on a screen.
        rank: On a screen that is too narrow the highest ranks are left out.
    """

    title: str
    text: Callable[[S], str] | None = None
    number: Callable[[Counts], int] | None = None
    size: bool = False
    right: bool = False
    main: bool = False
    width: int = 6
    rank: int = 0


def _number(
    title: str, number: Callable[[Counts], int], *, rank: int = 0, size: bool = False, width: int = 6
) -> "Column[S]":
    return Column(title=title, number=number, rank=rank, size=size, right=True, width=width)


def _sums() -> "list[Column[S]]":
    """The numbers that processes and files have alike."""
    return [
        _number("OPS", lambda c: c.operations),
        _number("OPENS", lambda c: c.of(Operation.OPEN), rank=3),
        _number("READS", lambda c: c.reads),
        _number("READ", lambda c: c.read_bytes, size=True, width=7),
        _number("WRITES", lambda c: c.writes),
        _number("WRITTEN", lambda c: c.written_bytes, size=True, width=7),
    ]


def _changes() -> "list[Column[S]]":
    """What was done to files, as `--op` has words for it."""
    return [
        _number("MADE", lambda c: c.of(*GROUPS["make"]), rank=4),
        _number("DELETED", lambda c: c.of(*GROUPS["delete"]), rank=4, width=7),
        _number("RENAMED", lambda c: c.of(Operation.RENAME), rank=5, width=7),
        _number("CHANGED", lambda c: c.of(*GROUPS["change"]), rank=5, width=7),
    ]


def _trouble() -> "list[Column[S]]":
    return [_number("FAILED", lambda c: c.failed, rank=2), _number("ALERTS", lambda c: c.alerts)]


def process_name(actor: Actor) -> str:
    """The kernel's name for it; where that is not known, its program's."""
    return name_of(actor.name or (actor.executable or "?").rpartition("/")[2])


def user_of(actor: Actor) -> str:
    """The user's name, or the number where there is no name."""
    if actor.user_name is not None:
        return name_of(actor.user_name)
    return "-" if actor.user_id is None else str(actor.user_id)


PROCESSES: Final[Sequence[Column[Actor]]] = (
    Column(title="PROCESS", text=process_name, width=15, main=True),
    Column(title="PID", text=lambda actor: str(actor.pid), right=True, width=7),
    Column(title="USER", text=user_of, width=8, rank=1),
    *_sums(),
    *_changes(),
    *_trouble(),
    Column(title="PROGRAM", text=lambda actor: name_of(actor.executable or "-"), width=_LAST, rank=3),
)

FILES: Final[Sequence[Column[Item]]] = (
    *_sums(),
    *_trouble(),
    Column(title="BY", text=lambda item: process_name(item.actor), width=15, rank=1),
    Column(title="PATH", text=lambda item: name_of(item.path or "-"), width=_LAST, main=True),
)


def paper_table(columns: Sequence[Column[S]], rows: Rows[S]) -> list[str]:
    """Header, rows, and a line for all the others where there are some; nothing is cut."""
    lines = [[column.title for column in columns]]
    lines += [[_cell(column, row, exact=True) for column in columns] for row in rows.rows]
    if rows.others:
        name = counted(rows.others, "other")
        lines.append(
            [_value(c, rows.rest, exact=True) if c.number else name if c.main else "" for c in columns]
        )
    widths = [max(min(_MOST, width(line[at])) for line in lines) for at in range(len(columns))]
    return [_joined(columns, line, widths) for line in lines]


def screen_table(columns: Sequence[Column[S]], rows: Rows[S], room: int) -> list[str]:
    """Header and rows, none of them wider than `room`."""
    chosen = fitting(columns, room)
    widths = [column.width for column in chosen]
    if not chosen[-1].right:
        widths[-1] = max(widths[-1], room - sum(widths[:-1]) - len(widths) + 1)
    lines = [[column.title for column in chosen]]
    lines += [[_cell(column, row, exact=False) for column in chosen] for row in rows.rows]
    cut = [
        [
            clipped_start(cell, wide) if column is chosen[-1] else clipped(cell, wide)
            for column, cell, wide in zip(chosen, line, widths, strict=True)
        ]
        for line in lines
    ]
    return [clipped(_joined(chosen, line, widths), room) for line in cut]


def fitting(columns: Sequence[Column[S]], room: int) -> Sequence[Column[S]]:
    """The columns that a screen of this width has room for."""
    chosen = list(columns)
    while sum(column.width + 1 for column in chosen) - 1 > room:
        last = max(column.rank for column in chosen)
        if not last:
            break
        chosen = [column for column in chosen if column.rank < last]
    return chosen


def clipped(text: str, room: int) -> str:
    """The text, its end cut off where there is no room for it."""
    if width(text) <= room:
        return text
    while text and width(text) >= room:
        text = text[: min(len(text) - 1, room)]
    return text + _ELLIPSIS if room else ""


def clipped_start(text: str, room: int) -> str:
    """The text, its beginning cut off where there is no room for it."""
    if width(text) <= room:
        return text
    while text and width(text) >= room:
        text = text[max(1, len(text) - room) :]
    return _ELLIPSIS + text if room else ""


def short(number: int) -> str:
    """A number in at most six characters up to a million millions of millions: `99999`, `123.5K`, `1.2M`."""
    if number < 100_000:
        return str(number)
    return _scaled(number, 1_000)


def short_size(size: int) -> str:
    """Bytes in at most seven characters: `512`, `4.0K`, `1.5G` (powers of 1,024)."""
    return str(size) if size < 1_024 else _scaled(size, 1_024)


def _scaled(number: int, step: int) -> str:
    scaled, unit = float(number), 0
    while scaled >= step - 0.05 and unit < len(_SHORT) - 1:
        scaled /= step
        unit += 1
    return f"{scaled:.1f}{_SHORT[unit]}"


def _cell(column: Column[S], row: Row[S], *, exact: bool) -> str:
    if column.text is not None:
        return column.text(row.subject)
    return _value(column, row.counts, exact=exact)


def _value(column: Column[S], counts: Counts, *, exact: bool) -> str:
    number = column.number(counts) if column.number else 0
    if not number:
        return "-"  # most are: a table full of zeros hides the others
    if column.size:
        return size_words(number) if exact else short_size(number)
    return f"{number:,}" if exact else short(number)


def _joined(columns: Sequence[Column[S]], cells: Sequence[str], widths: Sequence[int]) -> str:
    """Texts to the left, numbers to the right, one blank between."""
    parts = [
        cell.rjust(wide) if column.right else padded(cell, wide)
        for column, cell, wide in zip(columns, cells, widths, strict=True)
    ]
    return " ".join(parts).rstrip()
