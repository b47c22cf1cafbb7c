"""Lint: what makes a rule or a filter doubtful though it can run. One check a file.

A check looks at one document that is right, and gives warnings only. To add one, write its module and append
it to `OF_DETECTIONS` or `OF_RULES`: their order is of no consequence, since findings are sorted by place.
"""

from collections.abc import Callable
from typing import Final

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Detecting, Rule
from fileaudit_engine.rules.lint import (
    contradiction,
    known_attributes,
    metadata,
    missing_attributes,
    never_kept,
    never_there,
    no_placeholder,
    possible_values,
    relative_path,
    repeated_values,
    single_all,
    tags,
    unused_detections,
    whole_fragment,
)
from fileaudit_engine.rules.nodes import MapNode

OF_DETECTIONS: Final[tuple[Callable[[Detecting, MapNode, Collector], None], ...]] = (
    unused_detections.check,
    repeated_values.check,
    single_all.check,
    possible_values.check,
    contradiction.check,
    whole_fragment.check,
    never_kept.check,
    no_placeholder.check,
    relative_path.check,
)
"""What is true of detections wherever they stand: in rules and in filters."""

OF_RULES: Final[tuple[Callable[[Rule, MapNode, Collector], None], ...]] = (
    missing_attributes.check,
    known_attributes.check,
    metadata.check,
    tags.check,
    never_there.check,
)
"""What only a rule has: its attributes, and one log source."""


MOST_UNCOLLECTED: Final = 1_000
"""Warnings of one file that are counted though nobody sees them. Looking for likely names is the costliest
part of reading a rule, and a file with more warnings is not worth it."""


def lint(document: Detecting, root: MapNode, found: Collector) -> None:
    """Note what is doubtful about `document`, which stands at `root`, unless the file is full of doubts."""
    if found.uncollected >= MOST_UNCOLLECTED:
        return
    for of_detections in OF_DETECTIONS:
        of_detections(document, root, found)
    if isinstance(document, Rule):
        for of_rules in OF_RULES:
            of_rules(document, root, found)
