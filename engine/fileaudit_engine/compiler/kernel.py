r"""From clauses to the tables of the kernel plan.

Each clause owns one bit. Where a dimension of a clause is unconstrained, its bit stands in that dimension's
default word; else it stands with each of its values. A longest-prefix-match look-up returns only the longest
key that fits, so every key carries the bits of all shorter keys that it would hide.

Of some names the kernel is sure of the last component only. For those, every ending that reaches beyond it
has a **twin**, which stops there:

    /.ssh/authorized_keys    the ending of a path that is known whole
    \0/authorized_keys       its twin: a path whose last component is this may have the ending

No path holds a NUL, and no twin is without: a look-up of the one kind never meets a key of the other.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from fileaudit_engine.compiler.classifier import of_whole
from fileaudit_engine.compiler.constraint import (
    CLAUSES_PER_RULE,
    END,
    KEY_BYTES,
    UNCONSTRAINED,
    Clause,
    Constraint,
    OneOf,
    all_clauses,
    bounded,
    union,
)
from fileaudit_engine.compiler.ir import Predicate
from fileaudit_engine.compiler.plan import (
    MAX_CALLERS,
    MAX_CLAUSES,
    MAX_KEYS,
    SELECTORS,
    KernelPlan,
    Shortage,
    selector,
)
from fileaudit_engine.events.model import ACCESS_MODES, OPERATIONS, AccessMode, Outcome

T = TypeVar("T")
K = TypeVar("K", int, bytes, int | str)

Owned = tuple[Clause, tuple[int, ...]]
"""A clause and the rules that it stands for."""


def kernel_plan(predicates: Sequence[Predicate], *, audit: Collection[int] = ()) -> KernelPlan:
    """The plan for rules in the order of `predicates`; those numbered in `audit` alert nobody."""
    return plan_of([all_clauses(predicate) for predicate in predicates], audit=audit)


def plan_of(wanted: Sequence[tuple[Clause, ...]], *, audit: Collection[int] = ()) -> KernelPlan:
    """The same for rules whose clauses are known."""
    asked, short_of_bits = _assign(wanted)
    owned, short_of_room = _within_tables(asked)
    bits = [(clause, 1 << number) for number, (clause, _) in enumerate(owned)]
    plan = KernelPlan(
        clauses=tuple(clause for clause, _ in owned),
        owners=tuple(rules for _, rules in owned),
        selectors=_selectors(bits),
        any_prefix=_unconstrained(bits, lambda clause: clause.prefix),
        prefixes=_inherit(_table(bits, lambda clause: clause.prefix), _beginnings),
        any_suffix=_unconstrained(bits, lambda clause: clause.suffix),
        suffixes=_inherit(_with_twins(_table(bits, lambda clause: clause.suffix)), _endings),
        any_component=_unconstrained(bits, lambda clause: clause.component),
        components=_table(bits, lambda clause: clause.component),
        any_user=_unconstrained(bits, lambda clause: clause.user),
        users=_table(bits, lambda clause: clause.user),
        any_pid=_unconstrained(bits, lambda clause: clause.pid),
        pids=_table(bits, lambda clause: clause.pid),
        any_comm=_unconstrained(bits, lambda clause: clause.comm),
        comms=_table(bits, lambda clause: clause.comm),
        audit=_union_of(
            bit for (_, bit), (_, rules) in zip(bits, owned, strict=True) if set(rules) <= set(audit)
        ),
        widened=_shortages({Shortage.BITS: short_of_bits, **short_of_room}),
    )
    return replace(plan, known_files=_known_files(plan, bits))


def _known_files(plan: KernelPlan, bits: Sequence[tuple[Clause, int]]) -> Mapping[bytes, int]:
    """What may stand where rules name a file, with all clauses that accept its path."""
    asking = _union_of(bit for clause, bit in bits if clause.tests_path)
    paths = (key.removesuffix(END) for key in plan.prefixes)
    return {
        path: asking & of_whole(plan, path)
        for path in paths
        if path.startswith(b"/") and not path.endswith(b"/")
    }


def _shortages(rules: Mapping[Shortage, Collection[int]]) -> Mapping[int, frozenset[Shortage]]:
    """By rule what, by shortage, are rules."""
    concerned = sorted({rule for some in rules.values() for rule in some})
    return {rule: frozenset(s for s, some in rules.items() if rule in some) for rule in concerned}


def _assign(wanted: Sequence[tuple[Clause, ...]]) -> tuple[list[Owned], frozenset[int]]:
    """A bit for each clause; fewer clauses a rule, then shared bits, where bits run out.

    Also the rules for which that means a wider filter than they ask for.
    """
    most = CLAUSES_PER_RULE
    asked: Counter[int] = Counter()
    while True:
        owned: list[Owned] = [
            (clause, (rule,)) for rule, some in enumerate(wanted) for clause in bounded(some, most)
        ]
        asked = asked or Counter(rule for _, (rule,) in owned)
        fewer = frozenset(rule for rule, count in asked.items() if count > most)
        if len(owned) <= MAX_CLAUSES:
            return owned, fewer
        if most == 1:
            shared = _shared(owned[MAX_CLAUSES - 1 :])
            return [*owned[: MAX_CLAUSES - 1], shared], fewer | frozenset(shared[1])
        most //= 2


def _shared(owned: Sequence[Owned]) -> Owned:
    """One clause for many rules: sound, and as wide as the widest of them."""
    return union([clause for clause, _ in owned]), tuple(rule for _, rules in owned for rule in rules)


def _room() -> Mapping[Shortage, Mapping[str, int]]:
    """How many values of each dimension have room, by what there is too little of for more."""
    paths = {"prefix": MAX_KEYS, "suffix": MAX_KEYS // 2, "component": MAX_KEYS}  # an ending may have a twin
    return {Shortage.KEYS: paths, Shortage.CALLERS: dict.fromkeys(("user", "pid", "comm"), MAX_CALLERS)}


def _within_tables(owned: Sequence[Owned]) -> tuple[list[Owned], Mapping[Shortage, Collection[int]]]:
    """The same clauses, some of them wider where a table would not hold all their values; and whose."""
    clauses_now = [clause for clause, _ in owned]
    widened: dict[Shortage, set[int]] = defaultdict(set)
    for shortage, dimensions in _room().items():
        for dimension, most in dimensions.items():
            while len(_values(clauses_now, dimension)) > most:
                number = max(range(len(owned)), key=lambda n: len(_values([clauses_now[n]], dimension)))
                unasked: dict[str, Any] = {dimension: UNCONSTRAINED}
                clauses_now[number] = replace(clauses_now[number], **unasked)
                widened[shortage].update(owned[number][1])
    fitting = [(clause, rules) for clause, (_, rules) in zip(clauses_now, owned, strict=True)]
    return fitting, widened


def _values(alternatives: Iterable[Clause], dimension: str) -> frozenset[Any]:
    """All values that the clauses ask for in a dimension."""
    constraints = (getattr(clause, dimension) for clause in alternatives)
    return frozenset[Any]().union(*(c.values for c in constraints if isinstance(c, OneOf)))


def _selectors(bits: Sequence[tuple[Clause, int]]) -> tuple[int, ...]:
    table = [0] * SELECTORS
    for operation in OPERATIONS:
        for access in ACCESS_MODES:
            for outcome in Outcome:
                accepted = _union_of(
                    bit
                    for clause, bit in bits
                    if _accepts(clause.operation, operation)
                    and _accepts_access(clause.access, access)
                    and _accepts(clause.outcome, outcome)
                )
                table[selector(operation, access, outcome)] = accepted
    return tuple(table)


def _accepts(constraint: Constraint[T], value: T) -> bool:
    return not isinstance(constraint, OneOf) or value in constraint.values


def _accepts_access(constraint: Constraint[AccessMode | None], access: AccessMode) -> bool:
    """The place of `read` in the table is also that of events without an access mode."""
    return _accepts(constraint, access) or (access is AccessMode.READ and _accepts(constraint, None))


def _union_of(bits: Iterable[int]) -> int:
    result = 0
    for bit in bits:
        result |= bit
    return result


def _unconstrained(bits: Sequence[tuple[Clause, int]], dimension: Callable[[Clause], Constraint[Any]]) -> int:
    return _union_of(bit for clause, bit in bits if not isinstance(dimension(clause), OneOf))


def _table(
    bits: Sequence[tuple[Clause, int]], dimension: Callable[[Clause], Constraint[K]]
) -> Mapping[K, int]:
    table: dict[K, int] = defaultdict(int)
    for clause, bit in bits:
        constraint = dimension(clause)
        if isinstance(constraint, OneOf):
            for value in constraint.values:
                table[value] |= bit
    return dict(sorted(table.items(), key=lambda entry: (isinstance(entry[0], str), entry[0])))


def _with_twins(table: Mapping[bytes, int]) -> Mapping[bytes, int]:
    """The endings, and for each that reaches beyond its last component that component alone."""
    result: dict[bytes, int] = defaultdict(int, table)
    for ending, clauses in table.items():
        before, _, name = ending.rpartition(b"/")
        if before:
            result[(END + b"/" + name)[-KEY_BYTES:]] |= clauses
    return result


def _inherit(table: Mapping[bytes, int], shorter: Callable[[bytes], Iterable[bytes]]) -> Mapping[bytes, int]:
    """Every key with the bits of all shorter keys that it hides.

    Sound at three levels and more: keys are visited from short to long, so that the longest hidden key has
    already taken over what it hides itself.
    """
    result: dict[bytes, int] = {}
    for key in sorted(table, key=len):
        result[key] = table[key] | next((result[piece] for piece in shorter(key) if piece in result), 0)
    return result


def _beginnings(key: bytes) -> Iterable[bytes]:
    return (key[:length] for length in range(len(key) - 1, 0, -1))


def _endings(key: bytes) -> Iterable[bytes]:
    return (key[-length:] for length in range(len(key) - 1, 0, -1))
