"""Where an alert's document can have a value: the dotted names that a configuration may speak of.

Most are the field table's. The rest is what `detect.alert` and its neighbours write beside an event.
"""

from collections.abc import Mapping
from typing import Final

from fileaudit_engine.events.document import ANCESTORS, EXTRA, is_derived
from fileaudit_engine.events.fields import FIELDS

UNIQUE: Final = frozenset({"@timestamp", "event.id", "event.ingested", "fileaudit.event_id"})
"""What hardly two alerts have in common: alerts cannot be told apart, or put together, by these."""

PLACES: Final = frozenset(
    {
        *(field.ecs for field in FIELDS if not field.computed or is_derived(field.ecs)),
        *("ecs.version", "message", "tags", "log.level", "related.hosts", "related.user", ANCESTORS),
        *(f"event.{name}" for name in ("category", "dataset", "kind", "module", "severity", "type")),
        *("rule.id", "rule.uuid", "rule.name", "rule.description", "rule.ruleset", "rule.category"),
        *("rule.license", "rule.reference", "rule.author", "rule.version"),
        *("threat.framework", "threat.tactic.id", "threat.tactic.name"),
        *("threat.technique.id", "threat.technique.name"),
        *("threat.technique.subtechnique.id", "threat.technique.subtechnique.name"),
        *("fileaudit.rule.level", "fileaudit.selections"),
        *(f"fileaudit.correlation.{name}" for name in ("type", "timespan", "condition", "rules", "group")),
        *(f"fileaudit.parent.{name}" for name in ("args_truncated", "parent_pid", "pid", "start_ns")),
    }
    - UNIQUE
)
"""Every place that some alert has a value at, but for `UNIQUE` and for what is below `EXTRA`."""


def is_place(name: str) -> bool:
    """Whether some alert can have a value there that others have, too."""
    return name in PLACES or name.startswith(f"{EXTRA}.")


def value_at(document: Mapping[str, object], place: str) -> object:
    """What a document has at a dotted place; None if nothing.

    A key with dots in it, as fields have that only the user knows, is found, too.
    """
    if place in document:
        return document[place]
    head, _, rest = place.partition(".")
    inner = document.get(head)
    return value_at(inner, rest) if rest and isinstance(inner, dict) else None
