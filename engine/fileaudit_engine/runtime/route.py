"""A route: which records it is about, and where they go.

    - {rule: backup_*, level: [low, medium], fields: {user.name: root}, to: [elasticsearch]}

All conditions must hold; of several values of one, any. Texts are compared without case and as a whole, with
the globs of `query`: `*` is anything, which in `fields` stops at a slash, where `**` does not. A list in a
document fits if any of its members does. What a document does not have fits nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from fileaudit_engine.detect.places import value_at
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.store.search_patterns import caseless


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route; a condition without values is none.

    Attributes:
        levels: Of these levels.
        kinds: Of these kinds.
        rules: Of rules with such a name, id or title; globs.
        tags: Of rules with such a tag; globs.
        fields: With such values at a dotted place of their document; globs.
        to: Names of sinks; none: nowhere but the store.
        goes_on: Whether the routes behind it are asked as well.
    """

    levels: frozenset[str] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    rules: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    fields: tuple[tuple[str, tuple[str, ...]], ...] = ()
    to: tuple[str, ...] = ()
    goes_on: bool = False

    @property
    def is_always(self) -> bool:
        """Whether it is about every record."""
        return not (self.levels or self.kinds or self.rules or self.tags or self.fields)

    def covers(self, other: "Route") -> bool:
        """Whether every record that the other is about is one of this one's, as far as can be seen."""
        fields = dict(other.fields)
        return (
            _within(other.levels, self.levels)
            and _within(other.kinds, self.kinds)
            and _within(other.rules, self.rules)
            and _within(other.tags, self.tags)
            and all(place in fields and set(fields[place]) <= set(values) for place, values in self.fields)
        )


def _within(narrow: Iterable[object], wide: Iterable[object]) -> bool:
    """Whether values of one condition are among those of another; of no values, all are."""
    inner, outer = set(narrow), set(wide)
    return not outer or (bool(inner) and inner <= outer)


class Facts(NamedTuple):
    """What most routes go by.

    Attributes:
        kind: Alert, audit event, or what the engine says about itself.
        level: Of the rule.
        names: Of the rule: name, id and title.
        tags: Of the rule.
    """

    kind: Kind
    level: str
    names: tuple[str, ...]
    tags: tuple[str, ...]


Fits = Callable[[Facts], bool]
FitsDocument = Callable[[Mapping[str, object]], bool]


def by_facts(route: Route) -> Fits:
    """Whether all of a route's conditions hold but those on fields, which are not looked at."""
    names, tags = _any_of(route.rules, in_paths=False), _any_of(route.tags, in_paths=False)
    levels, kinds = route.levels, route.kinds

    def fits(facts: Facts) -> bool:
        return (
            (not levels or facts.level in levels)
            and (not kinds or facts.kind in kinds)
            and (names is None or any(map(names, facts.names)))
            and (tags is None or any(map(tags, facts.tags)))
        )

    return fits


def by_document(route: Route) -> FitsDocument | None:
    """Whether the conditions on fields hold; None if there is none."""
    if not route.fields:
        return None
    conditions = [(place, _any_of(values, in_paths=True)) for place, values in route.fields]

    def fits(document: Mapping[str, object]) -> bool:
        return all(
            matches is not None and any(map(matches, _texts(value_at(document, place))))
            for place, matches in conditions
        )

    return fits


_WORDS: Final = {True: "true", False: "false"}


def _texts(value: object) -> Sequence[str]:
    """A value as texts: one, or one a member of a list; none where there is nothing to compare."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, bool):
        return (_WORDS[value],)
    if isinstance(value, int | float):
        return (str(value),)
    if isinstance(value, list):
        return [text for member in value if not isinstance(member, list) for text in _texts(member)]
    return ()


def _any_of(globs: Sequence[str], *, in_paths: bool) -> Callable[[str], bool] | None:
    """Whether a text fits one of some globs; None if there is none."""
    checks = [caseless(glob, stops_at_slash=in_paths) for glob in globs]
    if not checks:
        return None
    return checks[0] if len(checks) == 1 else lambda text: any(check(text) for check in checks)
