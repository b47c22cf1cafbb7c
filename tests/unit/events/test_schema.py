"""The schema of recorded events: as generated, and of one mind with the reader."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from tests.unit.events.examples import LOSS, SHADOW, events
from tests.unit.events.records import record
from tools.schemas.event import schema

from fileaudit_engine.events.document import document_of, document_of_loss
from fileaudit_engine.events.fields import FIELDS
from fileaudit_engine.events.jsonl import EventReader
from fileaudit_engine.events.model import FileEvent

VALIDATOR = jsonschema.Draft202012Validator(schema())
OPEN = {"@timestamp": "2026-11-24T07:30:45Z", "Operation": "open"}


@given(events)
@settings(derandomize=True, database=None, deadline=None, max_examples=30)
def test_every_document_that_the_engine_writes_is_valid(event: FileEvent) -> None:
    VALIDATOR.validate(document_of(event))
    VALIDATOR.validate(record(event, losses=(LOSS,)).document)


def test_a_loss_is_valid() -> None:
    VALIDATOR.validate(document_of_loss(LOSS))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"TargetFilename": "/x", "FileMode": "0644", "Errno": "EACCES", "UserId": 0, "EUID": "0"},
        {"file.path": "/x", "process.args": ["a"], "fileaudit.path_state": ["deleted"]},
        {"User": None, "ArgumentsTruncated": True},
    ],
)
def test_flat_events_are_valid_and_read(fields: dict[str, Any]) -> None:
    VALIDATOR.validate({**OPEN, **fields})
    assert isinstance(EventReader(file="x").read(json.dumps({**OPEN, **fields}).encode(), 1), FileEvent)


@pytest.mark.parametrize(
    "fields",
    [
        {"TargetFilenam": "/x"},
        {"Operation": "opened"},
        {"ProcessId": "x"},
        {"FileMode": "9"},
        {"@timestamp": "today"},
        {"file": {"pat": "/x"}},
        {"ArgumentsTruncated": "yes"},
    ],
)
def test_what_the_reader_refuses_is_not_valid(fields: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid({**OPEN, **fields})
    assert isinstance(EventReader(file="x").read(json.dumps({**OPEN, **fields}).encode(), 1), tuple)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: str(field.name))
def test_every_name_of_a_field_is_explained_to_an_editor(field: Any) -> None:
    flat = schema()["$defs"]["flat"]["properties"]
    assert all(field.meaning in flat[name]["description"] for name in (field.name, field.ecs, *field.aliases))


def test_the_example_is_one() -> None:
    VALIDATOR.validate(document_of(SHADOW))
