"""FA025: a correlation that is true as soon as one event came, as `lt: 5` is of a count.

    correlation: {type: event_count, …, condition: {lt: 5}}

An empty window is none that a condition is held against: nobody can be told of a group of which nothing was
ever seen. So `lt: 5` does not mean "it has become quiet", but is true of each first match. Who wants that
says so with `gte: 1`.
"""

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Correlation, CorrelationType
from fileaudit_engine.rules.comparisons import range_of
from fileaudit_engine.rules.nodes import MapNode, at

_IN_TIME = frozenset({CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED})


def check(correlation: Correlation, root: MapNode, found: Collector) -> None:
    """Warn if the first match is enough, and the document does not say that it is meant to be."""
    shares = correlation.type is CorrelationType.VALUE_PERCENTILE
    possible = range_of(correlation.type, len(correlation.rules), share=correlation.percentile is None)
    where = at(root, ["correlation", "condition"])
    if possible.is_fulfilled_at_once(correlation.comparisons):
        found.warning(
            "FA025",
            "this condition is true as soon as there is one match",
            where,
            help="a single match is 100 per cent of all; what is seldom is 'lte' some of them"
            if shares
            else "write 'gte: 1' besides if that is meant; no match at all is never enough",
        )
    elif correlation.type in _IN_TIME and len(correlation.rules) == 1 and not correlation.comparisons:
        found.warning(
            "FA025",
            f"'{correlation.type.value}' over a single rule is true at each first match",
            at(root, ["correlation", "type"]),
            help="name the other rules, or write 'type: event_count' and how many",
        )
