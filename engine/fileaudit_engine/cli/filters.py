"""Which operations a live view shows: its options, and the rule that they become.

The options of `trace` and `top` become an informational Sigma rule, which goes through the same compiler and
the same kernel filter as every other rule: what the options exclude never leaves the kernel where the
classifier can tell.
"""

import argparse
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from fileaudit_engine.cli.common import say
from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.diagnostics import UnusableInput
from fileaudit_engine.events.model import Operation
from fileaudit_engine.rules.ast import Rule
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.rules.wording import nearest_of, quoted
from fileaudit_engine.text import printable

_O: Final = Operation

GROUPS: Final[Mapping[str, tuple[Operation, ...]]] = {
    "make": (_O.CREATE, _O.MKDIR, _O.LINK, _O.SYMLINK),
    "delete": (_O.UNLINK, _O.RMDIR),
    "change": (_O.TRUNCATE, _O.CHMOD, _O.CHOWN, _O.UTIMES, _O.SETXATTR, _O.REMOVEXATTR),
    "xattr": (_O.SETXATTR, _O.REMOVEXATTR),
}
"""Words for several operations, by what becomes of the file."""

WHERE: Final = (
    "The filters run in the kernel: what they exclude is never copied. What it cannot tell for sure (a path"
    " that it could not resolve, what stands between several * of a --path, * and ? in --user and --comm) is"
    " tested afterwards."
)
SUMMED: Final = (
    "Reads and writes are summed in the kernel, by process and file, and told at the first call, when the"
    " file is closed, when the process ends, and every few seconds in between."
)

_MOST_PIDS: Final = 1 << 22
"""The kernel's own bound, `PID_MAX_LIMIT`."""
_MOST_IDS: Final = (1 << 32) - 2
"""The largest user id; the one above says 'none'."""


def add_filters(parser: argparse.ArgumentParser) -> None:
    """The options that `filter_rule` reads."""
    groups = ", ".join(f"{name} ({' '.join(o.value for o in members)})" for name, members in GROUPS.items())
    single = ", ".join(operation.value for operation in Operation)
    group = parser.add_argument_group("filters", "All that are given must hold.")
    group.add_argument(
        "--op", type=_operations, metavar="OP,…", help=f"operations: {single}; or several: {groups}"
    )
    group.add_argument(
        "--path",
        action="append",
        type=_text,
        metavar="GLOB",
        help="absolute path, * crosses slashes (/etc/* is all below /etc); of renames and links, either name;"
        " may be given repeatedly",
    )
    group.add_argument(
        "--user", type=_text, metavar="NAME", help="real user: name (* and ? allowed) or number"
    )
    group.add_argument("--comm", type=_text, metavar="NAME", help="name of the process, * and ? allowed")
    group.add_argument("--pid", type=_pid, metavar="N", help="process id")
    group.add_argument("--failed", action="store_true", help="only calls that failed")


def compiled_filter(args: argparse.Namespace) -> Compiled:
    """The options as a compiled rule pack of one rule.

    Raises:
        UnusableInput: An option says something that no rule can say.
    """
    return compile_rules((filter_rule(args, "trace"),))


def filter_rule(args: argparse.Namespace, name: str) -> Rule:
    """The options as a rule of that name.

    Raises:
        UnusableInput: As `compiled_filter`.
    """
    text = yaml.safe_dump(
        {
            "title": name,
            "name": name,
            "level": "informational",
            "logsource": {"product": "linux", "service": "fileaudit"},
            "detection": _detection(args),
        },
        default_style='"',  # a name such as 0o17 would be a number without its quotes
        width=float("inf"),
    )
    loaded = parse_text(text, "<options>")
    if not loaded.rules:
        raise UnusableInput(loaded.diagnostics)
    return loaded.rules[0]


def _detection(args: argparse.Namespace) -> dict[str, object]:
    given: dict[str, object] = {
        "Operation": args.op or [operation.value for operation in Operation],
        **_of_user(args.user),
        "ProcessName": args.comm,
        "ProcessId": args.pid,
        "Outcome": "failure" if args.failed else None,
    }
    detection: dict[str, object] = {
        "selection": {name: value for name, value in given.items() if value is not None},
        "condition": "selection",
    }
    if args.path:
        detection["name"] = {"TargetFilename": args.path}
        detection["old_name"] = {"Operation": ["rename", "link"], "SourceFilename": args.path}
        detection["condition"] = "selection and (name or old_name)"
    return detection


def _of_user(user: str | None) -> dict[str, object]:
    """Digits are a number, unless somebody is called that."""
    if user is not None and user.isascii() and user.isdecimal() and not _is_known(user):
        return {"UserId": int(user)}
    return {"User": user}


# --- what is worth a warning --------------------------------------------------------------------------------


def warn_of_slips(args: argparse.Namespace) -> None:
    """Say of each option that is most likely a slip what it may have been meant to be; all of them hold.

    None is an error: a user may be made while we watch, and a folder be replaced by a file.
    """
    for path in args.path or ():
        if words := _path_slip(path):
            say(f"warning   --path {printable(path)}: {words}")
    if args.user is not None and (words := _user_slip(args.user)):
        say(f"warning   --user {printable(args.user)}: {words}")


def _path_slip(path: str) -> str:
    if path[0] not in "/*?":
        return f"paths are absolute, so nothing is called that; did you mean {printable(_absolute(path))}?"
    if not any(wild in path for wild in "*?") and Path(path).is_dir():
        return f"that is the folder alone; for what is in it, write '{printable(path.rstrip('/'))}/*'"
    return ""


def _absolute(path: str) -> str:
    """The path as seen from here."""
    return str(Path.cwd() / path.removeprefix("./"))


def _user_slip(user: str) -> str:
    if user.isascii() and user.isdecimal() and int(user) > _MOST_IDS:
        return f"no user id is above {_MOST_IDS}"
    if any(wild in user for wild in "*?") or user.isdecimal() or _is_known(user):
        return ""
    near = nearest_of(user, (entry.pw_name for entry in pwd.getpwall()))
    return "this host knows no such user" + (f"; did you mean '{printable(near)}'?" if near else "")


def _is_known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except (KeyError, ValueError):  # ValueError: a NUL in it
        return False
    return True


# --- types --------------------------------------------------------------------------------------------------


def _operations(text: str) -> list[str]:
    known = {operation.value: (operation,) for operation in Operation} | dict(GROUPS)
    names = [name.strip().lower() for name in text.split(",")]
    for name in names:
        if name not in known:
            near = nearest_of(name, known)
            meant = f"; did you mean '{near}'?" if near else ""
            raise argparse.ArgumentTypeError(f"{quoted(printable(name))} is no operation{meant}")
    wanted = {operation for name in names for operation in known[name]}
    return [operation.value for operation in Operation if operation in wanted]


def _text(text: str) -> str:
    """What a name is to be; rules are Unicode text, so a byte that is not UTF-8 cannot be named in one."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty: nothing has an empty name")
    if not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text):
        raise argparse.ArgumentTypeError("is not UTF-8; write ? for each byte that is not")
    return text


def _pid(text: str) -> int:
    value = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST_PIDS)) else 0
    if not 1 <= value <= _MOST_PIDS:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to {_MOST_PIDS}")
    return value
