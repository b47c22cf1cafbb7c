"""The attributes that documents of several types share, with the words of the Sigma specification 2.1.0."""

from typing import Final

from tools.schemas.parts import Schema, choice, described, text_like

STATUSES: Final = {
    "stable": "Has raised no obvious false alerts for a long time, in several environments.",
    "test": "Mostly stable; may need slight adjustments to the environment.",
    "experimental": "New; may raise false alerts or be noisy.",
    "deprecated": "Replaced by another rule; `related` says which.",
    "unsupported": "Cannot be used in its current state.",
}
LEVELS: Final = {
    "informational": "Records its matches in the audit trail and alerts nobody.",
    "low": "Notable, rarely an incident; relevant in high numbers or together with others.",
    "medium": "To be reviewed by hand, regularly.",
    "high": "To be reviewed promptly.",
    "critical": "An incident with near certainty; to be reviewed at once.",
}
RELATIONS: Final = {
    "derived": "This rule was made from the other one, which may remain in use.",
    "obsolete": "This rule makes the other one obsolete.",
    "merged": "This rule joins the other ones, which may remain in use.",
    "renamed": "This rule had the other id before.",
    "similar": "The rules resemble each other.",
}
TEXT: Final[Schema] = {"type": "string"}
SHORT: Final[Schema] = {"type": "string", "maxLength": 256}
_CALLERS: Final = {"rule": "tests, filters and correlations", "correlation": "tests and other correlations"}
NAME: Final[Schema] = {**SHORT, "minLength": 1}
DATE: Final[Schema] = {"type": "string", "format": "date", "examples": ["2026-01-31"]}
UUID: Final[Schema] = {
    "type": "string",
    "format": "uuid",
    "examples": ["929a690e-bef0-4204-a928-ef5e620d6fcc"],
}
TEXTS: Final[Schema] = {
    "type": "array",
    "items": {"type": "string", "minLength": 1},
    "uniqueItems": True,
}
_TAG: Final = text_like(
    r"^[a-z0-9_-]+\.[A-Za-z0-9._-]+$",
    "write a namespace in lower case, a dot and a name, such as 'attack.t1003.008'",
    examples=["attack.credential-access", "attack.t1003.008", "tlp.amber", "detection.threat-hunting"],
)


def head(what: str) -> Schema:
    """What begins every document; `what` is what it is called."""
    return {
        "title": described(f"What the {what} is about, in a line of at most 256 characters.", NAME),
        "id": described(f"A UUID that identifies the {what} for ever.", UUID),
        "description": described(f"What the {what} does, and why it matters.", {**TEXT, "maxLength": 65535}),
        "date": described(f"When the {what} was made.", DATE),
        "modified": described(f"When the {what} was last changed in substance.", DATE),
        "taxonomy": described(
            "The taxonomy of field names and log sources; only Sigma's own is understood.",
            {**SHORT, "default": "sigma", "examples": ["sigma"]},
        ),
    }


def of_detections(what: str) -> Schema:
    """What rules and correlations have beyond that."""
    return {
        "name": described(f"A unique name, by which {_CALLERS[what]} refer to the {what}.", NAME),
        "status": described(f"How far the {what} can be trusted.", choice(STATUSES)),
        "license": described(f"SPDX identifier of the {what}'s license.", TEXT),
        "author": described(f"Who wrote the {what}; several are separated by commas.", TEXT),
        "references": described("Where to read more.", TEXTS),
        "falsepositives": described(
            "What raises the alert without being an attack.",
            {"type": ["string", "array"], "items": {"type": "string"}, "uniqueItems": True},
        ),
        "level": described("How much a match matters.", {**choice(LEVELS), "default": "medium"}),
        "tags": described(
            "Namespaced tags: `attack.` (tactics and techniques of ATT&CK), `car.`, `cve.`, `d3fend.`,"
            " `detection.`, `stp.`, `tlp.`, or a namespace of your own.",
            {"type": "array", "items": _TAG, "uniqueItems": True},
        ),
        "related": described(
            f"Rules that this {what} has to do with.",
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["id", "type"],
                    "properties": {
                        "id": described("The other rule's id.", UUID),
                        "type": described("What this one is to it.", choice(RELATIONS)),
                    },
                },
            },
        ),
    }
