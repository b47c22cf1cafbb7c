"""One cold measurement of the engine, in a process of its own: `measured.py MODE RULES EVENTS`.

Prints one JSON object: seconds for each part of loading, seconds and events of the evaluation, and how often
each rule matched. Modes: `json` reads the events from their file while it evaluates, `columns` has them read
before the clock starts, `load` evaluates nothing.
"""

import argparse
import gc
import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fileaudit_engine.cli.loading import without_collector
from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import Loss
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import load_rules
from fileaudit_engine.sources.replay import ReplaySource

MODES = ("json", "columns", "load")


@dataclass(slots=True, kw_only=True)
class Report:
    """What a child has to say.

    Attributes:
        rules: How many were usable.
        parse_s: From files to rules.
        compile_s: From rules to plans.
        build_s: From plans to a detector that is ready.
        events: How many were evaluated.
        seconds: How long that took, in CPU time like all that is told here.
        complete: Whether all events were evaluated before the time was up.
        counts: Matches by rule id.
    """

    rules: int = 0
    parse_s: float = 0.0
    compile_s: float = 0.0
    build_s: float = 0.0
    events: int = 0
    seconds: float = 0.0
    complete: bool = True
    counts: dict[str, int] = field(default_factory=dict)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("rules", type=Path)
    parser.add_argument("events", type=Path)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds of evaluation at the most")
    parser.add_argument("--allow-unknown-fields", action="store_true")
    args = parser.parse_args()
    report = Report()
    detector = _loaded(args, report)
    if args.mode != "load":
        source = ReplaySource([args.events], allow_unknown_fields=args.allow_unknown_fields)
        batches: Iterable[Batch | Loss] = source.batches()
        if args.mode == "columns":
            batches = list(batches)
            gc.collect()
            gc.freeze()  # what waits here is the measurement's, and no part of what is measured
        _evaluate(detector, batches, report, args.limit)
        if source.diagnostics:
            raise SystemExit(f"an event that cannot be read: {source.diagnostics[0]}")
    print(json.dumps(asdict(report)))


def _loaded(args: argparse.Namespace, report: Report) -> Detector:
    options = RuleOptions(allow_unknown_fields=args.allow_unknown_fields)
    begun = time.process_time()
    with without_collector():  # as every command does
        loaded = load_rules([args.rules], options)
        parsed = time.process_time()
        compiled = compile_rules(loaded.rules)
    ready = time.process_time()
    with without_collector():
        detector = Detector(compiled.user, compiled.kernel).prepare()
    report.build_s = time.process_time() - ready
    report.compile_s = ready - parsed
    report.parse_s = parsed - begun
    report.rules = len(loaded.rules)
    return detector


def _evaluate(detector: Detector, batches: Iterable[Batch | Loss], report: Report, limit_s: float) -> None:
    counts: Counter[str] = Counter()
    begun = time.process_time()
    for batch in batches:
        if isinstance(batch, Loss):
            continue
        report.events += len(batch.candidates)
        for finding in detector.findings(batch):
            counts[finding.rule.rule.id or finding.rule.rule.key] += 1
        if time.process_time() - begun > limit_s:
            report.complete = False
            break
    report.seconds = time.process_time() - begun
    report.counts = dict(counts)


if __name__ == "__main__":
    main()
