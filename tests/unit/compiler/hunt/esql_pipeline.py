"""What a whole query for a correlation makes of rows: the commands that such queries have, one a line."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from tests.unit.compiler.hunt.esql_reader import Row, checked_name, where

_FROM: Final = re.compile(r"FROM [a-z.*-]+ METADATA _ignored")
_MARK: Final = re.compile(r"\| EVAL (\w+) = COALESCE\((.*), false\)")
_WINDOWS: Final = re.compile(
    r"\| EVAL window = MV_APPEND\(DATE_TRUNC\((?P<span>\d+ \w+), @timestamp\), "
    r"DATE_TRUNC\((?P=span), @timestamp\) - (?P=span)\) \| MV_EXPAND window"
)
_VALUE: Final = re.compile(
    r"\| EVAL (\w+) = COALESCE\(TO_STRING\(([\w.]+)\), CASE\((.*), (fileaudit\.event_id), NULL\)\)"
)
_STATS: Final = re.compile(r"\| STATS (.*) BY (.*)")
_ONE_STAT: Final = re.compile(
    r"(\w+) = (MIN|MAX|COUNT)\((\*|[@\w]+|CASE\((\w+), (1|@timestamp), (0|NULL)\))\)(?:, |$)"
)
_UNITS: Final = {"milliseconds": "milliseconds", "second": "seconds", "seconds": "seconds"}
_AGGREGATES: Final[dict[str, Callable[[list[Any]], Any]]] = {"MIN": min, "MAX": max, "COUNT": len}


def run(query: str, rows: Sequence[Row]) -> list[Row]:
    """The rows that the query ends with."""
    found = list(rows)
    for line in query.splitlines():
        found = _command(line, found)
    return found


def _command(line: str, rows: list[Row]) -> list[Row]:
    if _FROM.fullmatch(line) or line == "| SORT window DESC":
        return rows
    if mark := _MARK.fullmatch(line):
        passes = where(mark[2])
        return [{**row, checked_name(mark[1]): [passes(row)]} for row in rows]
    if value := _VALUE.fullmatch(line):
        ignored = where(value[3])
        return [
            {**row, checked_name(value[1]): row.get(value[2]) or (row[value[4]] if ignored(row) else [])}
            for row in rows
        ]
    if windows := _WINDOWS.fullmatch(line):
        number, unit = windows["span"].split()
        span = timedelta(**{_UNITS[unit]: int(number)})
        return [row for each in rows for row in _in_windows(each, span)]
    if stats := _STATS.fullmatch(line):
        return list(_grouped(stats[1], [checked_name(name) for name in stats[2].split(", ")], rows))
    if not line.startswith("| WHERE "):
        raise SyntaxError(line)
    passes = where(line.removeprefix("| WHERE "))
    return [row for row in rows if passes(row)]


def _in_windows(row: Row, span: timedelta) -> Iterator[Row]:
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    begin = (datetime.fromisoformat(row["@timestamp"][0]) - epoch) // span
    for number in (begin, begin - 1):
        yield {**row, "window": [number]}


def _grouped(stats: str, names: list[str], rows: list[Row]) -> Iterator[Row]:
    found = list(_ONE_STAT.finditer(stats))
    if "".join(stat[0] for stat in found) != stats:
        raise SyntaxError(stats)
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(tuple(row.get(name, [])) for name in names), []).append(row)
    for key, members in groups.items():
        row = {name: list(value) for name, value in zip(names, key, strict=True)}
        yield row | {checked_name(stat[1]): _aggregate(stat, members) for stat in found}


def _aggregate(stat: re.Match[str], rows: list[Row]) -> list[Any]:
    values = [value for row in rows for value in _values(stat, row)]
    return [_AGGREGATES[stat[2]](values)] if values else []


def _values(stat: re.Match[str], row: Row) -> list[Any]:
    if stat[3] == "*":
        return [1]
    if stat[4] is None:
        return row.get(stat[3], [])
    if row[stat[4]] == [True]:
        return [1] if stat[5] == "1" else row[stat[5]]
    return [0] if stat[6] == "0" else []
