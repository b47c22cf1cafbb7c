"""`query`: finds alerts, audit events and what the engine said about itself in the store."""

import argparse
import contextlib
import itertools
import re
import select
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from fileaudit_engine.cli import live
from fileaudit_engine.cli.common import Exit, color_of, say
from fileaudit_engine.cli.query_csv import Table
from fileaudit_engine.cli.query_lines import Lines
from fileaudit_engine.cli.query_options import MOST_PER_PAGE, add_filters, number, search_of
from fileaudit_engine.cli.query_rows import foreign
from fileaudit_engine.cli.query_slips import refuse_unknown_rules, slips
from fileaudit_engine.config import DEFAULT_STORE
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.runtime.supervisor import Supervisor
from fileaudit_engine.sinks.jsonlog import line
from fileaudit_engine.sinks.output import CLOSED_PIPE, Output
from fileaudit_engine.store.search import Search, Watch, count, in_portions, numbers, search
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.stored import StoredRecord
from fileaudit_engine.store.verify_schema import refuse_altered

_PAGE: Final = 100
"""Lines of a page for people."""
_FOLLOWED: Final = 10
"""Lines that `--follow` begins with, as `tail -f` does."""
_POLL_S: Final = 0.2
_AT_ONCE: Final = 200
"""Records whose lines are aligned and written together."""

_ACTING: Final = re.compile(rb"[\x00-\x1f]")
"""What the engine's JSON never has."""

_Show = Callable[[Sequence[StoredRecord]], str]


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "query",
        parents=[common],
        help="search the store",
        description="Finds alerts, events of the audit trail and what the engine said about itself. The"
        " store is only read, also while an engine writes to it. Without --sort records are shown in the"
        " order of time, the newest at the bottom, and pages are counted from the newest: --page 2 is"
        " what came before.",
        epilog="json is one ECS document a line, as 'replay' and test cases take it. csv is RFC 4180 with a"
        " line of names; a cell that a spreadsheet would take for a formula (= + - @ in front) gets an"
        r" apostrophe in front, control characters are written as \xNN.",
    )
    add_filters(parser)
    parser.add_argument("--store", type=Path, metavar="PATH", help=f"default: {DEFAULT_STORE}")
    parser.add_argument(
        "--format", choices=("pretty", "json", "csv"), default="pretty", help="default: pretty"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="say more of each record (pretty)")
    parser.add_argument(
        "--sort", choices=("time", "-time"), help="the oldest first, or the newest; pages count from there"
    )
    parser.add_argument(
        "--limit",
        type=number(0, MOST_PER_PAGE),
        metavar="N",
        help=f"records of a page; 0: all (default: {_PAGE}, of json and csv all)",
    )
    parser.add_argument("--page", type=number(1, 1_000_000), metavar="N", help="which one (default: 1)")
    parser.add_argument("--count", action="store_true", help="say only how many records there are")
    parser.add_argument(
        "--follow",
        action="store_true",
        help=f"go on showing what comes, after the last {_FOLLOWED} (or --limit); Ctrl-C stops",
    )
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    if refusal := _contradiction(args):
        say(f"fileaudit-engine: {refusal}")
        return Exit.UNUSABLE
    wanted = search_of(args, time.time_ns())
    with Store.open(args.store or args.settings.store_path or DEFAULT_STORE, read_only=True) as store:
        refuse_altered(store)
        refuse_unknown_rules(store, args)
        if args.count:
            print(count(store, wanted))
            return Exit.FINE
        out = Output(sys.stdout)
        show = _shown_as(args)
        if args.follow:
            _follow(store, wanted, args, lambda records: out.write(show(records)), out)
        else:
            _show_page(store, wanted, args, show, out)
    return live.output_status(out)


def _contradiction(args: argparse.Namespace) -> str:
    """Options that cannot be meant together; empty if there are none."""
    for first, second in (
        *(("follow", other) for other in ("until", "page", "sort", "count")),
        *(("count", other) for other in ("page", "limit", "sort")),
    ):
        if getattr(args, first) and getattr(args, second) is not None and getattr(args, second) is not False:
            return f"--{first} and --{second} cannot be meant together: leave one of them out"
    if args.page is not None and args.page > 1 and not _limit_of(args):
        return "without a --limit there is one page"
    return ""


