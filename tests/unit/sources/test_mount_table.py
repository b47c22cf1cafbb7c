"""What is mounted where, and by which name a file is known."""

import os
import select
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sources.namespaces import (
    alone,
    bind,
    mounted,
    needs_root,
    process,
    read_table,
    unmounted,
    unshared,
)

from fileaudit_engine.sources import mount_table
from fileaudit_engine.sources.mount_table import (
    CanonicalMount,
    Mount,
    MountTable,
    MountWatch,
    within,
)

ROOT = b"27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw"


def table(*lines: bytes) -> MountTable:
    return MountTable.of(b"".join(line + b"\n" for line in lines))


def place(found: MountTable, device: int) -> tuple[bytes, bytes]:
    canonical = found.canonical[device]
    return canonical.root, canonical.point


def test_a_line_says_what_is_mounted_where() -> None:
    found = table(b"61 27 0:44 /in\\040side /mnt/a\\134b rw shared:5 master:1 - tmpfs none rw,size=4k")
    assert found.by_number == {
        61: Mount(number=61, parent=27, device=44, root=b"/in side", point=b"/mnt/a\\b", kind=b"tmpfs")
    }


def test_a_device_has_the_kernels_number() -> None:
    assert list(table(ROOT).canonical) == [254 << 20]


@given(st.binary(min_size=1, max_size=30).filter(lambda name: b"\0" not in name))
def test_any_name_survives_the_kernels_escapes(name: bytes) -> None:
    escaped = b"".join(b"\\%03o" % byte if byte in b" \t\n\\#" else bytes((byte,)) for byte in name)
    (mount,) = table(b"61 27 0:44 / /" + escaped + b" rw - tmpfs none rw").by_number.values()
    assert mount.point == b"/" + name


@given(st.binary(max_size=200))
def test_no_text_is_too_strange(raw: bytes) -> None:
    MountTable.of(raw)
    assert 27 in MountTable.of(ROOT + b"\n" + raw.replace(b"27", b"28")).by_number


def test_the_whole_file_system_is_canonical_before_a_part_of_it() -> None:
    found = table(b"9 27 254:0 /srv/a /mnt/b rw - ext4 x rw", ROOT)
    assert place(found, 254 << 20) == (b"/", b"/")
    assert found.canonical_ids == {27}
    assert found.canonical_name(9, b"/mnt/b/c/d") == b"/srv/a/c/d"
    assert found.canonical_name(9, b"/mnt/b") == b"/srv/a"
    assert found.canonical_name(27, b"/srv/a/c") is None


def test_what_no_other_mount_shows_is_canonical_too() -> None:
    found = table(
        b"30 1 0:30 /@ / rw - btrfs x rw,subvol=/@",
        b"31 30 0:30 /@home /home rw - btrfs x rw,subvol=/@home",
        b"32 30 0:30 /@home/alice /mnt rw - btrfs x rw,subvol=/@home",
    )
    assert place(found, 30) == (b"/@", b"/")
    assert found.canonical_ids == {30, 31}
    assert found.canonical_name(32, b"/mnt/x") == b"/home/alice/x"
    assert found.host_name(30, b"/@/etc/shadow") == b"/etc/shadow"
    assert found.host_name(30, b"/@snapshots/1") is None


def test_of_two_mounts_of_the_same_the_older_one_is_canonical() -> None:
    found = table(ROOT, b"50 27 0:9 / /two rw - tmpfs x rw", b"40 27 0:9 / /one rw - tmpfs x rw")
    assert place(found, 9) == (b"/", b"/one")
    assert found.canonical_name(50, b"/two/x") == b"/one/x"


def test_a_mount_below_a_containers_root_is_the_last_choice() -> None:
    found = table(
        ROOT,
        b"40 27 0:40 / /var/lib/docker/overlay2/X/merged rw - overlay overlay rw",
        b"41 40 0:41 / /var/lib/docker/overlay2/X/merged/data rw - tmpfs x rw",
        b"42 27 0:41 / /srv/data rw - tmpfs x rw",
        b"43 40 0:43 / /var/lib/docker/overlay2/X/merged/proc rw - proc proc rw",
    )
    assert place(found, 41) == (b"/", b"/srv/data")
    assert place(found, 40)[1] == b"/var/lib/docker/overlay2/X/merged"
    assert place(found, 43)[1].endswith(b"merged/proc")


