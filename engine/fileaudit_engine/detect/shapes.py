"""Which window a correlation needs, and when what is in it makes its condition hold."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from fileaudit_engine.compiler.plan import UserCorrelation
from fileaudit_engine.detect.crossing import Limits, Number
from fileaudit_engine.detect.holding import (
    RISING,
    Judges,
    comparing,
    judging,
    sequences_of,
)
from fileaudit_engine.detect.windows import (
    Average,
    Count,
    Distinct,
    Quantile,
    Share,
    Sum,
    Window,
    values_by_time,
)
from fileaudit_engine.detect.windows_in_time import (
    NOT_YET,
    Awaiting,
    InOrder,
    InSequence,
    Together,
)
from fileaudit_engine.rules.ast import Comparator, Correlation, CorrelationType
from fileaudit_engine.rules.correlation_condition import named, wanted

_T = CorrelationType


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a correlation is made of.

    Attributes:
        new: Makes an empty window.
        holds: Whether the condition holds in a window that is not empty.
        judges: Of a condition with `not`, what is asked of an event whose time is over; else None.
        number: What an alert says was compared; None where the condition is one over rules.
        timed: Whether the condition can turn true because events leave.
        asked: Steps whose events may be the newest that an alert shows, as bits.
        values: Whether events without a value do not count; `numeric`: without a number.
        needed: Of counts that only grow, the smallest that is enough; None for all others.
    """

    new: Callable[[], Window]
    holds: Callable[[Window], bool]
    judges: Judges | None = None
    number: Callable[[Window], Number | None]
    timed: bool
    asked: int = -1
    values: bool = False
    numeric: bool = False
    needed: int | None = None


def shape_of(plan: UserCorrelation, limits: Limits) -> Shape:
    """The shape of a correlation."""
    rule = plan.rule
    if rule.type in {_T.TEMPORAL, _T.TEMPORAL_ORDERED}:
        return _in_time(rule, limits)
    return _of_numbers(rule, limits)


_WINDOWS: Final[dict[CorrelationType, type[Window]]] = {
    _T.EVENT_COUNT: Count,
    _T.VALUE_COUNT: Distinct,
    _T.VALUE_SUM: Sum,
    _T.VALUE_AVG: Average,
    _T.VALUE_MEDIAN: Quantile,
    _T.VALUE_PERCENTILE: Quantile,
}
_COUNTS: Final = frozenset({_T.EVENT_COUNT, _T.VALUE_COUNT})


def _of_numbers(rule: Correlation, limits: Limits) -> Shape:
    counts = rule.type in _COUNTS
    share = rule.type is _T.VALUE_PERCENTILE and rule.percentile is None
    kind = Share if share else _WINDOWS[rule.type]
    compares = comparing(rule.comparisons)
    needed = _needed(rule) if counts else None
    limit = _enough(rule) if counts else limits.events
    if kind is Quantile:
        percentile = Fraction(50 if rule.percentile is None else rule.percentile).as_integer_ratio()
        new: Callable[[], Window] = lambda: Quantile(limit=limit, percentile=percentile)  # noqa: E731
    elif kind is Distinct:
        new = lambda: Distinct(limit=limit, by_value=values_by_time(limit))  # noqa: E731
    elif kind is Sum:
        rising = all(one.comparator in RISING for one in rule.comparisons)
        new = lambda: Sum(limit=limit, rising=rising)  # noqa: E731
    else:
        new = lambda: kind(limit=limit)  # noqa: E731
    return Shape(
        new=new,
        holds=_reaches(kind, needed) if needed else (lambda window: compares(*window.ratio())),
        number=lambda window: window.number(),
        timed=needed is None,
        values=rule.type is not _T.EVENT_COUNT,
        numeric=not counts and not share,
        needed=needed,
    )


def _enough(rule: Correlation) -> int:
    """How many must be told apart: one more than the largest number that anything is compared with."""
    return max(1, *(int(one.number) + 1 for one in rule.comparisons))


def _needed(rule: Correlation) -> int | None:
    """The smallest count that is enough; None where more can be too many."""
    if not all(one.comparator in RISING for one in rule.comparisons):
        return None
    above = [int(one.number) + (one.comparator is Comparator.GT) for one in rule.comparisons]
    return max(1, *above)


def _reaches(kind: type[Window], needed: int) -> Callable[[Any], bool]:
    """Whether a count is enough; this is asked for nearly every event, so it is spelled out."""
    if kind is Count:
        return lambda window: len(window.entries) - window.head >= needed
    return lambda window: len(window.by_value) >= needed


def _in_time(rule: Correlation, limits: Limits) -> Shape:
    if rule.condition is not None and any(negated for _, negated in named(rule.condition)):
        return _awaiting(rule, limits)
    if rule.type is _T.TEMPORAL_ORDERED and not rule.comparisons:
        return _in_sequence(rule, limits)
    return _together(rule, limits)


def _awaiting(rule: Correlation, limits: Limits) -> Shape:
    assert rule.condition is not None  # noqa: S101 - see _in_time
    steps = {key: number for number, key in enumerate(rule.sources)}
    asked = sum(1 << steps[name] for name in wanted(rule.condition))
    return Shape(
        new=lambda: Awaiting(
            limit=limits.events,
            asked=asked,
            span_ns=rule.timespan_ns,
            newest_ns=[NOT_YET] * len(rule.sources),
        ),
        holds=lambda _: False,
        judges=judging(rule.condition, steps),
        asked=asked,
        number=lambda _: None,
        timed=True,
    )


def _in_sequence(rule: Correlation, limits: Limits) -> Shape:
    count = len(rule.sources)
    if rule.condition is None:
        sequences: tuple[tuple[int, ...], ...] = (tuple(range(count)),)
    else:
        sequences = sequences_of(rule.condition, {key: number for number, key in enumerate(rule.sources)})
    whole = None if rule.condition is not None else count
    return Shape(
        new=lambda: InSequence(
            limit=limits.events,
            sequences=sequences,
            began_ns=[[NOT_YET] * len(sequence) for sequence in sequences],
        ),
        holds=_whole,
        number=lambda _: whole,
        timed=False,
    )


def _whole(window: Window) -> bool:
    return isinstance(window, InSequence) and window.whole()


def _together(rule: Correlation, limits: Limits) -> Shape:
    """All types in time whose answer is a number of steps, or follows from which steps are there."""
    count = len(rule.sources)
    ordered = rule.type is _T.TEMPORAL_ORDERED
    return Shape(
        new=(lambda: InOrder(limit=limits.events))
        if ordered
        else (lambda: Together(limit=limits.events, newest_ns=[NOT_YET] * count)),
        holds=_steps_hold(rule),
        number=(lambda _: None) if rule.condition is not None else (lambda window: window.number()),
        timed=any(one.comparator not in RISING for one in rule.comparisons),
    )


def _steps_hold(rule: Correlation) -> Callable[[Window], bool]:
    if rule.condition is not None:
        judges = judging(rule.condition, {key: number for number, key in enumerate(rule.sources)})

        def holds(window: Window) -> bool:
            present = window.present() if isinstance(window, Together) else 0
            return judges(present, 0)

        return holds
    if not rule.comparisons:
        count = len(rule.sources)
        return lambda window: window.number() == count
    compares = comparing(rule.comparisons)
    return lambda window: compares(window.number(), 1)