def _shown_as(args: argparse.Namespace) -> _Show:
    if args.format == "json":
        encoding = (sys.stdout.encoding or "utf-8").lower().replace("-", "")
        ascii_only = encoding != "utf8"
        return lambda records: b"".join(_json_line(one, ascii_only=ascii_only) for one in records).decode()
    if args.format == "csv":
        return Table().of
    return Lines(color=color_of(args, sys.stdout), details=args.verbose).of


def _json_line(record: StoredRecord, *, ascii_only: bool) -> bytes:
    """The document as it was kept; what is no line of JSON was put there by somebody else."""
    try:
        if _ACTING.search(record.raw) is None:
            return line(record.raw, ascii_only=ascii_only)
    except UnicodeDecodeError:
        pass
    return encode(foreign(record.seq)) + b"\n"


def _limit_of(args: argparse.Namespace) -> int | None:
    """Records of a page; None: all."""
    if args.limit is not None:
        return args.limit or None
    return _PAGE if args.format == "pretty" else None


# --- a page -------------------------------------------------------------------------------------------------


def _show_page(store: Store, wanted: Search, args: argparse.Namespace, show: _Show, out: Output) -> None:
    limit = _limit_of(args)
    if limit is None:
        found = numbers(store, replace(wanted, newest_first=args.sort == "-time"))
        shown = _write_all(in_portions(store, found, _tell_damaged), show, out)
        more = False
    else:
        skip = ((args.page or 1) - 1) * limit
        asked = replace(wanted, newest_first=args.sort != "time", skip=skip, limit=limit + 1)
        all_found = list(numbers(store, asked))
        page, more = all_found[:limit], len(all_found) > limit
        in_order = iter(page if args.sort else page[::-1])
        shown = _write_all(in_portions(store, in_order, _tell_damaged), show, out)
    if out.gone:
        return
    if more:
        _tell_more(args, shown)
    elif not shown:
        _tell_nothing(store, args, show, out)


def _tell_damaged(number: int) -> None:
    say(f"fileaudit-engine: row {number:,} is damaged and left out; 'verify' tells more")


def _write_all(records: Iterator[StoredRecord], show: _Show, out: Output) -> int:
    """Write records, some at a time; returns how many, until nobody reads any more."""
    shown = 0
    for portion in _portions(records):
        out.write(show(portion))
        shown += len(portion)
        if out.gone:
            break
    return shown


def _portions(records: Iterator[StoredRecord]) -> Iterator[list[StoredRecord]]:
    while portion := list(itertools.islice(records, _AT_ONCE)):
        yield portion


def _tell_more(args: argparse.Namespace, shown: int) -> None:
    page = (args.page or 1) + 1
    which = {"time": "oldest", "-time": "newest", None: "newest"}[args.sort]
    what = f"the {which} {shown:,} are" if page == 2 else f"page {page - 1} is"
    say(f"more      there is more, {what} shown: --page {page} goes on, --limit 0 shows all, --count counts")


def _tell_nothing(store: Store, args: argparse.Namespace, show: _Show, out: Output) -> None:
    if args.format == "csv":
        out.write(show(()))  # the names of the columns: an empty table is one
    say("nothing   no record is like that" if (args.page or 1) == 1 else "nothing   there is no such page")
    for words in slips(store, args):
        say(f"note      {words}")


# --- what comes ---------------------------------------------------------------------------------------------


def _follow(
    store: Store,
    wanted: Search,
    args: argparse.Namespace,
    write: Callable[[Sequence[StoredRecord]], None],
    out: Output,
) -> None:
    head = store.head.seq
    last = _FOLLOWED if args.limit is None else args.limit
    if last:
        before = list(search(store, replace(wanted, upto_seq=head, limit=last)))
        if before:
            write(before[::-1])
    with Watch(store, replace(wanted, after_seq=head)) as watch, Supervisor() as supervisor:
        while supervisor.proceed() and not _is_gone(out):
            news = watch.news()
            if news:
                write(news)
            elif not watch.behind:
                time.sleep(_POLL_S)


def _is_gone(out: Output) -> bool:
    """Whether nobody reads any more; looks, since nothing may come for hours that would tell."""
    poll = select.poll()
    with contextlib.suppress(OSError, ValueError):  # a stream that is no file is never left
        poll.register(sys.stdout.fileno(), 0)
        if any(flags & select.POLLERR for _, flags in poll.poll(0)):
            out.gone = CLOSED_PIPE
    return bool(out.gone)
