"""Fields that a live host never has are known, and told."""

import msgspec
import pytest
from tests.unit.compiler.examples import path_test, text_test, user_rule
from tests.unit.events.test_wire import file_record, lookups

from fileaudit_engine.compiler import blind
from fileaudit_engine.compiler.captured import LIVE_EVENT, NOT_CAPTURED
from fileaudit_engine.compiler.explain import explanation
from fileaudit_engine.compiler.ir import All
from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.compiler.plan import UserPlan
from fileaudit_engine.events import wire
from fileaudit_engine.events.fields import FIELDS
from fileaudit_engine.events.model import FileEvent, Operation

TOLD_LATER = {"container_path", "alias_path"}
"""What user space finds out from the mounts and names that it knows."""


def present(event: FileEvent) -> set[str]:
    """The attributes that an event has."""
    return {name for name, value in msgspec.structs.asdict(event).items() if value is not None}


def recorded(operation: Operation) -> FileEvent:
    """What a record gives in which everything is filled in."""
    record = file_record(
        second=b"/a", second_asked=b"a", extra=b"x\0y", details=(0, 0, 1), operation=operation.number
    )
    return wire.file_record(b"\0" * 8 + record, 8, lookups(), {}).event


def test_the_example_has_exactly_what_records_of_the_kernel_give() -> None:
    told = set().union(*(present(recorded(operation)) for operation in Operation))
    assert present(LIVE_EVENT) == told | TOLD_LATER


def test_every_field_but_the_users_own_is_captured() -> None:
    assert frozenset() == NOT_CAPTURED
    assert [field.name for field in FIELDS if field.attribute == "extra"] == []


def test_explain_names_the_fields_of_a_rule_that_no_live_event_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blind, "NOT_CAPTURED", frozenset({"ContainerName"}))
    rule = user_rule(All(operands=(path_test("/srv/x"), text_test("ContainerName", "web"))))
    (explained,) = explanation(UserPlan(rules=(rule,)), kernel_plan([rule.predicate])).rules
    assert explained.blind_to[0].startswith("ContainerName on a live host")
    plain = user_rule(path_test("/srv/x"))
    (explained,) = explanation(UserPlan(rules=(plain,)), kernel_plan([plain.predicate])).rules
    assert not any("fill it in" in phrase for phrase in explained.blind_to)
