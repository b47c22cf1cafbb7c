"""`rule.schema.json`: a detection rule."""

from tools.schemas import detections
from tools.schemas.metadata import TEXTS, head, of_detections
from tools.schemas.parts import Schema, described, document, snippet

_START: Schema = {
    "title": "$1",
    "id": "$UUID",
    "name": "$2",
    "status": "experimental",
    "description": "$3",
    "tags": ["attack.$4"],
    "logsource": {"product": "linux", "category": "${5|file_access,file_event,file_delete|}"},
    "detection": {"selection": {"TargetFilename": "$6"}, "condition": "selection"},
    "level": "${7|low,medium,high,critical,informational|}",
}


def schema() -> Schema:
    """The whole schema."""
    return document(
        "Sigma 2.1 detection rule for fileaudit-engine",
        "What to look for in file events, and how much it matters. Attributes of your own are allowed.",
        {
            "type": "object",
            "required": ["title", "logsource", "detection"],
            "properties": {
                **head("rule"),
                **of_detections("rule"),
                "logsource": detections.log_source(),
                "detection": detections.detection(),
                "fields": described("Fields that help whoever looks at an alert.", TEXTS),
                "scope": described("Where the rule is meant to be used, such as `server`.", TEXTS),
            },
            "defaultSnippets": snippet("rule", "A rule to start from", _START),
            "$defs": detections.definitions(),
        },
    )
