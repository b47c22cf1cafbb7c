"""What one group of one correlation remembers: the events of the last `timespan`, as few as will do.

    leave(horizon_ns)   what is older goes
    add(…)              an event comes
    number()            what the condition compares

A count needs no more of the past than its highest threshold: later events take the places of earlier ones.
The number of different values needs the newest event of each value. What happens together needs the newest
event of each rule. So a flood cannot push anything out that would have counted; only sums and the like need
every single event, and have to forget the oldest when a group has too many.

Numbers are exact: integers and fractions, so that it does not matter in which order they were added.
"""

import bisect
import enum
from collections import Counter, OrderedDict
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import msgspec

from fileaudit_engine.detect.crossing import Number
from fileaudit_engine.detect.occurrence import Occurrence
from fileaudit_engine.events.model import FileEvent

NEVER: Final = 1 << 80
"""Later than every time, and than the end of every window."""

LONG_AGO: Final = -1 << 62
"""Before every time, but not before `NOT_YET` of the windows in time."""
_PLAIN_VALUES: Final = 4_096
"""To step over so many places takes a microsecond."""

_FEW: Final = 32
"""Places that are left empty at the front of a list before it is moved up."""


class Truth(enum.Enum):
    """A truth value as a group or a value is known by: to Python, True and 1 are the same key."""

    FALSE = False
    TRUE = True


Scalar = str | int | Truth | None
Values = Scalar | Fraction | tuple[Scalar, ...]
"""What is counted or computed with: one value, or one of each field."""


class Window(msgspec.Struct, gc=False, kw_only=True):
    """The events of a group.

    Attributes:
        limit: Events that it holds at the most.
        active: Whether the condition was true when it was looked at last.
        turn: Number of the timer that it waits for; -1 if it waits for none.
        newest: Its newest event in full, where others rely on it when the condition turns true by itself.
        since_ns: What is older has left.
        used_ns: When an event came last.
        forgotten: Events that had to be forgotten because there were too many; `Tracked` takes note of it.
    """

    limit: int
    active: bool = False
    turn: int = -1
    newest: FileEvent | None = None
    since_ns: int = LONG_AGO
    used_ns: int = LONG_AGO
    forgotten: int = 0

    @property
    def size(self) -> int:
        """Events in it."""
        raise NotImplementedError

    @property
    def oldest_ns(self) -> int:
        """Time of the event that will change the number when it leaves; `NEVER` if there is none."""
        raise NotImplementedError

    @property
    def wakes(self) -> bool:
        """Whether the condition may turn true when something leaves, where it may at all."""
        return True

    def add(self, occurrence: Occurrence, steps: int, values: Values) -> int:
        """Let an event come that is not older than any other; returns by how much the size has grown, 0 or 1.

        Args:
            occurrence: It.
            steps: The steps of the correlation that it matched, as bits.
            values: Of the types that look at values.
        """
        raise NotImplementedError

    def leave(self, horizon_ns: int) -> int:
        """Let go what is older than `horizon_ns`; returns by how much the size has shrunk."""
        raise NotImplementedError

    def number(self) -> Number:
        """What is compared; undefined while it is empty."""
        raise NotImplementedError

    def ratio(self) -> tuple[Number, int]:
        """The number as numerator and denominator (above 0): dividing for each event would cost."""
        return self.number(), 1

    def occurrences(self) -> Sequence[Occurrence]:
        """The events, in order."""
        raise NotImplementedError


