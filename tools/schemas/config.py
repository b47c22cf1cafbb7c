"""`config.schema.json`: the configuration, as far as this version takes it."""

from typing import Final

from tools.schemas.parts import Schema, described, document, map_of, text_like

_NAME: Final = text_like(
    r"^[\w.-]+$", "use letters, digits, '_', '-' and '.'; the percent signs stand in rules only"
)


def schema() -> Schema:
    """The whole schema."""
    path: Schema = {"type": "string", "minLength": 1}
    value: Schema = {"type": ["string", "number"]}
    return document(
        "fileaudit-engine configuration",
        "Relative paths are relative to the configuration file.",
        {
            **map_of(
                {
                    "rules": described(
                        "Rule files and folders; without it, the shipped rules.",
                        {
                            "anyOf": [
                                {"$ref": "#/$defs/path"},
                                {"type": "array", "items": {"$ref": "#/$defs/path"}},
                            ],
                            "examples": [["rules/"]],
                        },
                    ),
                    "store": described(
                        "The embedded store of alerts and audit events.",
                        map_of(
                            {
                                "path": {
                                    "$ref": "#/$defs/path",
                                    "description": "The file; its folder is made if need be.",
                                    "default": "/var/lib/fileaudit/fileaudit.db",
                                }
                            }
                        ),
                    ),
                    "placeholders": described(
                        "What `%name%` stands for in rules under the modifier `expand`: a value, or a list"
                        " of which any may be meant. Wildcards work as in rules.",
                        {
                            "type": "object",
                            "propertyNames": _NAME,
                            "additionalProperties": {
                                "anyOf": [value, {"type": "array", "items": value, "minItems": 1}]
                            },
                            "examples": [{"admins": ["alice", "bob"], "backup": "/usr/sbin/backupd"}],
                        },
                    ),
                    "timezone": described(
                        "What the modifiers `minute`, `hour`, `day` and their like are counted in.",
                        {
                            "type": "string",
                            "minLength": 1,
                            "default": "UTC",
                            "examples": ["UTC", "Europe/Berlin", "America/New_York"],
                        },
                    ),
                }
            ),
            "type": ["object", "null"],
            "$defs": {"path": path},
        },
    )
