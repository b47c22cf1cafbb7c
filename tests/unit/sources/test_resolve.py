"""A record becomes an event with true paths, under each name that rules may know."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.compiler.examples import ANY, path_test
from tests.unit.events.test_wire import file_record, lookups
from tests.unit.sources.namespaces import bind, bound, file_system, needs_root, process, unshared

from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.events.batch import EVERY
from fileaudit_engine.events.model import AccessMode, FileEvent, Operation, PathState, Process
from fileaudit_engine.events.wire import FileRecord, Hint
from fileaudit_engine.sources.known_files import KnownFiles
from fileaudit_engine.sources.live_batch import LiveBatch
from fileaudit_engine.sources.mount_table import MountWatch
from fileaudit_engine.sources.resolve import Named, Resolver

UNRESOLVED, FOLLOWED = PathState.UNRESOLVED, PathState.FOLLOWED
UNREACHABLE, FOREIGN = PathState.UNREACHABLE, PathState.FOREIGN
SHADOW, MERGED = "/etc/shadow", "/var/lib/docker/overlay2/x/merged"
PLAN = kernel_plan([path_test(SHADOW), path_test(f"{MERGED}/", ANY), path_test("/srv/", ANY)])
ALL = 0b111
GONE = (1 << 22) + 1
"""No process has this id."""


class World:
    """A resolver, with what it knows."""

    def __init__(self) -> None:
        self.mounts = MountWatch("/proc/self/mountinfo")
        self.known = KnownFiles(self.mounts)
        self.resolver = Resolver(self.mounts, self.known, PLAN)

    def know(self, *paths: Path) -> None:
        """These are files that rules name."""
        self.known.want({os.fsencode(path): 1 for path in paths})
        self.known.learn()

    def event(self, record: FileRecord) -> FileEvent:
        return self.resolver.event(record, lookups())

    def events(self, record: FileRecord, candidates: int = ALL) -> list[Named]:
        return self.resolver.events(record, candidates, lookups())


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.mounts.close()


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a name in lower case, as wanted paths have."""
    return tmp_path_factory.mktemp("resolve").resolve()


def record(
    path: str | Path | None,
    state: PathState = PathState.RESOLVED,
    *,
    hints: Hint = Hint(0),  # noqa: B008 - a value
    alias: str | None = None,
    second_state: PathState = PathState.RESOLVED,
    pid: int = 0,
    **changes: Any,
) -> FileRecord:
    known: dict[str, Any] = {
        "ts_ns": 1,
        "operation": Operation.OPEN,
        "process": Process(pid=pid or os.getpid()),
    }
    event = FileEvent(**(known | changes), path=None if path is None else str(path), path_state=state)
    return FileRecord(event, second_state, hints, alias, 0)


def file_id(path: Path) -> dict[str, Any]:
    status = path.lstat()
    device = os.major(status.st_dev) << 20 | os.minor(status.st_dev)
    return {"device": device, "inode": status.st_ino, "mode": status.st_mode}


# --------------------------------------------------------------------------------------------- paths


def test_what_the_kernel_resolved_stays_as_it_is(world: World) -> None:
    made = record("/etc/../etc/passwd", mode=0o100644)
    assert world.event(made) == made.event
    assert world.events(made) == [Named(made.event, ALL)]


def test_an_unresolved_path_is_followed(world: World, folder: Path) -> None:
    (folder / "link").symlink_to("/etc/passwd")
    event = world.event(record(folder / "link", UNRESOLVED, errno=13))
    assert (event.path, event.path_state, event.inode) == ("/etc/passwd", FOLLOWED, None)


def test_a_path_that_leads_nowhere_stays_unresolved_and_is_normalised(world: World) -> None:
    event = world.event(record("/none//at/../all", UNRESOLVED, errno=2))
    assert (event.path, event.path_state) == ("/none/all", UNRESOLVED)


def test_a_mere_look_that_came_to_nothing_is_not_followed(world: World, folder: Path) -> None:
    (folder / "link").symlink_to("/etc/passwd")
    looked = record(folder / "link", UNRESOLVED, errno=20, access_mode=AccessMode.PATH)
    assert world.event(looked).path == str(folder / "link")
    read = record(folder / "link", UNRESOLVED, errno=13, access_mode=AccessMode.READ)
    assert world.event(read).path == "/etc/passwd"


