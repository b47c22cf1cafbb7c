"""What tells the forms apart: how the message of a frame begins, how a fact stands in it, and how it ends."""

from typing import Protocol

from fileaudit_engine.sinks.syslog.facts import Facts


class Form(Protocol):
    """RFC 5424's structured data, CEF, or LEEF."""

    separator: str
    """Stands between two facts."""

    def __hash__(self) -> int:
        """What it makes of a text is remembered."""

    def begin(self, facts: Facts, ts_ns: int, most: int) -> str:
        """What stands before the facts; of each text in it at most so many bytes."""

    def prepare(self, shown: str) -> str:
        """A text in which all that the form has no escape for is escaped as `words.shown` does it."""

    def escape(self, text: str) -> str:
        """What is prepared, in the form's syntax; also of a part of it."""

    def key(self, name: str, number: int) -> str:
        """The form's name for the fact of ours that is told for the n-th time; empty: it has none."""

    def pair(self, key: str, escaped: str) -> str:
        """A fact."""

    def escape_message(self, text: str) -> str:
        """The message, `words.tame`, in the form's syntax; also of a part of it."""

    def end(self, message: str) -> str:
        """What stands behind the facts, with the message, escaped."""
