"""The control mapping: everything that it names is there, and says no more than there is."""

import itertools
import json
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from tools.schemas.controls import SECTIONS, schema

from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.resources import detections_dir, rules_dir, schemas_dir
from fileaudit_engine.rules.parser import load_rules
from fileaudit_engine.runtime.controls import FrameworkSpec, RequirementSpec, frameworks

REQUIREMENTS = [(one, requirement) for one in frameworks() for requirement in one.requirements]
NAMES = [f"{one.name} {requirement.id}" for one, requirement in REQUIREMENTS]


@cache
def shipped() -> Compiled:
    loaded = load_rules([detections_dir()])
    return compile_rules(loaded.rules, loaded.correlations)


@cache
def telling() -> dict[str, str]:
    """The levels of shipped rules and correlations that tell something by themselves, by name."""
    plans = shipped()
    rules = [
        one.rule for number, one in enumerate(plans.user.rules) if number not in plans.correlations.silent
    ]
    correlations = [one.rule for one in plans.correlations.correlations if not one.silent]
    return {one.key: one.level for one in itertools.chain(rules, correlations)}


def scopes() -> set[str]:
    return {path.stem for path in (rules_dir() / "audit").glob("*.yml")}


def named(what: str) -> set[str]:
    """All rules, trails or sections that some requirement names."""
    return {name for _, requirement in REQUIREMENTS for name in getattr(requirement, what)}


def test_it_has_the_shape_that_its_schema_describes() -> None:
    written = json.loads((schemas_dir() / "controls.json").read_text())
    jsonschema.Draft202012Validator(schema()).validate(written)


def test_the_frameworks_are_those_that_auditors_come_with() -> None:
    assert [one.name for one in frameworks()] == ["SOC 2", "HIPAA", "PCI DSS"]


@pytest.mark.parametrize(("_framework", "requirement"), REQUIREMENTS, ids=NAMES)
def test_a_requirement_names_what_is_there_and_says_where_it_ends(
    _framework: FrameworkSpec, requirement: RequirementSpec
) -> None:
    assert set(requirement.rules) <= set(telling())
    assert set(requirement.trails) <= scopes()
    assert requirement.sections
    assert set(requirement.sections) <= set(SECTIONS)
    assert len(requirement.note) > len(requirement.title) / 2


@pytest.mark.parametrize("framework", frameworks(), ids=lambda one: one.name)
def test_a_requirement_stands_once_in_its_framework(framework: FrameworkSpec) -> None:
    ids = [requirement.id for requirement in framework.requirements]
    assert len(set(ids)) == len(ids)


def test_every_scope_serves_something() -> None:
    assert named("trails") == scopes()


def test_every_shipped_rule_serves_something() -> None:
    assert named("rules") == set(telling())


def test_every_part_of_the_report_serves_something() -> None:
    assert named("sections") == set(SECTIONS)


def test_the_parts_of_the_report_are_those_that_it_has() -> None:
    pages = Path(__file__).parents[2] / "engine" / "fileaudit_engine" / "cli"
    text = "".join(path.read_text() for path in sorted(pages.glob("report_*.py")))
    assert all(f'"{name}"' in text for name in SECTIONS)
