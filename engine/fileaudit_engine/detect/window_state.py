"""One group's window as JSON. What follows from its events (sums, ranks, counts) is made again, not kept."""

from collections.abc import Sequence
from typing import Any

import msgspec

from fileaudit_engine.detect.crossing import Contribution
from fileaudit_engine.detect.occurrence import Chain, Occurrence
from fileaudit_engine.detect.windows import Distinct, Listed, Quantile, Sum, Valued, Window, is_number
from fileaudit_engine.detect.windows_in_time import Awaiting, InOrder, InSequence, Together
from fileaudit_engine.detect.written import (
    BadState,
    Ns,
    checked,
    read_event,
    read_loss,
    read_ns,
    read_value,
    written_event,
    written_loss,
    written_value,
)


class SavedWindow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A window.

    Attributes:
        active: As `Window.active`; `turn`, `since_ns`, `used_ns` likewise.
        alarm_ns: When its timer goes off.
        newest: Its newest event in full, where the condition may turn true without another.
        occurrences: Its events.
        values: Their values, where they have some.
        newest_ns: Of each step, in the types in time.
        began_ns: Of the ordered types: what `InOrder`, or `InSequence`, keeps.
        judged_ns: As `Awaiting.judged_ns`.
    """

    active: bool = False
    turn: int = -1
    since_ns: Ns
    used_ns: Ns
    alarm_ns: Ns | None = None
    newest: Any = None
    occurrences: list[Any]
    values: list[Any] | None = None
    newest_ns: list[Ns] | None = None
    began_ns: list[Any] | None = None
    judged_ns: Ns | None = None


def saved_window(window: Window, alarm_ns: int | None) -> SavedWindow:
    """A window for JSON; `alarm_ns` is when its timer goes off."""
    occurrences = window.occurrences()
    state = SavedWindow(
        active=window.active,
        turn=window.turn,
        since_ns=window.since_ns,
        used_ns=window.used_ns,
        alarm_ns=alarm_ns,
        occurrences=[_written(one) for one in occurrences],
    )
    newest = window.newest or (occurrences[-1].event if occurrences and alarm_ns is not None else None)
    if newest is not None:
        state.newest = written_event(newest)
    match window:
        case Distinct():
            state.values = [written_value(value) for value in window.by_value]
        case Valued():
            state.values = [written_value(value) for value in window.values[window.head :]]
        case Awaiting():
            state.newest_ns, state.judged_ns = list(window.newest_ns), window.judged_ns
        case InOrder():
            state.began_ns = [[*place, ts_ns] for place, ts_ns in window.began_ns.items()]
        case InSequence():
            state.began_ns = [list(began) for began in window.began_ns]
        case Together():
            state.newest_ns = list(window.newest_ns)
    return state


def read_window(window: Window, state: SavedWindow, *, keeps_newest: bool) -> Window:
    """A new window with what was saved of it.

    Args:
        window: It.
        state: What was saved.
        keeps_newest: As `Tracked.keeps_newest`.

    Raises:
        BadState: What was saved is of another kind of window.
    """
    occurrences = [_read(one) for one in state.occurrences]
    if state.newest is not None and keeps_newest:
        window.newest = read_event(state.newest)
    elif state.newest is not None and occurrences:
        occurrences[-1].event = read_event(state.newest)
    match window:
        case Distinct() | Valued():
            values = [read_value(value) for value in state.values or ()]
            if isinstance(window, Sum | Quantile) and not all(map(is_number, values)):
                raise BadState("a value is no number")
            _same_length(values, occurrences)
            for one, value in zip(occurrences, values, strict=True):
                window.add(one, 0, value)
        case Awaiting() | Together():
            window.entries = occurrences
            window.newest_ns = list(_same_length(state.newest_ns or (), window.newest_ns))
        case Listed():
            window.entries = occurrences
    _read_order(window, state)
    window.active, window.turn = state.active, state.turn
    window.since_ns, window.used_ns = state.since_ns, state.used_ns
    return window


def _read_order(window: Window, state: SavedWindow) -> None:
    """What only some of the windows in time have."""
    match window:
        case Awaiting() if state.judged_ns is not None:
            window.judged_ns = state.judged_ns
        case InOrder():
            chains = [
                (int(last), int(length), read_ns(ts_ns)) for last, length, ts_ns in state.began_ns or ()
            ]
            window.began_ns = {(last, length): ts_ns for last, length, ts_ns in chains}
        case InSequence():
            pairs = zip(_same_length(state.began_ns or (), window.began_ns), window.began_ns, strict=True)
            window.began_ns = [list(map(read_ns, _same_length(began, empty))) for began, empty in pairs]


def _same_length(found: Sequence[Any], wanted: Sequence[Any]) -> Sequence[Any]:
    if len(found) != len(wanted):
        raise BadState("a window is not whole")
    return found


def _written(one: Occurrence) -> object:
    if one.chain is None:
        return [one.ts_ns, one.id]
    chain = one.chain
    events = [[each.ts_ns, each.id] for each in chain.events]
    losses = [written_loss(loss) for loss in chain.losses]
    return [one.ts_ns, one.id, list(chain.alerts), events, losses, chain.direct]


def _read(written: Any) -> Occurrence:  # noqa: ANN401 - whatever JSON holds
    def read() -> Occurrence:
        ts_ns, fingerprint, *rest = written
        one = Occurrence(read_ns(ts_ns), None, str(fingerprint))
        if rest:
            alerts, events, losses, direct = rest
            one.chain = Chain(
                alerts=tuple(map(str, alerts)),
                events=tuple(Contribution(read_ns(at_ns), str(its_id)) for at_ns, its_id in events),
                losses=tuple(map(read_loss, losses)),
                direct=bool(direct),
            )
        return one

    found: Occurrence = checked(read)
    return found
