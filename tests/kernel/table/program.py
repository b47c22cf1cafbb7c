"""The smallest program: it ends at once, needs no library, and so runs in an empty root, too."""

import platform
import struct
from typing import Final

_X86_64: Final = bytes.fromhex("31ff b83c000000 0f05")  # xor edi,edi; mov eax,60 (exit); syscall
_ARM64: Final = bytes.fromhex("000080d2 a80b80d2 010000d4")  # mov x0,0; mov x8,93 (exit); svc 0
_MACHINES: Final = {"x86_64": (62, _X86_64), "aarch64": (183, _ARM64)}
_BASE: Final = 0x400000
_HEAD_BYTES: Final = 64
_SEGMENT_BYTES: Final = 56


def smallest_program() -> bytes:
    """An ELF file with one segment that holds the whole of it."""
    machine, code = _MACHINES[platform.machine()]
    start = _HEAD_BYTES + _SEGMENT_BYTES
    size = start + len(code)
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    head = struct.pack(
        "<HHIQQQIHHHHHH",
        2,
        machine,
        1,
        _BASE + start,
        _HEAD_BYTES,
        0,
        0,
        _HEAD_BYTES,
        _SEGMENT_BYTES,
        1,
        0,
        0,
        0,
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    return identity + head + segment + code
