"""`record`: captures events into a file that `replay` and test cases take."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from fileaudit_engine.cli import live
from fileaudit_engine.cli.common import Exit, say
from fileaudit_engine.cli.filters import compiled_filter
from fileaudit_engine.cli.loading import add_unknown_fields, load
from fileaudit_engine.compiler.stages import Compiled
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.diagnostics import unusable_file
from fileaudit_engine.events.batch import Batch, EventBatch, ManyNames
from fileaudit_engine.events.jsonl import line_of
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.runtime.supervisor import Supervisor
from fileaudit_engine.text import printable


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "record",
        parents=[common],
        help="capture events into a file",
        description="Writes events as NDJSON, one ECS document a line. With --rules: the events that some"
        " rule may match; without: every operation on this host.",
    )
    parser.add_argument("output", metavar="OUTPUT", help="a new file, or - for stdout")
    parser.add_argument("--rules", action="append", type=Path, metavar="DIR", help="what to record")
    parser.add_argument("--force", action="store_true", help="replace OUTPUT if it exists")
    add_unknown_fields(parser)
    live.add_duration(parser)
    live.add_ring(parser)
    parser.set_defaults(command=run, op=None, path=None, user=None, comm=None, pid=None, failed=False)


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    plan = _plan(args)
    with Supervisor(duration_s=args.duration) as supervisor, _opened(args) as output:
        source = live.open_source(plan.kernel, args)
        say(f"recording into {printable(args.output)}, Ctrl-C stops")
        supervisor.start_clock()
        recording = Recording(output, Detector(plan.user, plan.kernel))
        try:
            for item in source.batches():
                recording.write(item)
                if not supervisor.proceed():
                    break
        finally:
            live.drain(source, recording.write)
            say(live.events_line(source.counters()))
            say(f"recorded  {recording.lines:,} lines")
    return Exit.FINE


def _plan(args: argparse.Namespace) -> Compiled:
    if args.rules:
        loaded = load(args.rules, args)
        if not loaded.compiled.user.rules:
            raise unusable_file(
                "FA078",
                str(args.rules[0]),
                "no usable rule, so there is nothing to record",
                help="leave --rules out to record every operation",
            )
        return loaded.compiled
    return compiled_filter(args)


class Recording:
    """Writes what comes, whole lines at once, and counts the lines.

    Args:
        output: To write to.
        detector: Knows the rules.

    Attributes:
        lines: That were written.
    """

    def __init__(self, output: BinaryIO, detector: Detector) -> None:
        self._output = output
        self._detector = detector
        self.lines = 0

    def write(self, item: Batch | Loss) -> None:
        """Write a batch's events, or a loss."""
        if isinstance(item, Loss):
            live.tell_loss(item)
            lines = [line_of(item)]
        else:
            lines = [line_of(event) for event in self._events(item)]
        if lines:
            self._output.write(b"".join(lines))
            self._output.flush()
            self.lines += len(lines)

    def _events(self, batch: Batch) -> Iterator[FileEvent]:
        """Of each call what tells it to the rules."""
        again = batch.again if isinstance(batch, ManyNames) else ()
        names: list[FileEvent] = []
        for index, candidates in enumerate(batch.candidates):
            if index not in again:
                yield from self._needed(names)
                names = []
            if candidates:
                names.append(batch.complete(index))
        yield from self._needed(names)

    def _needed(self, names: Sequence[FileEvent]) -> Sequence[FileEvent]:
        """Of a call under several names one that all rules know which know any, the first if there are more.

        Whoever replays the recording sees events, and not that they are one call. Where there is no such name
        it takes more than one, and a rule may see the call twice.
        """
        if len(names) < 2:
            return names
        known = [self._rules(name) for name in names]
        every = set[str]().union(*known)
        whole = [name for name, rules in zip(names, known, strict=True) if rules == every]
        return whole[:1] or [name for name, rules in zip(names, known, strict=True) if rules]

    def _rules(self, event: FileEvent) -> set[str]:
        findings = self._detector.findings(EventBatch(events=(event,)))
        return {finding.rule.rule.key for finding in findings}


@contextlib.contextmanager
def _opened(args: argparse.Namespace) -> Iterator[BinaryIO]:
    """OUTPUT for writing. Root writes here: an existing file, or a link, is never written through."""
    if args.output == "-":
        yield sys.stdout.buffer
        return
    path = Path(args.output)
    try:
        if args.force:
            path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        exists = isinstance(error, FileExistsError)
        raise unusable_file(
            "FA077",
            args.output,
            f"cannot write the recording: {error.strerror}",
            help="name another file, or pass --force to replace it" if exists else "",
        ) from error
    with os.fdopen(descriptor, "wb") as output:
        yield output
