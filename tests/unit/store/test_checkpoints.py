"""The log goes into the database beside the writer: it does not grow without end."""

import threading
from pathlib import Path

import pytest
from tests.unit.store.test_store import at

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.store import checkpoints
from fileaudit_engine.store.store import Store


def write(store: Store, first: int, batches: int) -> None:
    for batch in range(batches):
        store.append([at(first + 100 * batch + i, level="informational") for i in range(100)])


def names_of_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def log_bytes(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size


def test_a_log_that_is_long_enough_begins_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "EVERY_BYTES", 1 << 16)
    path = tmp_path / "s" / "x.db"
    with Store.open(path) as store:
        write(store, 0, 200)
        moved = log_bytes(path)
        assert len(list(store.records(Kind.EVENT))) == 20_000
    monkeypatch.setattr(checkpoints, "EVERY_BYTES", 1 << 40)
    whole = tmp_path / "t" / "x.db"
    with Store.open(whole) as store:
        write(store, 0, 200)
        assert moved < log_bytes(whole) / 4


def test_no_thread_runs_before_there_is_something_to_move(tmp_path: Path) -> None:
    before = threading.active_count()
    with Store.open(tmp_path / "s" / "x.db") as store:
        store.append([at(1)])
        assert threading.active_count() == before


def test_the_thread_ends_with_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "EVERY_BYTES", 1)
    with Store.open(tmp_path / "s" / "x.db") as store:
        write(store, 0, 3)
        assert "checkpoints" in names_of_threads()
    assert "checkpoints" not in names_of_threads()
    assert not (tmp_path / "s" / "x.db-wal").exists()
