"""The log as those see it who follow it: nothing is left out, and nothing is there twice."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sinks.followers import Identity, Reader, by_first_kilobyte, by_first_line, by_inode
from tests.unit.sinks.logs import DAY, Log

from fileaudit_engine.events.times import UNITS_NS

IDENTITIES = [by_inode, by_first_kilobyte, by_first_line]
FILLING = "x" * 1_100
"""Real documents are longer than the kilobyte that Filebeat knows a file by."""
STEPS = st.sampled_from(["write", "write", "write", "look", "look", "next day", "start", "reader restarts"])


def numbers(reader: Reader) -> list[int]:
    return [json.loads(line)["n"] for line in reader.lines]


@pytest.mark.parametrize("identity", IDENTITIES)
@given(steps=st.lists(STEPS, max_size=40), size=st.integers(1, 20_000))
@settings(deadline=None, max_examples=25)
def test_a_reader_that_looks_often_enough_gets_each_line_once(
    tmp_path_factory: pytest.TempPathFactory,
    identity: Callable[[int], Identity | None],
    steps: list[str],
    size: int,
) -> None:
    log = Log(tmp_path_factory.mktemp("log") / "log", changes={"max_bytes": size}, now_ns=time.time_ns())
    reader = Reader(log.folder, identity)
    written = 0
    for step in steps:
        match step:
            case "write":
                log.write(*range(written, written + 5), filling=FILLING)
                written += 5
            case "look":
                reader.look()
            case "next day":
                reader.look()
                log.now_ns += DAY
                log.look_after()
                log.now_ns -= DAY  # the files' own times are of today
            case "start":
                log.file.close()
                log.start()
            case _:
                reader.look()
                reader.restart()
                if identity is by_inode:  # numbers of files are used again while nobody looks
                    reader.look()
    reader.look()
    log.file.close()
    assert sorted(numbers(reader)) == list(range(written))
    assert not reader.restarted_files


@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_reader_beside_a_busy_writer_gets_each_line_once(
    tmp_path: Path, identity: Callable[[int], Identity | None]
) -> None:
    log = Log(tmp_path / "log", changes={"max_bytes": 50_000}, now_ns=time.time_ns(), beside=True)
    reader, done = Reader(log.folder, identity), threading.Event()

    def follow() -> None:
        while not done.is_set():
            reader.look()
        reader.look()

    following = threading.Thread(target=follow)
    following.start()
    for start in range(0, 3_000, 20):
        log.write(*range(start, start + 20), filling=FILLING)
        log.file.keep(start)
    done.set()
    following.join()
    log.file.close()
    assert len(log.names()) > 50
    assert sorted(numbers(reader)) == list(range(3_000))
    assert not reader.restarted_files


def test_a_reader_that_was_away_for_some_minutes_finds_the_file_that_was_rotated_meanwhile(
    tmp_path: Path,
) -> None:
    log = Log(tmp_path / "log")
    reader = Reader(log.folder, by_first_kilobyte)
    log.write(1, 2, filling=FILLING)
    reader.look()
    reader.restart()
    log.write(3, 4, filling=FILLING)
    log.now_ns += DAY // 2
    log.write(5, filling=FILLING)
    log.file.keep(5)
    log.now_ns += UNITS_NS["m"]
    log.file.close()
    reader.look()
    assert sorted(numbers(reader)) == [1, 2, 3, 4, 5]


def test_compressed_files_and_unfinished_ones_are_no_part_of_what_is_followed(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    log.write(1, filling=FILLING)
    log.now_ns += DAY
    log.look_after()
    log.write(2, filling=FILLING)
    (log.folder / ".fileaudit-2026-11-28.1.ndjson.gz").write_bytes(b"half")
    assert sorted(place.name for place in log.folder.glob("fileaudit*.ndjson")) == ["fileaudit.ndjson"]
    log.file.close()
