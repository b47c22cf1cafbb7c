"""What a shape takes is what the reader would have made of it: the law, line by line and field by field."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.events.examples import HOSTILE, LOSS, SHADOW, events

from fileaudit_engine.events.columns import field_column
from fileaudit_engine.events.document import document_of
from fileaudit_engine.events.fields import BY_NAME, EXTRA, FIELDS, WHOLE_EVENT, unlisted
from fileaudit_engine.events.jsonl import EventReader, line_of
from fileaudit_engine.events.model import FileEvent, Operation, PathState
from fileaudit_engine.events.outline import common
from fileaudit_engine.events.shape import Row, Shape, shape_of

REPEATABLE = settings(derandomize=True, database=None, deadline=None)
MOMENT = "2026-11-24T07:30:45.5Z"
OPEN = {"@timestamp": MOMENT, "Operation": "open"}
"""What every event needs, in flat names."""
READER = EventReader(file="x")


def line(document: object) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode() + b"\n"


def shape(*documents: object) -> Shape:
    """The shape that is learned from documents."""
    found = shape_of(common(map(line, documents)))
    assert found is not None
    return found


def has_shape(*documents: object) -> bool:
    return shape_of(common(map(line, documents))) is not None


def takes(found: Shape, document: object) -> bool:
    return found.rows([line(document)])[1] == []


def assert_lawful(found: Shape, lines: list[bytes]) -> list[Row]:
    """Rows and columns of the lines that the shape takes say what the reader says."""
    rows, refused = found.rows(lines, escaped=any(b"\\" in raw for raw in lines))
    assert [index for index, row in enumerate(rows) if row is None] == refused
    taken = [(row, READER.read(raw, 2)) for row, raw in zip(rows, lines, strict=True) if row is not None]
    for row, event in taken:
        assert found.complete(row) == event
    told = [event for _, event in taken if isinstance(event, FileEvent)]
    assert len(told) == len(taken)
    for field in (*FIELDS, EXTRA, WHOLE_EVENT, unlisted("Zone")):
        assert_column(found, field, [row for row, _ in taken], told)
    return [row for row, _ in taken]


def assert_column(found: Shape, field: Any, rows: list[Row], told: list[FileEvent]) -> None:
    values = field_column(found, field)(rows, True)
    expected = [field.get(event) for event in told]
    assert list(values or [None] * len(rows)) == expected, field.name
    assert list(map(type, values or ())) == [type(value) for value in expected if values], field.name


def dotted(document: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict) and prefix + key != "fileaudit.extra":
            flat |= dotted(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def sigma(document: dict[str, Any]) -> dict[str, Any]:
    """Under the names that rules use, where there are any."""
    return {
        BY_NAME[name].name if name in BY_NAME and name != "@timestamp" else name: value
        for name, value in dotted(document).items()
        if name in BY_NAME and not BY_NAME[name].computed
    }


SPELLINGS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "nested": lambda document: document,
    "dotted": dotted,
    "sigma": sigma,
}


# ------------------------------------------------------------------------------------------ the law


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(st.lists(events.map(lambda event: msgspec.structs.replace(event, extra=None)), min_size=1, max_size=6))
@settings(REPEATABLE, max_examples=40)
def test_documents_of_this_engine_are_read_by_a_shape_as_by_the_reader(
    spelling: str, some: list[FileEvent]
) -> None:
    documents = [json.loads(json.dumps(document_of(event))) for event in some]
    lines = [line(SPELLINGS[spelling](document)) for document in documents]
    found = shape_of(common(lines))
    if found is None:
        found = shape(SPELLINGS[spelling](documents[0]))
    assert_lawful(found, lines)


_words = st.sampled_from(
    (
        *("open", "read", "write", "exec", "lost", "success", "failure", "true", "EACCES", "deleted"),
        *("13", "0", "007", "-1", "0644", "4294967295", "4294967296", "18446744073709551615", "1" * 20),
        *("", " 7", "1_0", "٣", "/a\\xff", "/a\\x4", "a b", "\\", "ä", "\ufeff"),
        *(MOMENT, "2026-11-24T07:30:60Z", "2026-02-30T00:00:00Z", "1969-12-31T23:59:59Z"),
        *("2262-04-11T23:47:16.9Z", "2026-11-24t07:30:45z", "2026-11-24T07:30:45+24:00"),
        *(
            "2026-11-24T08:30:45+01:00",
            "2026-11-24T08:30:45.123456789-01:00",
            "2026-11-24T07:30:45.1234567891Z",
        ),
    )
)
"""Texts that some field takes, or nearly."""
_scalars = (
    _words
    | st.text(max_size=4)
    | st.none()
    | st.booleans()
    | st.integers(-2, 70)
    | st.sampled_from([2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**30])
    | st.sampled_from([0.0, -0.0, 7.0, 0.5, 1e300, 9007199254740993.0])
)
_values = _scalars | st.lists(_words | _scalars, max_size=3) | st.dictionaries(_words, _scalars, max_size=2)
_names = st.sampled_from(
    [name for name in BY_NAME if "." not in name]
    + ["ts_ns", "file.path", "event.action", "event.outcome", "message", "ecs", "rule", "fileaudit.rule"]
    + ["fileaudit.ancestors", "fileaudit.parent.pid", "fileaudit.parent.name", "Unknown", "related.user"]
    + ["fileaudit.extra", "_index", "file", "process", "file.name"]
)
_few_names = st.sampled_from(
    ["Image", "CommandLine", "Arguments", "ProcessId", "Errno", "Outcome", "PathState"]
)
_documents = st.dictionaries(_names | _few_names, _values, max_size=5).map(lambda some: {**OPEN, **some})


@given(st.lists(_documents, min_size=1, max_size=4), st.lists(_documents, min_size=1, max_size=4))
@settings(REPEATABLE, max_examples=400)
def test_a_shape_never_takes_what_the_reader_refuses_nor_reads_it_otherwise(
    seen: list[dict[str, Any]], met: list[dict[str, Any]]
) -> None:
    found = shape_of(common(map(line, seen)))
    if found is not None:
        assert_lawful(found, [*map(line, seen), *map(line, met)])


_members = st.sampled_from(
    ["Operation", "Image", "ProcessId", "Errno", "Outcome", "Arguments", "CommandLine"]
)


@given(_members, st.lists(_values, min_size=1, max_size=8), st.lists(_values, max_size=8))
@settings(REPEATABLE, max_examples=400)
def test_one_member_of_many_values_is_read_as_by_the_reader(
    name: str, seen: list[object], met: list[object]
) -> None:
    found = shape_of(common(line({**OPEN, name: value}) for value in seen))
    if found is not None:
        assert_lawful(found, [line({**OPEN, name: value}) for value in (*seen, *met)])


@given(st.lists(_words | st.datetimes().map(lambda when: when.isoformat() + "Z"), max_size=8))
@settings(REPEATABLE, max_examples=100)
def test_times_are_read_as_by_the_reader(moments: list[str]) -> None:
    lines = [line({**OPEN, "@timestamp": moment}) for moment in (MOMENT, *moments)]
    assert_lawful(shape(OPEN), lines)


@given(st.lists(st.sampled_from([None, "success", "failure"]), min_size=1, max_size=5), st.data())
@REPEATABLE
def test_an_outcome_agrees_with_its_error_number(outcomes: list[str | None], data: st.DataObject) -> None:
    errnos = data.draw(st.lists(st.sampled_from([None, 0, 13, "0", "EACCES"]), min_size=5, max_size=5))
    documents = [
        {**OPEN, "Outcome": outcome, "Errno": errno} for outcome, errno in zip(outcomes, errnos, strict=False)
    ]
    assert_lawful(shape({**OPEN, "Outcome": "failure", "Errno": 1}, *documents), list(map(line, documents)))


@given(
    st.lists(st.tuples(st.none() | _words, st.none() | st.lists(_words, max_size=3)), min_size=1, max_size=5)
)
@REPEATABLE
def test_a_command_line_agrees_with_its_arguments(pairs: list[tuple[str | None, list[str] | None]]) -> None:
    documents = [
        {**OPEN, "CommandLine": " ".join(args) if whole == "a b" and args else whole, "Arguments": args}
        for whole, args in pairs
    ]
    known = {**OPEN, "CommandLine": "a b", "Arguments": ["a", "b"]}
    assert_lawful(shape(known, *documents), [line(known), *map(line, documents)])


@given(st.lists(st.binary(max_size=60), max_size=4), st.integers(0, 200), st.binary(max_size=3))
@REPEATABLE
def test_broken_lines_are_left_to_the_reader(noise: list[bytes], at: int, put: bytes) -> None:
    good = line_of(SHADOW)
    lines = [good, *noise, good[:at] + put + good[at:], good[:at] + put + good[at + len(put) :], good[:at]]
    assert_lawful(shape(good), lines)


# ------------------------------------------------------------------------------------- what has a shape


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_this_engine_writes_has_a_shape(spelling: str) -> None:
    hostile = msgspec.structs.replace(SHADOW, path=HOSTILE, errno=13, path_state=PathState.DELETED)
    documents = [SPELLINGS[spelling](document_of(event)) for event in (SHADOW, hostile)]
    found = shape(*documents)
    assert all(takes(found, document) for document in documents)


def test_lines_may_lack_members_that_others_have() -> None:
    found = shape({**OPEN, "Image": "/a"}, {**OPEN, "User": "b"})
    assert takes(found, OPEN)
    assert takes(found, {**OPEN, "Image": "/a", "User": None})


@pytest.mark.parametrize(
    "document",
    [
        {**OPEN, "Image": "/a", "process.executable": "/a"},
        {**OPEN, "Mine": "a"},
        {**OPEN, "fileaudit.extra": {"a": 1}},
        {"_index": "i", "_source": OPEN},
        {"Operation": "open"},
        {"@timestamp": MOMENT},
        {**OPEN, "ProcessId": 1.0},
        b"[]",
        b"{",
        line_of(LOSS),
    ],
    ids=repr,
)
def test_what_depends_on_more_than_one_member_has_none(document: object) -> None:
    assert not has_shape(document)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"@timestamp": "%b", "Operation": "open"} {}\n',
        b'{"@timestamp": "%b", "Operation": "open"}{"@timestamp": "%b", "Operation": "open"}\n',
        b'{"@timestamp": "%b",\n',
        b'{"@timestamp": "%b", "Operation": "lost"}\n',
        b'{"@timestamp": "%b", "Operation": "open", "message": {"a": 1}}\n',
        b'{"@timestamp": "%b", "Operation": "open", "message": "\xff"}\n',
        b'\xef\xbb\xbf{"@timestamp": "%b", "Operation": "open"}\n',
        b"\n",
    ],
)
def test_a_line_that_is_no_single_document_of_the_shape_is_refused(raw: bytes) -> None:
    found = shape({**OPEN, "message": "a"})
    assert not takes(found, raw.replace(b"%b", MOMENT.encode()))


def test_a_refused_line_does_not_keep_the_others_back() -> None:
    lines = [line(OPEN), b"{\n", line({**OPEN, "Operation": "read"}), b"\n"]
    rows, refused = shape(OPEN).rows(lines)
    assert refused == [1, 3]
    assert [shape(OPEN).complete(row).operation for row in rows if row] == [Operation.OPEN, Operation.READ]


def test_the_last_of_two_members_of_a_name_counts() -> None:
    raw = b'{"@timestamp": "%b", "Operation": "open", "Image": "/a", "Image": "/b"}\n' % MOMENT.encode()
    assert_lawful(shape({**OPEN, "Image": "/a"}), [raw])


def test_many_different_seconds_and_forms_are_read_alike() -> None:
    moments = [f"2026-11-24T07:{m:02}:{s:02}{f}" for m in (0, 59) for s in (0, 59) for f in ("Z", ".1Z")]
    assert len(assert_lawful(shape(OPEN), [line({**OPEN, "@timestamp": moment}) for moment in moments])) == 8


def test_fields_that_no_document_of_a_shape_has_have_no_column() -> None:
    found = shape(OPEN)
    rows, _ = found.rows([line(OPEN)])
    assert field_column(found, BY_NAME["TargetFilename"])(rows, False) is None
    assert field_column(found, BY_NAME["a1"])(rows, False) is None
