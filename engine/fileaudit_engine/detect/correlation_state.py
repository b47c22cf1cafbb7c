"""The state of correlations as JSON: stopped, kept, and gone on with as if nothing had been.

    {"version": 1, "newest_ns": …, "pending": [[ts, [rule, …], event], …], "losses": […], "correlations": [
       {"key": …, "meaning": …, "groups": [[values, window], …]}, …]}

Groups stand in the order in which they were used, so that it is the same ones that go when there are too
many. Events are their ids, but for those that may still have to be shown: the ones that wait for their turn,
and the newest of a group that may cross without a new one. A correlation is gone on with if it still means
the same; one that was changed begins anew, and is named.
"""

import heapq
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from fileaudit_engine.detect.crossing import Match
from fileaudit_engine.detect.keys import room_of
from fileaudit_engine.detect.window_state import SavedWindow, read_window, saved_window
from fileaudit_engine.detect.written import (
    BadState,
    Ns,
    read_event,
    read_key,
    read_loss,
    read_ns,
    written_event,
    written_loss,
    written_value,
)
from fileaudit_engine.text import counted, to_document

if TYPE_CHECKING:  # it is what calls this
    from fileaudit_engine.detect.correlate import Correlator, Timer
    from fileaudit_engine.detect.tracking import Tracked

VERSION: Final = 1
"""Of the form of the state."""


class _SavedCorrelation(msgspec.Struct, kw_only=True):
    key: str
    meaning: str
    evicted_groups: int
    evicted_events: int
    late: int
    told_ns: Ns | None
    groups: list[tuple[Any, SavedWindow]]


class _Saved(msgspec.Struct, kw_only=True):
    version: int
    newest_ns: Ns | None
    late: int
    turns: int
    taken: int
    taken_ns: Ns
    pending: list[tuple[int, list[str], Any]]
    losses: list[Any]
    unjudged: list[Any]
    correlations: list[_SavedCorrelation]


def saved(correlator: "Correlator") -> bytes:
    """The state; the same state gives the same bytes."""
    alarms = {id(timer[-1]): timer[0] for timer in correlator.timers if timer[-1].turn == timer[3]}
    keys = [to_document(key) for key in correlator.rules]
    state = _Saved(
        version=VERSION,
        newest_ns=correlator.newest_ns,
        late=correlator.late,
        turns=correlator.turns,
        taken=correlator.taken,
        taken_ns=correlator.taken_ns,
        pending=[
            (match.ts_ns, [keys[rule] for rule in match.rules], written_event(match.event))
            for match in correlator.pending
        ],
        losses=[written_loss(loss) for loss in correlator.losses.kept],
        unjudged=[written_loss(loss) for loss in correlator.losses.unjudged],
        correlations=[
            _saved_correlation(tracked, correlator.meanings.of(tracked.number), alarms)
            for tracked in correlator.tracked
        ],
    )
    return msgspec.json.encode(state)


def _saved_correlation(tracked: "Tracked", meaning: str, alarms: Mapping[int, int]) -> _SavedCorrelation:
    return _SavedCorrelation(
        key=to_document(tracked.plan.rule.key),
        meaning=meaning,
        evicted_groups=tracked.evicted_groups,
        evicted_events=tracked.evicted_events,
        late=tracked.late,
        told_ns=tracked.told_ns,
        groups=[
            (written_value(key), saved_window(window, alarms.get(id(window))))
            for key, window in tracked.groups.items()
        ],
    )


