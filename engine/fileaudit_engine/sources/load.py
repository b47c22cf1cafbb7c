"""The daemon's side of a load: start the loader, feed it, take over what it hands out.

`Load` is a conversation with one loader process (`loader.py` has the protocol). Whatever goes wrong there
becomes a `MachineCannot` that says what to do about it.
"""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.resources import bpf_dir
from fileaudit_engine.sources import loader
from fileaudit_engine.sources.headers import KernelTypes
from fileaudit_engine.sources.ring import close_all

_PACKAGE_ROOT: Final = Path(__file__).resolve().parents[2]
_QUIET: Final = ("-Wno-unused-function", "-Wno-gnu-statement-expression")
_TAIL_BYTES: Final = 4000
_REFUSED: Final = "Failed to load program: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A function in `bpf/` and the hook that it belongs to.

    Attributes:
        name: The C function.
        kind: `tracepoint`, `raw_tracepoint`, `fentry`, `lsm`, or `behind`: called by other programs at
            tracepoints, `behind_raw`: at raw ones.
        event: `category:name` of a tracepoint, `map:place` of a program that is called by others, the name
            alone of anything else.
    """

    name: str
    kind: str
    event: str


class Load:
    """One loader process, from its start to its end.

    Args:
        types: Of the running kernel.
        files: In `folder`, in the order in which they make up the main text.
        programs: To load and attach.
        maps: To hand over.
        defines: Macros, without `-D`.
        typed: Whether to use the kernel's bpf_rdonly_cast.
        folder: Where the C is.

    Raises:
        MachineCannot: It does not compile or load here.
    """

    def __init__(  # noqa: PLR0913 - a request has these parts
        self,
        *,
        types: KernelTypes,
        files: Sequence[str],
        programs: Sequence[Program],
        maps: Sequence[str],
        defines: Sequence[str] = (),
        typed: bool = False,
        folder: Path | None = None,
    ) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel = ours
        with theirs:
            self._process = _start(theirs, self._log)
        self.maps: dict[str, int] = {}
        self.links: list[int] = []
        type_defines = ("TYPED_LOADS", *types.type_defines) if typed else ()
        request = {
            "folder": str(folder or bpf_dir()),
            "files": list(files),
            "flags": [f"-I{types.include}", *_QUIET],
            "defines": [*types.defines, *type_defines, *defines],
            "programs": [{"name": p.name, "kind": p.kind, "event": p.event} for p in programs],
            "maps": list(maps),
            "cast_function": types.cast_function if typed else None,
        }
        loader.send(ours, request)
        message, descriptors = self._answer("loaded")
        self.maps = dict(zip(message["loaded"], descriptors, strict=True))

    def attach(self) -> list[int]:
        """Attach the programs; each descriptor that comes back holds one to its hook."""
        loader.send(self._channel, {"attach": True})
        _, self.links = self._answer("attached")
        return self.links

    def close(self) -> None:
        """End the conversation; what was handed over stays the caller's."""
        self._channel.close()
        self._process.wait()
        self._log.close()

    def give_up(self) -> None:
        """Let go of the maps, for a caller that does not take them over. May be called twice."""
        descriptors, self.maps = list(self.maps.values()), {}
        close_all(descriptors)

    def _answer(self, expected: str) -> tuple[dict[str, Any], list[int]]:
        try:
            message, descriptors = loader.receive(self._channel)
        except (EOFError, ConnectionError):
            message, descriptors = {"failed": "died", "message": "it ended without an answer"}, []
        if expected in message:
            return message, descriptors
        log = self._log_tail()
        self.close()
        self.give_up()
        raise _explained(message, log)

    def _log_tail(self) -> str:
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _TAIL_BYTES))
        return self._log.read().decode("utf-8", "replace")


def _start(channel: socket.socket, log: IO[bytes]) -> "subprocess.Popen[bytes]":
    # Isolated, with the package's own folder in front: root's loader must not import from wherever the
    # daemon was started, nor by PYTHONPATH.
    code = (
        f"import sys; sys.path.insert(0, {str(_PACKAGE_ROOT)!r}); "
        f"from fileaudit_engine.sources.loader import main; main({channel.fileno()})"
    )
    return subprocess.Popen(
        [sys.executable, "-I", "-c", code],
        pass_fds=(channel.fileno(),),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # Ctrl-C is the daemon's to handle
    )


def _explained(message: Mapping[str, Any], log: str) -> MachineCannot:  # noqa: PLR0911 - one return a failure
    what, detail = message.get("failed"), message.get("message", "")
    program = message.get("program", "")
    tail = "\n".join(log.strip().splitlines()[-12:])
    match what:
        case "bcc":
            return MachineCannot(
                f"BCC's Python module cannot be imported: {detail}",
                remedy="apt install python3-bpfcc, and use a virtual environment of /usr/bin/python3 "
                "made with --system-site-packages",
            )
        case "compile" if _REFUSED in log:  # BCC loads fentry and LSM programs while it compiles
            return MachineCannot(f"the kernel refuses it: {log.rpartition(_REFUSED)[2].strip()}")
        case "compile":
            return MachineCannot(f"the kernel programs do not compile for this kernel:\n{tail}")
        case "load" if "super-user" in detail or "Operation not permitted" in detail:
            return MachineCannot(
                f"loading {program} is not permitted",
                remedy="run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_RESOURCE; "
                "in a container also with the host's seccomp profile lifted for bpf(2)",
            )
        case "load":
            return MachineCannot(f"the kernel refuses {program}: {detail}\n{tail}")
        case "attach":
            return MachineCannot(
                f"{program} cannot be attached: {detail}",
                remedy="mount tracefs: mount -t tracefs tracefs /sys/kernel/tracing",
            )
        case _:
            return MachineCannot(f"the loader failed ({what}): {detail}\n{tail}")
