"""What the kernel can check of a rule.

A rule is true for an event only if one of its *clauses* may be. A clause holds, per dimension of an event,
what that dimension must be; the kernel ANDs the dimensions as bit sets. Widening a clause is always sound,
narrowing never: whatever this module does not understand, it leaves `Unconstrained`.

    TargetFilename|startswith: /etc/   ─┐
    AccessMode: write                  ─┴─>  Clause(prefix=OneOf({b"/etc/"}), access=OneOf({WRITE, …}))
    not TargetFilename: /etc/shadow    ───>  Clause()          # a negation says nothing certain of a path
    not AccessMode: write              ───>  Clause(access=OneOf({READ, PATH, None}))   # few values: it does

The law: for every event and every rule, if the rule matches then one of its clauses accepts the event.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.allowed import (
    UNCONSTRAINED,
    UNSATISFIABLE,
    Constraint,
    OneOf,
    T,
    Unconstrained,
    Unsatisfiable,
    both,
    one_of,
)
from fileaudit_engine.compiler.caller import both_users, comm_of, named_user_of, number_of, user_of
from fileaudit_engine.compiler.glob import compile_glob
from fileaudit_engine.compiler.ir import All, AnyOf, Check, Matches, Negation, Pattern, Predicate, Test
from fileaudit_engine.events.fields import Dimension
from fileaudit_engine.events.model import AccessMode, Operation, Outcome
from fileaudit_engine.text import fold, to_kernel

__all__ = [
    "CLAUSES_PER_RULE",
    "DIMENSIONS",
    "END",
    "KEY_BYTES",
    "UNCONSTRAINED",
    "UNSATISFIABLE",
    "Clause",
    "Constraint",
    "OneOf",
    "Unconstrained",
    "Unsatisfiable",
    "all_clauses",
    "both",
    "bounded",
    "clauses",
    "conjunction",
    "merged",
    "one_of",
    "union",
]

KEY_BYTES: Final = 248
"""The longest path literal in the kernel: an LPM key is at most 256 bytes, its 4-byte length and padding
included. Longer literals are cut; user space checks the rest."""

END: Final = b"\0"
"""Stands behind a path that is asked for as a whole: no path goes on with it, and the kernel puts one behind
each path that it looks up. So beginnings and whole paths are keys of one table."""

CLAUSES_PER_RULE: Final = 16
"""Past this many clauses a rule's clauses are widened into fewer: bits are shared by all rules."""

_CROSS_PRODUCT: Final = 256
"""Past this many clauses on the way, an AND keeps only its tighter side."""

_ALTERNATIVES: Final = 64
"""Past this many clauses on the way, an OR widens its last one: each is compared with all before it."""

_LITERAL_PAIRS: Final = 65_536
"""Past this many pairs of literals, an AND of two beginnings (or endings) keeps the side with fewer."""

_COMMONPLACE: Final = frozenset(
    b".cache .config .local bin config data dev etc home include lib lib64 local log opt proc"
    b" python3 root run sbin share site-packages src sys tmp user usr var".split()
)
"""Components of very many paths: the kernel asks for another one if a literal has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A conjunction of one constraint a dimension. Path literals are ASCII-lower-cased bytes.

    Attributes:
        operation: What is done.
        access: What a file is opened for; None stands for events without an access mode.
        outcome: Success or failure.
        prefix: What the path begins with; with `END` behind it, what the path is.
        suffix: What the path ends with.
        component: A text that stands whole between two slashes of the path.
        user: The real user, by number or by folded name.
        pid: The process.
        comm: The thread's name, ASCII-lower-cased.
    """

    operation: Constraint[Operation] = UNCONSTRAINED
    access: Constraint[AccessMode | None] = UNCONSTRAINED
    outcome: Constraint[Outcome] = UNCONSTRAINED
    prefix: Constraint[bytes] = UNCONSTRAINED
    suffix: Constraint[bytes] = UNCONSTRAINED
    component: Constraint[bytes] = UNCONSTRAINED
    user: Constraint[int | str] = UNCONSTRAINED
    pid: Constraint[int] = UNCONSTRAINED
    comm: Constraint[bytes] = UNCONSTRAINED

    @property
    def satisfiable(self) -> bool:
        """Whether some event may pass."""
        return not any(isinstance(getattr(self, name), Unsatisfiable) for name in DIMENSIONS)

    @property
    def tests_path(self) -> bool:
        """Whether the path plays a part."""
        return any(isinstance(c, OneOf) for c in (self.prefix, self.suffix, self.component))

    @property
    def tests_caller(self) -> bool:
        """Whether it matters who does it."""
        return any(isinstance(c, OneOf) for c in (self.user, self.pid, self.comm))


DIMENSIONS: Final = tuple(field.name for field in fields(Clause))
_NOT_AN_END: Final = tuple(name for name in DIMENSIONS if name not in {"prefix", "suffix"})


