"""What one dimension of an event may be: anything, nothing, or one of some values.

Three answers and no `None`, so that whoever asks must say what he does with each.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Unconstrained:
    """The dimension may be anything."""


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """No value of the dimension will do: the clause never accepts an event."""


@dataclass(frozen=True, slots=True)
class OneOf(Generic[T]):
    """The dimension must hold one of `values`; never empty (that is `Unsatisfiable`)."""

    values: frozenset[T]


Constraint = Unconstrained | Unsatisfiable | OneOf[T]

UNCONSTRAINED: Final = Unconstrained()
UNSATISFIABLE: Final = Unsatisfiable()


def one_of(values: Iterable[T]) -> Constraint[T]:
    """The constraint that `values` are; unsatisfiable where there are none."""
    found = frozenset(values)
    return OneOf(found) if found else UNSATISFIABLE


def both(a: Constraint[T], b: Constraint[T]) -> Constraint[T]:
    """What two requirements on one dimension amount to."""
    match a, b:
        case Unconstrained(), _:
            return b
        case _, Unconstrained():
            return a
        case OneOf(x), OneOf(y):
            return one_of(x & y)
        case _:
            return UNSATISFIABLE