def test_a_call_on_a_name_keeps_the_link(world: World, folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "linked").symlink_to("real")
    (folder / "real/link").symlink_to("/etc/passwd")
    made = record(folder / "linked/link", UNRESOLVED, hints=Hint.NAME, operation=Operation.UNLINK)
    assert world.event(made).path == str(folder / "real/link")


@pytest.mark.parametrize(
    ("operation", "leads_to"),
    [(Operation.UTIMES, "real"), (Operation.RMDIR, "link"), (Operation.RENAME, "link")],
)
def test_a_slash_behind_a_link_follows_it_unless_the_name_is_meant(
    world: World, folder: Path, operation: Operation, leads_to: str
) -> None:
    (folder / "real").mkdir()
    (folder / "link").symlink_to("real")
    made = record(f"{folder}/./link/", UNRESOLVED, hints=Hint.NAME, operation=operation, errno=20)
    assert world.event(made).path == str(folder / leads_to)


def test_both_paths_of_a_rename_are_followed(world: World, folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "linked").symlink_to("real")
    (folder / "real/new").touch()
    made = record(
        folder / "linked/new",
        UNRESOLVED,
        second_state=UNRESOLVED,
        hints=Hint.NAME | Hint.SECOND_NAME,
        operation=Operation.RENAME,
        source_path=f"{folder}/linked/../linked/old",
    )
    event = world.event(made)
    assert (event.path, event.source_path) == (str(folder / "real/new"), str(folder / "real/old"))
    assert event.inode == (folder / "real/new").stat().st_ino


def test_the_file_that_gets_another_name_is_followed_only_where_the_call_did(
    world: World, folder: Path
) -> None:
    (folder / "link").symlink_to("/etc/passwd")
    for hints, source in ((Hint.SECOND_NAME, str(folder / "link")), (Hint(0), "/etc/passwd")):
        made = record(
            folder / "new",
            hints=Hint.NAME | hints,
            second_state=UNRESOLVED,
            operation=Operation.LINK,
            source_path=f"{folder}/link",
            errno=1,
        )
        assert world.event(made).source_path == source


def test_what_can_no_longer_be_followed_is_left(world: World) -> None:
    gone = world.event(record("/etc/../etc/passwd", UNRESOLVED | PathState.DELETED, errno=2))
    assert (gone.path, gone.path_state) == ("/etc/passwd", UNRESOLVED | PathState.DELETED)
    cut = world.event(record("oo/../bar", UNRESOLVED | PathState.TRUNCATED, errno=2))
    assert (cut.path, cut.path_state) == ("oo/../bar", UNRESOLVED | PathState.TRUNCATED)


def test_the_callers_own_descriptors_are_followed(world: World) -> None:
    def prepare() -> None:
        os.dup2(os.open("/etc/passwd", os.O_RDONLY), 100)

    with process(prepare) as pid:
        event = world.event(record("/proc/self/fd/100", UNRESOLVED, errno=13, pid=pid))
    assert (event.path, event.path_state) == ("/etc/passwd", FOLLOWED)


def test_a_descriptor_that_is_closed_again_is_what_the_kernel_saw_behind_it(world: World) -> None:
    hints = Hint.DESCRIPTOR | Hint.ALIAS
    closed = record(
        "/proc/self/fd/7", UNRESOLVED, hints=hints, alias="/srv/file", pid=GONE, operation=Operation.CHMOD
    )
    (named,) = world.events(closed)
    assert (named.event.path, named.event.path_state, named.event.alias_path) == ("/srv/file", FOLLOWED, None)


def test_the_root_of_a_caller_that_has_ended_shows_in_what_it_asked_for(world: World, folder: Path) -> None:
    (folder / "jail/etc").mkdir(parents=True)
    (folder / "jail/etc/passwd").touch()
    (folder / "jail/link").symlink_to("/etc/passwd")
    made = record(f"{folder}/jail/link", UNRESOLVED, asked_path="/link", errno=13, pid=1 << 30)
    assert world.event(made).path == f"{folder}/jail/etc/passwd"
    made = record("/etc/../etc/passwd", UNRESOLVED, asked_path="/etc/../etc/passwd", errno=13, pid=1 << 30)
    assert world.event(made).path == "/etc/passwd"


