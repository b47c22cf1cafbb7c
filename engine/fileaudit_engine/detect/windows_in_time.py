"""Windows of the types in time: which rules matched, and in which order.

    temporal                the newest event of each rule says whether the rule is in the window
    temporal_ordered        for each beginning of the chain, when the latest one that got so far had begun
    temporal with a `not`   nothing can be said before its time is over: each event of a rule that is asked
                            for is judged when `timespan` has passed since

Rules are steps here, numbered as the document lists them. The events themselves are kept only for being
listed in an alert; what is decided does not depend on how many of them are still there.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from fileaudit_engine.detect.crossing import Number
from fileaudit_engine.detect.occurrence import Occurrence
from fileaudit_engine.detect.windows import NEVER, Listed, Values

NOT_YET: Final = -1 << 63
"""Earlier than every time."""


class Together(Listed, gc=False, kw_only=True):
    """Which steps are there.

    Attributes:
        newest_ns: Of each step, the time of its newest event.
    """

    newest_ns: list[int] = msgspec.field(default_factory=list)

    @property
    def oldest_ns(self) -> int:
        """When the first of the steps that are there was last seen."""
        return min((ts_ns for ts_ns in self.newest_ns if ts_ns >= self.since_ns), default=NEVER)

    def add(self, occurrence: Occurrence, steps: int, values: Values) -> int:  # noqa: ARG002 - see Window
        """Steps are there, perhaps again."""
        self.entries.append(occurrence)
        newest, ts_ns = self.newest_ns, occurrence.ts_ns
        for step in steps_of(steps):
            newest[step] = ts_ns
        return self.within_limit()

    def present(self) -> int:
        """The steps that are there, as bits."""
        since_ns = self.since_ns
        return sum(1 << step for step, ts_ns in enumerate(self.newest_ns) if ts_ns >= since_ns)

    def number(self) -> Number:
        """How many steps are there."""
        since_ns = self.since_ns
        return sum(ts_ns >= since_ns for ts_ns in self.newest_ns)


class InOrder(Listed, gc=False, kw_only=True):
    """How long a chain of steps is there, each behind the one before.

    Attributes:
        began_ns: By (last step, length) of a chain: when the latest such chain began.
    """

    began_ns: dict[tuple[int, int], int] = msgspec.field(default_factory=dict)

    @property
    def oldest_ns(self) -> int:
        """When the first of the chains that are there began."""
        return min((ts_ns for ts_ns in self.began_ns.values() if ts_ns >= self.since_ns), default=NEVER)

    def add(self, occurrence: Occurrence, steps: int, values: Values) -> int:  # noqa: ARG002 - see Window
        """Chains grow by the steps of the event; it stands for one step of each chain only."""
        began, since_ns = self.began_ns, self.since_ns
        grown = [(step, 1, occurrence.ts_ns) for step in steps_of(steps)]
        for (last, length), ts_ns in began.items():
            if ts_ns >= since_ns:
                grown += ((step, length + 1, ts_ns) for step in steps_of(steps) if step > last)
        for step, length, ts_ns in grown:
            if ts_ns > began.get((step, length), NOT_YET):
                began[step, length] = ts_ns
        self.entries.append(occurrence)
        return self.within_limit()

    def number(self) -> Number:
        """Steps of the longest chain that is there whole."""
        since_ns = self.since_ns
        return max((length for (_, length), ts_ns in self.began_ns.items() if ts_ns >= since_ns), default=0)


class InSequence(Listed, gc=False, kw_only=True):
    """Whether one of some sequences of steps is there.

    Attributes:
        sequences: The steps of each, ascending.
        began_ns: For each sequence, by how far it got: when the latest that did so began.
    """

    sequences: tuple[tuple[int, ...], ...] = ()
    began_ns: list[list[int]] = msgspec.field(default_factory=list)

    @property
    def oldest_ns(self) -> int:
        """When the first of those that are there whole began."""
        whole = (began[-1] for began in self.began_ns)
        return min((ts_ns for ts_ns in whole if ts_ns >= self.since_ns), default=NEVER)

    def add(self, occurrence: Occurrence, steps: int, values: Values) -> int:  # noqa: ARG002 - see Window
        """Each sequence that waits for a step of the event gets it; from behind, so that it gets one only."""
        for sequence, began in zip(self.sequences, self.began_ns, strict=True):
            for place in range(len(sequence) - 1, -1, -1):
                if steps >> sequence[place] & 1:
                    started_ns = began[place - 1] if place else occurrence.ts_ns
                    began[place] = max(began[place], started_ns)
        self.entries.append(occurrence)
        return self.within_limit()

    def number(self) -> Number:
        """Whether one of them is there: 1 or 0."""
        return int(self.whole())

    def whole(self) -> bool:
        """Whether one of them is there."""
        return any(began[-1] >= self.since_ns for began in self.began_ns)


class Judged(msgspec.Struct, frozen=True, gc=False):
    """An event whose time is over, and what was there around it.

    Attributes:
        ts_ns: When it happened.
        present: Steps within `timespan` after it, as bits.
        around: Steps within `timespan` before or after it.
        gap: Whether the one before it was longer ago than `timespan`.
    """

    ts_ns: int
    present: int
    around: int
    gap: bool


class Awaiting(Listed, gc=False, kw_only=True):
    """Events of steps that are asked for, which wait until their time is over.

    Attributes:
        asked: Those steps, as bits.
        span_ns: The timespan.
        newest_ns: Of each step, the time of its newest event.
        judged_ns: Time of the event that was judged last.
    """

    asked: int = 0
    span_ns: int = 0
    newest_ns: list[int] = msgspec.field(default_factory=list)
    judged_ns: int = NOT_YET

    def add(self, occurrence: Occurrence, steps: int, values: Values) -> int:  # noqa: ARG002 - see Window
        """Steps are there; whether the event waits depends on them."""
        for step in steps_of(steps):
            self.newest_ns[step] = occurrence.ts_ns
        if not steps & self.asked:
            return 0
        self.entries.append(occurrence)
        grown = self.within_limit()
        self.forgotten += 1 - grown
        return grown

    def judge(self) -> Judged:
        """Say of the event that waited for longest what there was around it. Call `done` afterwards."""
        ts_ns = self.oldest_ns
        verdict = Judged(
            ts_ns=ts_ns,
            present=self._since(ts_ns),
            around=self._since(ts_ns - self.span_ns),
            gap=ts_ns - self.judged_ns > self.span_ns,
        )
        self.judged_ns = ts_ns
        return verdict

    def done(self) -> None:
        """The event that waited for longest waits no more."""
        self.go(self.head + 1)

    def _since(self, since_ns: int) -> int:
        return sum(1 << step for step, ts_ns in enumerate(self.newest_ns) if ts_ns >= since_ns)

    def number(self) -> Number:
        """Nothing is counted."""
        return self.size


def steps_of(bits: int) -> Iterator[int]:
    """The steps of a bit set, ascending."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
