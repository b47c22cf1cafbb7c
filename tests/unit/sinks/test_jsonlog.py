"""Records as lines of JSON."""

import io
import json

import msgspec
import pytest
from tests.unit.events.examples import HOSTILE, SHADOW
from tests.unit.events.records import record

from fileaudit_engine.sinks.base import Delivered
from fileaudit_engine.sinks.jsonlog import JsonLines

HOSTILE_RECORD = record(msgspec.structs.replace(SHADOW, path=HOSTILE + "\N{GRINNING FACE}"))


def test_one_compact_document_a_line_and_nothing_else() -> None:
    stream = io.StringIO()
    assert JsonLines(stream).deliver([record(), HOSTILE_RECORD]) == [Delivered(), Delivered()]
    lines = stream.getvalue().splitlines(keepends=True)
    assert [json.loads(line) for line in lines] == [record().document, HOSTILE_RECORD.document]
    assert lines[0] == json.dumps(record().document, separators=(",", ":")) + "\n"
    assert "\N{GRINNING FACE}" in lines[1]


@pytest.mark.parametrize("acting", ["\x9b31m", "\x7f", "\u202e", "\u2028", "\u200f", "\x85"])
def test_what_would_act_on_a_terminal_is_escaped_in_the_same_document(acting: str) -> None:
    stream = io.StringIO()
    hostile = record(msgspec.structs.replace(SHADOW, path=f"/tmp/a{acting}b"))
    JsonLines(stream).deliver([hostile])
    assert acting[0] not in stream.getvalue()
    assert json.loads(stream.getvalue()) == hostile.document


def test_audit_events_are_printed_only_where_asked_for() -> None:
    silent, telling = io.StringIO(), io.StringIO()
    audit = record(level="informational")
    assert JsonLines(silent).deliver([audit]) == [Delivered()]
    JsonLines(telling, show_audit=True).deliver([audit])
    assert silent.getvalue() == ""
    assert json.loads(telling.getvalue()) == audit.document


def test_a_stream_without_unicode_gets_the_same_document() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    JsonLines(stream).deliver([HOSTILE_RECORD])
    assert json.loads(raw.getvalue()) == HOSTILE_RECORD.document
