"""Reading many lines at once says what reading them one by one says."""

import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.events.examples import HOSTILE, LOSS, SHADOW

from fileaudit_engine.diagnostics import Diagnostic, UnusableInput
from fileaudit_engine.events.batch import BATCH_EVENTS, Batch, Columns, EventBatch
from fileaudit_engine.events.fields import BY_NAME, EXTRA, FIELDS, WHOLE_EVENT, unlisted
from fileaudit_engine.events.jsonl import EventReader, line_of
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.sources import decode, gathering, unpack
from fileaudit_engine.sources.column_batch import ColumnBatch
from fileaudit_engine.sources.replay import ReplaySource
from fileaudit_engine.sources.unpack import Block, Overlong, blocks

REPEATABLE = settings(derandomize=True, database=None, deadline=None)
OPEN = {"@timestamp": "2026-11-24T07:30:45Z", "Operation": "open"}


def line(**members: object) -> bytes:
    return json.dumps({**OPEN, **members}).encode() + b"\n"


LINES = (
    line(TargetFilename="/etc/shadow", ProcessId=7),
    line(TargetFilename="/a\\xff", Image="/bin/cat"),
    line(CommandLine="cat a", User="alice"),
    line(ProcessId="7"),
    line(Errno=13, Outcome="failure"),
    line(Errno="EACCES", Outcome="success"),
    line(Image="/a", **{"process.executable": "/a"}),
    line(Image="/a", **{"process.executable": "/b"}),
    line(Operation="opened"),
    line(Zone="dmz"),
    line(**{"fileaudit.extra": {"Zone": "dmz"}}),
    line(FileBaseName="x"),
    line_of(SHADOW),
    line_of(LOSS),
    line(TargetFilename=HOSTILE.encode("utf-8", "replace").decode()),
    b"\n",
    b" \r\n",
    b"{oops\n",
    b"[]\n",
    b'{"TargetFilename": "\xff"}\n',
    line()[:-1] + line(),
    line()[:-1] + b"\r\n",
)


def oracle(path: Path, raw: bytes, *, allow: bool) -> list[FileEvent | Loss | Diagnostic]:
    """Line by line, as the reader says it."""
    reader = EventReader(file=str(path), allow_unknown_fields=allow)
    told: list[FileEvent | Loss | Diagnostic] = []
    for number, one in enumerate(io.BytesIO(raw), start=1):
        item = reader.read(one, number) if one.strip() else ()
        told += item if isinstance(item, tuple) else (item,)
    return told


def check_columns(batch: Batch) -> list[FileEvent]:
    """The batch's events; each of its columns says what they say."""
    events = [batch.complete(index) for index in range(len(batch.candidates))]
    assert isinstance(batch, Columns)
    for field in (*FIELDS, EXTRA, WHOLE_EVENT, unlisted("Zone")):
        values = batch.column(field)
        assert list(values or [None] * len(events)) == [field.get(event) for event in events], field.name
    return events


@given(lines=st.lists(st.sampled_from(LINES), max_size=30), allow=st.booleans(), end=st.booleans())
@settings(REPEATABLE, max_examples=150)
def test_a_file_of_any_lines_is_read_as_line_by_line(
    tmp_path_factory: pytest.TempPathFactory, *, lines: list[bytes], allow: bool, end: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.ndjson"
    raw = b"".join(lines)[: None if end else -1]
    path.write_bytes(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpack, "BLOCK_BYTES", 600)  # a few lines, so that a file has many blocks
        patch.setattr(gathering, "BATCH_EVENTS", 7)
        source = ReplaySource([path], allow_unknown_fields=allow)
        items: list[FileEvent | Loss] = []
        for batch in source.batches():
            items += [batch] if isinstance(batch, Loss) else check_columns(batch)
    told = oracle(path, raw, allow=allow)
    assert items == [item for item in told if not isinstance(item, Diagnostic)]
    assert source.diagnostics == [item for item in told if isinstance(item, Diagnostic)]


def batches_of(path: Path, raw: bytes, **options: Any) -> list[Batch]:
    path.write_bytes(raw)
    return [batch for batch in ReplaySource([path], **options).batches() if not isinstance(batch, Loss)]


def test_documents_that_are_alike_come_as_columns(tmp_path: Path) -> None:
    (batch,) = batches_of(tmp_path / "x", LINES[0] * 9 + LINES[2] * 9)
    assert isinstance(batch, ColumnBatch)
    assert batch.events == {}


def test_a_few_that_are_not_alike_keep_their_places_among_them(tmp_path: Path) -> None:
    odd = line(Image="/odd", **{"process.executable": "/odd"})
    (batch,) = batches_of(tmp_path / "x", LINES[0] * 3 + odd + LINES[0] * 3)
    assert isinstance(batch, ColumnBatch)
    assert list(batch.events) == [3]
    assert [event.process.executable for event in check_columns(batch)] == [None] * 3 + ["/odd"] + [None] * 3


def test_events_that_only_the_reader_understands_come_as_events(tmp_path: Path) -> None:
    (batch,) = batches_of(tmp_path / "x", LINES[9] * 3, allow_unknown_fields=True)
    assert isinstance(batch, EventBatch)


def test_a_file_that_changes_its_look_is_learned_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "BLOCK_BYTES", 4096)
    flat, nested = line(Image="/a") * BATCH_EVENTS, line_of(SHADOW) * BATCH_EVENTS
    batches = batches_of(tmp_path / "x", flat + nested + flat)
    left_to_the_reader = sum(
        len(batch.events) if isinstance(batch, ColumnBatch) else len(batch.candidates) for batch in batches
    )
    assert left_to_the_reader < 200


