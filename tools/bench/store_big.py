"""A store of ten million records over ten days, and what asking it takes.

    tools/bench store-big make big.db [--events 10000000 --days 10]
    tools/bench store-big ask big.db --parts searches report verify retention

The records are those of `store_documents`, through the store's own `append`: a million paths, two hundred
users, five thousand command lines, one call in a hundred denied, one record in ten thousand an alert. `make`
goes on where it was stopped, if it is given the same options.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import store_ask
from store_documents import Traffic, Variety

from fileaudit_engine.store.store import Store

EVENTS: Final = 10_000_000
DAYS: Final = 10
DAY_NS: Final = 86_400_000_000_000
FIRST_NS: Final = 1_794_700_800_000_000_000
"""Midnight, 2026-11-15."""
BATCH: Final = 512
TOLD_EVERY: Final = 500_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Make, or ask."""
    parser = argparse.ArgumentParser(prog="bench store-big", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="make|ask")
    maker = commands.add_parser("make", help="write the store, or what is missing of it")
    maker.add_argument("store", type=Path)
    maker.add_argument("--events", type=int, default=EVENTS, help=f"default: {EVENTS:,}")
    maker.add_argument("--days", type=int, default=DAYS, help=f"default: {DAYS}")
    maker.set_defaults(command=make)
    asker = commands.add_parser("ask", help="search, report, verify, and remove a day")
    asker.add_argument("store", type=Path)
    asker.add_argument("--parts", nargs="+", choices=tuple(store_ask.PARTS), default=("searches", "report"))
    asker.set_defaults(command=store_ask.main)
    args = parser.parse_args(arguments)
    args.command(args)


def make(args: argparse.Namespace) -> None:
    """Write the store; says how far it is."""
    step_ns = args.days * DAY_NS // args.events
    variety = Variety(alert_every=10_000, step_ns=step_ns)
    with Store.open(args.store) as store:
        done = store.head.seq
        traffic = Traffic(variety, start_ns=FIRST_NS + done * step_ns, seed=done + 1)
        wall, cpu, begun = time.monotonic(), time.process_time(), done
        while done < args.events:
            store.append(traffic.take(min(BATCH, args.events - done)))
            done = store.head.seq
            if done % TOLD_EVERY < BATCH:
                rate = (done - begun) / (time.monotonic() - wall)
                print(f"{done:12,} records, {rate:,.0f} a second", flush=True)
    cpu_s = time.process_time() - cpu
    size = args.store.stat().st_size
    print(f"{done:,} records in {size:,} bytes, {size / done:.0f} each; {cpu_s:.0f} s of CPU")


if __name__ == "__main__":
    main()