# --------------------------------------------------------------------------- what is there afterwards


def test_a_record_without_a_file_gets_the_facts_of_the_one_that_is_there(world: World, folder: Path) -> None:
    (folder / "made").mkdir(mode=0o750)
    event = world.event(record(folder / "made", hints=Hint.NAME, operation=Operation.MKDIR))
    status = (folder / "made").stat()
    assert (event.inode, event.mode, event.owner_id) == (status.st_ino, status.st_mode, status.st_uid)
    assert event.device == file_id(folder / "made")["device"]
    assert (event.owner_name, event.owner_group_name, event.size_bytes) == ("root", "wheel", status.st_size)


def test_of_a_link_that_is_made_the_facts_are_those_of_the_link(world: World, folder: Path) -> None:
    (folder / "link").symlink_to("/etc/passwd")
    event = world.event(record(folder / "link", hints=Hint.NAME, operation=Operation.SYMLINK))
    assert stat.S_ISLNK(event.mode or 0)


def test_what_the_call_has_changed_is_not_told_as_if_it_was_before(world: World, folder: Path) -> None:
    (folder / "file").touch()
    chmod = world.event(record(f"{folder}/./file", UNRESOLVED, operation=Operation.CHMOD))
    chown = world.event(record(f"{folder}/./file", UNRESOLVED, operation=Operation.CHOWN))
    assert (chmod.mode, chmod.owner_id) == (None, 0)
    assert (chown.mode, chown.owner_id) == ((folder / "file").stat().st_mode, None)


def test_after_a_failure_nothing_is_looked_up(world: World) -> None:
    assert world.event(record("/etc", operation=Operation.MKDIR, errno=17)).inode is None
    assert world.event(record("/etc/passwd", operation=Operation.UNLINK)).inode is None


# -------------------------------------------------------------------------------- files in no folder


def device_of(descriptor: int) -> int:
    """In the kernel's encoding; closes the descriptor."""
    status = os.fstat(descriptor)
    os.close(descriptor)
    return os.major(status.st_dev) << 20 | os.minor(status.st_dev)


def test_files_in_no_folder_are_called_what_they_are(world: World) -> None:
    reader, writer = os.pipe()
    os.close(writer)
    assert world.event(record(None, device=device_of(reader), inode=4711)).path == "pipe:[4711]"
    sockets = device_of(socket.socket().detach())
    assert world.event(record(None, device=sockets, inode=4712)).path == "socket:[4712]"
    assert world.event(record("/TCP", device=sockets, inode=4712)).path == "socket:[4712]"
    assert world.event(record(None, mode=stat.S_IFREG, inode=1)).path is None
    made = record("/[eventfd]", UNREACHABLE | FOREIGN, device=device_of(os.eventfd(0)), inode=1, mode=0o600)
    assert world.event(made).path == "anon_inode:[eventfd]"
    assert world.event(record("/[eventfd]", device=1 << 30, mode=0o600)).path == "/[eventfd]"


def test_memory_is_no_file_of_a_container(world: World) -> None:
    descriptor = os.memfd_create("hidden")
    device = os.fstat(descriptor).st_dev
    os.close(descriptor)
    event = world.event(record("/memfd:hidden", UNREACHABLE | FOREIGN, device=device, mode=stat.S_IFREG))
    assert (event.path, event.container_path) == ("/memfd:hidden", None)


def test_a_pipe_that_was_reached_by_a_descriptor_is_no_file_of_a_container(world: World) -> None:
    reading, writing = os.pipe()
    try:
        event = world.event(record(f"/proc/self/fd/{reading}", UNRESOLVED, errno=13))
    finally:
        os.close(reading)
        os.close(writing)
    assert event.path
    assert event.path.startswith("pipe:[")
    assert event.container_path is None


# -------------------------------------------------------------------------------------- several names


def told(names: list[Named]) -> list[tuple[str | None, str | None, str | None, int]]:
    return [(n.event.path, n.event.container_path, n.event.alias_path, n.candidates) for n in names]


