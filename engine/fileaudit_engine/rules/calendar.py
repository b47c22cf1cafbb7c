"""The parts of a date that a rule can ask for, each with the numbers that it can be."""

import enum
from typing import Final


class Part(enum.Enum):
    """A part of a date, by its modifier's name."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    """The week of ISO 8601: 1 is the one with the year's first Thursday, and some years have 53."""
    MONTH = "month"
    YEAR = "year"

    @property
    def range(self) -> tuple[int, int]:
        """The least and the greatest number that it can be."""
        return _RANGES[self]


_RANGES: Final = {
    Part.MINUTE: (0, 59),
    Part.HOUR: (0, 23),
    Part.DAY: (1, 31),
    Part.WEEK: (1, 53),
    Part.MONTH: (1, 12),
    Part.YEAR: (1, 9999),
}
