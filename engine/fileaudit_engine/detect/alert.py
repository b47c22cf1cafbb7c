"""From a finding to the document that people read: an alert, or an event of the audit trail.

The document is the event's own (`events.document`) with the rule beside it. Nothing in it depends on when
or where detection runs: no clock, no counter. The same event through the same rule is the same record, with
the same id, in `run`, in a replay and after a crash, and whoever stores or sends it twice may drop one.
"""

import functools
from typing import Final

import msgspec

from fileaudit_engine.compiler.plan import UserRule
from fileaudit_engine.detect.attack import threat_of
from fileaudit_engine.detect.identity import digest, fingerprint, pack
from fileaudit_engine.detect.record import Finding, Kind, Record
from fileaudit_engine.events.document import document_of
from fileaudit_engine.events.memo import ByIdentity
from fileaudit_engine.events.model import Loss
from fileaudit_engine.events.objects import Document, member_of
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.events.wording import sentence
from fileaudit_engine.text import printable, to_document, to_kernel

SEVERITIES: Final = {"informational": 0, "low": 21, "medium": 47, "high": 73, "critical": 99}
"""`event.severity` by Sigma level: the numbers that Elastic's detection engine reads back as levels."""

LOG_LEVELS: Final = {
    "informational": "info",
    "low": "notice",
    "medium": "warning",
    "high": "error",
    "critical": "critical",
}
"""`log.level` by Sigma level; the words are syslog's."""


class _Described(msgspec.Struct, frozen=True, kw_only=True):
    """What all records of a rule have in common.

    Attributes:
        kind: Alert or audit event.
        key: The rule's part of a record's id.
        title: As messages begin.
        event: Members of the document's `event`.
        members: Objects of the document that are the rule's own.
        detection: Members of the document's `fileaudit`.
    """

    kind: Kind
    key: bytes
    title: str
    event: Document
    members: Document
    detection: Document


def _described(plan: UserRule) -> _Described:
    rule = plan.rule
    kind = Kind.EVENT if rule.level == "informational" else Kind.ALERT
    members: Document = {"log": {"level": LOG_LEVELS[rule.level]}, "rule": _rule_facts(plan)}
    threat = threat_of(rule.tags)
    if threat:
        members["threat"] = threat
    return _Described(
        kind=kind,
        key=to_kernel(rule.id or rule.key),
        title=printable(rule.title),
        event={
            "kind": kind.value,
            "dataset": f"fileaudit.{kind.value}",
            "severity": SEVERITIES[rule.level],
        },
        members=members,
        detection={"rule": {"level": rule.level}},
    )


_description: Final = ByIdentity(_described, limit=4096)


def record_of(finding: Finding, *, host: str, ingested_ns: int | None = None) -> Record:
    """The record of a finding.

    Args:
        finding: What matched.
        host: The name of this host, for events that do not say where they happened.
        ingested_ns: When the record is handed on, nanoseconds since the Unix epoch; without it the document
            says nothing about that.
    """
    rule, event = finding.rule.rule, finding.event
    described = _description(finding.rule)
    event_id = fingerprint(event)
    record_id = digest(pack((described.key, event_id)))
    document = document_of(event)
    facts = member_of(document, "event")
    facts["id"] = record_id
    facts.update(described.event)
    if ingested_ns is not None:
        facts["ingested"] = _moment(ingested_ns)
    document["message"] = f"{described.title}: {sentence(event)}"
    document.update(described.members)
    if event.host_name is None:
        name = to_document(host)
        member_of(document, "host")["name"] = name
        member_of(document, "related")["hosts"] = [name]
    _describe_detection(document, finding, described, event_id)
    return Record(
        id=record_id,
        kind=described.kind,
        ts_ns=event.ts_ns,
        rule=rule.key,
        level=rule.level,
        document=document,
        event=event,
    )


_moment = functools.lru_cache(maxsize=4)(rfc3339)
"""A batch is handed on at one time."""


def _rule_facts(plan: UserRule) -> Document:
    """ECS `rule.*`; what the rule does not say is left out."""
    rule = plan.rule
    facts = {
        "id": rule.key,
        "uuid": rule.id,
        "name": rule.title,
        "description": rule.description,
        "ruleset": "sigma",
        "category": plan.logsource.value,
        "license": rule.license,
        "reference": list(rule.references),
        "author": [rule.author] if rule.author else None,
        "version": rule.modified or rule.date,
    }
    return {name: _valid(value) for name, value in facts.items() if value}


def _describe_detection(document: Document, finding: Finding, described: _Described, event_id: str) -> None:
    facts = member_of(document, "fileaudit")
    facts["event_id"] = event_id
    facts.update(described.detection)
    facts["selections"] = [_valid(name) for name in finding.selections]
    if finding.losses:
        facts["losses"] = _losses(finding.losses)


def _losses(losses: tuple[Loss, ...]) -> Document:
    """All losses as one: how much is missing, and between when."""
    counts: dict[str, int] = {}
    for loss in losses:
        for name, count in loss.counts.items():
            counts[name] = counts.get(name, 0) + count
    return {
        "total": sum(counts.values()),
        "from": rfc3339(min(loss.first_ns for loss in losses)),
        "to": rfc3339(max(loss.last_ns for loss in losses)),
        "counts": counts,
    }


def _valid(value: object) -> object:
    """A rule's text as valid Unicode: YAML's escapes can spell surrogates, which JSON cannot carry."""
    if isinstance(value, list):
        return [_valid(member) for member in value]
    if isinstance(value, str) and not value.isascii():
        return to_document(value)
    return value
