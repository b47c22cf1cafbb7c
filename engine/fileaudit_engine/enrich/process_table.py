"""Who runs what: the process table, from the kernel's fork, exec and exit records.

A process is known by its id and its start on the boot clock, for ids are used again. What is known of it
changes by an exec, so its `Process` is replaced, never altered: an event that has one keeps it. A child
starts with its parent's image and arguments, and with its parent as it was at the fork.

Every event says the inode number of what its process runs. Where that is not the image of the last record,
a record was lost, perhaps because somebody flooded the ring to be taken for what he no longer is: then /proc
is asked once, and believed only if it speaks of the same image.

Two things are bounded: how many processes are remembered, running and ended ones apart and the first ones
leaving first (whoever is forgotten has no image, and with it no exclusion), and how far back a chain of
parents goes, for each `Process` holds its parent alive.
"""

import os
from collections import OrderedDict
from typing import Final

import msgspec

from fileaudit_engine.enrich.procfs import look_at, running
from fileaudit_engine.events.model import Container, Process

ANCESTORS: Final = 16
"""Parents that an event can name."""

ALIVE_KEPT: Final = 32_768
DEAD_KEPT: Final = 4096
"""Events of a process may be read after its exit record, and its children name it as their parent."""

Key = tuple[int, int]
"""Process id and start, nanoseconds on the boot clock."""


