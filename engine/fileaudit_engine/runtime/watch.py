"""From a source's batches to somebody who looks on: what `trace` and `top` do with what they hear.

No document is made of an event that is only looked at: that would cost more than all the rest.

Of `top`'s plan, one rule stands for what is watched; the others are detections. An alert counts only if its
call is watched, and under the name by which that is: sums and alerts are about the same part of the host.
Correlations are fed with watched calls only, for the same reason. Of their alerts only those count that an
event stands behind: this view is about who did what.
"""

from collections.abc import Callable, Iterator, Sequence

from fileaudit_engine.compiler.stages import Compiled
from fileaudit_engine.detect.crossing import Crossing, Limits
from fileaudit_engine.detect.detector import Detector, Matched
from fileaudit_engine.detect.record import Finding
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.rules.ast import QUIET_LEVEL
from fileaudit_engine.runtime.activity import Activity
from fileaudit_engine.runtime.correlations import PUT_BACK, Correlations, seen_until


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


class _OfWatched(Detector):
    """Knows no calls but those that the first rule matches, each by the name under which it does."""

    def matched(self, batch: Batch) -> Iterator[Matched]:
        """Of each call first that it is watched, then the other rules that it matches."""
        for call in super().matched(batch):
            for watched, event in call:
                if self.numbers[id(watched)] == 0:
                    yield (watched, event), *((rule, event) for rule, _ in call if rule is not watched)


class Watch:
    """Feeds what a source yields into an `Activity`.

    Args:
        compiled: The plan; its first rule says what is watched.
        activity: Is fed.
        on_loss: Is told of every loss.
        tell: Is told, in words, what else people should know.
        clock_ns: Nanoseconds since the Unix epoch, for correlations that wait while nothing happens.
        limits: How much correlations may hold.
    """

    def __init__(  # noqa: PLR0913 - one argument a part
        self,
        compiled: Compiled,
        activity: Activity,
        *,
        on_loss: Callable[[Loss], None],
        tell: Callable[[str], None],
        clock_ns: Callable[[], int],
        limits: Limits,
    ) -> None:
        detector = _OfWatched(compiled.user, compiled.kernel)
        self._watched = compiled.user.rules[0]
        self._correlations = Correlations(detector, compiled.correlations, compiled.user, limits)
        self._activity = activity
        self._on_loss = on_loss
        self._tell = tell
        self._clock_ns = clock_ns
        self._asked_ns = clock_ns()

    def feed(self, item: Batch | Loss) -> None:
        """Take one item of a source."""
        if isinstance(item, Loss):
            self._activity.lose(item)
            self._count_crossings(self._correlations.correlator.lose(item))
            self._on_loss(item)
        else:
            self._take(item)
        self._asked_ns = self._clock_ns()

    def settle(self) -> None:
        """The source has given up everything that happened until now."""
        self._count_crossings(self._correlations.conclude(self._clock_ns()))

    def _take(self, batch: Batch) -> None:
        if self._correlations.were_put_back(self._asked_ns):
            self._count_crossings(self._correlations.conclude())
            self._tell(PUT_BACK)
            self._correlations = self._correlations.anew()
        findings, crossings = self._correlations.take(batch)
        for found in findings:
            self._count(found)
        self._count_crossings(crossings)
        if self._correlations.correlator.waiting:
            seen_ns = seen_until(batch, self._asked_ns)
            self._count_crossings(self._correlations.correlator.advance(seen_ns))

    def _count(self, found: Finding) -> None:
        """Count a call, or an alert about one."""
        rule = found.rule.rule
        if found.rule is self._watched:
            self._activity.feed(found.event)
        elif rule.level != QUIET_LEVEL:
            self._activity.alert(found.event, level=rule.level, title=rule.title)

    def _count_crossings(self, crossings: Sequence[Crossing]) -> None:
        """Count the alerts of correlations, each with the newest event behind it."""
        for crossing in crossings:
            rule, event = crossing.correlation.rule, crossing.event
            if rule.level != QUIET_LEVEL and event is not None:
                self._activity.alert(event, level=rule.level, title=rule.title)
