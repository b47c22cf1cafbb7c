"""What is wrong, where, and what to do about it.

Everything that users can get wrong (a rule, a fixture, a configuration, an event file) ends as a
`Diagnostic`: a stable code, a place, a message, and a remedy. Whoever finds one collects it and goes on;
whoever owns the command prints them once, sorted by place:

    rules/shadow.yml:14:9: error[FA021]: 'filter' is not defined
       │
    14 │   condition: selection and not filter
       │                                ^^^^^^ the detection has 'selection' and 'filter_login'
       = help: write 'filter_login', or 'not 1 of filter_*'

Codes are grouped by what they speak of: FA00x YAML source, FA01x rule structure, FA02x conditions,
FA03x modifiers and values, FA04x fields and log sources, FA05x lint, FA06x test cases, FA07x recorded
events, FA08x configuration.

The exceptions:

    FileauditError                 everything this package raises on purpose
    ├── UnusableInput              input that cannot be used; carries diagnostics (exit 2)
    ├── TooManyFindingsError       a collector is full: its input is not worth reading on
    ├── MachineCannot              a privilege, package or kernel feature is missing (exit 3)
    └── InternalError              a law of the engine was broken: a bug, never the user's fault
"""

import bisect
import enum
import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fileaudit_engine.text import printable

_LINE_BREAK = re.compile(r"\r\n|\n|\r")


class Severity(enum.IntEnum):
    """How much a diagnostic matters; the order is the order of importance."""

    NOTE = 0
    WARNING = 1
    ERROR = 2

    @property
    def label(self) -> str:
        """The word that users read: `error`, `warning` or `note`."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Location:
    """A span on one line of a file.

    Attributes:
        file: The path as the user gave it, or a name such as `<stdin>`.
        line: Counted from 1; 0 where the whole file is meant.
        column: Counted from 1, in characters.
        end_column: The column after the last character; equal to `column` for a mere point.
    """

    file: str
    line: int = 0
    column: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        """`file:line:column`, the form that editors make clickable."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, kw_only=True)
class SourceText:
    """A text that diagnostics point into. Lines end where editors end them: LF, CR LF or CR.

    Attributes:
        file: As it stands in `Location.file`.
        text: The whole text, decoded.
    """

    file: str
    text: str

    @functools.cached_property
    def _starts(self) -> list[int]:
        """Index of the first character of each line."""
        return [0, *(found.end() for found in _LINE_BREAK.finditer(self.text))]

    def line(self, number: int) -> str | None:
        """A line without its end, counted from 1; None where there is none."""
        if not 1 <= number <= len(self._starts):
            return None
        start = self._starts[number - 1]
        found = _LINE_BREAK.search(self.text, start)
        return self.text[start : found.start() if found else len(self.text)]

    def location(self, start: int, end: int | None = None) -> Location:
        """The span from index `start` up to `end` of the text, cut at the end of its first line."""
        line = bisect.bisect_right(self._starts, start)
        column = start - self._starts[line - 1] + 1
        line_end = self._starts[line] if line < len(self._starts) else len(self.text) + 1
        length = max(0, min(end, line_end) - start) if end is not None else 0
        return Location(file=self.file, line=line, column=column, end_column=column + length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding.

    Attributes:
        code: `FA` and three digits; stable, so that it can be searched for and suppressed.
        severity: Errors make a rule unusable, warnings do not.
        message: What is wrong, in one line, without the place.
        location: Where.
        label: What stands beside the caret, if more is to be said about the place.
        help: What to do, in the imperative.
    """

    code: str
    severity: Severity
    message: str
    location: Location
    label: str = ""
    help: str = ""


class FileauditError(Exception):
    """Everything that this package raises on purpose."""


class UnusableInput(FileauditError):
    """Input that cannot be used; `diagnostics` say what and where."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("; ".join(f"{d.location}: {d.message}" for d in diagnostics))
        self.diagnostics = tuple(diagnostics)


class MachineCannot(FileauditError):
    """This machine lacks what the command needs; `remedy` says how to get it."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class InternalError(FileauditError):
    """A law of the engine was broken: a bug, never the user's fault."""


class TooManyFindingsError(FileauditError):
    """A collector is full: what it looks at is not worth reading on."""


@dataclass(slots=True)
class Collector:
    """Gathers diagnostics while a stage goes on with what is still usable.

    Attributes:
        diagnostics: In the order in which they were found.
        limit: How many to take; the next one raises `TooManyFindingsError`.
    """

    diagnostics: list[Diagnostic] = field(default_factory=list)
    limit: int | None = None

    def error(self, code: str, message: str, location: Location, *, label: str = "", help: str = "") -> None:  # noqa: A002 - users read it
        """Note an error."""
        self._add(code, Severity.ERROR, message, location, label, help)

    def warning(
        self, code: str, message: str, location: Location, *, label: str = "", help: str = ""
    ) -> None:  # noqa: A002 - users read it
        """Note a warning."""
        self._add(code, Severity.WARNING, message, location, label, help)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Take what another stage found."""
        for diagnostic in diagnostics:
            if self.limit is not None and len(self.diagnostics) >= self.limit:
                raise TooManyFindingsError(f"more than {self.limit} findings")
            self.diagnostics.append(diagnostic)

    def _add(  # noqa: PLR0913 - one argument an attribute
        self, code: str, severity: Severity, message: str, location: Location, label: str, remedy: str
    ) -> None:
        finding = Diagnostic(
            code=code, severity=severity, message=message, location=location, label=label, help=remedy
        )
        self.extend((finding,))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether anything among `diagnostics` makes its input unusable."""
    return any(d.severity is Severity.ERROR for d in diagnostics)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted by place, then code, each finding once."""
    return sorted(dict.fromkeys(diagnostics), key=lambda d: (d.location, d.code, d.message))
