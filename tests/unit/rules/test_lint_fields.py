"""Warnings about fields: that nothing of a log source has, and values that they never have."""

import pytest
from tests.unit.rules.examples import HEAD, codes, one, rule_text


def of(source: str) -> str:
    return HEAD.replace("{product: linux, category: file_access}", f"{{{source}}}")


ACCESS = of("product: linux, category: file_access")
START = of("product: linux, category: process_creation")
RENAME = of("product: linux, category: file_rename")
EVERY = of("service: fileaudit")


@pytest.mark.parametrize(
    ("head", "detection", "word"),
    [
        (ACCESS, "{SourceFilename|endswith: .key}", "only rename or link has it"),
        (ACCESS, "{fileaudit.source_path: /a}", "only rename or link has it"),
        (ACCESS, "[{User: root}, {NewOwner: root}]", "only chown has it"),
        (ACCESS, "{NewPermissions|startswith: '4'}", "only chmod has it"),
        (ACCESS, "{SourceFilename|exists: true}", "only rename or link has it"),
        (START, "{AccessMode: read}", "only open, create, read or write has it"),
        (RENAME, "{a0: mv}", "only exec has it"),
    ],
)
def test_a_field_that_no_event_of_the_log_source_has_is_doubtful(
    head: str, detection: str, word: str
) -> None:
    found = one(rule_text(detection, head=head))
    assert (found.code, found.help) == ("FA046", word)


@pytest.mark.parametrize(
    ("head", "detection", "condition"),
    [
        (RENAME, "{SourceFilename|endswith: .key}", "selection"),
        (EVERY, "{SourceFilename|endswith: .key}", "selection"),
        (of("product: linux, service: auditd"), "{a0: mv}", "selection"),
        (of("product: linux"), "{NewOwner: root}", "selection"),
        (ACCESS, "{SourceFilename: /x}", "not selection"),
        (ACCESS, "{SourceFilename: null}", "selection"),
        (ACCESS, "{SourceFilename|exists: false}", "selection"),
        (ACCESS, "{SourceFilename|neq: /x}", "selection"),
        (ACCESS, "{User: root}", "selection"),
    ],
)
def test_where_it_may_be_there_or_is_meant_to_be_absent_it_is_not(
    head: str, detection: str, condition: str
) -> None:
    assert codes(rule_text(detection, condition, head=head)) == []


def test_a_detection_that_is_only_excluded_may_name_any_field() -> None:
    text = f"{ACCESS}detection:\n  a: {{User: x}}\n  b: {{NewOwner: root}}\n  condition: a and not 1 of b*\n"
    assert codes(text) == []


def test_a_detection_that_is_wanted_in_one_condition_is_looked_at() -> None:
    assert codes(rule_text("{NewOwner: root}", "[not selection, selection]")) == ["FA046"]


@pytest.mark.parametrize(
    ("detection", "word"),
    [
        ("{SYSCALL: socket}", "Syscall is never 'socket'"),
        ("{type: SERVICE_STOP}", "type is never 'SERVICE_STOP'"),
        ("{nametype: PARENT}", "nametype is never 'PARENT'"),
        ("{success: true}", "success is never 'True'"),
    ],
)
def test_a_value_that_a_field_never_has_is_doubtful(detection: str, word: str) -> None:
    found = one(rule_text(detection, head=EVERY))
    assert (found.code, found.message) == ("FA055", word)


@pytest.mark.parametrize(
    "detection",
    ["{SYSCALL: execve}", "{type: execve}", "{type: [PATH, SYSCALL]}", "{Syscall|startswith: sock}"],
)
def test_a_value_that_it_can_have_is_not_in_any_spelling(detection: str) -> None:
    assert codes(rule_text(detection, head=EVERY)) == []
