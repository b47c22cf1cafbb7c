"""In which container it was done: cgroups made by hand, and a real container of Podman's.

Podman makes its container from a folder, without any network, in storage of its own below the test's; the
process table reads its state there as it reads the host's.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.kernel.capture import Capture, Seen, begins, made, touch

from fileaudit_engine.enrich.container import Containers
from fileaudit_engine.enrich.runtimes import Runtimes
from fileaudit_engine.events.model import Container, FileEvent, Operation

pytestmark = pytest.mark.kernel

ID = "0123456789abcdef" * 4
UNIFIED = Path("/sys/fs/cgroup/unified" if Path("/sys/fs/cgroup/unified").is_dir() else "/sys/fs/cgroup")
PROGRAM = """
#include <fcntl.h>
#include <unistd.h>
int main(void)
{
    chdir("/srv");
    return open("/etc/marker", O_RDONLY) < 0;
}
"""


@contextlib.contextmanager
def cgroup(hierarchy: Path, *names: str) -> Iterator[Path]:
    """A cgroup below others that are made for it, all removed afterwards."""
    folders = [hierarchy.joinpath(*names[: depth + 1]) for depth in range(len(names))]
    new = [folder for folder in folders if not folder.exists()]
    try:
        for folder in new:
            folder.mkdir()
        yield folders[-1]
    finally:
        for folder in reversed(new):
            folder.rmdir()


def inside(folder: Path, *command: str) -> Callable[[], None]:
    """An action: a child enters the cgroup, and runs the command there."""

    def enter() -> None:
        (folder / "cgroup.procs").write_text(str(os.getpid()))

    def action() -> None:
        subprocess.run(command, check=True, capture_output=True, preexec_fn=enter)

    return action


def opened(seen: list[Seen], file: Path | str) -> list[FileEvent]:
    """What was done to the file, but for what came of having it open."""
    events = [one.event for one in seen]
    return [event for event in events if event.path == str(file) and event.operation is Operation.OPEN]


def container_in(capture: Capture, file: Path, folder: Path) -> Container | None:
    capture.watch(begins(file))
    seen = capture.of(inside(folder, "/bin/cat", str(file)))
    return opened(seen, file)[0].container


def test_a_process_in_a_containers_cgroup_is_in_the_container(capture: Capture, place: Path) -> None:
    with cgroup(UNIFIED, "system.slice", f"docker-{ID}.scope") as folder:
        assert container_in(capture, made(place / "file"), folder) == Container(id=ID, runtime="docker")


def test_the_cgroups_below_a_containers_are_the_containers(capture: Capture, place: Path) -> None:
    other = "f" * 64
    with cgroup(UNIFIED, "docker", ID, "a", "b", f"libpod-{other}.scope") as folder:
        assert container_in(capture, made(place / "file"), folder) == Container(id=ID, runtime="docker")


def test_a_cgroup_that_is_nested_deeply_is_still_the_containers(capture: Capture, place: Path) -> None:
    with cgroup(UNIFIED, "docker", ID, *map(str, range(40))) as folder:
        assert container_in(capture, made(place / "file"), folder) == Container(id=ID, runtime="docker")


def test_a_container_of_a_long_name_is_told(capture: Capture, place: Path) -> None:
    pod = "kubepods-besteffort-pod01234567_89ab_cdef_0123_456789abcdef.slice"
    with cgroup(UNIFIED, "s" * 255, f"{pod}:cri-containerd:{ID}") as folder:
        assert container_in(capture, made(place / "file"), folder) == Container(id=ID, runtime="containerd")


def test_long_names_below_a_containers_do_not_hide_it(capture: Capture, place: Path) -> None:
    with cgroup(UNIFIED, "docker", ID, *("x" * 255 for _ in range(10))) as folder:
        assert container_in(capture, made(place / "file"), folder) == Container(id=ID, runtime="docker")


def test_any_other_cgroup_is_none(capture: Capture, place: Path) -> None:
    with cgroup(UNIFIED, "system.slice", "web.service") as folder:
        assert container_in(capture, made(place / "file"), folder) is None


def test_a_process_that_moves_without_running_a_program_is_where_it_went(
    capture: Capture, place: Path
) -> None:
    file = made(place / "file")
    capture.watch(begins(file))
    with cgroup(UNIFIED, "docker", ID) as folder:

        def action() -> None:
            touch(file)()
            (folder / "cgroup.procs").write_text(str(os.getpid()))
            os.posix_spawn("/bin/cat", ["cat", str(file)], os.environ)
            os.wait()
            touch(file)()

        containers = [event.container for event in opened(capture.of(action), file)]
    assert containers == [None, Container(id=ID, runtime="docker"), Container(id=ID, runtime="docker")]


def controllers() -> Path | None:
    """A hierarchy with controllers, on hosts that have any."""
    known = (Path("/sys/fs/cgroup", name) for name in ("pids", "devices", "memory", "cpu"))
    return next((folder for folder in known if (folder / "cgroup.procs").is_file()), None)


def test_a_container_in_a_hierarchy_with_controllers_alone_is_found(capture: Capture, place: Path) -> None:
    hierarchy = controllers()
    if hierarchy is None:  # the unified hierarchy is all that this host has: the same must be found there
        hierarchy = UNIFIED
    with cgroup(hierarchy, "docker", ID) as folder:
        assert container_in(capture, made(place / "file"), folder) == Container(id=ID, runtime="docker")


class Podman:
    """Podman with storage of its own.

    Attributes:
        root: Below which its state is, as it is below `/` on a host.
        name: Of the container that it runs.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = f"fileaudit-test-{uuid.uuid4().hex}"
        self._parent = f"/{self.name}"

    def run(self, *arguments: str) -> str:
        """What a command of Podman's prints."""
        command = [
            "podman", f"--root={self.root}/var/lib/containers/storage",
            f"--runroot={self.root}/run/containers/storage", f"--tmpdir={self.root}/tmp",
            "--runtime=runc", "--cgroup-manager=cgroupfs", "--events-backend=none", *arguments,
        ]  # fmt: skip
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def image(self, folder: Path, name: str) -> None:
        """Make an image of a folder."""
        archive = folder.with_suffix(".tar")
        subprocess.run(["tar", "-C", folder, "-cf", archive, "."], check=True)
        self.run("import", str(archive), name)

    def create(self, image: str, *command: str) -> str:
        """Make a container of the image; its id."""
        limits = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024")
        options = (f"--name={self.name}", "--network=none", f"--cgroup-parent={self._parent}", *limits)
        return self.run("create", *options, image, *command)

    def close(self) -> None:
        """Remove everything that it has made."""
        self.run("rm", "--all", "--force", "--time=0")
        self.run("rmi", "--all", "--force")
        self.run("unmount", "--all")
        for folder in Path("/sys/fs/cgroup").glob(f"**{self._parent}"):
            for inner in sorted(folder.glob("**/"), reverse=True):
                inner.rmdir()


