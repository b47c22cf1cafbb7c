"""Writes `schemas/rule.schema.json` from the field table, the modifier registry and the text below.

The schema serves two readers: an editor, which completes and explains by it, and the engine, which checks the
frame of a rule with it. Run it after a field or a modifier was added; a test says so if it was forgotten.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fileaudit_engine.events.fields import FIELDS, Field, FieldType, LogSource
from fileaudit_engine.rules.modifiers import MODIFIERS

TARGET = Path(__file__).resolve().parent.parent / "schemas" / "rule.schema.json"

STATUSES = {
    "stable": "Has raised no obvious false alerts for a long time, in several environments.",
    "test": "Mostly stable; may need slight adjustments to the environment.",
    "experimental": "New; may raise false alerts or be noisy.",
    "deprecated": "Replaced by another rule; `related` says which.",
    "unsupported": "Cannot be used in its current state.",
}
LEVELS = {
    "informational": "Records its matches in the audit trail and alerts nobody.",
    "low": "Notable, rarely an incident; relevant in high numbers or together with others.",
    "medium": "To be reviewed by hand, regularly.",
    "high": "To be reviewed promptly.",
    "critical": "An incident with near certainty; to be reviewed at once.",
}
RELATIONS = {
    "derived": "This rule was made from the other one, which may remain in use.",
    "obsolete": "This rule makes the other one obsolete.",
    "merged": "This rule joins the other ones, which may remain in use.",
    "renamed": "This rule had the other id before.",
    "similar": "The rules resemble each other.",
}
CATEGORIES = {
    LogSource.FILE_EVENT: "Files come to be or change, renamed, linked and made directories included.",
    LogSource.FILE_ACCESS: "Files are opened, read and written, failed attempts included.",
    LogSource.FILE_DELETE: "Files and directories are removed.",
    LogSource.FILE_RENAME: "Files are renamed.",
    LogSource.FILE_CHANGE: "Owner, permissions, attributes or times of files change.",
    LogSource.PROCESS_CREATION: "Programs are started.",
}
SCALAR = ["string", "number", "boolean", "null"]
DATE = {"type": "string", "format": "date", "examples": ["2026-01-31"]}
UUID = {"type": "string", "format": "uuid", "examples": ["929a690e-bef0-4204-a928-ef5e620d6fcc"]}
TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True}


def described(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with its explanation in front."""
    return {"description": text, **schema}


def choice(meanings: dict[str, str]) -> dict[str, Any]:
    """One of some texts, each with its meaning: the form that editors complete best."""
    return {
        "type": "string",
        "oneOf": [{"const": name, "description": text} for name, text in meanings.items()],
    }