def test_a_file_of_a_container_is_told_under_the_hosts_name_and_its_own(world: World) -> None:
    made = record(SHADOW, UNREACHABLE, alias=MERGED + SHADOW, hints=Hint.ALIAS, mode=0o100640)
    names = world.events(made)
    assert told(names) == [(MERGED + SHADOW, SHADOW, None, 0b010), (SHADOW, SHADOW, None, 0b001)]
    assert [name.event.path_state for name in names] == [PathState.RESOLVED, UNREACHABLE]


def test_a_name_that_no_rule_can_match_makes_no_event(world: World) -> None:
    made = record(SHADOW, UNREACHABLE, alias="/elsewhere" + SHADOW, hints=Hint.ALIAS, mode=0o100640)
    assert told(world.events(made)) == [(SHADOW, SHADOW, None, 0b001)]


def test_an_event_that_no_name_explains_is_not_lost(world: World) -> None:
    made = record("/x", UNREACHABLE, alias="/y/x", hints=Hint.ALIAS, mode=0o100640)
    assert told(world.events(made)) == [("/y/x", "/x", None, ALL)]


def test_only_candidates_of_the_kernel_are_shared_out(world: World) -> None:
    made = record(SHADOW, UNREACHABLE, alias=MERGED + SHADOW, hints=Hint.ALIAS, mode=0o100640)
    assert told(world.events(made, 0b110)) == [(MERGED + SHADOW, SHADOW, None, 0b010)]


def test_what_nobody_filtered_is_told_under_every_name(world: World) -> None:
    made = record(SHADOW, UNREACHABLE, alias=MERGED + SHADOW, hints=Hint.ALIAS, mode=0o100640)
    assert [name.candidates for name in world.events(made, EVERY)] == [EVERY, EVERY]


def test_a_file_that_is_called_the_same_inside_is_told_once_as_the_hosts(world: World) -> None:
    made = record(SHADOW, UNREACHABLE | FOREIGN, alias=SHADOW, hints=Hint.ALIAS, mode=0o100640)
    (only,) = world.events(made)
    assert told([only]) == [(SHADOW, SHADOW, None, ALL)]
    assert only.event.path_state == PathState.RESOLVED


def test_without_a_name_on_the_host_the_one_inside_is_all(world: World) -> None:
    event = world.event(record(SHADOW, UNREACHABLE | FOREIGN, mode=0o100640))
    assert (event.path, event.container_path) == (SHADOW, SHADOW)
    assert event.path_state == UNREACHABLE | FOREIGN


def test_a_bind_mount_is_told_under_the_name_that_rules_know_too(world: World) -> None:
    made = record("/srv/b/shadow", alias=SHADOW, hints=Hint.ALIAS, mode=0o100640)
    assert told(world.events(made)) == [
        ("/srv/b/shadow", None, None, 0b100),
        (SHADOW, None, "/srv/b/shadow", 0b001),
    ]


def test_the_old_name_of_a_rename_is_told_as_the_new_one_is(world: World) -> None:
    made = record(
        SHADOW,
        UNREACHABLE,
        alias=MERGED + SHADOW,
        hints=Hint.ALIAS,
        operation=Operation.RENAME,
        source_path="/tmp/old",
        mode=0o100640,
    )
    assert [name.event.source_path for name in world.events(made)] == [MERGED + "/tmp/old", "/tmp/old"]
    made = record(
        "/srv/b/shadow",
        alias=SHADOW,
        hints=Hint.ALIAS,
        operation=Operation.RENAME,
        source_path="/srv/b/old",
        mode=0o100640,
    )
    assert [name.event.source_path for name in world.events(made)] == ["/srv/b/old", "/etc/old"]


def test_a_rule_that_knows_the_old_name_of_a_rename_is_asked_under_that_name(world: World) -> None:
    made = record(
        "/mnt/b/new",
        alias="/etc/new",
        hints=Hint.ALIAS,
        operation=Operation.RENAME,
        source_path="/mnt/b/shadow",
        mode=0o100640,
    )
    (only,) = world.events(made)
    assert (only.event.path, only.event.source_path) == ("/etc/new", SHADOW)
    assert only.candidates == 0b001


