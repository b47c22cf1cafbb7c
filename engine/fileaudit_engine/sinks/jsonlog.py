"""Records as JSON, one compact ECS document a line.

A line is complete or, after a failure of the stream, not there. Characters that would act on a terminal are
written as JSON's own escapes, so that a document that is looked at with `cat` can neither move the cursor nor
turn text around. Where the stream's encoding is not UTF-8, all characters outside ASCII are: the document
stays the same document.
"""

import re
from collections.abc import Sequence
from typing import TextIO

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.sinks.base import Answer
from fileaudit_engine.sinks.output import Output

_NOT_ASCII = re.compile(r"[^\x00-\x7e]")
_ACTING = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
"""Characters that JSON may hold as they are and that act on a terminal: controls, separators, directions."""


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
        return self.output.answer(b"".join(lines).decode(), records)

    def close(self) -> None:
        """Flush; the stream stays open."""
        self.output.close()

    def _line(self, record: Record) -> bytes:
        return line(encode(record.document), ascii_only=self._ascii)


def line(document: bytes, *, ascii_only: bool = False) -> bytes:
    """A document as a line that can be looked at.

    Args:
        document: It, as compact JSON.
        ascii_only: Whether to escape all characters outside ASCII.

    Raises:
        UnicodeDecodeError: It is no text.
    """
    if document.isascii() and b"\x7f" not in document:
        return document + b"\n"
    return (_NOT_ASCII if ascii_only else _ACTING).sub(_escaped, document.decode()).encode() + b"\n"


def _escaped(match: re.Match[str]) -> str:
    """A character as JSON escapes it: two escapes where UTF-16 needs two units."""
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
