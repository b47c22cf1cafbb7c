"""What a source of events is to the pipeline.

`run`, `replay` and `test` differ only in the source and in the clock.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import Container, Loss, Process


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What became of the events so far, each number a total since the start.

    Attributes:
        seen: Operations that the hooks saw.
        filtered: Those that no rule could match, dropped in the kernel.
        delivered: Those handed on to the pipeline.
        lost: Those that found no room, by operation name (`process` for process records).
    """

    seen: int = 0
    filtered: int = 0
    delivered: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "Counters") -> "Counters":
        """Of two sources, one after the other."""
        names = {*self.lost, *other.lost}
        return Counters(
            seen=self.seen + other.seen,
            filtered=self.filtered + other.filtered,
            delivered=self.delivered + other.delivered,
            lost={name: self.lost.get(name, 0) + other.lost.get(name, 0) for name in names},
        )


class Source(Protocol):
    """Yields batches, and losses where they became known, until it ends or is closed."""

    def batches(self) -> Iterator[Batch | Loss]:
        """All that comes.

        A live source yields an empty batch when nothing came for a while, so that the pipeline can look
        at the clock and at signals.
        """

    def counters(self) -> Counters:
        """The counters as of now."""

    def close(self) -> None:
        """Give everything back; `batches` ends. May be called twice."""


class Identities(Protocol):
    """Names for numbers, as a source needs them to complete an event."""

    def user(self, uid: int) -> str | None:
        """The user's name."""

    def group(self, gid: int) -> str | None:
        """The group's name."""


class Processes(Protocol):
    """The process table, as a live source feeds and asks it."""

    @property
    def compat_programs(self) -> int:
        """How many 32-bit programs were started: their calls are seen by no tracepoint."""

    def scan(self) -> None:
        """Learn what runs already; a live source asks for it as soon as it is attached."""

    def forked(self, *, pid: int, start_ns: int, parent_pid: int, parent_start_ns: int, name: str) -> None:
        """`parent_pid` made `pid`, which runs the same image until it says otherwise."""

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
        cwd: str | None,
        cgroup: tuple[str, ...],
        cgroup_id: int,
        compat: bool,
    ) -> None:
        """`pid` runs another image from now on; `image` is its inode number.

        `cwd` is its working directory, `cgroup` the topmost names of its cgroup, from the leaf up, and
        `cgroup_id` that cgroup's number in the v2 hierarchy. `compat`: the image is a 32-bit program.
        """

    def moved(self, *, pid: int, start_ns: int, cwd: str | None) -> None:
        """`pid` works in another directory from now on."""

    def exited(self, *, pid: int, start_ns: int) -> None:
        """`pid` is gone."""

    def get(self, pid: int, start_ns: int, parent_pid: int, name: str, image: int) -> Process:
        """The process; where no record of it is known, one with only what is passed here.

        `image` is the inode number of what it runs now. If the last record that is known of it spoke of
        another, an exec record was lost, and the process has no executable and no arguments.
        """

    def surroundings(self, pid: int, start_ns: int, cgroup_id: int) -> tuple[str | None, Container | None]:
        """The working directory and the container of a process; None for what is not known.

        `cgroup_id` is that of the thread now, in the v2 hierarchy.
        """
