"""From a `KernelPlan` to what stands in the kernel's maps (`bpf/maps.h`).

A bit set becomes an array of 64-bit words, low word first. How many words, and which dimensions exist at
all, is compiled into the programs: that is the plan's *shape*. A plan of a shape that fits can take
another's place while the programs run (`write_plan`); any other needs a new load.

Rules may ask for users by name, and the kernel knows numbers. The host's own accounts get an entry each, with
what holds of their name as the identities tell it; a user without an entry may be anybody. So a new account,
one that only a directory server knows, and one for which there is no room are filtered less, and never lost.
"""

import itertools
import os
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine.compiler.plan import KEY_BYTES, SELECTORS, KernelPlan
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.sources import bpfsys
from fileaudit_engine.sources.accounts import Accounts
from fileaudit_engine.text import fold

COMPONENT_BYTES: Final = 32
"""Longer components are cut, here and in the kernel: the look-up can only find too much."""

MAX_ACCOUNTS: Final = 1024
"""Accounts of the host that the kernel can tell apart where rules ask for names."""

MAX_FILES: Final = 8192
"""Files that can be known by their inodes; there is twice the room, for those that take a file's place."""

_LEAST_ROOM: Final = 256
_USER, _PROCESS, _COMM = 1, 2, 3
"""`enum caller_kind`."""
_CALLER: Final = struct.Struct("=16sII")
_FILE: Final = struct.Struct("=QII")
MAX_MOUNTS: Final = 4096
"""Of the host (`CANONICAL_MOUNTS`); the files of those beyond have one name."""


