"""The reader, over memory laid out as the kernel lays out a ring."""

import mmap
import os
import struct
from collections.abc import Iterator

import pytest

from fileaudit_engine.sources.ring import Ring, ring_size

PAGE = mmap.PAGESIZE
BUSY, DISCARD = 1 << 31, 1 << 30


class FakeRing:
    """A writer; the second mapping of the data is kept by hand."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("ring")
        os.ftruncate(self.fd, 2 * PAGE + 2 * PAGE)
        self.memory = mmap.mmap(self.fd, 4 * PAGE)
        self.produced = 0

    def write(self, payload: bytes, flags: int = 0) -> int:
        at = self.produced
        self.put(at, struct.pack("=II", len(payload) | flags, 0) + payload)
        self.produced += (8 + len(payload) + 7) & ~7
        struct.pack_into("=Q", self.memory, PAGE, self.produced)
        return at

    def put(self, at: int, raw: bytes) -> None:
        for offset, byte in enumerate(raw):
            place = (at + offset) % PAGE
            self.memory[2 * PAGE + place] = self.memory[3 * PAGE + place] = byte

    @property
    def consumed(self) -> int:
        (position,) = struct.unpack_from("=Q", self.memory, 0)
        return int(position)


@pytest.fixture
def fake() -> Iterator[FakeRing]:
    ring = FakeRing()
    yield ring
    ring.memory.close()
    os.close(ring.fd)


def payloads(ring: Ring, sizes: list[int], limit: int = 100) -> list[bytes]:
    run, starts = ring.read(limit)
    return [run[at : at + size] for at, size in zip(starts, sizes, strict=True)]


def test_records_come_in_order_and_their_room_is_given_back(fake: FakeRing) -> None:
    ring = Ring(fake.fd, PAGE)
    fake.write(b"one")
    fake.write(b"twelve bytes")
    assert ring.pending() == 16 + 24
    assert payloads(ring, [3, 12]) == [b"one", b"twelve bytes"]
    assert fake.consumed == fake.produced
    assert ring.read(100) == (b"", [])


def test_a_record_that_is_being_written_stops_the_reader(fake: FakeRing) -> None:
    ring = Ring(fake.fd, PAGE)
    fake.write(b"one")
    at = fake.write(b"two", BUSY)
    fake.write(b"three")
    assert payloads(ring, [3]) == [b"one"]
    assert fake.consumed == at
    fake.put(at, struct.pack("=I", 3))
    assert payloads(ring, [3, 5]) == [b"two", b"three"]


def test_a_discarded_record_is_skipped(fake: FakeRing) -> None:
    ring = Ring(fake.fd, PAGE)
    fake.write(b"gone", DISCARD)
    fake.write(b"kept")
    assert payloads(ring, [4]) == [b"kept"]


def test_only_discarded_records_free_their_room_too(fake: FakeRing) -> None:
    ring = Ring(fake.fd, PAGE)
    fake.write(b"gone", DISCARD)
    _, starts = ring.read(100)
    assert starts == []
    assert fake.consumed == fake.produced


def test_no_more_are_taken_than_asked_for(fake: FakeRing) -> None:
    ring = Ring(fake.fd, PAGE)
    for number in range(5):
        fake.write(b"%d" % number)
    assert payloads(ring, [1, 1], limit=2) == [b"0", b"1"]
    assert payloads(ring, [1, 1, 1]) == [b"2", b"3", b"4"]


def test_a_record_across_the_end_is_whole(fake: FakeRing) -> None:
    ring = Ring(fake.fd, PAGE)
    fake.write(b"x" * (PAGE - 24))
    payloads(ring, [PAGE - 24])
    fake.write(b"across the end of the ring")
    assert payloads(ring, [26]) == [b"across the end of the ring"]


def test_a_reader_goes_on_where_another_stopped(fake: FakeRing) -> None:
    first = Ring(fake.fd, PAGE)
    fake.write(b"one")
    first.read(100)
    first.close()
    fake.write(b"two")
    assert payloads(Ring(fake.fd, PAGE), [3]) == [b"two"]


@pytest.mark.parametrize(("wanted", "size"), [(1, 1), (PAGE, 1), (PAGE + 1, 2), (5 * PAGE, 8)])
def test_sizes_are_rounded_up_to_powers_of_two(wanted: int, size: int) -> None:
    assert ring_size(wanted) == size * PAGE
