"""The JSON log of an engine on the kernel of this machine, as those see it who follow it."""

import json
from pathlib import Path

import pytest
from tests.kernel.test_commands import WATCHED, Running, cat, running
from tests.unit.sinks.followers import Reader, by_first_line
from tests.unit.store.kept import Kept

pytestmark = pytest.mark.kernel


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "watched.yml").write_text(WATCHED.format(name="watched", path=tmp_path / "secret"))
    config = tmp_path / "config.yml"
    config.write_text(
        "rules: [watched.yml]\n"
        "store: {path: store/events.db, anchors: {file: apart/anchors.log}}\n"
        "sinks: {json: {path: log, rotate: hourly, max_size: 1MiB, compress: none}}\n"
    )
    return config


def watch(config: Path, reader: Reader, *, times: int) -> Running:
    """An engine that has seen a file opened so often, and whose log is being read."""
    command = Running("run", "--config", config, "--format", "json")
    command.wait_for(lambda c: any("watching" in line for line in c.err))
    for _ in range(times):
        cat(str(config.parent / "secret"))
        reader.look()
    command.wait_for(lambda c: sum("watched" in line for line in c.out) >= times)
    return command


def test_a_killed_engine_goes_on_with_its_log_where_it_was_and_a_reader_misses_nothing(config: Path) -> None:
    reader = Reader(config.parent / "log", by_first_line)
    for _ in range(2):
        command = watch(config, reader, times=10)
        command.process.kill()
        assert command.stop() == -9
    command = watch(config, reader, times=3)
    assert command.stop() == 0
    reader.look()
    kept = Kept(config.parent / "store" / "events.db")
    kept.read_on()
    told = [json.loads(line)["event"]["id"] for line in reader.lines]
    assert list(dict.fromkeys(told)) == [document["event"]["id"] for document in kept.documents]
    assert len(kept.documents) >= 23
    assert not reader.restarted_files
    by_id = {document["event"]["id"]: document for document in kept.documents}
    assert all(by_id[json.loads(line)["event"]["id"]] == json.loads(line) for line in reader.lines)


def test_a_folder_that_others_can_write_to_is_refused_before_anything_is_watched(config: Path) -> None:
    (config.parent / "log").mkdir()
    (config.parent / "log").chmod(0o777)
    command = Running("run", "--config", config, "--format", "json")
    command.wait_for(lambda c: c.process.poll() is not None)
    assert command.stop() == 2
    assert any("error[FA091]: other users can write to the JSON log's folder" in line for line in command.err)
    assert not any("watching" in line for line in command.err)


def test_a_log_that_another_engine_writes_is_refused(config: Path) -> None:
    other = config.parent / "other.yml"
    other.write_text(config.read_text().replace("store/events.db", "other/events.db"))
    with running("run", "--config", config) as first:
        second = Running("run", "--config", other)
        second.wait_for(lambda c: c.process.poll() is not None)
        assert second.stop() == 3
        assert any(f"is written by another process: {first.process.pid}" in line for line in second.err)
        assert first.stop() == 0
