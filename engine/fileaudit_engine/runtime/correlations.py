"""The correlations of a plan, as the pipeline has them: detection goes through them, and so does time.

With each crossing come the events behind it. Those of rules that are silent by themselves stand nowhere else,
and are kept in the audit trail.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from fileaudit_engine.compiler.plan import CorrelationPlan, UserPlan
from fileaudit_engine.detect.alert import contribution_records
from fileaudit_engine.detect.correlate import Correlator
from fileaudit_engine.detect.correlating import Correlating
from fileaudit_engine.detect.crossing import Crossing, Limits
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.record import Finding, Record
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.times import SECOND_NS

PUT_BACK_NS: Final = 5 * SECOND_NS
"""How far the clock may go back before correlations begin anew. Everything would come too late for them until
it is where it was."""
PUT_BACK: Final = "the clock was put back: correlations begin anew"

_REMEMBERED: Final = 65_536
"""Contributions of which is known that they are in the trail, some 10 MB: a condition that turns true again
and again has mostly the same events. The store would pass over them, but only after they were written out."""


class Correlations:
    """Detection with the correlations of a plan behind it.

    Attributes:
        correlator: What holds them; time, losses and states are told to it directly.
        in_trail: Ids of contributions that are known to be in the trail, the newest last.
    """

    def __init__(self, detector: Detector, plan: CorrelationPlan, user: UserPlan, limits: Limits) -> None:
        """Nothing has happened yet.

        Args:
            detector: Evaluates the rules of `user`.
            plan: The correlations.
            user: The rules that they refer to.
            limits: How much may be held.
        """
        self.correlator = Correlator(plan, user, limits)
        self._made_of = detector, plan, user, limits
        self._correlating = Correlating(detector, self.correlator, plan)
        self._of_silent_rules = _of_silent_rules(plan)
        self.in_trail: OrderedDict[str, None] = OrderedDict()

    def anew(self) -> "Correlations":
        """The same, to which nothing has happened yet."""
        return Correlations(*self._made_of)

    def take_over(self, before: "Correlations") -> list[str]:
        """Go on with what others hold, which are of no use any more; returns in words what does not go on."""
        self.in_trail = before.in_trail
        self.correlator.ignore_until(before.correlator.known_ns)
        return self.correlator.take_over(before.correlator)

    def take(self, batch: Batch) -> tuple[Sequence[Finding], Sequence[Crossing]]:
        """What is to be told of a batch: by rules alone, and by correlations."""
        return self._correlating.take(batch)

    def were_put_back(self, asked_ns: int) -> bool:
        """Whether the clock that says `asked_ns` was put back since they last heard of time."""
        newest_ns = self.correlator.newest_ns
        return newest_ns is not None and newest_ns > asked_ns + PUT_BACK_NS

    def conclude(self, now_ns: int | None = None) -> list[Crossing]:
        """All that happened so far has come, nothing earlier follows: what is certain by that.

        Args:
            now_ns: Until when; None: until the latest time that they have heard of.
        """
        correlator = self.correlator
        until_ns = correlator.newest_ns if now_ns is None else now_ns
        return [] if until_ns is None else correlator.advance(until_ns + correlator.limits.lateness_ns + 1)

    @property
    def heard(self) -> tuple[int, int, int]:
        """Changes with everything that they hear."""
        return self.correlator.taken, len(self.correlator.pending), self.correlator.late

    def trail_of(self, crossing: Crossing, *, host: str, ingested_ns: int | None) -> list[Record]:
        """The events behind a crossing that stand nowhere else, those that were not asked for lately."""
        if id(crossing.correlation) not in self._of_silent_rules:
            return []
        known = self.in_trail
        records = contribution_records(crossing, host=host, ingested_ns=ingested_ns, known=known)
        known.update((record.id, None) for record in records)
        while len(known) > _REMEMBERED:
            known.popitem(last=False)
        return records


def _of_silent_rules(plan: CorrelationPlan) -> frozenset[int]:
    """The correlations, by identity, among whose events are some of silent rules, through all chains."""
    found: dict[int, int] = {}
    for number, one in enumerate(plan.correlations):
        if any(step.number in (found if step.chained else plan.silent) for step in one.steps):
            found[number] = id(one)
    return frozenset(found.values())


def seen_until(batch: Batch, asked_ns: int) -> int:
    """Until when all that happened has been seen, but for what comes late.

    Args:
        batch: What a live source had.
        asked_ns: When it was asked for that; an empty batch means that until then there is nothing more.
    """
    size = len(batch.candidates)
    return batch.complete(size - 1).ts_ns if size else asked_ns