@needs_root
def test_a_rename_below_folders_of_a_bind_mount_has_both_old_names(world: World, folder: Path) -> None:
    for name in ("real/old", "real/new", "mounted"):
        (folder / name).mkdir(parents=True)
    (folder / "real/new/g").touch()
    world.resolver.plan = kernel_plan(
        [path_test(f"{folder}/real/old/f"), path_test(f"{folder}/mounted/old/f")]
    )
    with bind(folder / "real", folder / "mounted"):
        made = record(
            folder / "mounted/new/g",
            UNRESOLVED,
            second_state=UNRESOLVED,
            hints=Hint.NAME | Hint.SECOND_NAME,
            operation=Operation.RENAME,
            source_path=f"{folder}/mounted/old/f",
        )
        names = world.events(made)
    assert [(name.event.source_path, name.candidates) for name in names] == [
        (f"{folder}/mounted/old/f", 0b10),
        (f"{folder}/real/old/f", 0b01),
    ]


@needs_root
def test_a_try_to_take_a_file_out_of_a_bind_mount_is_told_under_its_canonical_name(
    world: World, folder: Path
) -> None:
    for name in ("real", "mounted"):
        (folder / name).mkdir()
    world.resolver.plan = kernel_plan([path_test(f"{folder}/real/secret")])
    with bind(folder / "real", folder / "mounted"):
        world.mounts.refresh_if_changed()
        made = record(
            folder / "taken",
            hints=Hint.NAME | Hint.SECOND_NAME | Hint.ALIAS,
            operation=Operation.RENAME,
            source_path=f"{folder}/mounted/secret",
            errno=18,
        )
        (told,) = world.events(made, 1)
        both = world.events(made, EVERY)
    assert (told.event.path, told.event.source_path) == (f"{folder}/taken", f"{folder}/real/secret")
    assert [name.event.source_path for name in both] == [f"{folder}/mounted/secret", f"{folder}/real/secret"]


def test_a_hard_link_of_a_known_file_is_told_under_the_known_name_too(world: World, folder: Path) -> None:
    (folder / "secret").touch()
    os.link(folder / "secret", folder / "other")
    world.know(folder / "secret")
    made = record(folder / "other", hints=Hint.ALIAS, **file_id(folder / "other"))
    assert [(n.event.path, n.event.alias_path) for n in world.events(made, EVERY)] == [
        (str(folder / "other"), None),
        (str(folder / "secret"), str(folder / "other")),
    ]


def test_a_known_file_under_its_own_name_has_only_that(world: World, folder: Path) -> None:
    (folder / "secret").touch()
    world.know(folder / "secret")
    made = record(folder / "secret", hints=Hint.ALIAS, **file_id(folder / "secret"))
    assert told(world.events(made)) == [(str(folder / "secret"), None, None, ALL)]


def test_a_hard_link_behind_a_link_is_found(world: World, folder: Path) -> None:
    (folder / "secret").touch()
    os.link(folder / "secret", folder / "other")
    (folder / "link").symlink_to("other")
    world.know(folder / "secret")
    made = record(folder / "link", UNRESOLVED, operation=Operation.CHMOD)
    assert [name.event.path for name in world.events(made, EVERY)] == [
        str(folder / "other"),
        str(folder / "secret"),
    ]


def test_a_denied_try_by_another_name_is_told_under_the_known_one(world: World, folder: Path) -> None:
    (folder / "secret").touch()
    os.link(folder / "secret", folder / "other")
    world.know(folder / "secret")
    names = world.events(record(folder / "other", UNRESOLVED, errno=13), EVERY)
    assert [(name.event.path, name.event.inode) for name in names] == [
        (str(folder / "other"), None),
        (str(folder / "secret"), None),
    ]


def test_a_call_on_one_name_is_not_told_of_another(world: World, folder: Path) -> None:
    (folder / "secret").touch()
    os.link(folder / "secret", folder / "other")
    world.know(folder / "secret")
    made = record(
        folder / "./other", UNRESOLVED, hints=Hint.NAME, operation=Operation.RENAME, source_path="/x"
    )
    assert [name.event.path for name in world.events(made)] == [str(folder / "other")]


def test_an_event_hurries_the_next_look_at_a_known_name(world: World, folder: Path) -> None:
    (folder / "secret").touch()
    world.know(folder / "secret")
    (folder / "new").touch()
    (folder / "new").replace(folder / "secret")
    world.event(record(folder / "secret", **file_id(folder / "secret")))
    assert world.known._due == 0.0


