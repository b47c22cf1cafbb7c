"""Real programs: what the engine reports of them is what strace saw, call by call and byte by byte.

Both watch the same run. Compared are counts per operation and path, and what was read and written per path.
What must differ is data here, with its reason.
"""

import os
import re
import shutil
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from tests.kernel import strace
from tests.kernel.capture import Capture
from tests.kernel.strace import Account, Key

from fileaudit_engine.compiler.ir import All
from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.events.model import FileEvent, Operation

pytestmark = pytest.mark.kernel

EVERYTHING: Final = All(operands=())
SETTINGS: Final = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "TERM": "dumb",
    "TZ": "UTC",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


@dataclass(frozen=True)
class Program:
    """A shell script that runs in an empty folder, and what it must have done for the test to mean anything.

    Attributes:
        script: Is run by `sh -e`.
        needs: Programs that must be installed.
        does: Operations on files below the folder that must be among those that were seen.
        prepare: Makes what the script finds.
    """

    script: str
    needs: tuple[str, ...]
    does: frozenset[str]
    prepare: Callable[[Path], None] = field(default=lambda _: None)


def tree(place: Path) -> None:
    """Some files, one with a name that is no text, a link and a program."""
    folder = place / "tree"
    (folder / "sub" / "deep").mkdir(parents=True)
    for number in range(5):
        (folder / "sub" / f"file {number}").write_text("some text\n" * number * 100)
    (folder / os.fsdecode(b"no\xfftext\n")).write_text("bytes")
    (folder / "sub" / "link").symlink_to("../sub/file 1")
    os.link(folder / "sub" / "file 2", folder / "sub" / "deep" / "same")
    (folder / "program").write_text("#!/bin/sh\nexit 0\n")
    (folder / "program").chmod(0o755)


def log_files(place: Path) -> None:
    (place / "app.log").write_text("a line\n" * 2000)
    (place / "app.log.1").write_text("an old line\n" * 2000)
    (place / "logrotate.conf").write_text(
        textwrap.dedent(f"""\
        {place}/app.log {{
            rotate 3
            compress
            create 0640
            missingok
        }}
        """)
    )
    (place / "logrotate.conf").chmod(0o644)


def repository(place: Path) -> None:
    """A repository of packages on this disk, and the folders of an apt that knows no other."""
    for folder in (
        "state/lists/partial",
        "cache/archives/partial",
        "etc/preferences.d",
        "etc/apt.conf.d",
        "repo",
    ):
        (place / folder).mkdir(parents=True)
    (place / "repo" / "Packages").write_text(
        "Package: probe\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\n"
        "Filename: ./probe.deb\nSize: 1\nMD5sum: 68b329da9893e34099c7d8ad5cb9c940\n"
        "Description: nothing\n\n"
    )
    (place / "state" / "status").write_text("")
    (place / "sources.list").write_text(f"deb [trusted=yes] file:{place}/repo ./\n")


APT: Final = """
apt-get -q \
  -o Dir::Etc=$PWD/etc -o Dir::Etc::sourcelist=$PWD/sources.list -o Dir::Etc::sourceparts=/dev/null \
  -o Dir::State=$PWD/state -o Dir::State::status=$PWD/state/status -o Dir::Cache=$PWD/cache \
  -o APT::Sandbox::User=root -o APT::Get::List-Cleanup=true"""

PYTHON: Final = r"""
import os, mmap, shutil, subprocess, tempfile
os.makedirs("a/b/c")
with open("a/one", "w") as file:
    for number in range(100):
        file.write(f"line {number}\n")
        file.flush()
with open("a/one") as file:
    assert len(file.readlines()) == 100
shutil.copyfile("a/one", "a/two")
shutil.copystat("a/one", "a/two")
os.chmod("a/two", 0o600)
os.chown("a/two", 1, 1)
os.utime("a/two", ns=(1, 2))
os.truncate("a/two", 5)
os.link("a/two", "a/three")
os.symlink("three", "a/link")
os.chmod("a/link", 0o640)
os.lchown("a/link", 2, 2)
os.rename("a/one", "a/renamed")
os.replace("a/renamed", "a/two")
os.setxattr("a/two", "trusted.probe", b"x")
os.removexattr("a/two", "trusted.probe")
os.mkfifo("a/pipe")
with open("a/mapped", "w+b") as file:
    file.truncate(4096)
    with mmap.mmap(file.fileno(), 0) as memory:
        memory[0] = 65
os.chdir("a")
for name in ("none", "b/none", "two/none", "../a/none"):
    try:
        os.unlink(name)
    except OSError:
        pass
here = os.open("b", os.O_RDONLY)
os.mkdir("made", dir_fd=here)
os.rename("made", "moved", src_dir_fd=here, dst_dir_fd=here)
os.rmdir("moved", dir_fd=here)
os.unlink("three")
with tempfile.TemporaryFile(dir=".") as file:
    file.write(b"gone")
if os.fork() == 0:
    open("of the child", "w").write("x")
    os._exit(0)
os.wait()
subprocess.run(["/bin/true"], check=True)
shutil.rmtree("b")
"""


