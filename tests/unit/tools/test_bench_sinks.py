"""The benchmark of sinks measures what it says: real records, a real receiver, and a dead one beside it."""

import json
import shutil
import socket
from pathlib import Path

import pytest
import sinks
import sinks_store

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.store.store import Store

COUNT = 300


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return sinks_store.private_folder(tmp_path / "kept")


def test_a_store_has_the_alerts_that_it_is_made_for_and_is_made_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = sinks_store.store_with(COUNT, folder)
    with Store.open(path, read_only=True) as store:
        rows = store.records_after(0, 2 * COUNT)
    assert [row.kind for row in rows] == [Kind.ALERT] * COUNT
    assert "made a store of 300 alerts" in capsys.readouterr().out
    assert sinks_store.store_with(COUNT, folder) == path
    assert capsys.readouterr().out == ""


def test_half_a_store_is_not_taken_for_a_whole_one(folder: Path) -> None:
    left = folder / f"alerts-{COUNT}-making"
    left.mkdir()
    (left / "events.db").write_bytes(b"half")
    with Store.open(sinks_store.store_with(COUNT, folder), read_only=True) as store:
        assert store.head.seq == COUNT
    assert not left.exists()


def test_a_folder_that_others_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(SystemExit, match="not a folder of this user alone"):
        sinks_store.private_folder(tmp_path / "open")


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(SystemExit, match="not a folder of this user alone"):
        sinks_store.private_folder(tmp_path / "link")


def test_lines_are_counted_once(tmp_path: Path) -> None:
    path = tmp_path / "records"
    lines = sinks.Lines(path)
    assert lines.count() == 0
    path.write_bytes(b"1\n2\n3")
    assert lines.count() == 2
    with path.open("ab") as file:
        file.write(b"\n4\n")
    shutil.copy(path, tmp_path / "copy")
    assert (lines.count(), lines.count()) == (4, 4)


def test_who_is_dead_takes_connections_and_nothing_else() -> None:
    with sinks.dead() as port, socket.create_connection(("127.0.0.1", port), 5) as client:
        client.settimeout(0.2)
        client.sendall(b"hello")
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_every_part_is_measured_with_a_real_receiver(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = ["--of", COUNT, "--alerts", COUNT, "--events", 20 * COUNT, "--rounds", 1]
    sinks.main([*map(str, sizes), "--folder", str(folder), "--receivers", "rsyslog", "--json"])
    told = capsys.readouterr()
    results = json.loads(told.out[told.out.index("{") :])
    (round_,) = results["rate"]["rsyslog"]
    assert round_["alerts"] == COUNT
    assert round_["rate"] > 0
    assert round_["cpu_s"] > 0
    assert all(len(rates) == 1 and rates[0] > 0 for rates in results["dead"]["rsyslog"].values())
    assert all(one["rate"] > 0 for (one,) in results["detection"]["rsyslog"].values())
    assert "a dead sink beside" in told.err
    assert [path.name for path in folder.iterdir()] == [f"alerts-{COUNT}"], "nothing else is left"
