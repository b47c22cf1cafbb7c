"""Who runs what, as records tell it."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from fileaudit_engine.enrich.container import Containers
from fileaudit_engine.enrich.process_table import ANCESTORS, ProcessTable
from fileaudit_engine.enrich.procfs import parse_stat
from fileaudit_engine.enrich.runtimes import Runtimes
from fileaudit_engine.events.model import Process

TICK = 10_000_000


ID = "0123456789abcdef" * 4
DOCKER = (ID, "docker")
OTHERS = ("f" * 64, "docker")


def table(*, alive_limit: int = 100, dead_limit: int = 100) -> ProcessTable:
    containers = Containers(runtimes=Runtimes(root="/nonexistent"))
    return ProcessTable(
        containers=containers, proc="/nonexistent", alive_limit=alive_limit, dead_limit=dead_limit
    )


def executed(
    processes: ProcessTable,
    pid: int,
    *args: str,
    start: int = 0,
    parent: int = 1,
    cwd: str | None = None,
    cgroup: tuple[str, ...] = (),
    cgroup_id: int = 0,
    compat: bool = False,
) -> None:
    processes.executed(
        pid=pid, start_ns=start or pid, parent_pid=parent, executable=f"/bin/{args[0]}", args=args,
        args_truncated=False, name=args[0], image=len(args[0]), cwd=cwd, cgroup=cgroup, cgroup_id=cgroup_id,
        compat=compat,
    )  # fmt: skip


def forked(processes: ProcessTable, pid: int, parent: int) -> None:
    processes.forked(pid=pid, start_ns=pid, parent_pid=parent, parent_start_ns=parent, name="child")


def get(processes: ProcessTable, pid: int, start: int = 0) -> Process:
    return processes.get(pid, start or pid, 1, "name", 0)


def test_an_exec_names_image_and_arguments() -> None:
    processes = table()
    executed(processes, 7, "cat", "-u")
    process = get(processes, 7)
    assert (process.executable, process.args, process.name) == ("/bin/cat", ("cat", "-u"), "cat")


def test_a_child_runs_its_parents_image_until_it_says_otherwise() -> None:
    processes = table()
    executed(processes, 7, "sh")
    forked(processes, 8, parent=7)
    child = get(processes, 8)
    assert (child.executable, child.name, child.parent_pid) == ("/bin/sh", "child", 7)
    executed(processes, 8, "cat", parent=7)
    assert get(processes, 8).executable == "/bin/cat"
    assert get(processes, 8).parent == get(processes, 7)


def test_a_parent_is_remembered_as_it_was_at_the_fork() -> None:
    processes = table()
    executed(processes, 7, "sh")
    forked(processes, 8, parent=7)
    executed(processes, 7, "evil")
    parent = get(processes, 8).parent
    assert parent is not None
    assert parent.executable == "/bin/sh"


def test_an_event_keeps_the_process_that_it_has() -> None:
    processes = table()
    executed(processes, 7, "sh")
    before = get(processes, 7)
    executed(processes, 7, "cat")
    assert before.executable == "/bin/sh"


def test_an_id_that_is_used_again_is_another_process() -> None:
    processes = table()
    executed(processes, 7, "old", start=100)
    processes.exited(pid=7, start_ns=100)
    executed(processes, 7, "new", start=200)
    assert get(processes, 7, start=100).executable == "/bin/old"
    assert get(processes, 7, start=200).executable == "/bin/new"
    assert get(processes, 7, start=300).executable is None


def test_a_process_that_nobody_told_of_has_only_what_its_event_says() -> None:
    process = table().get(7, 70, 3, "ghost", 0)
    assert process == Process(pid=7, start_ns=70, parent_pid=3, name="ghost")


def test_the_dead_are_remembered_for_a_while_and_leave_in_order() -> None:
    processes = table(dead_limit=2)
    for pid in (1, 2, 3):
        executed(processes, pid, "cat")
        processes.exited(pid=pid, start_ns=pid)
    assert [get(processes, pid).executable for pid in (1, 2, 3)] == [None, "/bin/cat", "/bin/cat"]


def test_the_living_are_bounded() -> None:
    processes = table(alive_limit=10)
    for pid in range(1, 100):
        executed(processes, pid, "cat")
    assert len(processes) == 10


def test_an_exit_of_a_stranger_is_no_error() -> None:
    processes = table()
    processes.exited(pid=7, start_ns=7)
    assert len(processes) == 0


def test_a_chain_of_parents_ends() -> None:
    processes = table()
    executed(processes, 1, "init")
    for pid in range(2, 200):
        forked(processes, pid, parent=pid - 1)
    process, ancestors = get(processes, 199), 0
    while process.parent is not None:
        process, ancestors = process.parent, ancestors + 1
    assert ancestors == ANCESTORS


def made(proc: Path, pid: int, *, ticks: int, parent: int, args: bytes, name: str = "x") -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    rest = " ".join(["S", str(parent), *["0"] * 17, str(ticks), "0"])
    (folder / "stat").write_bytes(f"{pid} ({name}) {rest}\n".encode())
    (folder / "cmdline").write_bytes(args)
    (folder / "exe").symlink_to(f"/bin/{name}")
    (folder / "ns").mkdir()
    (folder / "ns" / "mnt").symlink_to("/proc/self/ns/mnt")


def running(proc: Path, pid: int, image: Path) -> int:
    """Let a process of the fake /proc run an image; the image's inode number."""
    image.touch()
    (proc / str(pid) / "exe").unlink()
    (proc / str(pid) / "exe").symlink_to(image)
    return image.stat().st_ino


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    made(tmp_path, 1, ticks=1, parent=0, args=b"init\0", name="sh")
    made(tmp_path, 9, ticks=50, parent=1, args=b"cat\0a b\0", name="cat")
    (tmp_path / "meminfo").touch()
    (tmp_path / "33").mkdir()
    return tmp_path


