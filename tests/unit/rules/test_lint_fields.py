"""Warnings about fields: that nothing of a log source has, and values that they never have."""

import pytest
from tests.unit.rules.examples import HEAD, codes, one, rule_text

from fileaudit_engine.events.fields import BY_NAME, FieldType
from fileaudit_engine.rules.lint import possible_values


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


@pytest.mark.parametrize(
    ("detection", "word", "remedy"),
    [
        ("{Errno: EACCES}", "Errno is never 'EACCES'", "write 13, or 'ErrorName: EACCES'"),
        ("{Errno: '013'}", "Errno is never '013'", "write 13"),
        ("{FileMode: '0644'}", "FileMode is never '0644'", "write 'Permissions: \"0644\"'"),
        ("{FileMode: rw}", "FileMode is never 'rw'", "compare Permissions, which has four octal digits"),
        ("{NewMode: '4755'}", "NewMode is never '4755'", "write 'NewPermissions: \"4755\"'"),
        ("{NewMode: 4755}", "NewMode is never '4755'", "write 'NewPermissions: \"4755\"'"),
        (
            "{NewMode: '755'}",
            "NewMode is a number: '755' is not read as octal digits",
            "write 'NewPermissions: \"0755\"'",
        ),
        ("{PathState: unresolved}", "PathState is never 'unresolved'", "write the number of the bit: 2"),
        (
            "{OpenFlags: O_CREAT}",
            "OpenFlags is never 'O_CREAT'",
            "write a number, or compare OpenFlagNames, which has the words",
        ),
        ("{UserId: root}", "UserId is never 'root'", "write a number, or compare User, which has the words"),
        (
            "{auid: a}",
            "LoginUserId is never 'a'",
            "write a number, or compare LoginUser, which has the words",
        ),
        ("{FileSize: ''}", "FileSize is never ''", "write null if it is to be absent"),
        ("{Inode: '0x1f'}", "Inode is never '0x1f'", "write 31"),
        ("{Bytes: many}", "Bytes is never 'many'", "write a number"),
    ],
)
def test_a_text_that_no_number_is_spelled_like_is_doubtful(detection: str, word: str, remedy: str) -> None:
    text = f"{EVERY}detection:\n  b: {detection}\n  a: {{User: x}}\n  condition: a and not b\n"
    found = one(text)
    assert (found.code, found.message, found.help) == ("FA055", word, remedy)


@pytest.mark.parametrize(
    "detection",
    [
        "{UserId: [0, '0', '1*', 0x1f]}",
        "{Errno: null}",
        "{FileMode: 33188}",
        "{Result: '-13'}",
        "{NewMode: 420}",
        "{Errno|contains: E}",
        "{Errno|re: x}",
        "{NewMode: [493, '0*']}",
        "{Errno|lt: 5}",
    ],
)
def test_a_number_is_not_however_it_is_compared(detection: str) -> None:
    text = f"{EVERY}detection:\n  b: {detection}\n  a: {{User: x}}\n  condition: a and not b\n"
    assert codes(text) == []


def test_every_field_that_is_said_to_have_the_words_is_one() -> None:
    named = {**possible_values._NAMED, **possible_values._PERMISSIONS}
    assert {"UserId": "User", "NewOwnerId": "NewOwner"}.items() <= named.items()
    assert all(BY_NAME[name].type is FieldType.INTEGER for name in named)
    assert all(BY_NAME[words].type is not FieldType.INTEGER for words in named.values())
