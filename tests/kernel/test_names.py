"""A file under each name that rules may know: links, mounts, namespaces, on the live kernel."""

import contextlib
import ctypes
import errno
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.kernel.capture import ANY, Capture, begins, made, named, touch
from tests.unit.compiler.examples import text_test, user_rule
from tests.unit.sources.namespaces import bind, bound, file_system, process, unshared

from fileaudit_engine.compiler.ir import All, Predicate
from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.compiler.plan import UserPlan
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.events.fields import LogSource
from fileaudit_engine.events.model import FileEvent, Loss, Operation, PathState

# ruff: noqa: PTH101, PTH102, PTH104, PTH106, PTH108 - the calls that are seen, with names that no Path keeps

pytestmark = pytest.mark.kernel

NOBODY = 65534
LIBC = ctypes.CDLL(None, use_errno=True)
ROOM = kernel_plan([named(f"/nowhere/{number}") for number in range(8)] + [begins("/nowhere")])


@pytest.fixture(scope="module")
def capture() -> Iterator[Capture]:
    """One that knows files by their inodes."""
    made = Capture(ROOM)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("names").resolve()


def seen(capture: Capture, action: Callable[[], object]) -> list[FileEvent]:
    return [one.event for one in capture.of(action) if one.candidates]


def names(events: list[FileEvent]) -> list[tuple[str | None, str | None]]:
    return [(event.path, event.alias_path) for event in events]


def test_a_hard_link_is_told_under_the_name_that_the_rule_knows(capture: Capture, folder: Path) -> None:
    made(folder / "secret")
    os.link(folder / "secret", folder / "other")
    capture.watch(named(str(folder / "secret")))
    assert names(seen(capture, touch(folder / "other"))) == [(f"{folder}/secret", f"{folder}/other")]
    assert names(seen(capture, touch(folder / "secret"))) == [(f"{folder}/secret", None)]


def test_two_rules_see_a_hard_link_each_under_its_name(capture: Capture, folder: Path) -> None:
    made(folder / "secret")
    made(folder / "open/x")
    os.link(folder / "secret", folder / "open/other")
    capture.watch(named(str(folder / "secret")), begins(folder / "open"))
    found = capture.of(touch(folder / "open/other"))
    assert [(one.event.path, one.rules) for one in found] == [
        (f"{folder}/open/other", {1}),
        (f"{folder}/secret", {0}),
    ]


@pytest.mark.parametrize(
    "change", [lambda path: os.chmod(path, 0o640), lambda path: os.truncate(path, 0), os.utime]
)
def test_a_change_by_way_of_a_hard_link_and_a_link_is_told(
    capture: Capture, folder: Path, change: Callable[[Path], None]
) -> None:
    made(folder / "secret")
    os.link(folder / "secret", folder / "other")
    (folder / "link").symlink_to("other")
    capture.watch(named(str(folder / "secret")))
    events = seen(capture, lambda: change(folder / "link"))
    assert names(events) == [(f"{folder}/secret", f"{folder}/other")]
    assert events[0].inode == (folder / "secret").stat().st_ino


def test_a_file_that_replaced_a_known_one_is_known_soon(capture: Capture, folder: Path) -> None:
    made(folder / "secret")
    capture.watch(named(str(folder / "secret")))

    def replace() -> None:
        made(folder / "new").replace(folder / "secret")
        touch(folder / "secret")()

    seen(capture, replace)
    os.link(folder / "secret", folder / "other")
    for _ in range(100):
        events = seen(capture, touch(folder / "other"))
        if events:
            break
        time.sleep(0.05)
    assert names(events) == [(f"{folder}/secret", f"{folder}/other")]


def test_a_bind_mount_is_told_under_the_canonical_name(capture: Capture, folder: Path) -> None:
    made(folder / "real/file")
    (folder / "mounted").mkdir()
    capture.watch(begins(folder / "real"))
    with bind(folder / "real", folder / "mounted"):
        settle(capture)
        events = seen(capture, touch(folder / "mounted/file"))
    assert names(events) == [(f"{folder}/real/file", f"{folder}/mounted/file")]


