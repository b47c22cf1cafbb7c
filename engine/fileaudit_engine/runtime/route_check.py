"""What routes name and no rule has: a slip in a name would send nothing, and say nothing."""

from collections.abc import Iterable, Iterator, Sequence

from fileaudit_engine.detect.engine_record import Action, title_of
from fileaudit_engine.rules.ast import Document
from fileaudit_engine.rules.wording import quoted
from fileaudit_engine.runtime.route import Route
from fileaudit_engine.store.search_patterns import caseless


def idle_names(routes: Sequence[Route], rules: Iterable[Document]) -> list[str]:
    """Names and tags of routes that no rule has, in words, each once.

    Args:
        routes: In order.
        rules: All that are in force, correlations among them. What the engine tells of itself has names, too.
    """
    known = list(rules)
    names = [name for rule in known for name in (rule.key, rule.id, rule.title) if name]
    names += [name for action in Action for name in (action.value, title_of(action))]
    tags = [tag for rule in known for tag in rule.tags]
    told = [
        *(f"no rule is called {quoted(glob)}" for glob in _idle((route.rules for route in routes), names)),
        *(f"no rule has the tag {quoted(glob)}" for glob in _idle((route.tags for route in routes), tags)),
    ]
    return list(dict.fromkeys(told))


def _idle(conditions: Iterable[Sequence[str]], texts: Sequence[str]) -> Iterator[str]:
    """The globs that fit none of some texts."""
    for globs in conditions:
        for glob in globs:
            if not any(map(caseless(glob, stops_at_slash=False), texts)):
                yield glob
