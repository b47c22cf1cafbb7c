"""Moments and ranges of time, as they are written on the command line.

    now  today  yesterday          today and yesterday are whole days
    -1h  -7d  -1h30m  -2w          before now
    2026-11-28                     a whole day
    2026-11-28T09:30[:00[.5]]      without an offset it is UTC, as everything that the engine prints
    2026-11-28T10:30:00+01:00      RFC 3339

A range begins with its first moment and ends before its last. Who names a day means all of it: as a beginning
a day is its midnight, as an end the midnight after it, so that `--since 2026-11-01 --until 2026-11-30` is
November. What is relative is told only once, when the command begins: both ends go by the same now.
"""

import argparse
import re
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.diagnostics import SourceText, UnusableInput, error_at
from fileaudit_engine.events.times import LAST_NS, SECOND_NS, duration_ns, parse_rfc3339, rfc3339
from fileaudit_engine.rules.wording import nearest_of, quoted
from fileaudit_engine.text import printable

DAY_NS: Final = 86_400 * SECOND_NS
FORMS: Final = "now, today, yesterday, -1h, -7d, 2026-11-28, 2026-11-28T09:30:00Z"
"""What moments look like, for helps and remedies."""

_MOST_CHARACTERS: Final = 64
"""More than any moment takes; what is longer is not looked at, and not repeated in the error."""
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WITHOUT_OFFSET: Final = re.compile(r"([0-9-]{10})[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,9})?)?")
_WITHOUT_SECONDS: Final = re.compile(r"([0-9-]{10}[Tt ][0-9]{2}:[0-9]{2})([Zz]|[+-][0-9]{2}:[0-9]{2})")
_WEEKS: Final = re.compile(r"([0-9]{1,5})w")
_WORDS: Final = ("now", "today", "yesterday")
_NEGATIVE: Final = re.compile(r"-\.?[0-9]")
"""What follows an option and is its value although it begins with a minus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment as it was written; what it is depends on when it is asked.

    Attributes:
        text: As written.
        ns: Nanoseconds since the Unix epoch; of a relative one, before now.
        relative: Whether it is meant from now.
        day: Whether the whole day is meant that it lies in.
    """

    text: str
    ns: int
    relative: bool = False
    day: bool = False

    def first(self, now_ns: int) -> int:
        """Where a range begins that begins with it, nanoseconds since the Unix epoch."""
        ns = max(0, now_ns - self.ns) if self.relative else self.ns
        return ns - ns % DAY_NS if self.day else ns

    def end(self, now_ns: int) -> int:
        """Before which moment a range ends that ends with it, nanoseconds since the Unix epoch."""
        return min(self.first(now_ns) + DAY_NS * self.day, LAST_NS)


def moment(text: str) -> Moment:
    """A moment as users write it.

    Raises:
        ValueError: It is none; the message says what one looks like.
    """
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"not a moment such as {FORMS}")
    if text in _WORDS:
        past_ns = DAY_NS if text == "yesterday" else 0
        return Moment(text=text, ns=past_ns, relative=True, day=text != "now")
    if text.startswith("-"):
        return Moment(text=text, ns=_length_ns(text[1:]), relative=True)
    if _DAY.fullmatch(text):
        return Moment(text=text, ns=parse_rfc3339(f"{text}T00:00:00Z"), day=True)
    return Moment(text=text, ns=_absolute_ns(text))


def moment_option(text: str) -> Moment:
    """`moment` as the type of an option.

    Raises:
        argparse.ArgumentTypeError: As `moment`.
    """
    try:
        return moment(text)
    except ValueError as error:
        shown = quoted(printable(text[:_MOST_CHARACTERS]))
        raise argparse.ArgumentTypeError(f"{shown}: {error}") from None


def add_range(parser: argparse.ArgumentParser, *, since: str, until: str) -> None:
    """Add `--since` and `--until`.

    Args:
        parser: Of the command.
        since: What it means to leave out `--since`, for the help.
        until: Likewise for `--until`.
    """
    # Without this `--since -1h` would be two options; argparse does it for plain numbers only.
    parser._negative_number_matcher = _NEGATIVE  # noqa: SLF001 - no public way
    group = parser.add_argument_group(
        "range of time", f"T is one of {FORMS}. A day is meant as a whole; what has no offset is UTC."
    )
    group.add_argument("--since", type=moment_option, metavar="T", help=f"from T on (default: {since})")
    group.add_argument("--until", type=moment_option, metavar="T", help=f"before T (default: {until})")


def range_of(since: Moment | None, until: Moment | None, now_ns: int) -> tuple[int | None, int | None]:
    """The first moment of a range and the one before which it ends; None where it is open.

    Args:
        since: What `--since` says.
        until: What `--until` says.
        now_ns: What relative moments are counted from, nanoseconds since the Unix epoch.

    Raises:
        UnusableInput: Nothing lies between the two.
    """
    first = None if since is None else since.first(now_ns)
    end = None if until is None else until.end(now_ns)
    if since is not None and until is not None and first is not None and end is not None and end <= first:
        raise _empty(since, until, first, end)
    return first, end


def _length_ns(text: str) -> int:
    weeks = _WEEKS.fullmatch(text)
    if weeks:
        return int(weeks[1]) * 7 * DAY_NS
    try:
        return duration_ns(text)
    except ValueError:
        raise ValueError("not a length of time such as -90s, -1h, -1h30m, -7d or -2w") from None


def _absolute_ns(text: str) -> int:
    """What says the time of day, with an offset or in UTC."""
    whole = text
    if found := _WITHOUT_OFFSET.fullmatch(text):
        whole = f"{found[1]}T{found[2]}{found[3] or ':00'}Z"
    elif found := _WITHOUT_SECONDS.fullmatch(text):
        whole = f"{found[1]}:00{found[2]}"
    try:
        return parse_rfc3339(whole)
    except ValueError as error:
        if "RFC 3339" in str(error):
            raise ValueError(f"not a moment such as {FORMS}{_meant(text)}") from None
        raise


def _meant(text: str) -> str:
    """What a slip was most likely meant to be."""
    near = nearest_of(text, _WORDS)
    if text[:1].isdigit():
        try:
            _length_ns(text)
        except ValueError:
            return ""
        near = f"-{text}"
    return f"; did you mean '{near}'?" if near else ""


def _empty(since: Moment, until: Moment, first_ns: int, end_ns: int) -> UnusableInput:
    text = f"--since {since.text} --until {until.text}"
    source = SourceText(file="<options>", text=text)
    finding = error_at(
        "FA098",
        "the range of time is empty: it ends before it begins",
        source.location(text.index(" --until ") + 1, len(text)),
        label=f"{rfc3339(end_ns)} is not after {rfc3339(first_ns)}",
        help="let --until be later than --since",
    )
    return UnusableInput([finding], {"<options>": source})
