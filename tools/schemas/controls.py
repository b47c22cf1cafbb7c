"""`controls.schema.json`: the control mapping, `controls.json` beside it, which the report prints.

A mapping says of each requirement of a framework what serves it here, and what the engine does not do for it.
"""

from tools.schemas.parts import Schema, choice, described, document, list_of, map_of

SECTIONS = {
    "totals": "How much was recorded.",
    "operations": "What was done, and with which outcome.",
    "users": "Who did most.",
    "files": "What it was done to most.",
    "commands": "What it was done with most.",
    "alerts": "Alerts by level, rule and day.",
    "denied": "Who was refused which file.",
    "changes": "Changes to watched files.",
    "sessions": "Sessions of people who logged in.",
    "coverage": "When nobody was watching, and what was lost.",
    "chain": "State of the hash chain.",
}
"""Parts of the report that a requirement can be served by."""


def _text(meaning: str) -> Schema:
    return described(meaning, {"type": "string", "minLength": 1})


def _names(meaning: str) -> Schema:
    return described(meaning, list_of("name", uniqueItems=True))


def _requirement() -> Schema:
    return described(
        "A requirement, and what serves it.",
        map_of(
            {
                "id": _text("As the framework has it."),
                "title": _text("What it asks for, in our own words."),
                "rules": _names("Rules and correlations that alert."),
                "trails": _names("Scopes of the audit trail."),
                "sections": described("Parts of the report.", list_of("section", uniqueItems=True)),
                "note": _text("How far it is served, and what the engine does not do for it."),
            },
            required=["id", "title", "rules", "trails", "sections", "note"],
        ),
    )


def _framework() -> Schema:
    return described(
        "A body of requirements.",
        map_of(
            {
                "name": _text("What it is called."),
                "version": _text("Which version of it."),
                "requirements": described("Those that files have to do with.", list_of("requirement")),
            },
            required=["name", "version", "requirements"],
        ),
    )


def schema() -> Schema:
    """The whole schema."""
    return document(
        "Control mapping of fileaudit-engine",
        "Which rules, scopes of the audit trail and parts of the report serve which requirement.",
        {
            **map_of(
                {
                    "$schema": _text("This schema."),
                    "notice": _text("What is to be known of all of it."),
                    "frameworks": described("One after the other.", list_of("framework")),
                },
                required=["frameworks"],
            ),
            "$defs": {
                "framework": _framework(),
                "name": _text("A rule by its name."),
                "requirement": _requirement(),
                "section": choice(SECTIONS),
            },
        },
    )
