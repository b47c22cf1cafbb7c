"""From records to batches: what happened, in the order in which it did.

Process records feed the process table, file records become batches whose candidates the kernel has chosen. An
exec changes what a process is, and a chdir where it works. So a batch ends before such a record of a process
that has events in it: whoever completes them, before asking for the next one, sees the process as it was.

Sums of what is read and written are made here, and dated by what was handed on before them: where much waits
in the ring, a sum of this moment would come before events of seconds ago, and whoever goes by the order of
times would take those for late.
"""

import itertools
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from fileaudit_engine.events import wire
from fileaudit_engine.events.batch import BATCH_EVENTS, EVERY
from fileaudit_engine.events.memo import ByValue
from fileaudit_engine.events.process_record import ProcessRecord, process_record
from fileaudit_engine.sources.base import Identities, Processes
from fileaudit_engine.sources.exec_order import ExecOrder
from fileaudit_engine.sources.host import this_host
from fileaudit_engine.sources.host_files import HostFiles
from fileaudit_engine.sources.live_batch import LiveBatch
from fileaudit_engine.sources.maps import PlanMaps
from fileaudit_engine.sources.ring import Records  # noqa: TC001 - an alias; it costs nothing
from fileaudit_engine.sources.transfers import TELL_S, Transfers, is_transfer

_CHANGES: Final = frozenset({wire.Kind.EXEC, wire.Kind.CHDIR})
"""Records after which a process is not what it was."""

_CLOCK_S: Final = 1.0
"""How often the distance between boot clock and wall clock is measured."""


