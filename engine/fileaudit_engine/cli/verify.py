"""`verify`: is the audit trail what the engine wrote, all of it and nothing else?"""

import argparse
import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

from fileaudit_engine.cli.common import MAX_SHOWN, Exit, color_of, say
from fileaudit_engine.cli.verify_text import document_of, finding_lines, summary_lines
from fileaudit_engine.config import DEFAULT_STORE
from fileaudit_engine.diagnostics import FileauditError, unusable_file
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.sinks import jsonlog
from fileaudit_engine.store.anchors import Anchor, announced, default_file, parse
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.verify import Verification
from fileaudit_engine.store.verify_finding import Finding, What
from fileaudit_engine.store.verify_walk import Checked
from fileaudit_engine.text import counted, printable

JOURNAL: Final = "journalctl -o cat _UID=0 SYSLOG_IDENTIFIER=fileaudit-engine"
"""What prints the anchors in the journal, and only those that root has written there."""

MAX_LISTED: Final = 10_000
"""Findings in the JSON output; the rest are counted."""

_EVERY_S: Final = 0.2
"""Between two lines of progress."""


@dataclass(slots=True)
class Given:
    """Where anchors were looked for, and what was found.

    Attributes:
        anchors: Of any store.
        sources: Files that were read.
        own: The file where the engine writes them, if that was read: it has all of them.
        missing: The file where the engine writes them, if there is none.
        unreadable: Lines that name an anchor and hold none.
    """

    anchors: list[Anchor] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    own: Path | None = None
    missing: str = ""
    unreadable: int = 0

    def read(self, lines: TextIO, source: str) -> None:
        """Take the anchors in a file."""
        found = parse(lines)
        self.anchors += found.found
        self.unreadable += found.unreadable
        self.sources.append(source)


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "verify",
        parents=[common],
        help="was the audit trail tampered with?",
        description="Computes the hash chain of a store again, and all that its rows are found by, and says"
        " which rows were edited, removed, inserted, moved or cut off. Reads only, also while the engine"
        " writes. Without anchors it cannot be seen that the newest rows are gone, or that everything was"
        " computed anew after a change: keep them where who can change the store cannot change them.",
        epilog="Anchors of the journal: "
        f"{JOURNAL} | fileaudit-engine verify --anchors -. Exit 1 if anything was altered.",
    )
    parser.add_argument("store", nargs="?", type=Path, metavar="STORE", help=f"default: {DEFAULT_STORE}")
    parser.add_argument(
        "--anchors",
        action="append",
        metavar="FILE",
        help="any text with anchors in it, such as a log of syslog, or - for stdin; may be repeated (default:"
        " the file that 'run' writes for this store)",
    )
    parser.add_argument("--format", choices=("pretty", "json"), default="pretty", help="default: pretty")
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    path = args.store or args.settings.store_path or DEFAULT_STORE
    given = _anchors(args, path)  # before the store: none of them is younger than its end
    with Store.open(path, read_only=True) as store:
        told = None if given.own is None else announced_in(store, given.own)
        verification = Verification(store, given.anchors, progress=Progress(), announced=told)
        show = _as_json if args.format == "json" else _pretty
        counts = show(verification, given, path, args)
    return Exit.FINDINGS if counts.total() else Exit.FINE


def _anchors(args: argparse.Namespace, store: Path) -> Given:
    """The anchors that were named, or those that the engine writes."""
    given = Given()
    if args.anchors is None:
        place = args.settings.store.anchor_file or default_file(store)
        if os.path.isfile(place):  # noqa: PTH113 - no error where nobody may look
            _read_file(str(place), given)
            given.own = place
        else:
            given.missing = str(place)
    for name in args.anchors or ():
        if name == "-":
            given.read(sys.stdin, "<stdin>")
        else:
            _read_file(name, given)
    return given


