"""`explain`: what the compiler made of rules, and why they did or did not match an event."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fileaudit_engine.cli.common import Exit, color_of, report_diagnostics, say
from fileaudit_engine.cli.explain_correlation import pack_lines
from fileaudit_engine.cli.explain_document import event_document, pack_document
from fileaudit_engine.cli.explain_events import Asked, event_lines
from fileaudit_engine.cli.explain_text import Layout
from fileaudit_engine.cli.explain_together import Together, outcome_document, outcome_lines
from fileaudit_engine.cli.explained_correlation import CorrelationExplanation, explained_correlations
from fileaudit_engine.cli.loading import add_unknown_fields, has_rules, load
from fileaudit_engine.compiler.explain import PackExplanation, RuleExplanation, explanation
from fileaudit_engine.compiler.listening import behind
from fileaudit_engine.compiler.stages import Compiled
from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.rules.ast import Document
from fileaudit_engine.sources.replay import ReplaySource
from fileaudit_engine.text import printable

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
        "which filters it has; of each correlation what it waits for, which rules it hears, when it tells "
        "and what it remembers; with recorded events, why each part did or did not match, and what the "
        "events came to together.",
    )
    parser.add_argument("rules", nargs="+", type=Path, metavar="RULES", help="a file or a folder")
    parser.add_argument(
        "--rule", metavar="NAME", help="only the rule or correlation with this name, id or title"
    )
    parser.add_argument("--event", metavar="FILE", help="recorded events (NDJSON), - for stdin")
    parser.add_argument("--format", choices=("pretty", "json"), default="pretty", help="default: pretty")
    add_unknown_fields(parser)
    parser.set_defaults(command=run)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Selected:
    """What is to be explained.

    Attributes:
        pack: All rules.
        rules: Those that were asked for.
        correlations: Likewise.
        events_of: The rules whose answers to events are shown: those, and what is behind the correlations.
    """

    pack: PackExplanation
    rules: tuple[RuleExplanation, ...]
    correlations: tuple[CorrelationExplanation, ...]
    events_of: tuple[RuleExplanation, ...]


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    loaded = load(args.rules, args)
    if not has_rules(loaded, args.rules):
        return Exit.UNUSABLE
    selected = _selected(loaded.compiled, args.rule, args.settings.limits)
    if not selected.events_of:
        say(f"fileaudit-engine: no usable rule is called {printable(args.rule)}")
        return Exit.UNUSABLE
    status = Exit.FINDINGS if loaded.broken else Exit.FINE
    if args.event is None:
        _print_pack(selected, args)
        return status
    source = ReplaySource([args.event], allow_unknown_fields=args.allow_unknown_fields)
    _print_events(selected, loaded.compiled, source.events(), args)
    report_diagnostics(source.diagnostics, {}, args)
    if not source.counters().delivered and not source.diagnostics:
        say(f"fileaudit-engine: there is no event in {printable(args.event)}")
        return Exit.UNUSABLE
    return Exit.UNUSABLE if source.diagnostics else status


def _selected(compiled: Compiled, name: str | None, limits: Limits) -> _Selected:
    pack = explanation(compiled.user, compiled.kernel, compiled.correlations)
    correlations = explained_correlations(compiled.correlations, limits)
    called = tuple(one for one in correlations if _is_called(one.correlation.rule, name))
    rules = tuple(one for one in pack.rules if _is_called(one.rule.rule, name))
    listened_to = behind(compiled.correlations, {one.correlation.rule.key for one in called})
    events_of = (one for one in pack.rules if one in rules or one.rule.rule.key in listened_to)
    return _Selected(pack=pack, rules=rules, correlations=called, events_of=tuple(events_of))


def _is_called(document: Document, name: str | None) -> bool:
    return name is None or name in {document.key, document.id, document.title, document.name}


def _layout(args: argparse.Namespace) -> Layout:
    width = shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else _WIDTH
    return Layout(width=max(60, width), color=color_of(args, sys.stdout))


def _print_pack(selected: _Selected, args: argparse.Namespace) -> None:
    if args.format == "json":
        _print_json(pack_document(selected.rules, selected.pack, selected.correlations))
        return
    layout = _layout(args)
    for line in pack_lines(selected.rules, selected.correlations, selected.pack, layout):
        print(line)


def _print_events(
    selected: _Selected, compiled: Compiled, events: Iterable[FileEvent], args: argparse.Namespace
) -> None:
    asked = Asked(selected.events_of, compiled.kernel)
    together = Together(compiled, selected.correlations, args.settings.limits)
    answered = ((event, asked.about(event)) for event in _taken_by(together, events))
    if args.format == "json":
        documents = [event_document(event, answers) for event, answers in answered]
        outcomes = [outcome_document(outcome) for outcome in together.outcomes()]
        _print_json({"events": documents, "correlations": outcomes})
        return
    layout = _layout(args)
    for number, (event, answers) in enumerate(answered, 1):
        for line in event_lines(number, event, answers, layout):
            print(line)
    for outcome in together.outcomes():
        for line in outcome_lines(outcome, layout):
            print(line)


def _taken_by(together: Together, events: Iterable[FileEvent]) -> Iterator[FileEvent]:
    for event in events:
        together.take(event)
        yield event


def _print_json(document: Mapping[str, object]) -> None:
    print(json.dumps(document, indent=2))
