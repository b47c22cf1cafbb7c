"""What tests of the language ask: whether a rule, given as text, matches an event."""

from dataclasses import replace

from tests.unit.compiler.examples import event
from tests.unit.rules.examples import rule_text

from fileaudit_engine.compiler.lower import lower
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.model import FileEvent, Process
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import parse_text

LENIENT = RuleOptions(
    allow_unknown_fields=True, placeholders={"admins": ("alice", "b*"), "nets": ("10.0.0.0/8", "::1")}
)


def holds(detection: str, happened: FileEvent, *, condition: str = "selection", zone: str = "UTC") -> bool:
    """Whether a rule with this detection matches the event."""
    options = replace(LENIENT, timezone=zone)
    (rule,) = parse_text(rule_text(detection, condition), options=options).rules
    return matcher(lower(rule).predicate)(happened)


def with_extra(**fields: object) -> FileEvent:
    """An event with fields that only the user knows."""
    return event(extra=fields)


def runs(*args: str, image: str = "/usr/bin/x") -> FileEvent:
    return event(process=Process(pid=1, executable=image, args=args))
