"""Recorded files as a source: what comes out, and what is said of what does not."""

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from tests.unit.events.examples import LOSS, SHADOW

from fileaudit_engine.diagnostics import UnusableInput
from fileaudit_engine.events.batch import BATCH_EVENTS, EVERY
from fileaudit_engine.events.jsonl import line_of
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.sources import unpack
from fileaudit_engine.sources.replay import MAX_DIAGNOSTICS, ReplaySource

LINE = line_of(SHADOW)


def zst(raw: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(raw)


def numbered(count: int) -> bytes:
    """Lines whose times count from 0."""
    return b"".join(b'{"ts_ns": %d, "Operation": "open"}\n' % i for i in range(count))


def drained(source: ReplaySource) -> list[FileEvent | Loss]:
    """All events of all batches, and the losses between them."""
    items: list[FileEvent | Loss] = []
    for batch in source.batches():
        items += (
            [batch] if isinstance(batch, Loss) else [batch.complete(i) for i in range(len(batch.candidates))]
        )
    return items


def replayed(path: Path, content: bytes, **options: bool) -> tuple[list[FileEvent | Loss], list[str]]:
    """What comes out of a file, and what is said of it: `line:column message`."""
    path.write_bytes(content)
    source = ReplaySource([path], **options)
    items = drained(source)
    places = (str(d.location).removeprefix(str(path)).removeprefix(":") for d in source.diagnostics)
    return items, [f"{p} {d.message}".strip() for p, d in zip(places, source.diagnostics, strict=True)]


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("x.ndjson", bytes),
        ("x.ndjson.gz", gzip.compress),
        ("x.ndjson.zst", zst),
        ("two.gz", lambda raw: gzip.compress(raw[: len(LINE)]) + gzip.compress(raw[len(LINE) :])),
        ("two.zst", lambda raw: zst(raw[: len(LINE) + 3]) + zst(raw[len(LINE) + 3 :])),
    ],
)
def test_a_file_reads_the_same_however_it_is_packed(
    tmp_path: Path, name: str, packed: Callable[[bytes], bytes]
) -> None:
    assert replayed(tmp_path / name, packed(LINE * 3000)) == ([SHADOW] * 3000, [])


def test_batches_are_bounded_and_nobody_has_filtered_them(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(numbered(BATCH_EVENTS + 1))
    batches = [b for b in ReplaySource([tmp_path / "x"]).batches() if not isinstance(b, Loss)]
    assert [list(b.candidates) for b in batches] == [[EVERY] * BATCH_EVENTS, [EVERY]]


def test_files_are_read_one_after_the_other_in_the_order_of_their_lines(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(numbered(3))
    events = drained(ReplaySource([tmp_path / "b", tmp_path / "a"]))
    assert [e.ts_ns for e in events if isinstance(e, FileEvent)] == [0, 1, 2, 0, 1, 2]


def test_a_recorded_loss_comes_at_its_place(tmp_path: Path) -> None:
    assert replayed(tmp_path / "x", LINE + line_of(LOSS) + LINE) == ([SHADOW, LOSS, SHADOW], [])


def test_counters_count_events_and_recorded_losses(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(LINE * 2 + line_of(LOSS))
    source = ReplaySource([tmp_path / "x"])
    drained(source)
    counters = source.counters()
    assert (counters.seen, counters.delivered, counters.lost) == (6, 2, {"open": 3, "process": 1})


def test_standard_input_is_a_file_like_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINE + b"{}\n")))
    source = ReplaySource(["-"])
    assert drained(source) == [SHADOW]
    assert {str(d.location) for d in source.diagnostics} == {"<stdin>:2:1"}


def test_empty_lines_and_a_missing_last_line_feed_are_no_mistakes(tmp_path: Path) -> None:
    assert replayed(tmp_path / "x", b"\n  \r\n" + LINE + b"\n" + LINE[:-1]) == ([SHADOW, SHADOW], [])


def test_a_broken_line_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    items, said = replayed(tmp_path / "x", LINE + b"{oops\n" + LINE)
    assert items == [SHADOW, SHADOW]
    assert said == ["2:2 the line is not valid JSON: object keys must be strings"]


