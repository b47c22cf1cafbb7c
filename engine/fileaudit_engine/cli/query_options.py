"""The filters of `query` as options, and the search that they come to."""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from fileaudit_engine.cli.filters import GROUPS
from fileaudit_engine.cli.moments import add_range, range_of
from fileaudit_engine.detect.described import SEVERITIES
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.events.model import Operation, Outcome
from fileaudit_engine.rules.wording import nearest_of, quoted
from fileaudit_engine.store.search import Search
from fileaudit_engine.store.search_patterns import MAX_PATTERN
from fileaudit_engine.text import printable

LEVELS: Final = tuple(sorted(SEVERITIES, key=SEVERITIES.__getitem__))
"""From what alerts nobody up."""

MOST_PER_PAGE: Final = 100_000
"""Records of a page: it is put in order before anything of it is shown."""

_EVENT_ID: Final = re.compile(r"[\x21-\x7e]{1,512}")
_VALUE_WITH_MINUS: Final = re.compile(r"-(\.?[0-9]|time\b)")
"""What follows an option and is its value although it begins with a minus."""


def add_filters(parser: argparse.ArgumentParser) -> None:
    """The options that `search_of` reads."""
    add_range(parser, since="the beginning", until="the end")
    parser._negative_number_matcher = _VALUE_WITH_MINUS  # noqa: SLF001 - as `add_range` does, for `--sort -time`
    group = parser.add_argument_group(
        "filters",
        "All that are given must hold; of several values of one (given again; A,B where words are known)"
        r" one is enough. In names * and ? are wildcards, \xNN is a byte that is not UTF-8, and a backslash"
        r" before *, ? or \ takes its meaning away. Upper and lower case are told apart, except by --text.",
    )

    def add(name: str, metavar: str, convert: Callable[[str], Sequence[str]], words: str) -> None:
        group.add_argument(name, action="extend", default=[], type=convert, metavar=metavar, help=words)

    add("--path", "GLOB", _name, "either path of a rename or link; * and ? stop at slashes, ** does not")
    add("--user", "NAME", _name, "who acted, or who logged in; a number where no name was known")
    add("--process", "WHAT", _name, "process id; program (a glob with a slash in it); or name of the process")
    add("--rule", "NAME", _name, "the rule's name, as records show it")
    add("--level", "LEVEL", _levels, f"{', '.join(LEVELS)}; medium+ is medium and above")
    add("--operation", "OP", _operations, f"an operation, or several: {', '.join(GROUPS)}")
    add("--outcome", "OUTCOME", _one_of([outcome.value for outcome in Outcome]), "success or failure")
    add("--container", "NAME", _name, "name of the container, or the first six or more digits of its id")
    add(
        "--kind",
        "KIND",
        _kinds,
        "alert, event (of the audit trail), engine (about itself) or all; default: all",
    )
    add("--text", "WORDS", _words, "a part of any name: path, user, program, command line, container, rule")
    add("--id", "EVENT_ID", _ids, "event.id of a record; with --since it is found sooner")


def search_of(args: argparse.Namespace, now_ns: int) -> Search:
    """What the options ask for.

    Raises:
        UnusableInput: The range of time is empty.
    """
    since_ns, until_ns = range_of(args.since, args.until, now_ns)
    return Search(
        since_ns=since_ns,
        until_ns=until_ns,
        kinds=tuple(map(Kind, args.kind)),
        levels=args.level,
        rules=args.rule,
        operations=args.operation,
        outcomes=args.outcome,
        paths=args.path,
        users=args.user,
        processes=args.process,
        containers=args.container,
        words=args.text,
        ids=args.id,
    )


# --- types --------------------------------------------------------------------------------------------------


def number(least: int, most: int) -> Callable[[str], int]:
    """The type of an option that is a whole number in a range."""

    def convert(text: str) -> int:
        digits = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
        if not digits or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be a number from {least} to {most:,}")
        return int(text)

    return convert


def _name(text: str) -> list[str]:
    if not text:
        raise argparse.ArgumentTypeError("must not be empty: nothing has an empty name")
    if len(text) > MAX_PATTERN:
        raise argparse.ArgumentTypeError(
            f"has {len(text):,} characters, more than any name ({MAX_PATTERN:,})"
        )
    return [text]


def _words(text: str) -> list[str]:
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be blank: every name has that")
    return _name(text)


def _ids(text: str) -> list[str]:
    if not _EVENT_ID.fullmatch(text):
        raise argparse.ArgumentTypeError(
            "is no event.id: those are 32 hexadecimal digits, as records show them"
        )
    return [text.lower() if len(text) == 32 else text]


def _words_of(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(",")]


def _one_of(known: Sequence[str]) -> Callable[[str], list[str]]:
    """Some of a few words."""

    def convert(text: str) -> list[str]:
        return [_known(word, known) for word in _words_of(text)]

    return convert


def _known(word: str, known: Sequence[str] | Mapping[str, object]) -> str:
    if word not in known:
        near = nearest_of(word, known)
        meant = f"did you mean '{near}'?" if near else f"it is one of {', '.join(known)}"
        raise argparse.ArgumentTypeError(f"there is no {quoted(printable(word))}; {meant}")
    return word


def _levels(text: str) -> list[str]:
    found: list[str] = []
    for word in _words_of(text):
        place = LEVELS.index(_known(word.removesuffix("+"), LEVELS))
        found += LEVELS[place:] if word.endswith("+") else [LEVELS[place]]
    return found


def _operations(text: str) -> list[str]:
    known = {operation.value: (operation,) for operation in Operation} | dict(GROUPS)
    return [operation.value for word in _words_of(text) for operation in known[_known(word, known)]]


def _kinds(text: str) -> list[str]:
    every = [kind.value for kind in Kind]
    words = [_known(word, [*every, "all"]) for word in _words_of(text)]
    return every if "all" in words else words
