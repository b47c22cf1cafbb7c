"""Evaluates Sigma rules with pySigma's SQLite backend: `sqlite_rules.py RULES EVENTS`.

Runs in a Python of its own that has `pysigma` and `pysigma-backend-sqlite`, and imports nothing of this
project. The table is made as the backend's documentation asks: columns without regard to case, one row an
event, and one more column that holds all texts of the event for keyword searches. Prints one JSON object.
"""

import functools
import json
import re
import sqlite3
import sys
import time
from importlib import import_module
from pathlib import Path

_BATCH = 10_000
_EVERYTHING = "everything"


def main(rules_folder: Path, events_file: Path) -> None:
    """Convert, fill, ask and print."""
    begun = time.process_time()
    # By name, since this project's own environment, in which types are checked, has neither.
    rules = import_module("sigma.collection").SigmaCollection.load_ruleset([rules_folder])
    backend = import_module("sigma.backends.sqlite").sqliteBackend(table="logs", fulltext_field=_EVERYTHING)
    queries = [(str(rule.id), query) for rule in rules for query in backend.convert_rule(rule)]
    ready = time.process_time()
    connection, events = _table(
        events_file, {name for rule in rules for name in backend.required_fields(rule)}
    )
    matches = [match for identifier, query in queries for match in _matches(connection, identifier, query)]
    done = time.process_time()
    print(
        json.dumps({"events": events, "load_s": ready - begun, "seconds": done - ready, "matches": matches})
    )


def _matches(connection: sqlite3.Connection, identifier: str, query: str) -> list[tuple[str, str, int]]:
    """Rule, operation and how many events of it match."""
    counted = f"SELECT Operation, COUNT(*) FROM ({query}) GROUP BY Operation"
    return [(identifier, operation, number) for operation, number in connection.execute(counted)]


def _table(events_file: Path, wanted: set[str]) -> tuple[sqlite3.Connection, int]:
    """The events as a table in memory, and how many there are."""
    connection = sqlite3.connect(":memory:")
    connection.create_function("REGEXP", 2, _searches, deterministic=True)
    names: list[str] = []
    rows: list[dict[str, object]] = []
    total = 0
    connection.execute(f"CREATE TABLE logs ({_EVERYTHING} TEXT COLLATE NOCASE)")
    _widen(connection, names, sorted(wanted - {_EVERYTHING}))
    with events_file.open("rb") as stream:
        for line in stream:
            row = json.loads(line)
            _widen(connection, names, [name for name in row if name not in names])
            rows.append(row)
            total += 1
            if len(rows) == _BATCH:
                _insert(connection, names, rows)
                rows.clear()
    _insert(connection, names, rows)
    return connection, total


def _widen(connection: sqlite3.Connection, names: list[str], more: list[str]) -> None:
    for name in more:
        connection.execute(f'ALTER TABLE logs ADD COLUMN "{name}" TEXT COLLATE NOCASE')
        names.append(name)


def _insert(connection: sqlite3.Connection, names: list[str], rows: list[dict[str, object]]) -> None:
    places = ", ".join("?" * (len(names) + 1))
    columns = ", ".join(f'"{name}"' for name in (_EVERYTHING, *names))
    connection.executemany(
        f"INSERT INTO logs ({columns}) VALUES ({places})",
        (["\n".join(map(str, row.values())), *(row.get(name) for name in names)] for row in rows),
    )


def _searches(pattern: str, value: object) -> bool:
    return value is not None and _compiled(pattern).search(str(value)) is not None


@functools.cache
def _compiled(pattern: str) -> "re.Pattern[str]":
    return re.compile(pattern)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
