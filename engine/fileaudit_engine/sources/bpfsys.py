"""The bpf system call, as far as the daemon needs it: maps by descriptor, and a barrier.

The daemon gets its maps as descriptors from the loader and never imports BCC. Keys and values are bytes
here; `maps.py` knows what they mean. Everything raises `OSError` with the kernel's error number.
"""

import contextlib
import ctypes
import os
import platform
import struct
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_NUMBERS: Final = {"x86_64": (321, 324), "aarch64": (280, 283)}
"""By machine: the numbers of bpf(2) and membarrier(2)."""

_LOOKUP, _UPDATE, _DELETE, _LOOKUP_BATCH, _UPDATE_BATCH = 1, 2, 3, 24, 26
_MEMBARRIER_GLOBAL = 1
_PAUSE_S: Final = 0.05
_ELEMENT: Final = struct.Struct("=I4xQQQ")
_BATCH: Final = struct.Struct("=QQQQIIQQ")
_MANY: Final = 1024
"""Elements that are read at once: at least as many as any hash bucket may hold."""
_CURSOR_BYTES: Final = 64


def supported() -> bool:
    """Whether the call's number is known on this kind of machine."""
    return platform.machine() in _NUMBERS


def update(fd: int, key: bytes, value: bytes) -> None:
    """Set an element."""
    key_buffer, value_buffer = ctypes.create_string_buffer(key), ctypes.create_string_buffer(value)
    _bpf(_UPDATE, _ELEMENT.pack(fd, ctypes.addressof(key_buffer), ctypes.addressof(value_buffer), 0))


def update_all(fd: int, entries: Mapping[bytes, bytes]) -> None:
    """Set many elements, in one call where the map's type has one."""
    if not entries:
        return
    keys = ctypes.create_string_buffer(b"".join(entries))
    values = ctypes.create_string_buffer(b"".join(entries.values()))
    attribute = _BATCH.pack(0, 0, ctypes.addressof(keys), ctypes.addressof(values), len(entries), fd, 0, 0)
    try:
        _bpf(_UPDATE_BATCH, attribute)
    except OSError:
        for key, value in entries.items():
            update(fd, key, value)


def lookup(fd: int, key: bytes, value_bytes: int) -> bytes | None:
    """An element's value, None where there is none. For per-CPU maps use `lookup_per_cpu`."""
    key_buffer, value = ctypes.create_string_buffer(key), ctypes.create_string_buffer(value_bytes)
    try:
        _bpf(_LOOKUP, _ELEMENT.pack(fd, ctypes.addressof(key_buffer), ctypes.addressof(value), 0))
    except FileNotFoundError:
        return None
    return value.raw


def lookup_per_cpu(fd: int, key: bytes, value_bytes: int) -> list[bytes]:
    """The value that each possible CPU has for `key`."""
    stride = (value_bytes + 7) // 8 * 8
    cpus = possible_cpus()
    raw = lookup(fd, key, stride * cpus)
    return [] if raw is None else [raw[i * stride : i * stride + value_bytes] for i in range(cpus)]


def items(fd: int, key_bytes: int, value_bytes: int) -> Iterator[tuple[bytes, bytes]]:
    """Every element of a hash table, as far as it holds still meanwhile."""
    cursor = ctypes.create_string_buffer(_CURSOR_BYTES)
    begun = False
    keys = ctypes.create_string_buffer(key_bytes * _MANY)
    values = ctypes.create_string_buffer(value_bytes * _MANY)
    while True:
        attribute = ctypes.create_string_buffer(
            _BATCH.pack(
                ctypes.addressof(cursor) if begun else 0,
                ctypes.addressof(cursor),
                ctypes.addressof(keys),
                ctypes.addressof(values),
                _MANY,
                fd,
                0,
                0,
            ),
            _BATCH.size,
        )
        try:
            _call(_LOOKUP_BATCH, attribute)
            more = True
        except FileNotFoundError:  # the last ones
            more = False
        count = _BATCH.unpack(attribute.raw)[4]
        raw_keys, raw_values = keys.raw, values.raw
        for i in range(count):
            yield (
                raw_keys[i * key_bytes : (i + 1) * key_bytes],
                raw_values[i * value_bytes : (i + 1) * value_bytes],
            )
        if not more:
            return
        begun = True


def delete(fd: int, key: bytes) -> None:
    """Remove an element; it is no error if there is none."""
    key_buffer = ctypes.create_string_buffer(key)
    with contextlib.suppress(FileNotFoundError):
        _bpf(_DELETE, _ELEMENT.pack(fd, ctypes.addressof(key_buffer), 0, 0))


def wait_for_programs() -> None:
    """Return when every program that runs now has ended.

    BPF programs run between RCU read locks, and a global membarrier waits for an RCU grace period. A kernel
    with CPUs that take no clock ticks refuses it; there a pause far longer than any program has to do.
    """
    if _LIBC.syscall(_numbers()[1], _MEMBARRIER_GLOBAL, 0, 0) != 0:
        time.sleep(_PAUSE_S)


def possible_cpus() -> int:
    """How many CPUs the kernel reserves per-CPU memory for."""
    listed = Path("/sys/devices/system/cpu/possible").read_text(encoding="ascii")
    return int(listed.strip().rpartition("-")[2].rpartition(",")[2]) + 1


def _numbers() -> tuple[int, int]:
    try:
        return _NUMBERS[platform.machine()]
    except KeyError:
        raise OSError(38, f"bpf(2) is not known on {platform.machine()}") from None


def _bpf(command: int, attribute: bytes) -> int:
    # The kernel takes a shorter attribute than its own for one whose rest is zero.
    return _call(command, ctypes.create_string_buffer(attribute, len(attribute)))


def _call(command: int, buffer: "ctypes.Array[ctypes.c_char]") -> int:
    result: int = _LIBC.syscall(_numbers()[0], command, buffer, len(buffer))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
