"""Cold child processes on one CPU: what they print, what they cost in time and memory.

Time is that of the CPU, user and system: on a CPU of its own a process that waits for nothing takes as long
by the clock, and on a machine that does other things too it is the figure that stays the same.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LAUNCH: Final = Path(__file__).resolve().parent / "launch.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A child that has ended well.

    Attributes:
        output: What it wrote to its standard output.
        cpu_s: Seconds of CPU from its start to its end, all its threads.
        peak_bytes: Its largest resident set (never below the ten megabytes of what starts it).
    """

    output: str
    cpu_s: float
    peak_bytes: int


class ChildFailed(Exception):
    """A child ended badly, or not in time."""


def pin(cpu: int | None) -> int:
    """Keep this process and its children to one CPU (the last one, if not told); returns its number."""
    chosen = max(os.sched_getaffinity(0)) if cpu is None else cpu
    os.sched_setaffinity(0, {chosen})
    return chosen


def run(
    command: Sequence[str | Path],
    *,
    folder: Path | None = None,
    timeout_s: float = 600.0,
    well: Container[int] = (0,),
) -> Child:
    """Run a command to its end, in a folder.

    Raises:
        ChildFailed: Its status is not one of `well`, or it took too long.
    """
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as report:
        launched = [sys.executable, "-I", "-S", _LAUNCH, report.name, *command]
        process = subprocess.Popen(
            launched,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            output, errors = process.communicate(timeout=timeout_s)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise ChildFailed(f"{_shown(command)} took more than {timeout_s:.0f} s") from None
            raise
        if process.returncode not in well:
            last = errors.decode("utf-8", "replace").strip()[-2000:]
            raise ChildFailed(f"{_shown(command)} ended with {process.returncode}\n{last}")
        cost = json.load(report)
    return Child(output=output.decode("utf-8", "replace"), cpu_s=cost["cpu_s"], peak_bytes=cost["peak_bytes"])


def _shown(command: Sequence[str | Path]) -> str:
    return " ".join(map(str, command))
