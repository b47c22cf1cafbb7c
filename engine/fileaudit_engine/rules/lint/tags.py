"""FA043, FA044: a tag of a known namespace that names what is not there (any more), or has not its form."""

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Rule
from fileaudit_engine.rules.nodes import MapNode, at
from fileaudit_engine.rules.tags import tag_problem


def check(rule: Rule, root: MapNode, found: Collector) -> None:
    """Warn of each doubtful tag."""
    for index, tag in enumerate(rule.tags):
        if problem := tag_problem(tag):
            found.warning(problem.code, problem.message, at(root, ["tags", index]), help=problem.help)
