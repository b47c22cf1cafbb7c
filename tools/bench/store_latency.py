"""From a system call to its alert on the disk, on the live kernel: `store_latency.py FOLDER`, as root.

A program opens a watched file now and then, and beside it, if asked, others so many times a second, which a
rule audits. A sink is shown a record at once when its transaction is committed; the time of that moment, less
the time at which the kernel says that the call returned, is the latency. Prints one JSON object.
"""

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from store_append import spread

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.enrich.identity import IdentityCache
from fileaudit_engine.enrich.process_table import ProcessTable
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.runtime.collector import settle
from fileaudit_engine.runtime.pipeline import Pipeline
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.sinks.base import Answer, Delivered
from fileaudit_engine.sources.bpf import LiveSource
from fileaudit_engine.store.store import Store

RULES: Final = """
title: A secret is read
name: secret_read
level: high
logsource: {{product: linux, category: file_access}}
detection: {{selection: {{Operation: open, TargetFilename: {folder}/secret}}, condition: selection}}
---
title: A common file is read
name: common_read
level: informational
logsource: {{product: linux, category: file_access}}
detection:
    selection: {{Operation: open, TargetFilename|startswith: {folder}/common/}}
    condition: selection
"""
FILES: Final = 100
"""Common ones."""
BETWEEN_S: Final = (0.005, 0.035)
"""Between two opens of the secret file, at random: no beat that a batch could fall in with."""
PRODUCER: Final = """
import os, random, sys, time
folder, alerts, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
common = [f"{folder}/common/{number:02}" for number in range(%(files)d)]
begun, done, secret = time.monotonic(), 0, time.monotonic() + 0.5
while alerts:
    now = time.monotonic()
    if now >= secret:
        os.close(os.open(f"{folder}/secret", os.O_RDONLY))
        alerts -= 1
        secret = now + random.uniform(%(least)f, %(most)f)
    while done < (now - begun) * rate:
        os.close(os.open(common[done %% len(common)], os.O_RDONLY))
        done += 1
    time.sleep(0.0005)
"""
"""Other files are opened a few at a time, twice a millisecond at the most."""


class Stopwatch:
    """A sink that notes how long ago the alerts happened that are on the disk now."""

    def __init__(self) -> None:
        self.milliseconds: list[float] = []

    def deliver(self, records: Sequence[Record]) -> list[Answer]:
        """Note, of alerts."""
        now_ns = time.time_ns()
        self.milliseconds += [
            (now_ns - record.ts_ns) / 1e6 for record in records if record.kind is Kind.ALERT
        ]
        return [Delivered()] * len(records)

    def close(self) -> None:
        """Nothing to let go of."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--alerts", type=int, default=500)
    parser.add_argument("--traffic", type=int, default=0, help="audited opens a second")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.folder) as made:
        print(json.dumps(_measured(Path(made).resolve(), args.alerts, args.traffic)))


@contextlib.contextmanager
def _store(folder: Path) -> Iterator[Store]:
    try:
        with Store.open(folder / "store" / "live.db") as store:
            yield store
    finally:
        shutil.rmtree(folder / "store", ignore_errors=True)


def _measured(folder: Path, alerts: int, traffic: int) -> dict[str, Any]:
    (folder / "common").mkdir()
    for name in ("secret", *(f"common/{number:02}" for number in range(FILES))):
        (folder / name).write_bytes(b"x")
    rules = compile_rules(parse_text(RULES.format(folder=folder), "bench").rules)
    source = LiveSource.open(
        rules.kernel, processes=ProcessTable(), identities=IdentityCache(), watch_children=True
    )
    watch = Stopwatch()
    with _store(folder) as store:
        pipeline = Pipeline(
            detector=Detector(rules.user, rules.kernel),
            sinks=(watch,),
            spool=Spool(store, tell=print, proceed=lambda: True),
            host="bench",
            on_loss=lambda _: None,
            clock_ns=time.time_ns,
        )
        settle()  # as `run` does
        took = _fed(pipeline, source, _producer(folder, alerts, traffic))
        source.close()
        for item in source.batches():
            pipeline.feed(item)
    if len(watch.milliseconds) != alerts:
        raise SystemExit(f"{len(watch.milliseconds)} of {alerts} alerts came")
    counters = source.counters()
    return {
        **spread(watch.milliseconds),
        "alerts": alerts,
        "events_per_s": counters.delivered / took,
        "lost": sum(counters.lost.values()),
    }


def _producer(folder: Path, alerts: int, traffic: int) -> list[str]:
    code = PRODUCER % {"files": FILES, "least": BETWEEN_S[0], "most": BETWEEN_S[1]}
    return [sys.executable, "-I", "-S", "-c", code, str(folder), str(alerts), str(traffic)]


def _fed(pipeline: Pipeline, source: LiveSource, command: Sequence[str]) -> float:
    """Take everything until the program has ended; returns the seconds."""
    begun = time.monotonic()
    with subprocess.Popen(command) as producer:
        pipeline.run(source, proceed=lambda: producer.poll() is None)
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
