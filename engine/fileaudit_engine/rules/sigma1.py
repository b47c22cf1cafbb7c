"""What Sigma 2 has taken away, told to whoever still writes it.

    detection:                              action: global
      selection: {…}                        title: …
      timeframe: 5m                         ---
      condition: selection | count() > 9    detection: {…}

Without a word about them a `timeframe` would be a keyword, `5m`, that no event has, and the parts of a
collection would be rules that lack half of their attributes. Aggregations are told by `condition`.
"""

import re
from typing import Final

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.nodes import MapNode, Node, ScalarNode, text_of
from fileaudit_engine.rules.wording import quoted

_LENGTH: Final = re.compile(r"[0-9]{1,9}\s{0,3}[A-Za-z]{0,9}")
_ACTIONS: Final = frozenset({"global", "reset", "repeat"})
_WHOLE: Final = frozenset({"title", "logsource", "detection"})
"""What a rule has that needs no other document to be one; `action` is then an attribute of its own."""
_NEWER: Final = frozenset({"correlation", "filter"})
"""What only documents of Sigma 2 have."""


def refused_timeframe(name: ScalarNode, node: Node, found: Collector) -> bool:
    """Whether the member `name` of a detection section is a length of time; notes that if so."""
    if name.text != "timeframe" or not isinstance(node, ScalarNode) or not _LENGTH.fullmatch(node.text):
        return False
    found.error(
        "FA023",
        "'timeframe' belongs to the aggregations that are no longer part of Sigma conditions",
        name.location,
        help=f"write a correlation rule: 'correlation: {{timespan: {node.text}, …}}'",
    )
    return True


def refused_collection(root: MapNode, found: Collector) -> bool:
    """Whether the document is a part of a collection; notes that if so."""
    action = text_of(root, "action")
    if action not in _ACTIONS or root.keys.keys() >= _WHOLE or root.keys.keys() & _NEWER:
        return False
    found.error(
        "FA018",
        f"{quoted(f'action: {action}')} makes a collection of documents, which Sigma no longer has",
        root.keys["action"].location,
        help="give each document of the file all of its attributes, and remove 'action'",
    )
    return True
