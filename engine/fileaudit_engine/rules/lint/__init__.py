"""Lint: what makes a rule doubtful though it can run. One check a file; all of them in `CHECKS`.

A check looks at one rule that is right, and gives warnings only. To add one, write its module and append it
here: the tuple's order is of no consequence, since findings are sorted by place.
"""

from collections.abc import Callable
from typing import Final

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Rule
from fileaudit_engine.rules.lint import (
    contradiction,
    known_attributes,
    missing_attributes,
    possible_values,
    repeated_values,
    single_all,
    unused_detections,
)
from fileaudit_engine.rules.nodes import MapNode

CHECKS: Final[tuple[Callable[[Rule, MapNode, Collector], None], ...]] = (
    unused_detections.check,
    missing_attributes.check,
    known_attributes.check,
    repeated_values.check,
    single_all.check,
    possible_values.check,
    contradiction.check,
)


def lint(rule: Rule, root: MapNode, found: Collector) -> None:
    """Note what is doubtful about `rule`, whose document is `root`."""
    for check in CHECKS:
        check(rule, root, found)
