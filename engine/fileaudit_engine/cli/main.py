"""The command line: one subcommand a file, one place that turns outcomes into exit statuses.

0 fine · 1 findings · 2 unusable command line, configuration or input · 3 this machine cannot · 130
interrupted. Results go to stdout, everything else to stderr.
"""

import argparse
import importlib
import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TextIO

from fileaudit_engine import __version__
from fileaudit_engine.cli.common import READER_GONE, Exit, report_diagnostics, say
from fileaudit_engine.config import load_config
from fileaudit_engine.diagnostics import MachineCannot, UnusableInput

COMMANDS: Final = (
    *("run", "trace", "top", "replay", "record", "test", "check", "explain", "query", "report", "verify"),
    *("doctor", "elastic", "convert"),
)
"""Each is a module of this package, imported when it is asked for: `verify` does not need a compiler."""

_LEVELS = ("debug", "info", "warning", "error")


def parser(argv: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The command line.

    Args:
        argv: What is going to be parsed; where a command stands first, the others are left out.
    """
    common = argparse.ArgumentParser(add_help=False)
    group = common.add_argument_group("shared options")
    group.add_argument("--config", metavar="FILE", help="configuration (YAML)")
    group.add_argument("--log-level", choices=_LEVELS, default="warning", help="default: warning")
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")
    whole = argparse.ArgumentParser(
        prog="fileaudit-engine",
        description="File-access detection with Sigma rules that run inside the Linux kernel.",
        epilog="Exit status: 0 fine, 1 findings, 2 unusable input, 3 this machine cannot, 130 interrupted.",
    )
    whole.add_argument("--version", action="version", version=f"fileaudit-engine {__version__}")
    subparsers = whole.add_subparsers(metavar="COMMAND", required=True)
    for name in [argv[0]] if argv and argv[0] in COMMANDS else COMMANDS:
        importlib.import_module(f"fileaudit_engine.cli.{name}").register(subparsers, common)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    _accept_every_character()
    given = sys.argv[1:] if argv is None else list(argv)
    args = parser(given).parse_args(given)
    logging.basicConfig(level=args.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    try:
        args.settings = load_config(args.config)  # a broken one is reported by every command
        return int(args.command(args))
    except UnusableInput as error:
        report_diagnostics(error.diagnostics, error.sources, args)
        return Exit.UNUSABLE
    except MachineCannot as error:
        say(f"fileaudit-engine: {error}")
        if error.remedy:
            say(f"  = help: {error.remedy}")
        return Exit.MACHINE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return _reader_gone()
    except OSError as error:
        say(f"fileaudit-engine: {error}")
        return _output_to_nowhere(Exit.MACHINE)


def _accept_every_character() -> None:
    """A terminal whose encoding lacks a character gets an escape in its place, not a traceback.

    A stream that was closed before we started is as good as /dev/null.
    """
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def _reader_gone() -> int:
    """Whoever read our output has closed it (`| head`): end as a program does that dies of SIGPIPE."""
    return _output_to_nowhere(READER_GONE)


def _output_to_nowhere(status: int) -> int:
    """Point stdout at nothing, so that the interpreter's own flush at exit has nothing to complain about."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return status
