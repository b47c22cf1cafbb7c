"""From a source's batches to sums: what `top` does with what it hears.

One rule of the plan stands for what is watched; the others are detections. An alert counts only if its event
is watched: the sums and the alerts are about the same part of the host. No document is made of anything.
"""

from collections.abc import Callable

from fileaudit_engine.compiler.stages import Compiled
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.runtime.activity import Activity


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
        watched: FileEvent | None = None
        for finding in self._detector.findings(item):  # of each event the first rule's comes first
            rule, event = finding.rule, finding.event
            if rule is self._watched:
                watched = event
                self._activity.feed(event)
            elif event is watched and rule.rule.level != "informational":
                self._activity.alert(event, level=rule.rule.level, title=rule.rule.title)
