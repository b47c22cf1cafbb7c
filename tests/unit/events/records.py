"""Findings and records for tests of detection's output: a rule that matched."""

from typing import Any

from tests.unit.events.examples import SHADOW

from fileaudit_engine.compiler.ir import TRUE
from fileaudit_engine.compiler.plan import UserRule
from fileaudit_engine.detect.alert import record_of
from fileaudit_engine.detect.record import Finding, Record
from fileaudit_engine.diagnostics import Location
from fileaudit_engine.events.fields import LogSource
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.rules.ast import LogSourceSpec, Rule

PLACE = Location(file="shadow.yml", line=1, column=1)


def rule(**changes: Any) -> Rule:
    """A rule that says everything a rule can say of itself, but for `changes`."""
    known: dict[str, Any] = {
        "key": "shadow_file_read",
        "title": "Shadow file read",
        "id": "6d2b1f0e-6f0e-4a54-9d0a-0d6f3f4c2a11",
        "description": "Somebody reads the password hashes.",
        "author": "fileaudit-engine authors",
        "date": "2026-11-24",
        "license": "Apache-2.0",
        "references": ("https://example.org/shadow",),
        "tags": ("attack.credential-access", "attack.t1003.008"),
        "level": "high",
        "logsource": LogSourceSpec(category="file_access", product="linux", service=None, location=PLACE),
        "detections": {},
        "conditions": (),
        "custom": {},
        "location": PLACE,
    }
    return Rule(**(known | changes))


def finding(event: FileEvent = SHADOW, *, losses: tuple[Loss, ...] = (), **changes: Any) -> Finding:
    """That the rule, with `changes`, matched the event."""
    made = UserRule(rule=rule(**changes), logsource=LogSource.FILE_ACCESS, predicate=TRUE, selections={})
    return Finding(rule=made, event=event, selections=("selection",), losses=losses)


def record(event: FileEvent = SHADOW, *, losses: tuple[Loss, ...] = (), **changes: Any) -> Record:
    """The record of such a finding."""
    return record_of(finding(event, losses=losses, **changes), host="this-host")
