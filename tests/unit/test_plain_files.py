"""Files that somebody names are files: nothing else is waited for, opened or read."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.waiting import at_once

from fileaudit_engine.config.load import load_config
from fileaudit_engine.plain_files import LARGEST, NotPlain, read_plain, require_plain
from fileaudit_engine.sinks.elastic.client import client_of
from fileaudit_engine.sinks.elastic.kibana import Kibana, KibanaSettings
from fileaudit_engine.sinks.settings import ElasticSettings

OTHERS = ("folder", "pipe", "device", "socket")
WORDS = "a folder, a device or a pipe stands there"


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Where something stands that is no file."""
    path = tmp_path / "it"
    match request.param:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            os.mknod(path, stat.S_IFSOCK | 0o600)
    return path


def elasticsearch(path: Path) -> None:
    client_of(ElasticSettings(hosts=("https://127.0.0.1:1",), ca_file=path))


def kibana(path: Path) -> None:
    Kibana(KibanaSettings(url="https://127.0.0.1:1", ca_file=path))


@pytest.mark.parametrize("place", OTHERS, indirect=True)
@pytest.mark.parametrize("use", [load_config, elasticsearch, kibana, require_plain])
def test_what_is_no_file_is_refused_in_words(place: Path, use: Callable[[Path], object]) -> None:
    with at_once(), pytest.raises(Exception, match=WORDS):
        use(place)


@pytest.mark.parametrize("place", OTHERS, indirect=True)
def test_what_is_no_file_is_not_read(place: Path) -> None:
    with at_once(), pytest.raises(NotPlain, match=WORDS):
        read_plain(place, 10)


def test_a_file_is_read_up_to_a_bound_and_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    (tmp_path / "link").symlink_to("file")
    require_plain(tmp_path / "link")
    assert read_plain(tmp_path / "link", 4) == b"0123"


def test_what_is_not_there_is_told_as_the_system_tells_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        require_plain(tmp_path / "none")


def test_a_file_without_end_is_not_given_to_those_who_read_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, LARGEST + 1)
    with pytest.raises(NotPlain, match="more than 16 MiB"):
        require_plain(path)
    assert read_plain(path, 3) == bytes(3)