def _read_file(name: str, given: Given) -> None:
    try:
        with Path(name).open(encoding="utf-8", errors="replace") as file:
            given.read(file, name)
    except OSError as error:
        raise unusable_file(
            "FA095",
            name,
            f"the anchors cannot be read: {error.strerror or error}",
            "name a file with anchors, or - for stdin",
        ) from error


def announced_in(store: Store, place: Path) -> Callable[[int], int | None]:
    """What the engine's own file of anchors says of a removal; read anew each time it is asked."""

    def ask(row: int) -> int | None:
        with (
            contextlib.suppress(OSError, FileauditError),
            place.open(encoding="utf-8", errors="replace") as file,
        ):
            return announced(parse(file).found, store.identity, row)
        return None

    return ask


class Progress:
    """How far it is, on a terminal."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _EVERY_S
        self._shown = False

    def __call__(self, done: int, rows: int) -> None:
        """Say so, now and then; the line goes when all is done."""
        if not sys.stderr.isatty():
            return
        now = time.monotonic()
        if done >= rows and self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False
        elif now >= self._next and done < rows:
            self._next, self._shown = now + _EVERY_S, True
            line = f"\r\x1b[Kchecked {done:,} of {rows:,} rows, {done * 100 // rows} %"
            print(line, end="", file=sys.stderr, flush=True)


def _pretty(verification: Verification, given: Given, path: Path, args: argparse.Namespace) -> Counter[What]:
    counts: Counter[What] = Counter()
    color = color_of(args, sys.stdout)
    for finding in _counted(verification, counts):
        if counts.total() <= MAX_SHOWN:
            print("\n".join(finding_lines(finding, color=color)))
    if counts.total() > MAX_SHOWN:
        print(f"{counted(counts.total() - MAX_SHOWN, 'more finding')} not shown; '--format json' has more")
    for line in summary_lines(verification.checked, path, counts, color=color):
        print(line)
    _tell_of_anchors(verification, given)
    return counts


def _tell_of_anchors(verification: Verification, given: Given) -> None:
    """What cannot be seen, and how it could."""
    anchors = verification.checked.anchors
    if given.unreadable:
        lines = counted(given.unreadable, "line")
        say(f"fileaudit-engine: {lines} among the anchors cannot be read: torn, or edited")
    _tell_of_removal(verification.checked, given)
    if anchors is None or anchors.agree or anchors.disagree:
        return
    why = f"there is no {printable(given.missing)}" if given.missing else "no anchor given is of a row of it"
    say(
        f"fileaudit-engine: {why}, so it cannot be seen whether the newest rows are gone, or whether"
        " everything was computed anew"
    )
    say(f"  = help: name anchors that were kept apart: {JOURNAL} | fileaudit-engine verify --anchors -")


def _tell_of_removal(checked: Checked, given: Given) -> None:
    """Of anchors that may not be all it cannot be told whether what is removed was announced."""
    if given.own is not None or checked.identity is None or not checked.vouched_in:
        return
    told = announced(given.anchors, checked.identity, checked.vouched_in)
    if told is None or told < checked.removed_seq:
        say(
            f"fileaudit-engine: the rows up to {checked.removed_seq:,} are removed, as row"
            f" {checked.vouched_in:,} says, and no anchor given announced it: see that all anchors are given"
        )


def _as_json(
    verification: Verification, given: Given, path: Path, _args: argparse.Namespace
) -> Counter[What]:
    counts: Counter[What] = Counter()
    listed: list[Finding] = []
    for finding in _counted(verification, counts):
        if len(listed) < MAX_LISTED:
            listed.append(finding)
    document = document_of(verification.checked, path, listed, counts)
    document["anchor_sources"] = [printable(name) for name in given.sources]
    document["anchor_lines_unreadable"] = given.unreadable
    print(jsonlog.line(encode(document)).decode(), end="")
    return counts


def _counted(verification: Verification, counts: Counter[What]) -> Iterator[Finding]:
    for finding in verification.findings():
        counts[finding.what] += 1
        yield finding
