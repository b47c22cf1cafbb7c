"""From a source's batches to somebody who looks on: what `trace` and `top` do with what they hear.

No document is made of an event that is only looked at: that would cost more than all the rest.

Of `top`'s plan, one rule stands for what is watched; the others are detections. An alert counts only if its
call is watched, and under the name by which that is: sums and alerts are about the same part of the host.
"""

from collections.abc import Callable, Sequence

from fileaudit_engine.compiler.stages import Compiled
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.runtime.activity import Activity


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
    """

    def __init__(self, compiled: Compiled, activity: Activity, *, on_loss: Callable[[Loss], None]) -> None:
        self._detector = Detector(compiled.user, compiled.kernel)
        self._watched = compiled.user.rules[0]
        self._activity = activity
        self._on_loss = on_loss

    def feed(self, item: Batch | Loss) -> None:
        """Take one item of a source."""
        if isinstance(item, Loss):
            self._activity.lose(item)
            self._on_loss(item)
            return
        for call in self._detector.calls(item):
            watched = next((found.event for found in call if found.rule is self._watched), None)
            if watched is not None:
                self._activity.feed(watched)
                for rule in (found.rule.rule for found in call if found.rule is not self._watched):
                    if rule.level != "informational":
                        self._activity.alert(watched, level=rule.level, title=rule.title)
