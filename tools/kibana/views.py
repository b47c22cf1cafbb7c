"""The data views: which indices searches and panels look at, and what fields mean.

There are two. That of alerts alone looks at few and small indices, however much the audit trail keeps.
"""

from typing import Final

from tools.kibana.documents import known
from tools.kibana.saved import PREFIX, Json, SavedObject, compact

from fileaudit_engine.events.fields import FIELDS

TIME: Final = "@timestamp"
_LONGEST: Final = 300
"""Characters of a description that Kibana takes."""

_BYTES: Final[Json] = {"id": "bytes"}
_PLAIN: Final[Json] = {"id": "string"}
_SECONDS: Final[Json] = {
    "id": "duration",
    "params": {"inputFormat": "seconds", "outputFormat": "humanizePrecise", "includeSpaceWithSuffix": True},
}
_FORMATS: Final = {
    "file.size": _BYTES,
    "fileaudit.bytes": _BYTES,
    "fileaudit.new_size": _BYTES,
    "fileaudit.engine.lag_seconds": _SECONDS,
    "fileaudit.engine.previous.unwatched_seconds": _SECONDS,
    **dict.fromkeys(("process.pid", "process.parent.pid", "process.thread.id", "event.severity"), _PLAIN),
}
"""How numbers are shown: process ids want no thousands separators."""


def _meanings() -> Json:
    """What the field table says of each field, for the list of fields."""
    rows = (row for row in FIELDS if not row.computed)
    return {row.ecs: {"customDescription": row.meaning[:_LONGEST]} for row in rows}


def _view(name: str, title: str, pattern: str) -> SavedObject:
    attributes = {
        "allowNoIndex": True,  # it may be there before the first document is
        "fieldAttrs": compact(_meanings()),
        "fieldFormatMap": compact({known(field): shown for field, shown in _FORMATS.items()}),
        "fields": "[]",
        "name": title,
        "runtimeFieldMap": "{}",
        "sourceFilters": "[]",
        "timeFieldName": known(TIME),
        "title": pattern,
        "typeMeta": "{}",
    }
    return SavedObject(type="index-pattern", id=f"{PREFIX}{name}", attributes=attributes)


EVERYTHING: Final = _view("data-view", "File audit: everything", "logs-fileaudit.*")
ONLY_ALERTS: Final = _view("data-view-alerts", "File audit: alerts", "logs-fileaudit.alert-*")
VIEWS: Final = (EVERYTHING, ONLY_ALERTS)
