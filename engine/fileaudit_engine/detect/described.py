"""What the records of a rule have in common, and how a document comes by it.

Alerts of rules, alerts of correlations and events of the audit trail are one kind of document: something that
happened, with the rule beside it that cared. The rule's part is made once and shared.
"""

import functools
from typing import Final

import msgspec

from fileaudit_engine.detect.attack import threat_of
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.events.model import Loss
from fileaudit_engine.events.objects import Document, member_of
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.rules import ast
from fileaudit_engine.rules.ast import QUIET_LEVEL
from fileaudit_engine.text import printable, to_document, to_kernel

SEVERITIES: Final = {QUIET_LEVEL: 0, "low": 21, "medium": 47, "high": 73, "critical": 99}
"""`event.severity` by Sigma level: the numbers that Elastic's detection engine reads back as levels."""

LOG_LEVELS: Final = {
    QUIET_LEVEL: "info",
    "low": "notice",
    "medium": "warning",
    "high": "error",
    "critical": "critical",
}
"""`log.level` by Sigma level; the words are syslog's."""


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What all records of a rule have in common.

    Attributes:
        kind: Alert or audit event.
        key: The rule's part of a record's id.
        title: As messages begin.
        level: Of the records.
        event: Members of the document's `event`.
        members: Objects of the document that are the rule's own.
        detection: Members of the document's `fileaudit`.
    """

    kind: Kind
    key: bytes
    title: str
    level: str
    event: Document
    members: Document
    detection: Document


def described(rule: ast.Document, category: str, *, level: str | None = None) -> Described:
    """What the records of a rule or a correlation have in common.

    Args:
        rule: The document.
        category: What kind of rule it is, ECS `rule.category`.
        level: Of its records, where that is not the rule's own.
    """
    level = level or rule.level
    kind = Kind.EVENT if level == QUIET_LEVEL else Kind.ALERT
    members: Document = {"log": {"level": LOG_LEVELS[level]}, "rule": _rule_facts(rule, category)}
    threat = threat_of(rule.tags)
    if threat:
        members["threat"] = threat
    if rule.tags:
        members["tags"] = valid(list(rule.tags))
    return Described(
        kind=kind,
        key=to_kernel(rule.id or rule.key),
        title=printable(rule.title),
        level=level,
        event={"kind": kind.value, "dataset": f"fileaudit.{kind.value}", "severity": SEVERITIES[level]},
        members=members,
        detection={"rule": {"level": level}},
    )


def describe(
    document: Document, rule: Described, *, record_id: str, message: str, ingested_ns: int | None
) -> None:
    """Write a rule's part, and what makes a record of it, into a document.

    Args:
        document: What happened.
        rule: Whose record it becomes.
        record_id: Its `event.id`.
        message: Follows the rule's title.
        ingested_ns: When it is handed on, nanoseconds since the Unix epoch; None says nothing about that.
    """
    facts = member_of(document, "event")
    facts["id"] = record_id
    facts.update(rule.event)
    if ingested_ns is not None:
        facts["ingested"] = _moment(ingested_ns)
    document["message"] = f"{rule.title}: {message}"
    document.update(rule.members)
    member_of(document, "fileaudit").update(rule.detection)


def add_host(document: Document, host: str) -> None:
    """Say where it happened."""
    name = to_document(host)
    member_of(document, "host")["name"] = name
    member_of(document, "related")["hosts"] = [name]


_moment = functools.lru_cache(maxsize=4)(rfc3339)
"""A batch is handed on at one time."""


def losses_document(losses: tuple[Loss, ...]) -> Document:
    """All losses as one: how much is missing, and between when.

    A loss without counts means that nobody was watching: how much is missing then, nobody knows. Such times
    are told as `unwatched`.
    """
    counts: dict[str, int] = {}
    for loss in losses:
        for name, count in loss.counts.items():
            counts[name] = counts.get(name, 0) + count
    counted = [loss for loss in losses if loss.counts]
    unwatched = [loss for loss in losses if not loss.counts]
    told: Document = {}
    if counted:
        told = {"total": sum(counts.values()), **_span(counted), "counts": counts}
    if unwatched:
        told["unwatched"] = _span(unwatched)
    return told


def _span(losses: list[Loss]) -> Document:
    return {
        "from": rfc3339(min(loss.first_ns for loss in losses)),
        "to": rfc3339(max(loss.last_ns for loss in losses)),
    }


def _rule_facts(rule: ast.Document, category: str) -> Document:
    """ECS `rule.*`; what the rule does not say is left out."""
    facts = {
        "id": rule.key,
        "uuid": rule.id,
        "name": rule.title,
        "description": rule.description,
        "ruleset": "sigma",
        "category": category,
        "license": rule.license,
        "reference": list(rule.references),
        "author": [rule.author] if rule.author else None,
        "version": rule.modified or rule.date,
    }
    return {name: valid(value) for name, value in facts.items() if value}


def valid(value: object) -> object:
    """A rule's text as valid Unicode: YAML's escapes can spell surrogates, which JSON cannot carry."""
    if isinstance(value, list):
        return [valid(member) for member in value]
    if isinstance(value, str) and not value.isascii():
        return to_document(value)
    return value