def script_of_python(place: Path) -> None:
    (place / "script.py").write_text(PYTHON)


PROGRAMS: Final = {
    "vim": Program(
        script="""
            printf 'one\\ntwo\\n' > text
            vim --not-a-term -u NONE -i "$HOME/viminfo" -N -c 'set backup' -c '%s/one/three/' -c 'wq' text
            grep -q three text
        """,
        needs=("vim",),
        does=frozenset({"open", "read", "write", "unlink", "chmod"}),
    ),
    "sed": Program(
        script="sed -i.bak -e s/text/words/ 'tree/sub/file 1'; sed -i -e s/some/more/ tree/sub/file*",
        needs=("sed",),
        does=frozenset({"open", "read", "write", "rename", "chown"}),
        prepare=tree,
    ),
    "tar": Program(
        script="tar -cf tree.tar tree; mkdir out; tar -C out -xpf tree.tar; tar -tf tree.tar",
        needs=("tar",),
        does=frozenset({"open", "read", "write", "mkdir", "symlink", "link", "utimes", "chmod"}),
        prepare=tree,
    ),
    "git": Program(
        script="""
            cd tree
            git init -q .; git add .; git commit -qm first
            echo more >> program; git commit -qam second; git mv program other; git commit -qm third
            git gc -q; git status --short; git checkout -q HEAD~1; git branch -q side; git log --stat
        """,
        needs=("git",),
        does=frozenset({"open", "read", "write", "mkdir", "rename", "unlink", "link", "symlink", "rmdir"}),
        prepare=tree,
    ),
    "rsync": Program(
        script="""
            rsync -aH tree/ copy/
            rm -r tree/sub/deep; echo changed > 'tree/sub/file 3'
            rsync -aH --delete --checksum tree/ copy/
        """,
        needs=("rsync",),
        does=frozenset({"open", "read", "write", "mkdir", "rename", "unlink", "rmdir", "link", "symlink"}),
        prepare=tree,
    ),
    "apt-get": Program(
        script=f"{APT} update; {APT} --no-download --print-uris install probe; {APT} clean",
        needs=("apt-get",),
        does=frozenset({"open", "read", "write", "rename", "unlink"}),
        prepare=repository,
    ),
    "logrotate": Program(
        script="logrotate -f -s $PWD/state $PWD/logrotate.conf; test -e app.log.1.gz",
        needs=("logrotate",),
        does=frozenset({"open", "read", "write", "rename", "chmod", "utimes"}),
        prepare=log_files,
    ),
    "sqlite3": Program(
        script="""
            sqlite3 a.db 'create table t (x); insert into t values (1), (2); update t set x = 3; vacuum;'
            sqlite3 a.db 'pragma journal_mode=wal; insert into t values (4); select * from t;'
        """,
        needs=("sqlite3",),
        does=frozenset({"open", "read", "write", "unlink", "truncate"}),
    ),
    "python": Program(
        script="/usr/bin/python3 -I script.py",
        needs=(),
        does=frozenset(
            {"open", "read", "write", "truncate", "mkdir", "rmdir", "unlink", "rename", "link", "symlink"}
            | {"chmod", "chown", "utimes", "setxattr", "removexattr"}
        ),
        prepare=script_of_python,
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_engine_reports_what_strace_sees(capture: Capture, place: Path, name: str) -> None:
    program = PROGRAMS[name]
    for tool in ("strace", *program.needs):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    capture.source.replace_plan(kernel_plan([EVERYTHING]))
    for attempt in range(ATTEMPTS):
        capture.drain()
        capture.losses.clear()
        own = place / str(attempt)
        ground = own / "ground"
        ground.mkdir(parents=True)
        program.prepare(ground)
        events = list(run(capture, ground, program, own / "trace"))
        assert capture.losses == []
        seen = strace.account(own / "trace", ground)
        assert program.does <= {operation for operation, path in seen.counts if path.startswith(str(ground))}
        wrong = differences(account_of(events), seen)
        racing = {event.operation.value for event in events if is_by_descriptor(event)}
        if not wrong or any(line.split(" ", 1)[0] not in racing for line in wrong):
            break
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


ATTEMPTS = 4
"""glibc changes the mode of what must not be a link by /proc/self/fd/N and closes N at once: whoever looks at
that name a moment later may find another file, or none. Where nothing but such operations differ, there are
other runs, of which one must agree."""


def is_by_descriptor(event: FileEvent) -> bool:
    """Whether a call named its file by a descriptor that it may have closed since."""
    return (event.asked_path or "").startswith("/proc/self/fd/")


def run(capture: Capture, ground: Path, program: Program, output: Path) -> Iterator[FileEvent]:
    """The events of a program that runs under strace, as they come."""
    script = ground.parent / "script"
    script.write_text(textwrap.dedent(program.script))
    pid = os.fork()
    if pid == 0:
        _become(strace.command(output, ["/bin/sh", "-e", str(script)]), ground)
    status = None
    while True:
        for seen in list(capture.arrived()):
            if is_descendant(seen.event, pid):
                yield seen.event
        if status is not None:
            break
        ended, code = os.waitpid(pid, os.WNOHANG)
        status = code if ended else None
        time.sleep(0.01)
    assert status == 0, (ground.parent / "output").read_text()


def _become(command: list[str], ground: Path) -> None:
    try:
        os.chdir(ground)
        null = os.open(os.devnull, os.O_RDWR)
        output = os.open(ground.parent / "output", os.O_WRONLY | os.O_CREAT, 0o600)
        for descriptor, standard in ((null, 0), (output, 1), (output, 2)):
            os.dup2(descriptor, standard)
        os.execvpe(command[0], command, {**SETTINGS, "HOME": str(ground), "TMPDIR": str(ground)})
    finally:
        os._exit(127)


def is_descendant(event: FileEvent, ancestor: int) -> bool:
    """Whether a process below strace did this, once it had become a program of its own."""
    process = event.process
    if (process.executable or "").endswith("/strace"):
        return False
    while process.parent is not None:
        process = process.parent
        if process.pid == ancestor:
            return True
    return False


# --- what is compared ----------------------------------------------------------------------------------


def account_of(events: list[FileEvent]) -> Account:
    """The same counts of what the engine reports."""
    found = Account()
    for event in events:
        path = event.path or ""
        operation = "open" if event.operation is Operation.CREATE and _opens(event) else event.operation.value
        moves = event.operation in {Operation.READ, Operation.WRITE}
        found.counts[operation, path] += (event.transfer_calls or 0) if moves else 1
        if moves:
            found.bytes[operation, path] += event.transferred_bytes or 0
        if event.operation is Operation.CREATE and _opens(event):
            found.certain[path] += 1
    return found


def _opens(event: FileEvent) -> bool:
    return not (event.syscall or "").startswith("mknod")


UNCOMPARED: Final = {
    r"(pipe|socket|anon_inode):.*": "they are no files: nobody opens them, so nothing marks them",
    r"/dev/null": "where the program's input comes from was opened before it was watched",
    r".*/output": "and so was where its output goes",
}
"""Paths on which the two may differ, and why."""


def differences(told: Account, seen: Account) -> list[str]:
    """In words: what the engine and strace do not agree on.

    A read that moves nothing, at the end of a file, is counted by the engine only beside others that do.
    """
    found = []
    for key in sorted(_compared(told.counts) | _compared(seen.counts)):
        ours, least, most = told.counts[key], seen.counts[key], seen.counts[key] + seen.empty[key]
        if not least <= ours <= most:
            found.append(f"{key[0]} {key[1]!r}: the engine says {ours} calls, strace {least} to {most}")
        if told.bytes[key] != seen.bytes[key]:
            found.append(f"{key[0]} {key[1]!r}: {told.bytes[key]} bytes, and not {seen.bytes[key]}")
    for path, made in told.certain.items():
        if not seen.certain[path] <= made <= seen.possible[path]:
            found.append(f"{path!r}: made {made} times, and that cannot be")
    return found


def _compared(counts: Counter[Key]) -> set[Key]:
    return {key for key in counts if counts[key] and not _is_uncompared(key[1])}


def _is_uncompared(path: str) -> bool:
    return any(re.fullmatch(pattern, path, re.DOTALL) for pattern in UNCOMPARED)
