"""Fields that the table does not know and that the user allowed."""

import pytest

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.model import FileEvent, Operation, Process
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import parse_text

RULE = """
title: zone
logsource: {{product: linux, category: file_access}}
detection: {{selection: {{Zone: {value}}}, condition: selection}}
"""


def holds(value: str, found: object) -> bool:
    (rule,) = parse_text(
        RULE.format(value=value), "rule", options=RuleOptions(allow_unknown_fields=True)
    ).rules
    (compiled,) = compile_rules([rule]).user.rules
    event = FileEvent(ts_ns=0, operation=Operation.OPEN, process=Process(pid=1), extra={"Zone": found})
    return matcher(compiled.predicate)(event)


@pytest.mark.parametrize(
    ("value", "found"),
    [("dmz", "DMZ"), ("3", 3), ("1.5", 1.5), ("true", True), ("lan", ["dmz", "LAN"]), ("null", None)],
)
def test_a_rule_sees_what_the_event_has(value: str, found: object) -> None:
    assert holds(value, found)


@pytest.mark.parametrize(
    ("value", "found"), [("dmz", "lan"), ("3", "x3"), ("true", 1), ("dmz", {"dmz": "dmz"}), ("null", "")]
)
def test_and_nothing_else(value: str, found: object) -> None:
    assert not holds(value, found)
