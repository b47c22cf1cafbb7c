"""What the commands share: exit statuses, colours, and reporting what is wrong with an input."""

import argparse
import enum
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TextIO

from fileaudit_engine.diagnostics import (
    Diagnostic,
    SourceText,
    in_order,
    render,
    summary,
)
from fileaudit_engine.text import counted


class Exit(enum.IntEnum):
    """Exit statuses of the command line."""

    FINE = 0
    FINDINGS = 1
    UNUSABLE = 2
    MACHINE = 3
    INTERRUPTED = 130


MAX_SHOWN: Final = 1_000
"""Findings that are printed for people. Twenty thousand are 17 MB; who mends the cause of the first ones asks
again."""

READER_GONE: Final = 128 + signal.SIGPIPE
"""What a program ends with that is killed because nobody reads its output any more."""


def say(text: str) -> None:
    """One line for the person in front of the terminal; never part of the results."""
    print(text, file=sys.stderr, flush=True)


def color_of(args: argparse.Namespace, stream: TextIO) -> bool:
    """Whether to colour what goes to a stream: as asked, else on a terminal unless NO_COLOR is set."""
    if args.color != "auto":
        return bool(args.color == "always")
    return stream.isatty() and not os.environ.get("NO_COLOR")


def rendered(
    found: Sequence[Diagnostic], sources: Mapping[str, SourceText], *, color: bool, rest: str = ""
) -> str:
    """Findings for people, in the order given; of very many the first, errors before all others.

    Args:
        found: The findings.
        sources: See `render`.
        color: Whether to use ANSI colours.
        rest: What to say of how to see those that are left out.
    """
    if len(found) <= MAX_SHOWN:
        return render(found, sources, color=color)
    by_weight = sorted(range(len(found)), key=lambda index: -found[index].severity)
    kept = [found[index] for index in sorted(by_weight[:MAX_SHOWN])]
    more = counted(len(found) - MAX_SHOWN, "more finding")
    return f"{render(kept, sources, color=color)}\n\n{more} not shown{rest}"


def report_diagnostics(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, SourceText], args: argparse.Namespace
) -> None:
    """Print findings and their count on stderr, if there are any."""
    found = in_order(diagnostics)
    if found:
        say(rendered(found, sources, color=color_of(args, sys.stderr)))
        say(summary(found))
