"""Who did it, when nobody is left to ask."""

import contextlib
import os
import platform
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.capture import Capture, begins, in_child, made, touch

from fileaudit_engine.enrich.process_table import ANCESTORS
from fileaudit_engine.events.model import Operation
from fileaudit_engine.sources import compat
from fileaudit_engine.sources.compat import takes_compat_calls

pytestmark = pytest.mark.kernel

LONG = "a" * 3000


def run(*command: str) -> None:
    subprocess.run(command, check=False, capture_output=True)


def test_a_process_that_is_gone_has_its_image_arguments_and_parent(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))
    seen = capture.of(lambda: run("/bin/cat", "-u", str(path)))
    process = seen[0].event.process
    assert process.executable == os.path.realpath("/bin/cat")
    assert process.args == ("/bin/cat", "-u", str(path))
    assert process.args_truncated is False
    assert process.name == "cat"
    assert process.parent is not None
    assert process.parent.pid == process.parent_pid
    assert process.parent.executable == os.path.realpath(sys.executable)


def test_every_one_of_many_short_lives_is_known(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))

    def action() -> None:
        for number in range(50):
            run("/bin/cat", str(path), str(number))

    seen = capture.of(action)
    assert [one.event.process.args for one in seen] == [
        ("/bin/cat", str(path), str(number)) for number in range(50)
    ]


def test_arguments_that_are_too_long_are_cut_and_say_so(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))
    process = capture.of(lambda: run("/bin/cat", str(path), LONG, LONG))[0].event.process
    assert process.args is not None
    assert process.args_truncated is True
    assert process.args[:3] == ("/bin/cat", str(path), LONG)
    assert 0 < len(process.args[3]) < len(LONG)


def test_arguments_keep_their_bytes(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))
    hostile = "\x1b[2J\nroot \udcff"
    process = capture.of(lambda: run("/bin/cat", str(path), "", hostile))[0].event.process
    assert process.args == ("/bin/cat", str(path), "", hostile)


def test_a_child_that_runs_no_other_image_has_its_parents(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))
    event = capture.of(touch(path))[0].event
    assert event.process.pid != os.getpid()
    assert event.process.parent_pid == os.getpid()
    assert event.process.executable == os.path.realpath(sys.executable)
    assert event.process.args
    assert event.process.parent is not None
    assert event.process.parent.pid == os.getpid()


def test_an_event_before_an_exec_has_the_image_of_before(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))

    def action() -> None:
        touch(path)()
        os.execv("/bin/cat", ["cat", "-s", str(path)])

    before, after = (seen.event.process for seen in capture.of(action))
    assert before.pid == after.pid
    assert before.executable == os.path.realpath(sys.executable)
    assert after.args == ("cat", "-s", str(path))


def test_an_exec_by_another_thread_keeps_the_process(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))

    def action() -> None:
        touch(path)()
        thread = threading.Thread(target=os.execv, args=("/bin/cat", ["cat", str(path)]))
        thread.start()
        thread.join()

    before, after = (seen.event.process for seen in capture.of(action))
    assert (before.pid, before.start_ns) == (after.pid, after.start_ns)
    assert after.args == ("cat", str(path))


def test_grandparents_are_known(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))
    seen = capture.of(lambda: run("/bin/sh", "-c", f"/bin/sh -c '/bin/cat {path}; true'; true"))
    process = seen[0].event.process
    shells: list[tuple[str | None, tuple[str, ...] | None]] = []
    while process.parent is not None and len(shells) < 2:
        process = process.parent
        shells.append((process.executable, process.args))
    assert shells == [
        (os.path.realpath("/bin/sh"), ("/bin/sh", "-c", f"/bin/cat {path}; true")),
        (os.path.realpath("/bin/sh"), None),
    ]


