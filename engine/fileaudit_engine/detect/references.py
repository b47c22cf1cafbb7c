"""Comparing two fields of one event (`fieldref`).

Both must be there. Texts are compared as texts, case folded unless the rule says otherwise; as soon as one of
the two is a number, numbers are compared if the other one is a number too or spells one. Of lists, some pair
of members will do: equality goes through sets, so that two long lists cost their lengths and not the product.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.compiler.ir import SameAs
from fileaudit_engine.detect.checks import Scalar, number_of
from fileaudit_engine.events.field import spelled
from fileaudit_engine.events.fields import Field
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.text import fold

_Pairs = Callable[[tuple[Scalar, ...], tuple[Scalar, ...]], bool]


def same_as(field: Field, check: SameAs) -> Callable[[FileEvent], bool]:
    """Whether an event's value of `field` relates to that of another field as the check says."""
    mine, theirs = field.get, check.other.get
    hold = _pairs(check)

    def test(event: FileEvent) -> bool:
        one, other = mine(event), theirs(event)
        return one is not None and other is not None and hold(_members(one), _members(other))

    return test


def _members(value: str | int | bool | tuple[str, ...]) -> tuple[Scalar, ...]:  # noqa: FBT001 - a field's value
    return value if isinstance(value, tuple) else (value,)


def _pairs(check: SameAs) -> _Pairs:
    if check.how == "whole":
        return lambda mine, theirs: _some_equal(mine, theirs, cased=check.cased)
    related = _RELATED[check.how]
    return lambda mine, theirs: related(_texts(mine, cased=check.cased), _texts(theirs, cased=check.cased))


def _texts(members: Iterable[Scalar], *, cased: bool) -> tuple[str, ...]:
    return tuple(map(spelled if cased else _folded, members))


def _folded(value: Scalar) -> str:
    return fold(value) if isinstance(value, str) else spelled(value)


_RELATED: Final[dict[str, Callable[[tuple[str, ...], tuple[str, ...]], bool]]] = {
    "startswith": lambda mine, theirs: any(text.startswith(theirs) for text in mine),
    "endswith": lambda mine, theirs: any(text.endswith(theirs) for text in mine),
    "contains": lambda mine, theirs: any(part in text for text in mine for part in theirs),
}


@dataclass(frozen=True, slots=True)
class _Known:
    """Members by what they can be equal to."""

    texts: frozenset[str]
    numbers: frozenset[int | float]

    @classmethod
    def of(cls, members: Iterable[Scalar], *, cased: bool) -> "_Known":
        texts = [value for value in members if isinstance(value, str | bool)]
        numbers = [value for value in members if not isinstance(value, str | bool)]
        return cls(frozenset(_texts(texts, cased=cased)), frozenset(numbers))

    def spelled_numbers(self) -> frozenset[int | float]:
        return frozenset(number for text in self.texts if (number := number_of(text)) is not None)


def _some_equal(mine: Iterable[Scalar], theirs: Iterable[Scalar], *, cased: bool) -> bool:
    one, other = _Known.of(mine, cased=cased), _Known.of(theirs, cased=cased)
    if one.texts & other.texts or one.numbers & other.numbers:
        return True
    if one.numbers and other.texts and one.numbers & other.spelled_numbers():
        return True
    return bool(other.numbers and one.texts and other.numbers & one.spelled_numbers())
