"""The hunt for a rule: the query, and what is to be known of it."""

from dataclasses import dataclass
from typing import Final

from fileaudit_engine.compiler.hunt.conditions import Language
from fileaudit_engine.compiler.hunt.esql import in_esql
from fileaudit_engine.compiler.hunt.findings import notes, odd_words, refusals
from fileaudit_engine.compiler.hunt.lucene import in_lucene
from fileaudit_engine.compiler.hunt.translate import Hunted, hunted
from fileaudit_engine.compiler.plan import UserRule
from fileaudit_engine.diagnostics import Diagnostic
from fileaudit_engine.rules.ast import Document

INDEX: Final = "logs-fileaudit.*"
"""All data streams of the engine."""

_SHOWN: Final = (
    *("@timestamp", "event.action", "event.outcome", "file.path", "fileaudit.source_path"),
    *("process.executable", "process.command_line", "user.name", "host.name", "rule.name"),
    *("fileaudit.event_id", "_id"),
)
_MOST: Final = 10_000
"""Rows: the most that ES|QL gives unless the cluster is told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunt:
    """A query.

    Attributes:
        document: The rule or correlation that it hunts for.
        query: In the language that was asked for.
        notes: Where it finds more than the rule.
        odd: Texts that it finds whatever the rule says of them, in words.
    """

    document: Document
    query: str
    notes: tuple[Diagnostic, ...]
    odd: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """There is no query that would find what the rule finds and leave anything out.

    Attributes:
        document: The rule or correlation.
        reasons: Why, with places; never empty.
    """

    document: Document
    reasons: tuple[Diagnostic, ...]


def hunt_for(rule: UserRule, language: Language, index: str = INDEX) -> Hunt | Refusal:
    """The hunt for a rule, made of its compiled predicate.

    Args:
        rule: As the compiler leaves it.
        language: What the query is written in.
        index: Where ES|QL looks; Lucene's queries do not say.
    """
    document = rule.rule
    found = hunted(rule.predicate, language)
    if found.empty:
        reasons = tuple(refusals(found.gaps, document.location, language))
        return Refusal(document=document, reasons=reasons)
    return Hunt(
        document=document,
        query=in_lucene(found.condition) if language is Language.LUCENE else _rows(found, index),
        notes=tuple(notes(found.gaps, document.location)),
        odd=odd_words(found.odd),
    )


def _rows(found: Hunted, index: str) -> str:
    return "\n".join(
        (
            f"FROM {index} METADATA _id, _ignored",
            f"| WHERE {in_esql(found.condition)}",
            "| SORT @timestamp DESC",
            f"| KEEP {', '.join(_SHOWN)}",
            f"| LIMIT {_MOST}",
        )
    )
