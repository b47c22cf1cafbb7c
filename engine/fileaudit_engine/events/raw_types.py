"""How a decoder checks a member's value as `coerce` would.

A decoder in C accepts what its types say, and `coerce` is the authority on what a field accepts. So a type
is taken here only if it accepts a part of what the coercion accepts, and means the same by it. Where no type
says it (digits in a text, words for bits, moments), the decoder takes the JSON type and the coercion itself
looks at each *different* value of a column: identifiers and modes are few.
"""

import functools
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec

from fileaudit_engine.events.coerce import (
    Coerce,
    WrongValue,
    boolean,
    coercion,
    integer,
    text,
    texts,
    time_ns,
    ts_ns,
)
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.outline import FLAG, NULL, NUMBER, OBJECT, TEXT, TEXTS
from fileaudit_engine.events.reader import processes
from fileaudit_engine.events.times import LAST_NS, SECOND_NS

_ID: Final = coercion(BY_NAME["ProcessId"])
_RANGES: Final = {integer: (-(2**63), 2**63 - 1), _ID: (0, 2**32 - 1), ts_ns: (0, LAST_NS)}
"""Numbers that a decoder can check: it knows the bounds that fit into a signed register."""
_SAFE_DIGITS: Final = {integer: 18, _ID: 9, ts_ns: 18}
"""Texts of no more digits are always in the range."""
_REMEMBERED_BYTES: Final = 8 << 10
"""Longer lists of ancestors are read again each time, so that the memory for them is bounded."""
_SECOND: Final = slice(0, 19)
"""The part of a time before its fraction: `2026-11-24T12:30:45`."""
_TO_ZEROS: Final = bytes.maketrans(b"0123456789", b"0" * 10)

