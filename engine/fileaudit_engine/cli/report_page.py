"""A report as sections, sentences, tables and charts, before it is laid out.

The terminal and the HTML page show the same content; they differ in layout only. Every text in here is
printable: names had all escaped that acts on a terminal, turns text around or cannot be seen. The HTML page
escapes its own characters besides, at the one place where it is written.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.runtime.report_data import Finding
from fileaudit_engine.sinks.terminal_words import length_words
from fileaudit_engine.text import from_document, printable

NO_VALUE: Final = "-"
"""What stands in a cell that says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its head.
        number: Whether it holds numbers: to be set right.
        name: Whether it holds names that come from elsewhere.
        toned: Whether its words are a level or a state, which have colours.
        prose: Whether it holds sentences: for the last column of a table on a terminal.
    """

    title: str
    number: bool = False
    name: bool = False
    toned: bool = False
    prose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells.

    Attributes:
        caption: What it shows.
        columns: Its columns.
        rows: A text for each column.
        rest: What is not in it; empty: it is complete.
        empty: What to say where it has no rows.
        weights: A number for each row, for bars beside them; empty: no bars.
        of_chart: Whether it holds the figures of a chart: a terminal shows the chart only.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    rest: str = ""
    empty: str = "none"
    weights: Sequence[int] = ()
    of_chart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars, each of one part a series.

    Attributes:
        caption: What it shows.
        series: Name and tone of each part.
        points: Label and parts of each bar.
        upright: Whether the bars stand, for what goes on in time; else they lie, each with its label.
        summary: The chart in words, for those who do not see it.
    """

    caption: str
    series: Sequence[tuple[str, str]]
    points: Sequence[tuple[str, Sequence[int]]]
    upright: bool
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A stretch of time with holes in it.

    Attributes:
        caption: What it shows.
        holes: Beginning and end of each, between 0 and 1, and what it is.
        ends: What stands below its two ends.
        summary: As of `Chart`.
    """

    caption: str
    holes: Sequence[tuple[float, float, str]]
    ends: tuple[str, str]
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the report.

    Attributes:
        key: Its name in the JSON, and its anchor.
        title: Its heading.
        facts: Pairs of what and how much.
        sentences: What else is to be said, or how to read it.
        figures: Charts, each before the table that has its figures.
        tables: The tables.
    """

    key: str
    title: str
    facts: Sequence[tuple[str, str]] = ()
    sentences: Sequence[str] = ()
    figures: Sequence[Chart | Strip] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole of it."""

    title: str
    facts: Sequence[tuple[str, str]]
    findings: Sequence[Finding]
    sections: Sequence[Section]


def shown(name: str) -> str:
    """A name of a document, printable."""
    return printable(from_document(name))


def number(value: int) -> str:
    """`1,204,332`."""
    return f"{value:,}"


def clock(time: str | None) -> str:
    """`2026-11-28 14:30:00`: to the second, without the zone, which is UTC everywhere."""
    return NO_VALUE if time is None else f"{time[:10]} {time[11:19]}"


def length(seconds: float) -> str:
    """`2 d 3 h`, `4 m 10 s`, `0.5 s`."""
    return length_words(int(seconds * SECOND_NS))


def percent(value: float | None) -> str:
    """`99.98 %`: rounded down, so that only all is a hundred."""
    return "unknown" if value is None else f"{math.floor(value * 100 + 1e-9) / 100:.2f} %"


def rest(shown_rows: int, all_rows: int, noun: str) -> str:
    """What a table leaves out."""
    more = all_rows - shown_rows
    return "" if more <= 0 else f"{number(more)} more {noun if more == 1 else noun + 's'} not shown"
