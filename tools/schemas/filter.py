"""`filter.schema.json`: a filter, which takes matches away from rules.

Its detections are those of `rule.schema.json`, which lies beside it.
"""

from tools.schemas import detections
from tools.schemas.metadata import head
from tools.schemas.parts import Schema, document, snippet

_START: Schema = {
    "title": "$1",
    "description": "$2",
    "logsource": {"product": "linux"},
    "filter": {"rules": ["$3"], "selection": {"Image": "$4"}, "condition": "not selection"},
}


def schema() -> Schema:
    """The whole schema."""
    return document(
        "Sigma 2.1 filter for fileaudit-engine",
        "What is no match, said once for many rules. A filter never alerts by itself.",
        {
            "type": "object",
            "required": ["title", "logsource", "filter"],
            "properties": {
                **head("filter"),
                "logsource": detections.log_source(partial=True),
                "filter": detections.filtering(),
            },
            "defaultSnippets": snippet("filter", "A filter to start from", _START),
        },
    )
