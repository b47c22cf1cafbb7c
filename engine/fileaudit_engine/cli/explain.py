"""`explain`: what the compiler made of rules, and why they did or did not match an event."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fileaudit_engine.cli.common import (
    Exit,
    add_unknown_fields,
    color_of,
    has_rules,
    load,
    report_diagnostics,
    say,
)
from fileaudit_engine.cli.explain_text import Layout, heading, pack_lines, quoted, section, tree_lines
from fileaudit_engine.compiler.classifier import classify, facts_of
from fileaudit_engine.compiler.conditions import Condition, Leaf
from fileaudit_engine.compiler.explain import (
    ClauseExplanation,
    PackExplanation,
    RuleExplanation,
    Sign,
    explanation,
)
from fileaudit_engine.compiler.plan import KernelPlan
from fileaudit_engine.detect.match_index import MatchIndex
from fileaudit_engine.detect.runnable import runnable
from fileaudit_engine.detect.why import Verdict, judge
from fileaudit_engine.events.batch import EventBatch
from fileaudit_engine.events.fields import Value
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.sources.replay import ReplaySource
from fileaudit_engine.text import printable, to_document

_WIDTH = 100
"""Columns where no terminal says how many it has."""


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "explain",
        parents=[common],
        help="show what the compiler made of rules",
        description="Says of each rule what the kernel filters by, what is left to user space, which hooks "
        "it needs and what it cannot see, by which texts it is looked for in recordings (its witnesses), and "
        "which filters it has; with recorded events, why each part did or did not match.",
    )
    parser.add_argument("rules", nargs="+", type=Path, metavar="RULES", help="a file or a folder")
    parser.add_argument("--rule", metavar="NAME", help="only the rule with this name, id or title")
    parser.add_argument("--event", metavar="FILE", help="recorded events (NDJSON), - for stdin")
    parser.add_argument("--format", choices=("pretty", "json"), default="pretty", help="default: pretty")
    add_unknown_fields(parser)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    loaded = load(args.rules, args)
    if not has_rules(loaded, args.rules):
        return Exit.UNUSABLE
    pack = explanation(loaded.compiled.user, loaded.compiled.kernel)
    rules = [rule for rule in pack.rules if args.rule is None or _is_called(rule, args.rule)]
    if args.rule is not None and not rules:
        say(f"fileaudit-engine: no usable rule is called {printable(args.rule)}")
        return Exit.UNUSABLE
    status = Exit.FINDINGS if loaded.broken else Exit.FINE
    if args.event is None:
        _print_pack(rules, pack, args)
        return status
    source = ReplaySource([args.event], allow_unknown_fields=args.allow_unknown_fields)
    _print_events(rules, loaded.compiled.kernel, source.events(), args)
    report_diagnostics(source.diagnostics, {}, args)
    if not source.counters().delivered and not source.diagnostics:
        say(f"fileaudit-engine: there is no event in {printable(args.event)}")
        return Exit.UNUSABLE
    return Exit.UNUSABLE if source.diagnostics else status


def _is_called(rule: RuleExplanation, name: str) -> bool:
    document = rule.rule.rule
    return name in {document.key, document.id, document.title, document.name}


def _layout(args: argparse.Namespace) -> Layout:
    width = shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else _WIDTH
    return Layout(width=max(60, width), color=color_of(args, sys.stdout))


def _print_pack(rules: Sequence[RuleExplanation], pack: PackExplanation, args: argparse.Namespace) -> None:
    if args.format == "json":
        _print_json(pack_document(rules, pack))
        return
    for line in pack_lines(rules, pack, _layout(args)):
        print(line)


def _print_json(document: Mapping[str, object]) -> None:
    print(json.dumps(document, indent=2))


# --- events ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
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


def _print_events(
    rules: Sequence[RuleExplanation],
    kernel: KernelPlan,
    events: Iterable[FileEvent],
    args: argparse.Namespace,
) -> None:
    asked = _Asked(rules, kernel)
    answered = ((event, asked.about(event)) for event in events)
    if args.format == "json":
        _print_json({"events": [event_document(event, answers) for event, answers in answered]})
        return
    layout = _layout(args)
    for number, (event, answers) in enumerate(answered, 1):
        for line in event_lines(number, event, answers, layout):
            print(line)


class _Asked:
    """Rules that are asked about one event after the other."""

    def __init__(self, rules: Sequence[RuleExplanation], kernel: KernelPlan) -> None:
        self._rules = [(rule, judge(rule.conditions)) for rule in rules]
        self._kernel = kernel
        self._index = MatchIndex([runnable(rule.rule) for rule in rules])

    def about(self, event: FileEvent) -> list[_Judged]:
        """Their answers."""
        bits = classify(self._kernel, facts_of(event))
        found = self._index.candidates(EventBatch(events=(event,)))
        witnessed = {id(rule.plan) for _, kept in found for rule in kept}
        return [
            _Judged(
                rule=rule,
                verdict=of_event(event),
                candidate=any(bits >> clause.bit & 1 for clause in rule.clauses),
                witnessed=id(rule.rule) in witnessed,
            )
            for rule, of_event in self._rules
        ]


def event_lines(number: int, event: FileEvent, answers: Sequence[_Judged], layout: Layout) -> Iterator[str]:
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


# --- JSON --------------------------------------------------------------------------------------------------


def pack_document(rules: Sequence[RuleExplanation], pack: PackExplanation) -> dict[str, object]:
    """The explanation as JSON types."""
    return {
        "kernel": {
            "clauses": pack.clauses,
            "most_clauses": pack.most_clauses,
            "keys": {table.value: count for table, count in pack.keys.items()},
        },
        "rules": [_rule_document(rule) for rule in rules],
    }


def event_document(event: FileEvent, answers: Sequence[_Judged]) -> dict[str, object]:
    """The rules' answers to an event as JSON types."""
    return {
        "@timestamp": rfc3339(event.ts_ns),
        "operation": event.operation.value,
        "path": _json_value(event.path),
        "rules": [
            {
                "rule": to_document(answer.rule.rule.rule.key),
                "candidate": answer.candidate,
                "witnessed": answer.witnessed,
                "matches": answer.verdict.holds,
                "conditions": _condition_document(answer.rule.conditions, answer.verdict),
            }
            for answer in answers
        ],
    }


