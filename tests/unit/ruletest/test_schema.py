"""The editors' schema is up to date, and agrees with the reader."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tests.unit.ruletest.packs import loaded
from tools.schemas.test import schema

from fileaudit_engine.ruletest.case_reader import CASE_KEYS, EXPECTATION_KEYS, FILE_KEYS
from fileaudit_engine.ruletest.load import load_cases

ROOT = Path(__file__).parents[3]
VALIDATOR = jsonschema.Draft202012Validator(schema())


def test_schema_and_reader_know_the_same_keys() -> None:
    found: dict[str, Any] = schema()
    assert tuple(found["properties"]) == FILE_KEYS
    assert tuple(found["$defs"]["case"]["properties"]) == CASE_KEYS
    assert tuple(found["$defs"]["expectation"]["properties"]) == EXPECTATION_KEYS


@pytest.mark.parametrize(
    "file", sorted((ROOT / "tests" / "fixtures").rglob("*.test.yml")), ids=lambda f: f.name
)
def test_the_shipped_cases_fit_schema_and_reader(file: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(file.read_text()))
    assert not load_cases(file).diagnostics


@pytest.mark.parametrize(
    "case",
    [
        "{events: [{Operation: open}], alerts: []}",
        "{name: ' ', events: [{Operation: open}], alerts: []}",
        "{name: a, events: [], alerts: []}",
        "{name: a, alerts: []}",
        "{name: a, events: [{Operation: open}]}",
        "{name: a, events: [{Operation: open}], events_from: b, alerts: []}",
        "{name: a, events: [{Operation: oepn}], alerts: []}",
        "{name: a, events: [{Operation: open, at: 2}], alerts: []}",
        "{name: a, events: [{Operation: open, at: 2 s}], alerts: []}",
        "{name: a, events: [{Operation: open, ts_ns: 2}], alerts: []}",
        "{name: a, events: [{Operation: open, UserId: [1, 2]}], alerts: []}",
        "{name: a, events: [{Operation: open}], alerts: [{}]}",
        "{name: a, events: [{Operation: open}], alerts: [{rule: a, level: hihg}]}",
        "{name: a, events: [{Operation: open}], alerts: [{rule: a, fields: [a]}]}",
        "{name: a, events: [{Operation: open}], alerts: [{rule: a, fields: {a: [{b: c}]}}]}",
        "{name: a, events: [{Operation: open}], alerts: [{rule: a, when: 0s}]}",
        "{name: a, events: [{Operation: open}], alert: [], audit: []}",
        "{name: a, start: '2026-01-01', events: [{Operation: open}], alerts: []}",
        "{name: a, start: '2026-01-01T03:00:00', events: [{Operation: open}], alerts: []}",
        "{name: a, start: 0, events: [{Operation: open}], alerts: []}",
        "{name: a, events: [{Operation: open}], alerts: null, audit: []}",
    ],
)
def test_schema_and_reader_refuse_the_same(tmp_path: Path, case: str) -> None:
    text = f"tests: [{case}]"
    assert not VALIDATOR.is_valid(yaml.safe_load(text))
    assert loaded(tmp_path, text).diagnostics


@pytest.mark.parametrize(
    "case",
    [
        "{name: a, events: [{Operation: open}], audit: []}",
        "{name: a, events: [{Operation: open, at: 0}], alerts: []}",
        "{name: a, events: [{event.action: open, at: 1m30s}], alerts: []}",
        "{name: a, events: [{Operation: open, Errno: EACCES, User: null}], alerts: []}",
        "{name: a, events: [{Operation: open, FileMode: '0644', UserId: '0'}], alerts: []}",
        "{name: a, events: [{Operation: open, PathState: [deleted]}], alerts: []}",
        "{name: a, start: '2026-01-01T03:00:00Z', events: [{Operation: open}], alerts: []}",
        "{name: a, start: '2026-01-01 03:00:00.5-02:30', events: [{Operation: open}], alerts: []}",
        "{name: a, events: [{Operation: open}], alerts: [{rule: a, fields: {user: {id: 0}, a: [1, b]}}]}",
    ],
)
def test_schema_and_reader_take_the_same(tmp_path: Path, case: str) -> None:
    text = f"tests: [{case}]"
    VALIDATOR.validate(yaml.safe_load(text))
    assert not loaded(tmp_path, text).diagnostics