def test_a_host_that_runs_on_an_overlay_is_no_container() -> None:
    found = table(
        b"27 1 0:7 / / rw - overlay overlay rw",
        b"30 27 0:8 / /var rw - tmpfs x rw",
        b"9 27 0:8 /lib /usr/lib rw - tmpfs x rw",
    )
    assert place(found, 8) == (b"/", b"/var")


@pytest.mark.parametrize(
    "later",
    [
        (b"50 40 0:50 / /a/b rw - tmpfs on-its-root rw",),
        (b"50 27 0:50 / /a rw - tmpfs higher-up rw",),
        (b"50 39 0:50 / /a rw - tmpfs on-what-is-below rw", b"39 27 0:49 / /a rw - tmpfs x rw"),
    ],
)
def test_a_mount_that_another_one_hides_is_not_canonical(later: tuple[bytes, ...]) -> None:
    parent = b"39" if len(later) == 2 else b"27"
    found = table(
        ROOT, b"40 " + parent + b" 0:9 / /a/b rw - tmpfs x rw", b"60 27 0:9 / /c rw - tmpfs x rw", *later
    )
    assert place(found, 9) == (b"/", b"/c")


@pytest.mark.parametrize("root", [b"net:[4026531840]", b"/gone//deleted"])
def test_what_has_no_name_in_its_file_system_names_nothing(root: bytes) -> None:
    assert table(ROOT, b"50 27 0:4 " + root + b" /run/netns/x rw - nsfs nsfs rw").canonical.keys() == {
        254 << 20
    }


def test_parents_that_go_round_in_circles_end() -> None:
    assert len(table(b"1 2 0:1 / /a rw - tmpfs x rw", b"2 1 0:2 / /b rw - tmpfs x rw").canonical) == 2


def test_a_path_is_in_the_deepest_mount() -> None:
    found = table(
        ROOT,
        b"40 27 0:9 / /a rw - tmpfs x rw",
        b"41 40 0:10 / /a rw - proc x rw",
        b"42 27 0:9 / /ab rw - nfs x rw",
    )
    kinds = [mount.kind for path in (b"/a/b/c", b"/a", b"/abc", b"/", b"/ab/x") if (mount := found.at(path))]
    assert kinds == [b"proc", b"proc", b"ext4", b"ext4", b"nfs"]


@pytest.mark.parametrize(
    ("root", "point", "path", "inside"),
    [
        (b"/", b"/", b"/x", b"/x"),
        (b"/", b"/", b"/", b"/"),
        (b"/r", b"/p", b"/p", b"/r"),
        (b"/r", b"/p", b"/p/x", b"/r/x"),
        (b"/r", b"/p", b"/px", None),
        (b"/", b"/p", b"/p", b"/"),
        (b"/r", b"/", b"/x", b"/r/x"),
    ],
)
def test_a_path_within_its_file_system(root: bytes, point: bytes, path: bytes, inside: bytes | None) -> None:
    mount = Mount(number=1, parent=0, device=1, root=root, point=point, kind=b"tmpfs")
    assert within(mount, path) == inside


def test_the_mounts_of_this_machine_have_the_devices_that_stat_tells() -> None:
    found = read_table("/proc/self/mountinfo")
    status = Path("/proc").stat()
    mount = found.at(b"/proc")
    assert mount
    assert mount.device == os.major(status.st_dev) << 20 | os.minor(status.st_dev)
    assert found.canonical[mount.device] == CanonicalMount(root=b"/", point=b"/proc")


@needs_root
def test_a_change_of_the_mounts_is_noticed(tmp_path: Path) -> None:
    def action() -> None:
        watch = MountWatch("/proc/self/mountinfo")
        assert not watch.refresh_if_changed()
        mounted("tmpfs", tmp_path)
        assert watch.refresh_if_changed()
        mount = watch.table.at(bytes(tmp_path))
        assert mount
        assert (mount.kind, mount.point, mount.local) == (b"tmpfs", bytes(tmp_path), True)
        assert not watch.refresh_if_changed()
        unmounted(tmp_path)
        assert watch.refresh_if_changed()
        assert mount.number not in watch.table.by_number

    alone(action)


@needs_root
def test_a_bind_mount_leads_to_the_name_that_rules_know(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "there\n").mkdir()
    with bind(tmp_path / "a b", tmp_path / "there\n"):
        found = read_table("/proc/self/mountinfo")
        mount = found.at(bytes(tmp_path / "there\n"))
        assert mount
        assert found.canonical_name(mount.number, bytes(tmp_path / "there\n" / "x")) == bytes(
            tmp_path / "a b" / "x"
        )


