"""The conformance suite as this engine reads it: files of cases in, verdicts out.

The cases are data that any Sigma engine can run (README.md). What is particular to this one stands here: how
an event of a case becomes a `FileEvent`, and the ways in which an event reaches the rules. There are three,
and each must give the same verdict: a batch through the match index, the candidates that the model of the
kernel's filter names, and every rule on every event with nothing in front.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fileaudit_engine.compiler.classifier import classify, facts_of
from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.runnable import runnable
from fileaudit_engine.diagnostics import Diagnostic, Location, render
from fileaudit_engine.events.batch import EventBatch
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.events.reader import event_of
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import LoadedRules, parse_text
from fileaudit_engine.text import from_kernel, to_document

FOLDER = Path(__file__).parent
RULE_FILE = "rule.yml"
"""What the text of a case is called in diagnostics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """An event and the titles of the rules that match it; None for 'some rule does'."""

    fields: Mapping[str, Any]
    titles: frozenset[str] | None

    def fits(self, titles: frozenset[str]) -> bool:
        """Whether these titles are what is expected."""
        return bool(titles) if self.titles is None else titles == self.titles


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case.

    Attributes:
        file: Where it stands, relative to the suite.
        name: What it says of the language.
        section: Of the specification, or `decision`.
        reason: Why a decision is as it is.
        covers: Topics in which engines are known to differ.
        text: All documents of its rules as one YAML text.
        options: What the user decides about the reading.
        error: The code of the only kind of error that its text has; empty if it has none.
        warning: The code of a warning that is given, beside any other; empty if that is left open.
        at: `line:column` of the finding; empty if that is left open.
        events: What the rules say of events.
    """

    file: str
    name: str
    section: str
    reason: str
    covers: tuple[str, ...]
    text: str
    options: RuleOptions
    error: str
    warning: str
    at: str
    events: tuple[Expectation, ...]

    def load(self) -> LoadedRules:
        """Its rules, read."""
        return parse_text(self.text, RULE_FILE, self.options)


def all_cases() -> tuple[Case, ...]:
    """Every case, by file, in the order in which they stand."""
    return tuple(case for path in sorted(FOLDER.rglob("*.yml")) for case in _cases(path))


def document(path: Path) -> dict[str, Any]:
    """A file of cases as data."""
    data = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    assert isinstance(data, dict)
    return data


def _cases(path: Path) -> Iterator[Case]:
    data = document(path)
    for raw in data["cases"]:
        rules = raw.get("rules") or [raw["rule"]]
        yield Case(
            file=path.relative_to(FOLDER).as_posix(),
            name=raw["name"],
            section=raw.get("section", data["section"]),
            reason=raw.get("reason", ""),
            covers=tuple(raw.get("covers", ())),
            text="---\n".join(rules),
            options=RuleOptions(
                allow_unknown_fields=raw.get("allow_unknown_fields", False),
                placeholders={name: tuple(values) for name, values in raw.get("placeholders", {}).items()},
                timezone=raw.get("timezone", "UTC"),
            ),
            error=raw.get("error", ""),
            warning=raw.get("warning", ""),
            at=raw.get("at", ""),
            events=tuple(map(_expectation, raw.get("events", ()))),
        )


def _expectation(raw: Mapping[str, Any]) -> Expectation:
    matches = raw["matches"]
    return Expectation(
        fields={name: _value(value) for name, value in raw.items() if name != "matches"},
        titles=None if matches is True else frozenset(matches or ()),
    )


def _value(raw: object) -> object:
    """A value of an event; the two long forms are written out."""
    match raw:
        case {"repeat": str(text), "times": int(times)}:
            return text * times
        case {"hex": str(digits)}:
            return from_kernel(bytes.fromhex(digits))
        case _:
            return raw


def event(fields: Mapping[str, object], *, allow_unknown_fields: bool) -> FileEvent:
    """An event of a case; where it does not say what was done or when, a file was opened at second 0."""
    document = {name: _for_document(name, value) for name, value in fields.items()}
    if "Operation" not in document:
        document["Operation"] = "open"
    made = event_of(document, _somewhere, ts_ns=0, allow_unknown_fields=allow_unknown_fields)
    assert isinstance(made, FileEvent), made
    return made


def _for_document(name: str, value: object) -> object:
    r"""A value as documents have it: `\xNN` in a listed field would be read as an escape."""
    return to_document(value) if name in BY_NAME and isinstance(value, str) else value


def _somewhere(_name: str) -> Location:
    return Location(file="event")


Verdicts = Iterator[tuple[str, Sequence[frozenset[str]]]]
"""For each way of reaching the rules: its name, and per event the titles of the rules that match."""


def verdicts(case: Case) -> Verdicts:
    """What this engine says of a case, however its events reach the rules."""
    unknown = case.options.allow_unknown_fields
    events = [event(expected.fields, allow_unknown_fields=unknown) for expected in case.events]
    return every_way(compile_rules(case.load().rules), events)


def every_way(compiled: Compiled, events: Sequence[FileEvent]) -> Verdicts:
    """What the rules say of events, by each of the ways."""
    yield "the match index", _through(compiled, events, EventBatch(events=events))
    yield "the filter's model", _through(compiled, events, _filtered(compiled, events))
    yield "every rule on every event", _plainly(compiled, events)


@dataclass(frozen=True, slots=True)
class _Filtered:
    """A batch as the live source makes it: with the kernel's candidates, without columns."""

    events: Sequence[FileEvent]
    candidates: Sequence[int]

    def complete(self, index: int) -> FileEvent:
        return self.events[index]


def _filtered(compiled: Compiled, events: Sequence[FileEvent]) -> _Filtered:
    return _Filtered(events, [classify(compiled.kernel, facts_of(each)) for each in events])


def _through(
    compiled: Compiled, events: Sequence[FileEvent], batch: EventBatch | _Filtered
) -> list[frozenset[str]]:
    """What the detector says; a finding's event is told by its identity, since two may be alike."""
    found: dict[int, set[str]] = {}
    for finding in Detector(compiled.user, compiled.kernel).findings(batch):
        found.setdefault(id(finding.event), set()).add(finding.rule.rule.title)
    return [frozenset(found.get(id(each), ())) for each in events]


def _plainly(compiled: Compiled, events: Sequence[FileEvent]) -> list[frozenset[str]]:
    rules = [runnable(rule) for rule in compiled.user.rules]
    return [frozenset(rule.plan.rule.title for rule in rules if rule.matches(each)) for each in events]


def findings(case: Case) -> tuple[Diagnostic, ...]:
    """All that reading and compiling the rules has to say."""
    loaded = case.load()
    return (*loaded.diagnostics, *compile_rules(loaded.rules).diagnostics)


def shown(case: Case, diagnostics: Sequence[Diagnostic]) -> str:
    """Findings for people."""
    return f"{case.file}: {case.name}\n{render(diagnostics, case.load().sources)}"
