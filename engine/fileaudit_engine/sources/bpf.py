"""The live source: events from programs in the running kernel.

`LiveSource.open` has a loader process compile and load `bpf/`, writes the rules into the maps, and only then
attaches. From there on it waits at the ring for runs of records, of which `reader` makes batches, and in
between tells losses, follows the host's files and accounts, and takes other rules.
"""

import time
from collections.abc import Iterator
from typing import Final

from typing_extensions import Self

from fileaudit_engine.compiler.plan import KernelPlan
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.events.batch import BATCH_DELAY_S, BATCH_EVENTS, Batch
from fileaudit_engine.events.model import Loss, Operation
from fileaudit_engine.sources import bpfsys
from fileaudit_engine.sources.base import Counters, Identities, Processes
from fileaudit_engine.sources.capture import load_capture
from fileaudit_engine.sources.headers import kernel_types
from fileaudit_engine.sources.host_files import HostFiles, mount_entries
from fileaudit_engine.sources.losses import LossWatch, lost_by_name
from fileaudit_engine.sources.maps import CounterTotals, PlanMaps, room, shape_of
from fileaudit_engine.sources.mounts import TRACEFS, missing_mounts, mount
from fileaudit_engine.sources.privilege import require_privilege
from fileaudit_engine.sources.probes import (
    hooks_for,
    operations_of,
)
from fileaudit_engine.sources.reader import RecordReader
from fileaudit_engine.sources.ring import Ring, close_all, ring_size
from fileaudit_engine.sources.transfers import Transfers

RING_BYTES: Final = 16 << 20
"""Some 50,000 events: a third of a second of the fastest flood that Python keeps up with."""

_IDLE_S: Final = 0.1
"""How often the pipeline hears from an idle source."""
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
        ring.wake_on(files.waker, files.WAKES)
        self._looked_at = time.monotonic()
        self._operations = operations
        """What the attached hooks tell of."""
        self._processes = processes
        self._reader = RecordReader(
            plan_maps=plan_maps,
            files=files,
            processes=processes,
            identities=identities,
            transfers=Transfers(maps["uses"], plan_maps.shape.clause_words) if "uses" in maps else None,
            execs=Operation.EXEC in operations,
        )
        self._losses = LossWatch()
        self._final: CounterTotals | None = None
        """The counters at the close; None while open."""

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
            self._reader.tell_sums()
            batch = self._reader.next_batch()
            if batch is not None:
                yield batch
            elif self._final is not None:
                if not self._reader.tell_sums(at_once=True):
                    break
            elif not self._fetch():
                yield self._reader.nothing()
                if self._final is None:
                    self._ring.wait(_IDLE_S)
        yield from self._news_of_loss(at_once=True)

    def counters(self) -> Counters:
        """The counters as of now; after `close`, as of then."""
        totals = self._totals()
        return Counters(
            seen=totals.seen + self._reader.summed,
            filtered=totals.filtered,
            delivered=self._reader.delivered,
            lost=lost_by_name(totals),
        )

    def doubts(self) -> list[str]:
        """What the rules in force may miss, in words, because there was no room to know it."""
        return self._files.doubts(room(self._plan_maps.shape.files))

    @property
    def compat_programs(self) -> int:
        """How many 32-bit programs were started, whose calls no hook sees."""
        return self._processes.compat_programs

    def close(self) -> None:
        """Detach and give everything back; what the ring still holds is kept for `batches`."""
        if self._final is not None:
            return
        close_all(self._links)
        bpfsys.wait_for_programs()
        while self._fetch(limit=_ALL):
            pass
        self._final = self._plan_maps.counters()
        self._reader.freeze()
        self._files.close()
        self._ring.close()
        close_all(list(self._maps.values()))

    def _fetch(self, limit: int = BATCH_EVENTS) -> bool:
        """Move a run of records out of the ring, a fuller one if waiting a little may bring it."""
        if limit == BATCH_EVENTS and 0 < self._ring.pending() < _FEW_BYTES:
            time.sleep(BATCH_DELAY_S)
        run, starts = self._ring.read(limit)
        if run:
            self._reader.add(run, starts)
        return bool(run)

    def _look_around(self) -> None:
        """Tell the kernel of new mounts at once, of new files soon, and about once a second of accounts."""
        if self._final is not None:
            return
        if self._files.refresh_mounts():
            self._plan_maps.write_mounts(*mount_entries(self._files.table))
        now = time.monotonic()
        if now - self._looked_at < _IDLE_S:
            return
        if int(now) != int(self._looked_at):
            self._plan_maps.refresh_users()
        self._looked_at = now
        if self._files.refresh_files():
            self._plan_maps.write_files(self._files.files)

    def _totals(self) -> CounterTotals:
        return self._final or self._plan_maps.counters()

    def _news_of_loss(self, *, at_once: bool = False) -> Iterator[Loss]:
        loss = self._losses.news(self._totals, at_once=at_once)
        if loss is not None:
            yield loss
