"""How close the events came to what a correlation waits for, in a few lines.

    the most that came together were 48 of 50, for ProcessId 4242, at 58s
    60 came for it within 2m3s, but not within 1m

Of conditions that are no count of something, the closest is the moment whose number was nearest to what is
asked for. What rules that should come together came to, is said in `closest_in_time`.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

import msgspec
from typing_extensions import assert_never

from fileaudit_engine.compiler.correlation_wording import listed, measure, number
from fileaudit_engine.detect.crossing import Limits, Number
from fileaudit_engine.detect.holding import RISING
from fileaudit_engine.detect.keys import Key
from fileaudit_engine.detect.occurrence import Occurrence
from fileaudit_engine.detect.shapes import shape_of
from fileaudit_engine.rules.ast import Comparator, Comparison, Correlation, CorrelationType
from fileaudit_engine.ruletest.closest_in_time import IN_TIME, closest_in_time
from fileaudit_engine.ruletest.heard import Entry, Heard, apart_ns, whose
from fileaudit_engine.ruletest.wording import When, duration

_COUNTS: Final = frozenset({CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT})
_ALMOST: Final = Fraction(1, 10**9)
"""How far off a number is that is what it must not be."""


class _Moment(msgspec.Struct, frozen=True, gc=False):
    """A group at a time.

    Attributes:
        key: The group's.
        ts_ns: When.
        number: What was compared then.
    """

    key: Key
    ts_ns: int
    number: Number


def closest_lines(heard: Heard, when: When, around_ns: int | None = None) -> Iterator[str]:
    """How close it came; nothing where no event counted.

    Args:
        heard: All that it heard.
        when: Says when something happened.
        around_ns: Of several moments that are equally close, the one nearest to this time is told, else the
            first; nanoseconds since the Unix epoch.
    """
    rule = heard.plan.rule
    if not heard.groups:
        return
    if rule.type in IN_TIME:
        yield from closest_in_time(heard, when, around_ns)
        return
    moment = _closest(heard, around_ns)
    then = f"{whose(heard, moment.key)}, {when(moment.ts_ns)}"
    if _only_grows(rule):
        yield f"the most that came together were {_of(rule, moment.number)}{then}"
        yield from _over_time(heard, moment)
        yield from _in_groups(heard)
    else:
        what = f"{measure(rule)} {'were' if rule.type in _COUNTS else 'is'} {number(moment.number)}"
        yield f"the closest: {what}{then}"


# --- numbers -----------------------------------------------------------------------------------------------


def _only_grows(rule: Correlation) -> bool:
    return rule.type in _COUNTS and all(one.comparator in RISING for one in rule.comparisons)


def _closest(heard: Heard, around_ns: int | None) -> _Moment:
    """A moment at which the number was nearest to what is asked for."""
    comparisons = heard.plan.rule.comparisons
    return min(
        _moments(heard),
        key=lambda moment: (distance(moment.number, comparisons), apart_ns(moment.ts_ns, around_ns)),
    )


def _moments(heard: Heard) -> Iterator[_Moment]:
    """Every group at every event of it, in order of time within the group."""
    span_ns = heard.plan.rule.timespan_ns
    shape = shape_of(heard.plan, Limits())
    for key, entries in heard.groups.items():
        window = shape.new()
        for entry in entries:
            window.leave(entry.ts_ns - span_ns)
            window.add(Occurrence(ts_ns=entry.ts_ns, event=None), entry.steps, entry.values)
            yield _Moment(key, entry.ts_ns, window.number())


def distance(found: Number, comparisons: Sequence[Comparison]) -> Number:
    """How far a number is from satisfying all comparisons; 0 if it does."""
    return sum((_off(found, one) for one in comparisons), Fraction(0))


def _off(found: Number, asked: Comparison) -> Number:
    short: Number
    match asked.comparator:
        case Comparator.GT | Comparator.GTE:
            short = asked.number - found
        case Comparator.LT | Comparator.LTE:
            short = found - asked.number
        case Comparator.EQ:
            return abs(Fraction(found) - asked.number)
        case Comparator.NEQ:
            return 0 if found != asked.number else _ALMOST
        case _ as never:
            assert_never(never)
    strict = asked.comparator in {Comparator.GT, Comparator.LT}
    if short > 0:
        return short
    return _ALMOST if strict and not short else 0


def _of(rule: Correlation, found: Number) -> str:
    """`48 of 50`; with what is counted where it is not events."""
    least = max(int(one.number) + (1 if one.comparator is Comparator.GT else 0) for one in rule.comparisons)
    what = "" if rule.type is CorrelationType.EVENT_COUNT else f" {measure(rule)}"
    return f"{number(found)} of {number(least)}{what}"


def _over_time(heard: Heard, moment: _Moment) -> Iterator[str]:
    """Whether a longer window would have been enough for the group."""
    rule, entries = heard.plan.rule, heard.groups[moment.key]
    in_all = _number_of(rule, entries)
    if in_all > moment.number and not distance(in_all, rule.comparisons):
        length = duration(entries[-1].ts_ns - entries[0].ts_ns)
        yield f"{number(in_all)} came for it within {length}, but not within {rule.timespan}"


def _in_groups(heard: Heard) -> Iterator[str]:
    """Whether the events would have been enough if they did not count apart."""
    rule = heard.plan.rule
    everything = [entry for entries in heard.groups.values() for entry in entries]
    in_all = _number_of(rule, everything)
    if len(heard.groups) > 1 and not distance(in_all, rule.comparisons):
        groups, names = f"{len(heard.groups):,} groups", listed(rule.group_by)
        yield f"all {number(in_all)} would be enough, but count apart: they are {groups} by {names}"


def _number_of(rule: Correlation, entries: Sequence[Entry]) -> int:
    """What is counted of entries, however far apart they are."""
    if rule.type is CorrelationType.VALUE_COUNT:
        return len({entry.values for entry in entries})
    return len(entries)