def test_what_runs_already_is_learned_from_proc(proc: Path) -> None:
    processes = ProcessTable(proc=str(proc))
    processes.scan()
    process = processes.get(9, 50 * TICK + 1234, 1, "?", 0)
    assert (process.executable, process.args, process.name) == ("/bin/cat", ("cat", "a b"), "cat")
    assert process.start_ns == 50 * TICK + 1234
    assert process.parent is not None
    assert process.parent.executable == "/bin/sh"


def test_another_start_is_another_process_than_procs(proc: Path) -> None:
    processes = ProcessTable(proc=str(proc))
    processes.scan()
    assert processes.get(9, 51 * TICK, 1, "?", 0).executable is None


def test_a_child_of_a_process_from_proc_has_its_parent(proc: Path) -> None:
    processes = ProcessTable(proc=str(proc))
    processes.scan()
    processes.forked(pid=10, start_ns=99, parent_pid=9, parent_start_ns=50 * TICK + 7, name="cat")
    assert processes.get(10, 99, 9, "?", 0).args == ("cat", "a b")


def test_a_second_scan_sees_what_has_changed(proc: Path) -> None:
    processes = ProcessTable(proc=str(proc))
    processes.scan()
    (proc / "9" / "cmdline").write_bytes(b"other\0")
    processes.scan()
    assert processes.get(9, 50 * TICK, 1, "?", 0).args == ("other",)
    assert len(processes) == 2


def test_a_scan_does_not_overrule_a_record(proc: Path) -> None:
    processes = ProcessTable(proc=str(proc))
    executed(processes, 9, "true", start=50 * TICK + 5)
    processes.scan()
    assert processes.get(9, 50 * TICK + 5, 1, "?", 0).executable == "/bin/true"


@pytest.mark.parametrize("name", ["a b", ") R 1", "((", "\\n"])
def test_a_name_in_stat_may_hold_anything(name: str) -> None:
    rest = " ".join(["S", "5", *["0"] * 17, "77", "0"])
    assert parse_stat(f"3 ({name}) {rest}".encode()) == (name, 5, 77)


@pytest.mark.parametrize("raw", [b"", b"3 (x", b"3 (x) S 5"])
def test_a_line_that_is_no_stat_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any, from index or from us
        parse_stat(raw)


def test_a_process_whose_exec_record_was_lost_is_not_taken_for_what_it_was() -> None:
    processes = table()
    executed(processes, 7, "mysqld")
    forked(processes, 8, parent=7)
    evil = processes.get(8, 8, 7, "cat", 4711)
    assert (evil.executable, evil.args) == (None, None)
    assert evil.parent == get(processes, 7)


def test_the_same_image_is_believed_and_kept() -> None:
    processes = table()
    executed(processes, 7, "mysqld")
    assert processes.get(7, 7, 1, "thread of it", len("mysqld")) is get(processes, 7)


