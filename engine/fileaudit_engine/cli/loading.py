"""Loading rules for a command, with what the command line and the configuration say about them."""

import argparse
import contextlib
import gc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fileaudit_engine.cli.common import report_diagnostics, say
from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.diagnostics import Diagnostic, Severity, has_errors, in_order
from fileaudit_engine.rules.options import DEFAULTS, RuleOptions
from fileaudit_engine.rules.parser import LoadedRules, load_rules
from fileaudit_engine.text import printable


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