@needs_root
def test_a_link_into_a_bind_mount_leads_to_the_canonical_name(world: World, folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "mounted").mkdir()
    (folder / "real/file").touch()
    (folder / "link").symlink_to("mounted/file")
    with bind(folder / "real", folder / "mounted"):
        made = record(folder / "link", UNRESOLVED, errno=13)
        names = world.events(made, EVERY)
    assert [(name.event.path, name.event.alias_path) for name in names] == [
        (str(folder / "mounted/file"), None),
        (str(folder / "real/file"), str(folder / "mounted/file")),
    ]


@needs_root
def test_a_link_in_another_namespace_leads_to_a_name_on_the_host(world: World, folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "inside").mkdir()
    with file_system("tmpfs", folder / "data"):
        (folder / "data/file").touch()
        (folder / "data/link").symlink_to(f"{folder}/inside/file")

        def prepare() -> None:
            unshared()
            bound(folder / "data", folder / "inside")

        with process(prepare) as pid:
            made = record(folder / "inside/link", UNRESOLVED | UNREACHABLE, errno=13, pid=pid)
            names = world.events(made, EVERY)
    assert [(name.event.path, name.event.container_path) for name in names] == [
        (str(folder / "data/file"), str(folder / "inside/file")),
        (str(folder / "inside/file"), str(folder / "inside/file")),
    ]
    assert [name.event.path_state for name in names] == [FOLLOWED, FOLLOWED | UNREACHABLE]


@needs_root
def test_the_root_of_another_process_leads_elsewhere(world: World, folder: Path) -> None:
    (folder / "inside").mkdir()

    def prepare() -> None:
        unshared()
        bound(Path("/etc"), folder / "inside")

    with process(prepare) as pid:
        made = record(f"/proc/{pid}/root{folder}/inside/passwd", UNRESOLVED, errno=13)
        event = world.event(made)
    assert event.container_path == event.path == f"{folder}/inside/passwd"
    assert event.path_state == FOLLOWED | UNREACHABLE | FOREIGN


@needs_root
def test_a_file_of_an_overlay_is_known_by_the_kernels_number(world: World, folder: Path) -> None:
    for name in ("lower", "upper", "work", "merged"):
        (folder / name).mkdir()
    (folder / "lower/secret").touch()
    options = f"lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work"
    with file_system("overlay", folder / "merged", options=options):
        world.know(folder / "merged/secret")
        mount = world.mounts.table.at(bytes(folder / "merged"))
        assert mount
        assert {device for device, _ in world.known.files} == {mount.device}


# ------------------------------------------------------------------------------------------- batches


def batch_of(world: World, *records: bytes, candidates: int = EVERY) -> LiveBatch:
    starts = [sum(map(len, records[:number])) for number in range(len(records))]
    return LiveBatch(b"".join(records), starts, [candidates] * len(records), lookups(), world.resolver)


def test_a_record_with_several_names_becomes_several_events_in_its_place(world: World) -> None:
    plain = file_record(b"/etc/hosts")
    several = file_record(SHADOW.encode(), state=16, hints=4, alias=(MERGED + SHADOW).encode())
    unresolved = file_record(b"/etc/./passwd", state=2)
    batch = batch_of(world, plain, several, plain, unresolved, several, plain)
    events = [batch.complete(index) for index in range(len(batch.candidates))]
    assert [event.path for event in events] == [
        *("/etc/hosts", MERGED + SHADOW, SHADOW),
        *("/etc/hosts", "/etc/passwd", MERGED + SHADOW, SHADOW, "/etc/hosts"),
    ]
    assert batch.again == {2, 6}
    assert batch.records == 6


def test_a_batch_of_plain_records_is_looked_at_by_nobody(world: World) -> None:
    batch = batch_of(world, file_record(b"/a"), file_record(b"/b"), candidates=1)
    assert (batch.candidates, batch.again, batch.records) == ([1, 1], (), 2)
    assert batch.complete(1).path == "/b"


def test_without_a_resolver_paths_are_as_the_kernel_left_them() -> None:
    raw = file_record(b"/etc/./passwd", state=2)
    assert LiveBatch(raw, [0], [1], lookups()).complete(0).path == "/etc/./passwd"