def clauses(predicate: Predicate, *, most: int = CLAUSES_PER_RULE) -> tuple[Clause, ...]:
    """The clauses of a predicate, at most `most`; none if it can never be true."""
    return bounded(all_clauses(predicate), most)


def all_clauses(predicate: Predicate) -> tuple[Clause, ...]:
    """The clauses of a predicate, before `bounded` makes them fewer."""
    match predicate:
        case All(operands=operands):
            result: tuple[Clause, ...] = (Clause(),)
            for operand in operands:
                result = _both(result, all_clauses(operand))
            return result
        case AnyOf(operands=operands):
            return _any_of(operands)
        case Negation(operand=Test() as test):
            return _satisfiable(_of_test(test, negated=True))
        case Negation():
            return (Clause(),)
        case Test():
            return _satisfiable(_of_test(predicate, negated=False))
        case _ as never:
            assert_never(never)


def _satisfiable(clause: Clause) -> tuple[Clause, ...]:
    return (clause,) if clause.satisfiable else ()


# --- AND ---------------------------------------------------------------------------------------------------


def _both(left: tuple[Clause, ...], right: tuple[Clause, ...]) -> tuple[Clause, ...]:
    if len(left) * len(right) > _CROSS_PRODUCT:
        return max(left, right, key=_tightness)
    pairs = (conjunction(a, b) for a in left for b in right)
    return merged(clause for clause in pairs if clause.satisfiable)


def _tightness(side: tuple[Clause, ...]) -> tuple[bool, int]:
    return all(clause.tests_path for clause in side), -len(side)


def conjunction(a: Clause, b: Clause) -> Clause:
    """The clause that accepts what both accept, or a wider one."""
    return Clause(
        operation=both(a.operation, b.operation),
        access=both(a.access, b.access),
        outcome=both(a.outcome, b.outcome),
        prefix=_both_nested(a.prefix, b.prefix, bytes.startswith),
        suffix=_both_nested(a.suffix, b.suffix, bytes.endswith),
        component=_either(a.component, b.component),
        user=both_users(a.user, b.user),
        pid=both(a.pid, b.pid),
        comm=both(a.comm, b.comm),
    )


def _both_nested(
    a: Constraint[bytes], b: Constraint[bytes], contains: Callable[[bytes, bytes], bool]
) -> Constraint[bytes]:
    """Both of two beginnings (or endings): of each pair the longer, if it holds the shorter."""
    match a, b:
        case OneOf(x), OneOf(y) if len(x) * len(y) > _LITERAL_PAIRS:
            return min(a, b, key=lambda side: len(side.values))
        case OneOf(x), OneOf(y):
            pairs = (sorted((p, q), key=len) for p in x for q in y)
            return one_of(longer for shorter, longer in pairs if contains(longer, shorter))
        case _:
            return both(a, b)


def _either(a: Constraint[bytes], b: Constraint[bytes]) -> Constraint[bytes]:
    """Both of two component requirements: a path can meet both, the kernel asks for the rarer one."""
    if isinstance(a, OneOf) and isinstance(b, OneOf):
        return min(a, b, key=lambda side: (len(side.values), -min(map(len, side.values))))
    return both(a, b)


# --- OR ----------------------------------------------------------------------------------------------------


def _any_of(operands: Sequence[Predicate]) -> tuple[Clause, ...]:
    """The clauses of alternatives, half by half, so that long lists of values do not grow one by one."""
    if len(operands) <= _ALTERNATIVES:
        return merged(itertools.chain.from_iterable(map(all_clauses, operands)))
    middle = len(operands) // 2
    return merged((*_any_of(operands[:middle]), *_any_of(operands[middle:])))


def merged(alternatives: Iterable[Clause]) -> tuple[Clause, ...]:
    """The same alternatives in fewer clauses, where that loses next to nothing.

    Two clauses that differ in one dimension are one with the union. So are two that differ in prefix and
    suffix only, when both ask for both: it accepts the beginning of one with the ending of the other, which
    no file has by chance.
    """
    result: list[Clause] = []
    for clause in dict.fromkeys(alternatives):
        for index, known in enumerate(result):
            if _close(known, clause):
                result[index] = union((known, clause))
                break
        else:
            if len(result) < _ALTERNATIVES:
                result.append(clause)
            else:
                result[-1] = union((result[-1], clause))
    return tuple(result)


def _close(a: Clause, b: Clause) -> bool:
    differing = sum(getattr(a, name) != getattr(b, name) for name in _NOT_AN_END)
    ends = (a.prefix != b.prefix) + (a.suffix != b.suffix)
    if differing + ends <= 1:
        return True
    return not differing and all(isinstance(end, OneOf) for end in (a.prefix, a.suffix, b.prefix, b.suffix))


def union(alternatives: Sequence[Clause]) -> Clause:
    """The clause that accepts what any of these accepts, or a wider one."""
    return Clause(**{name: _widest([getattr(c, name) for c in alternatives]) for name in DIMENSIONS})


