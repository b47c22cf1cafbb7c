"""What is known of the host's files is kept up to date."""

import os
import re
import struct
from pathlib import Path

import pytest
from tests.unit.compiler.examples import path_test
from tests.unit.sources.namespaces import alone, mounted, needs_root

from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.sources import host_files, known_files
from fileaudit_engine.sources.host_files import HostFiles, mount_entries
from fileaudit_engine.sources.mount_table import MountTable

MAPS_H = (Path(__file__).parents[3] / "bpf" / "maps.h").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a name in lower case, as wanted paths have."""
    return tmp_path_factory.mktemp("host").resolve()


def files_for(path: Path) -> HostFiles:
    return HostFiles(kernel_plan([path_test(str(path))]), mounts="/proc/self/mountinfo")


def test_the_files_of_a_plan_are_known_from_the_start(folder: Path) -> None:
    (folder / "secret").touch()
    host = files_for(folder / "secret")
    assert [inode for _, inode in host.files] == [(folder / "secret").stat().st_ino]
    host.close()


def test_other_rules_make_other_files_known(folder: Path) -> None:
    for name in ("secret", "other"):
        (folder / name).touch()
    host = files_for(folder / "secret")
    plan = kernel_plan([path_test(str(folder / "other"))])
    host.replace_plan(plan)
    assert [inode for _, inode in host.files] == [(folder / "other").stat().st_ino]
    assert host.resolver.plan is plan
    host.close()


@needs_root
def test_only_what_has_changed_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def action() -> None:
        host = files_for(folder / "secret")
        assert not host.refresh_files()
        assert not host.refresh_mounts()
        (folder / "secret").touch()
        monkeypatch.setattr(host._known, "_due", 0.0)
        monkeypatch.setattr(host._known, "_not_before", 0.0)
        assert host.refresh_files()
        (folder / "point").mkdir()
        mounted("tmpfs", folder / "point")
        assert host.refresh_mounts()
        assert host.table.at(os.fsencode(folder / "point"))

    alone(action)


def test_where_there_is_room_for_all_there_is_no_doubt(folder: Path) -> None:
    (folder / "secret").touch()
    host = files_for(folder / "secret")
    assert host.doubts(256) == []
    host.close()


def test_files_that_find_no_room_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_files, "LITERALS", 2)
    for name in "abc":
        (folder / name).touch()
    host = HostFiles(
        kernel_plan([path_test(f"{folder}/{name}") for name in "abc"]), mounts="/proc/self/mountinfo"
    )
    assert host.doubts(2) == ["1 file that rules name: not seen under other names (hard links)"]
    assert host.doubts(1) == ["2 files that rules name: not seen under other names (hard links)"]
    host.replace_plan(kernel_plan([path_test(f"{folder}/a")]))
    assert host.doubts(1) == []
    host.close()


def test_file_systems_that_find_no_room_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = files_for(folder / "secret")
    monkeypatch.setattr(host_files, "MAX_MOUNTS", 0)
    systems = f"{len(host.table.showing)} file systems"
    assert host.doubts(256) == [
        f"{systems} with no room in the kernel: no other names of what is mounted elsewhere, too"
    ]
    host.close()


# --------------------------------------------------------------------------------- the kernel's maps


def number_in_c(name: str) -> int:
    found = re.search(rf"#define {name} (\d+)", MAPS_H)
    assert found
    return int(found[1])


def test_the_structure_is_that_of_the_kernel_programs() -> None:
    assert number_in_c("NAMES") == host_files._NAMES
    assert number_in_c("ROOT_BYTES") == host_files._ROOT_BYTES
    assert number_in_c("POINT_BYTES") == host_files._POINT_BYTES
    body = re.search(r"struct canonical_mount \{(.*?)\};", MAPS_H, re.DOTALL)
    assert body
    assert re.findall(r"(\w+) (\w+)(?:\[(\w+)\])?;", body[1]) == [
        ("u16", "root_bytes", ""),
        ("u16", "point_bytes", ""),
        ("u32", "unused", ""),
        ("u8", "root", "ROOT_BYTES"),
        ("u8", "point", "POINT_BYTES"),
    ]


def entries(*lines: bytes) -> tuple[dict[tuple[int, int], tuple[bytes, bytes]], list[int]]:
    mounts, canonical = mount_entries(MountTable.of(b"\n".join(lines)))
    told = {}
    for device, value in mounts.items():
        root_bytes, point_bytes, _, root, point = struct.unpack("=HHI64s248s", value)
        told[struct.unpack("=II", device)] = root[:root_bytes], point[:point_bytes]
    return told, sorted(struct.unpack("=I", number)[0] for number in canonical)


def test_a_mount_is_told_by_what_stands_before_the_names_in_it() -> None:
    mounts, canonical = entries(
        b"27 1 254:0 / / rw - ext4 x rw",
        b"30 27 0:30 /@home /home rw - btrfs x rw",
        b"31 27 254:0 /a /b rw - ext4 x rw",
    )
    assert mounts == {(254 << 20, 0): (b"", b""), (30, 0): (b"/@home", b"/home")}
    assert canonical == [27, 30]


def test_a_file_system_that_is_shown_in_parts_has_a_few_names() -> None:
    lines = [b"%d 27 0:30 /@%d /m%d rw - btrfs x rw" % (30 + n, n, n) for n in range(6)]
    mounts, canonical = entries(*lines)
    assert mounts == {(30, n): (b"/@%d" % n, b"/m%d" % n) for n in range(host_files._NAMES)}
    assert canonical == [30, 31, 32, 33, 34, 35]


def test_texts_that_find_no_room_are_left_out() -> None:
    long_root = b"30 27 0:30 /" + b"r" * 64 + b" /home rw - btrfs x rw"
    long_point = b"31 27 0:31 / /" + b"p" * 248 + b" rw - tmpfs x rw"
    assert entries(long_root, long_point) == ({}, [30, 31])
