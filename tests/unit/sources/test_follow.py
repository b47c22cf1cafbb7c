"""Names that are followed without opening anything."""

import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.unit.sources.namespaces import bind, mounted, needs_root, process, unanswered, unshared

from fileaudit_engine.sources import follow as follow_module
from fileaudit_engine.sources import look
from fileaudit_engine.sources.follow import Caller, Follower, Place, normalised
from fileaudit_engine.sources.mount_table import MountWatch
from fileaudit_engine.text import from_kernel

US = Caller(pid=os.getpid(), thread=os.getpid())
ENDED = Caller(pid=1 << 30, thread=1 << 30)

Follow = Callable[..., Place]


@pytest.fixture(params=["as it is", "before 5.12"])
def follow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Follow]:
    """Follows names, on this kernel and as if it were an older one."""
    if request.param == "before 5.12":
        monkeypatch.setattr(look, "cached", lambda: 0)
    mounts = MountWatch("/proc/self/mountinfo")

    def _follow(path: str | Path, caller: Caller = US, *, keep_last: bool = False) -> Place:
        return Follower(mounts).follow(str(path), caller, keep_last=keep_last)

    yield _follow
    mounts.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With its true name."""
    return tmp_path.resolve()


def test_a_link_is_followed(follow: Follow, folder: Path) -> None:
    (folder / "file").write_text("four")
    (folder / "link").symlink_to("file")
    place = follow(folder / "link")
    status = (folder / "file").stat()
    assert (place.path, place.whole) == (str(folder / "file"), True)
    assert place.status
    assert place.status.size == 4
    assert (place.status.inode, place.status.mode) == (status.st_ino, status.st_mode)


def test_a_link_that_the_call_was_about_is_kept(follow: Follow, folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "linked").symlink_to("real")
    (folder / "real/link").symlink_to("nowhere")
    place = follow(folder / "linked/link", keep_last=True)
    assert (place.path, place.whole) == (str(folder / "real/link"), True)
    assert place.status
    assert place.status.inode == (folder / "real/link").lstat().st_ino


@pytest.mark.parametrize(
    "name", ["real/../gone", "linked/./gone", "real//gone", "linked/gone/", "linked/gone//"]
)
def test_a_name_that_was_taken_away_is_found_by_its_folder(follow: Follow, folder: Path, name: str) -> None:
    (folder / "real").mkdir()
    (folder / "linked").symlink_to(".")
    place = follow(f"{folder}/{name}", keep_last=True)
    expected = (
        folder / "gone" if "real/." not in name and "linked" in name else folder / name.replace("//", "/")
    )
    assert (place.path, place.whole, place.status) == (os.path.normpath(expected), True, None)


@pytest.mark.parametrize("dots", [".", "..", "linked/..", "./."])
def test_dots_at_the_end_are_the_folder_itself(follow: Follow, folder: Path, dots: str) -> None:
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/linked").symlink_to("b")
    expected = os.path.realpath(f"{folder}/a/{dots}")
    assert follow(f"{folder}/a/{dots}", keep_last=True).path == expected


def test_a_link_that_dangles_leads_to_the_name_that_is_missing(follow: Follow, folder: Path) -> None:
    (folder / "there").mkdir()
    (folder / "chain").symlink_to("link")
    (folder / "link").symlink_to("there/../there/none")
    assert not (folder / "chain").exists()  # the kernel has just looked
    place = follow(folder / "chain")
    assert (place.path, place.whole, place.status) == (str(folder / "there/none"), True, None)


def test_behind_a_folder_that_is_gone_the_rest_is_text(follow: Follow, folder: Path) -> None:
    (folder / "here").mkdir()
    (folder / "link").symlink_to("here")
    place = follow(folder / "link/gone/a/../b")
    assert (place.path, place.whole) == (str(folder / "here/gone/b"), False)
    assert follow(folder / "link/gone/a", keep_last=True).whole is False


@pytest.mark.parametrize("path", ["", "relative", "/a\0b"])
def test_what_is_no_absolute_name_is_left(follow: Follow, path: str) -> None:
    assert follow(path).whole is False


def test_a_name_keeps_its_bytes(follow: Follow, folder: Path) -> None:
    file = os.fsencode(folder) + b"/\xff\n\x1b"
    Path(os.fsdecode(file)).touch()
    (folder / "link").symlink_to(os.fsdecode(file))
    assert follow(folder / "link").path == from_kernel(file)


def test_a_name_that_ends_like_that_of_a_deleted_file_is_whole(follow: Follow, folder: Path) -> None:
    (folder / "file (deleted)").touch()
    place = follow(folder / "file (deleted)")
    assert (place.path, place.deleted) == (str(folder / "file (deleted)"), False)


# ------------------------------------------------------------------------------------------- /proc


@pytest.fixture
def other() -> Iterator[Caller]:
    """A process that waits, in the folder /usr, with /etc/passwd as its descriptor 100."""

    def prepare() -> None:
        os.dup2(os.open("/etc/passwd", os.O_RDONLY), 100)
        os.chdir("/usr")

    with process(prepare) as pid:
        yield Caller(pid=pid, thread=pid)


@pytest.mark.parametrize(
    ("name", "leads_to"),
    [
        ("/proc/self/fd/100", "/etc/passwd"),
        ("/dev/fd/100", "/etc/passwd"),
        ("/proc/thread-self/fd/100", "/etc/passwd"),
        ("/proc/self/cwd/bin", "/usr/bin"),
        ("/proc/self/root/etc/passwd", "/etc/passwd"),
        ("/proc/self/root/etc/none", "/etc/none"),
        ("/proc/self/status", "/proc/{pid}/status"),
        ("/proc/mounts", "/proc/{pid}/mounts"),
        ("/proc/thread-self/status", "/proc/{pid}/task/{pid}/status"),
        ("/proc/self/cwd/../etc/passwd", "/etc/passwd"),
    ],
)
def test_proc_self_is_the_callers(follow: Follow, other: Caller, name: str, leads_to: str) -> None:
    place = follow(name, other)
    assert (place.path, place.whole) == (leads_to.format(pid=other.pid), True)


def test_our_own_descriptors_are_never_taken_for_the_callers(
    follow: Follow, folder: Path, other: Caller
) -> None:
    (folder / "secret").touch()
    opened = os.open(folder / "secret", os.O_RDONLY)
    descriptor = fcntl.fcntl(opened, fcntl.F_DUPFD, 200)  # that the other one does not have
    os.close(opened)
    try:
        assert "secret" not in follow(f"/dev/fd/{descriptor}", other).path
        assert follow(f"/proc/{os.getpid()}/fd/{descriptor}", other).path == str(folder / "secret")
    finally:
        os.close(descriptor)


def test_the_root_of_a_caller_that_ended_is_taken_for_the_hosts(follow: Follow) -> None:
    for name in ("/proc/self/root/etc/passwd", "/proc/thread-self/root//etc/passwd"):
        assert follow(name, ENDED)[:2] == ("/etc/passwd", True)
    assert follow(f"/proc/{ENDED.pid}/root/etc/passwd", US)[:2] == ("/etc/passwd", True)
    assert follow("/proc/self/fd/3", ENDED)[:2] == (f"/proc/{ENDED.pid}/fd/3", False)
    assert follow("/proc/thread-self/../x", ENDED)[:2] == (f"/proc/{ENDED.pid}/task/x", False)


def test_what_has_no_name_is_called_what_it_is(follow: Follow) -> None:
    here, there = socket.socketpair()
    reading, writing = os.pipe()
    memory = os.memfd_create("hidden")
    try:
        for descriptor in (here.fileno(), reading):
            name = Path(f"/proc/self/fd/{descriptor}")
            assert follow(name).path == str(name.readlink())
        place = follow(f"/proc/self/fd/{memory}")
        assert (place.path, place.deleted) == ("/memfd:hidden", True)
    finally:
        here.close()
        there.close()
        for descriptor in (reading, writing, memory):
            os.close(descriptor)


def test_a_deleted_file_has_the_name_that_it_had(follow: Follow, folder: Path) -> None:
    with (folder / "file").open("wb") as file:
        (folder / "file").unlink()
        place = follow(f"/proc/self/fd/{file.fileno()}")
    assert (place.path, place.deleted, place.whole) == (str(folder / "file"), True, True)


# ---------------------------------------------------------------------------------- roots and mounts


@needs_root
def test_links_begin_at_the_callers_root(follow: Follow, folder: Path) -> None:
    jail = folder / "jail"
    (jail / "etc").mkdir(parents=True)
    (jail / "etc/passwd").touch()
    (jail / "link").symlink_to("/etc/passwd")
    (jail / "up").symlink_to("../../../../etc/passwd")
    with process(lambda: os.chroot(jail)) as pid:
        for name in ("link", "up", "etc/../../../etc/passwd"):
            assert follow(jail / name, Caller(pid=pid, thread=pid)).path == str(jail / "etc/passwd")
            assert follow(jail / name, Caller(pid=pid, thread=pid)).whole
        outside = follow("/usr/../etc/passwd", Caller(pid=pid, thread=pid))
    assert outside.path == "/etc/passwd"


@needs_root
def test_names_in_another_namespace_are_followed_there(follow: Follow, folder: Path) -> None:
    root = folder / "root"
    root.mkdir()

    def prepare() -> None:
        unshared()
        mounted("tmpfs", root)
        (root / "etc").mkdir()
        (root / "etc/shadow").write_text("seven..")
        (root / "link").symlink_to("/etc/shadow")
        os.chroot(root)
        os.chdir("/")

    with process(prepare) as pid:
        caller = Caller(pid=pid, thread=pid, elsewhere=True)
        place = follow(f"{root}/link", caller)
        kept = follow(f"{root}/etc/../link", caller, keep_last=True)
        not_there = follow(f"{root}/link", US)
    assert (place.path, place.whole) == (f"{root}/etc/shadow", True)
    assert place.status
    assert place.status.size == 7
    assert (kept.path, kept.whole) == (f"{root}/link", True)
    assert not_there.status is None


@needs_root
def test_a_name_elsewhere_is_not_taken_for_one_of_ours(follow: Follow) -> None:
    caller = Caller(pid=US.pid, thread=US.thread, elsewhere=True)
    assert follow("/etc/../etc/passwd", caller) == Place("/etc/passwd", whole=False)
    assert follow("/etc/../etc/passwd", ENDED._replace(elsewhere=True)).whole is False


@needs_root
def test_a_bind_mount_is_crossed_both_ways(follow: Follow, folder: Path) -> None:
    (folder / "a/b").mkdir(parents=True)
    (folder / "c").mkdir()
    with bind(folder / "a/b", folder / "c"):
        assert follow(folder / "c/../c/x", keep_last=True).path == str(folder / "c/x")
        (folder / "link").symlink_to("c/..")
        assert follow(folder / "link").path == str(folder)


# ------------------------------------------------------------------------------------------ patience


@pytest.mark.parametrize("asked", ["link", "folder/shadow", "long", "chain"])
def test_a_link_is_followed_in_the_very_moment_in_which_it_was_made(
    follow: Follow, folder: Path, asked: str
) -> None:
    for number in range(10):
        place = folder / str(number)
        place.mkdir()
        (place / "link").symlink_to("/etc/shadow")
        (place / "folder").symlink_to("/etc")
        (place / "long").symlink_to("/etc/" + "./" * 100 + "shadow")
        (place / "chain").symlink_to("../" + str(number) + "/link")
        assert follow(f"{place}/{asked}")[:2] == ("/etc/shadow", True)


def test_a_loop_of_links_leads_nowhere(follow: Follow, folder: Path) -> None:
    (folder / "here").symlink_to("there")
    (folder / "there").symlink_to("here")
    assert follow(folder / "here").whole is False


def test_a_path_that_is_made_to_keep_us_busy_ends(follow: Follow, folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "wide").symlink_to("a/../" * 800)
    (folder / "link").symlink_to("/".join(["wide"] * 30) + "/gone")
    assert follow(folder / "link").whole is False


def test_a_fresh_link_on_a_file_system_that_could_make_us_wait_is_not_read(
    follow: Follow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_module, "LOCAL", frozenset[bytes]())
    read: list[object] = []
    real = os.readlink

    def readlink(path: bytes, **options: int) -> bytes:
        read.extend(options)
        return real(path, **options)

    monkeypatch.setattr(os, "readlink", readlink)
    (folder / "link").symlink_to("/etc/shadow")
    follow(folder / "link")
    assert not read  # the kernel may have known the link, and followed it itself


@needs_root
def test_a_file_system_that_never_answers_is_not_waited_for(follow: Follow, folder: Path) -> None:
    (folder / "point").mkdir()
    (folder / "link").symlink_to("point/deep/file")
    (folder / "way").symlink_to("point")
    with unanswered(folder / "point"):
        for name in ("point/x", "point/x/../y", "link", "way/x", "way/../way/x/y"):
            for keep_last in (False, True):
                assert follow(folder / name, keep_last=keep_last).path.startswith(f"{folder}/")
        assert follow(folder / "way/../link", keep_last=True).path == f"{folder}/link"
        assert follow(folder / "link")[:2] == (f"{folder}/point/deep/file", False)


@pytest.mark.parametrize(
    ("path", "normal"), [("/a/../b/./c//d", "/b/c/d"), ("//a", "/a"), ("/..", "/"), ("/a/", "/a")]
)
def test_dots_are_worked_out_as_text(path: str, normal: str) -> None:
    assert normalised(path) == normal
