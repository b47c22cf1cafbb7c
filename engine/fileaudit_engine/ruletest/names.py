"""Rules by what a test case may call them: name, id or title."""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from fileaudit_engine.diagnostics import Collector, Diagnostic
from fileaudit_engine.rules.ast import Rule
from fileaudit_engine.ruletest.cases import Case, Expectation
from fileaudit_engine.text import printable

_LONGEST_NAME = 200
"""Characters of a wrong name that are compared with the known ones; the comparison's cost is quadratic."""


class RuleNames:
    """Looks up rules."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._keys: dict[str, list[str]] = defaultdict(list)
        for rule in rules:
            names = (rule.key, rule.name, rule.id, rule.title)
            for name in dict.fromkeys(_folded(name) for name in names if name):
                self._keys[name].append(rule.key)

    def keys(self, name: str) -> tuple[str, ...]:
        """Keys of the rules that are called `name`: one, none, or several that share a title."""
        return tuple(self._keys.get(_folded(name), ()))

    def key(self, name: str) -> str | None:
        """The key of the one rule that is called `name`."""
        keys = self.keys(name)
        return keys[0] if len(keys) == 1 else None

    def nearest(self, name: str) -> str | None:
        """Key of the rule that `name` was most likely meant to be."""
        found = difflib.get_close_matches(_folded(name[:_LONGEST_NAME]), self._keys, n=1)
        return self._keys[found[0]][0] if found else None

    def problem(self, name: str) -> str | None:
        """Why `name` is not the name of one rule, in one line; None if it is."""
        keys = self.keys(name)
        if len(keys) == 1:
            return None
        if keys:
            return f"{len(keys)} rules are called '{printable(name)}'"
        return f"no rule is called '{printable(name)}'"

    def remedy(self, name: str) -> str:
        """What to write instead of a name with a problem."""
        if keys := self.keys(name):
            return f"write one of {', '.join(map(printable, keys))}"
        close = self.nearest(name)
        return f"did you mean '{printable(close)}'?" if close else "write the rule's name, id or title"


def _folded(name: str) -> str:
    """Ids are often pasted in capitals; names and titles differ in more than that."""
    return name.casefold()


def check_names(cases: Sequence[Case], names: RuleNames, levels: dict[str, str]) -> tuple[Diagnostic, ...]:
    """What is wrong with the rules that the cases name; `levels` gives a rule's level by its key."""
    found = Collector()
    for case in cases:
        for expectation in case.alerts:
            _check(expectation, names, levels, found, audit=False)
        for expectation in case.audit or ():
            _check(expectation, names, levels, found, audit=True)
    return tuple(found.diagnostics)


def _check(
    expectation: Expectation, names: RuleNames, levels: dict[str, str], found: Collector, *, audit: bool
) -> None:
    place = expectation.rule_location
    problem = names.problem(expectation.rule)
    if problem is not None:
        found.error("FA064", problem, place, help=names.remedy(expectation.rule))
        return
    informational = levels[names.keys(expectation.rule)[0]] == "informational"
    if informational and not audit:
        found.error(
            "FA068", "an informational rule alerts nobody", place, help="list what it records under 'audit'"
        )
    if audit and not informational:
        found.error(
            "FA068", "only informational rules write audit events", place, help="list it under 'alerts'"
        )
