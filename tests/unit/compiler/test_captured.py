"""Fields that a live host never has are known, and told."""

import msgspec
from tests.unit.compiler.examples import path_test, text_test, user_rule
from tests.unit.events.test_wire import file_record, lookups

from fileaudit_engine.compiler.captured import LIVE_EVENT, NOT_CAPTURED
from fileaudit_engine.compiler.explain import explanation
from fileaudit_engine.compiler.ir import All
from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.compiler.plan import UserPlan
from fileaudit_engine.events import wire
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.model import FileEvent


def present(event: FileEvent) -> set[str]:
    """The attributes that an event has."""
    return {name for name, value in msgspec.structs.asdict(event).items() if value is not None}


def test_the_example_has_exactly_what_a_record_of_the_kernel_gives() -> None:
    record = wire.file_record(b"\0" * 8 + file_record(), 8, lookups()).event
    assert present(LIVE_EVENT) == present(record)


def test_every_field_that_is_not_captured_is_absent_from_a_live_event() -> None:
    assert {"ContainerId", "FileOwner"} <= NOT_CAPTURED
    assert not {"TargetFilename", "Image", "ParentImage", "User", "CommandLine", "Operation"} & NOT_CAPTURED
    assert all(BY_NAME[name].get(LIVE_EVENT) is None for name in NOT_CAPTURED)


def test_explain_names_the_fields_of_a_rule_that_no_live_event_has() -> None:
    rule = user_rule(All(operands=(path_test("/srv/x"), text_test("ContainerName", "web"))))
    (explained,) = explanation(UserPlan(rules=(rule,)), kernel_plan([rule.predicate])).rules
    assert any(phrase.startswith("ContainerName on a live host") for phrase in explained.blind_to)
    plain = user_rule(path_test("/srv/x"))
    (explained,) = explanation(UserPlan(rules=(plain,)), kernel_plan([plain.predicate])).rules
    assert not any("fill it in" in phrase for phrase in explained.blind_to)
