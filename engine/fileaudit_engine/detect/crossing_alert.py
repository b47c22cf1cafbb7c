"""From a crossing to the document that people read: what several events came to together.

The document begins with the newest of the events, where that is known; else with what the events have in
common. Beside the rule stands `fileaudit.correlation`: what was seen, in words and as numbers, of which
events, and what may be missing. Its members are the same for every rule: what a user names is a value there,
never a key, so that an index does not grow with the rules.

Events of rules that are silent by themselves are kept in the audit trail, under the name of the correlation
that they contributed to: the ids in an alert lead somewhere.
"""

from collections.abc import Container, Sequence
from typing import Final

import msgspec

from fileaudit_engine.compiler.plan import UserCorrelation
from fileaudit_engine.detect.crossing import Contribution, Crossing, Evicted
from fileaudit_engine.detect.crossing_words import as_json, seen, together, wanted
from fileaudit_engine.detect.described import (
    Described,
    add_host,
    describe,
    described,
    losses_document,
)
from fileaudit_engine.detect.identity import digest, fingerprint, pack
from fileaudit_engine.detect.record import Record
from fileaudit_engine.events.document import ECS_VERSION, document_of
from fileaudit_engine.events.field import spelled
from fileaudit_engine.events.fields import Field, FieldType, Value
from fileaudit_engine.events.memo import ByIdentity
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.events.objects import Document, member_of, merge
from fileaudit_engine.events.parts import TIME, place_of, spelling
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.events.wording import sentence
from fileaudit_engine.rules.ast import QUIET_LEVEL, CorrelationType
from fileaudit_engine.text import to_document

CATEGORY: Final = "correlation"
"""ECS `rule.category` of correlations; of rules it is their log source."""

FILES_SHOWN: Final = 10
"""Files that an alert names: its events are known by id, people want to see some names."""

_IN_TIME: Final = frozenset({CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED})

CONTRIBUTIONS_KEPT: Final = 100
"""Events of an alert that are kept in full, the newest: an alert of a flood must not become one."""


class GroupValue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value that all events have in common; None where all of them lack the field."""

    field: str
    value: str | None = None


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """What limits made the correlation forget since it began."""

    groups: int
    events: int


class CorrelationFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`fileaudit.correlation` of a document.

    Attributes:
        type: Sigma's word for what is looked at.
        timespan: As written; `timespan_ns` in nanoseconds.
        condition: What the rule waits for, in words.
        summary: What was seen, in words.
        rules: The keys of what it listens to.
        group: What the events have in common.
        value: The number that was compared, if it was one.
        total: Events in the window.
        first: Time of the first of them; `last` of the last.
        event_ids: The newest of them (`fileaudit.event_id` of their own documents), in order.
        files: Names of some files that they were about: the first ones, in order; of the types in time those
            that tell most, the newest ones first.
        files_total: How many different ones are known.
        alerts: Ids of the alerts of other correlations that are among what made it true, the newest ones.
        evicted: What was forgotten, if anything was.
        late: Matches that came too late to be put in their place, since the correlation began.
        suspected: Nothing was seen: what was lost may hide it.
    """

    type: str
    timespan: str
    timespan_ns: int
    condition: str
    summary: str
    rules: list[str]
    group: list[GroupValue] = []
    value: int | float | None = None
    total: int
    first: str
    last: str
    event_ids: list[str] = []
    files: list[str] = []
    files_total: int = 0
    alerts: list[str] = []
    evicted: Forgotten | None = None
    late: int = 0
    suspected: bool = False


def facts_of(document: object) -> CorrelationFacts | None:
    """What a document says of a correlation; None where it says nothing of one."""
    own = document.get("fileaudit") if isinstance(document, dict) else None
    found = own.get("correlation") if isinstance(own, dict) else None
    try:
        return None if found is None else msgspec.convert(found, CorrelationFacts)
    except msgspec.ValidationError:  # of a store that somebody else has written into
        return None


def _described(plan: UserCorrelation) -> Described:
    return described(plan.rule, CATEGORY)


def _described_in_trail(plan: UserCorrelation) -> Described:
    return described(plan.rule, CATEGORY, level=QUIET_LEVEL)


_description: Final = ByIdentity(_described, limit=4096)
_description_in_trail: Final = ByIdentity(_described_in_trail, limit=4096)


def record_of_crossing(crossing: Crossing, *, host: str, ingested_ns: int | None = None) -> Record:
    """The record of a crossing; the arguments are those of `alert.record_of`."""
    correlation, rule = crossing.correlation.rule, _description(crossing.correlation)
    facts = _facts(crossing)
    record_id = crossing.id
    document = _base(crossing, host)
    message = _message(crossing, facts)
    describe(document, rule, record_id=record_id, message=message, ingested_ns=ingested_ns)
    member_of(document, "event").update(start=facts.first, end=facts.last)
    own = member_of(document, "fileaudit")
    own["correlation"] = msgspec.to_builtins(facts)
    if crossing.losses:
        own["losses"] = losses_document(crossing.losses)
    return Record(
        id=record_id,
        kind=rule.kind,
        ts_ns=crossing.ts_ns,
        rule=correlation.key,
        level=rule.level,
        document=document,
        event=crossing.event,
    )


