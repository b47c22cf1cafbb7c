"""A report for the terminal: findings first, then every section, figures right, names last.

Names stand in the last column, so that a long one runs over the edge and disturbs nothing.
"""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from fileaudit_engine.cli.report_page import Chart, Column, Page, Section, Strip, Table
from fileaudit_engine.sinks.output import (
    BOLD,
    CYAN,
    DIM,
    GREEN,
    RED,
    WHITE_ON_RED,
    YELLOW,
    padded,
    painted,
    width,
)

_WIDTH: Final = 110
"""Columns of prose; a table may be wider."""
_BAR: Final = 16
"""Columns of the longest bar."""
_LONGEST: Final = 240
"""Characters of a name."""
_STRIP: Final = 72
_PARTS: Final = " ▏▎▍▌▋▊▉█"
_HEIGHTS: Final = "▁▂▃▄▅▆▇█"
_TONES: Final = {
    "critical": WHITE_ON_RED,
    "high": RED,
    "medium": YELLOW,
    "low": CYAN,
    "bad": RED,
    "note": YELLOW,
    "good": GREEN,
    "nothing ran": RED,
    "no trail ran": RED,
    "seen": GREEN,
}


def pretty(page: Page, *, color: bool) -> Iterator[str]:
    """The page, line by line, without line ends."""
    yield painted(page.title, BOLD, color=color)
    yield from _facts(page.facts, color=color)
    yield ""
    for finding in page.findings:
        mark = painted("▌", _TONES[finding.weight], color=color)
        yield from _wrapped(finding.text, f"{mark} ", "  ")
    for section in page.sections:
        yield ""
        yield from _section(section, color=color)


def _section(section: Section, *, color: bool) -> Iterator[str]:
    yield painted(f"── {section.title} ".ljust(_WIDTH, "─"), BOLD, color=color)
    yield from _facts(section.facts, color=color)
    for sentence in section.sentences:
        yield from (painted(line, DIM, color=color) for line in _wrapped(sentence, "", ""))
    for figure in section.figures:
        drawn = _strip(figure, color=color) if isinstance(figure, Strip) else _chart(figure, color=color)
        yield from _apart(drawn)
    shown = [table for table in section.tables if not table.of_chart]
    for table in shown:
        if section.facts or section.sentences or len(shown) > 1:
            yield ""
        if len(shown) > 1 and table.rows:
            yield painted(table.caption, BOLD, color=color)
        yield from _table(table, color=color)


def _apart(lines: Iterator[str]) -> Iterator[str]:
    """The lines behind an empty one; nothing if there are none."""
    for index, line in enumerate(lines):
        if index == 0:
            yield ""
        yield line


def _facts(facts: Sequence[tuple[str, str]], *, color: bool) -> Iterator[str]:
    columns = max((width(label) for label, _ in facts), default=0)
    for label, value in facts:
        yield f"{painted(padded(label, columns), DIM, color=color)}  {value}"


def _wrapped(text: str, first: str, others: str) -> list[str]:
    """Prose in lines; a word that is longer than a line stays whole."""
    lines = textwrap.wrap(text, _WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return [f"{others if index else first}{line}" for index, line in enumerate(lines)]


# --- tables ------------------------------------------------------------------------------------------------


def _table(table: Table, *, color: bool) -> Iterator[str]:
    if not table.rows:
        yield painted(table.empty, DIM, color=color)
        return
    widths = [
        max(width(column.title), *(width(row[index]) for row in table.rows))
        for index, column in enumerate(table.columns)
    ]
    head = [_cell(column.title, column, size) for column, size in zip(table.columns, widths, strict=True)]
    blank = [" " * _BAR] if table.weights else []
    yield painted("  ".join([head[0], *blank, *head[1:]]).rstrip(), DIM, color=color)
    most = max(table.weights, default=0)
    for index, row in enumerate(table.rows):
        bar = [_bar(table.weights[index], most)] if table.weights else []
        yield from _row(row, table.columns, widths, bar, color=color)
    if table.rest:
        yield painted(table.rest, DIM, color=color)


def _short(name: str) -> str:
    """A command line may have a thousand characters; the JSON has them all."""
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"


def _row(
    row: Sequence[str], columns: Sequence[Column], widths: Sequence[int], bar: Sequence[str], *, color: bool
) -> Iterator[str]:
    cells = [
        painted(_cell(text, column, size), _TONES.get(text, "") if column.toned else "", color=color)
        for text, column, size in zip(row[:-1], columns, widths, strict=False)
    ]
    start = [*cells[:1], *bar, *cells[1:]]
    if not columns[-1].prose:
        last = _cell(row[-1], columns[-1], widths[-1]).rstrip() if columns[-1].number else _short(row[-1])
        yield "  ".join([*start, last]).rstrip()
        return
    indent = sum(widths[:-1]) + 2 * (len(columns) - 1)
    first, *others = textwrap.wrap(row[-1], max(40, _WIDTH - indent), break_long_words=False) or [""]
    yield "  ".join([*start, first])
    yield from (f"{' ' * indent}{line}" for line in others)


def _cell(text: str, column: Column, size: int) -> str:
    return " " * (size - width(text)) + text if column.number else padded(text, size)


def _bar(value: int, most: int) -> str:
    """A bar in eighths of a column; what is there at all can be seen."""
    eighths = max(1, value * _BAR * 8 // most) if value and most else 0
    return (_PARTS[8] * (eighths // 8) + _PARTS[eighths % 8].strip()).ljust(_BAR)


# --- figures -----------------------------------------------------------------------------------------------


def _chart(chart: Chart, *, color: bool) -> Iterator[str]:
    """What goes on in time as one line of small bars; of others the table beside them says all."""
    sums = [sum(parts) for _, parts in chart.points]
    most = max(sums, default=0)
    if not chart.upright or len(sums) < 2 or not most:
        return
    line = "".join(_HEIGHTS[-(-value * 8 // most) - 1] if value else " " for value in sums)
    yield painted(chart.caption, DIM, color=color)
    for start in range(0, len(line), _WIDTH - 2):
        yield f"  {line[start : start + _WIDTH - 2]}".rstrip()
    yield from _wrapped(chart.summary, "  ", "  ")


def _strip(strip: Strip, *, color: bool) -> Iterator[str]:
    cells = ["█"] * _STRIP
    for start, end, _ in strip.holes:
        for index in range(
            int(start * _STRIP), min(_STRIP, max(int(start * _STRIP) + 1, -int(-end * _STRIP // 1)))
        ):
            cells[index] = "░"
    tones = {"█": GREEN, "░": RED}
    yield "  " + "".join(painted(cell, tones[cell], color=color) for cell in cells)
    first, last = strip.ends
    yield "  " + painted(
        f"{first}{' ' * max(1, _STRIP - width(first) - width(last))}{last}", DIM, color=color
    )
