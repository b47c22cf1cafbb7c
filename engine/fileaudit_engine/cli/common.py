"""What the commands share: exit statuses, colours, loading rules and reporting what is wrong with them."""

import argparse
import contextlib
import enum
import gc
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.diagnostics import (
    Diagnostic,
    Severity,
    SourceText,
    has_errors,
    in_order,
    render,
    summary,
)
from fileaudit_engine.rules.options import DEFAULTS, RuleOptions
from fileaudit_engine.rules.parser import LoadedRules, load_rules
from fileaudit_engine.text import counted, printable


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A rule pack, ready to run.

    Attributes:
        rules: The documents and what is wrong with them.
        compiled: The plans of those that are usable.
    """

    rules: LoadedRules
    compiled: Compiled

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """The parser's and the compiler's findings, sorted by place."""
        return in_order((*self.rules.diagnostics, *self.compiled.diagnostics))

    @property
    def broken(self) -> bool:
        """Whether some rule is unusable."""
        return has_errors(self.rules.diagnostics)


def say(text: str) -> None:
    """One line for the person in front of the terminal; never part of the results."""
    print(text, file=sys.stderr, flush=True)


def color_of(args: argparse.Namespace, stream: TextIO) -> bool:
    """Whether to colour what goes to a stream: as asked, else on a terminal unless NO_COLOR is set."""
    if args.color != "auto":
        return bool(args.color == "always")
    return stream.isatty() and not os.environ.get("NO_COLOR")


def load_quietly(paths: Sequence[Path | str], options: RuleOptions = DEFAULTS) -> Loaded:
    """Load and compile rules; nothing is printed.

    Raises:
        UnusableInput: A path does not exist.
    """
    with without_collector():
        rules = load_rules(paths, options)
        return Loaded(rules=rules, compiled=compile_rules(rules.rules, rules.correlations))


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """Loading makes many objects that stay, and no circles of garbage: looking for those takes a third of it.

    What is loaded is not looked at again: the collector would go through all rules every few seconds.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def add_unknown_fields(parser: argparse.ArgumentParser) -> None:
    """Add the option that `rule_options` and the readers of events go by."""
    parser.add_argument(
        "--allow-unknown-fields",
        action="store_true",
        help="take fields that the field table does not know as they are, in rules and in events",
    )


def rule_options(args: argparse.Namespace) -> RuleOptions:
    """What the command line and the configuration say about the reading of rules."""
    return RuleOptions(
        allow_unknown_fields=getattr(args, "allow_unknown_fields", False),
        placeholders=args.settings.placeholders,
        timezone=args.settings.timezone,
    )


def load(paths: Sequence[Path | str], args: argparse.Namespace) -> Loaded:
    """Load and compile rules; what makes any of them unusable is reported on stderr.

    Raises:
        UnusableInput: A path does not exist.
    """
    loaded = load_quietly(paths, rule_options(args))
    errors = [d for d in loaded.diagnostics if d.severity is Severity.ERROR]
    report_diagnostics(errors, loaded.rules.sources, args)
    return loaded


def has_rules(loaded: Loaded, paths: Iterable[Path | str]) -> bool:
    """Whether there is a usable rule; says so if not, since nothing can then be found or proven."""
    if not loaded.rules.rules:
        say(f"fileaudit-engine: no usable rule in {printable(', '.join(map(str, paths)))}")
    return bool(loaded.rules.rules)


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