def test_the_old_name_of_a_rename_in_a_bind_mount_is_told_under_the_canonical_one(
    capture: Capture, folder: Path
) -> None:
    made(folder / "real/old/file")
    for name in ("real/new", "mounted"):
        (folder / name).mkdir()
    capture.watch(named(str(folder / "real/old/file")))

    def action() -> None:
        os.chdir(folder / "mounted")
        os.rename("old/file", "new/other")

    with bind(folder / "real", folder / "mounted"):
        settle(capture)
        events = seen(capture, action)
    assert [(event.path, event.source_path) for event in events] == [
        (f"{folder}/real/new/other", f"{folder}/real/old/file")
    ]


def test_a_try_to_take_a_file_out_of_a_bind_mount_is_told_under_the_canonical_name(
    capture: Capture, folder: Path
) -> None:
    made(folder / "real/secret")
    (folder / "mounted").mkdir()
    capture.watch(named(str(folder / "real/secret")))

    def action() -> None:
        with contextlib.suppress(OSError):
            os.rename(folder / "mounted/secret", folder / "taken")

    with bind(folder / "real", folder / "mounted"):
        settle(capture)
        events = seen(capture, action)
    assert [(event.path, event.source_path, event.errno) for event in events] == [
        (f"{folder}/taken", f"{folder}/real/secret", errno.EXDEV)
    ]


def while_it_waits(capture: Capture, action: Callable[[], None]) -> list[FileEvent]:
    """What a process has done that is still there."""
    with process(action) as pid:
        return [one.event for one in capture.arrived() if one.event.process.pid == pid]


def settle(capture: Capture) -> None:
    """Let the reader look at the mounts: it does so whenever they have changed."""
    capture.drain()


@contextlib.contextmanager
def container(folder: Path) -> Iterator[Callable[[Callable[[], None]], Callable[[], None]]]:
    """An overlay that is mounted on the host, and how to do something with it as the root."""
    for name in ("lower/etc", "upper", "work", "merged"):
        (folder / name).mkdir(parents=True)
    made(folder / "lower/etc/shadow")
    options = f"lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work"

    def inside(action: Callable[[], None]) -> Callable[[], None]:
        def entered() -> None:
            unshared()
            bound(folder / "merged", folder / "merged")
            os.chdir(folder / "merged")
            assert LIBC.syscall(155, b".", b".") == 0  # pivot_root: the old root lies on the new one
            assert LIBC.umount2(b".", 2) == 0
            os.chdir("/")
            action()

        return entered

    with file_system("overlay", folder / "merged", options=options):
        yield inside


def test_a_file_of_a_container_is_told_under_both_its_names(capture: Capture, folder: Path) -> None:
    capture.watch(begins(folder / "merged"), named("/etc/shadow"))
    with container(folder) as inside:
        settle(capture)
        found = capture.of(inside(touch("/etc/shadow")))
    told = [(one.event.path, one.event.container_path, one.rules) for one in found if 1 in one.rules]
    assert ("/etc/shadow", "/etc/shadow", {1}) in told
    told = [(one.event.path, one.event.container_path, one.rules) for one in found if 0 in one.rules]
    assert (f"{folder}/merged/etc/shadow", "/etc/shadow", {0}) in told


def test_a_link_inside_a_container_is_followed_there(capture: Capture, folder: Path) -> None:
    capture.watch(named(f"{folder}/merged/", ANY))
    (folder / "lower/tmp").mkdir(parents=True)

    def action() -> None:
        Path("/tmp/link").symlink_to("/etc/shadow")
        Path("/tmp/link").chmod(0o600)

    with container(folder) as inside:
        settle(capture)
        events = while_it_waits(capture, inside(action))
    changes = [event for event in events if event.operation is Operation.CHMOD]
    assert [(event.path, event.container_path) for event in changes] == [
        (f"{folder}/merged/etc/shadow", "/etc/shadow")
    ]


