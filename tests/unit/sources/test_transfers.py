"""Each byte that is read or written is told exactly once, whatever happens first.

The kernel's map stands here as a dictionary: how it fills is `tests/kernel/test_transfers.py`'s business.
"""

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.events.test_wire import file_record

from fileaudit_engine.events import wire
from fileaudit_engine.sources import bpfsys, transfers
from fileaudit_engine.sources.transfers import Transfers

READ, WRITE = 2, 3
USE = 77
PID, IMAGE, USER = 10, 99, 1000
"""As `file_record` has them."""


class Kernel:
    """The map of sums, and what a process does."""

    def __init__(self) -> None:
        self.sums: dict[bytes, bytes] = {}

    def move(self, moved: int, calls: int = 1, *, operation: int = READ, use: int = USE) -> None:
        key = struct.pack("=QQIIII", use, IMAGE, PID, USER, operation, 0)
        before = struct.unpack("=4Q", self.sums.get(key, bytes(32)))
        self.sums[key] = struct.pack("=4Q", before[0] + moved, before[1] + calls, 1, 1)

    def lookup(self, _fd: int, key: bytes, _size: int) -> bytes | None:
        return self.sums.get(key)

    def items(self, _fd: int, _key: int, _value: int) -> Iterator[tuple[bytes, bytes]]:
        return iter(list(self.sums.items()))

    def delete(self, _fd: int, key: bytes) -> None:
        self.sums.pop(key, None)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return installed(monkeypatch)


def installed(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    for name in ("lookup", "items", "delete"):
        monkeypatch.setattr(bpfsys, name, getattr(kernel, name))
    return kernel


def first(moved: int = 100, *, operation: int = READ, use: int = USE) -> bytes:
    return file_record(operation=operation, details=(moved, 1, use))


def told(records: list[bytes]) -> list[tuple[int, int]]:
    """Bytes and calls of each record."""
    moved = [wire.transfer(record, 0) for record in records]
    return [(one.bytes, one.calls) for one in moved]


def begun(kernel: Kernel, *, operation: int = READ) -> Transfers:
    """A process has moved 100 bytes, which was told at once."""
    sums = Transfers(uses=0, clause_words=1)
    kernel.move(100, operation=operation)
    sums.first(first(operation=operation), 0)
    return sums


def test_what_follows_a_first_read_is_told_at_the_close_and_not_again(kernel: Kernel) -> None:
    sums = begun(kernel)
    kernel.move(300, 3)
    (record,) = sums.closed(wire.Used(USE, PID, 9))
    assert told([record]) == [(300, 3)]
    assert sums.closed(wire.Used(USE, PID, 9)) == sums.ended(PID, 9) == []


def test_who_goes_on_is_told_every_time_what_has_come_since(kernel: Kernel) -> None:
    sums = begun(kernel)
    assert sums.all(5) == []
    kernel.move(10)
    assert told(sums.all(6)) == [(10, 1)]
    kernel.move(20, 2)
    assert told(sums.all(7)) == [(20, 2)]


def test_a_process_that_ends_is_told_and_forgotten(kernel: Kernel) -> None:
    sums = begun(kernel)
    kernel.move(5)
    assert told(sums.ended(PID, 9)) == [(5, 1)]
    assert len(sums) == 0
    assert kernel.sums == {}


def test_a_mapping_is_a_write_of_no_bytes_and_told(kernel: Kernel) -> None:
    sums = begun(kernel, operation=WRITE)
    kernel.move(0, operation=WRITE)
    assert told(sums.all(5)) == [(0, 1)]


def test_what_the_kernel_summed_until_the_end_is_told_after_it(kernel: Kernel) -> None:
    sums = begun(kernel)
    kernel.move(7)
    sums.freeze()
    kernel.sums.clear()
    assert told(sums.all(9)) == [(7, 1)]


def test_memory_of_open_files_is_bounded(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "KEPT", 3)
    sums = Transfers(uses=0, clause_words=1)
    for use in range(1, 6):
        sums.first(first(use=use), 0)
    assert len(sums) == 3
    assert sums.closed(wire.Used(1, PID, 9)) == []
    assert kernel.sums == {}


def test_what_is_forgotten_is_told_first(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "KEPT", 1)
    sums = begun(kernel)
    kernel.move(50)
    assert sums.first(first(use=USE + 1), 0) is None
    assert told(sums.left()) == [(50, 1)]
    assert sums.left() == []
    assert kernel.sums == {}


def test_what_other_rules_want_to_know_is_told_without_what_was_told(kernel: Kernel) -> None:
    sums = begun(kernel)
    kernel.move(20, 2)
    again = sums.first(file_record(operation=READ, details=(120, 3, USE)), 0)
    assert again is not None
    assert told([again]) == [(20, 2)]
    assert sums.all(9) == []


def test_another_program_and_another_user_are_told_apart(kernel: Kernel) -> None:
    sums = begun(kernel)
    for record in (
        file_record(operation=READ, details=(1, 1, USE), image=5),
        file_record(operation=READ, details=(1, 1, USE), uid=0),
    ):
        assert sums.first(record, 0) is None
    assert len(sums) == 3
    assert len(sums.ended(PID, 9)) == 0
    assert len(sums) == 0


@given(st.lists(st.tuples(st.sampled_from(("move", "close", "timer")), st.integers(1, 9)), max_size=30))
def test_each_byte_and_call_is_told_once(acts: list[tuple[str, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        kernel = installed(patch)
        sums = begun(kernel)
        moved, calls, records = 100, 1, [(100, 1)]
        for act, amount in acts:
            match act:
                case "move":
                    kernel.move(amount)
                    moved, calls = moved + amount, calls + 1
                case "close":
                    records += told(sums.closed(wire.Used(USE, PID, 9)))
                case _:
                    records += told(sums.all(9))
        records += told(sums.ended(PID, 9))
    assert (sum(one for one, _ in records), sum(one for _, one in records)) == (moved, calls)
