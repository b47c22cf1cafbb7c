"""A clause: what each dimension of an event must be, and how two of them become one.

Whatever is done here may widen a clause, and never narrows it: AND keeps the tighter side of each dimension,
where it can tell; OR joins what loses next to nothing by it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.allowed import (
    UNCONSTRAINED,
    Constraint,
    OneOf,
    Unconstrained,
    Unsatisfiable,
    both,
    one_of,
)
from fileaudit_engine.compiler.caller import both_users
from fileaudit_engine.events.fields import Dimension
from fileaudit_engine.events.model import AccessMode, Operation, Outcome

KEY_BYTES: Final = 248
"""The longest path literal in the kernel: an LPM key is at most 256 bytes, its 4-byte length and padding
included. Longer literals are cut; user space checks the rest."""

END: Final = b"\0"
"""Stands behind a path that is asked for as a whole: no path goes on with it, and the kernel puts one behind
each path that it looks up. So beginnings and whole paths are keys of one table."""

ALTERNATIVES: Final = 64
"""Past this many clauses on the way, an OR widens its last one: each is compared with all before it."""

_LITERAL_PAIRS: Final = 65_536
"""Past this many pairs of literals, an AND of two beginnings (or endings) keeps the side with fewer."""

_PATH: Final = frozenset({Dimension.PATH})


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
        names: Which of the event's names is the path: `path`, or the `source` of a rename. The kernel looks
            at all that an event has, and asks if there is one that will do.
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
    names: frozenset[Dimension] = _PATH

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


DIMENSIONS: Final = tuple(field.name for field in fields(Clause) if field.name != "names")
_NOT_AN_END: Final = tuple(name for name in DIMENSIONS if name not in {"prefix", "suffix"})


# --- AND ---------------------------------------------------------------------------------------------------


def conjunction(a: Clause, b: Clause) -> Clause:
    """The clause that accepts what both accept, or a wider one."""
    return replace(
        _both_paths(a, b),
        operation=both(a.operation, b.operation),
        access=both(a.access, b.access),
        outcome=both(a.outcome, b.outcome),
        user=both_users(a.user, b.user),
        pid=both(a.pid, b.pid),
        comm=both(a.comm, b.comm),
    )


def _both_paths(a: Clause, b: Clause) -> Clause:
    """Both of what is asked of the path. Of two names of the file, the kernel asks for one only."""
    if a.tests_path and b.tests_path and (a.names != b.names or len(a.names) > 1):
        return min(a, b, key=lambda clause: (len(clause.names), clause.names != _PATH))
    return Clause(
        prefix=_both_nested(a.prefix, b.prefix, bytes.startswith),
        suffix=_both_nested(a.suffix, b.suffix, bytes.endswith),
        component=_either(a.component, b.component),
        names=_names((a, b)),
    )


def _names(some: Iterable[Clause]) -> frozenset[Dimension]:
    return frozenset[Dimension]().union(*(clause.names for clause in some if clause.tests_path)) or _PATH


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
            if len(result) < ALTERNATIVES:
                result.append(clause)
            else:
                result[-1] = union((result[-1], clause))
    return tuple(result)


def _close(a: Clause, b: Clause) -> bool:
    differing = sum(getattr(a, name) != getattr(b, name) for name in _NOT_AN_END)
    differing += a.names != b.names
    ends = (a.prefix != b.prefix) + (a.suffix != b.suffix)
    if differing + ends <= 1:
        return True
    return not differing and all(isinstance(end, OneOf) for end in (a.prefix, a.suffix, b.prefix, b.suffix))


def union(alternatives: Sequence[Clause]) -> Clause:
    """The clause that accepts what any of these accepts, or a wider one."""
    widest = {name: _widest([getattr(c, name) for c in alternatives]) for name in DIMENSIONS}
    return Clause(**widest, names=_names(alternatives))


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
    """At most `most` clauses, none of which another one covers: the last ones become one, if they must."""
    if len(kept := _without_covered(alternatives)) <= most:
        return kept
    return (*kept[: most - 1], union(kept[most - 1 :]))


def _without_covered(alternatives: tuple[Clause, ...]) -> tuple[Clause, ...]:
    """The clauses that no other one covers. The kernel asks all names of a file alike: those do not count."""
    result: list[Clause] = []
    for clause in alternatives:
        covering = [known for known in result if _covers(known, clause)]
        covered = [known for known in result if not covering and _covers(clause, known)]
        joined = [covering[0], clause] if covering else [clause, *covered]
        result = [known for known in result if known not in joined]
        result.append(replace(joined[0], names=_names(joined)))
    return tuple(result)


def _covers(a: Clause, b: Clause) -> bool:
    """Whether the kernel lets everything pass by `a` that it lets pass by `b`."""
    return all(
        isinstance(wide := getattr(a, name), Unconstrained)
        or (
            isinstance(wide, OneOf)
            and isinstance(tight := getattr(b, name), OneOf)
            and tight.values <= wide.values
        )
        for name in DIMENSIONS
    )
