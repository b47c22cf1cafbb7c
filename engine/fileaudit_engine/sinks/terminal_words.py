"""What the terminal says of a record in one line each, without colours: people, programs, spans of time.

All names are printable; between two of them in a row stand two blanks, and no name holds any (`name_of`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone, tzinfo
from typing import Final

from fileaudit_engine.detect.crossing_alert import CorrelationFacts, GroupValue
from fileaudit_engine.detect.crossing_words import shared
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.model import FileEvent, Process
from fileaudit_engine.events.times import SECOND_NS, parse_rfc3339
from fileaudit_engine.events.wording import login_of
from fileaudit_engine.sinks.trace_words import name_of
from fileaudit_engine.text import counted, from_document, printable

_FILES_SHOWN: Final = 3
_MS_NS: Final = 1_000_000
_UNITS: Final = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s"))
"""Seconds of a unit and of the next smaller one, with their signs."""
_PROCESS: Final = BY_NAME["ProcessId"]
_START: Final = BY_NAME["ProcessStart"]
"""Tells processes of one id apart: a number that is for machines."""


# --- times -------------------------------------------------------------------------------------------------


def moment_of(ts_ns: int, zone: tzinfo | None) -> datetime:
    """The second of a time, in a zone (None: the local one)."""
    return datetime.fromtimestamp(ts_ns // SECOND_NS, timezone.utc).astimezone(zone)


def clock_of(ts_ns: int, zone: tzinfo | None) -> str:
    """The time of day, to the millisecond: `07:30:45.123`."""
    return f"{moment_of(ts_ns, zone):%H:%M:%S}.{ts_ns % SECOND_NS // _MS_NS:03d}"


def length_words(length_ns: int) -> str:
    """A length of time: `450 ms`, `12.3 s`, `4 m 10 s`, `2 d 3 h`."""
    seconds = length_ns // SECOND_NS
    for unit_s, sign, below_s, below in _UNITS:
        if seconds >= unit_s:
            return f"{seconds // unit_s} {sign} {seconds % unit_s // below_s} {below}"
    if seconds:
        return f"{seconds}.{length_ns % SECOND_NS // (SECOND_NS // 10)} s"
    return f"{length_ns // _MS_NS} ms" if length_ns >= _MS_NS else "less than 1 ms"


def span_words(first: str, last: str, zone: tzinfo | None) -> str:
    """`07:30:33.100 to 07:30:45.400`; with the date where it is another day.

    Args:
        first: A time as documents have it.
        last: Likewise, later.
        zone: To tell them in.
    """
    start_ns, end_ns = parse_rfc3339(first), parse_rfc3339(last)
    start, end = moment_of(start_ns, zone), moment_of(end_ns, zone)
    day = "" if start.date() == end.date() else f"{start:%Y-%m-%d} "
    return f"{day}{clock_of(start_ns, zone)} to {clock_of(end_ns, zone)}"


# --- who ---------------------------------------------------------------------------------------------------


def person_words(event: FileEvent) -> str:
    """`root (uid 0, login alice)`: the user, the number behind the name, and who logged in."""
    name = printable(event.user_name) if event.user_name is not None else ""
    number = f"uid {event.user_id}" if event.user_id is not None else ""
    login = login_of(event)
    facts = [fact for fact in (number if name else "", f"login {login}" if login else "") if fact]
    return f"{name or number or 'somebody'}" + (f" ({', '.join(facts)})" if facts else "")


def program_words(process: Process) -> str:
    """`/usr/bin/cat[4242]`: where the program lies is what tells it from another of its name."""
    return f"{printable(process.executable or process.name or '?')}[{process.pid}]"


def ancestor_words(process: Process) -> str:
    """`bash[4100]`: an ancestor's name is enough to see where a process came from."""
    name = (process.executable or "").rpartition("/")[2] or process.name or "?"
    return f"{printable(name)}[{process.pid}]"


# --- what came together ------------------------------------------------------------------------------------


def summary_words(facts: CorrelationFacts, zone: tzinfo | None) -> str:
    """`50 events in 12.3 s (07:30:33.100 to 07:30:45.400)  ProcessId 4242`."""
    if facts.suspected:
        told = f"{printed(facts.summary)} within {printed(facts.timespan)}"
    else:
        length = length_words(parse_rfc3339(facts.last) - parse_rfc3339(facts.first))
        told = f"{printed(facts.summary)} in {length} ({span_words(facts.first, facts.last, zone)})"
    return "  ".join((told, *map(_shared, _telling(facts.group))))


def _telling(group: Sequence[GroupValue]) -> Sequence[GroupValue]:
    """What of a group helps a reader: the values that are there, if any is; beside a process id, no start."""
    there = [one for one in group if one.value is not None]
    fields = [BY_NAME.get(from_document(one.field)) for one in there]
    if _PROCESS in fields:
        there = [one for one, field in zip(there, fields, strict=True) if field is not _START]
    return there or group


def files_words(facts: CorrelationFacts) -> str:
    """`among them  /home/a/1.enc  /home/a/2.enc  … and 48 more`; empty where the newest event says it all."""
    if facts.files_total < 2:
        return ""
    shown = [name_of(from_document(name)) for name in facts.files[:_FILES_SHOWN]]
    more = facts.files_total - len(shown)
    return "  ".join(("among them", *shown, *([f"… and {more:,} more"] if more > 0 else [])))


def doubts_words(facts: CorrelationFacts) -> Iterator[str]:
    """What else it may have missed, and why."""
    forgotten = facts.evicted
    if forgotten is not None:
        told = " and ".join(
            counted(number, noun)
            for number, noun in ((forgotten.groups, "group"), (forgotten.events, "event"))
            if number
        )
        yield f"{told} had to be forgotten so far, for want of room"
    if facts.late:
        yield f"{counted(facts.late, 'event')} came too late to be counted so far"


def loss_words(losses: Mapping[str, object], zone: tzinfo | None) -> Iterator[str]:
    """That something is missing around an alert, and how much, as far as anybody knows."""
    total = losses.get("total")
    if isinstance(total, int) and total:
        yield f"{counted(total, 'event')} {'was' if total == 1 else 'were'} lost around this time"
    unwatched = losses.get("unwatched")
    if isinstance(unwatched, dict):
        yield f"nobody was watching {span_words(unwatched['from'], unwatched['to'], zone)}"


def repeats_words(repeats: Mapping[str, object], zone: tzinfo | None) -> str:
    """`repeated 12 times more (07:30:46.000 to 07:39:12.000)`."""
    times = counted(int(str(repeats["count"])), "time")
    return f"repeated {times} more ({span_words(str(repeats['first']), str(repeats['last']), zone)})"


def printed(text: str) -> str:
    """A text of ours, of which documents say that it is printable: a document may come from elsewhere."""
    return text if text.isprintable() else printable(text)


def _shared(member: GroupValue) -> str:
    return shared(from_document(member.field), None if member.value is None else from_document(member.value))
