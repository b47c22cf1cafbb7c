"""The warning that a rule takes the filter away: when, at what cost, and what to do."""

from collections.abc import Sequence

import pytest
from tests.unit.compiler.examples import ANY, path_test, text_test, user_rule

from fileaudit_engine.compiler import kernel
from fileaudit_engine.compiler.constraint import clauses
from fileaudit_engine.compiler.ir import AnyOf, Negation, Predicate, Searches, Test
from fileaudit_engine.compiler.lint import NO_WITNESS, full_stream
from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.diagnostics import Diagnostic, Severity
from fileaudit_engine.events.fields import BY_NAME, LogSource
from fileaudit_engine.rules.parser import parse_text


def finding(predicate: Predicate, logsource: LogSource = LogSource.FILE_ACCESS) -> Diagnostic | None:
    rule = user_rule(predicate, logsource=logsource)
    return full_stream(rule, clauses(rule.predicate))


def warned(predicate: Predicate, logsource: LogSource = LogSource.FILE_ACCESS) -> Diagnostic:
    found = finding(predicate, logsource)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "predicate",
    [
        path_test("/etc/shadow"),
        path_test("/etc/", ANY),
        path_test(ANY, ".pem"),
        path_test(ANY, "/.ssh/", ANY),
    ],
)
def test_a_rule_that_tests_the_path_is_silent(predicate: Predicate) -> None:
    assert finding(predicate) is None


def test_a_rule_that_can_never_be_true_costs_nothing() -> None:
    assert finding(AnyOf(operands=())) is None


def test_one_alternative_without_a_path_is_enough_for_a_warning() -> None:
    found = warned(AnyOf(operands=(path_test("/etc/", ANY), text_test("User", "root"))))
    assert (found.code, found.severity) == ("FA057", Severity.WARNING)
    assert str(found.location) == "rule.yml:1:1"


def test_the_cost_names_the_frequent_operations_that_are_no_longer_filtered() -> None:
    assert "every open, read and write on the host" in warned(text_test("Image", "/bin/sh")).message


def test_a_user_alone_is_said_to_be_all_that_narrows_a_rule() -> None:
    assert (
        "every open, read and write by the users that it names" in warned(text_test("User", "root")).message
    )


@pytest.mark.parametrize("test", [text_test("ProcessId", "7"), text_test("ProcessName", "vim")])
def test_a_rule_about_a_process_is_silent(test: Test) -> None:
    assert finding(test) is None


def test_only_operations_that_the_rule_asks_for_are_part_of_the_cost() -> None:
    found = warned(text_test("Operation", "open"))
    assert "every open on the host" in found.message


def test_rare_operations_cost_less_and_are_said_to() -> None:
    message = warned(text_test("Image", "/bin/sh"), LogSource.FILE_DELETE).message
    assert "every rmdir and unlink on the host reaches user space" in message
    assert "slows" not in message


@pytest.mark.parametrize(
    ("predicate", "reason"),
    [
        (path_test(ANY, "shadow", ANY), "whole directory names only"),
        (Negation(operand=path_test("/tmp/", ANY)), "what a path must not be"),
        (
            Test(field=BY_NAME["TargetFilename"], check=Searches(expression="x", flags="")),
            "regular expressions",
        ),
    ],
)
def test_the_remedy_says_why_the_path_that_is_there_does_not_help(predicate: Predicate, reason: str) -> None:
    assert reason in warned(predicate).help


def test_a_rule_without_any_path_is_told_what_to_add_and_nothing_else() -> None:
    assert warned(text_test("User", "root")).help.endswith("'/.ssh/'")


def test_the_compiler_reports_it_at_the_rules_place() -> None:
    text = (
        "title: Everything\nlogsource: {product: linux, category: file_access}\n"
        "detection:\n  selection: {User: root}\n  condition: selection\n"
    )
    (found,) = compile_rules(parse_text(text, "all.yml").rules).diagnostics
    assert (found.code, found.location.file, found.location.line) == ("FA057", "all.yml", 1)


def pack(*paths: Sequence[str]) -> list[Diagnostic]:
    """What the compiler says of rules that ask for these beginnings, each with an ending of its own.

    Two of them cannot be one clause, because an alternative asks for another access mode.
    """
    documents = (
        "title: Paths\nlogsource: {product: linux, category: file_access}\ndetection:\n"
        + "".join(
            f"  s{number}:\n    TargetFilename|startswith: {path}\n"
            f"    AccessMode: {('read', 'write', 'read_write')[number % 3]}\n"
            for number, path in enumerate(some)
        )
        + "  condition: 1 of s*\n"
        for some in paths
    )
    return list(compile_rules(parse_text("---\n".join(documents), "pack.yml").rules).diagnostics)


