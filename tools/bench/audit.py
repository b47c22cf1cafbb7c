"""Floods of watched opens, all the way from the ring into a store.

* audited: a rule of level `informational` matches every open, and every one is kept as an audit event;
* one in a hundred: every open is captured, decoded and evaluated, and one in a hundred raises an alert, which
  is kept.

Each is measured in two ways. *Drained*: the reader sleeps while the ring fills, then empties it, as fast as
one core can: events a second of its own CPU time. *Alongside*: flood and reader run at once, the flood as
fast as it can; whatever finds no room is lost, and what was seen has to be filtered, delivered and lost
together. Needs root and a C compiler.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from overhead import HERE

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.enrich.identity import IdentityCache
from fileaudit_engine.enrich.process_table import ProcessTable
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import Loss
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.runtime.collector import settle
from fileaudit_engine.runtime.pipeline import Pipeline
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.sources.bpf import LiveSource
from fileaudit_engine.store.store import Store

AUDITED = """
title: audited
name: audited
level: informational
logsource: {{product: linux, category: file_access}}
detection: {{selection: {{TargetFilename|startswith: {folder}/watched/}}, condition: selection}}
"""
ONE_IN_A_HUNDRED = """
title: one of them
name: one
level: high
logsource: {{product: linux, category: file_access}}
detection: {{selection: {{TargetFilename: {folder}/watched/00.bin}}, condition: selection}}
---
title: left to user space
name: none
level: high
logsource: {{product: linux, category: file_access}}
detection:
    selection: {{TargetFilename|startswith: {folder}/watched/, CommandLine|contains: no such words}}
    condition: selection
"""
"""The second one makes every open a candidate, and only user space can tell that it matches none."""

HUNDRED = 100
"""Files of the flood, named `…00.bin` to `…99.bin`."""


@dataclass(frozen=True, kw_only=True)
class Flood:
    """What is measured.

    Attributes:
        name: In the table.
        rules: In force; `{folder}` stands for the flood's.
    """

    name: str
    rules: str


FLOODS = (
    Flood(name="audited", rules=AUDITED),
    Flood(name="one in a hundred", rules=ONE_IN_A_HUNDRED),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run all and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--opens", type=int, default=60_000, help="opens to drain (default: 60,000)")
    parser.add_argument("--ring-mib", type=int, default=64, help="size of the ring (default: 64)")
    parser.add_argument("--rounds", type=int, default=2, help="repetitions of each (default: 2)")
    args = parser.parse_args(arguments)
    print(f"{os.uname().release}, {os.cpu_count()} CPUs, ring of {args.ring_mib} MiB")
    settle()  # as `run` does
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name).resolve()
        command = prepare(folder)
        for flood in FLOODS:
            for _ in range(args.rounds):
                Run(folder, flood, args.ring_mib).drained([*command, str(args.opens // HUNDRED)])
            for _ in range(args.rounds):
                Run(folder, flood, args.ring_mib).alongside([*command, str(args.opens * 5 // HUNDRED)])


def prepare(folder: Path) -> list[str | Path]:
    """The compiled loop, and a hundred files for it."""
    binary = folder / "flood"
    subprocess.run(["cc", "-O2", "-o", binary, HERE / "flood.c"], check=True)
    watched = folder / "watched"
    watched.mkdir()
    for number in range(HUNDRED):
        (watched / f"{number:02}.bin").write_bytes(b"x")
    return [binary, watched]


class Run:
    """One measurement: a capture, a pipeline, a new store."""

    def __init__(self, folder: Path, flood: Flood, ring_mib: int) -> None:
        self._flood = flood
        rules = compile_rules(parse_text(flood.rules.format(folder=folder), "bench").rules)
        self._source = LiveSource.open(
            rules.kernel,
            processes=ProcessTable(),
            identities=IdentityCache(),
            ring_bytes=ring_mib << 20,
            watch_children=True,  # the flood is one
        )
        self._place = tempfile.TemporaryDirectory(prefix="store-", dir=folder)
        self._store = Store.open(Path(self._place.name) / "x" / "bench.db")
        self._pipeline = Pipeline(
            detector=Detector(rules.user, rules.kernel),
            sinks=(),
            spool=Spool(self._store, tell=print, proceed=lambda: True),
            host="bench",
            on_loss=lambda _: None,
            clock_ns=time.time_ns,
        )

    def drained(self, command: Sequence[str | Path]) -> None:
        """Fill, then empty."""
        self._consume(lambda: False)
        subprocess.run(command, check=True)
        spent, took = self._measured(lambda: False)
        self._finish("drained", spent, took)

    def alongside(self, command: Sequence[str | Path]) -> None:
        """Fill and empty at once."""
        self._consume(lambda: False)
        with subprocess.Popen(command) as flood:
            spent, took = self._measured(lambda: flood.poll() is None)
        self._finish("alongside", spent, took)

    def _measured(self, goes_on: Callable[[], bool]) -> tuple[float, float]:
        """Seconds of CPU and of the clock."""
        spent, took = time.process_time(), time.monotonic()
        self._consume(goes_on)
        return time.process_time() - spent, time.monotonic() - took

    def _consume(self, goes_on: Callable[[], bool]) -> None:
        """Take everything, until an empty batch comes and nothing goes on."""
        for item in self._source.batches():
            self._pipeline.feed(item)
            if is_empty(item) and not goes_on():
                return

    def _finish(self, how: str, spent: float, took: float) -> None:
        self._source.close()
        for item in self._source.batches():
            self._pipeline.feed(item)
        counters, tally = self._source.counters(), self._pipeline.tally()
        lost = sum(count for name, count in counters.lost.items() if name != "process")
        missing = counters.seen - counters.filtered - counters.delivered - lost
        print(
            f"{self._flood.name:17} {how:10} {counters.delivered:9,} events"
            f" {counters.delivered / spent:8,.0f}/s of CPU, {counters.delivered / took:8,.0f}/s of the clock;"
            f" {lost:,} lost, kept"
            f" {tally.audit_events:,} events and {sum(tally.alerts.values()):,} alerts;"
            f" accounts {f'differ by {missing}' if missing else 'agree'}"
        )
        self._store.close()
        self._place.cleanup()


def is_empty(item: Batch | Loss) -> bool:
    """Whether nothing has happened."""
    return not isinstance(item, Loss) and not item.candidates


if __name__ == "__main__":
    if os.geteuid():
        sys.exit("needs root")
    main()
