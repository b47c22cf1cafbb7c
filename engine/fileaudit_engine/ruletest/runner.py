"""Runs test cases: the same compiler, detector and alerts as in `run`, with another source and clock.

Each case runs twice. Once every event goes to the rules; once only what the model of the kernel's filter lets
through, with the candidates that it names. The law of the compiler says that both are the same; a case in
which they differ fails, whatever it expects, because on a live host that alert would never come.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.compiler.classifier import classify, facts_of
from fileaudit_engine.compiler.plan import KernelPlan, UserPlan
from fileaudit_engine.detect.alert import record_of
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.record import Finding
from fileaudit_engine.events.batch import EVERY
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.rules.names import RuleNames
from fileaudit_engine.ruletest.cases import Case, CaseEvent
from fileaudit_engine.ruletest.coverage import coverage_of
from fileaudit_engine.ruletest.judge import Judge
from fileaudit_engine.ruletest.report import CaseResult, Missing, Raised, Report
from fileaudit_engine.ruletest.wording import happened

HOST: Final = "fixture"
"""The host that alerts of test cases come from, unless their event says otherwise."""

Filter = Callable[[FileEvent], int]
"""The candidates of an event, as a batch carries them."""


def run_cases(cases: Sequence[Case], user: UserPlan, kernel: KernelPlan) -> Report:
    """Run the cases and see which rules they prove."""
    runner = CaseRunner(user, kernel)
    return Report(
        results=tuple(map(runner.run, cases)),
        coverage=coverage_of(user.rules, cases, runner.names),
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

    def __init__(self, user: UserPlan, kernel: KernelPlan) -> None:
        self.names = RuleNames(rule.rule for rule in user.rules)
        self._judge = Judge(user, self.names)
        self._detector = Detector(user, kernel)
        self._kernel = kernel

    def run(self, case: Case) -> CaseResult:
        """Run one case, with and without the kernel's filter."""
        raised = self._raised(case, lambda _: EVERY)
        filtered = self._raised(case, lambda event: classify(self._kernel, facts_of(event)))
        missing, unexpected = self._judge.compare(case, raised)
        broken_law = (
            *_lost(raised, filtered, "the kernel filter would have dropped it"),
            *_lost(filtered, raised, "the match index would have left it out"),
        )
        return CaseResult(case=case, missing=(*missing, *broken_law), unexpected=unexpected)

    def _raised(self, case: Case, candidates: Filter) -> list[Raised]:
        """All that the rules raise, in the order of the events."""
        return [
            _raised_by(finding, event)
            for event in case.events
            for finding in self._detector.findings(_Alone(event.event, (candidates(event.event),)))
        ]


def _raised_by(finding: Finding, event: CaseEvent) -> Raised:
    return Raised(
        record=record_of(finding, host=HOST),
        at_ns=event.at_ns,
        location=event.location,
        selections=finding.selections,
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
                reasons=(f"{reason}: {happened(one.record.event, one.at_ns)}",),
            )


def _identity(raised: Raised) -> tuple[str, str]:
    """Which rule, which event."""
    return raised.record.rule, raised.record.id
