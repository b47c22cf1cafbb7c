"""`test`: prove a rule pack by its test cases."""

import argparse
import sys

from fileaudit_engine.cli.common import Exit, color_of, report_diagnostics, say
from fileaudit_engine.cli.loading import Loaded, add_unknown_fields, has_rules, load
from fileaudit_engine.diagnostics import has_errors
from fileaudit_engine.rules.names import RuleNames
from fileaudit_engine.ruletest.cases import Case, LoadedCases
from fileaudit_engine.ruletest.formats import json, pretty
from fileaudit_engine.ruletest.load import load_cases
from fileaudit_engine.ruletest.names import check_names
from fileaudit_engine.ruletest.report import Report
from fileaudit_engine.ruletest.runner import run_cases
from fileaudit_engine.ruletest.select import selected
from fileaudit_engine.text import printable

_DESCRIPTION = """\
Run the test cases of a rule pack. Every case runs twice, with the model of the kernel's filter in front and
without it; a difference fails the case. Alerts are compared exactly: nothing else may fire. Correlations see
the events of their case alone; when those are over, time runs on until every window is empty.
"""
_EPILOG = """\
Exit status: 0 all cases pass; 1 a case fails, a rule is broken, or coverage is too low; 2 the command line or
a test file is unusable, or there is no usable rule.
"""


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "test",
        parents=[common],
        help="run the test cases of a rule pack",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument("rules", metavar="RULES", help="a rule file, or a folder of them")
    parser.add_argument("fixtures", metavar="FIXTURES", help="a test file, or a folder with *.test.yml")
    parser.add_argument(
        "-k",
        dest="pattern",
        metavar="PATTERN",
        help="only cases whose name holds PATTERN; * and ? as in globs",
    )
    parser.add_argument("--format", choices=("pretty", "json"), default="pretty", help="default: pretty")
    parser.add_argument("--coverage", action="store_true", help="list what is proven of each rule")
    parser.add_argument(
        "--fail-under",
        type=_percent,
        metavar="PERCENT",
        help="fail if fewer of the rules are proven both to fire and to stay silent",
    )
    add_unknown_fields(parser)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Run the cases; returns the exit status.

    Raises:
        UnusableInput: A path does not exist, or there is no test file.
    """
    loaded = load([args.rules], args)
    if not has_rules(loaded, [args.rules]):
        return Exit.UNUSABLE
    found = load_cases(args.fixtures, allow_unknown_fields=args.allow_unknown_fields)
    cases = selected(found.cases, args.pattern)
    _report_problems(loaded, found, cases, args)
    if args.pattern is not None and not cases:
        say(f"fileaudit-engine: no test case is called like '{printable(args.pattern)}'")
        return Exit.UNUSABLE
    compiled = loaded.compiled
    report = run_cases(cases, compiled.user, compiled.kernel, compiled.correlations)
    sys.stdout.write(_rendered(report, args))
    return _status(report, loaded, found, args)


def _report_problems(
    loaded: Loaded, found: LoadedCases, cases: tuple[Case, ...], args: argparse.Namespace
) -> None:
    """Print what is wrong with the test files, and with the rules that they name."""
    rules, correlations = loaded.rules.rules, loaded.rules.correlations
    levels = {rule.key: rule.level for rule in rules} | {one.key: one.level for one in correlations}
    wrong_names = check_names(cases, RuleNames([*rules, *correlations]), levels)
    report_diagnostics((*found.diagnostics, *wrong_names), found.sources, args)


def _rendered(report: Report, args: argparse.Namespace) -> str:
    if args.format == "json":
        return json.render(report)
    return pretty.render(report, color=color_of(args, sys.stdout), coverage=args.coverage)


def _status(report: Report, loaded: Loaded, found: LoadedCases, args: argparse.Namespace) -> int:
    if has_errors(found.diagnostics):
        return Exit.UNUSABLE
    covered = _is_covered(report, args.fail_under)
    return Exit.FINDINGS if report.failed or loaded.broken or not covered else Exit.FINE


def _is_covered(report: Report, least: float | None) -> bool:
    """Whether enough of the rules are proven; says so if not."""
    if least is None or report.coverage.percent >= least:
        return True
    say(f"fileaudit-engine: coverage is {report.coverage.percent:.1f} %, less than {least:g} %")
    return False


def _percent(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 100:
        raise argparse.ArgumentTypeError(f"{printable(text)} is not a percentage from 0 to 100")
    return number
