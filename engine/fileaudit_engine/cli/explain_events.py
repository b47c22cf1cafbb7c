"""What rules answer to events, for `explain --event`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fileaudit_engine.cli.explain_text import Layout, heading, quoted, section, tree_lines
from fileaudit_engine.compiler.classifier import classify, facts_of
from fileaudit_engine.compiler.explain import RuleExplanation
from fileaudit_engine.compiler.plan import KernelPlan
from fileaudit_engine.detect.match_index import MatchIndex
from fileaudit_engine.detect.runnable import runnable
from fileaudit_engine.detect.why import Verdict, judge
from fileaudit_engine.events.batch import EventBatch
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.events.times import rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A rule's answer to an event, and whether the filters in front would have let it through.

    Attributes:
        rule: Which.
        verdict: Its answer, leaf by leaf.
        candidate: Whether the kernel lets the event through for it.
        witnessed: Whether the match index finds its witness in the event.
    """

    rule: RuleExplanation
    verdict: Verdict
    candidate: bool
    witnessed: bool


class Asked:
    """Rules that are asked about one event after the other."""

    def __init__(self, rules: Sequence[RuleExplanation], kernel: KernelPlan) -> None:
        self._rules = [(rule, judge(rule.conditions)) for rule in rules]
        self._kernel = kernel
        self._index = MatchIndex([runnable(rule.rule) for rule in rules])

    def about(self, event: FileEvent) -> list[Judged]:
        """Their answers."""
        bits = classify(self._kernel, facts_of(event))
        found = self._index.candidates(EventBatch(events=(event,)))
        witnessed = {id(rule.plan) for _, kept in found for rule in kept}
        return [
            Judged(
                rule=rule,
                verdict=of_event(event),
                candidate=any(bits >> clause.bit & 1 for clause in rule.clauses),
                witnessed=id(rule.rule) in witnessed,
            )
            for rule, of_event in self._rules
        ]


def event_lines(number: int, event: FileEvent, answers: Sequence[Judged], layout: Layout) -> Iterator[str]:
    """An event, and every rule's answer to it; of rules that the kernel drops it for, only their number.

    With a single rule the whole tree is shown even then: who asks for one wants to know why.
    """
    path = "no path" if event.path is None else quoted(event.path)
    yield f"event {number}  {rfc3339(event.ts_ns)}  {event.operation.value}  {path}"
    for answer in answers:
        if answer.candidate or len(answers) == 1:
            yield from heading(answer.rule, layout)
            yield from section("kernel", ["lets it through" if answer.candidate else "drops it"])
            yield from section("witness", ["is there" if answer.witnessed else "is not there"])
            yield from section("rule", ["matches" if answer.verdict.holds else "does not match"])
            yield from section("conditions", tree_lines(answer.rule.conditions, answer.verdict, layout))
    dropped = sum(not answer.candidate for answer in answers)
    if dropped and len(answers) > 1:
        yield f"  the kernel drops it for {dropped} of {len(answers)} rules"
    yield ""
