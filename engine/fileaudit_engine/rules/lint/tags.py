"""FA043, FA044: a tag of a known namespace that names what is not there (any more), or has not its form."""

import itertools
from typing import Final

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Document
from fileaudit_engine.rules.nodes import MapNode, at
from fileaudit_engine.rules.tags import tag_problem

_MOST: Final = 200
"""Tags that are looked at; a rule has a few, and likeness is costly to compute."""


def check(rule: Document, root: MapNode, found: Collector) -> None:
    """Warn of each doubtful tag."""
    for index, tag in enumerate(itertools.islice(rule.tags, _MOST)):
        if problem := tag_problem(tag):
            found.warning(problem.code, problem.message, at(root, ["tags", index]), help=problem.help)
