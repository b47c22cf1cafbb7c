"""The reader, over memory laid out as the kernel lays out a ring."""

import mmap
import os
import select
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fileaudit_engine.sources import ring as module
from fileaudit_engine.sources.ring import Ring, ring_size

PAGE = mmap.PAGESIZE
BUSY, DISCARD = 1 << 31, 1 << 30


class FakeRing:
    """A writer; with one page of data unless told otherwise."""

    def __init__(self, size: int = PAGE) -> None:
        self.fd = os.memfd_create("ring")
        self.size = size
        os.ftruncate(self.fd, 2 * PAGE + size)
        self.memory = mmap.mmap(self.fd, 2 * PAGE + size)
        self.produced = 0

    def write(self, payload: bytes, flags: int = 0) -> int:
        at = self.produced
        self.put(at, struct.pack("=II", len(payload) | flags, 0) + payload)
        self.produced += (8 + len(payload) + 7) & ~7
        struct.pack_into("=Q", self.memory, PAGE, self.produced)
        return at

    def put(self, at: int, raw: bytes) -> None:
        for offset, byte in enumerate(raw):
            self.memory[2 * PAGE + (at + offset) % self.size] = byte

    def close(self) -> None:
        self.memory.close()
        os.close(self.fd)

    @property
    def room(self) -> int:
        """The longest payload that could be written now."""
        return self.size - (self.produced - self.consumed) - 8

    @property
    def consumed(self) -> int:
        (position,) = struct.unpack_from("=Q", self.memory, 0)
        return int(position)


@pytest.fixture
def fake() -> Iterator[FakeRing]:
    ring = FakeRing()
    yield ring
    ring.close()


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


def test_a_record_whose_head_is_the_last_of_the_ring_is_whole(fake: FakeRing) -> None:
    ring = Ring(fake.fd, PAGE)
    fake.write(b"x" * (PAGE - 16))
    payloads(ring, [PAGE - 16])
    fake.write(b"all of it in front")
    assert payloads(ring, [18]) == [b"all of it in front"]


def test_a_full_ring_that_begins_anywhere_is_read_whole(fake: FakeRing) -> None:
    ring = Ring(fake.fd, PAGE)
    fake.write(b"x" * 1000)
    payloads(ring, [1000])
    whole = os.urandom(PAGE - 8)
    fake.write(whole)
    assert payloads(ring, [PAGE - 8]) == [whole]


def test_no_more_than_a_window_of_the_data_is_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_BYTES", 2 * PAGE)
    fake = FakeRing(8 * PAGE)
    before = mapped(fake.fd)
    ring = Ring(fake.fd, fake.size)
    for _ in range(20):
        fake.write(b"x" * PAGE)
        payloads(ring, [PAGE])
        assert mapped(fake.fd) - before == 4 * PAGE
    ring.close()
    assert mapped(fake.fd) == before
    fake.close()


def mapped(fd: int) -> int:
    """Bytes of the file that are mapped into this process."""
    inode, total = str(os.fstat(fd).st_ino), 0
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, _, _, _, number, *name = line.split(maxsplit=5)
        if number == inode and name and "memfd:ring" in name[0]:
            first, last = (int(end, 16) for end in span.split("-"))
            total += last - first
    return total


steps = st.lists(
    st.tuples(st.integers(0, 4 * PAGE), st.sampled_from([0, 0, DISCARD])) | st.integers(1, 4), max_size=60
)
"""Records to write, by length and flag, and readings of so many at the most."""


@pytest.mark.parametrize(("pages", "window"), [(1, 1), (4, 1), (4, 2), (4, 4)])
@given(plan=steps)
@settings(derandomize=True, database=None, deadline=None)
def test_whatever_is_written_and_whenever_it_is_read_comes_out_as_it_went_in(
    pages: int, window: int, plan: list[tuple[int, int] | int]
) -> None:
    """Records that end with the ring or a window, that go beyond one, and that are longer than one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WINDOW_BYTES", window * PAGE)
        fake = FakeRing(pages * PAGE)
        ring = Ring(fake.fd, fake.size)
    written: list[bytes] = []
    read: list[bytes] = []

    def take(limit: int) -> None:
        sizes = [len(payload) for payload in written[len(read) :]]
        run, starts = ring.read(limit)
        assert len(starts) <= limit
        read.extend(run[at : at + size] for at, size in zip(starts, sizes, strict=False))

    for step in plan:
        if isinstance(step, int):
            take(step)
            continue
        length, flag = step
        if length > fake.room:
            take(100)
        payload = os.urandom(min(length, fake.room))
        fake.write(payload, flag)
        if not flag:
            written.append(payload)
    take(100)
    assert read == written
    assert fake.consumed == fake.produced
    ring.close()
    fake.close()


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


def test_another_descriptor_ends_the_sleep_of_the_reader(fake: FakeRing) -> None:
    reading, writing = os.pipe()
    ring = Ring(fake.fd, PAGE)
    ring._poll.unregister(fake.fd)  # this one is a file, and those are always ready
    ring.wake_on(reading, select.POLLIN)
    os.write(writing, b"+")
    ring.wait(3600)
    assert os.read(reading, 1) == b"+"
    ring.close()
    os.close(reading)
    os.close(writing)
