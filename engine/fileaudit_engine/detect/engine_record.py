"""What the engine says about itself, as records: they are kept, chained, shown and sent like all others.

Whoever reads an audit trail asks first whether anybody was watching. So start and stop of the engine, losses,
what retention removed and trouble with the store are records. Most are of kind `ENGINE`, which alerts nobody;
what somebody must do something about is an alert.

    engine_record(Action.ENGINE_START, ts_ns, "web1", "watching began", {"pid": 4242})
      -> {"event": {"kind": "event", "dataset": "fileaudit.engine", "action": "engine_start", …},
          "message": "watching began", "fileaudit": {"engine": {"pid": 4242}, …}, …}

What was lost is told by `record_of_loss` of the store.
"""

import enum
from collections.abc import Mapping
from typing import Final, NamedTuple

from fileaudit_engine.detect.described import LOG_LEVELS, SEVERITIES, add_host
from fileaudit_engine.detect.identity import digest, pack
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.document import ECS_VERSION, ENGINE_DATASET
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.events.objects import Document
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.rules.ast import QUIET_LEVEL
from fileaudit_engine.text import to_document

DATASET: Final = ENGINE_DATASET
"""`event.dataset` of what the engine says about itself, alerts included."""


class Action(str, enum.Enum):
    """`event.action`: what happened to the engine, or what it did."""

    ENGINE_START = "engine_start"
    """It watches from now on; says what was before."""
    ENGINE_STOP = "engine_stop"
    """It does not watch any more; nothing after a start and without this one ended as it should."""
    RULES_RELOADED = "rules_reloaded"
    RETENTION = "retention"
    """Records were removed because of their age, or for want of room; vouches for where the chain begins."""
    STORE_UNAVAILABLE = "store_unavailable"
    STORE_AVAILABLE = "store_available"
    STORE_REPLACED = "store_replaced"
    """Another file stands in the place of the store, or none: what is written has no name any more."""
    AUDIT_TRAIL_ALTERED = "audit_trail_altered"
    """What is in the store is not what anchors say was there."""
    JSON_LOG_UNAVAILABLE = "json_log_unavailable"
    JSON_LOG_AVAILABLE = "json_log_available"
    SINK_UNAVAILABLE = "sink_unavailable"
    """A receiver of records takes none: they wait in the store."""
    SINK_AVAILABLE = "sink_available"
    DELIVERY = "delivery"
    """What a receiver has had lately, and how far it is behind."""


class _Kind(NamedTuple):
    """What all records of an action have in common: a title, ECS `event.category` and `event.type`."""

    title: str
    category: str = "host"
    type: str = "info"


_KINDS: Final[Mapping[Action, _Kind]] = {
    Action.ENGINE_START: _Kind("Engine started", type="start"),
    Action.ENGINE_STOP: _Kind("Engine stopped", type="end"),
    Action.RULES_RELOADED: _Kind("Rules reloaded", "configuration", "change"),
    Action.RETENTION: _Kind("Old records removed", type="change"),
    Action.STORE_UNAVAILABLE: _Kind("Store cannot be written"),
    Action.STORE_AVAILABLE: _Kind("Store can be written again"),
    Action.STORE_REPLACED: _Kind("Store replaced", type="change"),
    Action.AUDIT_TRAIL_ALTERED: _Kind("Audit trail altered", type="change"),
    Action.JSON_LOG_UNAVAILABLE: _Kind("JSON log cannot be written"),
    Action.JSON_LOG_AVAILABLE: _Kind("JSON log can be written again"),
    Action.SINK_UNAVAILABLE: _Kind("Sink takes nothing"),
    Action.SINK_AVAILABLE: _Kind("Sink has had everything again"),
    Action.DELIVERY: _Kind("Delivery"),
}


def title_of(action: Action) -> str:
    """What records of an action are called: the name of the rule, where one is an alert."""
    return _KINDS[action].title


def engine_record(  # noqa: PLR0913 - one argument a fact
    action: Action,
    ts_ns: int,
    host: str,
    message: str,
    facts: Document,
    *,
    alert_level: str | None = None,
    own: Document | None = None,
) -> Record:
    """A record of the engine about itself.

    The same facts at the same time are the same record, with the same id.

    Args:
        action: What happened.
        ts_ns: When, nanoseconds since the Unix epoch.
        host: This host's name.
        message: What happened, in a sentence; names in it are printable.
        facts: Members of `fileaudit.engine`; texts in it are valid Unicode (`text.to_document`).
        alert_level: Makes it an alert of this level; None: it alerts nobody.
        own: Members of `fileaudit` beside these.
    """
    kind, level = Kind.ENGINE if alert_level is None else Kind.ALERT, alert_level or QUIET_LEVEL
    record_id = digest(pack((action.value, ts_ns, to_document(host), encode(facts), encode(own or {}))))
    title = _KINDS[action].title
    document: Document = {
        "@timestamp": rfc3339(ts_ns),
        "ecs": {"version": ECS_VERSION},
        "event": _event(action, kind, level, record_id),
        "message": f"{title}: {message}",
        "log": {"level": LOG_LEVELS[level]},
        "fileaudit": {"rule": {"level": level}, "engine": facts, **(own or {})},
    }
    add_host(document, host)
    if kind is Kind.ALERT:
        document["rule"] = {"id": action.value, "name": title, "ruleset": "fileaudit-engine"}
    rule = action.value if kind is Kind.ALERT else ""
    return Record(id=record_id, kind=kind, ts_ns=ts_ns, rule=rule, level=level, document=document, event=None)


def _event(action: Action, kind: Kind, level: str, record_id: str) -> Document:
    _, category, event_type = _KINDS[action]
    return {
        "id": record_id,
        "kind": "event" if kind is Kind.ENGINE else "alert",
        "category": [category],
        "type": [event_type],
        "dataset": DATASET,
        "module": "fileaudit",
        "action": action.value,
        "severity": SEVERITIES[level],
    }
