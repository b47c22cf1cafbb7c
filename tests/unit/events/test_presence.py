"""Whether an event has a field of the user's own, which a null does not say."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.events.examples import SHADOW

from fileaudit_engine.events.presence import presence_of


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        ("", ""),
        (0, 0),
        (False, False),
        ([], ()),
        ({}, "an object"),
        ({"inner": None}, "an object"),
        ("x", "x"),
    ],
)
def test_a_field_is_there_whatever_it_holds(value: Any, shown: object) -> None:
    assert presence_of("Zone").get(replace(SHADOW, extra={"Other": 1, "Zone": value})) == shown


def test_an_object_is_there_by_any_of_its_members() -> None:
    assert presence_of("cloud").get(replace(SHADOW, extra={"cloud.region": None})) == "an object"


@pytest.mark.parametrize("extra", [None, {}, {"Other": 1}, {"Zones": 1}, {"My.Zone": 1}])
def test_a_field_that_nobody_gave_is_not_there(extra: dict[str, object] | None) -> None:
    assert presence_of("Zone").get(replace(SHADOW, extra=extra)) is None


def test_one_field_has_one_row() -> None:
    assert presence_of("Zone") is presence_of("Zone")
