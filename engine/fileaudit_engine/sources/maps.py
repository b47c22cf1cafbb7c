"""From a `KernelPlan` to what stands in the kernel's maps (`bpf/maps.h`).

A bit set becomes an array of 64-bit words, low word first. How many words, and which dimensions exist at
all, is compiled into the programs: that is the plan's *shape*. A plan of a shape that fits can take
another's place while the programs run (`write_plan`); any other needs a new load.
"""

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine.compiler.plan import KEY_BYTES, SELECTORS, KernelPlan
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.sources import bpfsys

COMPONENT_BYTES: Final = 32
"""Longer components are cut, here and in the kernel: the look-up can only find too much."""

_WORDS: Final = (1, 2, 4, 8, 16)
_INDEX: Final = struct.Struct("=I")
_CONFIG: Final = struct.Struct("=4QIIIIII")
_ZERO: Final = _INDEX.pack(0)
_COUNTERS: Final = struct.Struct("=5Q32Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What of a plan is compiled in.

    Attributes:
        clause_words: 64-bit words of a bit set.
        prefix: Whether paths are tested for prefixes; `suffix` and `component` likewise.
    """

    clause_words: int
    prefix: bool
    suffix: bool
    component: bool

    @property
    def defines(self) -> tuple[str, ...]:
        """As macros for `bpf/`, without `-D`."""
        tests = (("PREFIX", self.prefix), ("SUFFIX", self.suffix), ("COMPONENT", self.component))
        return (f"CLAUSE_WORDS={self.clause_words}", *(f"TEST_{name}" for name, wanted in tests if wanted))

    def fits(self, other: "Shape") -> bool:
        """Whether programs of this shape can hold a plan of the other."""
        return (
            other.clause_words <= self.clause_words
            and self.prefix >= other.prefix
            and self.suffix >= other.suffix
            and self.component >= other.component
        )


def shape_of(plan: KernelPlan) -> Shape:
    """The smallest shape that holds the plan.

    Raises:
        MachineCannot: More clauses than the programs can tell apart.
    """
    clauses = max(map(int.bit_length, (*plan.selectors, 0)))
    for words in _WORDS:
        if clauses <= words * 64:
            return Shape(
                clause_words=words,
                prefix=bool(plan.prefixes),
                suffix=bool(plan.suffixes),
                component=bool(plan.components),
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
    """`struct engine_counters`, summed over CPUs; `lost` by operation number."""

    seen: int
    filtered: int
    submitted: int
    process_records: int
    lost_process_records: int
    lost: tuple[int, ...]


class PlanMaps:
    """The maps that hold the rules, by descriptor.

    Args:
        descriptors: By the names of `bpf/maps.h`.
        shape: As the programs were compiled.
        watch_children: Whether processes that this one starts are watched, too.
    """

    def __init__(self, descriptors: Mapping[str, int], shape: Shape, *, watch_children: bool = False) -> None:
        self._watch_children = int(watch_children)
        self._fds = descriptors
        self._shape = shape
        self._seed = Seed.random()
        self._epoch = 0
        self._keys: dict[str, frozenset[bytes]] = {}
        self._configured = False

    @property
    def epoch(self) -> int:
        """Generation of the rules that are in force; records carry that of their candidates."""
        return self._epoch

    @property
    def shape(self) -> Shape:
        """What the programs can hold."""
        return self._shape

    def write_plan(self, plan: KernelPlan) -> None:
        """Put the plan's rules in force, in place of what was there.

        While the maps change, events pass unfiltered, so that no mixture of two plans decides anything.
        """
        self._configure(0)
        if self._configured:
            bpfsys.wait_for_programs()
        self._write_sets(plan)
        self._replace("prefixes", {_path_key(k): v for k, v in plan.prefixes.items()})
        self._replace("suffixes", {_path_key(k[::-1]): v for k, v in plan.suffixes.items()})
        self._replace("components", _component_keys(plan.components))
        self._epoch += 1
        self._configured = True
        self._configure(self._epoch)

    def counters(self) -> CounterTotals:
        """The kernel's counters as of now."""
        per_cpu = bpfsys.lookup_per_cpu(self._fds["engine_counters"], _ZERO, _COUNTERS.size)
        sums = [sum(column) for column in zip(*map(_COUNTERS.unpack, per_cpu), strict=True)]
        seen, filtered, submitted, records, lost_records, *lost = sums
        return CounterTotals(
            seen=seen,
            filtered=filtered,
            submitted=submitted,
            process_records=records,
            lost_process_records=lost_records,
            lost=tuple(lost),
        )

    def _configure(self, epoch: int) -> None:
        value = _CONFIG.pack(*self._seed.keys, epoch, os.getpid(), _host_mounts(), self._watch_children, 0, 0)
        bpfsys.update(self._fds["engine_config"], _ZERO, value)

    def _write_sets(self, plan: KernelPlan) -> None:
        for index in range(SELECTORS):
            bpfsys.update(self._fds["selectors"], _INDEX.pack(index), self._set(plan.selectors[index]))
        defaults = (plan.any_prefix, plan.any_suffix, plan.any_component, plan.audit)
        bpfsys.update(self._fds["anything"], _ZERO, b"".join(map(self._set, defaults)))

    def _replace(self, name: str, entries: Mapping[bytes, int]) -> None:
        fd = self._fds[name]
        for stale in self._keys.get(name, frozenset()) - entries.keys():
            bpfsys.delete(fd, stale)
        bpfsys.update_all(fd, {key: self._set(clauses) for key, clauses in entries.items()})
        self._keys[name] = frozenset(entries)

    def _set(self, clauses: int) -> bytes:
        size = self._shape.clause_words * 8
        return (clauses & ((1 << size * 8) - 1)).to_bytes(size, "little")


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
