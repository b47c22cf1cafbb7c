"""Documents and events are two spellings of one thing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.events.examples import BASH, CAT, EVERYTHING, HOSTILE, LOSS, SHADOW, events

from fileaudit_engine.diagnostics import Diagnostic
from fileaudit_engine.events.document import document_of
from fileaudit_engine.events.fields import FIELDS
from fileaudit_engine.events.jsonl import EventReader, line_of
from fileaudit_engine.events.model import AccessMode, FileEvent, Loss, Operation, PathState

GOLDEN = Path(__file__).parents[2] / "golden" / "documents"
REPEATABLE = settings(derandomize=True, database=None, deadline=None)
OPEN = {"@timestamp": "2026-11-24T07:30:45Z", "Operation": "open"}
"""What every event needs, in flat names."""


def read(document: object, **options: Any) -> FileEvent | Loss | tuple[Diagnostic, ...]:
    line = document if isinstance(document, bytes) else json.dumps(document).encode()
    return EventReader(file="x.ndjson", **options).read(line, 3)


def event(document: object, **options: Any) -> FileEvent:
    found = read(document, **options)
    assert isinstance(found, FileEvent), found
    return found


def problem(document: object, **options: Any) -> Diagnostic:
    """The only thing that is wrong with a document."""
    found = read(document, **options)
    assert isinstance(found, tuple)
    (diagnostic,) = found
    return diagnostic


# ------------------------------------------------------------------------------------------ round trips


@given(events)
@REPEATABLE
def test_an_event_survives_its_document(any_event: FileEvent) -> None:
    assert event(line_of(any_event)) == any_event


@given(events)
@REPEATABLE
def test_a_line_is_one_line_of_valid_unicode_whatever_names_hold(any_event: FileEvent) -> None:
    line = line_of(any_event)
    assert line.index(b"\n") == len(line) - 1
    line.decode("utf-8")


@given(st.binary(max_size=200))
@REPEATABLE
def test_no_line_of_bytes_makes_the_reader_raise(line: bytes) -> None:
    assert isinstance(read(line), tuple)


_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from([f.name for f in FIELDS] + [f.ecs for f in FIELDS]), _json_values, max_size=6
    )
)
@REPEATABLE
def test_no_value_in_any_field_makes_the_reader_raise_or_write_what_cannot_be_read(
    fields: dict[str, Any],
) -> None:
    found = read({**fields, **OPEN}, allow_unknown_fields=True)
    if isinstance(found, FileEvent):
        assert event(line_of(found)) == found


def test_a_loss_survives_its_document() -> None:
    assert read(line_of(LOSS)) == LOSS


def test_the_document_of_an_event_is_as_published() -> None:
    golden = json.loads((GOLDEN / "event.json").read_text())
    assert document_of(SHADOW) == golden


def test_the_document_of_a_hostile_name_is_as_published() -> None:
    hostile = msgspec.structs.replace(SHADOW, path=HOSTILE, errno=13, path_state=PathState.DELETED)
    golden = json.loads((GOLDEN / "hostile_event.json").read_text())
    assert document_of(hostile) == golden


# -------------------------------------------------------------------------------------------- spellings


def dotted(document: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict):
            flat |= dotted(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


@pytest.mark.parametrize(
    "spelling",
    [
        lambda document: document,
        dotted,
        lambda document: {"_index": "logs-fileaudit.event-default", "_id": "x", "_source": document},
        lambda document: {
            "_index": "i",
            "fields": {
                name: value if isinstance(value, list) else [value]
                for name, value in dotted(document).items()
                if name != "fileaudit.ancestors"
            }
            | {"fileaudit.ancestors.pid": [901]},
        },
    ],
    ids=["nested", "dotted", "search hit", "fields of a search hit"],
)
def test_a_document_reads_the_same_in_every_spelling(spelling: Callable[[Any], Any]) -> None:
    parent = msgspec.structs.replace(BASH, parent=None)
    orphan = msgspec.structs.replace(SHADOW, process=msgspec.structs.replace(SHADOW.process, parent=parent))
    assert event(spelling(document_of(orphan))) == orphan


def test_flat_sigma_names_make_an_event() -> None:
    found = event(
        {
            **OPEN,
            "AccessMode": "read_write",
            "TargetFilename": "/etc/shadow",
            "EUID": "0",
            "Image": "/bin/cat",
        }
    )
    assert (found.operation, found.access_mode, found.path) == (
        Operation.OPEN,
        AccessMode.READ_WRITE,
        "/etc/shadow",
    )
    assert (found.effective_user_id, found.process.executable) == (0, "/bin/cat")


COMPUTED = [field for field in FIELDS if field.computed]
STARTED = msgspec.structs.replace(CAT, args=tuple("abcdefgh"))


@pytest.mark.parametrize(
    "field", [field for field in FIELDS if not field.computed], ids=lambda field: str(field.name)
)
def test_every_field_of_the_table_is_read_by_each_of_its_names(field: Any) -> None:
    document = dotted(document_of(EVERYTHING))
    document["fileaudit.args_truncated"] = True
    for name in (field.name, field.ecs, *field.aliases):
        found = event(
            {
                "@timestamp": document["@timestamp"],
                "Operation": "chown",
                "Errno": 13,
                name: document[field.ecs],
            }
        )
        assert field.get(found) not in {None, ()}


@pytest.mark.parametrize("field", COMPUTED, ids=lambda field: str(field.name))
def test_every_computed_field_may_be_said_by_each_of_its_names_if_it_is_true(field: Any) -> None:
    started = msgspec.structs.replace(EVERYTHING, operation=Operation.EXEC, process=STARTED)
    opened = msgspec.structs.replace(started, operation=Operation.OPEN)
    changed = msgspec.structs.replace(started, operation=Operation.CHMOD)
    of_any = next(e for e in (started, opened, changed) if field.get(e) not in {None, ()})
    for name in (field.name, field.ecs, *field.aliases):
        assert event({**document_of(of_any), name: field.get(of_any)}) == of_any


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("type", "SERVICE_STOP", "'type' is 'SERVICE_STOP', but what the others come to is 'SYSCALL'"),
        ("type", ["PATH", "EXECVE"], "'type' is a list"),
        ("nametype", "DELETE", "come to is 'NORMAL'"),
        ("FileExtension", "txt", "nothing else in the event says so"),
        ("AncestorImages", ["/bin/init"], "nothing else in the event says so"),
        ("argc", 7, "nothing else in the event says so"),
    ],
)
def test_what_is_said_of_a_computed_field_has_to_be_true(name: str, value: object, word: str) -> None:
    found = problem({**OPEN, name: value})
    assert found.code == "FA074"
    assert word in found.message


def test_what_is_said_of_a_computed_field_may_be_a_part_of_it_in_any_case() -> None:
    said = {**OPEN, "type": "path", "nametype": "normal", "success": "YES", "mode": None}
    assert event(said) == event(OPEN)


def test_what_is_no_value_of_a_computed_field_is_refused() -> None:
    assert problem({**OPEN, "argc": "many"}).code == "FA073"


def test_a_command_line_gives_the_arguments() -> None:
    assert event({**OPEN, "CommandLine": "cat  /etc/shadow"}).process.args == ("cat", "", "/etc/shadow")


def test_arguments_with_spaces_agree_with_their_command_line() -> None:
    found = event({**OPEN, "CommandLine": "cat a b", "Arguments": ["cat", "a b"]})
    assert found.process.args == ("cat", "a b")


def test_modes_are_octal_digits() -> None:
    assert event({**OPEN, "FileMode": "0640"}).mode == 0o640


def test_error_numbers_may_be_given_by_name() -> None:
    assert event({**OPEN, "Errno": "EACCES", "Outcome": "failure"}).errno == 13


def test_times_keep_their_nanoseconds() -> None:
    assert (
        event({"Operation": "open", "@timestamp": "2026-11-24T08:30:45.123456789+01:00"}).ts_ns
        == SHADOW.ts_ns
    )


def test_a_byte_order_mark_is_passed_over() -> None:
    line = b"\xef\xbb\xbf" + json.dumps(OPEN).encode()
    assert isinstance(EventReader(file="x").read(line, 1), FileEvent)


def test_an_escaped_byte_of_a_name_is_that_byte() -> None:
    assert event({**OPEN, "TargetFilename": "/a\\xff"}).path == "/a\udcff"


# -------------------------------------------------------------------------------------------- mistakes


def test_an_unknown_field_is_an_error_with_the_nearest_name_and_its_place() -> None:
    found = problem({**OPEN, "TargetFilenam": "/x"})
    assert (found.code, str(found.location)) == ("FA072", "x.ndjson:3:61")
    assert found.help == "did you mean 'TargetFilename'?"


def test_an_unknown_field_is_kept_where_it_is_allowed() -> None:
    found = event({**OPEN, "my": {"tag": ["a"]}}, allow_unknown_fields=True)
    assert found.extra == {"my.tag": ["a"]}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Operation": "opened"}, "'Operation': 'opened' is not known; did you mean 'open'?"),
        ({"ProcessId": "x"}, "'ProcessId': expected a whole number, found 'x'"),
        ({"ProcessId": -1}, "'ProcessId': expected a number from 0 to 4294967295, found -1"),
        ({"ProcessId": True}, "'ProcessId': expected a whole number, found true"),
        ({"Inode": 2**64}, f"'Inode': expected a number from {-(2**63)} to {2**64 - 1}, found {2**64}"),
        ({"TargetFilename": {"a": 1}}, "unknown field 'TargetFilename.a'"),
        ({"TargetFilename": ["a", "b"]}, "'TargetFilename': expected text, found a list"),
        ({"FileMode": "9"}, "'FileMode': expected octal digits such as 0644, found '9'"),
        ({"PathState": ["gone"]}, "'PathState': 'gone' is not known; expected one of resolved"),
        ({"ArgumentsTruncated": "yes"}, "'ArgumentsTruncated': expected true or false, found 'yes'"),
        ({"@timestamp": "yesterday"}, "'@timestamp': 'yesterday' is not an RFC 3339 time"),
        ({"@timestamp": "2026-02-30T00:00:00Z"}, "'@timestamp': '2026-02-30T00:00:00Z' is no such time"),
        ({"@timestamp": "2300-01-01T00:00:00Z"}, "'@timestamp': '2300-01-01T00:00:00Z' is outside the years"),
        (
            {"fileaudit.ancestors": [{"name": "x"}]},
            "'fileaudit.ancestors': expected a process with its 'pid'",
        ),
        ({"fileaudit.ancestors": [{"pid": 1}] * 65}, "'fileaudit.ancestors': expected a list of at most 64"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(fields: dict[str, Any], message: str) -> None:
    assert problem({**OPEN, **fields}).message.startswith(message)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"Image": "/a", "process.executable": "/b"},
            "'process.executable' is '/b', but 'Image' says otherwise",
        ),
        ({"file": {"path": "/a"}, "file.path": "/b"}, "'file.path' is given twice, and not alike"),
        ({"Outcome": "success", "Errno": 2}, "'Outcome' is 'success', but 'Errno' says otherwise"),
        ({"Outcome": "failure", "Errno": 0}, "'Outcome' is 'failure', but 'Errno' says otherwise"),
        (
            {"CommandLine": "a b", "Arguments": ["a", "c"]},
            "'CommandLine' is 'a b', but 'Arguments' says otherwise",
        ),
    ],
)
def test_a_contradiction_is_an_error(fields: dict[str, Any], message: str) -> None:
    found = problem({**OPEN, **fields})
    assert (found.code, found.message) == ("FA074", message)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"Operation": "open"}, "the event has no time"),
        ({"@timestamp": "2026-11-24T07:30:45Z"}, "the event has no operation"),
        ({**OPEN, "Outcome": "failure"}, "the event failed, but has no error number"),
    ],
)
def test_what_is_missing_is_named(document: dict[str, Any], message: str) -> None:
    assert (problem(document).code, problem(document).message) == ("FA075", message)


def test_everything_wrong_with_a_line_is_told_at_once() -> None:
    found = read({"Operation": 1, "@timestamp": 2, "Foo": 3})
    assert isinstance(found, tuple)
    assert [d.code for d in found] == ["FA073", "FA073", "FA072"]


@pytest.mark.parametrize(
    ("line", "place", "message"),
    [
        (b'{"a" 1}', "x.ndjson:3:6", "expected ':'"),
        (b'{"\xc3\xa4": "\xff"}', "x.ndjson:3:8", "byte 0xff is not UTF-8"),
        (b"[" * 100_000, "x.ndjson:3:1", "objects inside objects, too deep"),
        (b"", "x.ndjson:3:1", "Input data was truncated"),
    ],
    ids=["no colon", "no UTF-8", "too deep", "empty"],
)
def test_broken_json_is_told_with_its_place(line: bytes, place: str, message: str) -> None:
    found = problem(line)
    assert (found.code, str(found.location)) == ("FA071", place)
    assert found.message == f"the line is not valid JSON: {message}"


@pytest.mark.parametrize("number", [b"1e99999", b"-1e400", b"1" + b"0" * 5_000, b'{"b": [0, 1e400]}'])
def test_a_number_that_nobody_can_hold_is_json_all_the_same(number: bytes) -> None:
    found = problem(b'{"a": ' + number + b"}")
    assert (found.code, found.message) == ("FA071", "the line has a number that is too large to be read")
    assert found.help == "put it in quotes, or leave it out"


def test_json_that_is_no_object_is_an_error() -> None:
    assert problem(b"[1]").message == "the line is JSON, but not an object"


def test_a_broken_loss_is_an_error() -> None:
    assert problem({"event.action": "lost", "fileaudit.lost.first_ns": 1}).code == "FA073"
