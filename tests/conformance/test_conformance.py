"""Every case of the suite, and that the suite is what it says it is."""

import json
import re
from collections import Counter
from typing import Any

import jsonschema
import pytest
from tests.conformance import suite
from tests.conformance.suite import FOLDER, Case

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.runnable import runnable
from fileaudit_engine.diagnostics import Severity, has_errors

CASES = suite.all_cases()
ERRORS = [case for case in CASES if case.error]
WARNINGS = [case for case in CASES if case.warning]
MATCHES = [case for case in CASES if case.events]

TOPICS = frozenset(
    {
        *("escapes", "wildcards inside contains", "newline under wildcard", "null and empty"),
        *("not over an absent field", "neq lists", "windash with all", "wide and base64offset"),
        *("byte order mark", "cidr host bits", "non-canonical IPv6", "keyword lists", "all keywords"),
        *("underscore names", "identifiers like operators", "condition lists", "globs that match nothing"),
        *(
            "unresolved expand",
            "duplicate keys",
            "exponential wildcards",
            "regular expressions compiled once",
        ),
    }
)
"""Where engines are known to go wrong; each of these was seen in at least one that is widely used."""


def named(case: Case) -> str:
    """What pytest calls a case."""
    return f"{case.file.removesuffix('.yml')}: {case.name}"


@pytest.mark.parametrize("case", MATCHES, ids=named)
def test_events_match_as_the_case_says(case: Case) -> None:
    loaded = case.load()
    assert not has_errors(loaded.diagnostics), suite.shown(case, loaded.diagnostics)
    for way, found in suite.verdicts(case):
        for expected, titles in zip(case.events, found, strict=True):
            assert expected.fits(titles), (
                f"{way}: {dict(expected.fields)} is matched by {set(titles) or 'none'}"
            )


@pytest.mark.parametrize("case", ERRORS, ids=named)
def test_a_rule_that_is_no_rule_is_refused(case: Case) -> None:
    loaded = case.load()
    errors = [found for found in loaded.diagnostics if found.severity is Severity.ERROR]
    assert {error.code for error in errors} == {case.error}, suite.shown(case, errors)
    assert all(error.help for error in errors), suite.shown(case, errors)
    places = [f"{error.location.line}:{error.location.column}" for error in errors]
    assert case.at in {"", *places}


@pytest.mark.parametrize("case", WARNINGS, ids=named)
def test_a_doubtful_rule_is_taken_with_a_warning(case: Case) -> None:
    found = suite.findings(case)
    assert not has_errors(found), suite.shown(case, found)
    warned = [finding for finding in found if finding.code == case.warning]
    assert warned, suite.shown(case, found)
    places = [f"{warning.location.line}:{warning.location.column}" for warning in warned]
    assert case.at in {"", *places}


def test_there_are_at_least_two_hundred_cases() -> None:
    assert len(CASES) >= 200


def test_every_case_expects_something() -> None:
    assert not [case.name for case in CASES if not (case.error or case.warning or case.events)]


def test_no_two_cases_have_one_name() -> None:
    twice = [name for name, count in Counter(case.name for case in CASES).items() if count > 1]
    assert not twice


def test_cases_of_events_that_match_also_show_what_does_not() -> None:
    """A rule that is true of everything, or of nothing, would pass a case that has one side only."""
    some = [any(e.titles is None or e.titles for e in case.events) for case in MATCHES]
    none = [any(e.titles is not None and not e.titles for e in case.events) for case in MATCHES]
    both = sum(a and b for a, b in zip(some, none, strict=True))
    assert both >= 0.85 * len(MATCHES)


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_where_engines_go_wrong_the_suite_looks_twice(topic: str) -> None:
    assert sum(topic in case.covers for case in CASES) >= 2


def test_no_case_claims_a_topic_that_nobody_knows() -> None:
    assert {topic for case in CASES for topic in case.covers} <= TOPICS


def test_every_decision_of_ours_has_its_reason() -> None:
    decisions = [case for case in CASES if case.section == "decision"]
    assert decisions
    assert not [case.name for case in decisions if not case.reason]


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.yml")), ids=lambda path: path.stem)
def test_the_files_are_what_their_schema_says(path: Any) -> None:
    schema = json.loads((FOLDER / "case.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(suite.document(path))


def test_the_readme_says_how_many_decisions_there_are_in_each_file() -> None:
    """The table in README.md is what another engine's authors look at first."""
    readme = (FOLDER / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w/.]+)` \| (\d+) \| (\d+) \|", readme, re.MULTILINE)
    counted = Counter(case.file for case in CASES)
    decided = Counter(case.file for case in CASES if case.section == "decision")
    assert rows == [(file, str(counted[file]), str(decided[file])) for file in sorted(counted)]


def test_regular_expressions_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import re2

    cases = [case for case in MATCHES if "regular expressions compiled once" in case.covers]
    ready = [
        (case, [runnable(rule) for rule in compile_rules(case.load().rules).user.rules]) for case in cases
    ]
    monkeypatch.setattr(re2, "compile", lambda *_: pytest.fail("compiled while events are matched"))
    for case, rules in ready:
        unknown = case.options.allow_unknown_fields
        events = [suite.event(e.fields, allow_unknown_fields=unknown) for e in case.events]
        assert [any(rule.matches(each) for rule in rules) for each in events] == [
            e.titles is None or bool(e.titles) for e in case.events
        ]
