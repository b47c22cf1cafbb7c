"""What users see of this machine's kernel: `trace` and `top` over programs that really run."""

import json
import os
import pwd
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.test_commands import PATIENCE_S, Running, running

pytestmark = pytest.mark.kernel

WORK = """
import os
with open("made", "wb") as file:
    file.write(b"x" * 4096)
os.chmod("made", 0o4711)
os.chown("made", 1, -1)
os.utime("made", (1_000_000_000, 1_000_000_000))
os.truncate("made", 10)
os.setxattr("made", "user.note", b"1")
os.removexattr("made", "user.note")
os.rename("made", "moved")
os.link("moved", "linked")
os.symlink("/etc/shadow", "notes")
os.mkdir("folder")
os.rmdir("folder")
os.unlink("linked")
try:
    os.mkdir("moved")
except FileExistsError:
    pass
"""

PYTHON = os.path.realpath(sys.executable)
"""Where every user may run it."""

COLUMNS = re.compile(r"[0-9:.]{12} (?P<operation>\w+) +(?P<outcome>\w+) +(?P<rest>.*)")


def work(folder: Path, program: str = WORK) -> int:
    """Run a Python program in a folder; returns its process id."""
    process = subprocess.Popen([PYTHON, "-S", "-E", "-c", program], cwd=folder)
    assert process.wait(PATIENCE_S) == 0
    return process.pid


def lines_of(command: Running, pid: int) -> list[str]:
    """The lines about a process, each as `operation outcome what was said of it and of the files`."""
    found = []
    for line in command.out:
        columns = COLUMNS.match(line)
        if columns and f" {pid} " in line:
            about = columns["rest"].split(f" {pid} ")[-1].split(None, 1)[1]
            found.append(" ".join((columns["operation"], columns["outcome"], *about.split())))
    return found


def test_every_change_is_a_line_with_what_it_was_about(tmp_path: Path) -> None:
    with running("trace", "--path", f"{tmp_path}/*", "--color", "never", ready="tracing") as command:
        pid = work(tmp_path)
        command.wait_for(lambda c: any("EEXIST" in line for line in lines_of(c, pid)))
    here = str(tmp_path)
    lines = [line.replace(here, "") for line in lines_of(command, pid)]
    kinds = [line.split()[0] for line in lines]
    assert [kind for kind in kinds if kind not in {"open", "read"}] == [
        *("create", "write", "chmod", "chown", "utimes", "truncate", "setxattr", "removexattr"),
        *("rename", "link", "symlink", "mkdir", "rmdir", "unlink", "mkdir"),
    ]
    for said in (
        "write ok 4.0 KiB in 1 call /made",
        "utimes ok modified 2001-09-09",
        "truncate ok to 10 bytes /made",
        "setxattr ok user.note /made",
        "removexattr ok user.note /made",
        "rename ok - /made -> /moved",
        "link ok - /moved -> /linked",
        "symlink ok - /notes -> /etc/shadow",
        "mkdir EEXIST - /moved",
    ):
        assert any(line.startswith(said) for line in lines), (said, lines)
    assert any(re.match(r"chmod ok 4711( was 0...)? /made", line) for line in lines), lines
    assert any(re.match(r"chown ok \w+ \(1\) /made", line) for line in lines), lines
    assert any(
        re.match(r"create ok 0... O_WRONLY\|O_CREAT\|O_TRUNC\|O_CLOEXEC /made", line) for line in lines
    ), lines


def test_a_file_that_leaves_what_is_watched_is_seen(tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "file").write_text("x")
    with running("trace", "--path", f"{watched}/*", "--color", "never", ready="tracing") as command:
        pid = work(tmp_path, "import os; os.rename('watched/file', 'taken')")
        command.wait_for(lambda c: any("taken" in line for line in lines_of(c, pid)))
    (line,) = [line for line in lines_of(command, pid) if line.startswith("rename")]
    assert line == f"rename ok - {watched}/file -> {tmp_path}/taken"


OTHERS = "import os\nfor n in range(200):\n os.close(os.open('file', os.O_RDONLY))"


@pytest.mark.parametrize("option", ["--user", "--comm", "--pid"])
def test_what_a_filter_excludes_never_leaves_the_kernel(tmp_path: Path, option: str) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "file").write_text("x")
    mine = "import sys, os\nopen('/proc/self/comm', 'w').write('watched-one')\nsys.stdin.read()\n" + OTHERS
    process = subprocess.Popen([PYTHON, "-S", "-E", "-c", mine], cwd=tmp_path, stdin=subprocess.PIPE, user=1)
    value = {"--user": pwd.getpwuid(1).pw_name, "--comm": "watched-one", "--pid": str(process.pid)}[option]
    with running(
        "trace", "--op", "open", "--path", f"{tmp_path}/file", option, value, ready="tracing"
    ) as command:
        stranger = work(tmp_path, OTHERS)
        process.communicate(timeout=PATIENCE_S)
        command.wait_for(lambda c: len(lines_of(c, process.pid)) >= 200)
    assert not lines_of(command, stranger)
    delivered = re.search(r"([0-9,]+) delivered", command.err[-1])
    assert delivered
    assert int(delivered[1].replace(",", "")) < 300


MOVES = """
import os
out = os.open("data", os.O_WRONLY | os.O_CREAT)
for _ in range(10):
    os.write(out, b"x" * 4096)
os.close(out)
source = os.open("data", os.O_RDONLY)
while os.read(source, 8192):
    pass
os.close(source)
"""


def summary(command: Running) -> dict[str, Any]:
    command.stop(signal.SIGINT)
    (line,) = command.out
    found: dict[str, Any] = json.loads(line)
    return found


def test_top_sums_calls_and_bytes_of_each_process_exactly(tmp_path: Path) -> None:
    arguments = ("top", "--format", "json", "--path", f"{tmp_path}/*")
    with running(*arguments, ready="watching") as command:
        pids = {work(tmp_path, MOVES) for _ in range(3)}
        found = summary(command)
    processes = {process["pid"]: process for process in found["processes"]}
    assert pids <= processes.keys()
    for pid in pids:
        moved = processes[pid]
        assert (moved["operations"]["write"], moved["written_bytes"]) == (10, 40_960)
        assert (moved["operations"]["read"], moved["read_bytes"]) == (5, 40_960)
        assert moved["executable"] == PYTHON
    (data,) = [file for file in found["files"] if file["path"] == f"{tmp_path}/data"]
    assert (data["written_bytes"], data["read_bytes"]) == (3 * 40_960, 3 * 40_960)
    assert found["lost"] == 0


def test_top_counts_the_alerts_of_a_process() -> None:
    with running("top", "--format", "json", "--path", "/etc/shadow", ready="watching") as command:
        process = subprocess.Popen(["cat", "/etc/shadow"], stdout=subprocess.DEVNULL)
        process.wait(PATIENCE_S)
        found = summary(command)
    (row,) = [row for row in found["processes"] if row["pid"] == process.pid]
    assert row["alerts"] == 1
    assert found["alerts"]["high"] >= 1