@pytest.fixture
def podman() -> Iterator[Podman]:
    if shutil.which("podman") is None or shutil.which("runc") is None:
        pytest.skip("Podman and runc are not installed")
    with tempfile.TemporaryDirectory(prefix="fa-") as root:  # Podman wants short paths
        podman = Podman(Path(root))
        yield podman
        podman.close()


@pytest.fixture
def image(place: Path) -> Path:
    """A folder with a program that needs no other file."""
    folder = place / "image"
    for name in ("bin", "etc", "srv", "proc", "sys", "dev", "run", "tmp"):
        (folder / name).mkdir(parents=True)
    (folder / "etc" / "marker").touch()
    (place / "program.c").write_text(PROGRAM)
    subprocess.run(["cc", "-static", "-o", folder / "bin/program", place / "program.c"], check=True)
    return folder


def test_what_is_done_in_a_container_of_podman_has_its_id_name_and_image(
    capture: Capture, podman: Podman, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtimes = Runtimes(root=str(podman.root))
    monkeypatch.setattr(capture.processes, "_containers", Containers(runtimes=runtimes))
    podman.image(image, "localhost/fileaudit-test:1")
    number = podman.create("localhost/fileaudit-test:1", "/bin/program")
    capture.watch(begins("/etc/marker"))
    seen = capture.of(lambda: podman.run("start", "--attach", number))
    (event,) = opened(seen, "/etc/marker")
    assert event.container == Container(
        id=number, name=podman.name, image="localhost/fileaudit-test:1", runtime="podman"
    )
    executable = event.process.executable or ""
    assert executable.endswith("/bin/program")
    assert executable != "/bin/program", "inside, any file can have a name that is the host's"
    assert event.working_directory == "/srv"
