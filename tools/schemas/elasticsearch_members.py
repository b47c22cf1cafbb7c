"""What documents hold beside the fields of the table, and how Elasticsearch takes each of it.

The engine adds members to what happened: the rule, what a correlation saw, what it says about itself, and
where it sends it. A test walks documents of every kind and finds each of their members here, in the table, or
among those that are closed on purpose.
"""

from typing import Any, Final

LONGEST_TEXT: Final = 10_922
"""UTF-16 units of a text that is indexed. A unit is three bytes of UTF-8 at most, and Lucene refuses a whole
document for one term of more than 32,766 bytes. No path of Linux is longer unless 2,200 of its bytes are no
UTF-8."""

_Mapping = dict[str, Any]

TEXT: Final[_Mapping] = {"type": "keyword", "ignore_above": LONGEST_TEXT}
_LONG: Final[_Mapping] = {"type": "long"}
_DOUBLE: Final[_Mapping] = {"type": "double"}
_FLOAT: Final[_Mapping] = {"type": "float"}
_DATE: Final[_Mapping] = {"type": "date"}
_BOOLEAN: Final[_Mapping] = {"type": "boolean"}

_MEMBERS: Final[tuple[tuple[_Mapping, str, str], ...]] = (
    (TEXT, "ecs", "version"),
    (TEXT, "data_stream", "type dataset namespace"),
    (TEXT, "event", "id kind category type dataset module"),
    (_LONG, "event", "severity sequence"),
    (_FLOAT, "event", "risk_score"),
    (_DATE, "event", "created ingested start end"),
    (TEXT, "host.os", "type"),
    (TEXT, "log", "level"),
    (TEXT, "related", "user hosts"),
    (TEXT, "rule", "id uuid name description ruleset category license reference author version"),
    (TEXT, "threat", "framework"),
    (TEXT, "threat.tactic", "id name"),
    (TEXT, "threat.technique", "id name"),
    (TEXT, "threat.technique.subtechnique", "id name"),
    # How a match came about
    (TEXT, "fileaudit", "event_id selections"),
    (TEXT, "fileaudit.rule", "level"),
    # Processes before the one that did it
    (_LONG, "fileaudit.parent", "pid parent_pid start_ns"),
    (_BOOLEAN, "fileaudit.parent", "args_truncated"),
    (_LONG, "fileaudit.ancestors", "pid parent_pid start_ns"),
    (_BOOLEAN, "fileaudit.ancestors", "args_truncated"),
    (TEXT, "fileaudit.ancestors", "executable name args"),
    # What several events came to together
    (TEXT, "fileaudit.correlation", "type timespan condition summary rules event_ids files alerts"),
    (TEXT, "fileaudit.correlation.group", "field value"),
    (_LONG, "fileaudit.correlation", "timespan_ns total files_total late"),
    (_LONG, "fileaudit.correlation.evicted", "groups events"),
    (_DOUBLE, "fileaudit.correlation", "value"),
    (_DATE, "fileaudit.correlation", "first last"),
    (_BOOLEAN, "fileaudit.correlation", "suspected"),
    # Alerts that were folded
    (TEXT, "fileaudit.repeats", "of ids"),
    (_LONG, "fileaudit.repeats", "count"),
    (_DATE, "fileaudit.repeats", "first last"),
    # What was lost
    (_LONG, "fileaudit.lost", "first_ns last_ns"),
    (_LONG, "fileaudit.losses", "total"),
    (_DATE, "fileaudit.losses", "from to"),
    (_DATE, "fileaudit.losses.unwatched", "from to"),
    # What the engine says about itself
    (TEXT, "fileaudit.engine", "version store store_path reason rules trails sink what"),
    (_LONG, "fileaudit.engine", "pid rules_total trails_total free_bytes seconds waited lost"),
    (_LONG, "fileaudit.engine", "delivered rejected behind lag_seconds agreed_seq head_seq"),
    (_DATE, "fileaudit.engine", "since"),
    (TEXT, "fileaudit.engine.previous", "how"),
    (_DATE, "fileaudit.engine.previous", "until"),
    (_LONG, "fileaudit.engine.previous", "unwatched_seconds"),
    (TEXT, "fileaudit.engine.clock", "source"),
    (_BOOLEAN, "fileaudit.engine.clock", "synchronized"),
    (_LONG, "fileaudit.engine.clock", "max_error_us estimated_error_us"),
    (_LONG, "fileaudit.engine.events", "seen filtered delivered"),
    (TEXT, "fileaudit.engine.anchor", "store link"),
    (_LONG, "fileaudit.engine.anchor", "seq"),
    (_DATE, "fileaudit.engine.anchor", "time"),
    (TEXT, "fileaudit.retention", "store removed_link reason"),
    (_LONG, "fileaudit.retention", "removed removed_until_seq"),
    (_DATE, "fileaudit.retention", "first last"),
    (TEXT, "fileaudit.retention.not_had", "sink"),
    (_LONG, "fileaudit.retention.not_had", "records"),
)  # fmt: skip

MEMBERS: Final[dict[str, _Mapping]] = {
    "message": {"type": "text"},
    "tags": TEXT,
    **{f"{place}.{name}": mapping for mapping, place, names in _MEMBERS for name in names.split()},
}
"""Each place of a document that no field of the table has, and its mapping."""

CLOSED: Final = {
    "fileaudit.extra": "fields of the user's own: keys, types and depth are anybody's",
    "fileaudit.lost.counts": "the keys are what a recording says that was lost",
    "fileaudit.losses.counts": "the keys are what a recording says that was lost",
    "fileaudit.engine.events.lost": "the keys are kinds of losses, as above",
}
"""Objects that are kept and not looked into, each with its reason: a node refuses a document for a key such
as '' or 'a..b' wherever it looks, though nothing were mapped there."""
