"""Whether an event has a field at all, which its value alone does not say where a null counts as one.

`Zone: null` is true of an event that has no zone and of one whose zone is null; `Zone|exists: true` tells the
two apart. Fields of the table need no such distinction: `FileEvent` has no nulls, since documents leave out
what they do not know, so there a null is absence. Fields that only the user knows are kept as they came.
"""

import functools

from fileaudit_engine.events.field import Field, FieldType, Value
from fileaudit_engine.events.model import FileEvent


@functools.lru_cache(maxsize=1024)
def presence_of(name: str) -> Field:
    """A row that is true of events that have the field `name` of the user's own, be it null or an object."""
    inside = f"{name}."

    def get(event: FileEvent) -> Value:
        extra = event.extra or {}
        return True if name in extra or any(key.startswith(inside) for key in extra) else None

    return Field(
        name=name,
        ecs=name,
        attribute="extra",
        type=FieldType.BOOLEAN,
        get=get,
        meaning="Whether the event has a field that only the user knows.",
    )
