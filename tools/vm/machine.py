"""An emulated machine, from its start to its end.

Four channels lead out of it: what the command writes to stdout and stderr, its exit status, and the kernel's
console, of which the last lines are kept for the case that the machine ends without a status. Nothing
outlives a run: not the emulator, even when this process is killed, and no file.
"""

import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from tools.vm.errors import CannotRun, TimeIsUp

_PORTS: Final = ("out", "err", "status")
"""The first is port 1 in `guest.sh`, and so on."""
_KERNEL_WORDS: Final = "console=ttyS0 loglevel=5 panic=-1 oops=panic"
"""A kernel that stumbles ends the machine, and so the run: its fault must not look like a success."""
_FILES: Final = "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap"
_CHUNK_BYTES: Final = 1 << 16
_CONSOLE_BYTES: Final = 1 << 13
"""How much of the console is shown when something went wrong: some hundred lines."""
_GRACE_S: Final = 20
"""How long the machine may take to switch off after its command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is to be emulated.

    Attributes:
        image: The kernel.
        initramfs: Its first file system, which runs the command.
        append: Words for the kernel's command line.
        memory_mib: Its memory.
        cpus: Its processors.
        accel: `tcg`, which emulates everywhere, or `kvm`.
    """

    image: Path
    initramfs: bytes
    append: str
    memory_mib: int
    cpus: int
    accel: str


class Listener:
    """What comes out of the machine: output is passed on, the rest is kept.

    Args:
        channels: Sockets by name: `console`, `out`, `err`, `status`.
        show_console: Whether to pass on the console, too.
    """

    def __init__(self, channels: Mapping[str, socket.socket], *, show_console: bool) -> None:
        self._show_console = show_console
        self._status = b""
        self._console = b""
        self._selector = selectors.DefaultSelector()
        for name, channel in channels.items():
            self._selector.register(channel, selectors.EVENT_READ, name)

    @property
    def status(self) -> int | None:
        """The command's exit status, once it has ended."""
        return int(self._status) if self._status.endswith(b"\n") else None

    @property
    def console(self) -> str:
        """The last of what the kernel said."""
        return self._console.decode(errors="replace")

    def listen(self, timeout_s: float) -> bool:
        """Until the machine is off; False if it is still on when the time is up."""
        deadline = time.monotonic() + timeout_s
        while self._selector.get_map():
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            for key, _ in self._selector.select(left_s):
                self._receive(key)
            if self.status is not None:
                deadline = min(deadline, time.monotonic() + _GRACE_S)
        return True

    def close(self) -> None:
        """Give the selector back; the channels are the caller's."""
        self._selector.close()

    def _receive(self, key: selectors.SelectorKey) -> None:
        assert isinstance(key.fileobj, socket.socket)
        try:
            data = key.fileobj.recv(_CHUNK_BYTES)
        except ConnectionResetError:
            data = b""
        if not data:
            self._selector.unregister(key.fileobj)
            return
        match key.data:
            case "out":
                _pass_on(data, sys.stdout.buffer)
            case "err":
                _pass_on(data, sys.stderr.buffer)
            case "status":
                self._status += data
            case _:
                self._console = (self._console + data)[-_CONSOLE_BYTES:]
                if self._show_console:
                    _pass_on(data, sys.stderr.buffer)


def _pass_on(data: bytes, stream: BinaryIO) -> None:
    stream.write(data)
    stream.flush()


def run(machine: Machine, *, timeout_s: float, show_console: bool) -> int:
    """Boot the machine, pass on what its command prints, and return the command's exit status.

    Raises:
        CannotRun: The machine ended without a status; what its console said last is in the message.
        TimeIsUp: The command did not end in time.
    """
    with ExitStack() as stack:
        listener = Listener(stack.enter_context(_started(machine)), show_console=show_console)
        stack.callback(listener.close)
        off = listener.listen(timeout_s)
        if listener.status is not None:
            return listener.status
        if off:
            raise CannotRun(
                f"the machine ended before the command did; its console said last:\n{listener.console}"
            )
        raise TimeIsUp(f"the time is up after {timeout_s:.0f} s; the console said last:\n{listener.console}")


@contextmanager
def _started(machine: Machine) -> Iterator[dict[str, socket.socket]]:
    """The emulator, running, and our ends of its channels; stopped at the end."""
    with ExitStack() as stack:
        pairs = {name: socket.socketpair() for name in ("console", *_PORTS)}
        for pair in pairs.values():
            for end in pair:
                stack.enter_context(end)
        theirs = {name: pair[1].fileno() for name, pair in pairs.items()}
        initramfs = stack.enter_context(os.fdopen(os.memfd_create("initramfs"), "wb"))
        initramfs.write(machine.initramfs)
        initramfs.flush()
        process = subprocess.Popen(
            _command(machine, f"/proc/self/fd/{initramfs.fileno()}", theirs),
            stdin=subprocess.DEVNULL,
            pass_fds=(*theirs.values(), initramfs.fileno()),
            start_new_session=True,  # an interrupt from the keyboard is for us, who then stop it
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        for _, end in pairs.values():
            end.close()
        yield {name: pair[0] for name, pair in pairs.items()}


def _command(machine: Machine, initramfs: str, channels: Mapping[str, int]) -> list[str]:
    emulator = [
        *("setpriv", "--pdeathsig", "KILL"),  # should we be killed, it ends, too
        *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-accel", machine.accel, "-cpu", "max", "-smp", str(machine.cpus), "-m", str(machine.memory_mib)),
        *("-kernel", str(machine.image), "-initrd", initramfs),
        *("-append", f"{_KERNEL_WORDS} {machine.append}".strip()),
        *("-chardev", f"socket,id=console,fd={channels['console']}", "-serial", "chardev:console"),
        *(
            "-device",
            "virtio-serial-pci",
        ),  # the first of virtio's devices, so that its ports are vport0p1 and on
    ]
    for number, name in enumerate(_PORTS, 1):
        emulator += ["-chardev", f"socket,id={name},fd={channels[name]}"]
        emulator += ["-device", f"virtserialport,nr={number},chardev={name}"]
    # Inode numbers of several of our file systems must not collide in the guest: remap.
    return [*emulator, "-virtfs", _FILES]