def test_strict_stops_at_the_first_broken_line(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(LINE + b"{oops\n" + LINE)
    with pytest.raises(UnusableInput, match="x:2:2: the line is not valid JSON"):
        drained(ReplaySource([tmp_path / "x"], strict=True))


def test_unknown_fields_are_kept_where_that_is_allowed(tmp_path: Path) -> None:
    line = b'{"ts_ns": 1, "Operation": "open", "my": 1}\n'
    assert replayed(tmp_path / "x", line)[1] == ["1:35 unknown field 'my'"]
    ((event,), said) = replayed(tmp_path / "x", line, allow_unknown_fields=True)
    assert isinstance(event, FileEvent)
    assert (event.extra, said) == ({"my": 1}, [])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.gz", b"no archive", "the compressed file is damaged: Not a gzipped file (b'no')"),
        ("x.gz", gzip.compress(b"{}")[:-4], "the compressed file ends in the middle"),
        ("x.zst", zst(b"{}")[:-2], "the compressed file ends in the middle"),
        ("x.zst", zst(b"{}")[:3], "the compressed file ends in the middle"),
        (
            "x.zst",
            b"no archive",
            "the compressed file is damaged: zstd decompressor error: Unknown frame descriptor",
        ),
    ],
    ids=["no gzip", "gzip cut off", "zstandard cut off", "zstandard cut off in its header", "no zstandard"],
)
def test_a_file_that_cannot_be_unpacked_is_told(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    assert replayed(tmp_path / name, content) == ([], [message])


def test_what_stands_before_a_damage_is_read(tmp_path: Path) -> None:
    items, said = replayed(tmp_path / "x.zst", zst(LINE * 3) + b"no frame")
    assert items == [SHADOW] * 3
    assert len(said) == 1


def test_a_file_that_is_not_there_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(LINE)
    source = ReplaySource([tmp_path / "missing", tmp_path, tmp_path / "x"])
    assert drained(source) == [SHADOW]
    assert [d.message for d in source.diagnostics] == [
        "the file cannot be read: No such file or directory",
        "the file cannot be read: Is a directory",
    ]


def test_a_line_that_is_too_long_is_told_and_passed_over(tmp_path: Path) -> None:
    long = b"x" * (unpack.MAX_LINE_BYTES * 2) + b"\n"
    assert replayed(tmp_path / "x", long + LINE) == ([SHADOW], ["1:1 the line is longer than 16 MiB"])


def test_a_line_of_the_greatest_length_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_LINE_BYTES", len(LINE) - 1)
    assert replayed(tmp_path / "x", LINE + LINE[:-1])[0] == [SHADOW, SHADOW]


def test_a_frame_that_unfolds_into_very_much_is_never_in_memory_at_once() -> None:
    frame = zstandard.ZstdCompressor().compress(b"x" * (256 << 20))
    unpacked = unpack._ZstandardFrames(io.BytesIO(frame))
    largest = 0
    while unpacked._advance():
        largest = max(largest, len(unpacked._ready))
    assert 0 < largest <= 33 << 20


def test_a_frame_that_asks_for_too_much_memory_is_refused(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=30)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    items, said = replayed(tmp_path / "x.zst", packer.compress(LINE) + packer.flush())
    assert (items, len(said)) == ([], 1)
    assert said[0].endswith("Frame requires too much memory for decoding")


def test_diagnostics_are_bounded_and_the_rest_is_counted(tmp_path: Path) -> None:
    _, said = replayed(tmp_path / "x", b"[]\n" * (MAX_DIAGNOSTICS + 5))
    assert len(said) == MAX_DIAGNOSTICS + 1
    assert said[-1].endswith("5 more of these were found and are not listed")


def test_a_closed_source_ends(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(numbered(BATCH_EVENTS * 3))
    source = ReplaySource([tmp_path / "x"])
    batches = source.batches()
    next(batches)
    source.close()
    source.close()
    assert list(batches) == []


def test_any_document_that_is_printed_can_be_replayed(tmp_path: Path) -> None:
    indented = json.dumps(json.loads(LINE)).encode() + b"\n"
    assert replayed(tmp_path / "x", indented) == ([SHADOW], [])
