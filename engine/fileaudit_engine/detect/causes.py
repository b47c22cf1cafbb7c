"""What one cause brings to one correlation: an event, crossings of other correlations, or both.

Whatever has one cause counts once in a group: an event that matches three rules of a correlation, and makes
another one cross that is its fourth, is one event there.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec

from fileaudit_engine.compiler.plan import CorrelationPlan
from fileaudit_engine.detect.crossing import Crossing
from fileaudit_engine.detect.occurrence import Occurrence, chained
from fileaudit_engine.detect.tracking import Route, Tracked
from fileaudit_engine.detect.windows import Values
from fileaudit_engine.events.model import FileEvent

Feeds = tuple[tuple[Tracked, tuple[int, ...], Route | None], ...]
"""Who is fed by an event: the correlation, the steps that the event is there, and how it comes in."""

Cause = tuple[Tracked, tuple[int, ...], list[tuple[int, Crossing]]]
"""A correlation, the steps that an event matches there, and crossings with the steps that they are."""


class _Entry(msgspec.Struct, kw_only=True):
    """What one cause is in one group.

    Attributes:
        bits: The steps that it is.
        step: The lowest of them, whose value counts.
        values: That value.
        event: The event that is the cause, where it matches a rule of the correlation.
        crossings: Of other correlations.
    """

    bits: int = 0
    step: int
    values: Values
    event: FileEvent | None = None
    crossings: list[Crossing] = msgspec.field(default_factory=list)


def listeners(plan: CorrelationPlan, *, chained: bool) -> dict[int, list[tuple[int, int]]]:
    """By rule, or by correlation: the correlations that listen to it, each with the step that it is there."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, one in enumerate(plan.correlations):
        for index, step in enumerate(one.steps):
            if step.chained is chained:
                found[step.number].append((number, index))
    return dict(found)


def feed_of(tracked: Tracked, steps: Sequence[int]) -> tuple[Tracked, tuple[int, ...], Route | None]:
    """How an event that matches these steps of a correlation comes in."""
    ascending = tuple(sorted(steps))
    return tracked, ascending, tracked.route(ascending)


def brought(
    ts_ns: int, cause: Cause, occurrence: Occurrence | None, keep: Callable[[Occurrence], None]
) -> Sequence[Crossing]:
    """What one cause makes of one correlation: an event, crossings of others, or both.

    Args:
        ts_ns: When.
        cause: The correlation, and what is brought to it.
        occurrence: The event, if the cause is one.
        keep: Holds what stands for crossings, as long as there is room.
    """
    tracked, steps, crossings = cause
    event = occurrence.event if occurrence else None
    if occurrence and event and not crossings:
        return tracked.event(ts_ns, steps, event, occurrence)
    groups = {}
    if event and steps:
        for key, bits, values in tracked.of_event(steps, event):
            groups[key] = _Entry(bits=bits, step=(bits & -bits).bit_length() - 1, values=values, event=event)
    for step, crossing in crossings:
        known = tracked.of_crossing(step, crossing)
        if known is not None:
            entry = groups.setdefault(known[0], _Entry(step=step, values=known[1]))
            entry.bits |= 1 << step
            if step < entry.step:
                entry.step, entry.values = step, known[1]
            entry.crossings.append(crossing)
    found: list[Crossing] = []
    for key, entry in groups.items():
        if entry.crossings:
            one = chained(ts_ns, entry.crossings, entry.event)
            found += tracked.enter(ts_ns, key, entry.bits, entry.values, one)
            keep(one)  # which may take its event away
        elif occurrence is not None:
            found += tracked.enter(ts_ns, key, entry.bits, entry.values, occurrence)
    return found
