"""What events came to in a correlation: what made it tell, or what it was short of."""

from collections.abc import Iterator

from fileaudit_engine.compiler.correlation_wording import listed
from fileaudit_engine.detect.crossing import Crossing, Limits
from fileaudit_engine.detect.crossing_words import seen, together
from fileaudit_engine.ruletest.closest import closest_lines
from fileaudit_engine.ruletest.heard import Heard
from fileaudit_engine.ruletest.wording import When, deed, duration
from fileaudit_engine.text import counted


def made_of(crossing: Crossing, when: When) -> str:
    """What made it tell: `50 events, for ProcessId 4242: from rename /a at 0s to rename /b at 58s`."""
    group = together(crossing.group)
    told = f"{seen(crossing)}, for {group}" if group else seen(crossing)
    if not crossing.events:
        return told
    first, last = _named(crossing, 0, when), _named(crossing, -1, when)
    return f"{told}: {first}" if len(crossing.events) == 1 else f"{told}: from {first} to {last}"


def _named(crossing: Crossing, place: int, when: When) -> str:
    one = crossing.events[place]
    return f"{deed(one.event) if one.event else 'an event'} {when(one.ts_ns)}"


def short_of(heard: Heard, limits: Limits, when: When) -> Iterator[str]:
    """Why it told nothing: what it heard, how close that came, and what did not count.

    Args:
        heard: All that it heard.
        limits: What the correlator ran with.
        when: Says when something happened.
    """
    steps = zip(heard.plan.steps, heard.times, strict=True)
    yield ", ".join(_times(step.key, times, chained=step.chained) for step, times in steps)
    yield from closest_lines(heard, when)
    if heard.late:
        most = duration(limits.lateness_ns)
        yield f"{counted(heard.late, 'event')} came more than {most} late: late ones are not correlated"
    if heard.without_value:
        fields = listed(heard.plan.rule.value_fields, "or")
        yield f"{counted(heard.without_value, 'time')} there was no {fields} that counts"


def _times(key: str, times: int, *, chained: bool) -> str:
    verb = "was raised" if chained else "matched"
    return f"{key} {verb} {counted(times, 'time')}" if times else f"{key} never {verb}"
