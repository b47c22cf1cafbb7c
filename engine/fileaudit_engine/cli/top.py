"""`top`: the busiest processes and files, live, and what each process did in the end."""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Final

from fileaudit_engine.cli import live, top_text
from fileaudit_engine.cli.common import color_of, say
from fileaudit_engine.cli.filters import SUMMED, WHERE, add_filters, filter_rule, warn_of_slips
from fileaudit_engine.cli.loading import add_unknown_fields, load
from fileaudit_engine.cli.top_screen import Screen, is_in_front
from fileaudit_engine.cli.top_text import KEYS, Look
from fileaudit_engine.cli.top_views import Live, Meter, Paper, View
from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.events.model import Loss
from fileaudit_engine.resources import detections_dir
from fileaudit_engine.runtime.activity import Activity
from fileaudit_engine.runtime.counts import ORDERS
from fileaudit_engine.runtime.supervisor import Supervisor
from fileaudit_engine.runtime.watch import Watch
from fileaudit_engine.sinks.output import Output

_INTERVAL_S: Final = 2.0
_ON_PAPER: Final = 20
"""Rows of a table that is not cut by a screen."""
_MOST_ROWS: Final = 1_000_000


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "top",
        parents=[common],
        help="watch the busiest processes and files",
        description="Shows the busiest processes and files: reads and writes by calls and bytes, other"
        " operations, failures, and alerts of the rules. On a terminal a live view, elsewhere one table an"
        " interval; at the end a summary by process on stdout. Nothing is stored.",
        epilog=f"{WHERE} {SUMMED} Keys of the live view: q quits, t shows totals since the start, "
        + ", ".join(f"{key} sorts by {order}" for key, order in KEYS.items())
        + ".",
    )
    add_filters(parser)
    parser.add_argument(
        "--rules",
        action="append",
        type=Path,
        metavar="DIR",
        help="rules whose alerts are counted (default: the shipped ones)",
    )
    add_unknown_fields(parser)
    _add_form(parser)
    live.add_duration(parser)
    live.add_ring(parser)
    parser.set_defaults(command=run)


def _add_form(parser: argparse.ArgumentParser) -> None:
    """How the sums are shown."""
    parser.add_argument(
        "--interval",
        type=live.seconds_above_zero,
        default=_INTERVAL_S,
        metavar="SECONDS",
        help="between two views (default: 2)",
    )
    parser.add_argument("--sort", choices=tuple(ORDERS), default="ops", help="busiest by what (default: ops)")
    parser.add_argument(
        "--limit",
        type=_rows,
        metavar="N",
        help=f"rows of a table (default: {_ON_PAPER}, or what the screen has)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--batch", action="store_true", help="one table an interval, on a terminal, too")
    form.add_argument("--once", action="store_true", help="the summary of one interval, and nothing else")
    parser.add_argument(
        "--format", choices=("pretty", "json"), default="pretty", help="json: the summary only, as one object"
    )


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    compiled = _compiled(args)
    warn_of_slips(args)
    with Supervisor(duration_s=args.interval if args.once else args.duration) as supervisor:
        say("loading   programs into the kernel takes a few seconds")
        source = live.open_source(compiled.kernel, args)
        session = _Session(args)
        watch = Watch(
            compiled,
            session.activity,
            on_loss=session.tell_loss,
            tell=session.tell,
            clock_ns=time.time_ns,
            limits=args.settings.limits,
        )
        supervisor.start_clock()
        try:
            with session.view:
                for item in source.batches():
                    watch.feed(item)
                    if not session.goes_on() or not supervisor.proceed():
                        break
        finally:
            live.drain(source, watch.feed)
            watch.settle()
            session.conclude()
            say(live.events_line(source.counters()))
    return live.output_status(session.output)


def _compiled(args: argparse.Namespace) -> Compiled:
    """What is watched, as the first rule, and the rules whose alerts are counted."""
    loaded = load(args.rules or args.settings.rules or [detections_dir()], args)
    rules = filter_rule(args, "top"), *loaded.rules.rules
    return compile_rules(rules, loaded.rules.correlations)


class _Session:
    """What was counted so far, and how the user sees it."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self.output = Output(sys.stdout)
        self.activity = Activity()
        self._meter = Meter(self.activity, args.interval)
        self._color = color_of(args, sys.stdout)
        self._keys = False
        self.view = self._chosen_view()

    def goes_on(self) -> bool:
        """Show what there is to show; whether somebody still looks."""
        if self._meter.is_over():
            self.view.news()
        self.view.idle()
        return not self.view.finished and not self.output.gone

    def tell_loss(self, loss: Loss) -> None:
        """The live view says it in its first line."""
        if not isinstance(self.view, Live):
            live.tell_loss(loss)

    def tell(self, words: str) -> None:
        """A line that the live view has no place for."""
        if not isinstance(self.view, Live):
            say(f"windows   {words}")

    def conclude(self) -> None:
        """The summary."""
        self._meter.end()
        as_json = self._args.format == "json"
        look = self._look(self._args.sort, whole=True, most=self._args.limit if as_json else self._on_paper)
        if as_json:
            self.output.write(json.dumps(top_text.document(self.activity, look)) + "\n")
        else:
            self.output.write("".join(f"{line}\n" for line in top_text.summary(self.activity, look)))

    def _chosen_view(self) -> View:
        args = self._args
        if args.once or args.format == "json":
            say("watching  Ctrl-C stops and prints the summary")
            return View()
        if args.batch or not _is_screen():
            say("watching  Ctrl-C stops and prints the summary")
            return Paper(self.output, self._block)
        screen = Screen(self.output, terminal=sys.stdout.fileno(), keyboard=_keyboard())
        self._keys = screen.has_keys
        return Live(screen, self._drawing, args.sort)

    def _block(self) -> list[str]:
        return top_text.block(self.activity, self._look(self._args.sort, whole=False, most=self._on_paper))

    def _drawing(self, order: str, *, whole: bool, columns: int, lines: int) -> list[str]:
        look = self._look(order, whole=whole, most=self._args.limit)
        return top_text.screen(self.activity, look, columns=columns, lines=lines)

    @property
    def _on_paper(self) -> int:
        return int(self._args.limit or _ON_PAPER)

    def _look(self, order: str, *, whole: bool, most: int | None) -> Look:
        return Look(
            order=order,
            whole=whole,
            seconds=self._meter.whole_s if whole else self._meter.last_s,
            now_ns=time.time_ns(),
            color=self._color,
            keys=self._keys,
            most=most,
        )


def _is_screen() -> bool:
    """Whether stdout is a terminal that can be drawn on, and that no other job has."""
    capable = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    return capable and is_in_front(sys.stdout.fileno())


def _keyboard() -> int | None:
    """Where keys come from; what stands in for stdin in tests and daemons may have no descriptor."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _rows(text: str) -> int:
    value = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST_ROWS)) else 0
    if not 1 <= value <= _MOST_ROWS:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to {_MOST_ROWS}")
    return value
