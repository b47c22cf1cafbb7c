"""What events came to in a correlation: what made it tell, or what it was short of."""

from collections.abc import Iterator, Sequence
from typing import Final

from fileaudit_engine.compiler.correlation_wording import listed
from fileaudit_engine.detect.crossing import Crossing, Limits
from fileaudit_engine.detect.crossing_words import seen
from fileaudit_engine.detect.holding import judging
from fileaudit_engine.rules.ast import Condition
from fileaudit_engine.rules.correlation_condition import wanted as wanted_of
from fileaudit_engine.ruletest.closest import closest_lines, distance
from fileaudit_engine.ruletest.closest_in_time import IN_TIME
from fileaudit_engine.ruletest.heard import Heard
from fileaudit_engine.ruletest.wording import When, agreed, deed, duration
from fileaudit_engine.text import counted

_SOURCES_SHOWN: Final = 8
"""Sources of a correlation of which it is told how often they matched; it may have a hundred."""


def made_of(crossing: Crossing, when: When) -> str:
    """What made it tell: `50 events, for ProcessId 4242: from rename /a at 0s to rename /b at 58s`."""
    told = seen(crossing) + agreed(crossing.group)
    if not crossing.events:
        return told
    first, last = _named(crossing, 0, when), _named(crossing, -1, when)
    return f"{told}: {first}" if len(crossing.events) == 1 else f"{told}: from {first} to {last}"


def _named(crossing: Crossing, place: int, when: When) -> str:
    one = crossing.events[place]
    return f"{deed(one.event) if one.event else 'an event'} {when(one.ts_ns)}"


def short_of(heard: Heard, limits: Limits, when: When, around_ns: int | None = None) -> Iterator[str]:
    """Why it told nothing: what it heard, how close that came, and what did not count.

    Args:
        heard: All that it heard.
        limits: What the correlator ran with.
        when: Says when something happened.
        around_ns: See `closest_lines`.
    """
    steps = list(zip(heard.plan.steps, heard.times, strict=True))
    told = [_times(step.key, times, chained=step.chained) for step, times in steps[:_SOURCES_SHOWN]]
    more = len(steps) - len(told)
    yield ", ".join((*told, f"and {more} more") if more else told)
    yield from closest_lines(heard, when, around_ns)
    if heard.late:
        most = duration(limits.lateness_ns)
        yield f"{counted(heard.late, 'event')} came more than {most} late: late ones are not correlated"
    if heard.without_value:
        fields = listed(heard.plan.rule.value_fields, "or")
        yield f"{counted(heard.without_value, 'time')} there was no {fields} that counts"


def in_the_way(heard: Heard) -> list[str]:
    """The sources that would have had to say something, and never did."""
    rule = heard.plan.rule
    never = [number for number, times in enumerate(heard.times) if not times]
    if rule.type not in IN_TIME:
        missing = never if len(never) == len(heard.times) else []  # any of them counts
    elif rule.condition is not None:
        missing = _wanted(rule.condition, rule.sources, never)
    elif rule.comparisons:
        missing = never if distance(len(heard.times) - len(never), rule.comparisons) else []
    else:
        missing = never
    return [rule.sources[number] for number in missing]


def _wanted(condition: Condition, sources: Sequence[str], never: Sequence[int]) -> list[int]:
    """Those without which a condition cannot hold; where it can without each of them, all that it wants."""
    steps = {key: number for number, key in enumerate(sources)}
    holds = judging(condition, steps)
    everything = (1 << len(sources)) - 1
    if holds(everything - sum(1 << number for number in never), 0):
        return []
    needed = [number for number in never if not holds(everything - (1 << number), 0)]
    wanted = {steps[name] for name in wanted_of(condition)}
    return needed or [number for number in never if number in wanted]


def _times(key: str, times: int, *, chained: bool) -> str:
    verb = "was raised" if chained else "matched"
    return f"{key} {verb} {counted(times, 'time')}" if times else f"{key} never {verb}"
