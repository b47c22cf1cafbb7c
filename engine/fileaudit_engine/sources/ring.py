"""The kernel's ring buffer through its memory, in bulk.

The ring is two positions and a data area. Each record has an eight-byte head whose first word is its length,
with two flags: BUSY, the writer is not done, stop here; DISCARD, the writer thought better of it, skip. A
reader copies a run of finished records at once and then moves the consumer's position, which frees their
room.

The kernel offers the data area twice in a row, so that no record is ever split, and every page that is mapped
counts as resident, read or not. We map it once, and of that only a window, which moves on with the reader; a
run that goes beyond it is copied in pieces. Heads are never split: they stand at multiples of eight, and so
do the ends of windows.
"""

import contextlib
import mmap
import os
import select
import struct
from typing import Final

_BUSY: Final = 1 << 31
_DISCARD: Final = 1 << 30
_LENGTH: Final = struct.Struct("=I")
_POSITION: Final = struct.Struct("=Q")
_HEAD_BYTES: Final = 8

WINDOW_BYTES: Final = 1 << 20
"""What is mapped at a time: some four thousand events, so that moving costs each of them nanoseconds."""

Records = tuple[bytes, list[int]]
"""A run of records, and where in it each one begins (behind its head)."""


class Ring:
    """Reads one ring buffer; the only reader it has.

    Args:
        fd: The map's descriptor; stays the caller's.
        size: Of the data area, in bytes: a power of two.
    """

    def __init__(self, fd: int, size: int) -> None:
        page = mmap.PAGESIZE
        self._fd = fd
        self._mask = size - 1
        self._window_bytes = min(size, WINDOW_BYTES)
        self._consumer_page = mmap.mmap(fd, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self._producer_page = mmap.mmap(fd, page, mmap.MAP_SHARED, mmap.PROT_READ, offset=page)
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        (self._position,) = _POSITION.unpack_from(self._consumer_page, 0)
        self._base = self._position // self._window_bytes * self._window_bytes
        """The position at which the window begins."""
        self._window = self._mapped(self._base)

    def pending(self) -> int:
        """Bytes that were written and not yet read."""
        (produced,) = _POSITION.unpack_from(self._producer_page, 0)
        return int(produced - self._position)

    def read(self, limit: int) -> Records:
        """Take up to `limit` records out of the ring; none if there is nothing finished."""
        (produced,) = _POSITION.unpack_from(self._producer_page, 0)
        begin = position = self._position
        skipped, unpack = _HEAD_BYTES - begin, _LENGTH.unpack_from
        starts: list[int] = []
        pieces: list[bytes] = []
        while True:
            window, base = self._window, self._base
            end = base + self._window_bytes
            readable = min(produced, end)
            while position < readable and len(starts) < limit:
                (length,) = unpack(window, position - base)
                if length & _BUSY:
                    break
                if not length & _DISCARD:
                    starts.append(position + skipped)
                position += ((length & ~_DISCARD) + _HEAD_BYTES + 7) & ~7
            pieces.append(window[max(begin - base, 0) : min(position, end) - base])
            if position < end:
                break
            self._move_to(end)
        if position != begin:
            self._position = position
            _POSITION.pack_into(self._consumer_page, 0, position)
        return b"".join(pieces), starts

    def _move_to(self, base: int) -> None:
        """Let the window begin at this position."""
        self._window.close()
        self._window = self._mapped(base)
        self._base = base

    def _mapped(self, base: int) -> mmap.mmap:
        place = 2 * mmap.PAGESIZE + (base & self._mask)
        return mmap.mmap(self._fd, self._window_bytes, mmap.MAP_SHARED, mmap.PROT_READ, offset=place)

    def wake_on(self, fd: int, events: int) -> None:
        """Let `wait` end when another descriptor is ready, too; that stays the caller's.

        Args:
            fd: The descriptor.
            events: Of poll(2).
        """
        self._poll.register(fd, events)

    def wait(self, seconds: float) -> None:
        """Sleep until something is written, at most so long."""
        with contextlib.suppress(InterruptedError):
            self._poll.poll(seconds * 1000)

    def close(self) -> None:
        """Unmap it."""
        for mapped in (self._consumer_page, self._producer_page, self._window):
            mapped.close()


def ring_size(wanted: int) -> int:
    """The size that the kernel accepts nearest above `wanted`: a power of two, at least a page."""
    pages = max(1, -(-wanted // mmap.PAGESIZE))
    return (1 << (pages - 1).bit_length()) * mmap.PAGESIZE


def close_all(descriptors: list[int]) -> None:
    """Close descriptors, each once."""
    while descriptors:
        os.close(descriptors.pop())
