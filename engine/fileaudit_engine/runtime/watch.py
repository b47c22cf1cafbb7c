"""From a source's batches to somebody who looks on: what `trace` and `top` do with what they hear.

No document is made of an event that is only looked at: that would cost more than all the rest.

Of `top`'s plan, one rule stands for what is watched; the others are detections. An alert counts only if its
call is watched, and under the name by which that is: sums and alerts are about the same part of the host.
Correlations are fed with watched calls only, for the same reason. Of their alerts only those count that an
event stands behind: this view is about who did what.
"""

from collections.abc import Callable, Sequence

from fileaudit_engine.compiler.stages import Compiled
from fileaudit_engine.detect.correlate import Correlator
from fileaudit_engine.detect.crossing import Crossing, Limits, Match
from fileaudit_engine.detect.described import QUIET_LEVEL
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.record import Finding
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.runtime.activity import Activity
from fileaudit_engine.runtime.correlations import seen_until


class Onlooker:
    """Hands on the events that the rules of a plan match.

    Args:
        compiled: The plan.
        show: Is shown the events of each batch that has any, in their order.
        on_loss: Is told of every loss.
    """

    def __init__(
        self,
        compiled: Compiled,
        *,
        show: Callable[[Sequence[FileEvent]], None],
        on_loss: Callable[[Loss], None],
    ) -> None:
        self._detector = Detector(compiled.user, compiled.kernel)
        self._show = show
        self._on_loss = on_loss

    def feed(self, item: Batch | Loss) -> None:
        """Take one item of a source."""
        if isinstance(item, Loss):
            self._on_loss(item)
            return
        events = [finding.event for finding in self._detector.findings(item)]
        if events:
            self._show(events)


class Watch:
    """Feeds what a source yields into an `Activity`.

    Args:
        compiled: The plan; its first rule says what is watched.
        activity: Is fed.
        on_loss: Is told of every loss.
        clock_ns: Nanoseconds since the Unix epoch, for correlations that wait while nothing happens.
        limits: How much correlations may hold.
    """

    def __init__(
        self,
        compiled: Compiled,
        activity: Activity,
        *,
        on_loss: Callable[[Loss], None],
        clock_ns: Callable[[], int],
        limits: Limits,
    ) -> None:
        self._detector = Detector(compiled.user, compiled.kernel)
        self._watched = compiled.user.rules[0]
        self._numbers = {id(rule): number for number, rule in enumerate(compiled.user.rules)}
        self._feeding, self._silent = compiled.correlations.feeding, compiled.correlations.silent
        self._correlator = Correlator(compiled.correlations, compiled.user, limits)
        self._activity = activity
        self._on_loss = on_loss
        self._clock_ns = clock_ns
        self._asked_ns = clock_ns()

    def feed(self, item: Batch | Loss) -> None:
        """Take one item of a source."""
        if isinstance(item, Loss):
            self._activity.lose(item)
            self._correlator.lose(item)
            self._on_loss(item)
        else:
            matches = [match for call in self._detector.calls(item) if (match := self._call(call))]
            self._tell(self._correlator.feed(matches))
            self._pass_time(item)
        self._asked_ns = self._clock_ns()

    def settle(self) -> None:
        """The source has given up everything that happened until now."""
        self._tell(self._correlator.advance(self._clock_ns() + self._correlator.limits.lateness_ns + 1))

    def _call(self, call: Sequence[Finding]) -> Match | None:
        """Count a call and its alerts; returns what correlations have to know of it."""
        watched = next((found.event for found in call if found.rule is self._watched), None)
        if watched is None:
            return None
        self._activity.feed(watched)
        feeding = []
        for rule in (found.rule for found in call if found.rule is not self._watched):
            number = self._numbers[id(rule)]
            if number in self._feeding:
                feeding.append(number)
            if number not in self._silent and rule.rule.level != QUIET_LEVEL:
                self._activity.alert(watched, level=rule.rule.level, title=rule.rule.title)
        return Match(watched.ts_ns, tuple(sorted(feeding)), watched) if feeding else None

    def _pass_time(self, batch: Batch) -> None:
        if self._correlator.waiting:
            self._tell(self._correlator.advance(seen_until(batch, self._asked_ns)))

    def _tell(self, crossings: Sequence[Crossing]) -> None:
        """Count the alerts of correlations, each with the newest event behind it."""
        for crossing in crossings:
            rule, event = crossing.correlation.rule, crossing.event
            if rule.level != QUIET_LEVEL and event is not None:
                self._activity.alert(event, level=rule.level, title=rule.title)
