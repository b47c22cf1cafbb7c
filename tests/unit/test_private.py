"""Links on the way to what nobody else may touch: who could have put them there?"""

import os
from pathlib import Path

import pytest

from fileaudit_engine.diagnostics import UnusableInput
from fileaudit_engine.private import Private

LOG = Private(what="log", remedy="choose another", below_system_groups=True)
STORE = Private(what="store", remedy="choose another")


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that a group can write to that is not ours, as /var/log is on some systems."""
    folder = tmp_path / "log"
    folder.mkdir()
    folder.chmod(0o775)
    monkeypatch.setattr(os, "getegid", lambda: 54_321)
    if os.geteuid() == 0:
        os.chown(folder, 0, 104)
    return folder


@pytest.mark.parametrize("kind", [LOG, STORE])
@pytest.mark.parametrize("below", ["", "further/down"])
def test_a_link_where_a_group_can_write_is_refused(
    shared: Path, tmp_path: Path, kind: Private, below: str
) -> None:
    (tmp_path / "target").mkdir(mode=0o700)
    (shared / "fileaudit").symlink_to(tmp_path / "target")
    with pytest.raises(UnusableInput) as raised:
        kind.folder(shared / "fileaudit" / below)
    assert "a symbolic link stands where others can write" in raised.value.diagnostics[0].message
    assert list((tmp_path / "target").iterdir()) == []


def test_a_link_that_leads_to_such_a_link_is_refused(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir(mode=0o700)
    (shared / "inner").symlink_to(tmp_path / "target")
    (tmp_path / "outer").symlink_to("log/../log/inner")
    with pytest.raises(UnusableInput):
        LOG.folder(tmp_path / "outer")


def test_a_link_in_a_folder_of_ours_is_followed(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("target")
    assert STORE.folder(tmp_path / "link" / "made") == tmp_path / "target" / "made"


def test_a_link_of_ours_in_a_folder_that_sticks_is_followed(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir(mode=0o700)
    sticky = tmp_path / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    (sticky / "link").symlink_to(tmp_path / "target")
    assert STORE.folder(sticky / "link") == tmp_path / "target"
    if os.geteuid() == 0:
        os.chown(sticky / "link", 12_345, -1, follow_symlinks=False)
        with pytest.raises(UnusableInput):
            STORE.folder(sticky / "link")


def test_links_that_go_round_in_circles_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        STORE.folder(tmp_path / "a")


def test_a_plain_folder_below_one_of_a_group_of_the_system_is_taken(shared: Path) -> None:
    if os.geteuid() == 0:
        assert LOG.folder(shared / "fileaudit") == shared / "fileaudit"
    with pytest.raises(UnusableInput):
        STORE.folder(shared / "fileaudit")