def field_entries() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field, alone and with each comparison that fits its type."""
    comparisons = [name for name, entry in MODIFIERS.items() if entry.pattern or name == "re"]
    for field in FIELDS:
        for name in (field.name, *field.aliases):
            yield name, value_of(field)
            for modifier in comparisons if field.folded else ():
                text = f"{field.meaning} {MODIFIERS[modifier].meaning}"
                yield f"{name}|{modifier}", described(text, {"$ref": "#/$defs/values"})


def value_of(field: Field) -> dict[str, Any]:
    """The values of a field; those that it can have are shown, none is refused."""
    schema: dict[str, Any] = {"$ref": "#/$defs/values"}
    if field.values:
        schema["examples"] = list(field.values)
    elif field.type is FieldType.BOOLEAN:
        schema["examples"] = [True, False]
    return described(field.meaning, schema)


def definitions() -> dict[str, Any]:
    """What the schema says in several places."""
    return {
        "values": {"type": [*SCALAR, "array"], "items": {"type": SCALAR}, "minItems": 1},
        "fields": {
            "minProperties": 1,
            "properties": dict(field_entries()),
            "additionalProperties": {"$ref": "#/$defs/values"},
        },
        "detection": described(
            "A map: all its fields must match. A list of maps: any one of them must.",
            {
                "type": ["object", "array"],
                "minItems": 1,
                "items": {"type": ["object", "string", "number"], "$ref": "#/$defs/fields"},
                "$ref": "#/$defs/fields",
            },
        ),
    }


def log_source() -> dict[str, Any]:
    """`logsource`."""
    categories = {source.value: text for source, text in CATEGORIES.items()}
    text = {"type": "string"}
    return described(
        "The events to look at: `product: linux` with a category, or `service: fileaudit` for all of them.",
        {
            "type": "object",
            "properties": {
                "product": described("The operating system: linux.", {**text, "examples": ["linux"]}),
                "category": described(
                    "The kind of event. "
                    + " ".join(f"{name}: {about}" for name, about in categories.items()),
                    {**text, "examples": list(categories)},
                ),
                "service": described(
                    "`fileaudit`: every operation; select on `Operation`.",
                    {**text, "examples": ["fileaudit"]},
                ),
                "definition": described("What must be set up for these events to be there.", text),
            },
        },
    )


def detection() -> dict[str, Any]:
    """`detection`."""
    condition = described(
        "What must match: names joined by and, or, not; `1 of name_*`, `all of name_*`, `1 of them`.",
        {
            "type": ["string", "array"],
            "minItems": 1,
            "items": {"type": "string"},
            "examples": ["selection", "selection and not 1 of filter_*"],
        },
    )
    return described(
        "Named detections, and the condition that joins them.",
        {
            "type": "object",
            "required": ["condition"],
            "properties": {"condition": condition},
            "additionalProperties": {"$ref": "#/$defs/detection"},
        },
    )


def related() -> dict[str, Any]:
    """`related`."""
    return described(
        "Rules that this one has to do with.",
        {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "type"],
                "properties": {"id": UUID, "type": choice(RELATIONS)},
            },
        },
    )


def attributes() -> dict[str, Any]:
    """Every attribute that Sigma 2.1 defines."""
    short, text = {"type": "string", "maxLength": 256}, {"type": "string"}
    tag = {"type": "string", "pattern": r"^[a-z0-9_-]+\.[a-z0-9._-]+$", "examples": ["attack.t1003.008"]}
    return {
        "title": described(
            "What the rule detects, in a line of at most 256 characters.", {**short, "minLength": 1}
        ),
        "id": described("A UUID that identifies the rule for ever.", UUID),
        "name": described(
            "A unique name, by which tests and correlations refer to the rule.", {**short, "minLength": 1}
        ),
        "related": related(),
        "taxonomy": described("The taxonomy of field names.", {**short, "default": "sigma"}),
        "status": described("How far the rule can be trusted.", choice(STATUSES)),
        "description": described("What the rule detects, and why it matters.", {**text, "maxLength": 65535}),
        "license": described("SPDX identifier of the rule's license.", text),
        "author": described("Who wrote the rule; several are separated by commas.", text),
        "references": described("Where to read more.", TEXTS),
        "date": described("When the rule was made.", DATE),
        "modified": described("When the rule was last changed in substance.", DATE),
        "logsource": log_source(),
        "detection": detection(),
        "fields": described("Fields that help whoever looks at an alert.", TEXTS),
        "falsepositives": described(
            "What raises the alert without being an attack.",
            {"type": ["string", "array"], "items": {"type": "string"}, "uniqueItems": True},
        ),
        "level": described("How much a match matters.", {**choice(LEVELS), "default": "medium"}),
        "tags": described(
            "Namespaced tags; those of ATT&CK begin with `attack.`.",
            {"type": "array", "items": tag, "uniqueItems": True},
        ),
        "scope": described("Where the rule is meant to be used.", TEXTS),
    }


def schema() -> dict[str, Any]:
    """The whole schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sigma 2.1 detection rule for fileaudit-engine",
        "type": "object",
        "required": ["title", "logsource", "detection"],
        "properties": attributes(),
        "$defs": definitions(),
    }


def rendered() -> str:
    """The file's content."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(rendered(), encoding="utf-8")
    print(f"wrote {TARGET}")