Column = Sequence[Any]
"""A member's values, event by event; None where an event lacks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawType:
    """What a decoder makes of a member, and what remains to be done.

    Attributes:
        type: For msgspec, without None.
        make: The value as `coerce` makes it.
        accepts: Whether `coerce` takes every value of a column; None where the decoder has seen to that.
        same: `make` changes no value but texts with a backslash (and makes a list a tuple).
    """

    type: object
    make: Callable[[Any], Any]
    accepts: Callable[[Column], bool] | None = None
    same: bool = False

    @property
    def scalar(self) -> bool:
        """Whether its values are texts, numbers or truth values."""
        return self.type is not msgspec.Raw and self.type != list[str]

    def column(self, raw: Column, *, escaped: bool) -> Column:
        """All values as `make` makes them; `escaped` says that some text may have a backslash."""
        if not self.same:
            values = hashable(raw)
            made = {value: self.make(value) for value in set(values) if value is not None}
            return list(map(made.get, values))
        if self.make is texts:
            make = texts if escaped else tuple
            return [None if value is None else make(value) for value in raw]
        if escaped and self.make is unescaped:
            return [value and unescaped(value) for value in raw]
        return raw


def unescaped(value: str) -> str:
    """As `text`, for a text from a decoder, which has no lone surrogates."""
    return text(value) if "\\" in value else value


def raw_type(coerce: Coerce, kinds: frozenset[str], values: tuple[str, ...] = ()) -> RawType | None:
    """The type of a member that gives something, if there is one.

    Args:
        coerce: The authority.
        kinds: JSON types seen there, as an outline has them.
        values: All texts that the field can have, where they are few.
    """
    kinds -= {NULL}
    if kinds == {TEXT}:
        return _of_texts(coerce, values)
    if kinds == {NUMBER} and coerce in _RANGES:
        low, high = _RANGES[coerce]
        return RawType(type=Annotated[int, msgspec.Meta(ge=low, le=high)], make=int, same=True)
    if kinds == {FLAG} and coerce is boolean:
        return RawType(type=bool, make=bool, same=True)
    if kinds == {TEXTS} and coerce is texts:
        return RawType(type=list[str], make=texts, same=True)
    kind = _CHECKED.get(kinds)
    return kind and RawType(type=kind, make=coerce, accepts=functools.partial(_each, coerce))


_CHECKED: Final[Mapping[frozenset[str], Any]] = {
    frozenset({TEXT}): str,
    frozenset({NUMBER}): int,
    frozenset({TEXT, NUMBER}): str | int,
    frozenset({TEXTS}): list[str],
    frozenset(): None,
}
"""What the decoder has to take where the coercion looks at every value."""


def derived_type(kinds: frozenset[str]) -> object:
    """The type of a member that says nothing: an object where one was seen, else whatever is none."""
    return dict[str, Any] if kinds == {OBJECT} else str | int | float | bool | list[Any] | None


def ancestors_type() -> RawType:
    """Lists of ancestors come again with every event of a process: their text is looked at once."""
    return RawType(type=msgspec.Raw, make=_ancestors, accepts=_known_ancestors)


def _of_texts(coerce: Coerce, values: tuple[str, ...]) -> RawType:
    if coerce is text:
        return RawType(type=str, make=unescaped, same=True)
    if coerce is time_ns:
        return RawType(type=str, make=_moment_ns, accepts=_moments)
    words = {value: coerce(value) for value in values if _takes(coerce, value)}
    if words:
        return RawType(type=Literal[tuple(words)], make=words.__getitem__)
    if coerce in _SAFE_DIGITS:
        return RawType(type=str, make=int, accepts=functools.partial(_digits, coerce))
    return RawType(type=str, make=coerce, accepts=functools.partial(_each, coerce))


def _takes(coerce: Coerce, value: object) -> bool:
    try:
        coerce(value)
    except WrongValue:
        return False
    return True


def hashable(raw: Column) -> Iterable[Hashable]:
    """Lists as tuples and JSON as its bytes; a column has values of one kind."""
    first = next((value for value in raw if value is not None), None)
    if isinstance(first, list):
        return [None if value is None else tuple(value) for value in raw]
    if isinstance(first, msgspec.Raw):
        return [None if value is None else bytes(value) for value in raw]
    return raw


def _each(coerce: Coerce, raw: Column) -> bool:
    return all(_takes(coerce, value) for value in set(hashable(raw)) if value is not None)


def _digits(coerce: Coerce, raw: Column) -> bool:
    """As `_each`, but fast for numbers that are all different and not too large."""
    different = set(raw)
    different.discard(None)
    joined = "".join(different)
    if "" not in different and joined.isascii() and joined.isdigit():
        different = {digits for digits in different if len(digits) > _SAFE_DIGITS[coerce]}
    return all(_takes(coerce, value) for value in different)


# --- moments -----------------------------------------------------------------------------------------------


def _moments(raw: Column) -> bool:
    """Whether all are RFC 3339 times.

    Those of a file are alike but for their digits, and come many to the second: so their form is compared
    as one text, and each different second is looked at once.
    """
    moments = [moment for moment in raw if moment is not None] if None in raw else raw
    if not moments:
        return True
    first = moments[0]
    if not _takes(time_ns, first):
        return False
    joined, offset = "".join(moments), _offset(first)
    form = first.encode().translate(_TO_ZEROS)
    if (
        set(map(len, moments)) != {len(first)}
        or joined.encode().translate(_TO_ZEROS) != form * len(moments)
        or (offset[0] in "+-" and joined.count(offset) != len(moments))
        or any(_second_ns(second, offset) is None for second in {moment[_SECOND] for moment in moments})
    ):
        return _each(time_ns, moments)
    return True


def _offset(moment: str) -> str:
    """`Z` or `+01:00`, of an RFC 3339 time."""
    return moment[-1] if moment[-1] in "Zz" else moment[-6:]


@functools.lru_cache(maxsize=4096)
def _second_ns(second: str, offset: str) -> int | None:
    """The time of a whole second, if all of it is a time; events come many to the second."""
    try:
        return time_ns(f"{second}.999999999{offset}") - SECOND_NS + 1
    except WrongValue:
        return None


def _moment_ns(moment: object) -> int:
    """As `time_ns`, for a text that it takes."""
    if isinstance(moment, str) and moment[-1] == "Z":
        second_ns = _second_ns(moment[_SECOND], "Z")
        if second_ns is not None:
            return second_ns + int(moment[20:-1].ljust(9, "0"))
    return time_ns(moment)


# --- ancestors ---------------------------------------------------------------------------------------------


def _known_ancestors(raw: Column) -> bool:
    return all(_takes(_ancestors, value) for value in raw if value is not None)


def _ancestors(raw: object) -> object:
    written = bytes(raw)  # type: ignore[call-overload]  # of JSON, as the decoder made it
    return _remembered(written) if len(written) <= _REMEMBERED_BYTES else _ancestors_in(written)


@functools.lru_cache(maxsize=1024)
def _remembered(raw: bytes) -> object:
    return _ancestors_in(raw)


def _ancestors_in(raw: bytes) -> object:
    try:
        return tuple(processes(msgspec.json.decode(raw)))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WrongValue(str(error)) from error
