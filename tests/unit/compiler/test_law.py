"""The law: an event that a rule matches is one of the rule's candidates. The filter never loses a match.

Here it is held against the Python model of the kernel's classifier and against the match index; that the
kernel answers as the model does is the business of `tests/kernel`.
"""

import collections

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.examples import Recorded
from tests.unit.compiler.sigma_rules import rules
from tests.unit.compiler.strategies import REPEATABLE, events_for, narrow_predicates, predicates

from fileaudit_engine.compiler.classifier import classify, facts_of
from fileaudit_engine.compiler.ir import Predicate
from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.compiler.plan import KernelPlan
from fileaudit_engine.compiler.simplify import simplify
from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.batch import EVERY
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.rules.ast import Rule

LAWFUL = settings(REPEATABLE, max_examples=200)
SEEDS = st.integers(0, 2**32)
EVENTS_AN_EXAMPLE = 120


def candidates(plan: KernelPlan, event: FileEvent) -> set[int]:
    """The rules for which the classifier lets an event through."""
    bits = classify(plan, facts_of(event))
    return {rule for clause, owners in enumerate(plan.owners) if bits >> clause & 1 for rule in owners}


def check_the_law(rules: list[Predicate], seed: int, seen: collections.Counter[str]) -> None:
    """Hold the law for the rules together, on events made for them; `seen` says what it was tried on."""
    plan = kernel_plan([simplify(rule) for rule in rules])
    matchers = [matcher(rule) for rule in rules]
    for happened in events_for(rules, seed=seed, count=EVENTS_AN_EXAMPLE):
        found = candidates(plan, happened)
        matching = {number for number, rule_matches in enumerate(matchers) if rule_matches(happened)}
        assert matching <= found, f"rules {matching - found} lose {happened}"
        seen["pairs"] += len(rules)
        seen["matches"] += len(matching)
        seen["dropped pairs"] += len(rules) - len(found)


def test_the_kernel_never_drops_what_any_rule_matches() -> None:
    seen: collections.Counter[str] = collections.Counter()

    @LAWFUL
    @given(st.lists(predicates(), min_size=1, max_size=4), SEEDS)
    def law(rules: list[Predicate], seed: int) -> None:
        check_the_law(rules, seed, seen)

    law()
    assert seen["pairs"] >= 30_000
    assert seen["matches"] >= 10_000
    assert seen["dropped pairs"] >= 2_000


def test_the_kernel_never_drops_what_a_rule_matches_that_it_tests_by_path() -> None:
    seen: collections.Counter[str] = collections.Counter()

    @LAWFUL
    @given(st.lists(narrow_predicates(), min_size=1, max_size=4), SEEDS)
    def law(rules: list[Predicate], seed: int) -> None:
        check_the_law(rules, seed, seen)

    law()
    assert seen["pairs"] >= 30_000
    assert seen["matches"] >= 10_000
    assert seen["dropped pairs"] >= 10_000


def test_a_whole_pack_finds_the_same_with_the_kernel_in_front_and_without() -> None:
    seen: collections.Counter[str] = collections.Counter()

    @settings(LAWFUL, max_examples=160)
    @given(st.lists(rules(), min_size=1, max_size=4), SEEDS)
    def law(pack: list[Rule], seed: int) -> None:
        compiled = compile_rules(pack)
        predicates = [rule.predicate for rule in compiled.user.rules]
        events = events_for(predicates, seed=seed, count=EVENTS_AN_EXAMPLE)
        filtered = [classify(compiled.kernel, facts_of(event)) for event in events]
        detector = Detector(compiled.user, compiled.kernel)
        everything = list(detector.findings(Recorded(events=events, candidates=(EVERY,) * len(events))))
        assert list(detector.findings(Recorded(events=events, candidates=filtered))) == everything
        seen["findings"] += len(everything)
        seen["dropped events"] += filtered.count(0)

    law()
    assert seen["findings"] >= 5_000
    assert seen["dropped events"] >= 1_000
