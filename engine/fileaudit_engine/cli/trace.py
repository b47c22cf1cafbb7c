"""`trace`: a live view of file operations, one line each."""

import argparse
import sys

from fileaudit_engine.cli import live
from fileaudit_engine.cli.common import color_of, say
from fileaudit_engine.cli.filters import SUMMED, WHERE, add_filters, compiled_filter, warn_of_slips
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.runtime.pipeline import Pipeline
from fileaudit_engine.runtime.supervisor import Supervisor
from fileaudit_engine.sinks.base import Sink
from fileaudit_engine.sinks.jsonlog import JsonLines
from fileaudit_engine.sinks.trace import TraceLines


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "trace",
        parents=[common],
        help="watch file operations live",
        description="Prints file operations as they happen, one line each; without filters, all of them.",
        epilog=f"{WHERE} {SUMMED}",
    )
    add_filters(parser)
    parser.add_argument(
        "--format",
        choices=("pretty", "json"),
        default="pretty",
        help="default: pretty; json is one ECS document a line",
    )
    live.add_duration(parser)
    live.add_ring(parser)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    compiled = compiled_filter(args)
    warn_of_slips(args)
    with Supervisor(duration_s=args.duration) as supervisor:
        source = live.open_source(compiled.kernel, args)
        say("tracing   Ctrl-C stops")
        pipeline = Pipeline(
            detector=Detector(compiled.user, compiled.kernel),
            sinks=(_sink(args),),
            host=live.host_name(),
            on_loss=live.tell_loss,
        )
        supervisor.start_clock()
        try:
            pipeline.run(source, proceed=supervisor.proceed)
        finally:
            live.drain(source, pipeline.feed)
            say(live.events_line(source.counters()))
    return live.output_status(pipeline)


def _sink(args: argparse.Namespace) -> Sink:
    if args.format == "json":
        return JsonLines(sys.stdout, show_audit=True)
    return TraceLines(sys.stdout, color=color_of(args, sys.stdout))