@needs_root
def test_the_mounts_of_another_namespace_are_its_own(tmp_path: Path) -> None:
    def prepare() -> None:
        unshared()
        mounted("tmpfs", tmp_path)

    with process(prepare) as pid:
        there = read_table(f"/proc/{pid}/mountinfo").at(bytes(tmp_path))
        here = read_table("/proc/self/mountinfo").at(bytes(tmp_path))
    assert there
    assert here
    assert (there.point, here.point == bytes(tmp_path)) == (bytes(tmp_path), False)


def test_where_init_may_not_be_looked_at_our_own_mounts_are_taken() -> None:
    watch = MountWatch(f"/proc/{1 << 30}/mountinfo")
    assert watch.table.by_number == read_table("/proc/self/mountinfo").by_number
    watch.close()


@needs_root
def test_mounts_that_change_all_the_time_are_not_read_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mount_table, "_SHARE", 1e-9)
    monkeypatch.setattr(mount_table, "_BURST_S", 1e-9)  # a single time is more

    def action() -> None:
        watch = MountWatch("/proc/self/mountinfo")
        mounted("tmpfs", tmp_path)
        assert watch.refresh_if_changed()
        mounted("tmpfs", tmp_path)
        assert not watch.refresh_if_changed()
        assert watch.mount(number_at(tmp_path))  # who asks for one that is new, gets it
        assert watch.refresh_if_changed()
        mounted("tmpfs", tmp_path)
        assert not watch.mount(number_at(tmp_path))  # but not whenever he asks
        assert not watch.is_current()
        assert not watch.refresh_if_changed()

    alone(action)


@needs_root
def test_a_change_that_was_read_for_one_who_asked_is_still_told(tmp_path: Path) -> None:
    def action() -> None:
        watch = MountWatch("/proc/self/mountinfo")
        mounted("tmpfs", tmp_path)
        assert watch.mount(number_at(tmp_path))
        assert watch.is_current()
        assert watch.refresh_if_changed()
        assert not watch.refresh_if_changed()

    alone(action)


@needs_root
def test_whoever_sleeps_on_the_waker_is_woken_and_the_watch_still_knows(tmp_path: Path) -> None:
    def action() -> None:
        watch = MountWatch("/proc/self/mountinfo")
        sleeper = select.poll()
        sleeper.register(watch.waker, watch.WAKES)
        assert not sleeper.poll(0)
        mounted("tmpfs", tmp_path)
        assert sleeper.poll(0)
        assert not sleeper.poll(0)
        assert watch.refresh_if_changed()

    alone(action)


# ------------------------------------------------------------------------------------------ many mounts


def stacked(count: int) -> bytes:
    """All in one place, each on the one before."""
    return b"\n".join(b"%d %d 254:0 /a /b rw - ext4 x rw" % (n, n - 1) for n in range(2, count + 2))


def side_by_side(count: int) -> bytes:
    """Each of another folder, and at another place."""
    return b"\n".join(b"%d 1 254:0 /a/%d /b/%d rw - ext4 x rw" % (n, n, n) for n in range(2, count + 2))


def steps(raw: bytes) -> int:
    """Lines of our own code that are gone through for a table."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace if frame.f_code.co_filename == mount_table.__file__ else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        MountTable.of(raw)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("shape", [stacked, side_by_side])
def test_ten_times_the_mounts_are_ten_times_the_work(shape: Callable[[int], bytes]) -> None:
    assert 0 < steps(shape(3000)) < 11 * steps(shape(300))


def test_the_last_of_many_in_one_place_hides_the_others_and_nothing_hides_it() -> None:
    lines = stacked(3000).replace(b"2 1 254:0 /a /b", b"2 1 0:9 / /c").replace(b" 2 254:0", b" 1 254:0")
    found = MountTable.of(lines + b"\n5000 3001 0:9 / /b/c rw - tmpfs x rw")
    on_top = found.at(b"/b")
    assert on_top
    assert on_top.number == 3001
    assert found.canonical[254 << 20] == CanonicalMount(root=b"/a", point=b"/b")
    assert found.canonical_name(5000, b"/b/c/x") == b"/c/x"
    assert MountTable.of(lines).canonical_ids == {2, 3001}


def number_at(path: Path) -> int:
    """Of the mount that stands there."""
    mount = read_table("/proc/self/mountinfo").at(bytes(path))
    assert mount
    return mount.number