def test_after_a_lost_record_proc_is_believed_if_it_speaks_of_the_same_image(proc: Path) -> None:
    processes = ProcessTable(proc=str(proc))
    executed(processes, 9, "mysqld", start=50 * TICK + 5)
    image = running(proc, 9, proc / "evil")
    process = processes.get(9, 50 * TICK + 5, 1, "?", image)
    assert (process.executable, process.args) == (str(proc / "evil"), ("cat", "a b"))


@pytest.mark.parametrize(("start", "inode_off"), [(50 * TICK + 5, 1), (51 * TICK + 5, 0)])
def test_and_not_if_it_speaks_of_another_image_or_process(proc: Path, start: int, inode_off: int) -> None:
    processes = ProcessTable(proc=str(proc))
    executed(processes, 9, "mysqld", start=start)
    image = running(proc, 9, proc / "evil") + inode_off
    assert processes.get(9, start, 1, "?", image).executable is None


def test_a_file_system_that_numbers_inodes_otherwise_loses_no_image(proc: Path) -> None:
    processes = ProcessTable(proc=str(proc))
    running(proc, 9, proc / "server")
    processes.scan()
    process = processes.get(9, 50 * TICK, 1, "?", 123456789)
    assert (process.executable, process.image_inode) == (str(proc / "server"), 123456789)


def test_an_image_that_was_replaced_keeps_its_name() -> None:
    processes = ProcessTable()
    image = Path(tempfile.mkdtemp()) / "sleeper"
    shutil.copy("/bin/sleep", image)
    with subprocess.Popen([image, "60"]) as process:
        try:
            image.unlink()
            processes.scan()
            known = [k.process for k in processes._alive.values() if k.process.pid == process.pid]
        finally:
            process.kill()
            image.parent.rmdir()
    assert [p.executable for p in known] == [str(image)]


def test_an_image_in_mounts_that_nobody_vouches_for_is_not_the_hosts(proc: Path) -> None:
    (proc / "9" / "ns" / "mnt").unlink()
    processes = ProcessTable(proc=str(proc))
    processes.scan()
    assert processes.get(9, 50 * TICK, 1, "?", 0).executable == "/proc/9/root/bin/cat"


def test_only_the_process_and_its_parent_have_arguments() -> None:
    processes = table()
    executed(processes, 7, "init", "long")
    forked(processes, 8, parent=7)
    executed(processes, 8, "sh", "longer", parent=7)
    forked(processes, 9, parent=8)
    executed(processes, 9, "cat", "short", parent=8)
    process = get(processes, 9)
    assert process.parent is not None
    assert process.parent.parent is not None
    assert (process.args, process.parent.args) == (("cat", "short"), ("sh", "longer"))
    assert (process.parent.parent.executable, process.parent.parent.args) == ("/bin/init", None)


def cwd(processes: ProcessTable, pid: int, cgroup_id: int = 0) -> str | None:
    return processes.surroundings(pid, pid, cgroup_id)[0]


def container_id(processes: ProcessTable, pid: int, cgroup_id: int, start: int = 0) -> str | None:
    container = processes.surroundings(pid, start or pid, cgroup_id)[1]
    return None if container is None else container.id


def test_a_process_works_where_its_last_record_said() -> None:
    processes = table()
    executed(processes, 7, "sh", cwd="/root")
    assert cwd(processes, 7) == "/root"
    processes.moved(pid=7, start_ns=7, cwd="/tmp")
    assert cwd(processes, 7) == "/tmp"
    executed(processes, 7, "cat", cwd="/srv")
    assert cwd(processes, 7) == "/srv"


def test_a_child_works_where_its_parent_did_at_the_fork() -> None:
    processes = table()
    executed(processes, 7, "sh", cwd="/root")
    forked(processes, 8, parent=7)
    processes.moved(pid=7, start_ns=7, cwd="/tmp")
    assert (cwd(processes, 7), cwd(processes, 8)) == ("/tmp", "/root")


def test_a_long_directory_is_in_memory_once_for_all_that_work_there() -> None:
    processes, name = table(), "/d" * 2000
    executed(processes, 7, "sh", cwd=name)
    for pid in (8, 9):
        forked(processes, pid, parent=7)
        executed(processes, pid, "cat", cwd="/" + name[1:])
    assert len({id(cwd(processes, pid)) for pid in (7, 8, 9)}) == 1


