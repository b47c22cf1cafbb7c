"""Whether an event has a field at all, which its value alone does not say where a null counts as one.

`Zone: null` is true of an event that has no zone and of one whose zone is null; `Zone|exists: true` tells the
two apart. Fields of the table need no such distinction: `FileEvent` has no nulls, since documents leave out
what they do not know, so there a null is absence. Fields that only the user knows are kept as they came.
"""

import functools

from fileaudit_engine.events.field import Field, FieldType, Value
from fileaudit_engine.events.fields import unlisted
from fileaudit_engine.events.model import FileEvent


@functools.lru_cache(maxsize=1024)
def presence_of(name: str) -> Field:
    """A row for a field of the user's own that has a value wherever the field is there.

    What rules see as no value is said in words: they are what `explain` shows.
    """
    value_of, inside = unlisted(name).get, f"{name}."

    def get(event: FileEvent) -> Value:
        extra = event.extra or {}
        value = value_of(event)
        if value is not None:
            return value
        if name in extra and extra[name] is None:
            return "null"
        return "an object" if name in extra or any(key.startswith(inside) for key in extra) else None

    return Field(
        name=name,
        ecs=name,
        attribute="extra",
        type=FieldType.KEYWORD,
        get=get,
        meaning="Whether the event has a field that only the user knows.",
    )
