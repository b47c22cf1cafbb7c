"""What is read and written, told now and then (`bpf/transfer.h`).

The kernel tells of the first transfer of a process through an open file, and from then on only adds up. The
record of the first one is kept here, and is told again with what has come since: when the process closes the
descriptor or ends, and every few seconds for whoever goes on. So a rule sees a first read at once, and the
sum of all that follows in time; each byte is in exactly one event.
"""

import struct
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.events import wire
from fileaudit_engine.events.model import Operation
from fileaudit_engine.sources import bpfsys

TELL_S: Final = 2.0
"""How often sums are told of files that stay open."""

KEPT: Final = 16_384
"""Open files whose first record is kept: as many as the kernel sums for (`OPEN_FILES`)."""

Key = tuple[int, int, int]
"""Use of a file, process id, operation: `struct use_key`."""

_KEY: Final = struct.Struct("=QII")
_USE: Final = struct.Struct("=4Q")
_NOTHING: Final = (0, 0, 0, 0)
_TRANSFERS: Final = (Operation.READ.number, Operation.WRITE.number)


@dataclass(slots=True)
class _Told:
    """A file that a process reads or writes.

    Attributes:
        record: As the kernel sent it first.
        bytes: What has been told so far; `calls` is in how many calls.
    """

    record: bytes
    bytes: int
    calls: int


class Transfers:
    """Turns sums that grew into records.

    Args:
        uses: Descriptor of the map `uses`.
        clause_words: As compiled into the programs.
    """

    def __init__(self, uses: int, clause_words: int) -> None:
        self._uses = uses
        self._clause_words = clause_words
        self._known: OrderedDict[Key, _Told] = OrderedDict()
        self._by_process: defaultdict[int, set[Key]] = defaultdict(set)
        self._final: Mapping[bytes, bytes] | None = None
        """The kernel's sums as of `freeze`."""

    def __len__(self) -> int:
        """How many are known."""
        return len(self._known)

    def first(self, run: bytes, at: int) -> None:
        """A record of a transfer has arrived, the first that the kernel tells of."""
        transfer = wire.transfer(run, at)
        if transfer.use == 0:
            return
        key = (transfer.use, transfer.pid, transfer.operation)
        size = wire.size_of(run, at, self._clause_words)
        self._known[key] = _Told(run[at : at + size], transfer.bytes, transfer.calls)
        self._by_process[transfer.pid].add(key)
        if len(self._known) > KEPT:
            self._forget(next(iter(self._known)))

    def closed(self, used: wire.Used) -> list[bytes]:
        """What is to be told since a process closed the descriptor."""
        keys = [(used.use, used.pid, operation) for operation in _TRANSFERS]
        return list(self._news((key for key in keys if key in self._known), used.time_ns, last=True))

    def ended(self, pid: int, time_ns: int) -> list[bytes]:
        """What is to be told of a process that has ended; it is forgotten."""
        keys = self._by_process.get(pid)
        if keys is None:
            return []
        records = list(self._news(sorted(keys), time_ns, last=True))
        for key in sorted(keys):
            self._forget(key)
        return records

    def all(self, time_ns: int) -> list[bytes]:
        """What is to be told of every file that is in use."""
        if not self._known:
            return []
        sums = self._sums()
        records = []
        for key, told in self._known.items():
            raw = sums.get(_KEY.pack(*key))
            total = _USE.unpack(raw) if raw is not None else _NOTHING
            if total[1] > told.calls:
                records.append(_again(told, total[0], total[1], time_ns, last=False))
        return records

    def freeze(self) -> None:
        """The kernel sums no more, and its map is about to go."""
        self._final = self._sums()

    def _sums(self) -> Mapping[bytes, bytes]:
        if self._final is not None:
            return self._final
        return dict(bpfsys.items(self._uses, _KEY.size, _USE.size))

    def _sum(self, key: bytes) -> bytes | None:
        if self._final is not None:
            return self._final.get(key)
        return bpfsys.lookup(self._uses, key, _USE.size)

    def _news(self, keys: Iterable[Key], time_ns: int, *, last: bool) -> Iterator[bytes]:
        for key in keys:
            raw = self._sum(_KEY.pack(*key))
            total = _USE.unpack(raw) if raw is not None else _NOTHING
            told = self._known[key]
            if total[1] > told.calls:
                yield _again(told, total[0], total[1], time_ns, last=last)

    def _forget(self, key: Key) -> None:
        del self._known[key]
        keys = self._by_process[key[1]]
        keys.discard(key)
        if not keys:
            del self._by_process[key[1]]
        if self._final is None:
            bpfsys.delete(self._uses, _KEY.pack(*key))


def is_transfer(operation: int) -> bool:
    """Whether records of the operation, by its number, tell of sums."""
    return operation in _TRANSFERS


def _again(told: _Told, total_bytes: int, total_calls: int, time_ns: int, *, last: bool) -> bytes:
    """The first record, with what has come since the last one."""
    record = wire.with_transfer(
        told.record, total_bytes - told.bytes, total_calls - told.calls, time_ns, last=last
    )
    told.bytes, told.calls = total_bytes, total_calls
    return record
