"""`schemas/elasticsearch/`: what the engine's documents are in Elasticsearch.

Each file is the body of one request, so that it can be put by hand, too:

    fileaudit@settings    PUT _component_template/…    how indices are kept
    fileaudit@mappings    PUT _component_template/…    every member of a document; runs on a bare node
    fileaudit@enhanced    PUT _component_template/…    what only a full node has, on top of that
    logs-fileaudit.*      PUT _index_template/…        which data streams are made of these
    fileaudit             PUT _ilm/policy/…            when the next index of a data stream is begun

The law is that no document is refused because of what is in it: an alert that the receiver does not take is
an alert that nobody sees. So nothing is mapped by guessing (`dynamic`), a number or a time that Lucene cannot
hold is passed over (`ignore_malformed`), and so is a text that is too long for a term (`ignore_above`): they
stay in the document, and `_ignored` says which they are. Objects whose keys come from outside are not looked
into.
"""

from typing import Any, Final

from tools.schemas.elasticsearch_members import CLOSED, LONGEST_TEXT, MEMBERS, TEXT

from fileaudit_engine.events.fields import FIELDS, KEYWORD_IN_DOCUMENT, OCTAL_IN_DOCUMENT, Field, FieldType

Body = dict[str, Any]

PRIORITY: Final = 250
"""Above the templates that Elasticsearch brings (`logs` has 100, integrations 200), below what users add."""
OWN_SETTINGS: Final = "fileaudit@custom"
"""What users want otherwise; the engine never touches it."""

CASELESS: Final[Body] = {"type": "keyword", "normalizer": "lowercase", "ignore_above": LONGEST_TEXT}
"""What rules compare without regard to case; `lowercase` is the one normalizer that every node has."""
NUMBER: Final[Body] = {"type": "long"}
"""Of ids, which ECS has as keywords: rules compare them as numbers."""

KEYWORDS_OF_ECS: Final = KEYWORD_IN_DOCUMENT | {"Device"}
"""Integers that are keywords in ECS."""
WORDS_IN_DOCUMENT: Final = frozenset({"PathState"})
"""Numbers that documents spell as words."""

WILDCARDS: Final = (
    *("TargetFilename", "AskedFilename", "ContainerFilename", "AliasFilename", "SourceFilename"),
    *("AskedSourceFilename", "LinkTarget", "CommandLine", "ParentCommandLine", "CurrentDirectory"),
)
"""Long texts of which people look for a part; a full node has an index for that."""
COPIES: Final = {
    "process.parent.executable": "fileaudit.ancestry.executables",
    "process.parent.name": "fileaudit.ancestry.names",
    "fileaudit.ancestors.executable": "fileaudit.ancestry.executables",
    "fileaudit.ancestors.name": "fileaudit.ancestry.names",
}
"""Fields that follow from others and that documents do not carry: the node gathers them when it indexes."""


def mapping_of(field: Field) -> Body:
    """How Elasticsearch holds a field of the table."""
    if field.ecs == "@timestamp":
        return {"type": "date", "ignore_malformed": False}  # data streams insist
    if field.name in KEYWORDS_OF_ECS:
        return {**TEXT, "fields": {"number": NUMBER}}
    if field.name in OCTAL_IN_DOCUMENT | WORDS_IN_DOCUMENT:
        return TEXT
    match field.type:
        case FieldType.INTEGER:
            return {"type": "long"}
        case FieldType.BOOLEAN | FieldType.DATE:
            return {"type": field.type.value}
        case _:
            return {**TEXT, "fields": {"caseless": CASELESS}}


def leaves() -> dict[str, Body]:
    """Every mapped place of a document, dotted."""
    found = {field.ecs: mapping_of(field) for field in FIELDS}
    for place, mapping in MEMBERS.items():
        if place in found:
            raise AssertionError(f"{place} is a field of the table")
        found[place] = mapping
    for place, target in COPIES.items():
        found[place] = {**found[place], "copy_to": [target]}
    return found | {place: {"type": "object", "enabled": False} for place in CLOSED}


def nested(places: dict[str, Body]) -> Body:
    """The same as `properties` in one another."""
    root: Body = {}
    for place, mapping in sorted(places.items()):
        *outer, key = place.split(".")
        node = root
        for step in outer:
            node = node.setdefault(step, {"properties": {}})["properties"]
        node[key] = mapping
    return root


def settings() -> Body:
    """How indices are kept."""
    return {
        "template": {
            "settings": {
                "index.codec": "best_compression",
                "index.auto_expand_replicas": "0-1",
                "index.mapping.ignore_malformed": True,
                "index.query.default_field": ["message", "rule.name", "file.path", "process.command_line"],
            }
        },
        "_meta": {"description": "How indices of fileaudit-engine are kept."},
    }


def mappings() -> Body:
    """What every node takes."""
    return {
        "template": {
            "mappings": {"dynamic": False, "date_detection": False, "properties": nested(leaves())},
        },
        "_meta": {"description": "Documents of fileaudit-engine: a portable core that every node takes."},
    }


def enhanced() -> Body:
    """What a full node does better; the engine leaves out what a node does not take."""
    core = leaves()
    wild = {field.ecs for field in FIELDS if field.name in WILDCARDS}
    places = {place: _as_wildcard(core[place]) for place in wild}
    places["message"] = {"type": "match_only_text"}
    places |= {f"data_stream.{part}": {"type": "constant_keyword"} for part in ("dataset", "namespace")}
    places["data_stream.type"] = {"type": "constant_keyword", "value": "logs"}
    return {
        "template": {
            "settings": {"index.lifecycle.name": "fileaudit"},
            "mappings": {"properties": nested(places)},
        },
        "_meta": {"description": "Documents of fileaudit-engine: what only a full node has."},
    }


def _as_wildcard(mapping: Body) -> Body:
    """A later template says a field anew, all of it; a wildcard has no longest text."""
    return {"type": "wildcard"} | {key: mapping[key] for key in ("fields", "copy_to") if key in mapping}


def index_template(kind: str) -> Body:
    """Of the data streams of alerts, or of events."""
    return {
        "index_patterns": [f"logs-fileaudit.{kind}-*"],
        "data_stream": {},
        "priority": PRIORITY,
        "composed_of": ["fileaudit@settings", "fileaudit@mappings", "fileaudit@enhanced", OWN_SETTINGS],
        "ignore_missing_component_templates": ["fileaudit@enhanced", OWN_SETTINGS],
        "_meta": {"description": f"Data streams of fileaudit-engine: {kind}s."},
    }


def policy() -> Body:
    """When a new index is begun. Nothing is ever deleted unless somebody says so."""
    rollover = {"max_age": "30d", "max_primary_shard_size": "50gb"}
    return {
        "policy": {
            "phases": {"hot": {"min_age": "0ms", "actions": {"rollover": rollover}}},
            "_meta": {"description": "When fileaudit-engine begins a new index; nothing is deleted."},
        }
    }


def bodies() -> dict[str, Body]:
    """Every file, by its name without the ending."""
    return {
        "fileaudit@settings": settings(),
        "fileaudit@mappings": mappings(),
        "fileaudit@enhanced": enhanced(),
        "logs-fileaudit.alert": index_template("alert"),
        "logs-fileaudit.event": index_template("event"),
        "fileaudit": policy(),
    }
