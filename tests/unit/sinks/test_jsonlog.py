"""Records as lines of JSON."""

import io
import json

import msgspec
from tests.unit.events.examples import HOSTILE, SHADOW
from tests.unit.events.records import record

from fileaudit_engine.sinks.base import Delivered
from fileaudit_engine.sinks.jsonlog import JsonLines

HOSTILE_RECORD = record(msgspec.structs.replace(SHADOW, path=HOSTILE + "\N{GRINNING FACE}"))


def test_one_compact_document_a_line_and_nothing_else() -> None:
    stream = io.StringIO()
    assert JsonLines(stream).deliver([record(), HOSTILE_RECORD]) == [Delivered(), Delivered()]
    documents = (record().document, HOSTILE_RECORD.document)
    assert stream.getvalue() == "".join(
        json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n" for document in documents
    )


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