class ProcessTable:
    """Implements `sources.base.Processes`.

    Args:
        alive_limit: Running processes that are remembered at the most.
        dead_limit: Ended ones.
        proc: Where procfs is.
    """

    def __init__(
        self, *, alive_limit: int = ALIVE_KEPT, dead_limit: int = DEAD_KEPT, proc: str = "/proc"
    ) -> None:
        self._alive: OrderedDict[Key, Process] = OrderedDict()
        self._dead: OrderedDict[Key, Process] = OrderedDict()
        self._starts: dict[int, int] = {}
        """By id, the start under which the newest process with it is in `_alive`."""
        self._from_proc: set[Key] = set()
        """Keys whose start is known to the clock tick only."""
        self._alive_limit = alive_limit
        self._dead_limit = dead_limit
        self._proc = proc
        self._tick_ns = 1_000_000_000 // os.sysconf("SC_CLK_TCK")

    def __len__(self) -> int:
        """How many processes are remembered."""
        return len(self._alive) + len(self._dead)

    def scan(self) -> None:
        """Learn from /proc what runs now; what records have told is known better and stays."""
        for process in running(self._proc, self._tick_ns):
            self._learn(process)

    def forked(self, *, pid: int, start_ns: int, parent_pid: int, parent_start_ns: int, name: str) -> None:
        """`parent_pid` made `pid`, which runs the same image until it says otherwise."""
        parent = self._find(parent_pid, parent_start_ns)
        child = Process(pid=pid, start_ns=start_ns, name=name, parent_pid=parent_pid)
        if parent is not None:
            child = msgspec.structs.replace(
                child,
                executable=parent.executable,
                image_inode=parent.image_inode,
                args=parent.args,
                args_truncated=parent.args_truncated,
                parent=_as_parent(parent),
            )
        self._keep(child)

    def executed(  # noqa: PLR0913 - one argument a fact
        self,
        *,
        pid: int,
        start_ns: int,
        parent_pid: int,
        executable: str,
        args: tuple[str, ...],
        args_truncated: bool,
        name: str,
        image: int,
    ) -> None:
        """`pid` runs another image from now on."""
        known = self._find(pid, start_ns)
        self._keep(
            Process(
                pid=pid,
                start_ns=start_ns,
                executable=executable or None,
                image_inode=image or None,
                args=args,
                args_truncated=args_truncated,
                name=name,
                parent_pid=parent_pid,
                parent=known.parent if known is not None else self._newest(parent_pid),
            )
        )

    def exited(self, *, pid: int, start_ns: int) -> None:
        """`pid` is gone; it is remembered for a while."""
        known = self._find(pid, start_ns)
        if known is None:
            return
        self._forget((pid, start_ns))
        self._dead[pid, start_ns] = known
        if len(self._dead) > self._dead_limit:
            self._dead.popitem(last=False)

    def get(self, pid: int, start_ns: int, parent_pid: int, name: str, image: int) -> Process:
        """The process; where no record of it is known, or its last one was lost, what can be told of it."""
        known = self._find(pid, start_ns)
        if known is None:
            parent = self._newest(parent_pid)
            known = Process(pid=pid, start_ns=start_ns, name=name, parent_pid=parent_pid, parent=parent)
            return self._keep(self._corrected(known, image))
        if image and known.image_inode != image:
            return self._keep(self._corrected(known, image))
        return known

    def surroundings(self, pid: int, start_ns: int, cgroup_id: int) -> tuple[str | None, Container | None]:  # noqa: ARG002
        """Where it works, and in which container."""
        return None, None

    def _corrected(self, known: Process, image: int) -> Process:
        """The process with the image that it runs, or with none where nobody can tell."""
        start_ns = self._to_tick(known.start_ns or 0)
        seen = look_at(self._proc, known.pid, self._tick_ns)
        if seen is None or seen.start_ns != start_ns:
            seen = Process(pid=known.pid)
        if seen.image_inode != image:
            if seen.executable is not None and seen.executable == known.executable:
                return msgspec.structs.replace(known, image_inode=image)  # stat counts inodes otherwise
            seen = Process(pid=known.pid)
        return msgspec.structs.replace(
            known,
            executable=seen.executable,
            image_inode=image or None,
            args=seen.args,
            args_truncated=seen.args_truncated,
        )

    def _find(self, pid: int, start_ns: int) -> Process | None:
        key = (pid, start_ns)
        return self._alive.get(key) or self._dead.get(key) or self._adopted(pid, start_ns)

    def _adopted(self, pid: int, start_ns: int) -> Process | None:
        """A process from /proc, from now on under its exact start."""
        key = (pid, self._to_tick(start_ns))
        if key not in self._from_proc:
            return None
        known = self._alive[key]
        self._forget(key)
        return self._keep(msgspec.structs.replace(known, start_ns=start_ns))

    def _newest(self, pid: int) -> Process | None:
        """The process that has this id now, as a parent."""
        start_ns = self._starts.get(pid)
        return None if start_ns is None else _as_parent(self._alive[pid, start_ns])

    def _keep(self, process: Process) -> Process:
        key = (process.pid, process.start_ns or 0)
        if key in self._dead:
            self._dead[key] = process
            return process
        self._alive[key] = process
        self._starts[process.pid] = key[1]
        if len(self._alive) > self._alive_limit:
            self._forget(next(iter(self._alive)))
        return process

    def _forget(self, key: Key) -> None:
        if self._alive.pop(key, None) is None:
            return
        self._from_proc.discard(key)
        if self._starts.get(key[0]) == key[1]:
            del self._starts[key[0]]

    def _learn(self, process: Process) -> None:
        key = (process.pid, process.start_ns or 0)
        known_start = self._starts.get(process.pid)
        if known_start is not None and key not in self._from_proc:
            if self._to_tick(known_start) == key[1]:
                return
            self._forget((process.pid, known_start))
        self._keep(msgspec.structs.replace(process, parent=self._newest(process.parent_pid or 0)))
        self._from_proc.add(key)

    def _to_tick(self, start_ns: int) -> int:
        return start_ns // self._tick_ns * self._tick_ns


def _as_parent(process: Process) -> Process:
    """The process as its children name it: of those before it, the arguments are nobody's business.

    Sixteen ancestors with four kilobytes each would be in every event of whoever arranged for them.
    """
    grandparent = process.parent
    if grandparent is not None and grandparent.args is not None:
        grandparent = msgspec.structs.replace(grandparent, args=None, args_truncated=False)
        process = msgspec.structs.replace(process, parent=grandparent)
    return _shortened(process)


def _shortened(process: Process, generations: int = ANCESTORS) -> Process:
    """The process as an ancestor: the chain that begins with it is at most so long."""
    if _is_short(process, generations):
        return process
    parent = process.parent
    if parent is None or generations == 1:
        return msgspec.structs.replace(process, parent=None)
    return msgspec.structs.replace(process, parent=_shortened(parent, generations - 1))


def _is_short(process: Process | None, generations: int) -> bool:
    while process is not None and generations >= 0:
        process, generations = process.parent, generations - 1
    return generations >= 0
