"""What it takes to ask a large store, to check it, and to remove a day of it while it is written to.

Searches are timed in this process, the first time each (with a connection that knows nothing yet) and the
best of five; `query` and `report` as commands too, with Python's start in it. The system's page cache is as
it happens to be: what was just written is in it. Removing a day is what alters the store; the first day goes.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from children import run
from store_append import spread
from store_documents import Traffic, Variety, path_of

from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.store.retention import Retention, remove, used_bytes
from fileaudit_engine.store.search import Search, search
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.verify import Verification

DAY_NS: Final = 86_400_000_000_000
HOUR_NS: Final = DAY_NS // 24
PAGE: Final = 100
ENGINE: Final = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "fileaudit-engine"
GOALS: Final = {"search": 200.0, "report": 5_000.0, "blocked": 50.0}
"""Milliseconds."""
COMMIT: Final = 64
"""Records of a commit beside the removal: what comes in 5 ms on a busy host."""


def main(args: argparse.Namespace) -> None:
    """Ask and print."""
    for part in args.parts:
        PARTS[part](args.store)


def _span(store: Store) -> tuple[int, int]:
    """Times of the first and the last record."""
    ((first_ns, last_ns),) = store.rows(
        "SELECT (SELECT min(ts_ns) FROM records), (SELECT max(ts_ns) FROM records)"
    )
    return int(first_ns), int(last_ns)


def _searches(first_ns: int, last_ns: int) -> dict[str, Search]:
    middle = (first_ns + last_ns) // 2
    hour = Search(since_ns=middle, until_ns=middle + HOUR_NS, limit=PAGE)
    rare = path_of(900_000)
    return {
        "path, the hottest": Search(paths=(path_of(0),), limit=PAGE),
        "path, a rare one": Search(paths=(rare,), limit=PAGE),
        "path, not there": Search(paths=("/nowhere/at/all",), limit=PAGE),
        "path, below a folder": Search(paths=(f"{rare.rpartition('/')[0]}/**",), limit=PAGE),
        "path, ends in": Search(paths=("**/123456.dat",), limit=PAGE),
        "user, the busiest": Search(users=("root",), limit=PAGE),
        "user, a rare one": Search(users=("user199",), limit=PAGE),
        "hour": hour,
        "hour and user": replace(hour, users=("user199",)),
        "hour and a rare path": replace(hour, paths=(rare,)),
        "alerts": Search(levels=("high",), limit=PAGE),
        "denied to a user": Search(outcomes=("failure",), users=("user100",), limit=PAGE),
    }


def searches(path: Path) -> None:
    """Pages of a hundred, newest first."""
    with Store.open(path, read_only=True) as store:
        span = _span(store)
    print(f"{'search':24}{'found':>7}{'first ms':>10}{'best ms':>9}   goal: {GOALS['search']:.0f}")
    for name, wanted in _searches(*span).items():
        with Store.open(path, read_only=True) as store:
            times, found = [], 0
            for _ in range(5):
                begun = time.perf_counter()
                found = sum(1 for _ in search(store, wanted))
                times.append((time.perf_counter() - begun) * 1e3)
        print(f"{name:24}{found:7}{times[0]:10.1f}{min(times):9.1f}", flush=True)
    _command("query --path", "query", path, "--path", path_of(900_000))


def report(path: Path) -> None:
    """A day, as a command."""
    with Store.open(path, read_only=True) as store:
        first_ns, last_ns = _span(store)
    since = first_ns + (last_ns - first_ns) // 2 // DAY_NS * DAY_NS
    span = ("--since", rfc3339(since), "--until", rfc3339(since + DAY_NS))
    _command("report, a day", "report", path, *span, "--format", "json")


def _command(name: str, command: str, path: Path, *options: str) -> None:
    begun = time.perf_counter()
    child = run([ENGINE, command, "--store", path, *options])
    took = time.perf_counter() - begun
    print(
        f"{name:24}{len(child.output.splitlines()):7} lines in {took * 1e3:,.0f} ms,"
        f" {child.cpu_s:.2f} s of CPU, peak {child.peak_bytes >> 20:,} MiB",
        flush=True,
    )


def verify(path: Path) -> None:
    """Everything."""
    with Store.open(path, read_only=True) as store:
        begun, cpu = time.perf_counter(), time.process_time()
        findings = sum(1 for _ in Verification(store).findings())
        took, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
        rows = store.head.seq
    print(
        f"verify: {rows:,} rows, {findings} findings; {rows / cpu_s:,.0f} rows a second of CPU, {took:.0f} s"
    )


def retention(path: Path) -> None:
    """Remove the first day, with a commit after each step."""
    with Store.open(path) as store:
        first_ns, last_ns = _span(store)
        traffic = Traffic(Variety(), start_ns=last_ns + 1, seed=last_ns % 1_000_003)
        keep = Retention(age_ns=last_ns - first_ns - DAY_NS)
        store.append(traffic.take(COMMIT))  # as an engine does that starts: it counts the open block anew
        before, used = store.head.seq, used_bytes(store)
        steps, cpu, blocked, removed = _beside(store, traffic, remove(store, keep, last_ns))
        free = used - used_bytes(store)
        commits = _commits(store, traffic, 200)
        print(
            f"retention: {removed:,} of {before:,} records, {free >> 20:,} MiB, in {len(steps):,} steps of"
            f" {sum(steps) / 1e3:.1f} s; a step {_told(steps)}"
        )
        print(f"  the CPU time of a step:            {_told(cpu)}")
        print(f"  a commit that had to wait for one: {_told(blocked)}   goal: {GOALS['blocked']:.0f}")
        print(f"  a commit without retention:        {_told(commits)}")


def _beside(
    store: Store, traffic: Traffic, removing: Iterator[object]
) -> tuple[list[float], list[float], list[float], int]:
    """What each step took by the clock and of CPU, it and the commit behind it; how many records went."""
    steps: list[float] = []
    cpu: list[float] = []
    blocked: list[float] = []
    removed = 0
    while True:
        batch = traffic.take(COMMIT)
        begun, spent = time.perf_counter(), time.thread_time()
        step = next(removing, removing)
        done = time.perf_counter()
        if step is removing:
            return steps, cpu, blocked, removed
        cpu.append((time.thread_time() - spent) * 1e3)
        removed += getattr(step, "records", 0)
        store.append(batch)
        steps.append((done - begun) * 1e3)
        blocked.append((time.perf_counter() - begun) * 1e3)


def _commits(store: Store, traffic: Traffic, count: int) -> list[float]:
    took = []
    for batch in [traffic.take(COMMIT) for _ in range(count)]:
        begun = time.perf_counter()
        store.append(batch)
        took.append((time.perf_counter() - begun) * 1e3)
    return took


def _told(milliseconds: list[float]) -> str:
    if not milliseconds:
        return "none"
    of = spread(milliseconds)
    return f"p50 {of['p50']:.1f} ms, p99 {of['p99']:.1f}, worst {of['worst']:.1f}"


PARTS: Final[dict[str, Callable[[Path], None]]] = {
    "searches": searches,
    "report": report,
    "verify": verify,
    "retention": retention,
}
