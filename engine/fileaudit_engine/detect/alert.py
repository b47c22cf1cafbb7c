"""From a finding to the document that people read: an alert, or an event of the audit trail.

The document is the event's own (`events.document`) with the rule beside it. Nothing in it depends on when
or where detection runs: no clock, no counter. The same event through the same rule is the same record, with
the same id, in `run`, in a replay and after a crash, and whoever stores or sends it twice may drop one.
"""

from hashlib import blake2b
from typing import Final

import msgspec

from fileaudit_engine.detect.attack import threat_of
from fileaudit_engine.detect.record import Finding, Kind, Record
from fileaudit_engine.events.document import Document, document_of, merge
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.events.wording import sentence
from fileaudit_engine.rules.ast import Rule
from fileaudit_engine.text import from_kernel, printable, to_document, to_kernel

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

_ID_BYTES: Final = 16
"""128 bits: no two events of a planet's hosts will share an id by chance."""


def record_of(finding: Finding, *, host: str, ingested_ns: int | None = None) -> Record:
    """The record of a finding.

    Args:
        finding: What matched.
        host: The name of this host, for events that do not say where they happened.
        ingested_ns: When the record is handed on, nanoseconds since the Unix epoch; without it the document
            says nothing about that.
    """
    rule, event = finding.rule.rule, finding.event
    kind = Kind.EVENT if rule.level == "informational" else Kind.ALERT
    event_id = _digest(identity(event))
    record_id = _digest((to_kernel(rule.id or rule.key), event_id))
    document = document_of(event)
    merge(document, "event", _event_facts(kind, rule, record_id))
    if ingested_ns is not None:
        merge(document, "event", {"ingested": rfc3339(ingested_ns)})
    document["message"] = f"{printable(rule.title)}: {sentence(event)}"
    document["log"] = {"level": LOG_LEVELS[rule.level]}
    document["rule"] = _rule_facts(finding)
    threat = threat_of(rule.tags)
    if threat:
        document["threat"] = threat
    if event.host_name is None:
        merge(document, "host", {"name": to_document(host)})
        merge(document, "related", {"hosts": [to_document(host)]})
    _describe_detection(document, finding, event_id)
    return Record(
        id=record_id,
        kind=kind,
        ts_ns=event.ts_ns,
        rule=rule.key,
        level=rule.level,
        document=document,
        event=event,
    )


def identity(event: FileEvent) -> tuple[object, ...]:
    """What makes an event this event and no other; the same wherever it is read."""
    process = event.process
    return (
        event.ts_ns,
        process.pid,
        process.start_ns,
        event.thread_id,
        event.operation.value,
        None if event.path is None else to_kernel(event.path),
        None if event.asked_path is None else to_kernel(event.asked_path),
        event.flags,
        event.errno,
        event.inode,
        event.result,
    )


def _digest(parts: tuple[object, ...]) -> str:
    """A fingerprint in hexadecimal digits; MessagePack keeps `("a", "b")` apart from `("ab",)`."""
    return blake2b(msgspec.msgpack.encode(parts), digest_size=_ID_BYTES).hexdigest()


def _event_facts(kind: Kind, rule: Rule, record_id: str) -> Document:
    return {
        "id": record_id,
        "kind": kind.value,
        "dataset": f"fileaudit.{kind.value}",
        "severity": SEVERITIES[rule.level],
    }


def _rule_facts(finding: Finding) -> Document:
    """ECS `rule.*`; what the rule does not say is left out."""
    rule = finding.rule.rule
    facts = {
        "id": rule.key,
        "uuid": rule.id,
        "name": rule.title,
        "description": rule.description,
        "ruleset": "sigma",
        "category": finding.rule.logsource.value,
        "license": rule.license,
        "reference": list(rule.references),
        "author": [rule.author] if rule.author else None,
        "version": rule.modified or rule.date,
    }
    return {name: _valid(value) for name, value in facts.items() if value}


def _describe_detection(document: Document, finding: Finding, event_id: str) -> None:
    facts: Document = {
        "event_id": event_id,
        "rule": {"level": finding.rule.rule.level},
        "selections": [_valid(name) for name in finding.selections],
    }
    if finding.losses:
        facts["losses"] = _losses(finding.losses)
    merge(document, "fileaudit", facts)


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
        return to_document(from_kernel(to_kernel(value)))
    return value