def test_a_pack_that_fits_the_kernel_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "MAX_CLAUSES", 4)
    monkeypatch.setattr(kernel, "MAX_KEYS", 4)
    assert pack(["/a/", "/b/"], ["/c/", "/d/"]) == []


def test_rules_that_get_fewer_clauses_than_they_ask_for_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "MAX_CLAUSES", 3)
    found = pack(["/a/", "/b/"], ["/c/"], ["/d/"])
    assert [(d.code, d.severity, d.location.line) for d in found] == [("FA058", Severity.WARNING, 1)]
    assert "more alternatives than the kernel has bits" in found[0].message
    assert "one rule of those that differ in their values only, or load fewer rules" in found[0].help


def test_rules_that_share_a_bit_are_told_with_what_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "MAX_CLAUSES", 2)
    found = pack(["/a/"], ["/b/"], ["/c/"])
    assert [(d.code, d.location.line) for d in found] == [("FA058", 9), ("FA058", 17)]
    assert {d.message.endswith("reach user space and are evaluated there") for d in found} == {True}


def test_a_rule_whose_paths_found_no_room_is_told_with_what_it_costs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernel, "MAX_KEYS", 3)
    text = (
        "title: Paths\nlogsource: {product: linux, category: file_access}\ndetection:\n"
        "  selection: {Operation: open, TargetFilename|startswith: [%s]}\n  condition: selection\n"
    )
    rules = parse_text(text % "/a/" + "---\n" + text % "/b/, /c/, /d/", "pack.yml").rules
    (found,) = compile_rules(rules).diagnostics
    assert (found.code, found.location.line) == ("FA058", 7)
    assert "more paths than a table of the kernel holds" in found.message
    assert "every open on the host reaches user space" in found.message
    assert "name the folders" in found.help


def test_a_rule_whose_callers_found_no_room_is_told_with_what_it_costs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernel, "MAX_CALLERS", 2)
    text = (
        "title: Users\nlogsource: {product: linux, category: file_delete}\ndetection:\n"
        "  selection: {User: [a, b, c], TargetFilename|startswith: /srv/}\n  condition: selection\n"
    )
    (found,) = compile_rules(parse_text(text, "users.yml").rules).diagnostics
    assert found.code == "FA058"
    assert "more users, processes or threads than the kernel tells apart" in found.message


def test_a_rule_without_a_path_is_told_that_too_whatever_room_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernel, "MAX_CLAUSES", 1)
    text = (
        "title: Everything\nlogsource: {product: linux, category: file_access}\n"
        "detection:\n  selection: {User: root}\n  condition: selection\n"
    )
    found = compile_rules(parse_text(f"{text}---\n{text}", "all.yml").rules).diagnostics
    assert [d.code for d in found] == ["FA057", "FA058"] * 2


def test_a_rule_that_no_text_narrows_down_is_told_what_it_costs() -> None:
    text = """
title: Root
logsource: {product: linux, category: file_access}
detection: {selection: {UserId: 0}, condition: selection}
"""
    (found,) = [d for d in compile_rules(parse_text(text).rules).diagnostics if d.code == NO_WITNESS]
    assert found.message == (
        "this rule requires no particular text: in a recording it is evaluated on every event of file_access"
    )


def test_a_rule_for_operations_that_its_log_source_lacks_is_told_that_it_never_matches() -> None:
    loaded = parse_text(
        "title: T\nlogsource: {product: linux, category: file_access}\n"
        "detection: {selection: {Operation: create, TargetFilename: /srv/x}, condition: selection}\n"
    )
    (found,) = compile_rules(loaded.rules).diagnostics
    assert found.code == "FA049"
    assert found.help == "file_access has open, read, write; 'service: fileaudit' has all operations"


def test_a_rule_that_may_match_is_not() -> None:
    loaded = parse_text(
        "title: T\nlogsource: {product: linux, service: fileaudit}\n"
        "detection: {selection: {Operation: create, TargetFilename: /srv/x}, condition: selection}\n"
    )
    assert compile_rules(loaded.rules).diagnostics == ()
