"""What a correlation reads of an event: the values that group it, and those that it counts or computes with.

Of a crossing of another correlation the values are read by name from its group, and where that does not have
the name, from the event that made it.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from fileaudit_engine.detect.checks import exact_number_of
from fileaudit_engine.detect.crossing import Crossing
from fileaudit_engine.detect.identity import digest
from fileaudit_engine.detect.windows import Scalar, Truth, Values
from fileaudit_engine.events.fields import BY_NAME, Field, FieldType, Value
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.text import to_kernel

T = TypeVar("T", FileEvent, Crossing)

Key = Scalar | tuple[Scalar, ...]
"""What a group is known by: one value, or one of each field."""

Read = Callable[[T], Scalar]
"""Reads one field."""


_BYTES_OF_EVENT: Final = 256
"""What an event in a window takes, more or less."""
_ROOM_OF_GROUP: Final = 3
_LONGEST_VALUE: Final = 256

_PLAIN: Final = frozenset({FieldType.PATH, FieldType.INTEGER, FieldType.KEYWORD})


def _is_plain(field: Field) -> bool:
    """Whether what a field has is an attribute of the event, and one text or number."""
    return field.type in _PLAIN and isinstance(field.get, operator.attrgetter)


def first(value: Value) -> Scalar:
    """The value, or the first member of a list."""
    if isinstance(value, tuple):
        return value[0] if value else None
    return Truth(value) if isinstance(value, bool) else value


def _brief(value: Scalar) -> Scalar:
    """The value, or for a long text one that no other text has."""
    if isinstance(value, str) and len(value) > _LONGEST_VALUE:
        return f"\0{digest(to_kernel(value))}"
    return value


def as_value(scalar: Scalar) -> Value:
    """The value again."""
    return scalar.value if isinstance(scalar, Truth) else scalar


def of_event(field: Field) -> Read[FileEvent]:
    """Reads a field of an event."""
    get = field.get
    if _is_plain(field):
        return get  # type: ignore[return-value]  # a text or a number
    return lambda event: first(get(event))


def of_crossing(field: Field) -> Read[Crossing]:
    """Reads a field of a crossing."""
    get = field.get

    def read(crossing: Crossing) -> Scalar:
        found = _in_group(field, crossing.group)
        if found is not None:
            return first(crossing.group[found])
        return None if crossing.event is None else first(get(crossing.event))

    return read


def _in_group(field: Field, group: Mapping[str, Value]) -> str | None:
    """The name by which a group has a field, if it does."""
    return next((name for name in group if name == field.name or BY_NAME.get(name) is field), None)


def key_of(reads: Sequence[Read[T]]) -> Callable[[T], Key]:
    """Reads what a group is known by."""
    if len(reads) == 1:
        return reads[0]
    return lambda source: tuple([read(source) for read in reads])


def key_of_event(fields: Sequence[Field]) -> Callable[[FileEvent], Key]:
    """Reads what a group of events is known by: at once, where all of it stands in the event as it is."""
    if len(fields) > 1 and all(map(_is_plain, fields)):
        return operator.attrgetter(*(field.attribute for field in fields))
    return key_of([of_event(field) for field in fields])


def room_of(key: Key) -> int:
    """How many events a group takes the room of beside its own: some, and more where its name is long."""
    length = 0
    for text in key if isinstance(key, tuple) else (key,):
        if isinstance(text, str):
            length += len(text)
    return _ROOM_OF_GROUP + length // _BYTES_OF_EVENT


def values_of(reads: Sequence[Read[T]], *, numeric: bool) -> Callable[[T], Values]:
    """Reads what is counted or computed with; None where the event has no such thing, and does not count.

    Values are only told apart: a long one is remembered by its digest.
    """
    if len(reads) == 1:
        (read,) = reads
        return (
            (lambda source: exact_number_of(read(source))) if numeric else lambda source: _brief(read(source))
        )

    def combination(source: T) -> Values:
        found = tuple([_brief(read(source)) for read in reads])
        return None if None in found else found

    return combination
