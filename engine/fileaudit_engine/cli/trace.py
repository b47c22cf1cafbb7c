"""`trace`: a live view of file operations, one line each.

Its options become an informational Sigma rule, which goes through the same compiler and the same kernel
filter as every other rule: what the options exclude never leaves the kernel where the classifier can tell.
"""

import argparse
import sys
from typing import Final

import yaml

from fileaudit_engine.cli import live
from fileaudit_engine.cli.common import color_of, say
from fileaudit_engine.compiler.plan import CAPTURED_OPERATIONS
from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.diagnostics import UnusableInput
from fileaudit_engine.events.model import Operation
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.runtime.pipeline import Pipeline
from fileaudit_engine.runtime.supervisor import Supervisor
from fileaudit_engine.sinks.jsonlog import JsonLines
from fileaudit_engine.sinks.trace import TraceLines

_CAPTURED = ", ".join(sorted(operation.value for operation in CAPTURED_OPERATIONS))

_MOST_PIDS: Final = 1 << 22
"""The kernel's own bound, `PID_MAX_LIMIT`."""

_WHERE: Final = (
    "Where filters run in this version: the operation, the access mode, the outcome (--op, --failed) and what"
    " a path begins with, ends with or has among its directories (--path) are tested in the kernel; --user,"
    " --comm, --pid and the rest of a --path are tested afterwards, on what the kernel let through."
)


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "trace",
        parents=[common],
        help="watch file operations live",
        description="Prints file operations as they happen. Without filters: every open on this host.",
        epilog=_WHERE,
    )
    parser.add_argument(
        "--op", type=_operations, metavar="OP,…", help=f"operations (this version captures: {_CAPTURED})"
    )
    parser.add_argument(
        "--path",
        action="append",
        type=_text,
        metavar="GLOB",
        help="path, * crosses slashes; may be given repeatedly",
    )
    parser.add_argument("--user", type=_text, metavar="NAME", help="name of the real user, * and ? allowed")
    parser.add_argument("--comm", type=_text, metavar="NAME", help="name of the process, * and ? allowed")
    parser.add_argument("--pid", type=_pid, metavar="N", help="process id")
    parser.add_argument("--failed", action="store_true", help="only calls that failed")
    parser.add_argument("--format", choices=("pretty", "json"), default="pretty", help="default: pretty")
    live.add_duration(parser)
    live.add_ring(parser)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    compiled = compiled_filter(args)
    sink = (
        JsonLines(sys.stdout, show_audit=True)
        if args.format == "json"
        else TraceLines(sys.stdout, color=color_of(args, sys.stdout))
    )
    pipeline = Pipeline(
        detector=Detector(compiled.user, compiled.kernel),
        sinks=(sink,),
        host=live.host_name(),
        on_loss=live.tell_loss,
    )
    with Supervisor(duration_s=args.duration) as supervisor:
        source = live.open_source(compiled.kernel, args)
        say("tracing   Ctrl-C stops")
        supervisor.start_clock()
        try:
            pipeline.run(source, proceed=supervisor.proceed)
        finally:
            live.drain(source, pipeline.feed)
            say(live.events_line(source.counters()))
    return live.output_status(pipeline)


def compiled_filter(args: argparse.Namespace) -> Compiled:
    """The options as a compiled rule pack of one rule.

    Raises:
        UnusableInput: An option says something that no rule can say.
    """
    text = yaml.safe_dump(
        {
            "title": "trace",
            "name": "trace",
            "level": "informational",
            "logsource": {"product": "linux", "service": "fileaudit"},
            "detection": {"selection": _selection(args), "condition": "selection"},
        },
        default_style='"',  # a name such as 0o17 would be a number without its quotes
        width=float("inf"),
    )
    loaded = parse_text(text, "<options>")
    if not loaded.rules:
        raise UnusableInput(loaded.diagnostics)
    return compile_rules(loaded.rules)


def _selection(args: argparse.Namespace) -> dict[str, object]:
    wanted = args.op or sorted(operation.value for operation in CAPTURED_OPERATIONS)
    given: dict[str, object] = {
        "Operation": wanted,
        "TargetFilename": args.path,
        "User": args.user,
        "ProcessName": args.comm,
        "ProcessId": args.pid,
        "Outcome": "failure" if args.failed else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _operations(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in {operation.value for operation in Operation}:
            raise argparse.ArgumentTypeError(f"'{name}' is no operation")
        if Operation(name) not in CAPTURED_OPERATIONS:
            raise argparse.ArgumentTypeError(f"this version captures {_CAPTURED}, not '{name}'")
    return names


def _text(text: str) -> str:
    """What a name is to be; rules are Unicode text, so a byte that is not UTF-8 cannot be named in one."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty: nothing has an empty name")
    if not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text):
        raise argparse.ArgumentTypeError("is not UTF-8; write ? for each byte that is not")
    return text


def _pid(text: str) -> int:
    value = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST_PIDS)) else 0
    if not 1 <= value <= _MOST_PIDS:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to {_MOST_PIDS}")
    return value
