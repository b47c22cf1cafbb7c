"""Detection with correlation behind it: what rules say by themselves, and what they mean together.

A rule that a correlation refers to is evaluated like any other. What it says goes to the correlations; and it
is told, too, unless the rule is one of those that are silent alone.
"""

from fileaudit_engine.compiler.plan import CorrelationPlan
from fileaudit_engine.detect.correlate import Correlator
from fileaudit_engine.detect.crossing import Crossing, Match
from fileaudit_engine.detect.detector import Detector, Matched
from fileaudit_engine.detect.record import Finding
from fileaudit_engine.events.batch import Batch


class Correlating:
    """A detector whose rules feed correlations.

    Attributes:
        detector: Evaluates the rules.
        correlator: Holds what came together; time and losses are told to it directly.
    """

    def __init__(self, detector: Detector, correlator: Correlator, plan: CorrelationPlan) -> None:
        self.detector = detector
        self.correlator = correlator
        self._feeding = plan.feeding
        self._silent = plan.silent

    def take(self, batch: Batch) -> tuple[list[Finding], list[Crossing]]:
        """What the rules say of a batch, and what has crossed by it."""
        findings: list[Finding] = []
        matches: list[Match] = []
        for call in self.detector.matched(batch):
            match = self._split(call, findings)
            if match is not None:
                matches.append(match)
        return findings, self.correlator.feed(matches)

    def _split(self, call: Matched, findings: list[Finding]) -> Match | None:
        """Note what rules say by themselves; returns what correlations have to know of the call."""
        feeding: list[int] = []
        numbers, source = self.detector.numbers, None
        for rule, event in call:
            number = numbers[id(rule)]
            if number in self._feeding:
                feeding.append(number)
                source = source or event
            if number not in self._silent:
                findings.append(rule.finding(event))
        return Match(source.ts_ns, tuple(sorted(feeding)), source) if source is not None else None
