"""What rules see of a field, for many rows of a shape at once.

`Field.get` reads one event. For rows that nobody has completed the same answer comes from their raw columns.
Most fields are an attribute as it is: that is found out by asking them for an event with a mark in its place.
Any other field is a function of a few attributes, and which ones shows when it runs: it is given a stand-in
for an event that has only the attributes known so far, and says so when it is asked for another. So `get`
runs once for each different combination of what it reads, and the answer cannot depend on anything else.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fileaudit_engine.events.document import ANCESTORS
from fileaudit_engine.events.fields import BY_NAME, Field, Value
from fileaudit_engine.events.model import FileEvent, Operation
from fileaudit_engine.events.raw_types import Column
from fileaudit_engine.events.reader import PLACES, assembled, given_by
from fileaudit_engine.events.shape import JOINED, Row, Shape

FieldColumn = Callable[[Sequence[Row], bool], Sequence[Value] | None]
"""From rows, and whether a text in them may have a backslash; None where no row has the field."""

_NEEDED: Final[Mapping[str, object]] = {"ts_ns": 0, "operation": Operation.OPEN}
_BARE: Final = assembled(_NEEDED)
_OPTIONAL: Final = tuple(place for place in PLACES if place and operator.attrgetter(place)(_BARE) is None)
"""Objects of an event that are there only if something in them is."""
_TEXTS_IN: Final = {"process.parent": ("name", "executable"), "container": ("id", "name")}
"""Texts in them, two of each."""
_PARENT_ID: Final = "process.parent_pid"
"""Also the parent's own id, where nothing else says it."""


def field_column(shape: Shape, field: Field) -> FieldColumn:
    """How rows of the shape give the field."""
    if field.attribute == "extra" or _has_no_member(shape, field):
        return _absent
    if _is_plain(field):
        return _plain_column(shape, field)
    joined = _joined_column(shape, field)
    if joined is not None and field.attribute not in shape.members:
        return joined  # nothing else says it
    function = _FunctionColumn(shape, field)
    return function if joined is None else _first_of(joined, function)


def _has_no_member(shape: Shape, field: Field) -> bool:
    """Whether the field is its attribute in some form, and no document of the shape says anything of that."""
    said = {field.attribute, field.attribute + JOINED} & shape.members.keys()
    return not field.computed and not said and field.get(_BARE) is None


def _absent(_rows: Sequence[Row], _escaped: bool) -> None:  # noqa: FBT001 - a `FieldColumn`
    return None


def _is_plain(field: Field) -> bool:
    """Whether the field's value is its attribute, as it is, and nothing else in the event matters."""
    place, _, name = field.attribute.rpartition(".")
    if place not in PLACES:
        return False
    mark: Any = object()
    beside = {f"{place}.{other}": "x" for other in _TEXTS_IN.get(place, ()) if other != name}
    try:
        alone = field.get(assembled({**_NEEDED, field.attribute: mark}))
        missing = field.get(assembled({**_NEEDED, **beside}))
    except (AttributeError, TypeError, ValueError, KeyError):
        return False
    return alone is mark and missing is field.get(_BARE)


def _plain_column(shape: Shape, field: Field) -> FieldColumn:
    if field.attribute not in shape.members and field.attribute + JOINED not in shape.members:
        default = field.get(_BARE)
        return _absent if default is None else lambda rows, _escaped: [default] * len(rows)
    attribute = field.attribute
    return lambda rows, escaped: attribute_column(shape, attribute, rows, escaped=escaped)


def _joined_column(shape: Shape, field: Field) -> FieldColumn | None:
    """A field that is a list as one text, where documents have that text."""
    attribute = (given_by(field.name) or ("",))[0]
    member = shape.members.get(attribute) if attribute.endswith(JOINED) else None
    if member is None or BY_NAME.get(field.name) is not field:
        return None
    return lambda rows, escaped: member.raw.column(member.values(rows), escaped=escaped)


def _first_of(first: FieldColumn, second: FieldColumn) -> FieldColumn:
    def column(rows: Sequence[Row], escaped: bool) -> Sequence[Value] | None:  # noqa: FBT001 - a `FieldColumn`
        values = first(rows, escaped)
        return second(rows, escaped) if values is None or None in values else values

    return column


def attribute_column(shape: Shape, attribute: str, rows: Sequence[Row], *, escaped: bool) -> Column:
    """The attribute of each row's event."""
    if attribute in _OPTIONAL:
        return _object_column(shape, attribute, rows, escaped=escaped)
    default = operator.attrgetter(attribute)(_BARE) if attribute.rpartition(".")[0] not in _OPTIONAL else None
    given, joined = shape.members.get(attribute), shape.members.get(attribute + JOINED)
    values: Column = [None] * len(rows)
    if given is not None:
        values = given.raw.column(given.values(rows), escaped=escaped)
    if joined is not None:
        wholes = joined.raw.column(joined.values(rows), escaped=escaped)
        values = [
            tuple(whole.split(" ")) if value is None and whole is not None else value
            for value, whole in zip(values, wholes, strict=True)
        ]
    return values if default is None else [default if value is None else value for value in values]


