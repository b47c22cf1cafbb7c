"""The field table, and the fields that follow from others."""

from typing import Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace
from tests.unit.events.examples import BASH, CAT, EVERYTHING, SHADOW, SSHD, events

from fileaudit_engine.events.fields import BY_NAME, FIELDS, WHOLE_EVENT, Field, FieldType, Provider
from fileaudit_engine.events.log_source import EVERY_OPERATION, LogSource
from fileaudit_engine.events.model import FileEvent, Operation, Process

O = Operation  # noqa: E741 - the table below is easier to read
BARE = FileEvent(ts_ns=0, operation=Operation.OPEN, process=Process(pid=1))


def seen(name: str, event: FileEvent) -> object:
    return BY_NAME[name].get(event)


@given(events)
@settings(derandomize=True, database=None, deadline=None)
def test_a_rule_sees_of_any_event_what_the_type_says(event: FileEvent) -> None:
    kinds: dict[FieldType, Any] = {FieldType.INTEGER: int, FieldType.BOOLEAN: bool, FieldType.PATHS: tuple}
    for field in FIELDS:
        value = field.get(event)
        allowed = kinds.get(field.type, (str, tuple) if field.name == "AccessMode" else str)
        assert value is None or isinstance(value, allowed), field.name


@given(events)
@settings(derandomize=True, database=None, deadline=None)
def test_a_computed_field_has_only_values_that_its_row_lists(event: FileEvent) -> None:
    for field in FIELDS:
        value = field.get(event)
        values = value if isinstance(value, tuple) else (value,)
        assert value is None or not field.values or set(values) <= set(field.values), field.name


def test_of_an_event_of_which_little_is_known_little_is_seen() -> None:
    always = {"Operation", "Outcome", "UtcTime", "Errno", "PathState", "ProcessId", "ArgumentsTruncated"}
    assert {f.name for f in FIELDS if f.get(BARE) is not None} == always | {"type", "nametype", "success"}


def test_every_attribute_of_an_event_can_be_named() -> None:
    named = {field.attribute.partition(".")[0] for field in FIELDS}
    assert set(FileEvent.__struct_fields__) - named == {"extra"}


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: str(field.name))
def test_every_row_says_what_it_means_in_a_sentence(field: Any) -> None:
    assert field.meaning.endswith(".")


def test_operations_of_a_field_are_some_and_not_all() -> None:
    restricted = [field.operations for field in FIELDS if field.operations is not None]
    assert all(frozenset() < operations < EVERY_OPERATION for operations in restricted)


RESTRICTED = [field for field in FIELDS if field.computed and field.operations is not None]


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("field", RESTRICTED, ids=lambda field: str(field.name))
def test_a_computed_field_of_some_operations_is_seen_of_those_and_of_no_other(
    field: Field, operation: Operation
) -> None:
    arguments = tuple("abcdefghi")
    event = replace(EVERYTHING, operation=operation, process=replace(CAT, args=arguments))
    assert (field.get(event) is not None) is (operation in (field.operations or EVERY_OPERATION))


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("name", "TargetFilename"),
        ("exe", "Image"),
        ("comm", "ProcessName"),
        ("proctitle", "CommandLine"),
        ("SYSCALL", "Syscall"),
        ("exit", "Result"),
        ("auid", "LoginUserId"),
        ("ses", "SessionId"),
        ("ouid", "FileOwnerId"),
        ("cwd", "CurrentDirectory"),
        ("ppid", "ParentProcessId"),
        ("LogonId", "LoginUserId"),
        ("TerminalSessionId", "SessionId"),
        ("@timestamp", "UtcTime"),
        ("orchestrator.resource.name", "PodName"),
        ("file.target_path", "LinkTarget"),
    ],
)
def test_names_of_auditd_sysmon_and_ecs_mean_the_same(alias: str, name: str) -> None:
    assert BY_NAME[alias] is BY_NAME[name]


def test_a_time_is_seen_as_documents_write_it() -> None:
    assert seen("UtcTime", SHADOW) == "2026-11-24T07:30:45.123456789Z"
    assert seen("NewModificationTime", replace(BARE, new_modified_ns=1_000_000_000)) == (
        "1970-01-01T00:00:01.000000000Z"
    )


@pytest.mark.parametrize(
    ("path", "folder", "name", "extension"),
    [
        ("/etc/shadow", "/etc", "shadow", None),
        ("/srv/a.tar.gz", "/srv", "a.tar.gz", "gz"),
        ("/root/.bashrc", "/root", ".bashrc", None),
        ("/root/.a.b", "/root", ".a.b", "b"),
        ("/x.", "/", "x.", None),
        ("/", "/", "", None),
        ("/a\n/b\n.c", "/a\n", "b\n.c", "c"),
        (None, None, None, None),
        ("", None, None, None),
    ],
)
def test_the_parts_of_a_path(path: str | None, folder: str, name: str, extension: str) -> None:
    event = replace(BARE, path=path)
    found = tuple(seen(field, event) for field in ("FileDirectory", "FileBaseName", "FileExtension"))
    assert found == (folder, name, extension)


