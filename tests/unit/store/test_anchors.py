"""Anchors: lines that vouch for the end of a chain, and the file that they are kept in."""

import fcntl
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.diagnostics import MachineCannot, UnusableInput
from fileaudit_engine.events.times import LAST_NS, UNITS_NS
from fileaudit_engine.store import anchors as module
from fileaudit_engine.store.anchors import (
    Anchor,
    AnchorFile,
    announced,
    default_file,
    line_of,
    parse,
    thinned,
)

HOUR_NS, DAY_NS = UNITS_NS["h"], UNITS_NS["d"]
OURS, OTHER = b"s" * 16, b"o" * 16


def anchor(seq: int, time_ns: int = DAY_NS, store: bytes = OURS) -> Anchor:
    return Anchor(store, seq, seq.to_bytes(32, "big"), time_ns)


any_anchor = st.builds(
    Anchor,
    st.binary(min_size=16, max_size=16),
    st.integers(0, LAST_NS),
    st.binary(min_size=32, max_size=32),
    st.integers(0, LAST_NS),
    st.integers(0, LAST_NS),
)


@given(any_anchor, st.sampled_from(["", "Nov 28 14:00:00 web1 fileaudit-engine[7]: ", '{"MESSAGE":"']))
def test_an_anchor_is_found_wherever_its_line_stands(one: Anchor, before: str) -> None:
    after = '"}' if before.startswith("{") else ""
    assert parse([f"{before}{line_of(one)}{after}\n"]).found == (one,)


@given(st.lists(any_anchor, max_size=3), st.text())
def test_a_text_around_them_does_no_harm(those: list[Anchor], text: str) -> None:
    lines = [text, *(line_of(one) for one in those), text]
    assert list(parse(lines).found) == those


@pytest.mark.parametrize("cut", [1, 20, 60, 100])
def test_a_torn_line_is_counted_and_is_no_anchor(cut: int) -> None:
    assert parse([line_of(anchor(7))[:-cut]]) == module.Anchors(found=(), unreadable=1)


def test_a_number_that_goes_on_is_no_anchor() -> None:
    assert parse([line_of(anchor(7)) + "0"]).found == ()


@pytest.mark.parametrize(
    ("what", "other"),
    [("seq=7 ", "seq=9999999999999999999 "), ("time=1970-01-02T", "time=1970-13-02T"), ("link=0", "link=x")],
)
def test_an_anchor_that_cannot_be_is_counted_and_is_none(what: str, other: str) -> None:
    line = line_of(anchor(7))
    assert what in line
    assert parse([line.replace(what, other)]) == module.Anchors(found=(), unreadable=1)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path / "logs" / "anchors.log")
    assert file.read().found == ()
    file.append(anchor(1))
    file.append(anchor(2))
    assert file.read().found == (anchor(1), anchor(2))


def test_the_file_and_its_folder_are_nobody_elses(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path / "logs" / "anchors.log")
    file.append(anchor(1))
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700


def test_a_torn_line_does_not_swallow_the_next_one(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path / "logs" / "anchors.log")
    file.append(anchor(1))
    os.truncate(file.path, file.path.stat().st_size - 9)
    file.append(anchor(2))
    assert file.read() == module.Anchors(found=(anchor(2),), unreadable=1)


def link_to_a_file(path: Path) -> None:
    (path.parent / "elsewhere").write_text("precious\n")
    path.symlink_to(path.parent / "elsewhere")


def hard_link(path: Path) -> None:
    (path.parent / "elsewhere").write_text("precious\n")
    path.hardlink_to(path.parent / "elsewhere")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def open_to_all(path: Path) -> None:
    path.touch()
    path.chmod(0o666)


