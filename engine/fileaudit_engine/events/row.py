"""How a row of the field table is written: what it does not say follows from what it says."""

import operator
from collections.abc import Callable, Collection
from typing import Final

from fileaudit_engine.events.computed import command_line
from fileaudit_engine.events.field import Dimension, Field, FieldType, Getter, Provider, Value
from fileaudit_engine.events.model import FileEvent, Operation
from fileaudit_engine.events.times import rfc3339


def _reader(attribute: str) -> Getter:
    """A function that reads a dotted attribute, None where something on the way is None."""
    place, _, name = attribute.rpartition(".")
    if place not in _OPTIONAL:
        return operator.attrgetter(attribute)
    holder_of: Callable[[FileEvent], object] = operator.attrgetter(place)

    def get(event: FileEvent) -> Value:
        holder = holder_of(event)
        return None if holder is None else getattr(holder, name)

    return get


_OPTIONAL: Final = frozenset({"process.parent", "container"})
"""Objects in an event that may be absent."""


def operation_of(event: FileEvent) -> Value:
    """The operation in a word."""
    return event.operation.value


def access_mode_of(event: FileEvent) -> Value:
    """The access mode, as all modes that it counts as."""
    return event.access_mode.modes if event.access_mode else None


def outcome_of(event: FileEvent) -> Value:
    """The outcome in a word."""
    return event.outcome.value


def command_line_of(event: FileEvent) -> Value:
    """The arguments as one text."""
    return command_line(event.process.args)


def parent_command_line_of(event: FileEvent) -> Value:
    """The parent's arguments as one text."""
    parent = event.process.parent
    return None if parent is None else command_line(parent.args)


def _moment(attribute: str) -> Getter:
    """A function that reads a time, as documents write it."""
    ts_ns_of: Callable[[FileEvent], int | None] = operator.attrgetter(attribute)

    def get(event: FileEvent) -> Value:
        ts_ns = ts_ns_of(event)
        return None if ts_ns is None else rfc3339(ts_ns)

    return get


def row(  # noqa: PLR0913 - one argument a column
    name: str,
    ecs: str,
    attribute: str,
    kind: FieldType,
    meaning: str,
    *,
    aliases: tuple[str, ...] = (),
    get: Getter | None = None,
    dimension: Dimension | None = None,
    values: tuple[str, ...] = (),
    provider: Provider = Provider.CALL,
    operations: Collection[Operation] | None = None,
) -> Field:
    """A row of what events carry; without `get`, rules see the attribute as it is."""
    read = _moment if kind is FieldType.DATE else _reader
    return Field(
        name=name,
        ecs=ecs,
        attribute=attribute,
        type=kind,
        get=get or read(attribute),
        meaning=meaning,
        aliases=aliases,
        dimension=dimension,
        values=values,
        provider=provider,
        operations=None if operations is None else frozenset(operations),
    )


def computed_row(  # noqa: PLR0913 - one argument a column
    name: str,
    ecs: str,
    kind: FieldType,
    meaning: str,
    get: Getter,
    *,
    aliases: tuple[str, ...] = (),
    values: tuple[str, ...] = (),
    operations: Collection[Operation] | None = None,
) -> Field:
    """A row of what follows from others."""
    return row(name, ecs, name, kind, meaning, get=get, aliases=aliases, values=values,
                provider=Provider.OTHER_FIELDS, operations=operations)  # fmt: skip
