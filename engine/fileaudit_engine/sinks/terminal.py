"""Alerts for a person in front of a terminal.

    ── 2026-11-24 (UTC) ──
    07:30:45.123 ▌ HIGH     Shadow file read  shadow_file_read
                 ▌ opened for reading  /etc/shadow  (asked for ../etc/shadow)
                 ▌ by root (uid 0, login alice)  /usr/bin/cat[4242] ← bash[4100] ← sshd[901]
                 ▌ $ cat ../etc/shadow

What happened comes first and is never shortened: a path that is cut in the middle hides where a file lies.
Names are shown by `text.printable`, so nothing in them can move the cursor, add a line, or colour one.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone, tzinfo
from typing import Final, TextIO

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.document import path_state_words
from fileaudit_engine.events.model import FileEvent, Process
from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.events.wording import command_line, failure, file_of, login_of, purpose, verb
from fileaudit_engine.sinks import output
from fileaudit_engine.sinks.base import Answer
from fileaudit_engine.sinks.output import Output, painted
from fileaudit_engine.text import printable

_INDENT: Final = " " * 12
_BAR: Final = "▌"

_STYLES: Final = {
    "critical": output.WHITE_ON_RED,
    "high": f"{output.BOLD};{output.RED}",
    "medium": f"{output.BOLD};{output.YELLOW}",
    "low": f"{output.BOLD};{output.CYAN}",
    "informational": output.DIM,
}
_BAR_STYLES: Final = {**_STYLES, "critical": f"{output.BOLD};{output.RED}"}


class Terminal:
    """Prints alerts, and audit events if they are asked for.

    Attributes:
        output: The stream; its `gone` says why it takes nothing any more.
    """

    def __init__(
        self, stream: TextIO, *, color: bool, show_audit: bool = False, zone: tzinfo | None = None
    ) -> None:
        """Print to `stream`, times in `zone` (None: the local one)."""
        self.output = Output(stream)
        self._color = color
        self._show_audit = show_audit
        self._zone = zone
        self._day = ""

    def deliver(self, records: Sequence[Record]) -> list[Answer]:
        """Print each; an audit event that nobody asked for counts as delivered."""
        lines: list[str] = []
        for record in records:
            if record.kind is Kind.ALERT:
                lines += [*self._new_day(record), *self._alert(record)]
            elif self._show_audit:
                lines += [*self._new_day(record), self._audit(record)]
        return self.output.answer("".join(f"{line}\n" for line in lines), records)

    def close(self) -> None:
        """Flush; the stream stays open."""
        self.output.close()

    def _new_day(self, record: Record) -> Iterator[str]:
        """The date, once, so that the lines below need only the time of day."""
        moment = moment_of(record.ts_ns, self._zone)
        day = f"{moment:%Y-%m-%d} ({moment:%Z})"
        if day != self._day:
            self._day = day
            yield self._paint(f"── {day} ──", output.DIM)

    def _alert(self, record: Record) -> Iterator[str]:
        event, level = record.event, record.level
        bar = self._paint(_BAR, _BAR_STYLES[level])
        time = clock_of(record.ts_ns, self._zone)
        badge = self._paint(f" {level.upper()} ", _STYLES[level]) + " " * (9 - len(level))
        title = self._paint(printable(title_of(record)), output.BOLD)
        key = self._paint(printable(record.rule), output.DIM)
        yield f"{self._paint(time, output.DIM)} {bar}{badge}{title}  {key}"
        lines = (self._deed(event), self._actor(event), self._command(event), self._loss(record))
        for line in lines:
            if line:
                yield f"{_INDENT} {bar} {line}"

    def _audit(self, record: Record) -> str:
        event = record.event
        deed = " ".join(
            part for part in (verb(event), purpose(event), file_of(event), failure(event)) if part
        )
        text = f"audit     {deed}  by {_person(event)}  {_program(event.process)}  {printable(record.rule)}"
        return self._paint(f"{clock_of(record.ts_ns, self._zone)}   {text}", output.DIM)

    def _deed(self, event: FileEvent) -> str:
        """What was done to which file."""
        deed = f"{verb(event)} {purpose(event)}".rstrip()
        parts = [deed, self._paint(file_of(event), output.BOLD)]
        if event.asked_path not in {None, event.path}:
            parts.append(self._paint(f"(asked for {printable(event.asked_path or '')})", output.DIM))
        if event.path_state:
            words = ", ".join(path_state_words(event.path_state))
            parts.append(self._paint(f"[{words}]", output.YELLOW))
        if event.errno:
            parts.append(self._paint(failure(event), output.RED))
        return "  ".join(parts)

    def _actor(self, event: FileEvent) -> str:
        """Who did it, with which program, and where that came from."""
        chain = [self._paint(_program(event.process), output.GREEN)]
        ancestor = event.process.parent
        while ancestor is not None:
            chain.append(_short(ancestor))
            ancestor = ancestor.parent
        if event.process.parent is None and event.process.parent_pid:
            chain.append(f"[{event.process.parent_pid}]")
        return f"by {_person(event)}  {' ← '.join(chain)}"

    def _command(self, event: FileEvent) -> str:
        line = command_line(event.process)
        return f"{self._paint('$', output.DIM)} {line}" if line else ""

    def _loss(self, record: Record) -> str:
        """That something is missing around this alert, and how much."""
        own = record.document.get("fileaudit")
        losses = own.get("losses") if isinstance(own, dict) else None
        if not isinstance(losses, dict):
            return ""
        return self._paint(f"{losses['total']} events were lost around this time", output.MAGENTA)

    def _paint(self, text: str, style: str) -> str:
        return painted(text, style, color=self._color)


def title_of(record: Record) -> str:
    """The rule's title, as the document has it; its key where the document has none."""
    rule = record.document.get("rule")
    return str(rule.get("name", record.rule)) if isinstance(rule, dict) else record.rule


def moment_of(ts_ns: int, zone: tzinfo | None) -> datetime:
    """The second of a time, in a zone (None: the local one)."""
    return datetime.fromtimestamp(ts_ns // SECOND_NS, timezone.utc).astimezone(zone)


def clock_of(ts_ns: int, zone: tzinfo | None) -> str:
    """The time of day, to the millisecond: `07:30:45.123`."""
    return f"{moment_of(ts_ns, zone):%H:%M:%S}.{ts_ns % SECOND_NS // 1_000_000:03d}"


def _person(event: FileEvent) -> str:
    """`root (uid 0, login alice)`: the user, the number behind the name, and who logged in."""
    name = printable(event.user_name) if event.user_name is not None else ""
    number = f"uid {event.user_id}" if event.user_id is not None else ""
    login = login_of(event)
    facts = [fact for fact in (number if name else "", f"login {login}" if login else "") if fact]
    return f"{name or number or 'somebody'}" + (f" ({', '.join(facts)})" if facts else "")


def _program(process: Process) -> str:
    """`/usr/bin/cat[4242]`: where the program lies is what tells it from another of its name."""
    return f"{printable(process.executable or process.name or '?')}[{process.pid}]"


def _short(process: Process) -> str:
    """`bash[4100]`: an ancestor's name is enough to see where a process came from."""
    name = (process.executable or "").rpartition("/")[2] or process.name or "?"
    return f"{printable(name)}[{process.pid}]"