def test_the_dead_are_where_they_were() -> None:
    processes = table()
    executed(processes, 7, "sh", cwd="/root", cgroup=DOCKER, cgroup_id=5)
    processes.exited(pid=7, start_ns=7)
    assert (cwd(processes, 7, 5), container_id(processes, 7, 5)) == ("/root", ID)


def test_nobody_knows_where_a_stranger_is() -> None:
    processes = table()
    processes.moved(pid=7, start_ns=7, cwd="/tmp")
    assert processes.surroundings(7, 7, 5) == (None, None)


def test_a_process_is_in_the_container_of_its_cgroup_and_so_are_its_children() -> None:
    processes = table()
    executed(processes, 7, "sh", cgroup=DOCKER, cgroup_id=5)
    forked(processes, 8, parent=7)
    assert [container_id(processes, pid, 5) for pid in (7, 8)] == [ID, ID]


def test_a_process_that_moves_to_a_known_cgroup_is_in_that_container() -> None:
    processes = table()
    executed(processes, 7, "sh", cgroup=("init.scope",), cgroup_id=2)
    executed(processes, 9, "sh", cgroup=OTHERS, cgroup_id=6)
    assert container_id(processes, 7, 6) == OTHERS[0]
    assert container_id(processes, 7, 2) is None


def test_a_process_that_moves_to_an_unknown_cgroup_is_looked_up_once(proc: Path) -> None:
    (proc / "9" / "cgroup").write_text(f"0::/docker/{ID}\n")
    processes = ProcessTable(proc=str(proc))
    executed(processes, 9, "cat", start=50 * TICK + 5, cgroup=("init.scope",), cgroup_id=2)
    assert container_id(processes, 9, 7, start=50 * TICK + 5) == ID
    (proc / "9" / "cgroup").unlink()
    assert container_id(processes, 9, 7, start=50 * TICK + 5) == ID


def test_another_process_in_proc_tells_nothing_of_the_cgroup(proc: Path) -> None:
    (proc / "9" / "cgroup").write_text(f"0::/docker/{ID}\n")
    processes = ProcessTable(proc=str(proc))
    executed(processes, 9, "cat", start=51 * TICK, cgroup=("init.scope",), cgroup_id=2)
    assert container_id(processes, 9, 7, start=51 * TICK) is None


def test_a_cgroup_too_deep_to_be_told_hides_no_container() -> None:
    processes = table()
    executed(processes, 7, "sh", cgroup=DOCKER, cgroup_id=5)
    executed(processes, 7, "evil", cgroup=(), cgroup_id=99)
    assert container_id(processes, 7, 99) == ID


def test_in_the_root_there_is_no_container() -> None:
    processes = table()
    executed(processes, 7, "sh", cgroup=DOCKER, cgroup_id=5)
    executed(processes, 7, "sh", cgroup=(), cgroup_id=1)
    assert container_id(processes, 7, 1) is None


def test_proc_tells_where_a_process_is_that_runs_already(proc: Path) -> None:
    (proc / "9" / "cwd").symlink_to("/usr/lib")
    (proc / "9" / "cgroup").write_text(f"4:pids:/docker/{ID}\n0::/\n")
    processes = ProcessTable(proc=str(proc))
    processes.scan()
    where, container = processes.surroundings(9, 50 * TICK + 3, 1)
    assert where == "/usr/lib"
    assert container is not None
    assert container.id == ID


def test_a_directory_in_mounts_that_nobody_vouches_for_is_not_the_hosts(proc: Path) -> None:
    (proc / "9" / "cwd").symlink_to("/etc")
    (proc / "9" / "ns" / "mnt").unlink()
    processes = ProcessTable(proc=str(proc))
    processes.scan()
    assert processes.surroundings(9, 50 * TICK, 0)[0] == "/proc/9/root/etc"


def test_after_a_lost_record_proc_tells_where_a_stranger_is(proc: Path) -> None:
    (proc / "9" / "cwd").symlink_to("/usr/lib")
    processes = ProcessTable(proc=str(proc))
    processes.get(9, 50 * TICK + 5, 1, "cat", 0)
    assert processes.surroundings(9, 50 * TICK + 5, 0)[0] == "/usr/lib"


def test_programs_of_32_bits_are_counted() -> None:
    processes = table()
    executed(processes, 7, "old", compat=True)
    executed(processes, 8, "new")
    assert processes.compat_programs == 1
