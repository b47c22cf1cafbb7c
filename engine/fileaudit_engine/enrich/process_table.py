"""Who runs what: the process table, from the kernel's fork, exec and exit records.

A process is known by its id and its start on the boot clock, for ids are used again. What is known of it
changes by an exec, so its `Process` is replaced, never altered: an event that has one keeps it. A child
starts with its parent's image and arguments, and with its parent as it was at the fork.

Beside it stands where the process is: its working directory, as the last exec or chdir record told it, and
its cgroup, whose names tell its container. A directory that is renamed under a process keeps its former name
here until the next such record; threads that have parted from their process (unshare) have its directory.

Every event says the inode number of what its process runs. Where that is not the image of the last record,
a record was lost, perhaps because somebody flooded the ring to be taken for what he no longer is: then /proc
is asked once, and believed only if it speaks of the same image.

Two things are bounded: how many processes are remembered, running and ended ones apart and the first ones
leaving first (whoever is forgotten has no image, and with it no exclusion), and how far back a chain of
parents goes, for each `Process` holds its parent alive.
"""

import os
from collections import OrderedDict
from typing import Final, NamedTuple

import msgspec

from fileaudit_engine.enrich.cgroups import NOWHERE, ROOT, Cgroup, Cgroups
from fileaudit_engine.enrich.container import Containers
from fileaudit_engine.enrich.procfs import Found, look_at, running
from fileaudit_engine.events.model import Container, Process

ANCESTORS: Final = 16
"""Parents that an event can name."""

ALIVE_KEPT: Final = 32_768
DEAD_KEPT: Final = 4096
"""Events of a process may be read after its exit record, and its children name it as their parent."""

Key = tuple[int, int]
"""Process id and start, nanoseconds on the boot clock."""


class _Known(NamedTuple):
    """What the table has of a process."""

    process: Process
    cwd: str | None = None
    cgroup: Cgroup = NOWHERE


