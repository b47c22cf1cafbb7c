"""What a correlation heard: the matches that counted in it, group by group, as a report can tell them.

The correlator remembers only what its answer needs. Who asks why there is no answer wants the rest: which of
its rules never matched, what came too late, what lacked a value, and which events counted apart.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from fileaudit_engine.compiler.plan import CorrelationPlan, UserCorrelation, UserPlan
from fileaudit_engine.detect.correlate import Correlator
from fileaudit_engine.detect.crossing import Crossing, Limits, Match
from fileaudit_engine.detect.keys import Key, as_value, key_of, of_crossing, of_event, values_of
from fileaudit_engine.detect.shapes import shape_of
from fileaudit_engine.detect.windows import Values
from fileaudit_engine.events.fields import Value
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.ruletest.wording import agreed


class Remembering(Correlator):
    """A correlator that remembers what it was fed, and tells of silent correlations, too."""

    def __init__(self, plan: CorrelationPlan, user: UserPlan, limits: Limits) -> None:
        """Nothing has happened yet; see `Correlator`."""
        told = tuple(replace(one, silent=False) for one in plan.correlations)
        super().__init__(replace(plan, correlations=told), user, limits)
        self.fed: list[Match] = []

    def feed(self, matches: Iterable[Match]) -> list[Crossing]:
        """Events happened."""
        come = list(matches)
        self.fed += come
        return super().feed(come)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A match as it counts in one group.

    Attributes:
        ts_ns: When, nanoseconds since the Unix epoch.
        steps: The rules of the correlation that matched, as bits.
        values: What is counted or computed with; None where the type does not look at values.
    """

    ts_ns: int
    steps: int
    values: Values

    def has(self, step: int) -> bool:
        """Whether it is of a step."""
        return bool(self.steps >> step & 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """All that one correlation heard.

    Attributes:
        plan: The correlation.
        groups: Its entries, in order of time, by the values that agree.
        times: How often each of its sources had something to say, whether it counted or not.
        late: Matches that came too late.
        without_value: Matches that lack what is counted or computed with.
    """

    plan: UserCorrelation
    groups: Mapping[Key, tuple[Entry, ...]]
    times: tuple[int, ...]
    late: int
    without_value: int

    def group(self, key: Key) -> dict[str, Value]:
        """The values of a group by their names."""
        values = key if isinstance(key, tuple) else (key,)
        return dict(zip(self.plan.rule.group_by, map(as_value, values), strict=True))


def whose(heard: Heard, key: Key) -> str:
    """`, for ProcessId 4242`; nothing where everything counts together."""
    return agreed(heard.group(key))


def apart_ns(ts_ns: int, around_ns: int | None) -> int:
    """How far a moment is from the one that is asked about; 0 where none is."""
    return 0 if around_ns is None else abs(ts_ns - around_ns)


def heard_by(
    plan: UserCorrelation, matches: Sequence[Match], crossings: Iterable[Crossing], limits: Limits
) -> Heard:
    """What a correlation heard.

    Args:
        plan: The correlation.
        matches: All, in the order in which they came.
        crossings: All, of silent correlations too.
        limits: What the correlator ran with.
    """
    hearing = _Hearing(plan, limits)
    for match, late in _with_lateness(matches, limits.lateness_ns):
        hearing.match(match, late=late)
    for crossing in crossings:
        hearing.crossing(crossing)
    return hearing.heard()


def _with_lateness(matches: Sequence[Match], lateness_ns: int) -> Iterator[tuple[Match, bool]]:
    newest_ns = matches[0].ts_ns if matches else 0
    for match in matches:
        newest_ns = max(newest_ns, match.ts_ns)
        yield match, match.ts_ns < newest_ns - lateness_ns


class _Hearing:
    """Puts together what matched of one call."""

    def __init__(self, plan: UserCorrelation, limits: Limits) -> None:
        shape = shape_of(plan, limits)
        self._plan = plan
        self._looks_at_values = shape.values
        self._keys = [key_of([of_event(field) for field in step.group]) for step in plan.steps]
        self._chained_keys = [key_of([of_crossing(field) for field in step.group]) for step in plan.steps]
        self._values = [
            values_of([of_event(field) for field in step.values], numeric=shape.numeric)
            for step in plan.steps
        ]
        self._chained_values = [
            values_of([of_crossing(field) for field in step.values], numeric=shape.numeric)
            for step in plan.steps
        ]
        self._entries: dict[tuple[int, int, Key], Entry] = {}
        self._times = [0] * len(plan.steps)
        self._late = self._without_value = 0

    def match(self, match: Match, *, late: bool) -> None:
        """A call that matched rules."""
        steps = [
            number
            for number, step in enumerate(self._plan.steps)
            if not step.chained and step.number in match.rules
        ]
        self._late += late and bool(steps)
        for step in steps:
            self._times[step] += 1
            if not late:
                values = self._values[step](match.event) if self._looks_at_values else None
                self._enter(match.ts_ns, match.event, step, self._keys[step](match.event), values)

    def crossing(self, crossing: Crossing) -> None:
        """Another correlation told something; it counts as one with the event that made it do so."""
        for number, step in enumerate(self._plan.steps):
            if step.chained and step.key == crossing.correlation.rule.key:
                self._times[number] += 1
                values = self._chained_values[number](crossing) if self._looks_at_values else None
                key = self._chained_keys[number](crossing)
                self._enter(crossing.ts_ns, crossing.event, number, key, values)

    def _enter(self, ts_ns: int, event: FileEvent | None, step: int, key: Key, values: Values) -> None:
        if self._looks_at_values and values is None:
            self._without_value += 1
            return
        call = (ts_ns, -len(self._entries) if event is None else id(event), key)
        known = self._entries.get(call)
        steps = 1 << step | (known.steps if known else 0)
        self._entries[call] = Entry(ts_ns, steps, known.values if known else values)

    def heard(self) -> Heard:
        """All of it."""
        groups: dict[Key, list[Entry]] = defaultdict(list)
        for (_, _, key), entry in sorted(self._entries.items(), key=lambda one: one[0][0]):
            groups[key].append(entry)
        return Heard(
            plan=self._plan,
            groups={key: tuple(entries) for key, entries in groups.items()},
            times=tuple(self._times),
            late=self._late,
            without_value=self._without_value,
        )
