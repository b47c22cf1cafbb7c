"""What the compiler produces: one plan for the kernel, one for user space.

A `KernelPlan` is plain data that knows nothing of BPF: bit sets by dimension (bit *i* is clause *i*), ready
to be written into maps, and just as ready to be evaluated by the model in `classifier`.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fileaudit_engine.compiler.constraint import KEY_BYTES, Clause
from fileaudit_engine.compiler.ir import Predicate
from fileaudit_engine.events.fields import Field, LogSource
from fileaudit_engine.events.model import AccessMode, Operation, Outcome
from fileaudit_engine.rules.ast import Correlation, Rule

SELECTORS = 32 * 4 * 2
"""Entries in the selector table: operations x access modes x outcomes."""


SCAN_BYTES = 1024
"""How far into a path the kernel looks for components; longer paths skip that dimension."""

MAX_CLAUSES = 1024
"""Bits of the largest classifier that is compiled."""

MAX_KEYS = 65_536
"""Entries of each of the kernel's tables for paths; rules with more literals are widened."""

MAX_CALLERS = 4096
"""Users, processes and names of threads, each, that the kernel tells apart; the same goes for more."""

CAPTURED_OPERATIONS: Final = frozenset(Operation)
"""What the live capture of this version has hooks for; replayed events may be of any operation."""

__all__ = [
    "CAPTURED_OPERATIONS",
    "KEY_BYTES",
    "MAX_CALLERS",
    "MAX_CLAUSES",
    "MAX_KEYS",
    "SCAN_BYTES",
    "SELECTORS",
    "CorrelationPlan",
    "CorrelationStep",
    "KernelPlan",
    "Shortage",
    "UserCorrelation",
    "UserPlan",
    "UserRule",
    "selector",
]


def selector(operation: Operation, access: AccessMode | None, outcome: Outcome) -> int:
    """Index into the selector table: operation * 8 + access mode * 2 + outcome.

    Operations without an access mode use that of `read`.
    """
    return operation.number * 8 + (access.number if access else 0) * 2 + outcome.number


class Shortage(str, enum.Enum):
    """Why the kernel's filter for a rule is wider than what the rule asks."""

    BITS = "bits"
    """There are more clauses than `MAX_CLAUSES`: some of a rule became one, or it shares its bit."""
    KEYS = "keys"
    """There are more literals than `MAX_KEYS`: those of the rule are not in their table."""
    CALLERS = "callers"
    """There are more users, processes or threads than `MAX_CALLERS`: those of the rule are in no table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelPlan:
    """The classifier's tables. All bit sets are ints; bit i stands for `clauses[i]`.

    Per event the kernel computes
    `selectors[selector] & (any_user | users[user]) & (any_pid | pids[pid]) & (any_comm | comms[comm])`, and
    of each name of the file
    `(any_prefix | prefixes[longest matching]) & (any_suffix | suffixes[longest matching]) & (any_component |
    OR of components[each component])`; what some name passes is a candidate, with what `known_files` says of
    the file; zero means drop. An event whose path cannot be tested skips what concerns it; of a name of which
    only the last component is certain, the suffixes are looked up alone.

    Attributes:
        clauses: What each bit means.
        owners: Per clause, the indices of its rules in `UserPlan.rules`; more than one only where there are
            more clauses than bits.
        selectors: `SELECTORS` entries: the clauses that accept this operation, access mode and outcome.
        any_prefix: Clauses that ask nothing of the path's beginning; the other `any_` likewise.
        prefixes: ASCII-lower-cased literal -> clauses, **with the bits of every shorter key that is its
            prefix**, since a longest-prefix-match look-up returns only the longest. A key that ends with NUL
            is a whole path: the kernel looks for the path with a NUL behind it.
        suffixes: The same for endings (keys as they are written, not reversed). A key that begins with NUL
            and a slash is a last component: the kernel looks for that where it is sure of nothing else.
        components: ASCII-lower-cased path component (the text between two slashes) -> clauses.
        users: User id, or folded name of a user -> clauses.
        pids: Process id -> clauses.
        comms: ASCII-lower-cased name of a thread -> clauses.
        known_files: ASCII-lower-cased path of what may be a file or a directory -> clauses that accept its
            path. What stands there is known by its inode, whatever name it is reached by.
        audit: Clauses whose rules alert nobody; their events must not drown the others'.
        widened: By rule, what there was too little of for all that it asks; empty for a pack that fits.
    """

    clauses: tuple[Clause, ...]
    owners: tuple[tuple[int, ...], ...]
    selectors: tuple[int, ...]
    any_prefix: int
    prefixes: Mapping[bytes, int]
    any_suffix: int
    suffixes: Mapping[bytes, int]
    any_component: int
    components: Mapping[bytes, int]
    any_user: int
    users: Mapping[int | str, int]
    any_pid: int
    pids: Mapping[int, int]
    any_comm: int
    comms: Mapping[bytes, int]
    known_files: Mapping[bytes, int] = field(default_factory=dict)
    audit: int = 0
    widened: Mapping[int, frozenset[Shortage]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRule:
    """A rule as user space evaluates it.

    Attributes:
        rule: The parsed document.
        logsource: Which events it speaks of.
        predicate: The whole rule, log source included.
        selections: Each detection on its own, by name, for the alert that says which of them matched.
    """

    rule: Rule
    logsource: LogSource
    predicate: Predicate
    selections: Mapping[str, Predicate]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPlan:
    """The rules, in the order in which they were loaded."""

    rules: tuple[UserRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationStep:
    """What a correlation has to know of one of the documents that it refers to.

    Attributes:
        key: Of the rule or correlation.
        chained: Whether it is a correlation.
        number: Its index in `UserPlan.rules`, or in `CorrelationPlan.correlations`.
        group: For each name of the correlation's `group_by`, the field to read from its matches.
        values: Likewise for `Correlation.value_fields`.
    """

    key: str
    chained: bool
    number: int
    group: tuple[Field, ...]
    values: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCorrelation:
    """A correlation as user space runs it.

    Attributes:
        rule: The parsed document.
        steps: One for each of its sources, in their order.
        silent: Whether another correlation refers to it and none of those asks to hear it alone.
        operations: What the rules behind it speak of, through all chains.
    """

    rule: Correlation
    steps: tuple[CorrelationStep, ...]
    silent: bool
    operations: frozenset[Operation]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationPlan:
    """The correlations, each behind all that it refers to; else in the order in which they were loaded.

    Attributes:
        correlations: See above.
        feeding: The rules, as indices in `UserPlan.rules`, that some correlation refers to.
        silent: Those of them that raise and record nothing by themselves.
    """

    correlations: tuple[UserCorrelation, ...] = ()
    feeding: frozenset[int] = frozenset()
    silent: frozenset[int] = frozenset()
