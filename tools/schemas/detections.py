"""Detections as editors see them: every field, every modifier that fits it, and what values they take.

    TargetFilename|startswith: /etc/
    ───────┬────── ────┬─────
           │           └─ completed where it stands alone, accepted in any chain
           └─ completed and explained

What people write most is listed key by key, so that editors complete it; every other chain of modifiers that
fit the field is a pattern, so that it is accepted and still explained. Whether a chain makes sense as a whole
is the engine's to say. Everything else is underlined.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tools.schemas.parts import Schema, described

from fileaudit_engine.events.fields import FIELDS, Field, FieldType, LogSource
from fileaudit_engine.rules.modifiers import MODIFIERS, Modifier, ValueType

CATEGORIES: Final = {
    LogSource.FILE_EVENT: "Files come to be or change, renamed, linked and made directories included.",
    LogSource.FILE_ACCESS: "Files are opened, read and written, failed attempts included.",
    LogSource.FILE_DELETE: "Files and directories are removed.",
    LogSource.FILE_RENAME: "Files are renamed.",
    LogSource.FILE_CHANGE: "Owner, permissions, attributes or times of files change.",
    LogSource.PROCESS_CREATION: "Programs are started.",
}
SERVICES: Final = {
    LogSource.FILEAUDIT: "Every operation; select on `Operation`.",
    LogSource.AUDITD: "Every operation, by the names that auditd's records have.",
}
ANY: Final = frozenset(ValueType)
_JSON_TYPES: Final = {
    ValueType.TEXT: "string",
    ValueType.NUMBER: "number",
    ValueType.BOOLEAN: "boolean",
    ValueType.NULL: "null",
}
_TEXTUAL: Final = (
    "contains",
    "contains|all",
    "startswith",
    "endswith",
    "cased",
    "re",
    "re|i",
    "neq",
    "exists",
)
_NUMERIC: Final = ("lt", "lte", "gt", "gte", "neq", "exists")
_COMPLETED: Final = {
    FieldType.KEYWORD: (*_TEXTUAL, "windash|contains", "fieldref"),
    FieldType.PATH: (*_TEXTUAL, "path", "under", "fieldref"),
    FieldType.PATHS: _TEXTUAL,
    FieldType.INTEGER: _NUMERIC,
    FieldType.BOOLEAN: ("exists",),
    FieldType.DATE: ("hour", "day", "week", "month", "year", "exists"),
}
"""The chains of modifiers that are listed, by the type of field."""

_OF_FEW_VALUES: Final = ("neq", "exists")
"""Those of a field that has only few values: parts of them are seldom asked for."""

_KEYWORDS: Final = ("all", "contains", "re", "re|i", "cased", "expand", "base64offset|contains")
"""Those that are listed for a search of the whole event."""

_CONDITION: Final[Schema] = {
    "examples": ["selection", "selection and not 1 of filter_*", "1 of selection_*", "all of them"],
}


def log_source(*, partial: bool = False) -> Schema:
    """`logsource`; a filter's may leave open what it does not care for."""
    categories = {source.value: text for source, text in CATEGORIES.items()}
    services = {source.value: text for source, text in SERVICES.items()}
    text: Schema = {"type": "string"}
    about = (
        "The rules to filter: only those whose log source has what is said here."
        if partial
        else ("The events to look at: `product: linux` with a category, or a service for all of them.")
    )
    return described(
        about,
        {
            "type": "object",
            "properties": {
                "product": described("The operating system: linux.", {**text, "examples": ["linux"]}),
                "category": described(
                    f"The kind of event. {_meanings(categories)}", {**text, "examples": list(categories)}
                ),
                "service": described(f"The log. {_meanings(services)}", {**text, "examples": list(services)}),
                "definition": described("What must be set up for these events to be there.", text),
            },
        },
    )


def _meanings(names: dict[str, str]) -> str:
    return " ".join(f"{name}: {text}" for name, text in names.items())


def detection() -> Schema:
    """`detection`: named detections and the condition over them."""
    condition = {"type": ["string", "array"], "minItems": 1, "items": {"type": "string"}, **_CONDITION}
    return described(
        "Named detections, and the condition that joins them.",
        {
            "type": "object",
            "required": ["condition"],
            "properties": {
                "condition": described(
                    "What must match: names joined by and, or, not; `1 of name_*`, `all of name_*`, `1 of"
                    " them`. Of several conditions any one must hold.",
                    condition,
                )
            },
            "additionalProperties": {"$ref": "#/$defs/detection"},
        },
    )


