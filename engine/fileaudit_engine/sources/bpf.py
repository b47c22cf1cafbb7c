"""The live source: events from programs in the running kernel.

`LiveSource.open` has a loader process compile and load `bpf/`, writes the rules into the maps, and only then
attaches. From there on it is a reader: runs of records come out of the ring, process records feed the
process table in the order in which things happened, file records become batches whose candidates the
kernel has chosen.

An exec changes what a process is, and a chdir where it works. So a batch ends before such a record of a
process that has events in it: whoever completes the batch's events, before asking for the next one, sees the
process as it was.
"""

import itertools
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from typing_extensions import Self

from fileaudit_engine.compiler.plan import KernelPlan
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.events import wire
from fileaudit_engine.events.batch import BATCH_DELAY_S, BATCH_EVENTS, EVERY, Batch
from fileaudit_engine.events.model import Loss, Operation
from fileaudit_engine.sources import bpfsys
from fileaudit_engine.sources.base import Counters, Identities, Processes
from fileaudit_engine.sources.headers import KernelTypes, kernel_types
from fileaudit_engine.sources.host import this_host
from fileaudit_engine.sources.host_files import HostFiles, mount_entries
from fileaudit_engine.sources.live_batch import LiveBatch
from fileaudit_engine.sources.load import Load
from fileaudit_engine.sources.losses import LossWatch, lost_by_name
from fileaudit_engine.sources.maps import CounterTotals, PlanMaps, Shape, shape_of
from fileaudit_engine.sources.mounts import TRACEFS, missing_mounts, mount
from fileaudit_engine.sources.privilege import require_privilege
from fileaudit_engine.sources.probes import (
    Hook,
    files_of,
    hooks_for,
    operations_of,
    programs_of,
    sums_transfers,
)
from fileaudit_engine.sources.ring import Records, Ring, close_all, ring_size
from fileaudit_engine.sources.transfers import TELL_S, Transfers, is_transfer

MAPS: Final = (
    "engine_config",
    "selectors",
    "anything",
    "prefixes",
    "suffixes",
    "components",
    "callers",
    "known_files",
    "engine_counters",
    "mounts",
    "canonical",
    "behind",
    "events",
)
RING_BYTES: Final = 16 << 20
"""Some 50,000 events: a third of a second of the fastest flood that Python keeps up with."""

_CHANGES: Final = frozenset({wire.Kind.EXEC, wire.Kind.CHDIR})
"""Records after which a process is not what it was."""

_IDLE_S: Final = 0.1
"""How often the pipeline hears from an idle source."""
_CLOCK_S: Final = 1.0
"""How often the distance between boot clock and wall clock is measured."""
_ALL: Final = 1 << 62
_FEW_BYTES: Final = 1 << 16
"""With less than this in the ring, more is waited for: a batch's worth of small events."""


