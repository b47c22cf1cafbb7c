"""Runs test cases: the same compiler, detector and alerts as in `run`, with another source and clock.

Each case runs twice. Once every event goes to the rules; once only what the model of the kernel's filter lets
through, with the candidates that it names. The law of the compiler says that both are the same; a case in
which they differ fails, whatever it expects, because on a live host that alert would never come. Matches that
only correlations hear are held to it too.

What rules match goes through correlations of the case's own, and when its events are over, time runs on until
all their windows are empty.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.compiler.classifier import classify, facts_of
from fileaudit_engine.compiler.plan import CorrelationPlan, KernelPlan, UserPlan
from fileaudit_engine.detect.alert import record_of
from fileaudit_engine.detect.correlating import Correlating
from fileaudit_engine.detect.crossing import Crossing
from fileaudit_engine.detect.crossing_alert import record_of_crossing
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.record import Finding
from fileaudit_engine.detect.runnable import runnable
from fileaudit_engine.diagnostics import Location
from fileaudit_engine.events.batch import EVERY
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.rules.names import RuleNames
from fileaudit_engine.ruletest.cases import Case, CaseEvent
from fileaudit_engine.ruletest.coverage import coverage_of
from fileaudit_engine.ruletest.heard import Remembering
from fileaudit_engine.ruletest.judge import Judge
from fileaudit_engine.ruletest.ran import LIMITS, Ran
from fileaudit_engine.ruletest.report import CaseResult, Missing, Raised, Report

HOST: Final = "fixture"
"""The host that alerts of test cases come from, unless their event says otherwise."""

Filter = Callable[[FileEvent], int]
"""The candidates of an event, as a batch carries them."""


NO_CORRELATIONS: Final = CorrelationPlan()
"""Nothing listens to the rules."""


def run_cases(
    cases: Sequence[Case],
    user: UserPlan,
    kernel: KernelPlan,
    correlations: CorrelationPlan = NO_CORRELATIONS,
) -> Report:
    """Run the cases and see which rules they prove."""
    runner = CaseRunner(user, kernel, correlations)
    return Report(
        results=tuple(map(runner.run, cases)),
        coverage=coverage_of(user.rules, correlations, cases, runner.names),
    )


@dataclass(frozen=True, slots=True)
class _Alone:
    """A batch of one."""

    event: FileEvent
    candidates: tuple[int]

    def complete(self, index: int) -> FileEvent:  # noqa: ARG002 - there is only one
        return self.event


class CaseRunner:
    """Runs cases against one rule pack."""

    def __init__(
        self, user: UserPlan, kernel: KernelPlan, correlations: CorrelationPlan = NO_CORRELATIONS
    ) -> None:
        correlated = (one.rule for one in correlations.correlations)
        self.names = RuleNames((*(rule.rule for rule in user.rules), *correlated))
        self._judge = Judge(user, correlations, self.names)
        self._detector = Detector(user, kernel)
        self._kernel = kernel
        self._user = user
        self._correlations = correlations
        self._unheard = {one.rule.key for one in correlations.correlations if one.silent}
        self._silent = {number: runnable(user.rules[number]) for number in sorted(correlations.silent)}

    def run(self, case: Case) -> CaseResult:
        """Run one case, with and without the kernel's filter."""
        ran = self._ran(case, lambda _: EVERY)
        filtered = self._ran(case, lambda event: classify(self._kernel, facts_of(event)))
        missing, unexpected = self._judge.compare(case, ran)
        broken_law = (
            *_lost(ran.everything, filtered.everything, "the kernel filter would have dropped it"),
            *_lost(filtered.everything, ran.everything, "the match index would have left it out"),
        )
        return CaseResult(case=case, missing=(*missing, *broken_law), unexpected=unexpected)

    def _ran(self, case: Case, candidates: Filter) -> Ran:
        """All that comes of the events, in their order; then what they came to together."""
        correlator = Remembering(self._correlations, self._user, LIMITS)
        correlating = Correlating(self._detector, correlator, self._correlations)
        ran = Ran(matches=correlator.fed)
        for event in case.events:
            before = len(correlator.fed)
            findings, crossings = correlating.take(_Alone(event.event, (candidates(event.event),)))
            ran.raised += (_raised_by(finding, event) for finding in findings)
            ran.silent += (
                _raised_by(self._silent[number].finding(match.event), event)
                for match in correlator.fed[before:]
                for number in match.rules
                if number in self._silent
            )
            ran.crossings += crossings
        ran.crossings += correlator.finish()
        self._add_crossings(ran, case)
        return ran

    def _add_crossings(self, ran: Ran, case: Case) -> None:
        places = {id(event.event): event.location for event in case.events}
        for crossing in ran.crossings:
            told = ran.silent if crossing.correlation.rule.key in self._unheard else ran.raised
            told.append(_raised_together(crossing, case, places))


def _raised_by(finding: Finding, event: CaseEvent) -> Raised:
    return Raised(
        record=record_of(finding, host=HOST),
        at_ns=event.at_ns,
        location=event.location,
        selections=finding.selections,
    )


def _raised_together(crossing: Crossing, case: Case, places: Mapping[int, Location]) -> Raised:
    """What a correlation raised; it stands where the newest of its events is written, if that is known."""
    newest = crossing.events[-1].event if crossing.events else None
    return Raised(
        record=record_of_crossing(crossing, host=HOST),
        at_ns=crossing.ts_ns - case.starts_ns,
        location=places.get(id(newest), case.location),
        selections=(),
        crossing=crossing,
    )


def _lost(raised: Sequence[Raised], left: Sequence[Raised], reason: str) -> Iterator[Missing]:
    """What is in `raised` and not in `left`."""
    remaining = Counter(_identity(one) for one in left)
    for one in raised:
        remaining[_identity(one)] -= 1
        if remaining[_identity(one)] < 0:
            yield Missing(
                kind=one.record.kind,
                rule=one.record.rule,
                level=one.record.level,
                at_ns=one.at_ns,
                fields={},
                location=one.location,
                reasons=(f"{reason}: {one.words}",),
            )


def _identity(raised: Raised) -> tuple[str, str]:
    """Which rule, which event."""
    return raised.record.rule, raised.record.id
