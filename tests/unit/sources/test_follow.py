"""Links that are followed without opening anything."""

import os
from pathlib import Path

import pytest

from fileaudit_engine.sources import follow as module
from fileaudit_engine.sources.follow import follow, normalised


def where(path: str | Path) -> str | None:
    return follow(str(path), pid=os.getpid(), thread=os.getpid())


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    assert where(tmp_path / "link") == str((tmp_path / "file").resolve())


def test_a_name_that_leads_nowhere_is_none(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("none")
    assert where(tmp_path / "link") is None
    assert where(tmp_path / "loop\0") is None


def test_a_name_keeps_its_bytes(tmp_path: Path) -> None:
    file = os.fsencode(tmp_path.resolve()) + b"/\xff\n"
    Path(os.fsdecode(file)).touch()
    assert where(os.fsdecode(file)) == os.fsdecode(file)


def test_proc_self_is_the_callers(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert follow("/proc/self/root/etc/passwd", pid=os.getpid(), thread=1) == "/etc/passwd"
    assert normalised("/proc/self/mem", pid=7, thread=8) == "/proc/7/mem"
    assert normalised("/proc/thread-self/mem", pid=7, thread=8) == "/proc/7/task/8/mem"
    assert normalised("/proc/selfish", pid=7, thread=8) == "/proc/selfish"


def test_the_root_of_a_caller_that_ended_is_taken_for_the_hosts() -> None:
    assert follow("/proc/self/root/etc/passwd", pid=1 << 30, thread=1) == "/etc/passwd"


def test_our_own_descriptors_are_never_taken_for_the_callers(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    descriptor = os.open(tmp_path / "secret", os.O_RDONLY)
    try:
        assert where(f"/dev/fd/{descriptor}") is None
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("path", "normal"), [("/a/../b/./c//d", "/b/c/d"), ("//a", "/a"), ("/..", "/"), ("/a/", "/a")]
)
def test_dots_are_worked_out_as_text(path: str, normal: str) -> None:
    assert normalised(path, pid=1, thread=1) == normal


@pytest.mark.parametrize("asked", ["link", "folder/shadow", "long", "chain"])
def test_a_link_is_followed_in_the_very_moment_in_which_it_was_made(tmp_path: Path, asked: str) -> None:
    for number in range(20):
        place = tmp_path / str(number)
        place.mkdir()
        (place / "link").symlink_to("/etc/shadow")
        (place / "folder").symlink_to("/etc")
        (place / "long").symlink_to("/etc/" + "./" * 100 + "shadow")
        (place / "chain").symlink_to("../" + str(number) + "/link")
        assert follow(f"{place}/{asked}", pid=os.getpid(), thread=os.getpid()) == "/etc/shadow"


def test_a_loop_of_links_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to("there")
    (tmp_path / "there").symlink_to("here")
    assert follow(f"{tmp_path}/here", pid=os.getpid(), thread=os.getpid()) is None


def test_a_fresh_link_on_a_file_system_that_could_make_us_wait_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOCAL", frozenset[int]())
    read: list[bytes] = []

    def readlink(path: bytes, **_: int) -> bytes:
        read.append(path)
        return b"/etc/shadow"

    monkeypatch.setattr(os, "readlink", readlink)
    (tmp_path / "link").symlink_to("/etc/shadow")
    with pytest.raises(BlockingIOError):
        module._walked(bytes(tmp_path / "link"))
    assert not read
