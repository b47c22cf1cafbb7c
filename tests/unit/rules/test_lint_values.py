"""Warnings about values that say nothing, or nothing that an event could fulfil."""

import pytest
from tests.unit.rules.examples import codes, marked, one, rule_text

from fileaudit_engine.diagnostics import Diagnostic, Severity
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import parse_text


def allowing(text: str, **placeholders: tuple[str, ...]) -> list[Diagnostic]:
    options = RuleOptions(allow_unknown_fields=True, placeholders=placeholders)
    loaded = parse_text(text, options=options)
    assert len(loaded.rules) == 1
    return list(loaded.diagnostics)


# --- paths -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("TargetFilename", "etc/*"),
        ("TargetFilename|startswith", "etc/"),
        ("TargetFilename|path", "etc/*"),
        ("file.path", "./x"),
        ("Image|cased", "usr/bin/x"),
    ],
)
def test_a_resolved_path_that_is_to_be_relative_is_doubtful(field: str, value: str) -> None:
    text = rule_text(f"{{{field}: '{value}'}}")
    found = one(text)
    assert (found.code, found.severity, marked(found, text)) == ("FA055", Severity.WARNING, f"'{value}'")
    assert found.help == "begin with '/', or with '*/' for any directory"


@pytest.mark.parametrize(
    "item",
    [
        "TargetFilename: '/etc/*'",
        "TargetFilename: '*/etc/x'",
        "TargetFilename: '?etc/x'",
        "TargetFilename: 'pipe:[4711]'",
        "TargetFilename: 'anon_inode:/x'",
        "TargetFilename|contains: etc/x",
        "TargetFilename|endswith: etc/x",
        "TargetFilename|re: etc/x",
        "TargetFilename|fieldref: Image",
        "AskedFilename: ../etc/x",
        "TargetFilename|exists: true",
        "CommandLine: etc/x",
    ],
)
def test_what_may_begin_so_is_not(item: str) -> None:
    assert codes(rule_text(f"{{{item}}}")) == []


# --- placeholders ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", ["admins", "'%admins'", "[alice, 'b%c']"])
def test_expand_without_a_placeholder_is_doubtful(values: str) -> None:
    text = rule_text(f"{{User|expand: {values}}}")
    found = one(text)
    assert (found.code, marked(found, text)) == ("FA038", "User|expand")
    assert found.message == "there is no placeholder to expand"


@pytest.mark.parametrize("values", ["'%a%'", "[bob, '%a%']", r"'100\%'"])
def test_expand_with_something_to_do_is_not(values: str) -> None:
    assert allowing(rule_text(f"{{User|expand: {values}}}"), a=("x",)) == []


# --- keywords, expressions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("detection", ["{'': foo}", "[{'': [foo, bar]}]"])
def test_an_empty_key_is_told_how_keywords_are_written(detection: str) -> None:
    text = rule_text(detection)
    found = one(text)
    assert (found.code, found.severity, marked(found, text)) == ("FA036", Severity.WARNING, "''")
    assert "'detection_name: text'" in found.help


@pytest.mark.parametrize("item", ["User|re: ''", "User|re|i: ''", "'|re': ''"])
def test_an_empty_expression_is_doubtful(item: str) -> None:
    text = rule_text(f"{{{item}}}")
    found = one(text)
    assert (found.code, found.severity) == ("FA035", Severity.WARNING)
    assert found.message == "the empty expression is found in every text"


# --- members that no event keeps ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["message", "event.type", "rule.name", "threat", "fileaudit.losses.open"])
def test_a_member_for_the_readers_of_documents_is_in_no_event(name: str) -> None:
    text = rule_text(f"{{{name}|contains: x}}")
    (found,) = allowing(text)
    assert (found.code, marked(found, text)) == ("FA046", f"{name}|contains")
    assert found.message == f"no event keeps '{name}', which documents have for their readers' sake"


def test_where_it_is_excluded_it_is_missed_too() -> None:
    assert [found.code for found in allowing(rule_text("{message: x}", "not selection"))] == ["FA046"]


@pytest.mark.parametrize("name", ["Zone", "messages", "file.name", "fileaudit.errno_name"])
def test_what_events_keep_or_what_is_computed_is_not(name: str) -> None:
    assert allowing(rule_text(f"{{{name}: x}}")) == []
