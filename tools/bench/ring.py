"""How many events a second one core takes from the ring through evaluation.

A rule whose path the kernel accepts and whose last condition only user space can refute makes every open of
the loop a candidate that is completed, evaluated and found not to match. Two figures:

* drained: the reader sleeps while the ring fills, then empties it: events per second of the reader's own
  CPU time, nothing else in the way;
* alongside: producer and reader run at once on two cores, with the reader's CPU time per event and what was
  lost.

Needs root and a C compiler.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from workloads import prepare

from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.enrich.identity import IdentityCache
from fileaudit_engine.enrich.process_table import ProcessTable
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import Loss
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.sources.bpf import LiveSource

RULE = """
title: bench
logsource: {{product: linux, category: file_access}}
detection:
    selection:
        TargetFilename|startswith: {folder}/
        CommandLine|contains: no such words
    condition: selection
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000, help="events to drain (default: 200,000)")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions of each (default: 3)")
    args = parser.parse_args(arguments)
    print(f"{os.uname().release}, {os.cpu_count()} CPUs")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        binary, target = prepare(Path(folder))
        compiled = compile_rules(parse_text(RULE.format(folder=folder), "bench").rules)
        for _ in range(args.rounds):
            drained(compiled, [binary, "open", target, str(args.events)])
        for _ in range(args.rounds):
            alongside(compiled, [binary, "open", target, str(args.events * 5)])


def opened(compiled: Compiled) -> LiveSource:
    """A source with a ring that holds the whole burst."""
    return LiveSource.open(
        compiled.kernel,
        processes=ProcessTable(),
        identities=IdentityCache(),
        ring_bytes=128 << 20,
        watch_children=True,  # the loop is one
    )


def drained(compiled: Compiled, command: list[str | Path]) -> None:
    """Fill, then empty."""
    source = opened(compiled)
    detector = Detector(compiled.user, compiled.kernel)
    try:
        subprocess.run(command, check=True, capture_output=True)
        started = time.process_time()
        events, lost = consume(source.batches(), detector)
        spent = time.process_time() - started
    finally:
        source.close()
    print(f"drained    {events:9,} events  {events / spent:9,.0f} a second of CPU  {lost:,} lost")


def alongside(compiled: Compiled, command: list[str | Path]) -> None:
    """Fill and empty at once."""
    source = opened(compiled)
    detector = Detector(compiled.user, compiled.kernel)
    try:
        started, wall = time.process_time(), time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as producer:
            events, lost = consume(source.batches(), detector, producer)
        spent, took = time.process_time() - started, time.monotonic() - wall
    finally:
        source.close()
    print(
        f"alongside  {events:9,} events  {events / spent:9,.0f} a second of CPU  {lost:,} lost"
        f"  ({events / took:,.0f} a second of wall clock)"
    )


def consume(
    batches: Iterable[Batch | Loss], detector: Detector, producer: "subprocess.Popen[bytes] | None" = None
) -> tuple[int, int]:
    """Evaluate until an empty batch comes and no producer runs; events and losses."""
    events = lost = 0
    for batch in batches:
        if isinstance(batch, Loss):
            lost += batch.total
            continue
        events += len(batch.candidates)
        for finding in detector.findings(batch):
            raise SystemExit(f"unexpected: {finding}")
        if not batch.candidates and (producer is None or producer.poll() is not None):
            break
    return events, lost


if __name__ == "__main__":
    if os.geteuid():
        sys.exit("needs root")
    main()
