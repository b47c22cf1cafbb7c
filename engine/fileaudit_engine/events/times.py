"""Times as documents write them: exact to the nanosecond, always in UTC.

Inside the engine a time is an int, nanoseconds since the Unix epoch. `datetime` stops at microseconds, so
the fraction is handled here as digits and never as a float. What is accepted ends with the signed 64-bit
range (April 2262), because that is what a store's column holds.
"""

import functools
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Final

SECOND_NS: Final = 1_000_000_000
LAST_NS: Final = 2**63 - 1
"""The last time that fits into a signed 64-bit number."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))"
)
_DURATION_PART = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,9}))?(ns|us|ms|s|m|h|d)")

UNITS_NS: Final[Mapping[str, int]] = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": SECOND_NS,
    "m": 60 * SECOND_NS,
    "h": 3_600 * SECOND_NS,
    "d": 86_400 * SECOND_NS,
    "w": 604_800 * SECOND_NS,
}
"""Nanoseconds in each unit of time that people write; not every place takes every one."""


def rfc3339(ts_ns: int) -> str:
    """A time as documents carry it: UTC, nine digits of a second, `Z`."""
    second, fraction = divmod(ts_ns, SECOND_NS)
    return f"{_whole_second(second)}.{fraction:09d}Z"


@functools.lru_cache(maxsize=64)
def _whole_second(second: int) -> str:
    """Events come many to the second; the calendar is asked once for each."""
    return (_EPOCH + timedelta(seconds=second)).isoformat()[:19]


def parse_rfc3339(text: str) -> int:
    """The inverse of `rfc3339`, for any offset and up to nine digits of a second.

    Raises:
        ValueError: Not such a time, or one outside 1970 to 2262; the message says which.
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError("not an RFC 3339 time such as 2026-11-24T12:30:45.123456789Z")
    year, month, day, hour, minute, second = (int(part) for part in found.group(1, 2, 3, 4, 5, 6))
    try:
        # RFC 3339 allows a leap second; it is counted as the first moment of the next minute, as Unix does.
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=timezone.utc)
    except ValueError as error:
        raise ValueError(f"no such time: {error}") from error
    if second > 60:
        raise ValueError("no such time: second must be in 0..60")
    delta = moment - _EPOCH
    seconds = delta.days * 86_400 + delta.seconds + (second == 60) - _offset_seconds(found)
    ts_ns = seconds * SECOND_NS + int((found[7] or "0").ljust(9, "0"))
    if not 0 <= ts_ns <= LAST_NS:
        raise ValueError("outside the years 1970 to 2262")
    return ts_ns


def _offset_seconds(found: re.Match[str]) -> int:
    if found[8]:
        return 0
    hours, minutes = int(found[10]), int(found[11])
    if hours > 23 or minutes > 59:
        raise ValueError(f"no such offset from UTC: {found[9]}{found[10]}:{found[11]}")
    return (hours * 3_600 + minutes * 60) * (-1 if found[9] == "-" else 1)


def duration_ns(text: str) -> int:
    """A length of time such as `2s`, `150ms`, `1.5h` or `1m30s`, in nanoseconds; `0` needs no unit.

    Raises:
        ValueError: Not such a length, or one that a signed 64-bit number cannot hold.
    """
    if text == "0":
        return 0
    position = total = 0
    while found := _DURATION_PART.match(text, position):
        unit_ns = UNITS_NS[found[3]]
        total += int(found[1]) * unit_ns + int((found[2] or "0").ljust(9, "0")) * unit_ns // SECOND_NS
        position = found.end()
    if not text or position != len(text):
        raise ValueError("not a length of time such as 2s, 150ms or 1h (units: ns us ms s m h d)")
    if total > LAST_NS:
        raise ValueError("longer than 292 years")
    return total
