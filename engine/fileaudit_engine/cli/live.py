"""What the commands share that listen to the kernel: opening the source, summary at the end, output."""

import argparse
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

from fileaudit_engine.cli.common import READER_GONE, Exit, color_of, say
from fileaudit_engine.cli.delivering import TERMINAL
from fileaudit_engine.compiler.plan import KernelPlan
from fileaudit_engine.compiler.stages import Compiled
from fileaudit_engine.config import Config
from fileaudit_engine.detect.correlate import Counts
from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.suppress import SuppressCounts, Suppressor
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.enrich.identity import IdentityCache
from fileaudit_engine.enrich.process_table import ProcessTable
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import Loss
from fileaudit_engine.runtime.correlations import Correlations
from fileaudit_engine.runtime.pipeline import Pipeline, Tally
from fileaudit_engine.runtime.router import Router
from fileaudit_engine.sinks.base import Sink
from fileaudit_engine.sinks.chosen import Chosen
from fileaudit_engine.sinks.jsonlog import JsonLines
from fileaudit_engine.sinks.output import CLOSED_PIPE, Output
from fileaudit_engine.sinks.terminal import Terminal
from fileaudit_engine.sources import privilege
from fileaudit_engine.sources.base import Counters, Source
from fileaudit_engine.sources.bpf import LiveSource
from fileaudit_engine.text import counted, printable

LEVELS = ("critical", "high", "medium", "low")

PROCESS_RECORDS = "process"
"""How a source counts lost records of processes, beside the operations."""


def open_source(plan: KernelPlan, args: argparse.Namespace, *, profile: str = "auto") -> LiveSource:
    """Attach to the kernel, then give up the privileges that only the start needed.

    Raises:
        MachineCannot: With the reason and what to do about it.
    """
    source = LiveSource.open(
        plan,
        processes=ProcessTable(),
        identities=IdentityCache(),
        ring_bytes=args.ring_mib << 20,
        profile=profile,
    )
    try:
        privilege.drop()
    except MachineCannot:
        source.close()
        raise
    return source


def add_duration(parser: argparse.ArgumentParser) -> None:
    """The option of every command that would otherwise run until it is stopped."""
    parser.add_argument("--duration", type=seconds_above_zero, metavar="SECONDS", help="stop after that long")


def add_ring(parser: argparse.ArgumentParser) -> None:
    """The size of the ring buffer between kernel and user space."""
    parser.add_argument(
        "--ring-mib",
        type=_power_of_two,
        default=16,
        metavar="MIB",
        help="ring buffer between kernel and engine, a power of two (default: 16)",
    )


def alert_sinks(args: argparse.Namespace, router: Router) -> Sequence[Sink]:
    """What prints alerts, as `--format` asks and as far as routes let them through."""
    sink: Sink
    shows = router.shows(TERMINAL, show_audit=args.show_audit)
    show_audit = args.show_audit or shows is not None  # routes say it better
    match args.format:
        case "json":
            sink = JsonLines(sys.stdout, show_audit=show_audit)
        case "pretty":
            sink = Terminal(sys.stdout, color=color_of(args, sys.stdout), show_audit=show_audit)
        case _:
            return ()
    return (sink if shows is None else Chosen(sink, shows),)


def add_output(parser: argparse.ArgumentParser) -> None:
    """How alerts are printed, and whether audit events are, too."""
    parser.add_argument(
        "--format",
        choices=("pretty", "json", "none"),
        default="pretty",
        help="how alerts are printed on stdout (default: pretty); json is one ECS document a line",
    )
    parser.add_argument(
        "--show-audit", action="store_true", help="print the matches of informational rules, too"
    )


def host_name() -> str:
    """This host's name, as documents carry it."""
    return socket.gethostname()


def tell_loss(loss: Loss) -> None:
    """Say on stderr that events were lost, when, and which."""
    what = ", ".join(f"{count} {name}" for name, count in sorted(loss.counts.items()))
    span = f"{_clock(loss.first_ns)} and {_clock(loss.last_ns)}"
    say(f"LOST      {loss.total} events between {span}: {what}")


