"""`doctor`: what this machine offers, found out by trying, and what each missing part costs."""

import argparse
import contextlib
import json
import sys

from fileaudit_engine.cli.common import Exit, color_of, say
from fileaudit_engine.cli.doctor_sinks import Progress, progress_of, sink_checks
from fileaudit_engine.config import Config
from fileaudit_engine.diagnostics import FileauditError
from fileaudit_engine.sinks.output import GREEN, RED, YELLOW, painted
from fileaudit_engine.sources.machine import Check, probe_machine
from fileaudit_engine.sources.mounts import missing_mounts, mount
from fileaudit_engine.text import printable


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "doctor",
        parents=[common],
        help="can this machine do it?",
        description="Tries every part that live capture uses by really using it, and says what each missing"
        " one costs. With a configuration that has sinks behind a network, asks those, too. Exit 3 where live"
        " capture is impossible.",
    )
    parser.add_argument("--format", choices=("pretty", "json"), default="pretty", help="default: pretty")
    parser.add_argument(
        "--mount", action="store_true", help="first mount tracefs and bpffs where they are missing"
    )
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    if args.mount:
        _mount_missing()
    checks = [*probe_machine(), *sink_checks(args.settings)]
    if args.format == "json":
        print(json.dumps(_document(checks, args.settings), indent=2))
    else:
        _print_pretty(checks, color=color_of(args, sys.stdout))
    return Exit.FINE if able(checks) else Exit.MACHINE


def able(checks: list[Check]) -> bool:
    """Whether live capture is possible: nothing is missing that it cannot do without."""
    return all(check.ok for check in checks if check.required)


def _mount_missing() -> None:
    for missing in missing_mounts():
        mount(missing)
        say(f"mounted   {missing.kind} on {missing.target}")


def _print_pretty(checks: list[Check], *, color: bool) -> None:
    columns = max(len(check.name) for check in checks)
    for check in checks:
        print(f"{_mark(check, color=color)} {check.name:{columns}}  {printable(check.detail)}")
        if not check.ok:
            print(f"  {'':{columns}}    costs: {check.cost}")
            if check.remedy:
                print(f"  {'':{columns}}    help:  {printable(check.remedy)}")
    print(_verdict(checks))
    if missing_mounts():
        print("'fileaudit-engine doctor --mount' mounts what is not mounted; 'run' does it by itself")


def _mark(check: Check, *, color: bool) -> str:
    if check.ok:
        return painted("✓", GREEN, color=color)
    return painted("✗", RED, color=color) if check.required else painted("!", YELLOW, color=color)


def _verdict(checks: list[Check]) -> str:
    lacking = [check.name for check in checks if check.required and not check.ok]
    if lacking:
        return f"live capture is impossible here: {', '.join(lacking)}"
    return "live capture works here"


def _document(checks: list[Check], config: Config) -> dict[str, object]:
    sinks: list[Progress] = []
    with contextlib.suppress(FileauditError):  # a check says so
        sinks = progress_of(config)
    return {
        "live_capture": able(checks),
        "sinks": [
            {
                "sink": one.sink,
                "behind": one.behind,
                "lag_seconds": one.lag_seconds,
                "rejected": one.rejected,
            }
            for one in sinks
        ],
        "checks": [
            {
                "name": check.name,
                "ok": check.ok,
                "required": check.required,
                "detail": check.detail,
                "cost": check.cost,
                "remedy": check.remedy,
            }
            for check in checks
        ],
    }