@pytest.mark.parametrize("prepare", [link_to_a_file, hard_link, pipe, open_to_all])
def test_a_file_that_others_may_have_a_hand_in_is_not_written(
    tmp_path: Path, prepare: Callable[[Path], None]
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir(mode=0o700)
    prepare(folder / "anchors.log")
    with pytest.raises((UnusableInput, MachineCannot)):
        AnchorFile(folder / "anchors.log").append(anchor(1))
    elsewhere = folder / "elsewhere"
    assert not elsewhere.exists() or elsewhere.read_text() == "precious\n"


def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs").chmod(0o777)
    with pytest.raises(UnusableInput, match="other users can write"):
        AnchorFile(tmp_path / "logs" / "anchors.log").append(anchor(1))


def test_a_full_disk_is_told_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(MachineCannot, match="No space left") as caught:
        AnchorFile(tmp_path / "logs" / "anchors.log").append(anchor(1))
    assert "free some space" in caught.value.remedy


def test_a_file_that_another_process_does_not_let_go_of_holds_nobody_up(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path / "logs" / "anchors.log")
    file.append(anchor(1))
    with file.path.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(MachineCannot, match="does not let go"):
            file.append(anchor(2))
    file.append(anchor(3))
    assert file.read().found == (anchor(1), anchor(3))


def test_a_flood_of_anchors_pushes_none_of_another_hour_out(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path / "logs" / "anchors.log")
    early = [anchor(number, DAY_NS + number * HOUR_NS) for number in range(1, 30)]
    flood = [anchor(100 + number, DAY_NS + 30 * HOUR_NS + number) for number in range(30_000)]
    file.append(early[0])
    with file.path.open("a") as stream:
        stream.writelines(f"{line_of(one)}\n" for one in (*early[1:], *flood))
    file.append(anchor(10**6, DAY_NS + 31 * HOUR_NS))
    kept = file.read().found
    assert file.path.stat().st_size < module.LARGEST_BYTES / 4
    assert set(early) <= set(kept)
    assert kept[-1] == anchor(10**6, DAY_NS + 31 * HOUR_NS)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert list(file.path.parent.iterdir()) == [file.path]


def test_a_file_of_which_much_has_to_stay_is_not_thinned_out_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST_BYTES", 500)
    file = AnchorFile(tmp_path / "logs" / "anchors.log")
    inodes = set()
    for number in range(60):
        file.append(anchor(number, number * HOUR_NS))
        inodes.add(file.path.stat().st_ino)
    assert len(file.read().found) == 60
    assert len(inodes) < 10


def test_a_file_that_was_replaced_while_its_lock_was_waited_for_is_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AnchorFile(tmp_path / "logs" / "anchors.log")
    file.append(anchor(1))
    real, locked = module._lock, list[int]()

    def lock(descriptor: int) -> None:
        real(descriptor)
        if not locked:  # somebody was faster
            smaller = file.path.with_name("smaller")
            smaller.write_text(f"{line_of(anchor(2))}\n")
            smaller.chmod(0o600)
            smaller.replace(file.path)
        locked.append(descriptor)

    monkeypatch.setattr(module, "_lock", lock)
    file.append(anchor(3))
    assert file.read().found == (anchor(2), anchor(3))


def test_a_file_that_may_only_grow_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_permitted(*_: object) -> Path:
        raise PermissionError(1, "Operation not permitted")

    file = AnchorFile(tmp_path / "logs" / "anchors.log")
    file.append(anchor(1))
    file._thinned_at = 100
    monkeypatch.setattr(Path, "replace", not_permitted)
    file.append(anchor(2))
    file.append(anchor(3))
    assert file.read().found == (anchor(1), anchor(2), anchor(3))
    assert list(file.path.parent.iterdir()) == [file.path]


def test_after_a_hundred_days_one_of_a_day_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_NEWEST", 1)
    every_hour = [anchor(number, number * HOUR_NS) for number in range(24 * 200)]
    kept = thinned(every_hour)
    assert kept == [one for one in every_hour if one.seq % 24 == 0 or one.seq >= 24 * 100]


def test_the_first_that_told_a_beginning_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_NEWEST", 1)
    told = [Anchor(OURS, n, bytes(32), DAY_NS + n, n // 10) for n in range(40)]
    assert [one.seq for one in thinned(told)] == [0, 10, 20, 30, 39]


def test_what_was_announced_is_what_older_anchors_of_the_store_say() -> None:
    told = [
        Anchor(OURS, 5, bytes(32), 1, 0),
        Anchor(OURS, 7, bytes(32), 2, 4),
        Anchor(OTHER, 7, bytes(32), 2, 9),
    ]
    assert [announced(told, OURS, row) for row in (5, 6, 7, 8)] == [None, 0, 0, 4]


def test_stores_that_share_a_file_do_not_thin_out_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_NEWEST", 2)
    ours, theirs = [anchor(n) for n in range(9)], [anchor(n, store=OTHER) for n in range(9)]
    kept = thinned([one for pair in zip(ours, theirs, strict=True) for one in pair])
    assert {one for one in kept if one.store == OURS} == {ours[0], *ours[-2:]}
    assert {one for one in kept if one.store == OTHER} == {theirs[0], *theirs[-2:]}


@pytest.mark.parametrize(
    ("store", "file"),
    [
        ("/var/lib/fileaudit/fileaudit.db", "/var/log/fileaudit/anchors.log"),
        ("/var/lib/fileaudit/second.db", "/var/log/fileaudit/second.db.anchors"),
        ("/srv/audit/store.db", "/srv/audit/store.db.anchors"),
    ],
)
def test_where_anchors_go_unless_told_otherwise(store: str, file: str) -> None:
    assert default_file(Path(store)) == Path(file)