def _object_column(shape: Shape, place: str, rows: Sequence[Row], *, escaped: bool) -> Column:
    """The object of each row's event, None where nothing is in it."""
    parts = {_unjoined(name) for name in shape.members if name.startswith(f"{place}.")}
    above = shape.members.get(ANCESTORS) if place == "process.parent" else None
    if not parts and above is None:
        return [None] * len(rows)
    names = (*sorted(parts), _PARENT_ID)
    columns = [attribute_column(shape, name, rows, escaped=escaped) for name in names]
    ancestors = above.raw.column(above.values(rows), escaped=escaped) if above else [None] * len(rows)
    object_of = operator.attrgetter(place)
    made: dict[tuple[Any, ...], Any] = {}
    keys = list(zip(ancestors, *columns, strict=True))
    for key in set(keys):
        told = {name: value for name, value in zip(names, key[1:], strict=True) if value is not None}
        made[key] = object_of(assembled({**_NEEDED, **told}, key[0] or ()))
    return [made[key] for key in keys]


def _unjoined(attribute: str) -> str:
    return attribute.removesuffix(JOINED)


# --- functions of attributes -------------------------------------------------------------------------------


class _UnreadError(Exception):
    """A function asked for an attribute that was not read for it."""

    def __init__(self, attribute: str) -> None:
        super().__init__(attribute)
        self.attribute = attribute


class _StandIn:
    """An event, or an object in one, as far as its attributes were read."""

    __slots__ = ("_place", "_read")

    def __init__(self, read: Mapping[str, object], place: str = "") -> None:
        self._read = read
        self._place = place

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the event has there
        attribute = f"{self._place}.{name}" if self._place else name
        if attribute in self._read:
            return self._read[attribute]
        if attribute in PLACES and attribute not in _OPTIONAL:
            return _StandIn(self._read, attribute)
        computed = None if self._place else getattr(FileEvent, name, None)
        if isinstance(computed, property) and computed.fget:
            return computed.fget(self)
        raise _UnreadError(attribute)


class _FunctionColumn:
    """A field whose value follows from a few attributes."""

    def __init__(self, shape: Shape, field: Field) -> None:
        self._shape = shape
        self._get: Any = field.get
        self._reads: list[str] = []
        """The attributes that were asked for so far, in that order."""

    def __call__(self, rows: Sequence[Row], escaped: bool) -> Sequence[Value] | None:  # noqa: FBT001 - a `FieldColumn`
        while True:
            try:
                values = self._by_first(rows)
                return self._by_all(rows, escaped=escaped) if values is None else _unless_absent(*values)
            except _UnreadError as error:  # noqa: PERF203 - once for each attribute, ever
                self._reads.append(error.attribute)

    def _by_first(self, rows: Sequence[Row]) -> tuple[Mapping[Any, Value], Sequence[Any]] | None:
        """The answers by what was asked for first, if nothing else matters for these rows."""
        name = self._reads[0] if self._reads else ""
        member = self._shape.members.get(name)
        if member is None or not member.raw.scalar or name + JOINED in self._shape.members:
            return None
        keys = member.values(rows)
        default = operator.attrgetter(name)(_BARE) if name.rpartition(".")[0] not in _OPTIONAL else None
        try:
            return {
                key: self._value((default if key is None else member.raw.make(key),)) for key in set(keys)
            }, keys
        except _UnreadError as error:
            if error.attribute not in self._reads:
                raise
            return None

    def _by_all(self, rows: Sequence[Row], *, escaped: bool) -> Sequence[Value] | None:
        columns = [attribute_column(self._shape, name, rows, escaped=escaped) for name in self._reads]
        keys = list(zip(*columns, strict=True)) if columns else [()] * len(rows)
        return _unless_absent({key: self._value(key) for key in set(keys)}, keys)

    def _value(self, read: Sequence[object]) -> Value:
        """The answer for an event whose attributes, as far as they were asked for, are these."""
        found: Value = self._get(_StandIn(dict(zip(self._reads, read, strict=False))))
        return found


def _unless_absent(values: Mapping[Any, Value], keys: Sequence[Any]) -> Sequence[Value] | None:
    """The value of each key; None where there is none."""
    return None if set(values.values()) <= {None} else list(map(values.__getitem__, keys))
