"""Whether this kernel runs 32-bit programs, whose system calls no `syscalls:*` tracepoint sees.

Found by running one: 96 bytes that do nothing but end with a certain status. Kernels differ in how they are
built and started (`CONFIG_IA32_EMULATION`, `ia32_emulation=0`, arm64 processors that cannot), but not in
what comes of that. Where 32-bit programs run, any 64-bit program may make such calls, too (`int 0x80`).
"""

import errno
import os
import platform
import signal
import struct
import subprocess
from typing import Final

COMPAT_COST: Final = "what 32-bit programs do, and whoever makes calls as they do, is not seen"
COMPAT_REMEDY: Final = "if nothing here needs them: boot with ia32_emulation=0 (x86-64, Linux 6.7 or later)"
"""What to say where such calls are taken."""

_STATUS: Final = 32
_RAN: Final = frozenset({_STATUS, -signal.SIGSYS})
"""It ended as it should, or by a filter that this process is under (systemd's `SystemCallArchitectures`):
the kernel took the call. One that does not ends the program with another signal.
"""
_BASE: Final = 0x10000
_HEADER: Final = struct.Struct("<16sHHIIIIIHHHHHH")
_SEGMENT: Final = struct.Struct("<8I")
_EXECUTABLE: Final = 2
_READ_AND_RUN: Final = 5
_PROGRAMS: Final = {
    # mov $1, %eax (exit) · mov $32, %ebx · int $0x80
    "x86_64": (3, 0, b"\xb8\x01\0\0\0\xbb\x20\0\0\0\xcd\x80"),
    # mov r0, #32 · mov r7, #1 (exit) · svc 0
    "aarch64": (40, 0x05000000, b"\x20\0\xa0\xe3\x01\x70\xa0\xe3\0\0\0\xef"),
}
"""By machine: the ELF's machine and flags, and the code."""
_REFUSED: Final = frozenset({errno.ENOEXEC, errno.EINVAL})
_TIMEOUT_S: Final = 10


def takes_compat_calls() -> bool | None:
    """Whether 32-bit programs run here; None where that cannot be found out."""
    program = _PROGRAMS.get(platform.machine())
    if program is None:
        return None
    descriptor = os.memfd_create("compat", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, _elf(*program))
        command = [f"/proc/{os.getpid()}/fd/{descriptor}"]
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, timeout=_TIMEOUT_S)
    except OSError as error:
        return False if error.errno in _REFUSED else None
    except subprocess.TimeoutExpired:
        return None
    finally:
        os.close(descriptor)
    return True if done.returncode in _RAN else None


def _elf(machine: int, flags: int, code: bytes) -> bytes:
    """The smallest 32-bit program with this code."""
    start = _HEADER.size + _SEGMENT.size
    size = start + len(code)
    header = _HEADER.pack(
        b"\x7fELF\x01\x01\x01", _EXECUTABLE, machine, 1, _BASE + start, _HEADER.size, 0, flags,
        _HEADER.size, _SEGMENT.size, 1, 0, 0, 0,
    )  # fmt: skip
    segment = _SEGMENT.pack(1, 0, _BASE, _BASE, size, size, _READ_AND_RUN, 0x1000)
    return header + segment + code