def test_an_image_reached_by_a_link_is_told_by_its_true_path(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    (place / "link").symlink_to("/bin/cat")
    capture.watch(begins(path))
    process = capture.of(lambda: run(str(place / "link"), str(path)))[0].event.process
    assert process.executable == os.path.realpath("/bin/cat")


def test_a_process_that_ran_before_the_capture_is_known_from_proc(capture: Capture) -> None:
    parent = capture.processes.get(os.getpid(), _start_of(capture), os.getppid(), "?", 0)
    assert parent.executable == os.path.realpath(sys.executable)


def _start_of(capture: Capture) -> int:
    """The exact start of this process, as a child's events tell it."""
    capture.watch(begins("/etc/hostname"))
    seen = capture.of(touch("/etc/hostname"))
    parent = seen[0].event.process.parent
    assert parent is not None
    assert parent.start_ns is not None
    return parent.start_ns


def test_threads_make_no_processes(capture: Capture) -> None:
    def action() -> None:
        for _ in range(20):
            thread = threading.Thread(target=int)
            thread.start()
            thread.join()

    capture.watch(begins("/nowhere"))
    before = capture.source._plan_maps.counters().process_records
    in_child(action)
    during = capture.source._plan_maps.counters().process_records - before
    assert 2 <= during < 20


def test_an_image_bound_over_another_in_a_users_own_mounts_is_not_taken_for_it(
    capture: Capture, place: Path
) -> None:
    path, mine = made(place / "file"), place / "mine"
    shutil.copy("/bin/cat", mine)
    capture.watch(begins(path))
    script = f"mount --bind {mine} /usr/bin/true && exec /usr/bin/true {path}"
    seen = capture.of(lambda: run("unshare", "--map-root-user", "--mount", "sh", "-c", script))
    (event,) = [one.event for one in seen if one.event.path == str(path)]
    assert event.process.executable == str(mine)


def test_an_image_in_mounts_that_root_has_made_keeps_its_name(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))
    seen = capture.of(lambda: run("unshare", "--mount", "cat", str(path)))
    (event,) = [one.event for one in seen if one.event.path == str(path)]
    assert event.process.executable == os.path.realpath("/bin/cat")


def test_a_program_that_is_called_like_the_hosts_in_mounts_of_its_own_is_not_taken_for_it(
    capture: Capture, place: Path
) -> None:
    """As in a container: the file system has `/usr/bin/su`, and it is something else."""
    path, root = made(place / "file"), place / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "mnt").mkdir()
    program = compiled(root / "usr/bin", SHORT_LIVED, "-static")
    program.rename(root / "usr/bin/su")
    capture.watch(begins(path))
    script = f"mount --bind {root} {root} && mount --bind {place} {root}/mnt && cd {root} && mkdir old && "
    script += "pivot_root . old && exec /usr/bin/su /mnt/file x"
    seen = capture.of(lambda: run("unshare", "--mount", "sh", "-c", script))
    images = {one.event.process.executable for one in seen if one.event.path == str(path)}
    assert images == {f"{root}/usr/bin/su"}


RUNS = 1000
SHORT_LIVED = """
#include <fcntl.h>
#include <time.h>
int main(int count, char **arguments)
{
    struct timespec millisecond = {.tv_nsec = 1000000};
    open(arguments[1], O_RDONLY);
    return nanosleep(&millisecond, 0) + count != 3;
}
"""


def compiled(folder: Path, text: str, *options: str) -> Path:
    (folder / "program.c").write_text(text)
    program = folder / "program"
    subprocess.run(["cc", *options, "-o", program, folder / "program.c"], check=True)
    return program


def test_a_thousand_programs_that_live_a_millisecond_are_all_known(capture: Capture, place: Path) -> None:
    path, program = made(place / "file"), compiled(place, SHORT_LIVED, "-static")
    capture.watch(begins(path))

    def action() -> None:
        for number in range(RUNS):
            os.posix_spawn(program, [str(program), str(path), str(number)], {})
            os.wait()

    processes = [one.event.process for one in capture.of(action) if one.event.path == str(path)]
    wrong = [
        process
        for number, process in enumerate(processes)
        if process.executable != str(program) or process.args != (str(program), str(path), str(number))
    ]
    assert len(processes) == RUNS
    assert wrong == []


def directories(capture: Capture, path: Path, action: Callable[[], object]) -> list[str | None]:
    """The working directory of each open of the file."""
    capture.watch(begins(path))
    return [
        one.event.working_directory
        for one in capture.of(action)
        if one.event.path == str(path) and one.event.operation is Operation.OPEN
    ]