class ProcessTable:
    """Implements `sources.base.Processes`.

    Args:
        containers: Tells what is known of a container.
        alive_limit: Running processes that are remembered at the most.
        dead_limit: Ended ones.
        proc: Where procfs is.

    Attributes:
        compat_programs: How many 32-bit programs were started: their calls are seen by no tracepoint.
    """

    def __init__(
        self,
        *,
        containers: Containers | None = None,
        alive_limit: int = ALIVE_KEPT,
        dead_limit: int = DEAD_KEPT,
        proc: str = "/proc",
    ) -> None:
        self.compat_programs = 0
        self._containers = containers or Containers()
        self._cgroups = Cgroups()
        self._alive: OrderedDict[Key, _Known] = OrderedDict()
        self._dead: OrderedDict[Key, _Known] = OrderedDict()
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
        for found in running(self._proc, self._tick_ns):
            self._learn(found)

    def forked(self, *, pid: int, start_ns: int, parent_pid: int, parent_start_ns: int, name: str) -> None:
        """`parent_pid` made `pid`, which runs the same image in the same place until it says otherwise."""
        parent = self._find(parent_pid, parent_start_ns)
        child = Process(pid=pid, start_ns=start_ns, name=name, parent_pid=parent_pid)
        if parent is None:
            self._keep(_Known(child))
            return
        process = parent.process
        child = msgspec.structs.replace(
            child,
            executable=process.executable,
            image_inode=process.image_inode,
            args=process.args,
            args_truncated=process.args_truncated,
            parent=_as_parent(process),
        )
        self._keep(parent._replace(process=child))

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
        cwd: str | None = None,
        cgroup: tuple[str, ...] = (),
        cgroup_id: int = 0,
        compat: bool = False,
    ) -> None:
        """`pid` runs another image from now on."""
        self.compat_programs += compat
        known = self._find(pid, start_ns)
        process = Process(
            pid=pid,
            start_ns=start_ns,
            executable=executable or None,
            image_inode=image or None,
            args=args,
            args_truncated=args_truncated,
            name=name,
            parent_pid=parent_pid,
            parent=known.process.parent if known is not None else self._newest(parent_pid),
        )
        if known is not None and cwd == known.cwd:
            cwd = known.cwd  # one text in memory for all that work in the same place
        if not cgroup and known is not None and cgroup_id > ROOT:
            cgroup = known.cgroup.names  # too deep to be told: nobody hides his container that way
        self._keep(_Known(process, cwd, self._cgroups.learn(cgroup_id, cgroup)))

    def moved(self, *, pid: int, start_ns: int, cwd: str | None) -> None:
        """`pid` works in another directory from now on."""
        known = self._find(pid, start_ns)
        if known is not None:
            self._keep(known._replace(cwd=cwd))

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
            known = _Known(
                Process(pid=pid, start_ns=start_ns, name=name, parent_pid=parent_pid, parent=parent)
            )
            return self._keep(self._corrected(known, image)).process
        if image and known.process.image_inode != image:
            return self._keep(self._corrected(known, image)).process
        return known.process

    def surroundings(self, pid: int, start_ns: int, cgroup_id: int) -> tuple[str | None, Container | None]:
        """Where it works, and in which container."""
        known = self._find(pid, start_ns)
        if known is None:
            return None, None
        if known.cgroup.number != cgroup_id:
            known = self._keep(known._replace(cgroup=self._cgroup_now(known, cgroup_id)))
        return known.cwd, self._containers.get(known.cgroup)

    def _corrected(self, known: _Known, image: int) -> _Known:
        """The process with the image that it runs, or with none where nobody can tell."""
        process = known.process
        seen = self._seen(process)
        known = _Known(process, known.cwd or seen.cwd, known.cgroup)
        if seen.process.image_inode != image:
            if seen.process.executable is not None and seen.process.executable == process.executable:
                # stat counts inodes otherwise
                return known._replace(process=msgspec.structs.replace(process, image_inode=image))
            seen = Found(Process(pid=process.pid))
        now = msgspec.structs.replace(
            process,
            executable=seen.process.executable,
            image_inode=image or None,
            args=seen.process.args,
            args_truncated=seen.process.args_truncated,
        )
        return known._replace(process=now)

    def _seen(self, process: Process) -> Found:
        """The process as /proc has it, if it is the same."""
        seen = look_at(self._proc, process.pid, self._tick_ns)
        if seen is None or seen.process.start_ns != self._to_tick(process.start_ns or 0):
            return Found(Process(pid=process.pid))
        return seen

    def _cgroup_now(self, known: _Known, number: int) -> Cgroup:
        """The cgroup of a process that has moved to another since its last record, or has none."""
        if known.cgroup.number is None and known.cgroup.names:
            return self._cgroups.learn(number, known.cgroup.names)
        return self._cgroups.known(number) or self._cgroups.learn(number, self._seen(known.process).cgroup)

    def _find(self, pid: int, start_ns: int) -> _Known | None:
        key = (pid, start_ns)
        return self._alive.get(key) or self._dead.get(key) or self._adopted(pid, start_ns)

    def _adopted(self, pid: int, start_ns: int) -> _Known | None:
        """A process from /proc, from now on under its exact start."""
        key = (pid, self._to_tick(start_ns))
        if key not in self._from_proc:
            return None
        known = self._alive[key]
        self._forget(key)
        return self._keep(known._replace(process=msgspec.structs.replace(known.process, start_ns=start_ns)))

    def _newest(self, pid: int) -> Process | None:
        """The process that has this id now, as a parent."""
        start_ns = self._starts.get(pid)
        return None if start_ns is None else _as_parent(self._alive[pid, start_ns].process)

    def _keep(self, known: _Known) -> _Known:
        key = (known.process.pid, known.process.start_ns or 0)
        if key in self._dead:
            self._dead[key] = known
            return known
        self._alive[key] = known
        self._starts[key[0]] = key[1]
        if len(self._alive) > self._alive_limit:
            self._forget(next(iter(self._alive)))
        return known

    def _forget(self, key: Key) -> None:
        if self._alive.pop(key, None) is None:
            return
        self._from_proc.discard(key)
        if self._starts.get(key[0]) == key[1]:
            del self._starts[key[0]]

    def _learn(self, found: Found) -> None:
        process = found.process
        key = (process.pid, process.start_ns or 0)
        known_start = self._starts.get(process.pid)
        if known_start is not None and key not in self._from_proc:
            if self._to_tick(known_start) == key[1]:
                return
            self._forget((process.pid, known_start))
        process = msgspec.structs.replace(process, parent=self._newest(process.parent_pid or 0))
        self._keep(_Known(process, found.cwd, self._cgroups.learn(None, found.cgroup)))
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
