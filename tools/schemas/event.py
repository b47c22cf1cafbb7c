"""`event.schema.json`: the two forms of a recorded event, from the field table.

The engine reads events with messages of its own (`events/reader.py`); the schema is for editors and for
whoever produces events. A test holds the schema and the documents that the engine writes against each other.
"""

from tools.schemas.parts import Schema, document

from fileaudit_engine.events.document import LOST
from fileaudit_engine.events.fields import FIELDS, KEYWORD_IN_DOCUMENT, OCTAL_IN_DOCUMENT, Field, FieldType

TEXT: Schema = {"type": ["string", "integer"]}
TEXTS: Schema = {"type": ["array", "string"], "items": {"type": "string"}}
INTEGER: Schema = {"type": ["integer", "string"], "pattern": "^-?[0-9]{1,20}$"}
BOOLEAN: Schema = {"enum": [True, False, "true", "false"]}
MOMENT: Schema = {
    "type": ["string"],
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})$",
}
TYPES = {
    FieldType.KEYWORD: TEXT,
    FieldType.PATH: TEXT,
    FieldType.PATHS: TEXTS,
    FieldType.INTEGER: INTEGER,
    FieldType.BOOLEAN: BOOLEAN,
    FieldType.DATE: MOMENT,
}
SPECIAL: dict[str, Schema] = {
    "Errno": {"type": ["integer", "string"], "pattern": "^([0-9]{1,10}|E[A-Z0-9]+)$"},
    "PathState": {"type": ["array", "string", "integer"], "items": {"type": "string"}},
}
TIME: Schema = {
    "description": "When the call returned: RFC 3339, up to nanoseconds.",
    **MOMENT,
}
TS_NS: Schema = {
    "description": "The same as '@timestamp', as nanoseconds since the Unix epoch.",
    "type": ["integer", "string"],
    "minimum": 0,
}
DERIVED_OBJECTS = ("rule", "threat", "related", "ecs", "data_stream", "agent", "log")
DERIVED_MEMBERS = {
    "event": "kind id category type dataset module severity risk_score created ingested sequence start end",
    "host": "os",
    "file": "name directory extension type",
    "fileaudit": "flags_names errno_name selections event_id rule losses correlation repeats",
}
"""Members that documents have for their readers' sake, and that reading one passes over."""
PROCESS: Schema = {
    "type": "object",
    "properties": {
        "pid": INTEGER,
        "start_ns": INTEGER,
        "executable": TEXT,
        "name": TEXT,
        "args": TEXTS,
        "args_truncated": BOOLEAN,
        "parent_pid": INTEGER,
    },
    "additionalProperties": False,
}
LOSS: Schema = {
    "description": "Events that were lost, by operation, between two readings of the counters.",
    "type": "object",
    "properties": {
        "first_ns": INTEGER,
        "last_ns": INTEGER,
        "counts": {"type": "object", "additionalProperties": INTEGER},
    },
    "additionalProperties": False,
}


def value_of(field: Field, *, words: tuple[str, ...] = ()) -> Schema:
    """What a field may hold; null stands for an absent one. `words` are further values of an enumeration."""
    if field.values:
        return {"enum": [*field.values, *words, None]}
    if field.name in OCTAL_IN_DOCUMENT:
        return {"type": ["string", "integer", "null"], "pattern": "^(0o)?[0-7]{1,7}$"}
    found = SPECIAL.get(field.name, TYPES[field.type])
    return found if "enum" in found else {**found, "type": [*found["type"], "null"]}


def flat() -> Schema:
    """Events by flat names: Sigma's, and the dotted ones of ECS."""
    properties: Schema = {"@timestamp": TIME, "ts_ns": TS_NS}
    for field in FIELDS:
        for name in (field.name, *field.aliases, field.ecs):
            meaning = field.meaning if name == field.name else f"{field.meaning} The same as {field.name}."
            properties[name] = {"description": meaning, **value_of(field)}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def nested() -> Schema:
    """The document that the engine writes."""
    root: Schema = {"type": "object", "properties": {"@timestamp": TIME, "ts_ns": TS_NS}}
    for field in FIELDS:
        node = root
        *outer, key = field.ecs.split(".")
        for step in outer:
            node = node["properties"].setdefault(step, {"type": "object", "properties": {}})
        words = (LOST,) if field.name == "Operation" else ()
        encoding = " A string of digits." if field.name in KEYWORD_IN_DOCUMENT else ""
        description = f"{field.meaning} In rules: {field.name}.{encoding}"
        node["properties"][key] = {"description": description, **value_of(field, words=words)}
    for name, members in DERIVED_MEMBERS.items():
        root["properties"][name]["properties"] |= {member: {} for member in members.split()}
    root["properties"] |= {name: {} for name in (*DERIVED_OBJECTS, "message", "tags")}
    root["properties"]["fileaudit"]["properties"] |= {
        "parent": {"description": "What ECS has no place for in a parent.", **PROCESS},
        "ancestors": {
            "description": "The parent's parent and so on, nearest first.",
            "type": "array",
            "items": {**PROCESS, "required": ["pid"]},
            "maxItems": 64,
        },
        "lost": LOSS,
        "extra": {"description": "Fields of the user's own, by dotted name.", "type": "object"},
    }
    return closed(root)


def closed(node: Schema) -> Schema:
    """The schema with no other members allowed in any object of it that lists its members."""
    if "properties" in node:
        node["additionalProperties"] = False
        for inner in node["properties"].values():
            closed(inner)
    return node


def schema() -> Schema:
    """The whole schema."""
    return document(
        "A recorded event for fileaudit-engine (one line of NDJSON)",
        "Flat Sigma or ECS names, or the nested ECS document that the engine writes. Bytes of a name that are"
        " not UTF-8 are written \\xNN, and a backslash that would read as such is \\x5c.",
        {
            "anyOf": [{"$ref": "#/$defs/flat"}, {"$ref": "#/$defs/document"}],
            "$defs": {"flat": flat(), "document": nested()},
        },
    )
