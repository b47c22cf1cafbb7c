"""The warning that a rule takes the filter away: when, at what cost, and what to do."""

import pytest
from tests.unit.compiler.examples import ANY, path_test, text_test, user_rule

from fileaudit_engine.compiler.constraint import clauses
from fileaudit_engine.compiler.ir import AnyOf, Negation, Predicate, Searches, Test
from fileaudit_engine.compiler.lint import full_stream
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
    assert (found.code, found.severity) == ("FA050", Severity.WARNING)
    assert str(found.location) == "rule.yml:1:1"


def test_the_cost_names_the_frequent_operations_that_are_no_longer_filtered() -> None:
    assert "every open, read and write on the host" in warned(text_test("User", "root")).message


def test_only_operations_that_the_rule_asks_for_are_part_of_the_cost() -> None:
    found = warned(text_test("Operation", "open"))
    assert "every open on the host" in found.message


def test_rare_operations_cost_less_and_are_said_to() -> None:
    message = warned(text_test("User", "root"), LogSource.FILE_DELETE).message
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
    assert (found.code, found.location.file, found.location.line) == ("FA050", "all.yml", 1)