def contribution_records(
    crossing: Crossing, *, host: str, ingested_ns: int | None = None, known: Container[str] = ()
) -> list[Record]:
    """The events behind a crossing as events of the audit trail, in order.

    Those that are there in full, the newest `CONTRIBUTIONS_KEPT` of them. What contributes to several
    crossings of a correlation is the same record each time.

    Args:
        crossing: What they contributed to.
        host: As for `alert.record_of`.
        ingested_ns: Likewise.
        known: Ids of records that are there already, and are left out.
    """
    plan = crossing.correlation
    key = _description_in_trail(plan).key
    whole = [(one, one.event) for one in crossing.events if one.event is not None]
    named = ((digest(pack((key, one.id))), one, event) for one, event in whole[-CONTRIBUTIONS_KEPT:])
    return [
        _contribution(plan, record_id, one, event, host=host, ingested_ns=ingested_ns)
        for record_id, one, event in named
        if record_id not in known
    ]


def _contribution(  # noqa: PLR0913 - what a document is made of
    plan: UserCorrelation,
    record_id: str,
    one: Contribution,
    event: FileEvent,
    *,
    host: str,
    ingested_ns: int | None,
) -> Record:
    rule = _description_in_trail(plan)
    document = document_of(event)
    member_of(document, "fileaudit")["event_id"] = one.id
    describe(document, rule, record_id=record_id, message=sentence(event), ingested_ns=ingested_ns)
    if event.host_name is None:
        add_host(document, host)
    return Record(
        id=record_id,
        kind=rule.kind,
        ts_ns=event.ts_ns,
        rule=plan.rule.key,
        level=rule.level,
        document=document,
        event=event,
    )


def _base(crossing: Crossing, host: str) -> Document:
    """The document of the newest event, or one of what the events have in common."""
    event = crossing.event
    document = _common(crossing) if event is None else document_of(event)
    document[TIME] = rfc3339(crossing.ts_ns)
    if event is not None:
        member_of(document, "fileaudit")["event_id"] = fingerprint(event)
    if (event is None or event.host_name is None) and "name" not in member_of(document, "host"):
        add_host(document, host)
    return document


def _common(crossing: Crossing) -> Document:
    document: Document = {
        TIME: "",
        "ecs": {"version": ECS_VERSION},
        "event": {"category": ["file"], "type": ["info"], "module": "fileaudit"},
    }
    for number, value in enumerate(crossing.group.values()):
        field = _field(crossing.correlation, number)
        if field is not None and value is not None:
            place, key = place_of(field)
            merge(document, place, {key: _spelled(field, value)})
    return document


def _field(plan: UserCorrelation, number: int) -> Field | None:
    """The field that a name of `group-by` means in all rules; None where there is no one place for it.

    A field that only the user knows has none: documents do not grow by names that somebody makes up.
    """
    meant = {step.group[number] for step in plan.steps}
    field = meant.pop() if len(meant) == 1 else None
    return None if field is None or field.attribute == "extra" or field.ecs == TIME else field


def _spelled(field: Field, value: Value) -> object:
    """A group's value as documents spell the field; of a list, groups have the first member."""
    spell = spelling(field)
    if field.type is FieldType.PATHS and not isinstance(value, tuple):
        value = (spelled(value),)
    return value if spell is None else spell(value)


def _facts(crossing: Crossing) -> CorrelationFacts:
    correlation = crossing.correlation.rule
    files = _files(crossing)
    return CorrelationFacts(
        type=correlation.type.value,
        timespan=correlation.timespan,
        timespan_ns=correlation.timespan_ns,
        condition=wanted(correlation),
        summary=seen(crossing),
        rules=list(map(to_document, correlation.sources)),
        group=[_group_value(name, value) for name, value in crossing.group.items()],
        value=None if crossing.value is None else as_json(crossing.value),
        total=crossing.total,
        first=rfc3339(crossing.first_ns),
        last=rfc3339(crossing.last_ns),
        event_ids=[one.id for one in crossing.events],
        files=list(map(to_document, files[:FILES_SHOWN])),
        files_total=len(files),
        alerts=list(crossing.chained),
        evicted=_forgotten(crossing.evicted),
        late=crossing.late,
        suspected=crossing.suspected,
    )


def _forgotten(evicted: Evicted) -> Forgotten | None:
    anything = evicted.groups or evicted.events
    return Forgotten(groups=evicted.groups, events=evicted.events) if anything else None


def _files(crossing: Crossing) -> tuple[str, ...]:
    """The files that its events were about, each once; those first that people should see."""
    events = [one.event for one in crossing.events if one.event is not None]
    if crossing.correlation.rule.type in _IN_TIME:
        events = _telling(events)
    return tuple(dict.fromkeys(path for event in events if (path := _path(event))))


def _telling(events: Sequence[FileEvent]) -> list[FileEvent]:
    """Events of several rules so that the newest of each comes first, as far as one can tell.

    What came last has made the condition true, which it was not before: where two rules are waited for, what
    came before that is of the other one. Of more, it is what was done to the files that tells them apart.
    """
    newest_first = [event for event in reversed(events) if _path(event)]
    by_deed: dict[object, FileEvent] = {}
    for event in newest_first:
        by_deed.setdefault((event.operation, event.access_mode), event)
    return [*newest_first[:2], *by_deed.values(), *newest_first]


def _path(event: FileEvent) -> str | None:
    return event.path or event.asked_path


def _group_value(name: str, value: Value) -> GroupValue:
    return GroupValue(field=to_document(name), value=None if value is None else to_document(spelled(value)))


def _message(crossing: Crossing, facts: CorrelationFacts) -> str:
    """What was seen, within how long, for whom, and what was the last of it."""
    group, event = together(crossing.group), crossing.event
    told = f"{facts.summary} within {facts.timespan}" + (f" for {group}" if group else "")
    return told if event is None else f"{told}; last: {sentence(event)}"
