"""How close rules that should come together came to it.

the most that came together were a and b, for User alice, at 5s
c came at 2m, not within 1m of that
c came for User bob, at 3s
a at 5s, for User alice: b at 7s is within 1m of it
"""

import bisect
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from fileaudit_engine.compiler.correlation_wording import listed
from fileaudit_engine.detect.keys import Key
from fileaudit_engine.detect.windows_in_time import steps_of
from fileaudit_engine.rules.ast import Correlation, CorrelationType
from fileaudit_engine.rules.correlation_condition import named
from fileaudit_engine.ruletest.heard import Heard, apart_ns, whose
from fileaudit_engine.ruletest.wording import When

IN_TIME: Final = frozenset({CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED})
"""The types that ask which rules came together."""

_EXCLUDED_SHOWN: Final = 3
"""Events that were kept from counting are shown; the first ones do."""


class _Moment(msgspec.Struct, frozen=True, gc=False):
    """What is in the window of a group at a time.

    Attributes:
        key: The group's.
        ts_ns: When.
        newest_ns: By step that is in the window, when it was there last.
    """

    key: Key
    ts_ns: int
    newest_ns: dict[int, int]


def closest_in_time(heard: Heard, when: When, around_ns: int | None) -> Iterator[str]:
    """How close it came; some event counted. The arguments are those of `closest_lines`."""
    rule = heard.plan.rule
    wanted, excluded = _roles(rule)
    moment = min(
        _moments(heard, wanted),
        key=lambda one: (-len(one.newest_ns), apart_ns(one.ts_ns, around_ns)),
        default=None,
    )
    if moment is None:
        yield f"{listed([rule.sources[step] for step in sorted(excluded)])} alone is not what it waits for"
        return
    names = listed([rule.sources[step] for step in sorted(moment.newest_ns)])
    most = f"the most that came together were {names}" if len(moment.newest_ns) > 1 else f"{names} came alone"
    yield f"{most}{whose(heard, moment.key)}, {when(moment.ts_ns)}"
    absent = sorted(wanted - moment.newest_ns.keys())
    for step in absent:
        yield from _elsewhere(heard, moment, step, when)
    if not absent and rule.type is CorrelationType.TEMPORAL_ORDERED:
        times = sorted(moment.newest_ns.items(), key=lambda pair: pair[1])
        order = ", ".join(f"{rule.sources[step]} {when(ts_ns)}" for step, ts_ns in times)
        yield f"they came in another order: {order}"
    yield from _excluding(heard, wanted, excluded, when)


def _roles(rule: Correlation) -> tuple[set[int], set[int]]:
    """The steps that are wanted, and those whose absence is; one may be both."""
    if rule.condition is None:
        return set(range(len(rule.sources))), set()
    numbers = {key: number for number, key in enumerate(rule.sources)}
    names = list(named(rule.condition))
    wanted = {numbers[name] for name, negated in names if not negated}
    return wanted, {numbers[name] for name, negated in names if negated}


def _moments(heard: Heard, wanted: set[int]) -> Iterator[_Moment]:
    """Every group at every event of it that is wanted."""
    span_ns = heard.plan.rule.timespan_ns
    for key, entries in heard.groups.items():
        newest_ns: dict[int, int] = {}
        for entry in entries:
            newest_ns.update((step, entry.ts_ns) for step in steps_of(entry.steps) if step in wanted)
            there = {step: ts_ns for step, ts_ns in newest_ns.items() if ts_ns >= entry.ts_ns - span_ns}
            if there:
                yield _Moment(key, entry.ts_ns, there)


def _elsewhere(heard: Heard, moment: _Moment, step: int, when: When) -> Iterator[str]:
    """Where a step came that is missing: at another time, or for another group."""
    rule = heard.plan.rule
    name = rule.sources[step]
    own = _times(heard, moment.key, {step})
    if own:
        nearest_ns = min(own, key=lambda ts_ns: abs(ts_ns - moment.ts_ns))
        yield f"{name} came {when(nearest_ns)}, not within {rule.timespan} of that"
        return
    others = ((times[0], key) for key in heard.groups if (times := _times(heard, key, {step})))
    first = min(others, default=None, key=lambda pair: pair[0])
    if first is not None:
        yield f"{name} came{whose(heard, first[1]).removeprefix(',')}, {when(first[0])}"


def _times(heard: Heard, key: Key, steps: Iterable[int]) -> list[int]:
    """When one of the steps was there, in order."""
    return [entry.ts_ns for entry in heard.groups[key] if any(entry.has(step) for step in steps)]


def _excluding(heard: Heard, wanted: set[int], excluded: set[int], when: When) -> Iterator[str]:
    """What kept events from counting: something that must not be near them."""
    shown = 0
    for key in heard.groups:
        against = _times(heard, key, excluded)
        for ts_ns in _times(heard, key, wanted) if against else ():
            found = _near(against, ts_ns, heard.plan.rule.timespan_ns)
            if found is not None and shown < _EXCLUDED_SHOWN:
                shown += 1
                yield _excluded(heard, key, ts_ns, found, when)


def _near(times: list[int], ts_ns: int, span_ns: int) -> int | None:
    """The first of the times that is no more than `span_ns` away."""
    place = bisect.bisect_left(times, ts_ns - span_ns)
    return times[place] if place < len(times) and times[place] <= ts_ns + span_ns else None


def _excluded(heard: Heard, key: Key, ts_ns: int, against_ns: int, when: When) -> str:
    wanted, excluded = _roles(heard.plan.rule)
    event, against = _names_at(heard, key, ts_ns, wanted), _names_at(heard, key, against_ns, excluded)
    near = f"{against} {when(against_ns)} is within {heard.plan.rule.timespan} of it"
    return f"{event} {when(ts_ns)}{whose(heard, key)}: {near}"


def _names_at(heard: Heard, key: Key, ts_ns: int, steps: set[int]) -> str:
    """Which of some steps were there at a time."""
    there = {step for e in heard.groups[key] if e.ts_ns == ts_ns for step in steps if e.has(step)}
    return listed([heard.plan.rule.sources[step] for step in sorted(there)])
