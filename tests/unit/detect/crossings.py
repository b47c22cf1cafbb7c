"""Crossings for tests of detection's output: what a correlation saw."""

from typing import Any

import msgspec
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import PLACE

from fileaudit_engine.compiler.plan import CorrelationStep, UserCorrelation
from fileaudit_engine.detect.crossing import Contribution, Crossing
from fileaudit_engine.detect.identity import fingerprint
from fileaudit_engine.events.fields import BY_NAME, unlisted
from fileaudit_engine.events.model import FileEvent, Operation
from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.rules.ast import Comparator, Comparison, Correlation, CorrelationType, RuleReference

MINUTE_NS = 60 * SECOND_NS


def correlation(**changes: Any) -> Correlation:
    """A correlation that counts fifty events in a minute, but for `changes`."""
    known: dict[str, Any] = {
        "key": "many_files_renamed",
        "title": "Many files renamed",
        "id": "0b6c2f0e-93a4-4c8e-8f57-5a2f4f9f6c10",
        "description": "One process gives many files another name.",
        "author": "fileaudit-engine authors",
        "date": "2026-11-28",
        "tags": ("attack.impact", "attack.t1486"),
        "level": "high",
        "type": CorrelationType.EVENT_COUNT,
        "rules": (RuleReference(name="renamed", location=PLACE),),
        "sources": ("renamed",),
        "aliases": {},
        "group_by": ("ProcessId", "User"),
        "timespan": "1m",
        "timespan_ns": MINUTE_NS,
        "comparisons": (Comparison(comparator=Comparator.GTE, number=3),),
        "custom": {},
        "location": PLACE,
    }
    return Correlation(**(known | changes))


def plan(**changes: Any) -> UserCorrelation:
    """Its plan; each source is a rule, and names of `group_by` are fields."""
    rule = correlation(**changes)
    steps = tuple(
        CorrelationStep(
            key=source,
            chained=False,
            number=number,
            group=tuple(BY_NAME.get(name) or unlisted(name) for name in rule.group_by),
            values=tuple(BY_NAME.get(name) or unlisted(name) for name in rule.value_fields),
        )
        for number, source in enumerate(rule.sources)
    )
    return UserCorrelation(rule=rule, steps=steps, silent=False, operations=frozenset({Operation.RENAME}))


def renamed(number: int) -> FileEvent:
    """The rename of a file, so many seconds after the first."""
    return msgspec.structs.replace(
        SHADOW,
        ts_ns=SHADOW.ts_ns + number * SECOND_NS,
        operation=Operation.RENAME,
        access_mode=None,
        path=f"/home/a/{number}.enc",
        source_path=f"/home/a/{number}",
        asked_path=None,
    )


RENAMES = tuple(map(renamed, range(5)))


def contributions(*events: FileEvent) -> tuple[Contribution, ...]:
    return tuple(Contribution(event.ts_ns, fingerprint(event), event) for event in events)


def crossing(changes_of_rule: dict[str, Any] | None = None, **changes: Any) -> Crossing:
    """Five renames of one process, but for the changes."""
    known: dict[str, Any] = {
        "correlation": plan(**(changes_of_rule or {})),
        "ts_ns": RENAMES[-1].ts_ns,
        "group": {"ProcessId": 4242, "User": "root"},
        "value": 5,
        "total": 5,
        "events": contributions(*RENAMES),
        "first_ns": RENAMES[0].ts_ns,
        "last_ns": RENAMES[-1].ts_ns,
        "event": RENAMES[-1],
    }
    return Crossing(**(known | changes))
