"""From a finding to the document that people read: an alert, or an event of the audit trail.

The document is the event's own (`events.document`) with the rule beside it. Nothing in it depends on when
or where detection runs: no clock, no counter. The same event through the same rule is the same record, with
the same id, in `run`, in a replay and after a crash, and whoever stores or sends it twice may drop one.

What several events came to together is told in `crossing_alert`.
"""

from typing import Final

from fileaudit_engine.compiler.plan import UserRule
from fileaudit_engine.detect.crossing_alert import contribution_records, record_of_crossing
from fileaudit_engine.detect.described import (
    LOG_LEVELS,
    SEVERITIES,
    Described,
    add_host,
    describe,
    described,
    losses_document,
    valid,
)
from fileaudit_engine.detect.identity import digest, fingerprint, pack
from fileaudit_engine.detect.record import Finding, Record
from fileaudit_engine.events.document import document_of
from fileaudit_engine.events.memo import ByIdentity
from fileaudit_engine.events.objects import member_of
from fileaudit_engine.events.wording import sentence

__all__ = ["LOG_LEVELS", "SEVERITIES", "contribution_records", "record_of", "record_of_crossing"]


def _described(plan: UserRule) -> Described:
    return described(plan.rule, plan.logsource.value)


_description: Final = ByIdentity(_described, limit=4096)


def record_of(finding: Finding, *, host: str, ingested_ns: int | None = None) -> Record:
    """The record of a finding.

    Args:
        finding: What matched.
        host: The name of this host, for events that do not say where they happened.
        ingested_ns: When the record is handed on, nanoseconds since the Unix epoch; without it the document
            says nothing about that.
    """
    event, rule = finding.event, _description(finding.rule)
    event_id = fingerprint(event)
    record_id = digest(pack((rule.key, event_id)))
    document = document_of(event)
    facts = member_of(document, "fileaudit")
    facts["event_id"] = event_id
    describe(document, rule, record_id=record_id, message=sentence(event), ingested_ns=ingested_ns)
    if event.host_name is None:
        add_host(document, host)
    facts["selections"] = [valid(name) for name in finding.selections]
    if finding.losses:
        facts["losses"] = losses_document(finding.losses)
    return Record(
        id=record_id,
        kind=rule.kind,
        ts_ns=event.ts_ns,
        rule=finding.rule.rule.key,
        level=rule.level,
        document=document,
        event=event,
    )
