"""One cold measurement of appending, in a process of its own: `store_append.py CASE FOLDER [--floor]`.

Prints one JSON object. Bytes of the file are told once it is closed and its log is empty; bytes of the log
are those that are written for a record before it reaches the file, from a run of its own in which a reader
keeps the log from being begun anew.
"""

import argparse
import contextlib
import gc
import json
import shutil
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from store_documents import Traffic, Variety

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.store.store import Store

BEGIN_NS: Final = 1_795_000_000_000_000_000
"""Time of the first record: any will do, and every run has the same."""
GOALS: Final = {Kind.ALERT: 20_000, Kind.EVENT: 40_000}
"""Records a second."""
WARM: Final = 10
"""Batches before the clock starts: names that every host has are there after them."""
LOGGED: Final = 20_480
"""Records of the run that tells the bytes of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is appended.

    Attributes:
        variety: Of the records.
        kind: Of most of them; the goal is that of its kind.
        batch: Records in a transaction. The pipeline makes them of at most 512 events, and of fewer when
            there are fewer in 5 ms.
    """

    variety: Variety
    kind: Kind = Kind.EVENT
    batch: int = 512


CASES: Final = {
    "audit": Case(variety=Variety()),
    "audit, 32": Case(variety=Variety(), batch=32),
    "alerts": Case(variety=Variety(alert_every=1), kind=Kind.ALERT),
    "alerts, 32": Case(variety=Variety(alert_every=1), kind=Kind.ALERT, batch=32),
    "alerts, 1": Case(variety=Variety(alert_every=1), kind=Kind.ALERT, batch=1),
    "1 % alerts": Case(variety=Variety(alert_every=100)),
    "new paths": Case(variety=Variety(paths=0)),
    "new commands": Case(variety=Variety(commands=0)),
    "all new": Case(variety=Variety(paths=0, commands=0)),
    "10 KB": Case(variety=Variety(padding=3_800)),
}


class Floor:
    """Documents as rows of a plain table: what SQLite itself takes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("CREATE TABLE records (ts_ns INTEGER, document TEXT)")

    def append(self, records: Sequence[Record]) -> int:
        """One transaction, forced to the disk if an alert is in it."""
        forced = any(record.kind is Kind.ALERT for record in records)
        execute = self._connection.execute
        execute(f"PRAGMA synchronous = {'FULL' if forced else 'NORMAL'}")
        execute("BEGIN IMMEDIATE")
        rows = [(record.ts_ns, encode(record.document).decode()) for record in records]
        self._connection.executemany("INSERT INTO records VALUES (?, ?)", rows)
        execute("COMMIT")
        return len(records)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", choices=tuple(CASES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--floor", action="store_true", help="the plain table instead")
    args = parser.parse_args()
    case, opened = CASES[args.case], (Floor if args.floor else Store.open)
    with _place(args.folder) as path:
        result = _timed(case, path, opened, args.events)
    with _place(args.folder) as path:
        result["log_bytes"] = _log_bytes(case, path, opened)
    print(json.dumps(result))


@contextlib.contextmanager
def _place(folder: Path) -> Iterator[Path]:
    """Where a database is made, and gone afterwards."""
    try:
        yield folder / "store" / "bench.db"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _batches(case: Case, count: int) -> list[list[Record]]:
    traffic = Traffic(case.variety, start_ns=BEGIN_NS)
    # Small batches cost a transaction each: a few thousand of those tell enough.
    events = min(count, case.batch * 4_000)
    return [traffic.take(case.batch) for _ in range(WARM + max(20, events // case.batch))]


def _timed(case: Case, path: Path, opened: Callable[[Path], Any], count: int) -> dict[str, Any]:
    batches = _batches(case, count)
    gc.collect()
    gc.freeze()  # what waits here is the measurement's, and no part of what is measured
    store = opened(path)
    for batch in batches[:WARM]:
        store.append(batch)
    commits, measured = [], batches[WARM:]
    cpu, wall = time.process_time(), time.perf_counter()
    for batch in measured:
        begun = time.perf_counter()
        store.append(batch)
        commits.append((time.perf_counter() - begun) * 1e3)
    cpu_s, wall_s = time.process_time() - cpu, time.perf_counter() - wall
    store.close()
    _empty_log(path)
    records = [record for batch in batches for record in batch]
    return {
        "events": len(measured) * case.batch,
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "commit_ms": spread(commits),
        "document_bytes": statistics.fmean(len(encode(record.document)) for record in records[:2_000]),
        "file_bytes": path.stat().st_size / len(records),
    }


def _log_bytes(case: Case, path: Path, opened: Callable[[Path], Any]) -> float:
    """Bytes that are written to the log for each record."""
    batches = _batches(case, LOGGED)
    store = opened(path)
    store.append(batches[0])
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        log = path.with_name(f"{path.name}-wal")
        before = log.stat().st_size
        for batch in batches[1:]:
            store.append(batch)
        written = log.stat().st_size - before
        reader.execute("ROLLBACK")
    store.close()
    return written / (len(batches) - 1) / case.batch


def _empty_log(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def spread(milliseconds: Sequence[float]) -> dict[str, float]:
    """Median, 99th percentile and worst."""
    ordered = sorted(milliseconds)
    return {
        "p50": statistics.median(ordered),
        "p99": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
        "worst": ordered[-1],
    }


if __name__ == "__main__":
    main()
