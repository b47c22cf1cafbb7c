"""`correlation.schema.json`: rules over the matches of other rules.

What a correlation must have depends on its type: those that count need a condition with a threshold, those
that compute need a field to compute from, and those in time take a condition over the rules' names or none.
The names of such a condition are the rules where these are not listed.
"""

from typing import Final

from tools.schemas.metadata import NAME, TEXTS, head, of_detections
from tools.schemas.parts import Schema, choice, described, document, map_of, snippet, text_like

from fileaudit_engine.events.fields import FIELDS

_COUNTING: Final = {"event_count": "How many matches there are."}
_COMPUTING: Final = {
    "value_count": "How many different values a field has.",
    "value_sum": "The sum of a field's numbers.",
    "value_avg": "The average of a field's numbers.",
    "value_percentile": "A percentile of a field's numbers.",
    "value_median": "The median of a field's numbers.",
}
_IN_TIME: Final = {
    "temporal": "Matches of all the rules, in any order.",
    "temporal_ordered": "Matches of all the rules, in the order of the list.",
}
_COMPARISONS: Final = {
    "gt": "More than this.",
    "gte": "This or more.",
    "lt": "Less than this.",
    "lte": "This or less.",
    "eq": "Exactly this.",
    "neq": "Anything but this.",
}
_NUMBER: Final[Schema] = {"type": "number"}
_MAX_RULES: Final = 100
"""A match looks at every rule of each correlation; no pack that people wrote names a dozen."""
_MAX_GROUPING: Final = 20
"""Fields by which matches are told apart: each group keeps a value of every one."""
_MAX_VALUES: Final = 10
"""Fields whose values are counted together."""
_MAX_ALIASES: Final = _MAX_GROUPING + _MAX_VALUES
"""Each of which may be one."""
_START: Schema = {
    "title": "$1",
    "correlation": {
        "type": "event_count",
        "rules": ["$2"],
        "group-by": ["${3:User}"],
        "timespan": "${4:5m}",
        "condition": {"gte": "^${5:10}"},
    },
    "level": "${6|low,medium,high,critical|}",
}


def schema() -> Schema:
    """The whole schema."""
    return document(
        "Sigma 2.1 correlation for fileaudit-engine",
        "What matches of other rules mean together.",
        {
            "type": "object",
            "required": ["title", "correlation"],
            "properties": {
                **head("correlation"),
                **of_detections("correlation"),
                "correlation": _correlation(),
                "fields": described("Fields that help whoever looks at an alert.", TEXTS),
                "scope": described("Where the correlation is meant to be used, such as `server`.", TEXTS),
                "generate": described(
                    "Whether the rules that it refers to alert by themselves, too.",
                    {"type": "boolean", "default": False},
                ),
                "suspected": described(
                    "Whether to tell that a match may have been missed, where events were lost that could"
                    " have completed it. An attribute of this engine, not of Sigma.",
                    {"type": "boolean", "default": False},
                ),
            },
            "defaultSnippets": snippet("correlation", "A correlation to start from", _START),
        },
    )


def _correlation() -> Schema:
    """The section, with what each type must have besides."""
    return described(
        "The rules, the time, and what must be true of their matches.",
        map_of(
            {
                "type": described("What is looked at.", choice({**_COUNTING, **_COMPUTING, **_IN_TIME})),
                "rules": described(
                    "Rules or other correlations, by name, id or title. May be left out where the"
                    " condition names them.",
                    {
                        "type": ["array", "string"],
                        "minItems": 1,
                        "maxItems": _MAX_RULES,
                        "minLength": 1,
                        "items": {"type": "string", "minLength": 1},
                        "uniqueItems": True,
                    },
                ),
                "aliases": _aliases(),
                "group-by": described(
                    "Fields or aliases: matches count together if they agree in all of these; all matches"
                    " do if it is an empty list.",
                    {
                        "type": "array",
                        "maxItems": _MAX_GROUPING,
                        "items": {
                            "type": "string",
                            "minLength": 1,
                            "examples": [field.name for field in FIELDS],
                        },
                        "uniqueItems": True,
                    },
                ),
                "timespan": described(
                    "How long: a number with s, m, h, d or w, at most 365d.",
                    text_like(
                        r"^[1-9][0-9]{0,8}[smhdw]$",
                        "write a number and a letter: '30s', '15m', '1h', '7d' or '2w'",
                        maxLength=10,
                        examples=["30s", "5m", "1h", "1d"],
                    ),
                ),
                "condition": _condition(),
                "generate": described(
                    "Whether the rules alert by themselves, too.", {"type": "boolean", "default": False}
                ),
            },
            required=["type", "group-by", "timespan"],
            allOf=[
                _for_types(_COUNTING, {"required": ["condition"], **_is_map()}),
                _for_types(
                    _COMPUTING,
                    {"required": ["condition"], **_is_map({"required": ["field"]})},
                ),
                {
                    "if": {"required": ["condition"], "properties": {"condition": {"type": "string"}}},
                    "else": {"required": ["rules"]},
                },
            ],
        ),
    )


def _for_types(names: dict[str, str], demands: Schema) -> Schema:
    has_type = {"required": ["type"], "properties": {"type": {"enum": list(names)}}}
    return {"if": has_type, "then": demands}


def _is_map(demands: Schema | None = None) -> Schema:
    return {"properties": {"condition": {"type": "object", **(demands or {})}}}


def _aliases() -> Schema:
    return described(
        "Names for fields that are called differently in the matches of different rules.",
        {
            "type": "object",
            "maxProperties": _MAX_ALIASES,
            "additionalProperties": {
                "type": "object",
                "minProperties": 1,
                "maxProperties": _MAX_RULES,
                "description": "The field in the matches of each rule, by the rule's name.",
                "additionalProperties": {"type": "string", "minLength": 1},
            },
            "examples": [{"who": {"rule_a": "User", "rule_b": "TargetUser"}}],
        },
    )


def _condition() -> Schema:
    comparisons = {name: described(text, _NUMBER) for name, text in _COMPARISONS.items()}
    return described(
        "The threshold; several comparisons make a range. For the types in time also names of rules joined by"
        " and, or, not (which `temporal_ordered` does not have).",
        {
            "type": ["object", "string"],
            "minLength": 1,
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {
                **comparisons,
                "field": described(
                    "The field to count or to compute from.",
                    {
                        **NAME,
                        "type": ["string", "array"],
                        "minItems": 1,
                        "maxItems": _MAX_VALUES,
                        "uniqueItems": True,
                        "items": NAME,
                        "examples": [field.name for field in FIELDS],
                    },
                ),
                "percentile": described(
                    "Which percentile, for `value_percentile`. Without it the share of the newest value among"
                    " all is compared, in per cent.",
                    {**_NUMBER, "minimum": 0, "maximum": 100},
                ),
            },
        },
    )
