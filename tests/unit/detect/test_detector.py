"""The detector evaluates the rules of an event's candidates, and no others."""

from collections.abc import Sequence
from dataclasses import replace

from tests.unit.compiler.examples import ANY, Recorded, event, path_test, text_test, user_rule

from fileaudit_engine.compiler.classifier import classify, facts_of
from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.compiler.plan import KernelPlan, UserPlan, UserRule
from fileaudit_engine.detect.detector import _MEMO_ENTRIES, Detector
from fileaudit_engine.detect.record import Finding
from fileaudit_engine.events.batch import EVERY, ManyNames
from fileaudit_engine.events.fields import LogSource
from fileaudit_engine.events.model import FileEvent, Operation


def plan_of(*rules: UserRule) -> KernelPlan:
    return kernel_plan([rule.predicate for rule in rules])


def detector_of(*rules: UserRule) -> Detector:
    return Detector(UserPlan(rules=rules), plan_of(*rules))


def batch_of(*events: FileEvent, candidates: int = EVERY) -> Recorded:
    return Recorded(candidates=(candidates,) * len(events), events=events)


def keys(findings: Sequence[Finding]) -> list[str]:
    return [finding.rule.rule.key for finding in findings]


SHADOW = user_rule(path_test("/etc/shadow"), key="shadow")
ETC = user_rule(path_test("/etc/", ANY), key="etc")
UNLINK = user_rule(path_test("/etc/", ANY), key="unlink", logsource=LogSource.FILE_DELETE)


def test_an_event_that_nobody_filtered_is_given_to_every_rule_of_its_operation() -> None:
    found = list(detector_of(SHADOW, ETC, UNLINK).findings(batch_of(event(), event("/etc/hosts"))))
    assert keys(found) == ["shadow", "etc", "etc"]
    assert [finding.event.path for finding in found] == ["/etc/shadow", "/etc/shadow", "/etc/hosts"]


def test_an_event_without_candidates_is_not_even_completed() -> None:
    batch = batch_of(event(), candidates=0)
    assert list(detector_of(SHADOW).findings(batch)) == []
    assert batch.completed == []


def test_only_the_rules_that_own_a_candidate_are_evaluated() -> None:
    plan = plan_of(SHADOW, ETC)
    bit_of_etc = 1 << plan.owners.index((1,))
    assert keys(list(detector_of(SHADOW, ETC).findings(batch_of(event(), candidates=bit_of_etc)))) == ["etc"]


def test_a_candidate_that_does_not_match_is_no_finding() -> None:
    assert list(detector_of(SHADOW, ETC).findings(batch_of(event("/tmp/x"), candidates=0b11))) == []


def test_the_same_findings_with_the_kernels_model_in_front_and_without() -> None:
    rules = (SHADOW, ETC, UNLINK, user_rule(text_test("User", "root"), key="root"))
    events = [
        event(path, operation=operation, user_name=user)
        for path in ("/etc/shadow", "/etc/hosts", "/tmp/x", None)
        for operation in (Operation.OPEN, Operation.UNLINK, Operation.CHMOD)
        for user in ("root", None)
    ]
    filtered = Recorded(
        candidates=[classify(plan_of(*rules), facts_of(happened)) for happened in events], events=events
    )
    with_filter = list(detector_of(*rules).findings(filtered))
    assert keys(with_filter) == keys(list(detector_of(*rules).findings(batch_of(*events))))
    assert len(filtered.completed) < len(events)


def test_a_rule_of_several_clauses_reports_an_event_once() -> None:
    predicate = user_rule(path_test("/etc/", ANY), key="etc").predicate
    detector = Detector(UserPlan(rules=(ETC,)), kernel_plan([predicate]))
    plan = kernel_plan([predicate])
    every_bit = (1 << len(plan.owners)) - 1
    assert keys(list(detector.findings(batch_of(event(), candidates=every_bit)))) == ["etc"]


def test_rules_report_in_the_order_of_the_plan_whatever_their_bits() -> None:
    rules = [user_rule(path_test("/etc/", ANY), key=str(number)) for number in range(20)]
    every_bit = (1 << len(plan_of(*rules).owners)) - 1
    found = list(detector_of(*rules).findings(batch_of(event(), candidates=every_bit)))
    assert keys(found) == [str(number) for number in range(20)]


def test_a_finding_names_the_selections_that_hold_in_the_order_of_the_document() -> None:
    selections = {
        "selection_name": path_test(ANY, "shadow"),
        "filter": text_test("User", "root"),
        "selection_etc": path_test("/etc/", ANY),
    }
    rule = user_rule(path_test("/etc/", ANY), selections=dict(selections))
    (found,) = detector_of(rule).findings(batch_of(event()))
    assert found.selections == ("selection_name", "selection_etc")


def test_rules_that_share_a_bit_are_all_evaluated() -> None:
    rules = (SHADOW, ETC)
    apart = plan_of(*rules)
    shared = replace(apart, clauses=apart.clauses[:1], owners=((0, 1),))
    found = list(Detector(UserPlan(rules=rules), shared).findings(batch_of(event(), candidates=1)))
    assert keys(found) == ["shadow", "etc"]


def test_more_combinations_of_candidates_than_it_remembers_are_answered_all_the_same() -> None:
    rules = [user_rule(path_test(f"/{number}/", ANY), key=str(number)) for number in range(18)]
    detector = detector_of(*rules)
    combinations = range(1, _MEMO_ENTRIES + 3)
    batch = Recorded(candidates=combinations, events=(event("/0/x"),) * len(combinations))
    found = list(detector.findings(batch))
    assert len(found) == sum(combination & 1 for combination in combinations)
    assert len(detector._memo) <= _MEMO_ENTRIES


def test_without_rules_there_are_no_findings() -> None:
    assert list(detector_of().findings(batch_of(event(), event()))) == []


class _Named(ManyNames):
    """A batch in which the second event, and the third, are the first one under other names."""

    __slots__ = ("_events", "candidates")

    def __init__(self, *events: FileEvent, candidates: int) -> None:
        self._events = events
        self.candidates = (candidates,) * len(events)

    @property
    def again(self) -> frozenset[int]:
        return frozenset({1, 2})

    def complete(self, index: int) -> FileEvent:
        return self._events[index]


def test_a_rule_that_matches_a_call_under_two_names_reports_it_once() -> None:
    detector = detector_of(SHADOW, ETC)
    for candidates in (EVERY, 0b11):
        batch = _Named(
            event("/etc/hosts"), event("/etc/shadow"), event("/etc/shadow"), event(), candidates=candidates
        )
        found = list(detector.findings(batch))
        assert sorted((f.rule.rule.key, f.event.path) for f in found) == [
            *(("etc", "/etc/hosts"), ("etc", "/etc/shadow")),
            *(("shadow", "/etc/shadow"), ("shadow", "/etc/shadow")),
        ]
