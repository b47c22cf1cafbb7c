"""Alerts for a person in front of a terminal.

    ── 2026-11-24 (UTC) ──
    07:30:45.123 ▌ HIGH     Shadow file read  shadow_file_read
                 ▌ opened for reading  /etc/shadow  (asked for ../etc/shadow)
                 ▌ by root (uid 0, login alice)  /usr/bin/cat[4242] ← bash[4100] ← sshd[901]
                 ▌ $ cat ../etc/shadow

Of what several events came to together, that comes first, then the newest of them, and who did it:

    07:30:45.400 ▌ HIGH     Many files renamed  many_files_renamed
                 ▌ 50 events in 12.3 s (07:30:33.100 to 07:30:45.400)  ProcessId 4242
                 ▌ last  renamed  /home/a/50.doc.enc  (was /home/a/50.doc)
                 ▌ by alice (uid 1000)  /usr/bin/python3[4242] ← bash[4100]
                 ▌ $ python3 e.py
                 ▌ among them  /home/a/1.doc.enc  /home/a/2.doc.enc  /home/a/3.doc.enc  … and 47 more

What happened comes first and is never shortened: a path that is cut in the middle hides where a file lies.
Names are shown by `text.printable`, so nothing in them can move the cursor, add a line, or colour one.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Final, TextIO

from fileaudit_engine.detect.crossing_alert import facts_of
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.document import path_state_words
from fileaudit_engine.events.model import FileEvent, Operation
from fileaudit_engine.events.wording import command_line, failure, file_of, purpose, verb
from fileaudit_engine.sinks import output
from fileaudit_engine.sinks.base import Answer
from fileaudit_engine.sinks.output import Output, painted
from fileaudit_engine.sinks.terminal_words import (
    ancestor_words,
    clock_of,
    doubts_words,
    files_words,
    loss_words,
    moment_of,
    person_words,
    printed,
    program_words,
    repeats_words,
    summary_words,
)
from fileaudit_engine.text import printable

_INDENT: Final = " " * 12
_BAR: Final = "▌"

LEVEL_STYLES: Final = {
    "critical": output.WHITE_ON_RED,
    "high": f"{output.BOLD};{output.RED}",
    "medium": f"{output.BOLD};{output.YELLOW}",
    "low": f"{output.BOLD};{output.CYAN}",
    "informational": output.DIM,
}
BAR_STYLES: Final = {**LEVEL_STYLES, "critical": f"{output.BOLD};{output.RED}"}


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
        """Print each; what alerts nobody, and nobody asked for, counts as delivered."""
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
        level = record.level
        bar = self._paint(_BAR, BAR_STYLES[level])
        time = clock_of(record.ts_ns, self._zone)
        badge = self._paint(f" {level.upper()} ", LEVEL_STYLES[level]) + " " * (9 - len(level))
        title = self._paint(printable(title_of(record)), output.BOLD)
        key = self._paint(printable(record.rule), output.DIM)
        yield f"{self._paint(time, output.DIM)} {bar}{badge}{title}  {key}"
        for line in self._body(record):
            if line:
                yield f"{_INDENT} {bar} {line}"

    def _body(self, record: Record) -> Iterator[str]:
        """What happened, by whom, and what is to be known beside it."""
        event, facts, own = record.event, facts_of(record.document), _own(record)
        if facts is not None:
            yield self._paint(summary_words(facts, self._zone), output.BOLD)
        elif event is None:
            yield _message(record)
        if event is not None:
            deed = self._deed(event)
            yield deed if facts is None else f"{self._paint('last', output.DIM)}  {deed}"
            yield self._actor(event)
            yield self._command(event)
        if facts is not None:
            yield files_words(facts)
            for words in doubts_words(facts):
                yield self._paint(words, output.MAGENTA)
        for words in loss_words(_member(own, "losses"), self._zone):
            yield self._paint(words, output.MAGENTA)
        repeats = _member(own, "repeats")
        if repeats:
            yield repeats_words(repeats, self._zone)

    def _audit(self, record: Record) -> str:
        event, facts = record.event, facts_of(record.document)
        if record.kind is Kind.ENGINE:
            return self._paint(
                f"{clock_of(record.ts_ns, self._zone)}   engine    {_message(record)}", output.DIM
            )
        if facts is not None:
            told = summary_words(facts, self._zone)
        elif event is not None:
            parts = (verb(event), purpose(event), file_of(event), failure(event))
            deed = " ".join(part for part in parts if part)
            told = f"{deed}  by {person_words(event)}  {program_words(event.process)}"
        else:
            told = title_of(record)
        text = f"audit     {told}  {printable(record.rule)}"
        return self._paint(f"{clock_of(record.ts_ns, self._zone)}   {text}", output.DIM)

    def _deed(self, event: FileEvent) -> str:
        """What was done to which file."""
        deed = f"{verb(event)} {purpose(event)}".rstrip()
        parts = [deed, self._paint(file_of(event), output.BOLD)]
        if event.operation is Operation.RENAME and event.source_path is not None:
            parts.append(self._paint(f"(was {printable(event.source_path)})", output.DIM))
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
        chain = [self._paint(program_words(event.process), output.GREEN)]
        ancestor = event.process.parent
        while ancestor is not None:
            chain.append(ancestor_words(ancestor))
            ancestor = ancestor.parent
        if event.process.parent is None and event.process.parent_pid:
            chain.append(f"[{event.process.parent_pid}]")
        return f"by {person_words(event)}  {' ← '.join(chain)}"

    def _command(self, event: FileEvent) -> str:
        line = command_line(event.process)
        return f"{self._paint('$', output.DIM)} {line}" if line else ""

    def _paint(self, text: str, style: str) -> str:
        return painted(text, style, color=self._color)


def title_of(record: Record) -> str:
    """The rule's title, as the document has it; its key where the document has none."""
    rule = record.document.get("rule")
    return str(rule.get("name", record.rule)) if isinstance(rule, dict) else record.rule


def _message(record: Record) -> str:
    """What the document says in a sentence."""
    return printed(str(record.document.get("message", "")))


def _own(record: Record) -> Mapping[str, object]:
    """What ECS has no name for."""
    return _member(record.document, "fileaudit")


def _member(document: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}