def test_a_name_behind_links_is_found_where_it_is(capture: Capture, folder: Path) -> None:
    made(folder / "real/file")
    (folder / "link").symlink_to("real")
    capture.watch(named(str(folder / "real"), ANY))

    def action() -> None:
        os.rename(f"{folder}/link/file", f"{folder}/link/../link/new")
        os.mkdir(f"{folder}/link/./made")
        os.rmdir(f"{folder}/link/made/")
        os.unlink(f"{folder}/link/new")

    events = seen(capture, action)
    assert [(event.operation.value, event.path, event.source_path) for event in events] == [
        ("rename", f"{folder}/real/new", f"{folder}/real/file"),
        ("mkdir", f"{folder}/real/made", None),
        ("rmdir", f"{folder}/real/made", None),
        ("unlink", f"{folder}/real/new", None),
    ]
    assert all(event.path_state == PathState.FOLLOWED for event in events)


def test_a_folder_that_is_called_by_dots_is_found(capture: Capture, folder: Path) -> None:
    (folder / "sub/x").mkdir(parents=True)
    (folder / "link").symlink_to("sub")
    capture.watch(named(ANY, "/sub"))

    def action() -> None:
        os.lchown(f"{folder}/sub/x/..", 0, 0)
        os.lchown(f"{folder}/link/.", 0, 0)
        os.lchown(f"{folder}/link/", 0, 0)
        for call in (os.mkdir, os.rmdir):
            with contextlib.suppress(OSError):
                call(f"{folder}/link/x/..")

    events = seen(capture, action)
    assert [(event.operation.value, event.path) for event in events] == [
        (name, f"{folder}/sub") for name in ("chown", "chown", "chown", "mkdir", "rmdir")
    ]


def test_a_jail_has_its_own_links(capture: Capture, folder: Path) -> None:
    made(folder / "jail/etc/passwd")
    (folder / "jail/link").symlink_to("/etc/passwd")
    capture.watch(named(str(folder / "jail"), ANY), named("/etc/passwd"))

    def action() -> None:
        os.chroot(folder / "jail")
        os.chdir("/etc")
        os.chmod("/link", 0o600)
        os.chmod("../../link", 0o600)

    events = while_it_waits(capture, action)
    changes = [event.path for event in events if event.operation is Operation.CHMOD]
    assert changes == [f"{folder}/jail/etc/passwd"] * 2
    events = seen(capture, action)  # it has ended, but for its first call the name tells the root
    assert next(e for e in events if e.asked_path == "/link").path == f"{folder}/jail/etc/passwd"


# ------------------------------------------------------------------------------------- once for a call


def test_a_rule_reports_a_call_once_whatever_the_names(capture: Capture, folder: Path) -> None:
    made(folder / "secret")
    os.link(folder / "secret", folder / "other")
    rules: list[Predicate] = [
        named(str(folder), ANY),
        named(str(folder / "secret")),
        All(operands=(text_test("AliasFilename", ANY, "other"), named(str(folder / "secret")))),
    ]
    plan = capture.watch(*rules)
    detector = Detector(
        UserPlan(
            rules=tuple(
                user_rule(rule, key=f"{number}", logsource=LogSource.FILE_ACCESS)
                for number, rule in enumerate(rules)
            )
        ),
        plan,
    )
    pid = os.fork()
    if not pid:
        touch(folder / "other")()
        os._exit(0)
    os.waitpid(pid, 0)
    found = []
    for batch in capture.source.batches():
        if not isinstance(batch, Loss):
            found += [one for one in detector.findings(batch) if one.event.process.pid == pid]
            if not batch.candidates:
                break
    assert sorted((one.rule.rule.key, one.event.path) for one in found) == [
        ("0", f"{folder}/other"),
        ("1", f"{folder}/secret"),
        ("2", f"{folder}/secret"),
    ]
