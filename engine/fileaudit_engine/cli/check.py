"""`check`: are these rules right?"""

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from fileaudit_engine.cli.common import Exit, color_of, rendered, say
from fileaudit_engine.cli.loading import Loaded, add_unknown_fields, load_quietly, rule_options
from fileaudit_engine.diagnostics import Diagnostic, summary
from fileaudit_engine.text import counted, printable

UNREADABLE: Final = "FA001"
"""The code of files that cannot be read; where one of them is named, it is the command line that is wrong."""


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "check",
        parents=[common],
        help="validate and lint rules and correlations",
        description="Reports everything that is wrong with rules, with place and remedy. Exit 1 on errors,"
        " 2 where there is no rule at all or one of RULES cannot be read.",
    )
    parser.add_argument("rules", nargs="+", type=Path, metavar="RULES", help="a file or a folder")
    parser.add_argument("--format", choices=("pretty", "json"), default="pretty", help="default: pretty")
    add_unknown_fields(parser)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    loaded = load_quietly(args.rules, rule_options(args))
    if args.format == "json":
        print(json.dumps(_document(loaded), indent=2))
    else:
        _print_pretty(loaded, args)
    if not loaded.rules.rules and not loaded.diagnostics:
        say(f"fileaudit-engine: no rule found in {printable(', '.join(map(str, args.rules)))}")
        return Exit.UNUSABLE
    named = set(map(str, args.rules))
    if any(found.code == UNREADABLE and found.location.file in named for found in loaded.diagnostics):
        return Exit.UNUSABLE
    return Exit.FINDINGS if loaded.broken else Exit.FINE


def _print_pretty(loaded: Loaded, args: argparse.Namespace) -> None:
    found = loaded.diagnostics
    if found:
        color, rest = color_of(args, sys.stdout), "; '--format json' lists all"
        print(rendered(found, loaded.rules.sources, color=color, rest=rest))
    say(f"{counted_rules(loaded)} usable; {summary(found)}")


def counted_rules(loaded: Loaded) -> str:
    """How many there are: `24 rules`, `24 rules, 9 correlations`."""
    correlations = len(loaded.rules.correlations)
    rules = counted(len(loaded.rules.rules), "rule")
    return f"{rules}, {counted(correlations, 'correlation')}" if correlations else rules


def _document(loaded: Loaded) -> dict[str, object]:
    return {
        "summary": {
            "rules": len(loaded.rules.rules),
            "correlations": len(loaded.rules.correlations),
            "errors": sum(d.severity.label == "error" for d in loaded.diagnostics),
            "warnings": sum(d.severity.label == "warning" for d in loaded.diagnostics),
        },
        "diagnostics": [_finding(diagnostic) for diagnostic in loaded.diagnostics],
    }


def _finding(diagnostic: Diagnostic) -> dict[str, object]:
    place = diagnostic.location
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.label,
        "message": diagnostic.message,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "end_column": place.end_column,
        "label": diagnostic.label,
        "help": diagnostic.help,
    }
