"""`replay`: the engine over recorded events, in event time, with the same answer every time."""

import argparse
import contextlib
from pathlib import Path
from typing import Final

from fileaudit_engine.cli import live
from fileaudit_engine.cli.common import Exit, report_diagnostics, say
from fileaudit_engine.cli.delivering import deliveries_of, router_of, warn_of_secrets
from fileaudit_engine.cli.loading import add_unknown_fields, has_rules, load, without_collector
from fileaudit_engine.detect.correlate import Counts
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.resources import detections_dir
from fileaudit_engine.runtime.deliveries import Deliveries
from fileaudit_engine.runtime.delivery import CLOSING_S
from fileaudit_engine.runtime.pipeline import Pipeline
from fileaudit_engine.runtime.router import Router
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.sources.replay import ReplaySource
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import counted

PATIENCE_S: Final = 30.0
"""How long nothing may move while sinks are waited for, seconds."""
HURRY_S: Final = 2.0
"""How long sinks are waited for when somebody does not want to wait."""
END_S: Final = 15.0
"""How long the last connection may take to end: who does not answer its end is believed after ten."""


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "replay",
        parents=[common],
        help="detect in recorded events",
        description="Runs the rules over recorded events (NDJSON, plain or .gz or .zst). Needs no root."
        " Correlations go by the times of events, in the order in which they are given: of several files the"
        " earliest comes first. Exit 2 on events that are not valid, and where there is no usable rule.",
    )
    parser.add_argument("events", nargs="+", metavar="EVENTS", help="a file, or - for stdin")
    parser.add_argument(
        "--rules",
        action="append",
        type=Path,
        metavar="DIR",
        help="rules, or a scope of the audit trail out of rules/audit; may be given again (default: the"
        " shipped detections, rules/linux)",
    )
    parser.add_argument("--store", type=Path, metavar="PATH", help="keep alerts there (default: nowhere)")
    parser.add_argument(
        "--deliver",
        action="store_true",
        help="hand what is in the store on to the sinks of the configuration, too, and wait until they have"
        " it (a sink that is new to the store begins with this replay)",
    )
    add_unknown_fields(parser)
    parser.add_argument("--strict", action="store_true", help="stop at the first line that is not valid")
    live.add_output(parser)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    if refusal := _refusal(args):
        say(f"fileaudit-engine: {refusal}")
        return Exit.UNUSABLE
    paths = args.rules or args.settings.rules or [detections_dir()]
    loaded = load(paths, args)
    if not has_rules(loaded, paths):
        return Exit.UNUSABLE
    source = ReplaySource(args.events, allow_unknown_fields=args.allow_unknown_fields, strict=args.strict)
    with without_collector():
        detector = Detector(loaded.compiled.user, loaded.compiled.kernel).prepare()
    router = router_of(args.settings)
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(Store.open(args.store)) if args.store else None
        pipeline = Pipeline(
            detector=detector,
            correlations=live.correlations_of(loaded.compiled, detector, args.settings.limits),
            suppressor=live.suppressor_of(args.settings),
            sinks=live.alert_sinks(args, router),
            spool=Spool(store, tell=say, proceed=lambda: False) if store else None,
            host=live.host_name(),
            on_loss=live.tell_loss,
        )
        sinks = _sinks(args, router, store, pipeline)
        try:
            pipeline.run(source, proceed=lambda: True)
        finally:
            source.close()
            pipeline.end()
            unkept = pipeline.finish()
            report_diagnostics(source.diagnostics, {}, args)
            delivered = Exit.FINE if sinks is None else _delivered(sinks)
    tally = pipeline.tally()
    for line in live.alert_lines(tally, args.store):
        say(line)
    _tell_late(tally.correlated)
    for line in () if sinks is None else sinks.lines():
        say(line)
    if unkept:
        say(f"fileaudit-engine: {unkept:,} records could not be stored")
        return Exit.MACHINE
    if delivered is not Exit.FINE:
        return delivered
    return Exit.UNUSABLE if source.diagnostics else live.output_status(pipeline)


def _refusal(args: argparse.Namespace) -> str:
    """Why this cannot be done as it was asked for; empty if it can."""
    if not args.deliver:
        return ""
    if args.store is None:
        return "--deliver needs --store: what is delivered is on disk before"
    config = args.settings
    if config.elasticsearch is None and config.syslog is None:
        return "--deliver needs a configuration (--config) with 'elasticsearch' or 'syslog' below 'sinks'"
    return ""


def _sinks(
    args: argparse.Namespace, router: Router, store: Store | None, pipeline: Pipeline
) -> Deliveries | None:
    """What delivers beside the replay; None unless it was asked for."""
    if store is None or not args.deliver:
        return None
    warn_of_secrets(args.settings)
    keep = pipeline.outlet.hand_on
    sinks = deliveries_of(args.settings, router, store, host=live.host_name(), keep=keep, end_s=END_S)
    if sinks is not None:
        pipeline.add_chore(sinks)
    return sinks


def _delivered(sinks: Deliveries) -> Exit:
    """Wait until the sinks have had everything, or nothing moves any more; returns what that comes to."""
    try:
        sinks.drain(PATIENCE_S, proceed=lambda: True)
    except BaseException:  # Ctrl-C: the rest is in the store
        sinks.close(HURRY_S)
        raise
    sinks.close(END_S + CLOSING_S)
    if sinks.behind:
        rest = f"{counted(sinks.behind, 'record')} of the store"
        say(f"fileaudit-engine: that the sinks have {rest} is not certain; a later run goes on there")
        return Exit.MACHINE
    if sinks.rejected:
        say(f"fileaudit-engine: {counted(sinks.rejected, 'record')} rejected; `doctor` says why")
        return Exit.FINDINGS
    return Exit.FINE


def _tell_late(counts: Counts | None) -> None:
    """A recording that is not in the order of its times has alerts that do not come."""
    if counts is not None and counts.late:
        late = counted(counts.late, "event")
        say(
            f"fileaudit-engine: {late} came too late to be correlated: sort the recordings by time, or raise"
            " 'lateness' below 'correlation' in the configuration"
        )
