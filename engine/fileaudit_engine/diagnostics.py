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
events, FA08x configuration, FA09x the store, FA10x hunts.

The exceptions:

    FileauditError                 everything this package raises on purpose
    ├── UnusableInput              input that cannot be used; carries diagnostics (exit 2)
    ├── TooManyFindingsError       a collector is full of errors: its input is not worth reading on
    ├── MachineCannot              a privilege, package or kernel feature is missing (exit 3)
    └── InternalError              a law of the engine was broken: a bug, never the user's fault
"""

import bisect
import enum
import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fileaudit_engine.text import counted, printable

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
        span = self.span(number)
        return self.text[slice(*span)] if span else None

    def span(self, number: int) -> tuple[int, int] | None:
        """Where a line begins in the text, and where it ends, its line break not counted."""
        if not 1 <= number <= len(self._starts):
            return None
        start = self._starts[number - 1]
        if number == len(self._starts):
            return start, len(self.text)
        end = self._starts[number]
        return start, end - (2 if self.text.startswith("\r\n", end - 2) else 1)

    def location(self, start: int, end: int | None = None) -> Location:
        """The span from index `start` up to `end` of the text, cut at the end of its first line.

        A line break counts as one character, whatever it is made of: a caret can stand under it.
        """
        line = bisect.bisect_right(self._starts, start)
        column = start - self._starts[line - 1] + 1
        _, line_end = self.span(line) or (0, len(self.text))
        length = max(0, min(end, line_end + 1) - start) if end is not None else 0
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


def error_at(code: str, message: str, location: Location, *, label: str = "", help: str = "") -> Diagnostic:  # noqa: A002 - users read it
    """A finding that makes its input unusable."""
    return Diagnostic(
        code=code, severity=Severity.ERROR, message=message, location=location, label=label, help=help
    )


class FileauditError(Exception):
    """Everything that this package raises on purpose."""


class UnusableInput(FileauditError):
    """Input that cannot be used; `diagnostics` say what and where, `sources` are as `render` takes them."""

    def __init__(
        self, diagnostics: Sequence[Diagnostic], sources: Mapping[str, SourceText] | None = None
    ) -> None:
        super().__init__("; ".join(f"{d.location}: {d.message}" for d in diagnostics))
        self.diagnostics = tuple(diagnostics)
        self.sources = sources or {}


def unusable_file(code: str, file: str, message: str, help: str = "") -> UnusableInput:  # noqa: A002 - users read it
    """The refusal of a whole file."""
    return UnusableInput([error_at(code, message, Location(file=file), help=help)])


class MachineCannot(FileauditError):
    """This machine lacks what the command needs; `remedy` says how to get it."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class InternalError(FileauditError):
    """A law of the engine was broken: a bug, never the user's fault."""


class TooManyFindingsError(FileauditError):
    """A collector has its fill of errors: what it looks at is not worth reading on."""