def filtering() -> Schema:
    """`filter`: the rules that it is for, named detections as in rules, and the condition over them."""
    return described(
        "The rules, and what is no match for them.",
        {
            "type": "object",
            "required": ["rules", "condition"],
            "properties": {
                "rules": described(
                    "The rules, each by its name, id or title; `any` for every rule of the log source.",
                    {
                        "type": ["array", "string"],
                        "minItems": 1,
                        "minLength": 1,
                        "items": {"type": "string", "minLength": 1},
                        "uniqueItems": True,
                        "examples": [["shadow_file_read"], "any"],
                    },
                ),
                "condition": described(
                    "What to keep, such as `not selection`: matches for which it does not hold are"
                    " suppressed. `selection` alone, as the specification writes it, suppresses the same.",
                    {
                        "type": "string",
                        "examples": ["not selection", "not 1 of selection_*"],
                    },
                ),
            },
            "additionalProperties": {"$ref": "rule.schema.json#/$defs/detection"},
        },
    )


def definitions() -> Schema:
    """What sections refer to: `detection`, the fields with their modifiers, and values by their types."""
    keys, chains = (
        dict(_keys()),
        {_chains(field): described(field.meaning, _reference(ANY)) for field in FIELDS},
    )
    chains[_keyword_chains()] = described("Searched in the whole event.", _reference(ANY))
    return {
        **dict(_values()),
        "fields": {
            "minProperties": 1,
            "properties": keys,
            "patternProperties": chains,
            "additionalProperties": False,
        },
        "detection": described(
            "A map: all its fields must match. A list of maps: any one of them must. A list of texts: any one"
            " must stand somewhere in the event.",
            {
                "type": ["object", "array", "string", "number"],
                "minItems": 1,
                "items": {"type": ["object", "string", "number"], "$ref": "#/$defs/fields"},
                "$ref": "#/$defs/fields",
            },
        ),
    }


def _keys() -> Iterator[tuple[str, Schema]]:
    """Every field alone, by each of its names, and with the modifiers that are listed; keywords likewise."""
    for field in FIELDS:
        for name in _names(field):
            yield name, _plain(field, name)
        for chain in _OF_FEW_VALUES if field.values else _COMPLETED[field.type]:
            yield f"{field.name}|{chain}", _modified(f"{field.meaning} ", chain)
    for chain in _KEYWORDS:
        yield f"|{chain}", _modified("Searched in the whole event. ", chain)


def _names(field: Field) -> dict[str, None]:
    """All that a rule may call a field: Sigma's name, auditd's and ours, and that of ECS."""
    return dict.fromkeys((field.name, *field.aliases, field.ecs))


def _plain(field: Field, name: str) -> Schema:
    """A field by one of its names; values that it can have are shown, none is refused."""
    schema = _reference(ANY)
    if field.values:
        schema["examples"] = list(field.values)
    elif field.type is FieldType.BOOLEAN:
        schema["examples"] = [True, False]
    same = "" if name == field.name else f" The same as {field.name}."
    return described(f"{field.meaning}{same}", schema)


def _modified(about: str, chain: str) -> Schema:
    modifiers = [MODIFIERS[name] for name in chain.split("|")]
    meanings = " ".join(modifier.meaning for modifier in modifiers)
    return described(f"{about}{meanings}", _reference(_taken(chain)))


def _chains(field: Field) -> str:
    """Any chain of the modifiers that fit a field's type, behind any of its names."""
    names = "|".join(map(re.escape, _names(field)))
    return f"^({names})(\\|({_alternatives(m for m in MODIFIERS.values() if field.type in m.fields)}))+$"


def _keyword_chains() -> str:
    return f"^(\\|({_alternatives(m for m in MODIFIERS.values() if m.keyword)}))+$"


def _alternatives(modifiers: Iterable[Modifier]) -> str:
    return "|".join(modifier.name for modifier in modifiers)


def _taken(chain: str) -> frozenset[ValueType]:
    return ANY.intersection(*(MODIFIERS[name].takes for name in chain.split("|")))


def _values() -> Iterator[tuple[str, Schema]]:
    """One value of some types, or a list of such."""
    chains = {chain for listed in (*_COMPLETED.values(), _KEYWORDS) for chain in listed}
    for takes in sorted({ANY, *map(_taken, chains)}, key=_values_name):
        types = _types(takes)
        yield _values_name(takes), {"type": [*types, "array"], "items": {"type": types}, "minItems": 1}


def _reference(takes: frozenset[ValueType]) -> Schema:
    return {"$ref": f"#/$defs/{_values_name(takes)}"}


def _values_name(takes: frozenset[ValueType]) -> str:
    return "values" if takes == ANY else "_or_".join(_types(takes))


def _types(takes: frozenset[ValueType]) -> list[str]:
    return [_JSON_TYPES[kind] for kind in ValueType if kind in takes]