class Listed(Window, gc=False, kw_only=True):
    """Events in a list, the oldest first; `head` is the place of the first one that has not left."""

    entries: list[Occurrence] = msgspec.field(default_factory=list)
    head: int = 0

    @property
    def size(self) -> int:
        """Events in it."""
        return len(self.entries) - self.head

    @property
    def oldest_ns(self) -> int:
        """Time of the oldest event."""
        return self.entries[self.head].ts_ns if self.head < len(self.entries) else NEVER

    def leave(self, horizon_ns: int) -> int:
        """Let go what is older."""
        entries, before = self.entries, self.head
        head, count = before, len(entries)
        self.since_ns = max(self.since_ns, horizon_ns)
        while head < count and entries[head].ts_ns < horizon_ns:
            head += 1
        if head == before:
            return 0
        self.go(head)
        return head - before

    def within_limit(self) -> int:
        """Let go of the oldest event if there are too many now; returns by how much the size has grown."""
        if len(self.entries) - self.head <= self.limit:
            return 1
        self.go(self.head + 1)
        return 0

    def go(self, head: int) -> None:
        """Begin at `head`; the room before it is given back now and then."""
        if head > _FEW and head * 2 > len(self.entries):
            self.forget(head)
            head = 0
        self.head = head

    def forget(self, count: int) -> None:
        """Give back the room of the first ones."""
        del self.entries[:count]

    def occurrences(self) -> Sequence[Occurrence]:
        """The events, in order."""
        return self.entries[self.head :]


class Count(Listed, gc=False, kw_only=True):
    """How many events there are. Past the limit, the newest are as many as are asked for."""

    def add(self, occurrence: Occurrence, steps: int, values: Values) -> int:  # noqa: ARG002 - see Window
        """One more."""
        entries = self.entries
        entries.append(occurrence)
        if len(entries) - self.head <= self.limit:
            return 1
        self.go(self.head + 1)
        return 0

    def number(self) -> Number:
        """The events."""
        return len(self.entries) - self.head


class Valued(Listed, gc=False, kw_only=True):
    """Events with a value each, all of which are needed; `came` and `went` keep what comes of the values."""

    values: list[Values] = msgspec.field(default_factory=list)

    def add(self, occurrence: Occurrence, steps: int, values: Values) -> int:  # noqa: ARG002 - see Window
        """One more, and the oldest goes if they are too many."""
        self.entries.append(occurrence)
        self.values.append(values)
        self.came(values)
        grown = self.within_limit()
        self.forgotten += 1 - grown
        return grown

    def go(self, head: int) -> None:
        """Begin at `head`: the values before it count no more."""
        for index in range(self.head, head):
            self.went(self.values[index])
        Listed.go(self, head)

    def forget(self, count: int) -> None:
        """Give back the room of the first ones."""
        del self.entries[:count]
        del self.values[:count]

    def came(self, values: Values) -> None:
        """The value of a new event."""
        raise NotImplementedError

    def went(self, values: Values) -> None:
        """The value of an event that leaves."""
        raise NotImplementedError


def is_number(value: Values) -> bool:
    """Whether a value can be computed with."""
    return isinstance(value, int | Fraction)


def _numeric(values: Values) -> Number:
    """A value that is known to be a number."""
    return values  # type: ignore[return-value]


def _divided(ratio: tuple[Number, int]) -> Number:
    """The quotient; an integer if it is one."""
    found = Fraction(ratio[0]) / ratio[1]
    return found.numerator if found.denominator == 1 else found


class Sum(Valued, gc=False, kw_only=True):
    """The sum of numbers.

    Attributes:
        rising: Whether only a larger sum can make the condition true: then nothing that leaves can, unless it
            is below zero.
        negative: Numbers below zero that are in it.
    """

    rising: bool = False
    total: Number = 0
    negative: int = 0

    def came(self, values: Values) -> None:
        """Add it."""
        number = _numeric(values)
        self.total += number
        if number < 0:
            self.negative += 1

    def went(self, values: Values) -> None:
        """Take it off."""
        number = _numeric(values)
        self.total -= number
        if number < 0:
            self.negative -= 1

    @property
    def wakes(self) -> bool:
        """Whether the condition may turn true when something leaves."""
        return self.negative > 0 or not self.rising

    def number(self) -> Number:
        """The sum."""
        return self.total