@dataclass(slots=True)
class Collector:
    """Gathers diagnostics while a stage goes on with what is still usable.

    Attributes:
        diagnostics: In the order in which they were found.
        limit: How many to take of each severity. The next error raises `TooManyFindingsError`; a warning more
            is no reason to give its input up, and is only counted.
        uncollected: How many findings below an error were more than `limit`.
    """

    diagnostics: list[Diagnostic] = field(default_factory=list)
    limit: int | None = None
    uncollected: int = 0
    _taken: Counter[Severity] = field(default_factory=Counter)

    def error(self, code: str, message: str, location: Location, *, label: str = "", help: str = "") -> None:  # noqa: A002 - users read it
        """Note an error."""
        self._add(code, Severity.ERROR, message, location, label, help)

    def warning(
        self,
        code: str,
        message: str,
        location: Location,
        *,
        label: str = "",
        help: str = "",  # noqa: A002 - the word that users read
    ) -> None:
        """Note a warning."""
        self._add(code, Severity.WARNING, message, location, label, help)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Take what another stage found."""
        for diagnostic in diagnostics:
            if self.limit is None or self._taken[diagnostic.severity] < self.limit:
                self._taken[diagnostic.severity] += 1
                self.diagnostics.append(diagnostic)
            elif diagnostic.severity is Severity.ERROR:
                raise TooManyFindingsError(f"more than {self.limit} errors")
            else:
                self.uncollected += 1

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


_WINDOW = 160
"""Characters of a source line that are shown; of a longer one, those around the caret."""

_BEFORE_CARET = 60
"""Characters of a long line that are shown before the caret."""

_TAB = "    "
_BOLD, _BLUE, _RESET = "\x1b[1m", "\x1b[34m", "\x1b[0m"
_COLORS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m", Severity.NOTE: "\x1b[1;36m"}


def render(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, SourceText], *, color: bool = False
) -> str:
    """The findings for people, in the order given, separated by empty lines.

    Nothing that a file name, a source line or a message carries reaches the terminal unescaped.

    Args:
        diagnostics: What was found.
        sources: The texts that are known, by `Location.file`; without its text a finding has no source line.
        color: Whether to use ANSI colours.
    """
    paint = _painted if color else _plain
    return "\n\n".join("\n".join(_report(d, sources.get(d.location.file), paint)) for d in diagnostics)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """One line such as `2 errors, 1 warning in 3 files`."""
    found = list(diagnostics)
    if not found:
        return "no findings"
    counts = Counter(diagnostic.severity for diagnostic in found)
    parts = [counted(counts[severity], severity.label) for severity in sorted(counts, reverse=True)]
    files = len({diagnostic.location.file for diagnostic in found})
    return f"{', '.join(parts)} in {counted(files, 'file')}"


_Paint = Callable[[str, str], str]


def _painted(text: str, code: str) -> str:
    return f"{code}{text}{_RESET}"


def _plain(text: str, _code: str) -> str:
    return text


def _report(diagnostic: Diagnostic, source: SourceText | None, paint: _Paint) -> Iterator[str]:
    """The lines of one finding."""
    severity = paint(f"{diagnostic.severity.label}[{diagnostic.code}]", _COLORS[diagnostic.severity])
    place, message = _shown(str(diagnostic.location)), _shown(diagnostic.message)
    yield f"{paint(place, _BOLD)}: {severity}: {paint(message, _BOLD)}"
    span = source.span(diagnostic.location.line) if source else None
    indent = " " * (len(str(diagnostic.location.line)) + 1 if span else 3)
    if source and span:
        yield from _excerpt(diagnostic, source.text, span, indent, paint)
    if diagnostic.label and not span:
        yield f"{indent}{paint('=', _BLUE)} note: {_shown(diagnostic.label)}"
    if diagnostic.help:
        yield f"{indent}{paint('=', _BLUE)} help: {_shown(diagnostic.help)}"


def _excerpt(
    diagnostic: Diagnostic, text: str, span: tuple[int, int], indent: str, paint: _Paint
) -> Iterator[str]:
    """The source line in its gutter, and the caret under it; the line may be megabytes, and is not copied."""
    where, length = diagnostic.location, span[1] - span[0]
    start = max(0, where.column - 1 - _BEFORE_CARET) if length > _WINDOW else 0
    window = text[span[0] + start : min(span[0] + start + _WINDOW, span[1])]
    before, marked, after = _cut(window, where, start)
    left, right = "…" if start else "", "…" if length > start + _WINDOW else ""
    gutter = paint("│", _BLUE)
    yield f"{indent}{gutter}"
    number = paint(str(where.line), _BLUE)
    yield f"{number} {gutter} {left}{_shown(before)}{_shown(marked)}{_shown(after)}{right}".rstrip()
    caret = paint("^" * max(1, _width(_shown(marked))), _COLORS[diagnostic.severity])
    label = f" {_shown(diagnostic.label)}" if diagnostic.label else ""
    yield f"{indent}{gutter} {' ' * (len(left) + _width(_shown(before)))}{caret}{label}"


def _cut(window: str, where: Location, start: int) -> tuple[str, str, str]:
    """The window on a line that begins at its index `start`: before the span, the span, behind it."""
    first = min(max(where.column - 1 - start, 0), len(window))
    last = min(max(where.end_column - 1 - start, first), len(window))
    return window[:first], window[first:last], window[last:]


def _shown(text: str) -> str:
    """As `printable`, but with backslashes and tabs as people wrote them: this is read, not parsed."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown_character, text))


def _shown_character(character: str) -> str:
    if character == "\\":
        return character
    if character == "\t":
        return _TAB
    escaped = printable(character)
    if escaped == character and not character.isprintable():
        return f"\\u{ord(character):04x}"  # a space that is not `" "`
    return escaped


def _width(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in {"W", "F"} for character in text)
    combining = sum(unicodedata.category(character) in {"Mn", "Me"} for character in text)
    return len(text) + wide - combining
