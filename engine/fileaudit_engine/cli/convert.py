"""`convert`: the query that hunts in Elasticsearch for what a rule finds."""

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from fileaudit_engine.cli.common import Exit, report_diagnostics, say
from fileaudit_engine.cli.loading import Loaded, add_unknown_fields, has_rules, load
from fileaudit_engine.compiler.hunt.conditions import Language
from fileaudit_engine.compiler.hunt.correlated import hunt_for_correlation
from fileaudit_engine.compiler.hunt.hunts import INDEX, Hunt, Refusal, hunt_for
from fileaudit_engine.diagnostics import Diagnostic
from fileaudit_engine.rules.ast import Document, kind_of
from fileaudit_engine.text import counted, printable

_COMMENT: Final = {Language.ESQL: "//", Language.LUCENE: "#"}
_PATTERN: Final = re.compile(r"[a-z0-9*.:_][a-z0-9*.:_,-]*", re.ASCII)
"""Names of indices, data streams and clusters, with wildcards, as `FROM` takes them without quotes."""


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "convert",
        parents=[common],
        help="write the query that hunts for a rule in Elasticsearch",
        description="Writes, for rules and correlations, the query that finds in the engine's data streams "
        "what they are true of: for Kibana's Discover, Elasticsearch's query_string, or ES|QL. It is made of "
        "the compiled rule, filters and placeholders included. A query finds all that the rule finds among "
        "the documents that were recorded (alerts and audit trail); where it finds more, a note on stderr "
        "says where and what is to be looked at. It needs the templates of 'elastic install'. Correlations "
        "can be hunted for in ES|QL only. Exit 1 where a rule is broken or has no query.",
    )
    parser.add_argument("rules", nargs="+", type=Path, metavar="RULE", help="a file or a folder")
    parser.add_argument(
        "--to", required=True, choices=[one.value for one in Language], help="the language of the query"
    )
    parser.add_argument(
        "--rule", metavar="NAME", help="only the rule or correlation with this name, id or title"
    )
    parser.add_argument(
        "--index", type=_index, default=INDEX, metavar="PATTERN", help=f"where ES|QL looks; default: {INDEX}"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    add_unknown_fields(parser)
    parser.set_defaults(command=run)


def _index(text: str) -> str:
    if not _PATTERN.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"'{printable(text)}' is no pattern of names such as {INDEX} or logs-fileaudit.alert-default"
        )
    return text


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    loaded = load(args.rules, args)
    if not has_rules(loaded, args.rules):
        return Exit.UNUSABLE
    language = Language(args.to)
    answers = list(_answers(loaded, language, args.index, args.rule))
    if not answers:
        say(f"fileaudit-engine: no usable rule is called {printable(args.rule)}")
        return Exit.UNUSABLE
    hunts = [answer for answer in answers if isinstance(answer, Hunt)]
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    if args.format == "json":
        print(json.dumps(_document(hunts, refused, language, args.index), indent=2))
    else:
        _print(hunts, language, alone=len(answers) == 1)
    _report(hunts, refused, loaded, args)
    return Exit.FINDINGS if refused or loaded.broken else Exit.FINE


def _answers(loaded: Loaded, language: Language, index: str, name: str | None) -> Iterator[Hunt | Refusal]:
    compiled = loaded.compiled
    for rule in compiled.user.rules:
        if _is_called(rule.rule, name):
            yield hunt_for(rule, language, index)
    for correlation in compiled.correlations.correlations:
        if _is_called(correlation.rule, name):
            yield hunt_for_correlation(correlation, compiled.user, language, index)


def _is_called(document: Document, name: str | None) -> bool:
    return name is None or name in {document.key, document.id, document.title, document.name}


def _print(hunts: Sequence[Hunt], language: Language, *, alone: bool) -> None:
    for number, hunt in enumerate(hunts):
        if not alone:
            heading = f"{_COMMENT[language]} {printable(hunt.document.key)}: {printable(hunt.document.title)}"
            print(f"\n{heading}" if number else heading)
        print(hunt.query)


def _report(
    hunts: Sequence[Hunt], refused: Sequence[Refusal], loaded: Loaded, args: argparse.Namespace
) -> None:
    """What is to be known of the queries, on stderr."""
    found = [note for hunt in hunts for note in hunt.notes]
    found += [reason for one in refused for reason in one.reasons]
    report_diagnostics(dict.fromkeys(found), loaded.rules.sources, args)
    odd = dict.fromkeys(words for hunt in hunts for words in hunt.odd)
    if odd:
        say(
            f"note: documents are found whatever the rule says of them where a text that it asks about has "
            f"{_listed(list(odd))}: the index does not show those as rules see them"
        )
    if refused:
        say(f"fileaudit-engine: no query for {counted(len(refused), 'rule')} of {len(hunts) + len(refused)}")


def _listed(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _document(
    hunts: Sequence[Hunt], refused: Sequence[Refusal], language: Language, index: str
) -> dict[str, object]:
    return {
        "language": language.value,
        "index": index,
        "hunts": [
            {
                **_named(hunt.document),
                "query": hunt.query,
                "wider": [_finding(note) for note in hunt.notes],
                "found_whatever_they_are": list(hunt.odd),
            }
            for hunt in hunts
        ],
        "refused": [
            {**_named(one.document), "reasons": [_finding(reason) for reason in one.reasons]}
            for one in refused
        ],
    }


def _named(document: Document) -> dict[str, object]:
    return {"rule": document.key, "id": document.id, "title": document.title, "kind": kind_of(document)}


def _finding(found: Diagnostic) -> dict[str, object]:
    return {"place": str(found.location), "code": found.code, "message": found.message, "help": found.help}
