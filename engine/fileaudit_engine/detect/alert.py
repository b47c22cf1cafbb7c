"""From a finding to the document that people read: an alert, or an event of the audit trail.

The document is the event's own (`events.document`) with the rule beside it. Nothing in it depends on when
or where detection runs: no clock, no counter. The same event through the same rule is the same record, with
the same id, in `run`, in a replay and after a crash, and whoever stores or sends it twice may drop one.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

import msgspec

from fileaudit_engine.detect.attack import threat_of
from fileaudit_engine.detect.record import Finding, Kind, Record
from fileaudit_engine.events.document import Document, document_of, merge
from fileaudit_engine.events.model import FileEvent, Loss, Process
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.events.wording import sentence
from fileaudit_engine.rules.ast import Rule
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
    """All that makes an event this event and no other; the same wherever it is read.

    Left out is what the same event says in one place and not in another: the host, which a live event does
    not name, fields that are kept only on request, and the inode of an image, which documents do not have.
    """
    return (
        event.ts_ns,
        event.operation.value,
        event.syscall,
        _raw(event.path),
        _raw(event.asked_path),
        int(event.path_state),
        event.flags,
        event.access_mode.value if event.access_mode else None,
        event.errno,
        event.result,
        event.inode,
        event.device,
        event.mode,
        event.thread_id,
        event.user_id,
        event.group_id,
        event.effective_user_id,
        event.effective_group_id,
        event.login_user_id,
        event.session_id,
        event.cgroup_id,
        _raw(event.user_name),
        _raw(event.group_name),
        _raw(event.login_user_name),
        *_of_process(event.process),
        *_of_some(event),
    )


_OF_SOME: Final = (
    *("effective_user_name", "effective_group_name", "working_directory", "container_path", "alias_path"),
    *("owner_id", "owner_group_id", "owner_name", "owner_group_name", "size_bytes"),
    *("source_path", "asked_source_path", "link_target", "new_mode"),
    *("new_owner_id", "new_owner_group_id", "new_owner_name", "new_owner_group_name"),
    *("new_accessed_ns", "new_modified_ns", "new_size_bytes", "attribute_name"),
    *("transferred_bytes", "transfer_calls", "mount_source", "file_system"),
)
"""Facts that only some events have, or only some sources know."""


def _of_some(event: FileEvent) -> Iterator[tuple[object, ...]]:
    """Every such fact under its name: an event that lacks one has the id that it had before there was any."""
    for name in _OF_SOME:
        value = getattr(event, name)
        if value is not None:
            yield name, _raw(value) if isinstance(value, str) else value
    if event.container is not None:
        yield "container", *(_raw(value) for value in msgspec.structs.astuple(event.container))


def _of_process(process: Process) -> Iterator[object]:
    """A process and its ancestors, seven facts each."""
    member: Process | None = process
    while member is not None:
        yield member.pid
        yield member.start_ns
        yield _raw(member.executable)
        yield None if member.args is None else tuple(map(to_kernel, member.args))
        yield member.args_truncated
        yield _raw(member.name)
        yield member.parent_pid
        member = member.parent


def _raw(name: str | None) -> bytes | None:
    """A name as bytes: MessagePack takes no surrogates."""
    return None if name is None else to_kernel(name)


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
        return to_document(value)
    return value