class LiveSource:
    """Implements `Source`. Made by `open`; use it from one thread."""

    def __init__(  # noqa: PLR0913 - what `open` has put together
        self,
        *,
        maps: dict[str, int],
        links: list[int],
        ring: Ring,
        plan_maps: PlanMaps,
        files: HostFiles,
        operations: frozenset[Operation],
        processes: Processes,
        identities: Identities,
    ) -> None:
        self._maps = maps
        self._links = links
        self._ring = ring
        self._plan_maps = plan_maps
        self._files = files
        self._looked_at = time.monotonic()
        self._operations = operations
        """What the attached hooks tell of."""
        self._processes = processes
        self._identities = identities
        self._runs: deque[Records] = deque()
        """Taken out of the ring and not yet handed on, from `_next` in the first one on."""
        self._next = 0
        self._delivered = 0
        self._summed = 0
        """Events that user space has made of the kernel's sums."""
        self._again: deque[Sequence[bytes]] = deque()
        """Records of sums, to be handed on before what follows in the ring."""
        self._transfers = Transfers(maps["uses"], plan_maps.shape.clause_words) if "uses" in maps else None
        self._told_at = time.monotonic()
        self._losses = LossWatch()
        self._final: CounterTotals | None = None
        """The counters at the close; None while open."""
        self._host = this_host()
        self._lookups = self._measured()
        self._measured_at = time.monotonic()

    @classmethod
    def open(  # noqa: PLR0913 - what it works with, and how
        cls,
        plan: KernelPlan,
        *,
        processes: Processes,
        identities: Identities,
        ring_bytes: int = RING_BYTES,
        profile: str = "auto",
        watch_children: bool = False,
        remembers: bool = True,
    ) -> Self:
        """Load, write the rules, attach, learn the processes that run; from then on every event is kept.

        Args:
            plan: What the kernel filters by.
            processes: Is fed by this source, and asked by it.
            identities: Names for user and group numbers.
            ring_bytes: Room for events that wait to be read; rounded up to a power of two.
            profile: `auto` or `tracepoint`.
            watch_children: Whether processes that this one starts are watched. The engine starts loaders
                only, and never reports on itself.
            remembers: Whether the kernel may remember paths that no rule can match; without it everything is
                as slow as it is correct.

        Raises:
            MachineCannot: Live capture is not possible here, or not with this profile.
        """
        if profile not in {"auto", "tracepoint"}:
            raise MachineCannot(
                f"this version has no '{profile}' probes", remedy="use --probes auto or --probes tracepoint"
            )
        require_privilege()
        if TRACEFS in missing_mounts():
            mount(TRACEFS)
        shape, operations = shape_of(plan), operations_of(plan)
        size = ring_size(ring_bytes)
        loading = load_capture(kernel_types(), shape, hooks_for(operations), size, remembers=remembers)
        try:
            plan_maps = PlanMaps(
                loading.maps, shape, watch_children=watch_children, user_name=identities.user
            )
            files = HostFiles(plan)
            plan_maps.write_mounts(*mount_entries(files.table))
            plan_maps.write_plan(plan, files.files)
            ring = Ring(loading.maps["events"], size)
            links = loading.attach()
        except BaseException:
            loading.give_up()
            raise
        finally:
            loading.close()
        processes.scan()
        return cls(
            maps=loading.maps,
            links=links,
            ring=ring,
            plan_maps=plan_maps,
            files=files,
            operations=operations,
            processes=processes,
            identities=identities,
        )

    def replace_plan(self, plan: KernelPlan) -> bool:
        """Put other rules in force without a gap; False if they need programs of another shape.

        Events that were filtered by the former rules and not yet read come with `EVERY` as candidates.
        """
        if not self._plan_maps.shape.fits(shape_of(plan)) or not operations_of(plan) <= self._operations:
            return False
        self._files.replace_plan(plan)
        self._plan_maps.write_plan(plan, self._files.files)
        return True

    def batches(self) -> Iterator[Batch | Loss]:
        """All that comes; see `Source`. After `close`, what had come until then.

        May be left and begun again: nothing is held by the iterator.
        """
        while True:
            yield from self._news_of_loss()
            self._look_around()
            self._tell_sums()
            batch = self._next_batch()
            if batch is not None:
                yield batch
            elif self._final is not None:
                if not self._tell_sums(at_once=True):
                    break
            elif not self._fetch():
                yield LiveBatch(b"", (), (), self._lookups)
                if self._final is None:
                    self._ring.wait(_IDLE_S)
        yield from self._news_of_loss(at_once=True)

    def counters(self) -> Counters:
        """The counters as of now; after `close`, as of then."""
        totals = self._totals()
        return Counters(
            seen=totals.seen + self._summed,
            filtered=totals.filtered,
            delivered=self._delivered,
            lost=lost_by_name(totals),
        )

    def close(self) -> None:
        """Detach and give everything back; what the ring still holds is kept for `batches`."""
        if self._final is not None:
            return
        close_all(self._links)
        bpfsys.wait_for_programs()
        while self._fetch(limit=_ALL):
            pass
        self._final = self._plan_maps.counters()
        if self._transfers is not None:
            self._transfers.freeze()
        self._ring.close()
        close_all(list(self._maps.values()))

    def _fetch(self, limit: int = BATCH_EVENTS) -> bool:
        """Move a run of records out of the ring, a fuller one if waiting a little may bring it."""
        if limit == BATCH_EVENTS and 0 < self._ring.pending() < _FEW_BYTES:
            time.sleep(BATCH_DELAY_S)
        run, starts = self._ring.read(limit)
        if run:
            self._runs.append((run, starts))
        return bool(run)

    def _tell_sums(self, *, at_once: bool = False) -> bool:
        """Tell every few seconds what was read and written by whoever goes on; whether there was anything."""
        now = time.monotonic()
        if self._transfers is None or (now - self._told_at < TELL_S and not at_once):
            return False
        self._told_at = now
        records = self._transfers.all(time.clock_gettime_ns(time.CLOCK_BOOTTIME))
        self._again.extend(_parts(records))
        return bool(records)

    def _look_around(self) -> None:
        """Tell the kernel what has changed of the host's files, and about once a second of its accounts."""
        now = time.monotonic()
        if self._final is not None or now - self._looked_at < _IDLE_S:
            return
        if int(now) != int(self._looked_at):
            self._plan_maps.refresh_users()
        self._looked_at = now
        changed = self._files.refresh()
        if changed.mounts:
            self._plan_maps.write_mounts(*mount_entries(self._files.table))
        if changed.files:
            self._plan_maps.write_files(self._files.files)

    def _next_batch(self) -> LiveBatch | None:
        """The next file records; the process records before them go into the table."""
        while self._again or self._runs:
            batch = self._batch_of_sums(self._again.popleft()) if self._again else self._batch_of_run()
            if batch is not None:
                self._delivered += batch.records
                return batch
        return None

    def _batch_of_sums(self, records: Sequence[bytes]) -> LiveBatch:
        self._summed += len(records)
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
        file_kind, used_kind, kind_of, route = wire.Kind.FILE, wire.Kind.USED, wire.kind_of, wire.route
        transfers = self._transfers
        positions: list[int] = []
        candidates: list[int] = []
        pids: set[int] = set()
        last = min(len(starts), self._next + BATCH_EVENTS)
        for number in range(self._next, last):
            at = starts[number]
            kind = kind_of(run, at)
            if kind == file_kind:
                routed_epoch, pid, clauses = route(run, at, words)
                positions.append(at)
                candidates.append(clauses if routed_epoch == epoch else EVERY)
                pids.add(pid)
                if transfers is not None and is_transfer(wire.operation_of(run, at)):
                    transfers.first(run, at)
                continue
            if kind == used_kind:
                if self._sums_of_closed(run, at):
                    last = number + 1
                    break
                continue
            record = wire.process_record(run, at)
            if record.kind in _CHANGES and record.pid in pids:
                last = number
                break
            self._apply(record)
            if record.kind is wire.Kind.EXIT and self._sums_of_ended(record.pid):
                last = number + 1
                break
        self._next = last
        if not positions:
            return None
        return LiveBatch(run, positions, candidates, self._fresh_lookups(), self._files.resolver)

    def _sums_of_closed(self, run: bytes, at: int) -> bool:
        """Tell what went through a descriptor that was closed; whether there is anything to tell."""
        records = self._transfers.closed(wire.used_record(run, at)) if self._transfers else []
        self._again.extend(_parts(records))
        return bool(records)

    def _sums_of_ended(self, pid: int) -> bool:
        """Tell what a process that has ended had read and written; whether there is anything to tell."""
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        records = self._transfers.ended(pid, now) if self._transfers else []
        self._again.extend(_parts(records))
        return bool(records)

    def _apply(self, record: wire.ProcessRecord) -> None:
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
            user=self._identities.user,
            group=self._identities.group,
            clause_words=self._plan_maps.shape.clause_words,
            boot_to_wall_ns=time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME),
            host_name=self._host.name,
            host_id=self._host.id,
        )

    def _totals(self) -> CounterTotals:
        return self._final or self._plan_maps.counters()

    def _news_of_loss(self, *, at_once: bool = False) -> Iterator[Loss]:
        loss = self._losses.news(self._totals, at_once=at_once)
        if loss is not None:
            yield loss


def _parts(records: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The records, as many together as a batch has."""
    return (records[start : start + BATCH_EVENTS] for start in range(0, len(records), BATCH_EVENTS))


def load_capture(
    types: KernelTypes, shape: Shape, hooks: Sequence[Hook], size: int, *, remembers: bool = True
) -> Load:
    """Load the programs for rules of this shape, in the faster way if this kernel takes it.

    Raises:
        MachineCannot: The kernel takes neither.
    """
    programs, files = programs_of(hooks), files_of(hooks)
    defines = (*shape.defines, f"RING_PAGES={size // os.sysconf('SC_PAGE_SIZE')}")
    maps: tuple[str, ...] = MAPS
    if sums_transfers(hooks):
        maps, defines = (*MAPS, "uses"), (*defines, "TEST_TRANSFER")
    if not remembers:
        defines = (*defines, "FORGETFUL")

    def load(*, typed: bool) -> Load:
        return Load(types=types, files=files, programs=programs, maps=maps, defines=defines, typed=typed)

    if types.cast_function is None:
        return load(typed=False)
    try:
        return load(typed=True)
    except MachineCannot:
        return load(typed=False)
