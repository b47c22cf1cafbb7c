"""What is read and written, told now and then (`bpf/transfer.h`).

The kernel tells of the first transfer of a process through an open file, and from then on only adds up. The
record of the first one is kept here, and is told again with what has come since: when the process closes the
descriptor or ends, and every few seconds for whoever goes on. So a rule sees a first read at once, and the
sum of all that follows in time; each byte is in exactly one event. What a process does as another program, or
for another user, is told apart, for rules may ask for one and not for the other.
"""

import struct
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.events import wire
from fileaudit_engine.events.model import Operation
from fileaudit_engine.sources import bpfsys

TELL_S: Final = 2.0
"""How often sums are told of files that stay open."""

KEPT: Final = 4096
"""Open files whose first record is kept, about a kilobyte each.

What is forgotten is told first, and the kernel forgets it, too: a next transfer is a first one again.
"""

Key = tuple[int, int, int, int, int, int]
"""Use of a file, inode of the program, process id, user id, operation, nothing: `struct use_key`."""

_KEY: Final = struct.Struct("=QQIIII")
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
        self._left: list[bytes] = []
        """Last sums of files that were forgotten for want of room."""
        self._final: Mapping[bytes, bytes] | None = None
        """The kernel's sums as of `freeze`."""

    def __len__(self) -> int:
        """How many are known."""
        return len(self._known)

    def first(self, run: bytes, at: int) -> bytes | None:
        """A record of a transfer has arrived: the first one, or one that other rules want to know.

        Returns:
            What is to be told in its place, where some of it was told before.
        """
        transfer = wire.transfer(run, at)
        if transfer.use == 0:
            return None
        key = (transfer.use, transfer.image, transfer.pid, transfer.user_id, transfer.operation, 0)
        record = run[at : at + wire.size_of(run, at, self._clause_words)]
        before = self._known.get(key)
        self._known[key] = _Told(record, transfer.bytes, transfer.calls)
        self._by_process[transfer.pid].add(key)
        if before is not None and before.calls < transfer.calls:
            moved, calls = transfer.bytes - before.bytes, transfer.calls - before.calls
            return wire.with_transfer(record, moved, calls, wire.time_of(record))
        if len(self._known) > KEPT:
            oldest = next(iter(self._known))
            self._left += self._news([oldest], wire.time_of(record))
            self._forget(oldest)
        return None

    def left(self) -> list[bytes]:
        """What is to be told of files that were forgotten since the last call."""
        records, self._left = self._left, []
        return records

    def closed(self, used: wire.Used) -> list[bytes]:
        """What is to be told since a process closed the descriptor."""
        keys = sorted(key for key in self._by_process.get(used.pid, ()) if key[0] == used.use)
        return self._news(keys, used.time_ns)

    def ended(self, pid: int, time_ns: int) -> list[bytes]:
        """What is to be told of a process that has ended, or becomes another program; it is forgotten."""
        keys = sorted(self._by_process.get(pid, ()))
        records = self._news(keys, time_ns)
        for key in keys:
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
                records.append(_again(told, total[0], total[1], time_ns))
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

    def _news(self, keys: Iterable[Key], time_ns: int) -> list[bytes]:
        records = []
        for key in keys:
            raw = self._sum(_KEY.pack(*key))
            total = _USE.unpack(raw) if raw is not None else _NOTHING
            told = self._known[key]
            if total[1] > told.calls:
                records.append(_again(told, total[0], total[1], time_ns))
                self._known.move_to_end(key)
        return records

    def _forget(self, key: Key) -> None:
        del self._known[key]
        pid = key[2]
        self._by_process[pid].discard(key)
        if not self._by_process[pid]:
            del self._by_process[pid]
        if self._final is None:
            bpfsys.delete(self._uses, _KEY.pack(*key))


def is_transfer(operation: int) -> bool:
    """Whether records of the operation, by its number, tell of sums."""
    return operation in _TRANSFERS


def _again(told: _Told, total_bytes: int, total_calls: int, time_ns: int) -> bytes:
    """The first record, with what has come since the last one."""
    record = wire.with_transfer(told.record, total_bytes - told.bytes, total_calls - told.calls, time_ns)
    told.bytes, told.calls = total_bytes, total_calls
    return record
