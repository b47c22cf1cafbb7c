"""What was lost, and what that may hide.

An alert whose window a loss touches says so. And a correlation may ask to be told where there was no alert,
but could have been one, had the lost events been what it waits for. That is a guess, and it is told as one.
"""

from typing import Final

from fileaudit_engine.detect.crossing import Crossing, Evicted
from fileaudit_engine.detect.keys import Key
from fileaudit_engine.detect.tracking import Tracked
from fileaudit_engine.detect.windows import NEVER, Window
from fileaudit_engine.events.model import Loss

_JUDGED_TOGETHER_NS: Final = 1_000_000_000

_MOST: Final = 1_000
"""Losses that are told apart; the earliest two become one then, as long as both together."""


class Losses:
    """What was lost lately.

    Attributes:
        kept: All that some alert may still have to name.
        unjudged: Those that time has not passed yet, in the order in which it will.
    """

    def __init__(self, *, reach_ns: int, judged: bool) -> None:
        """Nothing was lost.

        Args:
            reach_ns: How far back an alert may reach.
            judged: Whether anybody asks what a loss may hide.
        """
        self.kept: list[Loss] = []
        self.unjudged: list[Loss] = []
        self._reach_ns = reach_ns
        self._judged = judged

    def add(self, loss: Loss) -> None:
        """One more."""
        _join(self.kept, loss)
        if self._judged and loss.counts:
            self._to_be_judged(loss)

    def _to_be_judged(self, loss: Loss) -> None:
        """All that is lost within a second is judged at once: it takes a look at every group."""
        unjudged = self.unjudged
        if unjudged and abs(loss.last_ns - unjudged[-1].first_ns) <= _JUDGED_TOGETHER_NS:
            unjudged[-1] = _one(unjudged[-1], loss)
        else:
            _join(unjudged, loss)
        unjudged.sort(key=lambda one: one.last_ns)

    def between(self, first_ns: int, last_ns: int) -> tuple[Loss, ...]:
        """Those that touch this time, both ends included."""
        return tuple(loss for loss in self.kept if loss.first_ns <= last_ns and loss.last_ns >= first_ns)

    def forget(self, now_ns: int) -> None:
        """Nothing before `now_ns` will be told any more."""
        if self.kept and self.kept[0].last_ns < now_ns - self._reach_ns:
            self.kept = [loss for loss in self.kept if loss.last_ns >= now_ns - self._reach_ns]

    @property
    def due_ns(self) -> int:
        """When the next one is to be judged: all that happened while it lasted has been seen then."""
        return self.unjudged[0].last_ns + 1 if self.unjudged else NEVER

    def judged(self) -> Loss:
        """That one, which is then out of the way."""
        return self.unjudged.pop(0)


def _join(losses: list[Loss], loss: Loss) -> None:
    """Add a loss; to another of the same time, if there is one. Of too many, the earliest two become one."""
    for place, other in enumerate(losses):
        if (other.first_ns, other.last_ns) == (loss.first_ns, loss.last_ns):
            losses[place] = _one(other, loss)
            return
    losses.append(loss)
    if len(losses) > _MOST:
        losses[:2] = [_one(losses[0], losses[1])]


def _one(a: Loss, b: Loss) -> Loss:
    counts = dict(a.counts)
    for name, count in b.counts.items():
        counts[name] = counts.get(name, 0) + count
    return Loss(first_ns=min(a.first_ns, b.first_ns), last_ns=max(a.last_ns, b.last_ns), counts=counts)


def suspicion(tracked: Tracked, loss: Loss) -> Crossing | None:
    """What a loss may hide from a correlation that asks for it; None where nothing, or it was told lately."""
    rule = tracked.plan.rule
    told_ns = tracked.told_ns
    if not rule.suspected or (told_ns is not None and loss.last_ns - told_ns <= tracked.span_ns):
        return None
    lost = sum(loss.counts.get(operation.value, 0) for operation in tracked.plan.operations)
    closest = _closest(tracked, loss.last_ns, lost) if lost else None
    if closest is None:
        return None
    tracked.told_ns = loss.last_ns
    key, window = closest
    seen = list(window.occurrences()) if window else []
    return Crossing(
        correlation=tracked.plan,
        ts_ns=loss.last_ns,
        group={} if window is None else tracked.group(key),
        value=tracked.shape.number(window) if window else None,
        total=len(seen),
        events=tracked.listed(seen),
        first_ns=seen[0].ts_ns if seen else loss.first_ns,
        last_ns=seen[-1].ts_ns if seen else loss.last_ns,
        losses=(loss,),
        evicted=Evicted(tracked.evicted_groups, tracked.evicted_events),
        late=tracked.late,
        suspected=True,
    )


def _closest(tracked: Tracked, last_ns: int, lost: int) -> tuple[Key, Window | None] | None:
    """The group that wanted the fewest events, or the lack of any; None where too few were lost.

    Of a count that has to be reached it is known how many that are. Of all else one event may be enough.
    """
    needed = tracked.shape.needed
    best: tuple[Key, Window] | None = None
    number = 0
    for key, window in tracked.current(last_ns):
        if window.active or not window.size or window.occurrences()[0].ts_ns > last_ns:
            continue
        has = window.size if needed is not None else 1
        if has >= number:
            best, number = (key, window), has
    if needed is not None and number + lost < needed:
        return None
    return best or (None, None)