def test_nobody_keeps_us_learning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    monkeypatch.setattr(unpack, "BLOCK_BYTES", 400)
    monkeypatch.setattr(decode, "shape_of", tried.append)
    names = [name for name in BY_NAME if "." not in name and BY_NAME[name].type.value == "keyword"]
    raw = b"".join(line(**{a: "x", b: "x"}) for a in names for b in names if a < b)
    batches_of(tmp_path / "x", raw)
    assert 0 < len(tried) <= 16


def test_strict_hands_on_what_came_before(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(LINES[0] * 3 + b"{oops\n")
    batches = ReplaySource([tmp_path / "x"], strict=True).batches()
    first = next(batches)
    assert not isinstance(first, Loss)
    assert len(first.candidates) == 3
    with pytest.raises(UnusableInput):
        next(batches)


def test_a_pipe_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin, os.fdopen(writing, "wb", buffering=0) as pipe:
        monkeypatch.setattr(sys, "stdin", stdin)
        batches = ReplaySource(["-"]).batches()
        for count in (1, 2):
            pipe.write(LINES[0] * count)
            batch = next(batches)
            assert not isinstance(batch, Loss)
            assert len(batch.candidates) == count
        pipe.close()
        assert list(batches) == []


def test_a_line_that_never_ends_ends_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_SKIPPED_BYTES", 1 << 20)
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.write(LINES[0])
        file.truncate(64 << 20)
    source = ReplaySource([path])
    assert [len(batch.candidates) for batch in source.batches() if not isinstance(batch, Loss)] == [1]
    (told,) = source.diagnostics
    assert (told.location.line, told.code) == (2, "FA076")
    assert told.message.endswith("more: nothing behind it was read")


# ------------------------------------------------------------------------------------------- blocks


class Trickle(io.BytesIO):
    """A stream that has only so many bytes at a time."""

    def __init__(self, raw: bytes, sizes: list[int]) -> None:
        super().__init__(raw)
        self._sizes = iter(sizes)

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(min(size or 0, next(self._sizes, 5)))


def cut(parts: Iterator[Block | Overlong]) -> list[tuple[int, bytes | None]]:
    """The lines by number; None for one that is too long."""
    told: list[tuple[int, bytes | None]] = []
    for part in parts:
        if isinstance(part, Overlong):
            told.append((part.line, None))
        else:
            told += enumerate(part.lines, start=part.first_line)
            assert part.size == sum(map(len, part.lines))
            assert part.escaped >= any(b"\\" in one for one in part.lines)
    return told


@given(
    raw=st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\\", b"bcdefgh", b"x" * 20]), max_size=30).map(
        b"".join
    ),
    sizes=st.lists(st.integers(1, 9), max_size=20),
    full=st.booleans(),
)
@REPEATABLE
def test_a_stream_in_any_pieces_is_cut_into_its_lines(*, raw: bytes, sizes: list[int], full: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpack, "BLOCK_BYTES", 9)
        patch.setattr(unpack, "MAX_LINE_BYTES", 12)
        found = cut(blocks(Trickle(raw, sizes), full=full))
    expected = [one if len(one.rstrip(b"\n")) <= 12 else None for one in io.BytesIO(raw)]
    assert found == list(enumerate(expected, start=1))


def test_a_full_block_is_waited_for_where_nothing_has_to_be_shown_at_once() -> None:
    raw = b"line\n" * 10
    assert len(list(blocks(Trickle(raw, [5] * 10), full=True))) == 1
    assert len(list(blocks(Trickle(raw, [5] * 10), full=False))) == 10
