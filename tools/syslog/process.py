"""A server's process: started, paused, ended, and never left behind."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tools.syslog.errors import CannotServe

START_S: Final = 20.0
STOP_S: Final = 20.0
_LOOK_S: Final = 0.02


class Served:
    """A program that serves until it is stopped; it dies with the thread that started it.

    Args:
        command: It, with its arguments; it stays in the foreground.
        log: Takes what it says.
        environment: Beside this process's own.
    """

    def __init__(self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str]) -> None:
        # setpriv lets the kernel end it when we end, however that happens.
        self._command = ["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)]
        self._log = log
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        if self._process is None:
            raise CannotServe("it is not running")
        return self._process.pid

    def start(self, ready: Callable[[], bool]) -> None:
        """Start it, and wait until it is ready.

        Raises:
            CannotServe: It ended, or took too long; with the end of what it said.
        """
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        if not wait_until(lambda: self._ended() or ready(), START_S) or self._ended():
            self.kill()
            raise CannotServe(f"{self._command[4]} did not start: {self.said()}")

    def said(self) -> str:
        """The last lines of what it said."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])

    def stop(self) -> None:
        """End it as an administrator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let it do nothing: its connections stay, and nobody reads them."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def cpu_s(self) -> float:
        """What it has used of processors since it was started, seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until something holds; returns whether it does."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_S)
    return True


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port of loopback that nobody has now."""
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def listens(port: int, kind: int = socket.SOCK_STREAM) -> bool:
    """Whether somebody serves a port of loopback; asks the kernel, and disturbs nobody."""
    table, listening = ("tcp", "0A") if kind == socket.SOCK_STREAM else ("udp", "07")
    for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if state == listening and int(local.rpartition(":")[2], 16) == port:
            return True
    return False
