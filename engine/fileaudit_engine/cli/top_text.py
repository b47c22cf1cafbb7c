"""What `top` shows, as text: a screen of given size, a block on paper, the summary, the summary as JSON.

Pure: sums go in, lines come out; whoever calls says what time it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from fileaudit_engine.cli.top_table import (
    FILES,
    PROCESSES,
    clipped,
    paper_table,
    process_name,
    screen_table,
    user_of,
)
from fileaudit_engine.events.model import Operation
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.runtime.activity import Activity, Actor, AlertNews
from fileaudit_engine.runtime.counts import Counts
from fileaudit_engine.sinks import output
from fileaudit_engine.sinks.output import painted
from fileaudit_engine.sinks.terminal_words import clock_of, moment_of
from fileaudit_engine.sinks.trace_words import name_of, size_words
from fileaudit_engine.text import counted, printable, to_document

KEYS: Final = {
    "o": "ops",
    "r": "read",
    "w": "written",
    "R": "reads",
    "W": "writes",
    "f": "failed",
    "a": "alerts",
}
"""What to sort by, by key."""

_HELP: Final = "[q]uit [t]otals sort: [o]ps [r]ead [w]ritten [R]eads [W]rites [f]ailed [a]lerts"
"""79 columns."""
_HEADLINES: Final = 2
_HELP_FROM: Final = 12
"""Lines of a screen from which there is one to spare for the keys."""
_ALERTS_FROM: Final = 18
_ALERTS: Final = 4
"""Alerts that a screen of so many lines shows."""

_LEVELS: Final = {
    "critical": output.WHITE_ON_RED,
    "high": f"{output.BOLD};{output.RED}",
    "medium": f"{output.BOLD};{output.YELLOW}",
    "low": f"{output.BOLD};{output.CYAN}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What of the sums is shown, and how.

    Attributes:
        order: What rows are sorted by, one of `ORDERS`.
        whole: Everything since the start, instead of the interval that ended last.
        seconds: How long the shown time is.
        now_ns: When it ended, nanoseconds since the Unix epoch.
        zone: The zone of times (None: the local one).
        color: Whether to use colours.
        keys: Whether somebody can press keys.
        most: Rows of a table at the most; None: all that there is room for.
    """

    order: str = "ops"
    whole: bool = False
    seconds: float
    now_ns: int
    zone: tzinfo | None = None
    color: bool = False
    keys: bool = False
    most: int | None = None


# --- a screen -----------------------------------------------------------------------------------------------


def screen(activity: Activity, look: Look, *, columns: int, lines: int) -> list[str]:
    """At most `lines` lines of at most `columns` columns."""
    room = lines - _HEADLINES - _news_lines(activity, lines) - (lines >= _HELP_FROM)
    shown = [
        *_headline(activity, look, columns),
        *_tables(activity, look, columns, room),
        *_news(activity, look, columns, lines),
    ]
    if lines >= _HELP_FROM and look.keys:
        shown += [""] * (lines - 1 - len(shown))
        shown.append(painted(clipped(_HELP, columns), output.DIM, color=look.color))
    return shown[:lines]


def _headline(activity: Activity, look: Look, columns: int) -> Iterator[str]:
    """What is shown and whether something is missing, then the sum of it."""
    span = "since the start" if look.whole else "last"
    lost = f"{activity.lost:,} LOST" if activity.lost else "nothing lost"
    text = (
        f"fileaudit-engine top  {clock_of(look.now_ns, look.zone)[:8]}  {lost}  {span} {look.seconds:.1f} s"
    )
    style = f"{output.BOLD};{output.RED}" if activity.lost else output.BOLD
    yield painted(clipped(f"{text}  by {look.order}", columns), style, color=look.color)
    yield clipped(sums(activity.whole if look.whole else activity.interval), columns)


