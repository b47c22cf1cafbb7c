"""Whether something keeps the host's clock right: an auditor believes times no further than that.

The kernel knows it of whoever steers its clock, chronyd, ntpd or systemd-timesyncd: they say so by
adjtimex(2), and if they have said nothing for long, the kernel takes the clock for unsynchronized.
"""

import ctypes
import functools
from dataclasses import dataclass
from typing import Final

_UNSYNCHRONIZED: Final = 0x0040
"""STA_UNSYNC of include/uapi/linux/timex.h."""
_REST_BYTES: Final = 160
"""What follows in `struct timex`, and is not asked for."""


class _Timex(ctypes.Structure):
    """The beginning of `struct timex`; long is as wide as the kernel's on 64-bit hosts."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("max_error", ctypes.c_long),
        ("estimated_error", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * _REST_BYTES),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """What the kernel says of its clock.

    Attributes:
        synchronized: Whether somebody keeps it right.
        max_error_us: How far it is off at the most, microseconds; 16 seconds where nobody knows.
        estimated_error_us: How far it is off, as whoever keeps it estimates.
    """

    synchronized: bool
    max_error_us: int
    estimated_error_us: int


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def clock_state() -> ClockState | None:
    """The state of CLOCK_REALTIME; None where the kernel does not say (asking needs no rights)."""
    timex = _Timex()
    if _libc().adjtimex(ctypes.byref(timex)) < 0:
        return None
    return ClockState(
        synchronized=not timex.status & _UNSYNCHRONIZED,
        max_error_us=timex.max_error,
        estimated_error_us=timex.estimated_error,
    )