def test_the_working_directory_is_that_at_the_time_of_the_call(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    (place / "link").symlink_to("/usr/lib")

    def action() -> None:
        os.chdir(place)
        touch(path)()
        os.chdir("link")
        touch(path)()
        with contextlib.suppress(FileNotFoundError):
            os.chdir("/nowhere")
        touch(path)()
        folder = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
        os.fchdir(folder)
        touch(path)()
        os.chdir("/")
        touch(path)()

    assert directories(capture, path, action) == [str(place), "/usr/lib", "/usr/lib", "/etc", "/"]


def test_a_child_has_the_working_directory_of_its_parent(capture: Capture, place: Path) -> None:
    path = made(place / "file")

    def action() -> None:
        os.chdir("/usr/lib")
        in_child(touch(path))
        run("/bin/cat", str(path))
        subprocess.run(["/bin/cat", str(path)], check=True, cwd="/etc", capture_output=True)

    assert directories(capture, path, action) == ["/usr/lib", "/usr/lib", "/etc"]


def test_a_thread_changes_the_directory_of_its_process(capture: Capture, place: Path) -> None:
    path = made(place / "file")

    def action() -> None:
        thread = threading.Thread(target=os.chdir, args=("/usr/lib",))
        thread.start()
        thread.join()
        touch(path)()

    assert directories(capture, path, action) == ["/usr/lib"]


def test_a_directory_that_was_removed_has_the_name_that_it_had(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    (place / "gone").mkdir()

    def action() -> None:
        os.chdir(place / "gone")
        (place / "gone").rmdir()
        run("/bin/cat", str(path))

    assert directories(capture, path, action) == [str(place / "gone")]


def test_a_process_that_ran_before_the_capture_has_its_directory(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    assert directories(capture, path, touch(path)) == [str(Path.cwd())]


def test_a_directory_as_long_as_can_be_is_told(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    name = "d" * 250

    def action() -> None:
        os.chdir(place)
        for _ in range(14):
            Path(name).mkdir()
            os.chdir(name)
        touch(path)()
        run("/bin/cat", str(path))

    expected = "/".join([str(place), *[name] * 14])
    assert directories(capture, path, action) == [expected, expected]


def test_a_directory_beyond_all_bounds_is_told_from_its_end(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    name = "d" * 250

    def action() -> None:
        os.chdir(place)
        for _ in range(20):
            Path(name).mkdir()
            os.chdir(name)
        touch(path)()

    (told,) = directories(capture, path, action)
    assert told is not None
    assert not told.startswith("/")
    assert told.endswith("/".join([name] * 14))
    shutil.rmtree(place / name)


def test_long_arguments_and_a_long_directory_leave_room_for_each_other(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    name = "d" * 250

    def action() -> None:
        os.chdir(place)
        for _ in range(14):
            Path(name).mkdir()
            os.chdir(name)
        run("/bin/cat", str(path), LONG, LONG)

    (told,) = directories(capture, path, action)
    assert told is not None
    assert told.endswith("/".join([name] * 10))


def test_a_directory_in_a_users_own_mounts_is_not_the_hosts(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))
    script = f"cd /etc && exec cat {path}"
    seen = capture.of(lambda: run("unshare", "--map-root-user", "--mount", "sh", "-c", script))
    events = [one.event for one in seen if one.event.path == str(path)]
    assert events[0].working_directory == f"/proc/{events[0].process.pid}/root/etc"


def test_the_names_of_a_directory_keep_their_bytes(capture: Capture, place: Path) -> None:
    path, hostile = made(place / "file"), place / "\x1b[2J\nroot \udcff"
    hostile.mkdir()

    def action() -> None:
        os.chdir(hostile)
        touch(path)()

    assert directories(capture, path, action) == [str(hostile)]


def test_sixteen_ancestors_are_known_with_their_images(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    capture.watch(begins(path))

    def generation(left: int) -> None:
        if left:
            in_child(lambda: generation(left - 1))
        else:
            os.execv("/bin/cat", ["cat", str(path)])

    seen = capture.of(lambda: generation(ANCESTORS - 1))
    process, images, starts = seen[0].event.process, [], []
    while process.parent is not None:
        process = process.parent
        images.append(process.executable)
        starts.append(process.start_ns or 0)
    assert images == [os.path.realpath(sys.executable)] * ANCESTORS
    assert starts == sorted(starts, reverse=True)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="needs a program for 32-bit x86")
def test_a_32_bit_program_is_counted(capture: Capture, place: Path) -> None:
    program = place / "program"
    program.write_bytes(compat._elf(*compat._PROGRAMS["x86_64"]))
    program.chmod(0o755)
    capture.watch(begins("/nowhere"))
    before = capture.processes.compat_programs
    runs = takes_compat_calls()
    with contextlib.suppress(OSError):
        in_child(lambda: subprocess.run([program], check=False))
    in_child(lambda: run("/bin/true"))
    capture.drain()
    assert capture.processes.compat_programs - before == (2 if runs else 0)
