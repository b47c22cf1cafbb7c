"""FA052: an attribute that Sigma does not define, but whose name is close to one that it does.

Custom attributes are allowed, so a slip such as `levle` would be taken for one, and the level be forgotten.
"""

import itertools

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Document, kind_of
from fileaudit_engine.rules.nodes import MapNode
from fileaudit_engine.rules.schema import known_attributes
from fileaudit_engine.rules.wording import nearest_of, quoted

_MOST = 20
"""Custom attributes that are looked at; a rule has a few, and likeness is costly to compute."""


def check(rule: Document, root: MapNode, found: Collector) -> None:
    """Warn of each custom attribute that looks like a slip."""
    for name in itertools.islice(rule.custom, _MOST):
        close = nearest_of(name, known_attributes(kind_of(rule)) - root.values.keys())
        if close:
            found.warning(
                "FA052",
                f"{quoted(name)} is no attribute of Sigma",
                root.keys[name].location,
                help=f"did you mean {quoted(close)}?",
            )
