"""Test cases of a rule pack: events that happened, and exactly what the rules must say of them.

    defaults: {User: alice, Image: /usr/bin/cat}
    tests:
      - name: A user reads the shadow file
        events:
          - {at: 0s, Operation: open, AccessMode: read, TargetFilename: /etc/shadow}
        alerts:
          - {rule: shadow_file_read, level: high, at: 0s, fields: {file.path: /etc/shadow}}

Time in a case is virtual. Every case starts at `CASE_START_NS` or at the `start` that it names, whenever and
wherever it runs, so that the ids of its alerts are the same for ever; `at` counts from there. Whatever looks
at the hour or the day is proven by `start`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.diagnostics import Diagnostic, Location, SourceText
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.rules.ast import Scalar

CASE_START_NS: Final = 1_767_225_600 * 1_000_000_000
"""When a case without a `start` starts: 2026-01-01T00:00:00Z, nanoseconds since the Unix epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """An event of a case.

    Attributes:
        event: What happened; its time is the case's start + `at_ns`.
        at_ns: Nanoseconds since the case's start.
        location: Where it is written.
    """

    event: FileEvent
    at_ns: int
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One alert, or audit event, that must be raised. What is None or absent is not compared.

    Attributes:
        rule: Name, id or title of the rule, as written.
        level: Its level.
        at_ns: Time of the event that raises it, nanoseconds since the case's start.
        fields: Dotted place in the document -> what stands there.
        location: Where the expectation is written.
        rule_location: Where its rule is named.
    """

    rule: str
    level: str | None
    at_ns: int | None
    fields: Mapping[str, Scalar | tuple[Scalar, ...]]
    location: Location
    rule_location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test case.

    Attributes:
        name: Unique in its file.
        file: The file, as `Location.file` has it.
        events: One or more, in the order in which the rules see them.
        alerts: All that must be raised by rules that alert.
        audit: All that the informational rules of `audited` must record; None where the case does not say.
        location: Where its name is written.
        start_ns: When it starts, nanoseconds since the Unix epoch; None where the case does not say.
        audited: The informational rules that the cases of its file are about, as they are named there. Scopes
            of the audit trail overlap, and each has cases of its own. Empty: all.
    """

    name: str
    file: str
    events: tuple[CaseEvent, ...]
    alerts: tuple[Expectation, ...]
    audit: tuple[Expectation, ...] | None
    location: Location
    start_ns: int | None = None
    audited: frozenset[str] = frozenset()

    @property
    def starts_ns(self) -> int:
        """When it starts, nanoseconds since the Unix epoch."""
        first = self.events[0]
        return first.event.ts_ns - first.at_ns

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """Alerts and audit events together."""
        return (*self.alerts, *(self.audit or ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCases:
    """What stands in the test files.

    Attributes:
        cases: The usable ones, by file, in the order of their files.
        diagnostics: What is wrong with the others.
        sources: The text of each file, by its name, for showing diagnostics.
    """

    cases: tuple[Case, ...]
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, SourceText]