def _tables(activity: Activity, look: Look, columns: int, room: int) -> Iterator[str]:
    """Processes and files, half of the room each; what the processes do not need is for the files."""
    both = room >= 6
    most = max(0, (room - 1) // 2 - 1 if both else room - 1)
    processes = activity.processes(look.order, _least(most, look.most), whole=look.whole)
    table = screen_table(PROCESSES, processes, columns)
    yield painted(table[0], output.DIM, color=look.color)
    for line, row in zip(table[1:], processes.rows, strict=True):
        yield painted(line, output.RED if row.counts.alerts else "", color=look.color)
    if both:
        files = activity.files(look.order, _least(room - 2 - len(table), look.most), whole=look.whole)
        yield ""
        header, *others = screen_table(FILES, files, columns)
        yield painted(header, output.DIM, color=look.color)
        yield from others


def _least(room: int, most: int | None) -> int:
    return room if most is None else min(room, most)


def _news_lines(activity: Activity, lines: int) -> int:
    """Lines that the latest alerts take, the empty one before them included."""
    shown = min(_ALERTS, len(activity.alerts))
    return shown + 1 if shown and lines >= _ALERTS_FROM else 0


def _news(activity: Activity, look: Look, columns: int, lines: int) -> Iterator[str]:
    if _news_lines(activity, lines):
        yield ""
        for news in list(activity.alerts)[-_ALERTS:]:
            yield painted(
                clipped(_alert_line(news, look), columns), _LEVELS.get(news.level, ""), color=look.color
            )


def _alert_line(news: AlertNews, look: Look) -> str:
    level = news.level.upper().ljust(8)
    who = f"{process_name(news.actor)}[{news.actor.pid}]"
    return (
        f"{clock_of(news.ts_ns, look.zone)} {level} {printable(news.title)}"
        f"  {who}  {user_of(news.actor)}  {name_of(news.path or '-')}"
    )


# --- paper --------------------------------------------------------------------------------------------------


def sums(counts: Counts) -> str:
    """`1,204 operations · 1 alert · 2 failed · read 3.1 MiB in 900 calls · written 2 B in 1 call`."""
    parts = (
        counted(counts.operations, "operation"),
        counted(counts.alerts, "alert"),
        f"{counts.failed:,} failed",
        f"read {size_words(counts.read_bytes)} in {counted(counts.reads, 'call')}",
        f"written {size_words(counts.written_bytes)} in {counted(counts.writes, 'call')}",
    )
    return " · ".join(parts)


def block(activity: Activity, look: Look) -> list[str]:
    """One interval for a pipe: a line about all of it, its alerts, the processes and the files."""
    moment = moment_of(look.now_ns, look.zone)
    title = f"{moment:%Y-%m-%d %H:%M:%S} · {look.seconds:.1f} s · {sums(activity.interval)}{_lost(activity)}"
    return [painted(title, output.BOLD, color=look.color), *_paper(activity, look)]


def summary(activity: Activity, look: Look) -> list[str]:
    """Everything since the start: a line about all of it, the alerts, what each process did, the files."""
    title = f"{look.seconds:.1f} s in all · {sums(activity.whole)}{_lost(activity)}"
    return [painted(title, output.BOLD, color=look.color), *_paper(activity, look)]


def _lost(activity: Activity) -> str:
    return f" · {activity.lost:,} LOST" if activity.lost else " · nothing lost"


def _paper(activity: Activity, look: Look) -> Iterator[str]:
    alerts = list(activity.alerts if look.whole else activity.interval_alerts)
    for news in alerts[-(look.most or len(alerts)) :]:
        yield painted(_alert_line(news, look), _LEVELS.get(news.level, ""), color=look.color)
    processes = activity.processes(look.order, look.most, whole=look.whole)
    files = activity.files(look.order, look.most, whole=look.whole)
    for table in (paper_table(PROCESSES, processes), paper_table(FILES, files)):
        yield painted(table[0], output.DIM, color=look.color)
        yield from table[1:]
        yield ""


# --- JSON ---------------------------------------------------------------------------------------------------


def document(activity: Activity, look: Look) -> dict[str, object]:
    """The summary as a JSON object; names as documents have them (`text.to_document`)."""
    processes = activity.processes(look.order, look.most, whole=True)
    files = activity.files(look.order, look.most, whole=True)
    return {
        "until": rfc3339(look.now_ns),
        "seconds": round(look.seconds, 3),
        "lost": activity.lost,
        "alerts": activity.levels,
        "latest_alerts": [_alert(news) for news in activity.alerts],
        "total": _counts(activity.whole),
        "processes": [_actor(row.subject) | _counts(row.counts) for row in processes.rows],
        "other_processes": {"number": processes.others} | _counts(processes.rest),
        "files": [
            {"path": _text(row.subject.path), "last_process": _actor(row.subject.actor)} | _counts(row.counts)
            for row in files.rows
        ],
        "other_files": {"number": files.others} | _counts(files.rest),
    }


def _counts(counts: Counts) -> dict[str, object]:
    """What was done; operations that were not are left out."""
    done: Sequence[Operation] = [operation for operation in Operation if counts.of(operation)]
    return {
        "operations": {operation.value: counts.of(operation) for operation in done},
        "read_bytes": counts.read_bytes,
        "written_bytes": counts.written_bytes,
        "failed": counts.failed,
        "alerts": counts.alerts,
    }


def _alert(news: AlertNews) -> dict[str, object]:
    return {
        "@timestamp": rfc3339(news.ts_ns),
        "level": news.level,
        "rule": _text(news.title),
        "path": _text(news.path),
        "process": _actor(news.actor),
    }


def _actor(actor: Actor) -> dict[str, object]:
    return {
        "pid": actor.pid,
        "name": _text(actor.name),
        "executable": _text(actor.executable),
        "user": {"id": actor.user_id, "name": _text(actor.user_name)},
    }


def _text(value: str | None) -> str | None:
    return None if value is None else to_document(value)