def drain(source: Source, feed: Callable[[Batch | Loss], None]) -> None:
    """Detach, then take what was still in the ring through to the end."""
    source.close()
    for item in source.batches():
        feed(item)


def output_status(shown: Pipeline | Output) -> int:
    """The exit status that the output asks for; says why it could not be written to the end.

    A reader that has gone away (`| head`) ends us as SIGPIPE would; a disk that is full is another matter.
    """
    if not shown.gone:
        return Exit.FINE
    say(f"fileaudit-engine: {shown.gone}")
    return READER_GONE if shown.gone == CLOSED_PIPE else Exit.MACHINE


def events_line(counters: Counters) -> str:
    """What the hooks saw and what became of it: seen is always filtered, delivered and lost together.

    Records of processes are no events; those that were lost stand apart.
    """
    records = counters.lost.get(PROCESS_RECORDS, 0)
    lost = sum(counters.lost.values()) - records
    apart = f" (and {counted(records, 'process record')})" if records else ""
    return (
        f"events   {counters.seen:,} seen · {counters.filtered:,} filtered in kernel"
        f" · {counters.delivered:,} delivered · {lost:,} lost{apart}"
    )


def alert_lines(tally: Tally, store: Path | None) -> list[str]:
    """What the rules made of them."""
    by_level = " · ".join(f"{tally.alerts.get(level, 0):,} {level}" for level in LEVELS)
    where = f" · store {printable(str(store))}" if store else ""
    return [
        f"alerts   {sum(tally.alerts.values()):,} ({by_level})",
        f"audit    {tally.audit_events:,} events{where}",
        *_correlated_lines(tally.correlated),
        *_suppressed_lines(tally.suppressed),
    ]


def _correlated_lines(counts: Counts | None) -> Iterator[str]:
    """What correlations held at the end, and what they could not take into account."""
    if counts is not None:
        forgotten = f"{counts.evicted_groups + counts.evicted_events:,} forgotten"
        if counts.evicted_groups or counts.evicted_events:
            groups = counted(counts.evicted_groups, "group")
            forgotten = f"{groups} and {counted(counts.evicted_events, 'event')} forgotten"
        yield (
            f"correlated  {counted(counts.correlations, 'rule')} · {counted(counts.groups, 'group')}"
            f" · {counted(counts.entries, 'event')} held · {counts.late:,} late · {forgotten}"
        )


def _suppressed_lines(counts: SuppressCounts | None) -> Iterator[str]:
    """What was folded."""
    if counts is not None:
        early = f" · {counts.forgotten:,} ended early" if counts.forgotten else ""
        yield (
            f"suppressed  {counted(counts.folded, 'repeat')} · {counted(counts.reports, 'report')} of them"
            f" · {counts.open:,} not over yet{early}"
        )


def rules_words(compiled: Compiled) -> str:
    """`24 rules and 9 correlations`."""
    rules = counted(len(compiled.user.rules), "rule")
    number = len(compiled.correlations.correlations)
    return f"{rules} and {counted(number, 'correlation')}" if number else rules


def correlations_of(compiled: Compiled, detector: Detector, limits: Limits) -> Correlations | None:
    """The correlations of a plan; None where it has none."""
    if not compiled.correlations.correlations:
        return None
    return Correlations(detector, compiled.correlations, compiled.user, limits)


def suppressor_of(config: Config) -> Suppressor | None:
    """What folds repeats, as the configuration asks."""
    return None if config.suppress is None else Suppressor(config.suppress)


def _clock(ts_ns: int) -> str:
    moment = datetime.fromtimestamp(ts_ns / 1e9, tz=timezone.utc)
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def seconds_above_zero(text: str) -> float:
    """A length of time on the command line."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be a number of seconds above 0")
    return value


def _power_of_two(text: str) -> int:
    value = int(text) if text.isdecimal() and len(text) < 5 else 0
    if not 1 <= value <= 1024 or value & (value - 1):
        raise argparse.ArgumentTypeError("must be a power of two from 1 to 1024")
    return value
