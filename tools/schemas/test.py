"""`test.schema.json`: test cases of a rule pack, from the field table and the text below.

The schema is for editors, which complete and explain by it; the engine reads test files with messages of its
own (`ruletest/case_reader.py`). A test holds the schema and the reader against each other.
"""

from tools.schemas.parts import Schema, described, document, list_of, map_of, snippet

from fileaudit_engine.events.fields import BY_NAME, Field, FieldType
from fileaudit_engine.ruletest.case_reader import LEVELS

TYPES = {
    FieldType.KEYWORD: ["string", "integer"],
    FieldType.PATH: ["string", "integer"],
    FieldType.PATHS: ["array", "string"],
    FieldType.INTEGER: ["integer", "string"],
    FieldType.BOOLEAN: ["boolean", "string"],
    FieldType.DATE: ["string"],
}
START: Schema = {
    "tests": [
        {
            "name": "$1",
            "events": [{"at": "0s", "Operation": "open", "AccessMode": "read", "TargetFilename": "$2"}],
            "alerts": [{"rule": "$3"}],
        }
    ]
}
SCALAR = {"type": ["string", "number", "boolean", "null"]}
NOT_BLANK = {"type": "string", "pattern": r"\S"}
START_TIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
DURATION = r"^(0|([0-9]{1,15}(\.[0-9]{1,9})?(ns|us|ms|s|m|h|d))+)$"


def field(name: str, row: Field) -> Schema:
    """A field of an event, by one of its names; null stands for an absent one."""
    meaning = row.meaning if name == row.name else f"{row.meaning} The same as {row.name}."
    if row.values:
        return described(meaning, {"enum": [*row.values, None]})
    words = ["array"] if row.name == "PathState" else []
    return described(meaning, {"type": [*TYPES[row.type], *words, "null"]})


def case() -> Schema:
    """A test case."""
    return map_of(
        {
            "name": described("What the case shows, as a sentence; unique in the file.", NOT_BLANK),
            "start": described(
                "When the case starts, for rules that look at the hour, the day or the year: 'at: 0s', and a"
                " recording's earliest event. Without it: 2026-01-01T00:00:00Z.",
                {"type": "string", "pattern": START_TIME, "examples": ["2026-01-31T03:00:00Z"]},
            ),
            "events": described("What happens, in this order.", list_of("event", minItems=1)),
            "events_from": described(
                "A recording in place of 'events': JSON lines, .gz and .zst too. Its path is relative to this"
                " file and may not leave the folder of fixtures. Its earliest event happens at the start.",
                NOT_BLANK,
            ),
            "alerts": described(
                "All alerts that the events raise: nothing else may fire. [] if nothing may.",
                list_of("expectation"),
            ),
            "audit": described(
                "All audit events of the informational rules that cases of this file name below 'audit';"
                " where they name none, of all. Not checked where it is left out.",
                list_of("expectation"),
            ),
        },
        required=["name"],
        oneOf=[{"required": ["events"]}, {"required": ["events_from"]}],
        anyOf=[{"required": ["alerts"]}, {"required": ["audit"]}],
    )


def event() -> Schema:
    """An event that is written out."""
    times = {"at": {"$ref": "#/$defs/at"}, "@timestamp": False, "ts_ns": False}
    return described(
        "An event: Sigma names or ECS names, nested or dotted. A field that is null is absent.",
        {"allOf": [{"$ref": "#/$defs/fields"}, {"properties": times}]},
    )


def expectation() -> Schema:
    """An alert that is expected."""
    return described(
        "An alert or audit event that must be raised. What is left out is not compared.",
        map_of(
            {
                "rule": described("The rule, by its name, id or title.", NOT_BLANK),
                "level": described("Its level.", {"enum": list(LEVELS)}),
                "at": described(
                    "Time of the event that raises it, since the start of the case.", {"$ref": "#/$defs/at"}
                ),
                "fields": described(
                    "ECS fields of the alert by their dotted names, compared as text. A single value also"
                    " equals a list that holds it; null means that the field is absent.",
                    {"$ref": "#/$defs/values"},
                ),
            },
            required=["rule"],
        ),
    )


def definitions() -> Schema:
    """What the schema refers to."""
    values = [SCALAR, {"type": "array", "items": SCALAR}, {"$ref": "#/$defs/values"}]
    return {
        "case": case(),
        "event": event(),
        "expectation": expectation(),
        "values": {"type": "object", "additionalProperties": {"anyOf": values}},
        "at": {
            "description": "When, since the start of the case. Time is virtual: nobody waits.",
            "examples": ["0s", "150ms", "2s", "1m30s", "1h"],
            "oneOf": [{"const": 0}, {"type": "string", "pattern": DURATION}],
        },
        "fields": {"type": "object", "properties": {name: field(name, row) for name, row in BY_NAME.items()}},
    }


def schema() -> Schema:
    """The whole schema."""
    defaults: Schema = {"allOf": [{"$ref": "#/$defs/fields"}, {"not": {"required": ["at"]}}]}
    return document(
        "Test cases of a rule pack for fileaudit-engine (*.test.yml)",
        "Events, and exactly what the rules must say of them. Every case runs twice: with the model of the"
        " kernel's filter in front, and without it.",
        {
            **map_of(
                {
                    "defaults": described(
                        "Values that every event written out in this file has, unless it says otherwise."
                        " Recorded events stay as they are.",
                        defaults,
                    ),
                    "tests": described("The cases.", list_of("case")),
                },
                required=["tests"],
            ),
            "defaultSnippets": snippet("tests", "A test file to start from", START),
            "$defs": definitions(),
        },
    )
