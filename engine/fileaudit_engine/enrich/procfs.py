"""What /proc says of the processes that run: asked once, at the start.

From then on the kernel's own records tell, because /proc is a race: a process that lives two milliseconds
is gone before anybody looks.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fileaudit_engine.events.model import Process
from fileaudit_engine.text import from_kernel

ARGS_LIMIT: Final = 4096
"""Bytes of arguments that are kept: what the kernel's exec record has (`bpf/process.h`)."""


def running(proc: str, tick_ns: int) -> Iterator[Process]:
    """The processes, the older ones first, so that parents come before their children.

    Their start is cut to the clock tick, and `parent` is not filled in.
    """
    folders = (path for path in Path(proc).iterdir() if path.name.isdecimal())
    found = (process for folder in folders if (process := _process(folder, tick_ns)) is not None)
    yield from sorted(found, key=lambda process: (process.start_ns or 0, process.pid))


def parse_stat(raw: bytes) -> tuple[str, int, int]:
    """Name, parent and start in ticks, from `/proc/PID/stat`.

    The name may hold spaces and parentheses; the last parenthesis ends it.

    Raises:
        ValueError: It is no such line.
    """
    begin, end = raw.index(b"("), raw.rindex(b")")
    fields = raw[end + 2 :].split()
    if len(fields) < 20:
        raise ValueError("too few fields")
    return from_kernel(raw[begin + 1 : end]), int(fields[1]), int(fields[19])


def _process(folder: Path, tick_ns: int) -> Process | None:
    """A process; None if it ended meanwhile."""
    try:
        name, parent_pid, ticks = parse_stat((folder / "stat").read_bytes())
        with (folder / "cmdline").open("rb") as file:
            raw = file.read(ARGS_LIMIT + 1)
    except (OSError, ValueError):
        return None
    executable = None
    with contextlib.suppress(OSError):  # kernel threads have none
        executable = str((folder / "exe").readlink())
    args = raw[:ARGS_LIMIT].removesuffix(b"\0").split(b"\0") if raw else []
    return Process(
        pid=int(folder.name),
        start_ns=ticks * tick_ns,
        executable=executable,
        args=tuple(map(from_kernel, args)),
        args_truncated=len(raw) > ARGS_LIMIT,
        name=name,
        parent_pid=parent_pid,
    )
