"""What searching a large store takes: `tools/bench store-query big.db`.

Each search is a page of the newest hundred, as `query` asks for it, in this process: the first time, the best
of some, and the CPU time of that one. What is searched for is taken from the store: the busiest and the
rarest of its newest blocks. The store is only read, also while somebody writes to it.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.store.facets import Dimension
from fileaudit_engine.store.search import Search, count, search
from fileaudit_engine.store.store import Store

PAGE: Final = 101
"""A hundred, and one that says that there is more."""
HOUR_NS: Final = 3_600_000_000_000
GOAL_MS: Final = 200.0
"""By path, user and hour, of ten million records."""
_NAMES: Final = (
    "SELECT n.text FROM postings AS p JOIN names AS n ON n.id = p.name"
    " WHERE p.block IN (SELECT first_seq FROM blocks ORDER BY first_seq DESC LIMIT 20) AND n.dimension = ?"
    " GROUP BY n.id ORDER BY sum(p.count) DESC, n.id"
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench store-query", description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("--rounds", type=int, default=5, help="of which the best is told (default: 5)")
    args = parser.parse_args(arguments)
    with Store.open(args.store, read_only=True) as store:
        if next(store.rows("SELECT 1 FROM blocks LIMIT 1"), None) is None:
            sys.exit("no block of it is full yet: there is nothing to measure")
        print(f"{store.head.seq:,} records; the goal by path, user and hour is {GOAL_MS:.0f} ms\n")
        print(f"{'search':34}{'found':>7}{'first ms':>10}{'best ms':>10}{'CPU ms':>10}")
        for name, wanted in searches(store):
            print(f"{name:34}{_figures(store, wanted, args.rounds)}", flush=True)
        for name, wanted in (("count", Search()), ("count, one user", _of_first_user(store))):
            begun = time.process_time()
            found = count(store, wanted)
            print(f"{name:34}{found:>17,}{(time.process_time() - begun) * 1e3:>20.1f}", flush=True)


def searches(store: Store) -> Iterator[tuple[str, Search]]:
    """What is searched for, by name."""
    first_ns, last_ns = next(store.rows("SELECT min(first_ns), max(last_ns) FROM blocks"))
    hour_ns = (first_ns + last_ns) // 2 // HOUR_NS * HOUR_NS
    hour = Search(since_ns=hour_ns, until_ns=hour_ns + HOUR_NS, limit=PAGE)
    paths, users = _names(store, Dimension.PATH), _names(store, Dimension.USER)
    programs = _names(store, Dimension.EXECUTABLE)
    yield "the newest", Search(limit=PAGE)
    yield "an hour", hour
    yield "path, the busiest", Search(paths=paths[:1], limit=PAGE)
    yield "path, once or so in a block", Search(paths=paths[len(paths) // 100 :][:1], limit=PAGE)
    yield "path, among the rarest", Search(paths=paths[-1:], limit=PAGE)
    yield "path that is not there", Search(paths=["/no/such/file"], limit=PAGE)
    yield "paths below a folder", Search(paths=[paths[0].rpartition("/")[0] + "/**"], limit=PAGE)
    yield "paths by their last component", Search(paths=["**/" + paths[0].rpartition("/")[2]], limit=PAGE)
    yield "user, the busiest", Search(users=users[:1], limit=PAGE)
    yield "user, the rarest", Search(users=users[-1:], limit=PAGE)
    yield (
        "user and hour",
        Search(users=users[-1:], since_ns=hour.since_ns, until_ns=hour.until_ns, limit=PAGE),
    )
    yield "user and failure", Search(users=users[-1:], outcomes=["failure"], limit=PAGE)
    yield "program", Search(processes=programs[-1:], limit=PAGE)
    yield "alerts", Search(kinds=[Kind.ALERT], limit=PAGE)
    yield "words", Search(words=[paths[0].upper()], limit=PAGE)
    yield "event.id", Search(ids=[next(search(store, Search(limit=1))).id], limit=PAGE)


def _of_first_user(store: Store) -> Search:
    return Search(users=_names(store, Dimension.USER)[:1])


def _names(store: Store, dimension: Dimension) -> list[str]:
    """Names of the newest blocks, the busiest first."""
    return [text for (text,) in store.rows(_NAMES, int(dimension))]


def _figures(store: Store, wanted: Search, rounds: int) -> str:
    walls, cpus, found = [], [], 0
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        found = len(list(search(store, wanted)))
        walls.append((time.perf_counter() - wall) * 1e3)
        cpus.append((time.process_time() - cpu) * 1e3)
    return f"{found:>7,}{walls[0]:>10.1f}{min(walls):>10.1f}{min(cpus):>10.1f}"


if __name__ == "__main__":
    main()
