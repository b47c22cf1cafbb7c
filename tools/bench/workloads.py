"""What watched and unwatched hosts do while they are measured: three loops, a build, and `git status`.

Each workload is made once, in a folder of its own, and then run as often as is asked; it says how long it
took: a loop in wall clock (the best tenth of its rounds), the others in CPU time.
"""

import os
import resource
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent

Workload = Callable[[], float]
"""Does the work; seconds."""

SOURCES: Final = 40
"""C files of the project that is built."""
FUNCTIONS: Final = 60
"""Functions in each."""
TREE: Final = (60, 250)
"""Folders, and files in each, of the tree that git looks at."""
_ROUNDS: Final = {"open": 300_000, "stat": 100_000, "write": 600_000}


def workloads(folder: Path) -> Mapping[str, Workload]:
    """All of them by name, ready to run."""
    binary, target = prepare(folder)
    return {
        "open+read+close": _loop(binary, "open", target),
        "stat": _loop(binary, "stat", target),
        "write": _loop(binary, "write", target.with_name("written.bin")),
        "make -j2": _build(_project(folder / "project")),
        "git status": _status(_tree(folder / "tree")),
    }


def prepare(folder: Path) -> tuple[Path, Path]:
    """The compiled loops and a file for them, four folders deep."""
    binary = folder / "loop"
    subprocess.run(["cc", "-O2", "-o", binary, HERE / "loop.c"], check=True)
    target = folder / "some" / "where" / "else" / "data.bin"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"x" * 4096)
    return binary, target


def _loop(binary: Path, kind: str, target: Path) -> Workload:
    def run() -> float:
        command: list[str | Path] = [binary, kind, target, str(_ROUNDS[kind])]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return float(done.stdout) / 1e9

    return run


def _project(folder: Path) -> Path:
    """A C project of many small files, each including headers of the system and of its own."""
    folder.mkdir()
    names = [f"part{number}" for number in range(SOURCES)]
    for name in names:
        body = "\n".join(
            f'int {name}_{n}(int x) {{ char b[64]; snprintf(b, 64, "%d", x * {n + 1}); return atoi(b); }}'
            for n in range(FUNCTIONS)
        )
        (folder / f"{name}.h").write_text(f"int {name}_0(int x);\n")
        includes = "".join(f'#include "{other}.h"\n' for other in names)
        (folder / f"{name}.c").write_text(f"#include <stdio.h>\n#include <stdlib.h>\n{includes}{body}\n")
    calls = " + ".join(f"{name}_0(argc)" for name in names)
    headers = "".join(f'#include "{name}.h"\n' for name in names)
    (folder / "main.c").write_text(f"{headers}int main(int argc, char **argv) {{ return ({calls}) & 1; }}\n")
    objects = " ".join(f"{name}.o" for name in (*names, "main"))
    (folder / "Makefile").write_text(f"all: {objects}\n\tcc -o all {objects}\nclean:\n\trm -f *.o all\n")
    return folder


def _build(folder: Path) -> Workload:
    def run() -> float:
        subprocess.run(["make", "-s", "clean"], check=True, cwd=folder)
        return _cpu_s(["make", "-s", "-j2"], folder)

    return run


def _tree(folder: Path) -> Path:
    """A git repository of many files."""
    folder.mkdir()
    for number in range(TREE[0]):
        below = folder / f"folder{number}" / "src"
        below.mkdir(parents=True)
        for name in range(TREE[1]):
            (below / f"file{name}.txt").write_text(f"{number} {name}\n")
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
    for arguments in (("init", "-q"), ("add", "."), (*identity, "commit", "-q", "-m", "all")):
        subprocess.run(["git", *arguments], check=True, cwd=folder, env=_plain_environment())
    return folder


def _status(folder: Path) -> Workload:
    def run() -> float:
        return sum(_cpu_s(["git", "status", "--short"], folder) for _ in range(5)) / 5

    return run


def _cpu_s(command: list[str], folder: Path) -> float:
    """CPU time of the command and of all that it starts: of two busy processors, wall clock tells little."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, cwd=folder, env=_plain_environment(), stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _plain_environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1"}