def resume(correlator: "Correlator", raw: bytes) -> list[str]:
    """Go on with a state; returns in words what could not be gone on with.

    Args:
        correlator: A new one. With a state that cannot be read at all it stays as it is.
        raw: What `saved` wrote.
    """
    try:
        state = msgspec.json.decode(raw, type=_Saved)
    except msgspec.DecodeError as error:
        return [f"the state cannot be read ({error}): correlations begin anew"]
    if state.version != VERSION:
        return [f"the state has version {state.version} instead of {VERSION}: correlations begin anew"]
    try:
        read = _Resuming(correlator, state)
    except (BadState, LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        return [f"the state cannot be read ({str(error)[:80]}): correlations begin anew"]
    return read.put_in_force()


class _Resuming:
    """Reads everything before anything of it is put in force."""

    def __init__(self, correlator: "Correlator", state: _Saved) -> None:
        """Read all of it.

        Raises:
            BadState: It is not what was saved; other errors mean the same.
        """
        self._correlator = correlator
        self._state = state
        self._problems: list[str] = []
        self._timers: list[Timer] = []
        self._pending = list(self._waiting(state.pending))
        self._losses = [read_loss(loss) for loss in state.losses]
        self._unjudged = [read_loss(loss) for loss in state.unjudged]
        known = {one.key: one for one in state.correlations}
        self._taken_over = [
            (tracked, one, self._groups(tracked, one))
            for tracked in correlator.tracked
            if (one := self._same(tracked, known)) is not None
        ]
        self._note_gone(known)
        if len({timer[3] for timer in self._timers}) < len(self._timers):
            raise BadState("two timers are one")

    def _note_gone(self, known: Mapping[str, _SavedCorrelation]) -> None:
        here = {to_document(tracked.plan.rule.key) for tracked in self._correlator.tracked}
        self._problems += (
            f"{key} is gone, and with it {counted(len(one.groups), 'group')}"
            for key, one in known.items()
            if key not in here and one.groups
        )

    def put_in_force(self) -> list[str]:
        """Go on with it; returns in words what could not be gone on with."""
        correlator, state = self._correlator, self._state
        for tracked, one, groups in self._taken_over:
            tracked.groups.update(groups)
            tracked.entries = sum(window.size for window in tracked.groups.values())
            tracked.beside = sum(map(room_of, tracked.groups))
            tracked.evicted_groups, tracked.evicted_events = one.evicted_groups, one.evicted_events
            tracked.late, tracked.told_ns = one.late, one.told_ns
            tracked.within_limits()
        correlator.newest_ns, correlator.late = state.newest_ns, state.late
        correlator.turns, correlator.taken = state.turns, state.taken
        correlator.taken_ns = state.taken_ns
        correlator.pending += self._pending
        correlator.losses.kept += self._losses
        correlator.losses.unjudged += self._unjudged
        correlator.timers += self._timers
        heapq.heapify(correlator.timers)
        return self._problems

    def _waiting(self, written: Iterable[tuple[int, list[str], Any]]) -> Iterable[Match]:
        numbers = {to_document(key): number for number, key in enumerate(self._correlator.rules)}
        for ts_ns, keys, event in written:
            rules = tuple(sorted(numbers[key] for key in keys if key in numbers))
            if rules:
                yield Match(read_ns(ts_ns), rules, read_event(event))

    def _same(self, tracked: "Tracked", known: Mapping[str, _SavedCorrelation]) -> _SavedCorrelation | None:
        """What was saved of a correlation that still means the same."""
        one = known.get(to_document(tracked.plan.rule.key))
        if one is None or one.meaning == self._correlator.meanings.of(tracked.number):
            return one
        if one.groups:
            message = f"{one.key} was changed: it begins anew, without {counted(len(one.groups), 'group')}"
            self._problems.append(message)
        return None

    def _groups(self, tracked: "Tracked", one: _SavedCorrelation) -> "list[tuple[Any, Any]]":
        groups = []
        for written, window_state in one.groups:
            key = read_key(written, len(tracked.plan.rule.group_by))
            window = read_window(tracked.shape.new(), window_state, keeps_newest=tracked.keeps_newest)
            groups.append((key, window))
            if window_state.newest is not None and window.size:
                self._correlator.whole.keep(window.occurrences()[-1])
            if window.turn >= 0 and window_state.alarm_ns is not None:
                self._timers.append(
                    (window_state.alarm_ns, tracked.kind, tracked.number, window.turn, key, window)
                )
        return groups
