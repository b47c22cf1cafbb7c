"""The places that a configuration may speak of are those that alerts have."""

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given, settings
from tests.unit.detect.crossings import crossing
from tests.unit.events.examples import EVERYTHING, LOSS, events
from tests.unit.events.records import record

from fileaudit_engine.detect.crossing_alert import record_of_crossing
from fileaudit_engine.detect.places import PLACES, UNIQUE, is_place
from fileaudit_engine.detect.record import Record
from fileaudit_engine.events.model import FileEvent

REPEATABLE = settings(derandomize=True, database=None, deadline=None)
NOT_TO_BE_COMPARED = "fileaudit.losses."


def places_of(found: Record) -> set[str]:
    return set(_places(found.document, ""))


def _places(document: Mapping[str, object], prefix: str) -> Iterator[str]:
    for key, value in document.items():
        if isinstance(value, dict):
            yield from _places(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def test_every_place_is_one_that_some_alert_has() -> None:
    found = places_of(record(EVERYTHING)) | places_of(record_of_crossing(crossing(), host="h"))

    @given(events)
    @settings(REPEATABLE, max_examples=1000)
    def gather(event: FileEvent) -> None:
        found.update(places_of(record(event)))

    gather()
    assert PLACES - found == set()


@given(events)
@REPEATABLE
def test_every_place_of_an_alert_is_known(event: FileEvent) -> None:
    found = places_of(record(event, losses=(LOSS,)))
    assert [name for name in found - UNIQUE if not is_place(name) and NOT_TO_BE_COMPARED not in name] == []


@pytest.mark.parametrize("name", ["", "file", "Image", "file.paths", "fileaudit.extra", *UNIQUE])
def test_what_no_two_alerts_have_is_no_place(name: str) -> None:
    assert not is_place(name)
