"""Recorded events that stay as they were decoded until somebody needs one of them whole.

Nearly all lines of a recording are rows of one shape (`events.shape`). The few that only the reader
understood are events already; each has its place among the rows, where a copy of its neighbour stands in for
it, so that columns are made of rows alone and then corrected in those places.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fileaudit_engine.events.batch import EVERY, Columns
from fileaudit_engine.events.columns import FieldColumn, field_column
from fileaudit_engine.events.fields import Field, Value
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.events.shape import Row, Shape


class ShapeColumns:
    """A shape, and how it gives each field that was asked for."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._columns: dict[Field, FieldColumn] = {}

    def column(self, field: Field) -> FieldColumn:
        """How rows give the field."""
        found = self._columns.get(field)
        if found is None:
            found = self._columns[field] = field_column(self.shape, field)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnBatch(Columns):
    """Events of one shape; nobody has filtered them.

    Attributes:
        columns: Their shape.
        rows: As decoded.
        escaped: Whether some text in them may have a backslash.
        events: Those that are no rows, by their place.
    """

    columns: ShapeColumns
    rows: Sequence[Row]
    escaped: bool
    events: Mapping[int, FileEvent] = field(default_factory=dict)

    @property
    def candidates(self) -> Sequence[int]:
        """`EVERY`, for each."""
        return (EVERY,) * len(self.rows)

    def column(self, field: Field) -> Sequence[Value] | None:
        """What rules see of the field, event by event; None where no event has it."""
        found = self.columns.column(field)(self.rows, self.escaped)
        if not self.events:
            return found
        values: list[Value] = [None] * len(self.rows) if found is None else list(found)
        for index, event in self.events.items():
            values[index] = field.get(event)
        return values

    def only(self, places: Sequence[int]) -> "ColumnBatch":
        """The events at these places."""
        events = {at: self.events[place] for at, place in enumerate(places) if place in self.events}
        rows = [self.rows[place] for place in places]
        return ColumnBatch(columns=self.columns, rows=rows, escaped=self.escaped, events=events)

    def complete(self, index: int) -> FileEvent:
        """Event number `index`."""
        return self.events.get(index) or self.columns.shape.complete(self.rows[index])