_WORDS: Final = (1, 2, 4, 8, 16)
_INDEX: Final = struct.Struct("=I")
_CONFIG: Final = struct.Struct("=4QIIIIIIQ")
_ZERO: Final = _INDEX.pack(0)
_COUNTERS: Final = struct.Struct("=5Q32Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What of a plan is compiled in, and how many entries it has in tables that are allocated whole.

    Attributes:
        clause_words: 64-bit words of a bit set.
        prefix: Whether paths are tested for prefixes; `suffix` and `component` likewise.
        user: Whether the user is tested; `process` and `comm` likewise.
        file: Whether files are known by their inodes.
        components: Entries that the plan has for components; `callers` and `files` likewise.
    """

    clause_words: int
    prefix: bool
    suffix: bool
    component: bool
    user: bool = False
    process: bool = False
    comm: bool = False
    file: bool = False
    components: int = 0
    callers: int = 0
    files: int = 0

    @property
    def defines(self) -> tuple[str, ...]:
        """As macros for `bpf/`, without `-D`."""
        return (
            f"CLAUSE_WORDS={self.clause_words}",
            f"COMPONENT_KEYS={room(self.components)}",
            f"CALLER_KEYS={room(self.callers)}",
            f"FILE_KEYS={room(self.files)}",
            *(f"TEST_{name.upper()}" for name in _TESTS if getattr(self, name)),
        )

    def fits(self, other: "Shape") -> bool:
        """Whether programs of this shape can hold a plan of the other."""
        return (
            other.clause_words <= self.clause_words
            and all(getattr(self, name) >= getattr(other, name) for name in _TESTS)
            and all(getattr(other, name) <= room(getattr(self, name)) for name in _TABLES)
        )


_TESTS: Final = ("prefix", "suffix", "component", "user", "process", "comm", "file")
_TABLES: Final = ("components", "callers", "files")


def room(entries: int) -> int:
    """The size of a table for so many entries: a power of two, with room for other rules."""
    return max(_LEAST_ROOM, 1 << (2 * entries - 1).bit_length()) if entries else 1


def shape_of(plan: KernelPlan) -> Shape:
    """The smallest shape that holds the plan.

    Raises:
        MachineCannot: More clauses than the programs can tell apart.
    """
    clauses = max(map(int.bit_length, (*plan.selectors, 0)))
    named = any(isinstance(user, str) for user in plan.users)
    for words in _WORDS:
        if clauses <= words * 64:
            return Shape(
                clause_words=words,
                prefix=bool(plan.prefixes),
                suffix=bool(plan.suffixes),
                component=bool(plan.components),
                user=bool(plan.users),
                process=bool(plan.pids),
                comm=bool(plan.comms),
                file=bool(plan.known_files),
                components=len(plan.components),
                callers=len(plan.users) + len(plan.pids) + len(plan.comms) + named * MAX_ACCOUNTS,
                files=min(len(plan.known_files), MAX_FILES),
            )
    raise MachineCannot(
        f"the rules compile to {clauses} kernel clauses; at most {_WORDS[-1] * 64} fit",
        remedy="run fewer rules, or join rules that differ only in their paths",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """Secret keys of the path fingerprint, odd, one load's long: nobody can aim for a collision."""

    keys: tuple[int, int, int, int]

    @classmethod
    def random(cls) -> "Seed":
        """Fresh keys from the system's generator."""
        words = struct.unpack("=4Q", os.urandom(32))
        return cls(keys=(words[0] | 1, words[1] | 1, words[2] | 1, words[3] | 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterTotals:
    """`struct engine_counters`, summed over CPUs: what somebody reads of it; `lost` by operation number."""

    seen: int
    filtered: int
    process_records: int
    lost_process_records: int
    lost: tuple[int, ...]


class PlanMaps:
    """The maps that hold the rules, by descriptor.

    Args:
        descriptors: By the names of `bpf/maps.h`.
        shape: As the programs were compiled.
        watch_children: Whether processes that this one starts are watched, too.
        user_name: The name that events give a user; without it, a user may have any name.
        accounts: The users that the host has.
    """

    def __init__(
        self,
        descriptors: Mapping[str, int],
        shape: Shape,
        *,
        watch_children: bool = False,
        user_name: Callable[[int], str | None] | None = None,
        accounts: Accounts | None = None,
    ) -> None:
        self._watch_children = int(watch_children)
        self._fds = descriptors
        self._shape = shape
        self._user_name = user_name
        self._accounts = accounts or Accounts()
        self._seed = Seed.random()
        self._epoch = 0
        self._mounts_epoch = 0
        self._since_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self._entries: dict[str, Mapping[bytes, bytes]] = {}
        self._plan: KernelPlan | None = None
        self._attached = False
        """Programs may run: the first plan is written before."""

    @property
    def epoch(self) -> int:
        """Generation of the rules that are in force; records carry that of their candidates."""
        return self._epoch

    @property
    def shape(self) -> Shape:
        """What the programs can hold."""
        return self._shape

    def write_plan(self, plan: KernelPlan, files: Mapping[tuple[int, int], int] | None = None) -> None:
        """Put the plan's rules in force, in place of what was there.

        While the maps change, events pass unfiltered, so that no mixture of two plans decides anything.

        Args:
            plan: Of a shape that fits.
            files: As of `write_files`.
        """
        self._configure(0)
        if self._attached:
            bpfsys.wait_for_programs()
        self._plan = plan
        self._write_sets(plan)
        self._replace("prefixes", {_path_key(k): v for k, v in plan.prefixes.items()})
        self._replace("suffixes", {_path_key(k[::-1]): v for k, v in plan.suffixes.items()})
        self._replace("components", _component_keys(plan.components))
        self._replace("callers", self._callers(plan))
        self._put_files(files or {})
        self._epoch += 1
        if self._attached:
            bpfsys.wait_for_programs()  # none that saw half of the plan may say that it was judged by it
        self._configure(self._epoch)
        self._attached = True

    def write_files(self, files: Mapping[tuple[int, int], int]) -> int:
        """Make files known by their inodes, in place of those that were; how many found no room.

        Args:
            files: By device (major << 20 | minor) and inode number, the clauses of the plan that is in force:
                those of its `known_files` for all names that the file has there.
        """
        before = self._entries.get("known_files", {})
        left_out = self._put_files(files)
        if not self._entries["known_files"].items() <= before.items():
            self._forget_decisions()  # that no rule can match was true of the file under another name
        return left_out

    def _put_files(self, files: Mapping[tuple[int, int], int]) -> int:
        most = room(self._shape.files) if self._shape.file else 0
        kept = dict(sorted(files.items())[:most])
        self._replace("known_files", {_FILE.pack(i, d, 0): clauses for (d, i), clauses in kept.items()})
        return len(files) - len(kept)

    def write_mounts(self, mounts: Mapping[bytes, bytes], canonical: Mapping[bytes, bytes]) -> None:
        """Tell by which names the host knows its file systems, in place of what was told.

        Args:
            mounts: Entries of the map of that name.
            canonical: Those of that one.
        """
        for name, entries in (("mounts", mounts), ("canonical", canonical)):
            self._replace_values(name, dict(itertools.islice(entries.items(), MAX_MOUNTS)))
        self._forget_decisions()

    def _forget_decisions(self) -> None:
        """What was decided of a path so far is decided anew."""
        self._mounts_epoch = (self._mounts_epoch + 1) & 0xFFFFFF
        self._configure(self._epoch)

    def refresh_users(self) -> None:
        """Follow changes of the host's accounts; cheap, to be called about once a second."""
        if self._plan is not None and self._shape.user:
            self._replace("callers", self._callers(self._plan))

    def counters(self) -> CounterTotals:
        """The kernel's counters as of now."""
        per_cpu = bpfsys.lookup_per_cpu(self._fds["engine_counters"], _ZERO, _COUNTERS.size)
        sums = [sum(column) for column in zip(*map(_COUNTERS.unpack, per_cpu), strict=True)]
        seen, filtered, _, records, lost_records, *lost = sums
        return CounterTotals(
            seen=seen,
            filtered=filtered,
            process_records=records,
            lost_process_records=lost_records,
            lost=tuple(lost),
        )

    def _configure(self, epoch: int) -> None:
        engine = (epoch, os.getpid(), _host_mounts(), self._watch_children)
        numbers = (*engine, self._mounts_epoch, 0, self._since_ns)
        value = _CONFIG.pack(*self._seed.keys, *numbers)
        bpfsys.update(self._fds["engine_config"], _ZERO, value)

    def _write_sets(self, plan: KernelPlan) -> None:
        for index in range(SELECTORS):
            bpfsys.update(self._fds["selectors"], _INDEX.pack(index), self._set(plan.selectors[index]))
        defaults = (
            *(plan.any_prefix, plan.any_suffix, plan.any_component, plan.audit),
            *(plan.any_user | _of_any_name(plan), plan.any_pid, plan.any_comm),
        )
        bpfsys.update(self._fds["anything"], _ZERO, b"".join(map(self._set, defaults)))

    def _callers(self, plan: KernelPlan) -> dict[bytes, int]:
        """What holds of each user, process and thread's name that the plan speaks of."""
        users = {user: 0 for user in plan.users if isinstance(user, int)}
        names = self._names() if _of_any_name(plan) else {}
        return {
            **{
                _number_key(_USER, user): plan.any_user
                | plan.users.get(user, 0)
                | _of_name(plan, names.get(user))
                for user in {**users, **names}
            },
            **{_number_key(_PROCESS, pid): plan.any_pid | clauses for pid, clauses in plan.pids.items()},
            **{_CALLER.pack(comm, _COMM, 0): plan.any_comm | found for comm, found in plan.comms.items()},
        }

    def _names(self) -> dict[int, str | None]:
        """The host's users, as many as have room, each with the name that events give it."""
        if self._user_name is None:
            return {}
        return {number: self._user_name(number) for number in sorted(self._accounts.numbers())[:MAX_ACCOUNTS]}

    def _replace(self, name: str, entries: Mapping[bytes, int]) -> None:
        self._replace_values(name, {key: self._set(clauses) for key, clauses in entries.items()})

    def _replace_values(self, name: str, entries: Mapping[bytes, bytes]) -> None:
        fd, known = self._fds[name], self._entries.get(name, {})
        for stale in known.keys() - entries.keys():
            bpfsys.delete(fd, stale)
        bpfsys.update_all(fd, {key: value for key, value in entries.items() if known.get(key) != value})
        self._entries[name] = entries

    def _set(self, clauses: int) -> bytes:
        size = self._shape.clause_words * 8
        return (clauses & ((1 << size * 8) - 1)).to_bytes(size, "little")


def _of_any_name(plan: KernelPlan) -> int:
    """The clauses that ask for a user by some name."""
    result = 0
    for user, clauses in plan.users.items():
        result |= clauses if isinstance(user, str) else 0
    return result


def _of_name(plan: KernelPlan, name: str | None) -> int:
    """What holds of a user of this name; without one, it may be any."""
    return _of_any_name(plan) if name is None else plan.users.get(fold(name), 0)


def _number_key(kind: int, number: int) -> bytes:
    """`struct caller_key` of a user or process."""
    return _CALLER.pack(number.to_bytes(8, "little"), kind, 0)


def _host_mounts() -> int:
    """The number of the host's mount namespace: that of init, or ours where init may not be looked at."""
    try:
        return Path("/proc/1/ns/mnt").stat().st_ino & 0xFFFFFFFF
    except OSError:
        return Path("/proc/self/ns/mnt").stat().st_ino & 0xFFFFFFFF


def _path_key(text: bytes) -> bytes:
    """`struct path_key`; the text is at most KEY_BYTES long."""
    return struct.pack(f"=I{KEY_BYTES}s", len(text) * 8, text)


def _component_keys(components: Mapping[bytes, int]) -> dict[bytes, int]:
    """Cut to size; components that become one key share its clauses."""
    keys: dict[bytes, int] = {}
    for name, clauses in components.items():
        key = name[:COMPONENT_BYTES].ljust(COMPONENT_BYTES, b"\0")
        keys[key] = keys.get(key, 0) | clauses
    return keys
