"""A capture under test: do something in a child process, see what the kernel made of it."""

import contextlib
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fileaudit_engine.compiler.ir import All, Matches, Pattern, Predicate, Test, Wildcard
from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.compiler.plan import KernelPlan
from fileaudit_engine.enrich.identity import IdentityCache
from fileaudit_engine.enrich.process_table import ProcessTable
from fileaudit_engine.events.batch import ManyNames
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.sources.bpf import LiveSource

ANY = Wildcard.ANY
PATH = BY_NAME["TargetFilename"]
OPENED = Test(field=BY_NAME["Operation"], check=Matches(pattern=("open",), cased=False))


def asks(*pattern: str | Wildcard) -> Predicate:
    """A rule that asks for an open of a path of this pattern, whatever its case."""
    return All(operands=(OPENED, named(*pattern)))


def named(*pattern: str | Wildcard) -> Predicate:
    """A rule that asks for any operation on a path of this pattern, whatever its case."""
    folded: Pattern = tuple(part.lower() if isinstance(part, str) else part for part in pattern)
    return Test(field=PATH, check=Matches(pattern=folded, cased=False))


def begins(literal: str | Path) -> Predicate:
    return asks(str(literal), ANY)


def ends(literal: str) -> Predicate:
    return asks(ANY, literal)


def contains(literal: str) -> Predicate:
    return asks(ANY, literal, ANY)


def by(field: str, value: str, *also: Predicate) -> Predicate:
    """A rule that asks for an open by who has this value of a field, whatever its case."""
    return All(operands=(OPENED, field_is(field, value), *also))


def field_is(field: str, value: str) -> Predicate:
    """A rule that asks for this value of a field, whatever its case."""
    return Test(field=BY_NAME[field], check=Matches(pattern=(value.lower(),), cased=False))


EVERYTHING = kernel_plan(
    [
        *(named("/nowhere", ANY), named(ANY, "/nowhere"), named(ANY, "/nowhere/", ANY), begins("/nowhere")),
        *(by("User", "nobody at all"), by("ProcessId", "0"), by("ProcessName", "nothing")),
    ]
)
"""Has every operation and dimension, so that any plan of up to 64 clauses fits in its place."""


@dataclass(frozen=True)
class Seen:
    """An event, and the clauses that the kernel found for it.

    Attributes:
        again: Whether it tells of the call before it, under another name of its file.
    """

    event: FileEvent
    candidates: int
    again: bool = False

    @property
    def rules(self) -> set[int]:
        """The numbers of the clauses: those of the rules, where each has one."""
        return {bit for bit in range(self.candidates.bit_length()) if self.candidates >> bit & 1}


class Table(ProcessTable):
    """A process table that remembers who has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: set[int] = set()

    def exited(self, *, pid: int, start_ns: int) -> None:
        super().exited(pid=pid, start_ns=start_ns)
        self.ended.add(pid)


class Capture:
    """A live source and its process table."""

    def __init__(self, plan: KernelPlan, *, ring_bytes: int = 1 << 22, remembers: bool = True) -> None:
        self.processes = Table()
        self.source = LiveSource.open(
            plan,
            processes=self.processes,
            identities=IdentityCache(),
            ring_bytes=ring_bytes,
            watch_children=True,
            remembers=remembers,
        )
        self.losses: list[Loss] = []

    def watch(self, *rules: Predicate) -> KernelPlan:
        """Put these rules in force; rule *i* has clause *i*."""
        plan = kernel_plan(rules)
        assert plan.owners == tuple((number,) for number in range(len(rules)))
        assert self.source.replace_plan(plan)
        self.drain()
        return plan

    def of(self, action: Callable[[], object]) -> list[Seen]:
        """The events of a child process that does this, and of the processes that it starts."""
        self.processes.ended.clear()
        pid = in_child(action)
        return [seen for seen in self.arrived(until=pid) if pid in _family(seen.event)]

    def arrived(self, *, until: int | None = None) -> Iterator[Seen]:
        """What the ring holds, until it is empty, or a process has ended and what it has summed is told."""
        ended = False
        for item in self.source.batches():
            if isinstance(item, Loss):
                self.losses.append(item)
                continue
            if not item.candidates:
                return
            again = item.again if isinstance(item, ManyNames) else ()
            for index, candidates in enumerate(item.candidates):
                yield Seen(item.complete(index), candidates, index in again)
            if ended and not self.source._reader._again:  # what it has summed is told
                return
            ended = until in self.processes.ended

    def drain(self) -> None:
        for _ in self.arrived():
            """Let it go."""

    def close(self) -> None:
        self.source.close()


def _family(event: FileEvent) -> set[int]:
    process, pids = event.process.parent, {event.process.pid, event.process.parent_pid or 0}
    while process is not None:
        pids.add(process.pid)
        process = process.parent
    return pids


def in_child(action: Callable[[], object]) -> int:
    """Do it in a child process; its id, once it has ended well."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            action()
            status = 0
        except BaseException:  # noqa: BLE001 - a child of the test runner must not return into it
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    assert status == 0, f"the child ended with status {status}"
    return pid


def touch(*paths: str | bytes | Path) -> Callable[[], None]:
    """An action that opens each of these for reading, whether that succeeds or not."""

    def action() -> None:
        for path in paths:
            with contextlib.suppress(OSError):
                os.close(os.open(path, os.O_RDONLY))

    return action


def paths(seen: Sequence[Seen]) -> list[str | None]:
    return [one.event.path for one in seen]


def made(path: Path) -> Path:
    """The file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path
