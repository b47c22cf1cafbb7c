"""The kernel's ring buffer through its memory, in bulk.

The ring is two positions and a data area. Each record has an eight-byte head whose first word is its length,
with two flags: BUSY, the writer is not done, stop here; DISCARD, the writer thought better of it, skip. A
reader copies a run of finished records at once and then moves the consumer's position, which frees their
room.

The kernel offers the data area twice in a row, so that no record is ever split. Every page that is mapped
counts as resident, read or not, so we map it once and join the two ends of a run that wraps when it is
copied. Heads are never split: they stand at multiples of eight, and so does the end.
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
        self._size = size
        self._mask = size - 1
        self._consumer_page = mmap.mmap(fd, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self._producer_pages = mmap.mmap(fd, page + size, mmap.MAP_SHARED, mmap.PROT_READ, offset=page)
        self._data = page
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        (self._position,) = _POSITION.unpack_from(self._consumer_page, 0)

    def pending(self) -> int:
        """Bytes that were written and not yet read."""
        (produced,) = _POSITION.unpack_from(self._producer_pages, 0)
        return int(produced - self._position)

    def read(self, limit: int) -> Records:
        """Take up to `limit` records out of the ring; none if there is nothing finished."""
        pages, data, mask, unpack = self._producer_pages, self._data, self._mask, _LENGTH.unpack_from
        (produced,) = _POSITION.unpack_from(pages, 0)
        begin = position = self._position
        skipped = _HEAD_BYTES - begin
        starts: list[int] = []
        while position < produced and len(starts) < limit:
            (length,) = unpack(pages, data + (position & mask))
            if length & _BUSY:
                break
            if not length & _DISCARD:
                starts.append(position + skipped)
            position += ((length & ~_DISCARD) + _HEAD_BYTES + 7) & ~7
        if position == begin:
            return b"", starts
        run = self._copy(begin, position)
        self._position = position
        _POSITION.pack_into(self._consumer_page, 0, position)
        return run, starts

    def _copy(self, begin: int, end: int) -> bytes:
        """What stands between two positions."""
        pages, first, last = self._producer_pages, self._data, self._data + self._size
        at = first + (begin & self._mask)
        beyond = at + (end - begin) - last
        if beyond <= 0:
            return pages[at : at + end - begin]
        return pages[at:last] + pages[first : first + beyond]

    def wait(self, seconds: float) -> None:
        """Sleep until something is written, at most so long."""
        with contextlib.suppress(InterruptedError):
            self._poll.poll(seconds * 1000)

    def close(self) -> None:
        """Unmap it."""
        self._consumer_page.close()
        self._producer_pages.close()


def ring_size(wanted: int) -> int:
    """The size that the kernel accepts nearest above `wanted`: a power of two, at least a page."""
    pages = max(1, -(-wanted // mmap.PAGESIZE))
    return (1 << (pages - 1).bit_length()) * mmap.PAGESIZE


def close_all(descriptors: list[int]) -> None:
    """Close descriptors, each once."""
    while descriptors:
        os.close(descriptors.pop())