def _rule_document(explained: RuleExplanation) -> dict[str, object]:
    rule = explained.rule.rule
    return {
        "rule": to_document(rule.key),
        "id": rule.id,
        "title": rule.title,
        "level": rule.level,
        "logsource": explained.rule.logsource.value,
        "filters": list(map(to_document, rule.filters)),
        "file": to_document(rule.location.file),
        "line": rule.location.line,
        "clauses": [_clause_document(clause) for clause in explained.clauses],
        "witnesses": [_witness_document(witness) for witness in explained.witnesses],
        "hooks": [{"operation": hook.operation, "captured": hook.captured} for hook in explained.hooks],
        "conditions": _condition_document(explained.conditions, None),
        "blind_to": list(explained.blind_to),
        "warnings": [{"code": w.code, "message": w.message, "help": w.help} for w in explained.warnings],
    }


def _clause_document(clause: ClauseExplanation) -> dict[str, object]:
    return {
        "bit": clause.bit,
        "operations": clause.operations,
        "access": clause.access,
        "outcomes": clause.outcomes,
        "names": clause.names,
        "paths": _json_value(clause.paths),
        "beginnings": _json_value(clause.beginnings),
        "endings": _json_value(clause.endings),
        "directories": _json_value(clause.directories),
        "users": _json_value(clause.users),
        "processes": _json_value(clause.processes),
        "threads": _json_value(clause.threads),
        "tests_path": clause.tests_path,
        "shared_with": _json_value(clause.shared_with),
    }


def _witness_document(witness: Sequence[Sign] | None) -> list[dict[str, object]] | None:
    if witness is None:
        return None
    return [{"field": sign.field, "asks": sign.verb, "values": _json_value(sign.values)} for sign in witness]


def _condition_document(condition: Condition, verdict: Verdict | None) -> dict[str, object]:
    judged = {} if verdict is None else {"holds": verdict.holds}
    if isinstance(condition, Leaf):
        value = {} if verdict is None else {"value": _json_value(verdict.value)}
        return {
            "field": condition.subject,
            "asks": condition.verb,
            "values": _json_value(condition.values),
            "cased": condition.cased,
            "where": condition.where.value,
            "why": condition.why,
            **judged,
            **value,
        }
    members = verdict.members if verdict else (None,) * len(condition.members)
    documents = [_condition_document(*pair) for pair in zip(condition.members, members, strict=True)]
    return {"all_of" if condition.every else "any_of": documents, **judged}


def _json_value(value: Value) -> str | int | bool | list[str] | None:
    if isinstance(value, tuple):
        return [to_document(member) for member in value]
    return to_document(value) if isinstance(value, str) else value
