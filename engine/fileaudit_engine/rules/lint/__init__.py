"""Lint: what makes a document doubtful though it can run. One check a file.

A check looks at one document that is right, and gives warnings only. To add one, write its module and append
it to one of the tuples below: their order is of no consequence, since findings are sorted by place.
"""

from collections.abc import Callable
from typing import Final

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Correlation, Detecting, Document, Rule
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
    true_at_once,
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

OF_DOCUMENTS: Final[tuple[Callable[[Document, MapNode, Collector], None], ...]] = (
    missing_attributes.check,
    known_attributes.check,
    metadata.check,
    tags.check,
)
"""What rules and correlations have in common: their attributes."""

OF_RULES: Final[tuple[Callable[[Rule, MapNode, Collector], None], ...]] = (never_there.check,)
"""What only a rule has: one log source."""

OF_CORRELATIONS: Final[tuple[Callable[[Correlation, MapNode, Collector], None], ...]] = (
    true_at_once.check,
    contradiction.check_correlation,
)
"""What only a correlation has: a condition over matches."""

MOST_UNCOLLECTED: Final = 1_000
"""Warnings of one file that are counted though nobody sees them. Looking for likely names is the costliest
part of reading a rule, and a file with more warnings is not worth it."""


def lint(document: Detecting | Correlation, root: MapNode, found: Collector) -> None:
    """Note what is doubtful about `document`, which stands at `root`, unless the file is full of doubts."""
    if found.uncollected >= MOST_UNCOLLECTED:
        return
    if isinstance(document, Correlation):
        for of_correlations in OF_CORRELATIONS:
            of_correlations(document, root, found)
    else:
        for of_detections in OF_DETECTIONS:
            of_detections(document, root, found)
    if isinstance(document, Rule):
        for of_rules in OF_RULES:
            of_rules(document, root, found)
    if isinstance(document, Rule | Correlation):
        for of_documents in OF_DOCUMENTS:
            of_documents(document, root, found)
