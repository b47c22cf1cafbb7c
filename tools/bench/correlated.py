"""One cold measurement of correlation, in a process of its own: `correlated.py MODE RULES OPTIONS`.

Prints one JSON object. Modes: `feed` takes a stream of events through the rules, through the correlations,
and through both; `memory` fills groups and looks at the resident set; `state` saves what they hold and takes
it up again.
"""

import argparse
import gc
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec
import zstandard
from correlation_pack import Stream, events, rule_name

from fileaudit_engine.cli.loading import without_collector
from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.detect.correlate import Correlator
from fileaudit_engine.detect.correlating import Correlating
from fileaudit_engine.detect.crossing import Limits, Match
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.events.batch import BATCH_EVENTS, EventBatch
from fileaudit_engine.rules.parser import load_rules
from fileaudit_engine.runtime.collector import settle

CHUNK: Final = 4 * BATCH_EVENTS
"""Events that are made at once, while no clock runs."""
_LEVEL: Final = 3
"""Of compression: zstandard's own."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("mode", choices=MODES)
    add("rules", type=Path)
    add("--events", type=int, default=300_000)
    add("--groups", type=int, default=10_000)
    add("--window", type=int, default=50_000, help="events in a minute")
    add("--evenly", action="store_true", help="every process in turn, each time as if it were new")
    add("--together", action="store_true", help="every event matches the rule that all correlations have")
    add("--seed", type=int, default=1)
    add("--limit-groups", type=int, help="groups of one correlation at the most")
    add("--limit-entries", type=int, help="events of all groups at the most")
    add("--held", type=int, help="events that are kept in full")
    args = parser.parse_args()
    compiled = _compiled(args.rules)
    stream = Stream(
        count=args.events,
        groups=args.groups,
        window=args.window,
        together=args.together,
        evenly=args.evenly,
        seed=args.seed,
    )
    print(json.dumps(MODES[args.mode](compiled, stream, _limits(args))))


def _compiled(folder: Path) -> Compiled:
    with without_collector():  # as every command does
        loaded = load_rules([folder])
        broken = [found for found in loaded.diagnostics if found.severity.label == "error"]
        if broken:
            raise SystemExit(f"a rule is broken: {broken[0]}")
        return compile_rules(loaded.rules, loaded.correlations)


def _limits(args: argparse.Namespace) -> Limits:
    limits = Limits()
    return msgspec.structs.replace(
        limits,
        groups=args.limit_groups or limits.groups,
        entries=args.limit_entries or limits.entries,
        held=limits.held if args.held is None else args.held,
    )


def matches_of(compiled: Compiled, stream: Stream) -> Iterator[Match]:
    """The stream as matches of the rules that correlations refer to; other events take no part."""
    by_key = {plan.rule.key: number for number, plan in enumerate(compiled.user.rules)}
    common = {by_key[rule_name(0)]} if stream.together else set()
    feeding = compiled.correlations.feeding
    numbers = {
        place: tuple(sorted(feeding & {by_key[rule_name(place)], *common})) for place in range(len(by_key))
    }
    for place, event in events(stream):
        if numbers[place]:
            yield Match(ts_ns=event.ts_ns, rules=numbers[place], event=event)


def _chunks(compiled: Compiled, stream: Stream) -> Iterator[list[Match]]:
    """Some thousand matches at a time."""
    coming = matches_of(compiled, stream)
    while chunk := list(itertools.islice(coming, CHUNK)):
        yield chunk


def _batches(matches: Sequence[Match]) -> Iterator[Sequence[Match]]:
    for first in range(0, len(matches), BATCH_EVENTS):
        yield matches[first : first + BATCH_EVENTS]


class _Both:
    """Rules alone, correlations alone, and one behind the other, with the CPU time that each has taken."""

    def __init__(self, compiled: Compiled, limits: Limits) -> None:
        self._detector = Detector(compiled.user, compiled.kernel).prepare()
        self.alone = Correlator(compiled.correlations, compiled.user, limits)
        behind = Correlator(compiled.correlations, compiled.user, limits)
        self._correlating = Correlating(self._detector, behind, compiled.correlations)
        self.seconds = dict.fromkeys(("rules", "correlations", "both"), 0.0)
        self.crossings = {"correlations": 0, "both": 0}

    def take(self, matches: list[Match]) -> None:
        """Take one chunk through all three."""
        batches = list(_batches(matches))
        events = [EventBatch(events=[match.event for match in batch]) for batch in batches]
        begun = time.process_time()
        for batch in events:
            for _ in self._detector.findings(batch):
                """Nobody waits for it."""
        detected = time.process_time()
        for matched in batches:
            self.crossings["correlations"] += len(self.alone.feed(matched))
        correlated = time.process_time()
        for batch in events:
            self.crossings["both"] += len(self._correlating.take(batch)[1])
        done = time.process_time()
        self.seconds["rules"] += detected - begun
        self.seconds["correlations"] += correlated - detected
        self.seconds["both"] += done - correlated


def _feed(compiled: Compiled, stream: Stream, limits: Limits) -> dict[str, object]:
    """How long the stream takes, and what it leaves."""
    both = _Both(compiled, limits)
    settle()
    for matches in _chunks(compiled, stream):
        both.take(matches)
    if both.crossings["correlations"] != both.crossings["both"]:
        raise SystemExit(f"behind the rules the correlations say something else: {both.crossings}")
    counts = both.alone.counts
    return {
        "events": stream.count,
        "seconds": both.seconds,
        "crossings": both.crossings["both"],
        "groups": counts.groups,
        "entries": counts.entries,
        "evicted_groups": counts.evicted_groups,
        "evicted_events": counts.evicted_events,
        "late": counts.late,
    }


def _fill(compiled: Compiled, stream: Stream, limits: Limits) -> Correlator:
    """A correlator that the stream has gone through, up to the last event."""
    correlator = Correlator(compiled.correlations, compiled.user, limits)
    newest_ns = 0
    for matches in _chunks(compiled, stream):
        newest_ns = max(newest_ns, matches[-1].ts_ns)
        for batch in _batches(matches):
            correlator.feed(batch)
    correlator.advance(newest_ns + limits.lateness_ns + 1)
    return correlator


def resident_bytes() -> int:
    """The resident set of this process."""
    kib = next(
        line.split()[1]
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmRSS")
    )
    return int(kib) << 10


def _memory(compiled: Compiled, stream: Stream, limits: Limits) -> dict[str, object]:
    """How far the resident set grows until the stream is through.

    A first chunk goes through another correlator before, so that what making events takes is there already.
    """
    _fill(compiled, replace(stream, count=CHUNK), limits)
    gc.collect()
    before = resident_bytes()
    correlator = _fill(compiled, stream, limits)
    gc.collect()
    counts = correlator.counts
    return {
        "bytes": resident_bytes() - before,
        "resident": resident_bytes(),
        "groups": counts.groups,
        "entries": counts.entries,
        "evicted_groups": counts.evicted_groups,
    }


def _state(compiled: Compiled, stream: Stream, limits: Limits) -> dict[str, object]:
    """Saving, and taking up again in a correlator that is new."""
    correlator = _fill(compiled, stream, limits)
    settle()
    begun = time.process_time()
    saved = correlator.save()
    done = time.process_time()
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(saved)
    packed_at = time.process_time()
    successor = Correlator(compiled.correlations, compiled.user, limits)
    complaints = successor.resume(saved)
    resumed = time.process_time()
    if complaints or successor.save() != saved:
        raise SystemExit(f"what was saved is not what was taken up: {complaints}")
    return {
        "groups": correlator.counts.groups,
        "entries": correlator.counts.entries,
        "bytes": len(saved),
        "packed": len(packed),
        "save_s": done - begun,
        "pack_s": packed_at - done,
        "resume_s": resumed - packed_at,
    }


MODES: Final = {"feed": _feed, "memory": _memory, "state": _state}


if __name__ == "__main__":
    main()
