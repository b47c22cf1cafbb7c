"""`report`: what happened in a range of time, for those who have to answer for it."""

import argparse
import contextlib
import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final

import msgspec

from fileaudit_engine.cli import live
from fileaudit_engine.cli.common import Exit, color_of, say
from fileaudit_engine.cli.moments import add_range, moment, range_of
from fileaudit_engine.cli.report_html import html_page
from fileaudit_engine.cli.report_pretty import pretty
from fileaudit_engine.cli.report_sections import page_of
from fileaudit_engine.cli.verify import Progress, announced_in
from fileaudit_engine.cli.verify_text import finding_lines
from fileaudit_engine.config import DEFAULT_STORE
from fileaudit_engine.diagnostics import MachineCannot, UnusableInput, unusable_file
from fileaudit_engine.runtime.controls import frameworks
from fileaudit_engine.runtime.report_data import Check, Report
from fileaudit_engine.runtime.reporting import Question, report_of
from fileaudit_engine.store.anchors import Anchor, default_file, parse
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.verify import Verification
from fileaudit_engine.store.verify_schema import refuse_altered
from fileaudit_engine.text import printable

_SINCE: Final = "-24h"
_UNTIL: Final = "now"
_SHAPE: Final = (
    "The JSON has the members format (1), made, engine, host, range, store, findings, totals, operations,"
    " course, users, files, commands, alerts, denied, changes, sessions, coverage, chain and controls;"
    " schemas/report.schema.json says what each means. Members may be added; one that changes its meaning or"
    " goes raises 'format'."
)
_LISTED: Final = 1_000
"""Findings of verify that a report has; the rest are counted."""


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "report",
        parents=[common],
        help="what happened in a range of time, for auditors",
        description="Reports from the store, which it only reads: totals, alerts by level, rule and day,"
        " denied accesses, changes, the busiest users, files and commands, sessions, gaps in coverage and"
        " losses, the state of the hash chain, and which requirement of SOC 2, HIPAA and PCI DSS is served by"
        " what. The HTML is one file that needs no network and no script.",
        epilog=f"{_SHAPE} Exit 1 if --verify finds that the trail was altered.",
    )
    add_range(parser, since=_SINCE, until=_UNTIL)
    parser.add_argument("--store", type=Path, metavar="PATH", help=f"default: {DEFAULT_STORE}")
    parser.add_argument(
        "--format", choices=("pretty", "json", "html"), default="pretty", help="default: pretty"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write it there, whole or not at all, for nobody else to read (default: stdout)",
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="check the whole hash chain, too, as 'verify' does: minutes for a store of millions",
    )
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    now_ns = time.time_ns()
    since_ns, until_ns = _range(args, now_ns)
    path = args.store or args.settings.store_path or DEFAULT_STORE
    place = args.settings.store.anchor_file or default_file(path)
    anchors = _anchors(place)  # before the store: none of them is younger than its end
    with Store.open(path, read_only=True) as store:
        refuse_altered(store)
        check = _check(store, anchors, place) if args.verify else None
        asked = Question(
            since_ns=since_ns,
            until_ns=until_ns,
            now_ns=now_ns,
            host=live.host_name(),
            anchors=anchors,
            anchors_file=str(place),
            frameworks=frameworks(),
        )
        report = report_of(store, asked, check)
    _write(report, args)
    return Exit.FINDINGS if check is not None and check.findings else Exit.FINE


def _range(args: argparse.Namespace, now_ns: int) -> tuple[int, int]:
    since, until = args.since or moment(_SINCE), args.until or moment(_UNTIL)
    first_ns, end_ns = range_of(since, until, now_ns)
    assert first_ns is not None and end_ns is not None  # noqa: S101, PT018 - neither end was left open
    return first_ns, end_ns


def _anchors(place: Path) -> Sequence[Anchor]:
    """What the file of anchors holds; nothing where there is none."""
    if not os.path.isfile(place):  # noqa: PTH113 - no error where nobody may look
        return ()
    try:
        with place.open(encoding="utf-8", errors="replace") as file:
            return parse(file).found
    except OSError as error:
        say(f"fileaudit-engine: {printable(str(place))} cannot be read: {error.strerror or error}")
        return ()


def _check(store: Store, anchors: Sequence[Anchor], place: Path) -> Check:
    """Check the whole chain."""
    told = announced_in(store, place)
    verification = Verification(store, anchors, progress=Progress(), announced=told)
    lines: list[str] = []
    findings = 0
    for finding in verification.findings():
        findings += 1
        if findings <= _LISTED:
            lines.append("  ".join(line.strip() for line in finding_lines(finding, color=False)))
    return Check(rows=verification.checked.rows, findings=findings, lines=lines)


# --- writing -----------------------------------------------------------------------------------------------


def _write(report: Report, args: argparse.Namespace) -> None:
    if args.output is None:
        for piece in _pieces(report, args.format, color=color_of(args, sys.stdout)):
            sys.stdout.write(_encodable(piece, args.format))
        sys.stdout.flush()
        return
    with _whole(args.output) as file:
        for piece in _pieces(report, args.format, color=args.color == "always"):
            file.write(piece)


def _pieces(report: Report, form: str, *, color: bool) -> Iterable[str]:
    """The report as text."""
    if form == "json":
        text = json.dumps(msgspec.to_builtins(report), indent=2)  # ASCII: nothing in it acts on a terminal
        return (text.replace("\x7f", "\\u007f"), "\n")
    page = page_of(report)
    if form == "html":
        return html_page(page)
    return (f"{line}\n" for line in pretty(page, color=color))


def _encodable(piece: str, form: str) -> str:
    """What a stream takes that is not UTF-8: HTML has a way to write every character in ASCII."""
    if form != "html" or (sys.stdout.encoding or "utf-8").lower().replace("-", "") == "utf8":
        return piece
    return piece.encode("ascii", "xmlcharrefreplace").decode()


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[IO[str]]:
    """A file that is there when all of it is written, and not before.

    Raises:
        UnusableInput: Something else than a file has that name.
        MachineCannot: The system refuses.
    """
    _refuse_what_is_no_file(path)
    name = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name[:100]}.", delete=False
        ) as file:
            name = Path(file.name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        name.replace(path)
    except OSError as error:
        raise MachineCannot(
            f"the report cannot be written to {printable(str(path))}: {error.strerror or error}",
            remedy="name a file in a folder that is there and has room with --output",
        ) from error
    finally:
        if name is not None:
            name.unlink(missing_ok=True)


def _refuse_what_is_no_file(path: Path) -> None:
    """A device, a link or a folder of that name must not be replaced."""
    with contextlib.suppress(OSError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise _no_file(path)


def _no_file(path: Path) -> UnusableInput:
    return unusable_file(
        "FA099",
        str(path),
        "the report cannot be written there: it is no regular file",
        "name a new file with --output, or leave it out and redirect stdout",
    )
