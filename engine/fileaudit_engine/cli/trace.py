"""`trace`: a live view of file operations, one line each."""

import argparse
import sys
from collections.abc import Callable

from fileaudit_engine.cli import live
from fileaudit_engine.cli.common import color_of, say
from fileaudit_engine.cli.filters import SUMMED, WHERE, add_filters, compiled_filter, warn_of_slips
from fileaudit_engine.compiler.stages import Compiled
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import Loss
from fileaudit_engine.runtime.pipeline import Pipeline
from fileaudit_engine.runtime.supervisor import Supervisor
from fileaudit_engine.runtime.watch import Onlooker
from fileaudit_engine.sinks.jsonlog import JsonLines
from fileaudit_engine.sinks.output import Output
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
        say("loading   programs into the kernel takes a few seconds")
        source = live.open_source(compiled.kernel, args)
        say("tracing   Ctrl-C stops")
        feed, output = _way(args, compiled)
        supervisor.start_clock()
        try:
            for item in source.batches():
                feed(item)
                if output.gone or not supervisor.proceed():
                    break
        finally:
            live.drain(source, feed)
            say(live.events_line(source.counters()))
    return live.output_status(output)


def _way(args: argparse.Namespace, compiled: Compiled) -> tuple[Callable[[Batch | Loss], None], Output]:
    """What takes the source's items, and where they are shown."""
    if args.format == "json":
        documents = JsonLines(sys.stdout, show_audit=True)
        pipeline = Pipeline(
            detector=Detector(compiled.user, compiled.kernel),
            sinks=(documents,),
            host=live.host_name(),
            on_loss=live.tell_loss,
        )
        return pipeline.feed, documents.output
    lines = TraceLines(sys.stdout, color=color_of(args, sys.stdout))
    return Onlooker(compiled, show=lines.show, on_loss=live.tell_loss).feed, lines.output
