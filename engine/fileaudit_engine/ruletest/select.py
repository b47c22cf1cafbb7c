"""Which cases to run: `-k PATTERN` by their names."""

import fnmatch
from collections.abc import Iterable

from fileaudit_engine.ruletest.cases import Case

_GLOB_CHARACTERS = frozenset("*?[")


def selected(cases: Iterable[Case], pattern: str | None) -> tuple[Case, ...]:
    """The cases whose name holds `pattern`; with `*`, `?` or `[` in it, those whose whole name it describes.

    Upper and lower case are the same. Without a pattern, all.
    """
    if pattern is None:
        return tuple(cases)
    wanted = pattern.casefold()
    if _GLOB_CHARACTERS & set(wanted):
        return tuple(case for case in cases if fnmatch.fnmatchcase(case.name.casefold(), wanted))
    return tuple(case for case in cases if wanted in case.name.casefold())
