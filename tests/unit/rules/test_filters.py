"""One filter document: what it needs, and which way round its condition is meant."""

import pytest
from tests.unit.rules.examples import codes, marked

from fileaudit_engine.diagnostics import Diagnostic, Severity
from fileaudit_engine.rules.ast import Filter, Identifier
from fileaudit_engine.rules.condition import spelled_condition
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import parse_text

RULE = """\
title: Shadow was read
id: 929a690e-bef0-4204-a928-ef5e620d6fcc
name: shadow
description: Somebody read the shadow file
level: high
logsource: {product: linux, category: file_access}
detection:
  selection: {TargetFilename: /etc/shadow}
  condition: selection
---
"""
SELECTIONS = "  a: {User: root}\n  b: {Image: /usr/sbin/backupd}\n"


def filter_text(condition: str, detections: str = SELECTIONS, head: str = "") -> str:
    source = "" if "logsource" in head else "logsource: {product: linux}\n"
    return f"title: Backup\n{head}{source}filter:\n  rules: [shadow]\n{detections}  condition: {condition}\n"


def only_filter(text: str) -> Filter:
    loaded = parse_text(RULE + text)
    assert not [found for found in loaded.diagnostics if found.severity is Severity.ERROR]
    (one,) = loaded.filters
    return one


def found_in(text: str) -> list[Diagnostic]:
    return list(parse_text(RULE + text).diagnostics)


def suppressed(condition: str) -> str:
    (found,) = only_filter(filter_text(condition)).conditions
    return spelled_condition(found)


@pytest.mark.parametrize(
    ("condition", "drops"),
    [
        ("not a", "a"),
        ("not (a or b)", "a or b"),
        ("not 1 of them", "1 of them"),
        ("not a and not b", "not (not a and not b)"),
        ("not a or b", "not (not a or b)"),
    ],
)
def test_a_condition_that_holds_without_any_match_says_what_to_keep(condition: str, drops: str) -> None:
    assert suppressed(condition) == drops


@pytest.mark.parametrize("condition", ["a", "a or b", "a and not b", "all of them", "not not a"])
def test_a_condition_that_fails_without_any_match_says_what_to_drop(condition: str) -> None:
    assert suppressed(condition) == condition


def test_a_condition_that_says_what_to_drop_is_a_warning_with_the_spelling_that_all_read_alike() -> None:
    text = filter_text("a and not b")
    (found,) = [found for found in found_in(text) if found.code == "FA042"]
    assert (found.severity, marked(found, RULE + text)) == (Severity.WARNING, "a and not b")
    assert found.help == "write 'not (a and not b)', which is read alike everywhere"


def test_both_spellings_of_one_filter_suppress_the_same() -> None:
    assert suppressed("a") == suppressed("not a") == "a"


def test_what_a_filter_says_of_itself_is_kept() -> None:
    head = (
        "id: 929A690E-bef0-4204-a928-ef5e620d6fcd\ndescription: x\ndate: 2026-01-02\nmodified: 2026-01-03\n"
    )
    one = only_filter(filter_text("not a", head=head))
    assert (one.title, one.id, one.description) == ("Backup", "929a690e-bef0-4204-a928-ef5e620d6fcd", "x")
    assert (one.date, one.modified) == ("2026-01-02", "2026-01-03")
    assert [reference.name for reference in one.rules or ()] == ["shadow"]
    assert isinstance(one.conditions[0], Identifier)


@pytest.mark.parametrize("word", ["any", "all", "ANY", "'any'"])
def test_a_word_stands_for_every_rule(word: str) -> None:
    assert only_filter(filter_text("not a").replace("[shadow]", word)).rules is None


def test_a_single_rule_needs_no_list() -> None:
    one = only_filter(filter_text("not a").replace("[shadow]", "shadow"))
    assert [reference.name for reference in one.rules or ()] == ["shadow"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (filter_text("not a").replace("title: Backup\n", ""), "FA011"),
        (filter_text("not a").replace("logsource: {product: linux}\n", ""), "FA011"),
        (filter_text("not a").replace("  rules: [shadow]\n", ""), "FA011"),
        (filter_text("not a").replace("  condition: not a\n", ""), "FA011"),
        (filter_text("not a").replace("[shadow]", "[]"), "FA016"),
        (filter_text("not a").replace("[shadow]", "[shadow, shadow]"), "FA016"),
        (filter_text("not a").replace("[shadow]", "[5]"), "FA012"),
        (filter_text("not a").replace("[shadow]", "{a: b}"), "FA012"),
        (filter_text("[not a, not b]"), "FA012"),
        (filter_text("not a").replace("{product: linux}", "{}"), "FA041"),
        (filter_text("not a", head="id: x\n"), "FA015"),
        (filter_text("not a", head="date: yesterday\n"), "FA014"),
        (filter_text("not a", head="taxonomy: ecs\n"), "FA013"),
        (filter_text("not c"), "FA021"),
        (filter_text("not 1 of c_*"), "FA022"),
        (filter_text("not rules"), "FA021"),
        (filter_text("not a", "  a: {Usr: root}\n"), "FA040"),
        (filter_text("not a", "  a: {User|startwith: root}\n"), "FA030"),
        ("title: x\nlogsource: {product: linux}\nfilter: [a]\n", "FA012"),
        ("title: x\nlogsource: {product: linux}\nfilter: {rules: any, condition: not a}\n", "FA035"),
    ],
)
def test_what_a_filter_cannot_do_without_is_an_error_that_costs_no_rule(text: str, code: str) -> None:
    loaded = parse_text(RULE + text)
    assert code in {found.code for found in loaded.diagnostics if found.severity is Severity.ERROR}
    assert [rule.filters for rule in loaded.rules] == [()]


def test_an_id_that_a_rule_has_is_taken() -> None:
    text = filter_text("not a", head="id: 929A690E-bef0-4204-a928-ef5e620d6fcc\n")
    assert "FA017" in {found.code for found in found_in(text)}


def test_a_detection_that_the_filter_does_not_use_is_a_warning() -> None:
    text = filter_text("not a")
    (found,) = found_in(text)
    assert (found.code, found.severity, marked(found, RULE + text)) == ("FA050", Severity.WARNING, "b")


def test_a_filter_needs_no_id_level_or_description() -> None:
    assert codes(RULE + filter_text("not 1 of them")) == []


def test_placeholders_work_as_in_rules() -> None:
    text = filter_text("not a", "  a: {User|expand: '%backup%'}\n")
    assert {found.code for found in found_in(text)} == {"FA038"}
    options = RuleOptions(placeholders={"backup": ("veeam", "borg")})
    assert parse_text(RULE + text, options=options).diagnostics == ()
