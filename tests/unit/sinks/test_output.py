"""Streams that end early, and widths on a terminal."""

import io
import json
from collections.abc import Callable
from typing import Any, TextIO

import pytest
from tests.unit.events.records import record

from fileaudit_engine.detect.record import Record
from fileaudit_engine.sinks.base import Answer, Delivered, Reject, Retry, Sink
from fileaudit_engine.sinks.jsonlog import JsonLines
from fileaudit_engine.sinks.memory import Memory
from fileaudit_engine.sinks.output import padded, width
from fileaudit_engine.sinks.terminal import Terminal


class Broken(io.StringIO):
    """A stream whose every write fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.tries = 0

    def write(self, _text: str) -> int:
        self.tries += 1
        raise self.error


def plain_terminal(stream: TextIO) -> Sink:
    return Terminal(stream, color=False)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BrokenPipeError(32, "Broken pipe"), "the reader has closed the pipe"),
        (OSError(28, "No space left on device"), "the output cannot be written: No space left on device"),
        (ValueError("I/O operation on closed file"), "the output is closed"),
    ],
)
@pytest.mark.parametrize("make", [plain_terminal, JsonLines])
def test_a_stream_that_takes_nothing_is_an_answer_and_tried_once(
    error: Exception, reason: str, make: Callable[[TextIO], Sink]
) -> None:
    stream = Broken(error)
    sink = make(stream)
    assert sink.deliver([record(), record()]) == [Retry(reason), Retry(reason)]
    sink.deliver([record()])
    sink.close()
    assert stream.tries == 1


@pytest.mark.parametrize(("text", "columns"), [("", 0), ("abc", 3), ("日本", 4), ("e\u0301", 1)])
def test_widths(text: str, columns: int) -> None:
    assert width(text) == columns


def test_a_text_wider_than_its_column_is_not_cut() -> None:
    assert padded("日本語", 4) == "日本語"


def test_the_double_keeps_what_it_says_it_delivered() -> None:
    def answer(asked: Record) -> Answer:
        return Delivered() if asked.level == "high" else Reject("too low")

    sink = Memory(answer)
    assert sink.deliver([record(), record(level="low")]) == [Delivered(), Reject("too low")]
    sink.close()
    assert ([r.level for r in sink.records], sink.closed) == (["high"], True)


class Narrow(io.RawIOBase):
    """A pipe that takes a few bytes at a time, as a full one does when a signal comes."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.taken += bytes(data[:7])
        return min(len(data), 7)


def test_a_stream_without_a_buffer_is_given_the_rest_of_what_it_took_a_part_of() -> None:
    raw = Narrow()
    sink = JsonLines(io.TextIOWrapper(raw, encoding="utf-8", write_through=True))  # type: ignore[type-var]
    assert sink.deliver([record(), record()]) == [Delivered(), Delivered()]
    first, second, rest = raw.taken.split(b"\n")
    assert first == second
    assert rest == b""
    assert json.loads(first)["event"]["id"] == record().id


class Unready(Narrow):
    """A stream of somebody who does not want to wait, and takes nothing now."""

    def write(self, _data: Any) -> Any:
        return None


def test_a_stream_that_does_not_wait_and_takes_nothing_is_gone() -> None:
    sink = JsonLines(io.TextIOWrapper(Unready(), encoding="utf-8", write_through=True))  # type: ignore[type-var]
    (answer,) = sink.deliver([record()])
    assert isinstance(answer, Retry)
    assert "unavailable" in answer.reason
