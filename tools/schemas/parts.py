"""What all schemas are made of: described values, choices with meanings, maps and lists.

Everything that an editor can show says what it means: a schema without descriptions checks, and explains
nothing. Only keywords that the YAML language server and `jsonschema` both understand are used; the remedy for
a text of the wrong form is `patternErrorMessage`, which the language server shows and our diagnostics repeat.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

Schema = dict[str, Any]

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
WIDTH: Final = 110
"""Characters of a line; what fits into one is not spread over several."""


def described(text: str, schema: Schema) -> Schema:
    """A schema with its explanation in front."""
    return {"description": text, **schema}


def choice(meanings: Mapping[str, str]) -> Schema:
    """One of some texts, each with its meaning: the form that editors complete best."""
    return {
        "type": "string",
        "oneOf": [{"const": name, "description": text} for name, text in meanings.items()],
    }


def map_of(properties: Schema, **rest: object) -> Schema:
    """A map with these keys and no others."""
    return {"type": "object", "additionalProperties": False, "properties": properties, **rest}


def list_of(name: str, **rest: object) -> Schema:
    """A list of what a definition describes."""
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}, **rest}


def text_like(pattern: str, remedy: str, **rest: object) -> Schema:
    """A text of a certain form; `remedy` says what to write."""
    return {"type": "string", "pattern": pattern, "patternErrorMessage": remedy, **rest}


def document(title: str, description: str, schema: Schema) -> Schema:
    """The head of a schema file."""
    return {"$schema": DRAFT, "title": title, "description": description, **schema}


def snippet(label: str, description: str, body: Schema) -> list[Schema]:
    """A document to start from, which editors insert; `$1` and its like are where the cursor goes."""
    return [{"label": label, "description": description, "body": body}]


def rendered(schema: object, indent: str = "", before: int = 0) -> str:
    """JSON as people lay it out: on one line where it fits, else one member a line.

    Args:
        schema: The value.
        indent: What its lines begin with.
        before: Characters that stand before it on its first line.
    """
    flat = json.dumps(schema, ensure_ascii=False)
    if len(indent) + before + len(flat) < WIDTH or not schema or not isinstance(schema, dict | list):
        return flat
    inner = f"{indent}  "
    if isinstance(schema, list):
        lines = [rendered(item, inner) for item in schema]
        return "[\n" + ",\n".join(f"{inner}{line}" for line in lines) + f"\n{indent}]"
    members = []
    for key, value in schema.items():
        head = f"{json.dumps(key, ensure_ascii=False)}: "
        members.append(f"{inner}{head}{rendered(value, inner, len(head))}")
    return "{\n" + ",\n".join(members) + f"\n{indent}}}"