class RecordReader:
    """Makes batches of runs of records. Use it from one thread.

    Args:
        plan_maps: The rules that are in force.
        files: What is known of the host's files.
        processes: Is fed, and asked.
        identities: Names for user and group numbers.
        transfers: Sums of what is read and written, if the kernel makes any.
        execs: Whether execs are told of as events.

    Attributes:
        delivered: Records that were handed on.
        summed: Of these, how many were made here of the kernel's sums.
    """

    def __init__(  # noqa: PLR0913 - what an event is made of
        self,
        *,
        plan_maps: PlanMaps,
        files: HostFiles,
        processes: Processes,
        identities: Identities,
        transfers: Transfers | None,
        execs: bool,
    ) -> None:
        self.delivered = 0
        self.summed = 0
        self._plan_maps = plan_maps
        self._files = files
        self._processes = processes
        self._identities = identities
        self._transfers = transfers
        self._order = ExecOrder() if execs else None
        self._runs: deque[Records] = deque()
        """Not yet handed on, from `_next` in the first one on."""
        self._next = 0
        self._again: deque[Sequence[bytes]] = deque()
        """Records of sums, to be handed on before what follows in the runs."""
        self._told_at = time.monotonic()
        self._reached_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        """Of what happened before, on the boot clock, all was handed on."""
        self._host = this_host()
        self._lookups = self._measured()
        self._measured_at = time.monotonic()

    def add(self, run: bytes, starts: list[int]) -> None:
        """A run of records from the ring."""
        if self._order is not None:
            starts = self._order.sorted(run, starts)
        self._runs.append((run, starts))

    def nothing(self) -> LiveBatch:
        """An empty batch: the ring is empty."""
        self._reached_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        return LiveBatch(b"", (), (), self._lookups)

    def freeze(self) -> None:
        """The kernel's maps are about to go."""
        if self._transfers is not None:
            self._transfers.freeze()

    def tell_sums(self, *, at_once: bool = False) -> bool:
        """Tell every few seconds what was read and written by whoever goes on; whether there was anything."""
        now = time.monotonic()
        if self._transfers is None or (now - self._told_at < TELL_S and not at_once):
            return False
        self._told_at = now
        records = self._transfers.all(self._reached_ns)
        self._again.extend(_parts(records))
        return bool(records)

    def next_batch(self) -> LiveBatch | None:
        """The next file records; the process records before them go into the table."""
        while self._again or self._runs:
            batch = self._batch_of_sums(self._again.popleft()) if self._again else self._batch_of_run()
            if batch is not None:
                self.delivered += batch.records
                return batch
        return None

    def _batch_of_sums(self, records: Sequence[bytes]) -> LiveBatch:
        self.summed += len(records)
        words, epoch = self._plan_maps.shape.clause_words, self._plan_maps.epoch
        starts = list(itertools.accumulate(map(len, records[:-1]), initial=0))
        routes = [wire.route(record, 0, words) for record in records]
        candidates = [route.candidates if route.epoch == epoch else EVERY for route in routes]
        return LiveBatch(b"".join(records), starts, candidates, self._fresh_lookups(), self._files.resolver)

    def _batch_of_run(self) -> LiveBatch | None:
        run, starts = self._runs[0]
        batch = self._batch_of(run, starts)
        if self._next == len(starts):
            self._runs.popleft()
            self._next = 0
        return batch

    def _batch_of(self, run: bytes, starts: Sequence[int]) -> LiveBatch | None:
        words, epoch = self._plan_maps.shape.clause_words, self._plan_maps.epoch
        file_kind, kind_of, route = wire.Kind.FILE, wire.kind_of, wire.route
        transfers = self._transfers
        positions: list[int] = []
        candidates: list[int] = []
        pids: set[int] = set()
        last = min(len(starts), self._next + BATCH_EVENTS)
        for number in range(self._next, last):
            at = starts[number]
            kind = kind_of(run, at)
            if kind != file_kind:
                self._reach(run, positions)
                end = self._end_at(run, at, kind, pids)
                if end is None:
                    continue
                last = number + end
                break
            if transfers is not None and self._is_told_otherwise(transfers, run, at):
                last = number + 1
                break
            routed_epoch, pid, clauses = route(run, at, words)
            positions.append(at)
            candidates.append(clauses if routed_epoch == epoch else EVERY)
            pids.add(pid)
        self._next = last
        self._reach(run, positions)
        if not positions:
            return None
        return LiveBatch(run, positions, candidates, self._fresh_lookups(), self._files.resolver)

    def _reach(self, run: bytes, positions: Sequence[int]) -> None:
        """Note how far what is handed on has got."""
        if positions:
            self._reached_ns = max(self._reached_ns, wire.time_of(run, positions[-1]))

    def _end_at(self, run: bytes, at: int, kind: int, pids: Collection[int]) -> int | None:
        """Take a record that is no event.

        Returns:
            Where the batch ends because of it: 0 before it, and it is taken again, 1 behind it, None nowhere.
        """
        if kind == wire.Kind.USED:
            return 1 if self._sums_of_closed(run, at) else None
        record = process_record(run, at)
        if record.kind in _CHANGES and record.pid in pids:
            return 0
        if record.kind is wire.Kind.EXEC and self._sums_of_ended(record.pid):
            return 0  # they are of the former program
        self._apply(record)
        return 1 if record.kind is wire.Kind.EXIT and self._sums_of_ended(record.pid) else None

    def _is_told_otherwise(self, transfers: Transfers, run: bytes, at: int) -> bool:
        """Note the first record of a transfer; whether another is told in its place."""
        if not is_transfer(wire.operation_of(run, at)):
            return False
        instead = transfers.first(run, at)
        self._again.extend(_parts(transfers.left()))
        if instead is None:
            return False
        self._again.append([instead])
        self.summed -= 1  # the kernel has counted it
        return True

    def _sums_of_closed(self, run: bytes, at: int) -> bool:
        """Tell what went through a descriptor that was closed; whether there is anything to tell."""
        records = self._transfers.closed(wire.used_record(run, at)) if self._transfers else []
        self._again.extend(_parts(records))
        return bool(records)

    def _sums_of_ended(self, pid: int) -> bool:
        """Tell what a process that has ended had read and written; whether there is anything to tell."""
        records = self._transfers.ended(pid, self._reached_ns) if self._transfers else []
        self._again.extend(_parts(records))
        return bool(records)

    def _apply(self, record: ProcessRecord) -> None:
        table = self._processes
        match record.kind:
            case wire.Kind.FORK:
                table.forked(
                    pid=record.pid,
                    start_ns=record.start_ns,
                    parent_pid=record.parent_pid,
                    parent_start_ns=record.parent_start_ns,
                    name=record.name,
                )
            case wire.Kind.EXEC:
                table.executed(
                    pid=record.pid,
                    start_ns=record.start_ns,
                    parent_pid=record.parent_pid,
                    executable=record.executable,
                    args=record.args,
                    args_truncated=record.args_truncated,
                    name=record.name,
                    image=record.image,
                    cwd=record.cwd,
                    cgroup=record.cgroup,
                    cgroup_id=record.cgroup_id,
                    compat=record.compat,
                )
            case wire.Kind.CHDIR:
                table.moved(pid=record.pid, start_ns=record.start_ns, cwd=record.cwd)
            case _:
                table.exited(pid=record.pid, start_ns=record.start_ns)

    def _fresh_lookups(self) -> wire.Lookups:
        now = time.monotonic()
        if now - self._measured_at >= _CLOCK_S:
            self._lookups, self._measured_at = self._measured(), now
        return self._lookups

    def _measured(self) -> wire.Lookups:
        return wire.Lookups(
            process=self._processes.get,
            surroundings=self._processes.surroundings,
            # For the second that these are used; an event asks six times.
            user=ByValue(self._identities.user).__getitem__,
            group=ByValue(self._identities.group).__getitem__,
            clause_words=self._plan_maps.shape.clause_words,
            boot_to_wall_ns=time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME),
            host_name=self._host.name,
            host_id=self._host.id,
        )


def _parts(records: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The records, as many together as a batch has."""
    return (records[start : start + BATCH_EVENTS] for start in range(0, len(records), BATCH_EVENTS))
