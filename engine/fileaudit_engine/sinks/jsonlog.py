"""Records as JSON, one compact ECS document a line.

A line is complete or, after a failure of the stream, not there. Where the stream's encoding is not UTF-8,
characters outside ASCII are written as JSON's own escapes, so that the document stays the same document.
"""

import re
from collections.abc import Sequence
from typing import TextIO

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.sinks.base import Answer
from fileaudit_engine.sinks.output import Output

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class JsonLines:
    """Writes alerts, and audit events if they are asked for, to a stream.

    Attributes:
        output: The stream; its `gone` says why it takes nothing any more.
    """

    def __init__(self, stream: TextIO, *, show_audit: bool = False) -> None:
        self.output = Output(stream)
        self._show_audit = show_audit
        self._ascii = (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "") != "utf8"

    def deliver(self, records: Sequence[Record]) -> list[Answer]:
        """One line a record; an audit event that nobody asked for counts as delivered."""
        lines = [self._line(r) for r in records if self._show_audit or r.kind is Kind.ALERT]
        return self.output.answer("".join(lines), records)

    def close(self) -> None:
        """Flush; the stream stays open."""
        self.output.close()

    def _line(self, record: Record) -> str:
        text = encode(record.document).decode()
        return (_NOT_ASCII.sub(_escaped, text) if self._ascii else text) + "\n"


def _escaped(match: re.Match[str]) -> str:
    """A character as JSON escapes it: two escapes where UTF-16 needs two units."""
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
