"""Other people's files are read with care."""

import os
import socket
from pathlib import Path

import pytest

from fileaudit_engine.enrich.state_file import open_state

US = os.geteuid()


def read(
    base: Path, path: str = "sub/file", *, owner: int = US, limit: int = 100, strict: bool = True
) -> bytes:
    with open_state(str(base), path, owner=owner, limit=limit, strict=strict) as file:
        return file.read()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").write_bytes(b"state")
    return tmp_path


@pytest.mark.parametrize("strict", [True, False])
def test_a_small_file_of_its_owner_is_read(base: Path, strict: bool) -> None:  # noqa: FBT001 - a parameter
    assert read(base, strict=strict) == b"state"


@pytest.mark.parametrize("strict", [True, False])
def test_a_long_file_is_not(base: Path, strict: bool) -> None:  # noqa: FBT001
    with pytest.raises(OSError, match="no small file"):
        read(base, limit=4, strict=strict)


@pytest.mark.parametrize("strict", [True, False])
def test_another_owners_file_is_not(base: Path, strict: bool) -> None:  # noqa: FBT001
    with pytest.raises(OSError, match="no small file"):
        read(base, owner=US + 1, strict=strict)


@pytest.mark.parametrize("strict", [True, False])
def test_a_pipe_without_a_writer_keeps_nobody_waiting(base: Path, strict: bool) -> None:  # noqa: FBT001
    os.mkfifo(base / "pipe")
    with pytest.raises(OSError, match="no small file"):
        read(base, "pipe", strict=strict)


def test_a_folder_and_a_socket_are_not_read(base: Path) -> None:
    with pytest.raises(OSError, match="no small file"):
        read(base, "sub")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(base / "socket"))
        with pytest.raises(OSError, match="No such device"):
            read(base, "socket")


def test_an_administrators_link_is_followed_and_a_users_is_not(base: Path) -> None:
    (base / "link").symlink_to("sub")
    (base / "sub" / "other").symlink_to("file")
    assert read(base, "link/file", strict=False) == b"state"
    for path in ("link/file", "sub/other"):
        with pytest.raises(OSError, match="symbolic links"):
            read(base, path)


def test_nothing_above_a_users_folder_is_read(base: Path) -> None:
    with pytest.raises(OSError, match="cross-device"):
        read(base / "sub", "../sub/file")


def test_another_file_system_below_a_users_folder_is_not_entered() -> None:
    with pytest.raises(OSError, match="cross-device"):
        read(Path("/"), "proc/version")


def test_a_file_that_grows_is_read_to_the_limit(base: Path) -> None:
    with open_state(str(base), "sub/file", owner=US, limit=8, strict=True) as file:
        (base / "sub" / "file").write_bytes(b"x" * 1000)
        assert file.read() == b"x" * 8


def test_a_change_shows_in_the_stamp(base: Path) -> None:
    with open_state(str(base), "sub/file", owner=US, limit=100, strict=True) as file:
        before = file.stamp
    (base / "sub" / "file").write_bytes(b"other state")
    with open_state(str(base), "sub/file", owner=US, limit=100, strict=True) as file:
        assert file.stamp != before


def test_no_descriptor_stays_open(base: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    read(base)
    for path in ("none", "sub"):
        with pytest.raises(OSError, match=r"No such file|no small file"):
            read(base, path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
