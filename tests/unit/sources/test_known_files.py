"""The files that rules name are known by their inodes."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.sources.namespaces import bind, file_system, needs_root, unanswered

from fileaudit_engine.sources import known_files, look, mount_table
from fileaudit_engine.sources.known_files import KnownFiles
from fileaudit_engine.sources.mount_table import MountWatch


@pytest.fixture
def known() -> Iterator[KnownFiles]:
    mounts = MountWatch("/proc/self/mountinfo")
    yield KnownFiles(mounts)
    mounts.close()


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a name in lower case, as wanted paths have."""
    return tmp_path_factory.mktemp("known").resolve()


def file_id(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return os.major(status.st_dev) << 20 | os.minor(status.st_dev), status.st_ino


def wanted(*paths: Path | str) -> dict[bytes, int]:
    return {os.fsencode(path).lower(): 1 << bit for bit, path in enumerate(paths)}


def learned(known: KnownFiles, *paths: Path | str) -> dict[tuple[int, int], int]:
    known.want(wanted(*paths))
    known.learn()
    return known.files


def names(known: KnownFiles, path: Path, *, used: str = "/used") -> list[str]:
    return [one.name for one in known.of(*file_id(path), used)]


def test_a_file_is_known_by_its_inode(known: KnownFiles, folder: Path) -> None:
    (folder / "secret").touch()
    os.link(folder / "secret", folder / "other")
    assert learned(known, folder / "secret", folder / "none") == {file_id(folder / "secret"): 1}
    assert names(known, folder / "other") == [str(folder / "secret")]


def test_a_file_has_the_clauses_of_all_its_names(known: KnownFiles, folder: Path) -> None:
    (folder / "a").touch()
    os.link(folder / "a", folder / "b")
    assert learned(known, folder / "a", folder / "b") == {file_id(folder / "a"): 3}
    assert names(known, folder / "a") == [str(folder / "a"), str(folder / "b")]


def test_a_file_is_found_whatever_the_case_of_its_name(known: KnownFiles, folder: Path) -> None:
    (folder / "Own").mkdir()
    (folder / "Own/.Xauthority").touch()
    (folder / "Own/.XAUTHORITY").touch()
    files = learned(known, folder / "own/.xauthority")
    assert files.keys() == {file_id(path) for path in (folder / "Own").iterdir()}
    assert names(known, folder / "Own/.Xauthority") == [str(folder / "Own/.Xauthority")]


def test_another_spelling_is_not_looked_for_where_the_name_is_there(known: KnownFiles, folder: Path) -> None:
    (folder / "secret").touch()
    (folder / "Secret").touch()
    assert learned(known, folder / "secret").keys() == {file_id(folder / "secret")}


def test_a_new_spelling_is_found_in_a_folder_that_was_listed(
    known: KnownFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[int] = []
    real = known_files._listed

    def count(node: known_files._Node, at: int) -> object:
        listed.append(at)
        return real(node, at)

    monkeypatch.setattr(known_files, "_listed", count)
    monkeypatch.setattr(known_files, "_SETTLED_S", -10.0)
    assert learned(known, folder / "secret") == {}
    assert not known.learn()
    assert len(listed) == 1
    (folder / "SECRET").touch()
    assert known.learn()
    assert not known.learn()
    assert len(listed) == 2
    assert known.files.keys() == {file_id(folder / "SECRET")}


def test_a_name_in_bytes_is_found(known: KnownFiles, folder: Path) -> None:
    name = Path(os.fsdecode(os.fsencode(folder) + b"/A\xff\n"))
    name.touch()
    assert learned(known, Path(os.fsdecode(os.fsencode(folder) + b"/a\xff\n"))).keys() == {file_id(name)}


def test_sockets_and_devices_are_learned_and_folders_links_and_pipes_are_not(
    known: KnownFiles, folder: Path
) -> None:
    (folder / "folder").mkdir()
    (folder / "link").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
        files = learned(known, "/dev/null", *(folder / n for n in ("folder", "link", "pipe", "socket")))
    assert files.keys() == {file_id(Path("/dev/null")), file_id(folder / "socket")}


def test_a_link_on_the_way_is_not_followed(known: KnownFiles, folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "real/secret").touch()
    (folder / "linked").symlink_to("real")
    assert learned(known, folder / "linked/secret") == {}


@pytest.mark.parametrize("path", ["relative", "", "/", "/etc/../etc/passwd", "//etc/passwd", "/etc/passwd/"])
def test_what_is_no_path_of_a_file_finds_none(known: KnownFiles, path: str) -> None:
    assert learned(known, path) == {}


def test_of_too_many_paths_the_first_are_looked_up(
    known: KnownFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_files, "LITERALS", 1)
    for name in "ab":
        (folder / name).touch()
    assert known.want(wanted(folder / "a", folder / "b")) == 1
    known.learn()
    assert known.files.keys() == {file_id(folder / "a")}


def test_a_file_system_that_could_make_us_wait_is_not_looked_at(
    known: KnownFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "secret").touch()
    monkeypatch.setattr(mount_table, "LOCAL", frozenset[bytes]())
    assert learned(known, folder / "secret") == {}


@needs_root
def test_a_file_system_that_never_answers_is_not_waited_for(known: KnownFiles, folder: Path) -> None:
    (folder / "point").mkdir()
    with unanswered(folder / "point"):
        assert learned(known, folder / "point/secret", folder / "point") == {}


@needs_root
def test_a_file_on_another_file_system_has_the_kernels_number_of_it(known: KnownFiles, folder: Path) -> None:
    with file_system("tmpfs", folder):
        (folder / "secret").touch()
        assert learned(known, folder / "secret").keys() == {file_id(folder / "secret")}


@needs_root
def test_a_bind_mount_is_the_same_file(known: KnownFiles, folder: Path) -> None:
    for name in ("secret", "elsewhere"):
        (folder / name).touch()
    learned(known, folder / "secret")
    with bind(folder / "secret", folder / "elsewhere"):
        assert names(known, folder / "elsewhere") == [str(folder / "secret")]


# ----------------------------------------------------------------------------------- as time goes by


def test_it_is_looked_again_when_it_is_time(
    known: KnownFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "secret").touch()
    known.want(wanted(folder / "secret"))
    assert known.learn_if_due()
    (folder / "new").touch()
    (folder / "new").replace(folder / "secret")
    assert not known.learn_if_due()
    monkeypatch.setattr(known, "_due", 0.0)
    monkeypatch.setattr(known, "_not_before", 0.0)
    assert known.learn_if_due()
    assert known.files.keys() == {file_id(folder / "secret")}


def test_an_event_with_another_file_under_a_known_name_hurries_it(known: KnownFiles, folder: Path) -> None:
    (folder / "secret").touch()
    learned(known, folder / "secret")
    known.saw(str(folder / "secret"), *file_id(folder / "secret"))
    known.saw(str(folder / "other"), 1, 1)
    assert not known._is_due(known._not_before)
    known.saw(str(folder / "secret"), 1, 1)
    assert known._is_due(known._not_before)


def test_nothing_is_looked_for_without_rules(known: KnownFiles) -> None:
    assert not known.learn_if_due()
    assert known.of(1, 2, "/x") == ()
    assert known.of(None, None, "/x") == ()


def replaced(folder: Path) -> tuple[int, int]:
    """A known file that another one has replaced: the inode that it had."""
    old = file_id(folder / "secret")
    (folder / "new").touch()
    (folder / "new").replace(folder / "secret")
    return old


def test_a_replaced_file_is_still_known_by_its_other_name(known: KnownFiles, folder: Path) -> None:
    (folder / "secret").touch()
    os.link(folder / "secret", folder / "kept")
    learned(known, folder / "secret")
    old = replaced(folder)
    assert [one.name for one in known.of(*old, str(folder / "kept"))] == [str(folder / "secret")]
    assert [one.name for one in known.of(*old, str(folder / "gone"))] == [str(folder / "secret")]


def test_a_file_that_took_over_the_number_of_a_known_one_is_not_that_one(
    known: KnownFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "secret").touch()
    os.link(folder / "secret", folder / "stranger")
    learned(known, folder / "secret")
    old = replaced(folder)
    real = look.status

    def born_later(descriptor: int) -> look.Status:
        return real(descriptor)._replace(born=(1, 0))

    monkeypatch.setattr(look, "status", born_later)
    assert known.of(*old, str(folder / "stranger")) == ()


def test_a_listing_of_a_folder_that_changes_is_not_relied_on(known: KnownFiles, folder: Path) -> None:
    learned(known, folder / "secret")
    assert not known._listings


def test_a_thousand_paths_are_learned(known: KnownFiles, folder: Path) -> None:
    paths = []
    for number in range(1000):
        path = folder / f"{number % 30}" / f"{number}"
        path.parent.mkdir(exist_ok=True)
        path.touch()
        paths.append(path)
    assert len(learned(known, *paths)) == 1000
    assert all(stat.S_ISREG(path.stat().st_mode) for path in paths)
