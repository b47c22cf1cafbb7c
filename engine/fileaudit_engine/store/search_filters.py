"""What to search for, and what that means for the dimensions of a record.

Values of one filter are alternatives, different filters must all hold. A filter may be met in several
dimensions: a path by either name of a rename, a user by who acted and by who logged in, a process by the
kernel's name for it or by its program.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.store.facets import Dimension
from fileaudit_engine.store.search_patterns import (
    NamePattern,
    beginning_with,
    folded,
    last_component,
    name_pattern,
    path_pattern,
)

_CONTAINER_ID: Final = re.compile(r"[0-9a-f]{6,64}")
"""The beginning of a container's id that is long enough to be meant as one; tools show twelve digits."""
_PID: Final = re.compile(r"[0-9]{1,10}", re.ASCII)

TEXTS: Final = (
    *(Dimension.RULE, Dimension.PATH, Dimension.OTHER_PATH, Dimension.USER, Dimension.LOGIN_USER),
    *(Dimension.EXECUTABLE, Dimension.PROCESS, Dimension.COMMAND, Dimension.CONTAINER),
)
"""Where words are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What to look for. A filter without values lets everything pass.

    Attributes:
        since_ns: From then on, nanoseconds since the Unix epoch; None: from the beginning.
        until_ns: Before then; None: to the end.
        kinds: Alerts, audit events, what the engine says about itself.
        levels: Levels.
        rules: Keys of rules; `*` and `?` allowed.
        operations: As documents have them.
        outcomes: Likewise.
        paths: Globs; of a rename or link either name.
        users: Names, `*` and `?` allowed: who acted, or who logged in.
        processes: A process id; a glob of the program's path if it holds a slash; else the name of the
            process, or the last component of that path.
        containers: Names, or ids where there is no name (`*` and `?` allowed), or the beginning of an id.
        words: Parts of any name, whatever their case.
        ids: `event.id`.
        after_seq: Only rows after that one.
        upto_seq: Only rows up to that one; None: up to the last.
        newest_first: The order: by time, of one moment by the order of coming.
        skip: How many of the first to leave out.
        limit: How many at most; None: all.
    """

    since_ns: int | None = None
    until_ns: int | None = None
    kinds: Sequence[Kind] = ()
    levels: Sequence[str] = ()
    rules: Sequence[str] = ()
    operations: Sequence[str] = ()
    outcomes: Sequence[str] = ()
    paths: Sequence[str] = ()
    users: Sequence[str] = ()
    processes: Sequence[str] = ()
    containers: Sequence[str] = ()
    words: Sequence[str] = ()
    ids: Sequence[str] = ()
    after_seq: int = 0
    upto_seq: int | None = None
    newest_first: bool = True
    skip: int = 0
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One thing that must hold.

    Attributes:
        patterns: In which dimension names of which pattern are enough.
        words: Folded texts, of which one inside a name of `TEXTS` is enough.
    """

    patterns: tuple[tuple[Dimension, NamePattern], ...] = ()
    words: tuple[str, ...] = ()

    @property
    def dimensions(self) -> frozenset[Dimension]:
        """Where it can be met."""
        return frozenset(dimension for dimension, _ in self.patterns) | frozenset(TEXTS if self.words else ())


def filters_of(search: Search) -> list[Filter]:
    """The filters of a search that have values.

    Raises:
        ValueError: A pattern is longer than any name.
    """
    exact = {
        Dimension.KIND: [kind.value for kind in search.kinds],
        Dimension.LEVEL: search.levels,
        Dimension.OPERATION: search.operations,
        Dimension.OUTCOME: search.outcomes,
    }
    found = [
        Filter(patterns=tuple((dimension, NamePattern(exact=value)) for value in values))
        for dimension, values in exact.items()
    ]
    found += [
        Filter(patterns=tuple(pair for value in values for pair in _meant(value)))
        for values, _meant in (
            (search.rules, _rule),
            (search.paths, _path),
            (search.users, _user),
            (search.processes, _process),
            (search.containers, _container),
        )
    ]
    found.append(Filter(words=tuple(map(folded, search.words))))
    return [one for one in found if one.patterns or one.words]


_Pairs = Iterator[tuple[Dimension, NamePattern]]


def _rule(value: str) -> _Pairs:
    yield Dimension.RULE, name_pattern(value)


def _path(value: str) -> _Pairs:
    pattern = path_pattern(value)
    yield Dimension.PATH, pattern
    yield Dimension.OTHER_PATH, pattern


def _user(value: str) -> _Pairs:
    pattern = name_pattern(value)
    yield Dimension.USER, pattern
    yield Dimension.LOGIN_USER, pattern


def _process(value: str) -> _Pairs:
    if _PID.fullmatch(value):
        yield Dimension.PID, NamePattern(exact=str(int(value)))
    elif "/" in value or "**" in value:
        yield Dimension.EXECUTABLE, path_pattern(value)
    else:
        yield Dimension.PROCESS, name_pattern(value)
        yield Dimension.EXECUTABLE, last_component(value)


def _container(value: str) -> _Pairs:
    yield Dimension.CONTAINER, name_pattern(value)
    if _CONTAINER_ID.fullmatch(value):
        yield Dimension.CONTAINER, beginning_with(value)
        yield Dimension.CONTAINER_ID, beginning_with(value)