@pytest.mark.parametrize(
    ("mode", "kind", "permissions", "auditd"),
    [
        (0o100644, "file", "0644", "0100644"),
        (0o104755, "file", "4755", "0104755"),
        (0o041777, "dir", "1777", "041777"),
        (0o120777, "symlink", "0777", "0120777"),
        (0o140755, "socket", "0755", "0140755"),
        (0o600, None, "0600", "0600"),
    ],
)
def test_a_mode_in_words(mode: int, kind: str | None, permissions: str, auditd: str) -> None:
    event = replace(BARE, mode=mode)
    assert (seen("FileType", event), seen("Permissions", event), seen("mode", event)) == (
        kind,
        permissions,
        auditd,
    )


def test_new_permissions_are_those_that_a_chmod_asks_for() -> None:
    assert seen("NewPermissions", replace(BARE, operation=O.CHMOD, new_mode=0o4755, mode=0o100644)) == "4755"


def test_a_device_is_seen_as_auditd_writes_it() -> None:
    assert seen("dev", replace(BARE, device=(0xFD << 20) | 0x1)) == "fd:01"


def test_the_ancestors_are_seen_the_parent_first() -> None:
    event = replace(BARE, process=CAT)
    assert seen("AncestorImages", event) == (BASH.executable, SSHD.executable)
    assert seen("AncestorProcessNames", event) == ("bash", "sshd")
    assert seen("GrandParentImage", event) == SSHD.executable


def test_an_ancestor_without_a_name_is_passed_over() -> None:
    nameless = Process(
        pid=2, parent=replace(SSHD, executable=None, parent=Process(pid=3, executable="/init"))
    )
    event = replace(BARE, process=replace(CAT, parent=nameless))
    assert seen("AncestorImages", event) == ("/init",)


def test_who_has_no_known_parent_has_no_ancestors() -> None:
    assert (seen("AncestorImages", BARE), seen("GrandParentImage", BARE)) == (None, None)


def test_arguments_are_seen_one_by_one_when_a_program_starts() -> None:
    started = replace(BARE, operation=O.EXEC, process=replace(CAT, args=("cp", "", "b")))
    assert [seen(f"a{index}", started) for index in range(4)] == ["cp", "", "b", None]
    assert seen("argc", started) == 3


def test_arguments_of_a_program_that_runs_already_are_no_record_of_a_start() -> None:
    assert seen("a0", replace(BARE, process=CAT)) is None


def test_how_many_arguments_there_are_is_unknown_where_some_were_cut_off() -> None:
    assert seen("ArgumentCount", replace(BARE, process=replace(CAT, args_truncated=True))) is None


@pytest.mark.parametrize(
    ("operation", "name_type"),
    [
        (O.OPEN, "NORMAL"),
        (O.CREATE, "CREATE"),
        (O.MKDIR, "CREATE"),
        (O.UNLINK, "DELETE"),
        (O.RENAME, "CREATE"),
    ],
)
def test_what_becomes_of_the_name_in_auditds_words(operation: Operation, name_type: str) -> None:
    assert seen("nametype", replace(BARE, operation=operation)) == name_type


def test_the_records_that_auditd_would_write() -> None:
    assert seen("type", BARE) == ("SYSCALL", "CWD", "PATH", "PROCTITLE")
    assert seen("type", replace(BARE, operation=O.EXEC)) == ("SYSCALL", "CWD", "PATH", "PROCTITLE", "EXECVE")


def test_success_in_auditds_words() -> None:
    assert (seen("success", BARE), seen("success", replace(BARE, errno=13))) == ("yes", "no")
    assert (seen("ErrorName", BARE), seen("ErrorName", replace(BARE, errno=13))) == (None, "EACCES")


def test_flags_by_name_are_those_of_an_open() -> None:
    flags = replace(BARE, flags=0o101)
    assert seen("OpenFlagNames", flags) == ("O_WRONLY", "O_CREAT")
    assert seen("OpenFlagNames", replace(flags, operation=O.UNLINK)) is None


def test_a_keyword_search_looks_at_no_computed_field() -> None:
    texts = WHOLE_EVENT.get(replace(EVERYTHING, mode=0o100644))
    assert isinstance(texts, tuple)
    assert "PROCTITLE" not in texts
    assert {"/srv/data/report.tar.gz", "alice", "containerd", "/srv/data/old"} <= set(texts)


def test_what_follows_from_other_fields_is_known_as_such() -> None:
    assert {f.name for f in FIELDS if f.provider is Provider.OTHER_FIELDS} == {
        *("FileBaseName", "FileDirectory", "FileExtension", "FileType", "Permissions", "NewPermissions"),
        *("ErrorName", "OpenFlagNames", "GrandParentImage", "AncestorImages", "AncestorProcessNames"),
        *("ArgumentCount", "type", "nametype", "success", "dev", "mode", *(f"a{n}" for n in range(8))),
    }


@pytest.mark.parametrize("source", [s for s in LogSource if not s.is_category])
def test_a_log_that_is_no_category_has_every_operation(source: LogSource) -> None:
    assert source.operations == EVERY_OPERATION