class Average(Sum, gc=False, kw_only=True):
    """Their average."""

    def ratio(self) -> tuple[Number, int]:
        """The sum by the count."""
        return self.total, self.size

    def number(self) -> Number:
        """The same, divided."""
        return _divided(self.ratio())


class Quantile(Valued, gc=False, kw_only=True):
    """A percentile of numbers, between two of them on the straight line that joins them.

    Attributes:
        percentile: 0 to 100, as numerator and denominator; the median is 50.
    """

    percentile: tuple[int, int] = (50, 1)
    ranked: list[Number] = msgspec.field(default_factory=list)

    def came(self, values: Values) -> None:
        """Put it in its place."""
        bisect.insort(self.ranked, _numeric(values))

    def went(self, values: Values) -> None:
        """Take one of its kind out."""
        del self.ranked[bisect.bisect_left(self.ranked, _numeric(values))]

    def ratio(self) -> tuple[Number, int]:
        """The value at rank percentile / 100 * (count - 1), counted from 0."""
        ranked, (numerator, denominator) = self.ranked, self.percentile
        whole = 100 * denominator
        below, beyond = divmod(numerator * (len(ranked) - 1), whole)
        if not beyond:
            return ranked[below], 1
        low = ranked[below]
        return low * whole + (ranked[below + 1] - low) * beyond, whole

    def number(self) -> Number:
        """The same, divided."""
        return _divided(self.ratio())


class Share(Valued, gc=False, kw_only=True):
    """How much of all the newest event's value makes up, in percent."""

    counts: Counter[Values] = msgspec.field(default_factory=Counter)

    def came(self, values: Values) -> None:
        """Count it."""
        self.counts[values] += 1

    def went(self, values: Values) -> None:
        """Count it no more."""
        self.counts[values] -= 1
        if not self.counts[values]:
            del self.counts[values]

    def ratio(self) -> tuple[Number, int]:
        """100 for a value that all have."""
        return 100 * self.counts[self.values[-1]], self.size

    def number(self) -> Number:
        """The same, divided."""
        return _divided(self.ratio())


def values_by_time(limit: int) -> dict[Values, Occurrence]:
    """Room for so many values.

    A plain dictionary takes half of what one takes that is made for this, but has to step over the places of
    what was removed at its front.
    """
    return {} if limit <= _PLAIN_VALUES else OrderedDict()


class Distinct(Window, gc=False, kw_only=True):
    """How many different values there are: the newest event of each is all that is needed.

    Attributes:
        by_value: Those, in the order of their time; see `values_by_time`.
    """

    by_value: dict[Values, Occurrence]

    @property
    def size(self) -> int:
        """Values in it."""
        return len(self.by_value)

    @property
    def oldest_ns(self) -> int:
        """Time of the value that was not seen for longest."""
        return next(iter(self.by_value.values())).ts_ns if self.by_value else NEVER

    def add(self, occurrence: Occurrence, steps: int, values: Values) -> int:  # noqa: ARG002 - see Window
        """A value is there, perhaps again. Past the limit, the newest are as many as are asked for."""
        by_value = self.by_value
        before = len(by_value)
        if by_value.pop(values, None) is None and before == self.limit:
            del by_value[next(iter(by_value))]
        by_value[values] = occurrence
        return len(by_value) - before

    def leave(self, horizon_ns: int) -> int:
        """Let go what was not seen since."""
        by_value = self.by_value
        before = len(by_value)
        while by_value and next(iter(by_value.values())).ts_ns < horizon_ns:
            del by_value[next(iter(by_value))]
        self.since_ns = max(horizon_ns, self.since_ns)
        return before - len(by_value)

    def number(self) -> Number:
        """The values."""
        return len(self.by_value)

    def occurrences(self) -> Sequence[Occurrence]:
        """The newest event of each value, in order."""
        return list(self.by_value.values())