def _widest(constraints: Iterable[Constraint[Any]]) -> Constraint[Any]:
    allowed: list[frozenset[Any]] = []
    for constraint in constraints:
        match constraint:
            case OneOf(values):
                allowed.append(values)
            case Unconstrained():
                return UNCONSTRAINED
            case Unsatisfiable():
                pass
            case _ as never:
                assert_never(never)
    return one_of(frozenset().union(*allowed))


def bounded(alternatives: tuple[Clause, ...], most: int) -> tuple[Clause, ...]:
    """At most `most` clauses: the last ones become one, as wide as it must be."""
    if len(alternatives) <= most:
        return alternatives
    return (*alternatives[: most - 1], union(alternatives[most - 1 :]))


# --- one test ----------------------------------------------------------------------------------------------


def _of_test(test: Test, *, negated: bool) -> Clause:
    match test.field.dimension:
        case None:
            return Clause()
        case Dimension.OPERATION | Dimension.ACCESS | Dimension.OUTCOME as dimension:
            return _of_few(dimension, test.check, negated) if isinstance(test.check, Matches) else Clause()
        case dimension:
            return Clause() if negated else _of_many(dimension, test.check)


@functools.lru_cache(maxsize=1024)
def _of_few(dimension: Dimension, check: Matches, negated: bool) -> Clause:  # noqa: FBT001 - a cache takes no keywords
    """What a test of a field with few values leaves; rules ask the same few things over and over."""
    if dimension is Dimension.OPERATION:
        return Clause(operation=_among(Operation, lambda o: (o.value,), check, negated=negated))
    if dimension is Dimension.OUTCOME:
        return Clause(outcome=_among(Outcome, lambda o: (o.value,), check, negated=negated))
    modes = (*AccessMode, None)
    return Clause(access=_among(modes, lambda m: m.modes if m else (), check, negated=negated))


def _of_many(dimension: Dimension, check: Check) -> Clause:
    """What a test of a field leaves whose values nobody can count."""
    match dimension:
        case Dimension.PATH:
            return _of_path(check.pattern) if isinstance(check, Matches) else Clause()
        case Dimension.USER_ID:
            return Clause(user=user_of(check))
        case Dimension.USER_NAME:
            return Clause(user=named_user_of(check))
        case Dimension.PROCESS:
            return Clause(pid=number_of(check))
        case Dimension.COMM:
            return Clause(comm=comm_of(check))
        case _:
            raise AssertionError(f"{dimension} has few values")


def _among(
    domain: Iterable[T], texts: Callable[[T], tuple[str, ...]], check: Matches, *, negated: bool
) -> Constraint[T]:
    """Those of the few possible values that pass the check (or, negated, do not)."""
    passes = compile_glob(check.pattern)
    prepare = str if check.cased else fold
    return one_of(value for value in domain if any(passes(prepare(t)) for t in texts(value)) is not negated)


def _of_path(pattern: Pattern) -> Clause:
    if not pattern:
        return Clause()
    clause = Clause()
    first, last = pattern[0], pattern[-1]
    if isinstance(first, str) and (literal := _beginning(first, whole=len(pattern) == 1)) not in {b"", b"/"}:
        clause = replace(clause, prefix=OneOf(frozenset({literal})))
    if isinstance(last, str) and (literal := _ending(last)):
        clause = replace(clause, suffix=OneOf(frozenset({literal})))
    inner = (run for run in pattern[1:-1] if isinstance(run, str))
    components = [component for run in inner for component in whole_components(run)]
    if components:
        clause = replace(clause, component=OneOf(frozenset({max(components, key=_rarity)})))
    return clause


def _rarity(component: bytes) -> tuple[bool, int]:
    """Sorts components by how few paths they are likely to stand in."""
    return component not in _COMMONPLACE, len(component)


def _beginning(literal: str, *, whole: bool) -> bytes:
    """What the kernel can compare of a path's beginning: ASCII, lower-cased, bounded; `END` if `whole`."""
    raw = to_kernel(literal)
    length = next((i for i, byte in enumerate(raw) if _is_foreign(byte)), len(raw))
    if whole and length == len(raw) < KEY_BYTES:
        return raw.lower() + END
    return raw[: min(length, KEY_BYTES)].lower()


def _ending(literal: str) -> bytes:
    """What the kernel can compare of how a path ends."""
    raw = to_kernel(literal)
    start = next((i + 1 for i in range(len(raw) - 1, -1, -1) if _is_foreign(raw[i])), 0)
    return raw[max(start, len(raw) - KEY_BYTES) :].lower()


def _is_foreign(byte: int) -> bool:
    """Outside ASCII, or NUL, which no path has and which stands for its end."""
    return byte >= 0x80 or byte == 0


def whole_components(literal: str) -> list[bytes]:
    """The texts that stand between two slashes within a literal, ASCII ones only."""
    return [part.lower().encode() for part in literal.split("/")[1:-1] if part and part.isascii()]
