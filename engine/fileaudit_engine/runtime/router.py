"""Which sink is given which records.

Routes are asked in order, and the first one that fits decides; one that goes on leaves the later ones to add
to it. So for each sink the routes come to a list of tests, each with a verdict, and the first test that holds
has the last word:

    - {tag: attack.impact, to: [syslog], continue: true}      syslog: yes       elasticsearch: (go on)
    - {level: [high, critical], to: [elasticsearch]}          syslog: no        elasticsearch: yes
    - {rule: noisy, to: []}                                   syslog: no        elasticsearch: no
                                                    at last:  syslog: no        elasticsearch: no

A sink that no route names is given what it is given without routes (`DEFAULT_KINDS`), but for what a route
sends nowhere.

Level, kind, name and tags of the rule decide nearly always. They are read without the rest of the document,
and what they come to is remembered; the rest is read only where a route asks for a field. What cannot be
read at all, nobody decides to withhold.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from fileaudit_engine.detect.described import SEVERITIES
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.document import ENGINE_DATASET
from fileaudit_engine.rules.ast import QUIET_LEVEL
from fileaudit_engine.runtime.follower import Wanted
from fileaudit_engine.runtime.route import Facts, Fits, FitsDocument, Route, by_document, by_facts
from fileaudit_engine.sinks.base import Row

SINKS: Final = ("terminal", "json", "elasticsearch", "syslog")
"""What a route can name."""

_ALL: Final = frozenset(Kind)
_ALERTS: Final = frozenset({Kind.ALERT})
DEFAULT_KINDS: Final[Mapping[str, frozenset[Kind]]] = {
    "terminal": _ALERTS,
    "json": _ALL,
    "elasticsearch": _ALL,
    "syslog": _ALERTS,
}
"""What a sink is given that no route names."""

_LOUD: Final = tuple(sorted(SEVERITIES.keys() - {QUIET_LEVEL}, key=SEVERITIES.__getitem__, reverse=True))
_CLASSES: Final[Sequence[tuple[str, Kind, str]]] = (
    *((level, Kind.ALERT, level) for level in _LOUD),
    (QUIET_LEVEL, Kind.EVENT, QUIET_LEVEL),
    ("engine", Kind.ENGINE, QUIET_LEVEL),
)
"""What records there are, in words, and the kind and level that they have."""

_MOST_REMEMBERED: Final = 4_096
"""Answers: one takes some hundred bytes, and there are as many as rules."""
_LONGEST_REMEMBERED: Final = 4_096
"""Characters of what an answer goes by."""

Choose = Callable[[Row], bool]
ChooseRecord = Callable[[Record], bool]


class _Test(NamedTuple):
    """What a route means to one sink: of what it fits, the sink is given these kinds."""

    route: Route
    fits: Fits
    fits_document: FitsDocument | None
    given: frozenset[Kind]


class _Verdicts(NamedTuple):
    """What all routes mean to one sink: the first test that holds has the last word, else what is left."""

    tests: tuple[_Test, ...]
    left: frozenset[Kind]

    @property
    def is_everything(self) -> bool:
        return not self.tests and self.left == _ALL


class _Course(NamedTuple):
    """What is left of that for records with certain facts: the document decides, or nothing else does."""

    tests: tuple[tuple[FitsDocument, bool], ...]
    left: bool


class Router:
    """Who is given what.

    Args:
        routes: In order.
        sinks: The names of those that there are.

    Attributes:
        names: Those, in the order in which people read of them.
    """

    def __init__(self, routes: Sequence[Route], sinks: Collection[str]) -> None:
        self.names = [name for name in SINKS if name in sinks]
        self._routes = [(route, by_facts(route), by_document(route)) for route in routes]
        self._named = {name for route in routes for name in route.to}

    def is_named(self, sink: str) -> bool:
        """Whether some route names it, so that it is given what routes say, and nothing else."""
        return sink in self._named

    def kinds(self, sink: str) -> frozenset[Kind] | None:
        """The kinds of which it may be given something; None if that is all of them."""
        verdicts = self._verdicts(sink)
        found = frozenset(kind for _, kind, level in _CLASSES if True in set(_answers(verdicts, kind, level)))
        return None if found == _ALL else found

    def wants(self, sink: str) -> Choose | None:
        """Whether it is given a row of the store; None: it is given all.

        The function is for one thread: it remembers.
        """
        verdicts = self._verdicts(sink)
        return None if verdicts.is_everything else _choice(verdicts)

    def wanted(self, sink: str) -> Wanted:
        """The same for a follower: where kinds alone decide, no row is looked into."""
        return Wanted(kinds=self.kinds(sink), fits=self.wants(sink) if self._verdicts(sink).tests else None)

    def shows(self, sink: str, *, show_audit: bool = False) -> ChooseRecord | None:
        """Whether a record is shown, by a sink that does not follow the store; None: routes say nothing.

        Args:
            sink: Its name.
            show_audit: Whether it shows more than alerts where no route names it.
        """
        usual = _ALL if show_audit else DEFAULT_KINDS[sink]
        verdicts = self._verdicts(sink, usual)
        if not self.is_named(sink) and verdicts == ((), usual):
            return None
        return lambda record: _decide(_course(verdicts, _facts_of_record(record)), record.document)

    def words(self, sink: str) -> str:
        """What it is given, in words: `critical high, some medium`."""
        verdicts = self._verdicts(sink)
        whole: list[str] = []
        part: list[str] = []
        for word, kind, level in _CLASSES:
            answers = set(_answers(verdicts, kind, level))
            if True in answers:
                (part if False in answers else whole).append(word)
        told = [" ".join(whole)] if whole else []
        told += [f"some {' '.join(part)}"] if part else []
        return ", ".join(told) or "nothing"

    def _verdicts(self, sink: str, usual: frozenset[Kind] | None = None) -> _Verdicts:
        """What the routes mean to a sink, without what makes no difference to it.

        Args:
            sink: Its name.
            usual: What it is given where no route names it, if that is not the usual.
        """
        usual = DEFAULT_KINDS[sink] if usual is None else usual
        left = frozenset() if self.is_named(sink) else usual
        tests: list[_Test] = []
        for route, fits, fits_document in self._routes:
            given = self._given(route, sink, usual)
            if given is None:
                continue
            if route.is_always:
                left = given
                break
            tests.append(_Test(route, fits, fits_document, given))
        while tests and tests[-1].given == left:
            tests.pop()
        return _Verdicts(tuple(tests), left)

    def _given(self, route: Route, sink: str, usual: frozenset[Kind]) -> frozenset[Kind] | None:
        """Of which kinds a sink is given what fits a route; None where later routes decide that."""
        if sink in route.to:
            return _ALL
        if route.goes_on:
            return None
        return usual if route.to and not self.is_named(sink) else frozenset()


def _answers(verdicts: _Verdicts, kind: Kind, level: str) -> Iterator[bool]:
    """What records of a kind and a level may come to."""
    for test in verdicts.tests:
        route = test.route
        if (route.kinds and kind not in route.kinds) or (route.levels and level not in route.levels):
            continue
        yield kind in test.given
        if not (route.rules or route.tags or route.fields):
            return
    yield kind in verdicts.left


def _course(verdicts: _Verdicts, facts: Facts) -> _Course:
    left, tests = facts.kind in verdicts.left, list[tuple[FitsDocument, bool]]()
    for test in verdicts.tests:
        if not test.fits(facts):
            continue
        if test.fits_document is None:
            left = facts.kind in test.given
            break
        tests.append((test.fits_document, facts.kind in test.given))
    while tests and tests[-1][1] == left:
        tests.pop()
    return _Course(tuple(tests), left)


def _decide(course: _Course, document: Mapping[str, object]) -> bool:
    return next((given for fits, given in course.tests if fits(document)), course.left)


# --- rows ---------------------------------------------------------------------------------------------------


class _Event(msgspec.Struct, frozen=True, gc=False):
    kind: str = ""
    dataset: str = ""


class _Rule(msgspec.Struct, frozen=True, gc=False):
    id: str = ""
    name: str = ""
    uuid: str = ""


class _Level(msgspec.Struct, frozen=True, gc=False):
    level: str = ""


class _Own(msgspec.Struct, frozen=True, gc=False):
    rule: _Level = _Level()


class _Head(msgspec.Struct, frozen=True, gc=False):
    """What routes go by, of a document."""

    event: _Event = _Event()
    rule: _Rule = _Rule()
    fileaudit: _Own = _Own()
    tags: tuple[str, ...] = ()


_HEAD: Final = msgspec.json.Decoder(_Head)
_DOCUMENT: Final = msgspec.json.Decoder(dict[str, Any])
_Key = tuple[str, str, str, str, str, str, tuple[str, ...]]


def _choice(verdicts: _Verdicts) -> Choose:
    """What the verdicts come to for a row."""
    remembered: dict[_Key, _Course] = {}
    decode = _HEAD.decode

    def fits(row: Row) -> bool:
        try:
            head = decode(row.raw)
            rule, event = head.rule, head.event
            level, names = head.fileaudit.rule.level, (rule.id, rule.name, rule.uuid)
            key = (event.kind, event.dataset, level, *names, head.tags)
            course = remembered.get(key)
            if course is None:
                course = _course(verdicts, _facts_of_key(key))
                _remember(remembered, key, course)
            return _decide(course, _DOCUMENT.decode(row.raw)) if course.tests else course.left
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return True  # of a store that somebody else has written into: the sink says what is wrong with it

    return fits


def _remember(remembered: dict[_Key, _Course], key: _Key, course: _Course) -> None:
    if sum(map(len, key)) + sum(map(len, key[-1])) > _LONGEST_REMEMBERED:
        return
    if len(remembered) >= _MOST_REMEMBERED:
        remembered.clear()
    remembered[key] = course


def _facts_of_key(key: _Key) -> Facts:
    kind, dataset, level, *names, tags = key
    found = Kind.ALERT if kind == Kind.ALERT.value else Kind.EVENT
    if found is Kind.EVENT and dataset == ENGINE_DATASET:
        found = Kind.ENGINE
    return Facts(found, level, tuple(filter(None, names)), tags)


# --- records ------------------------------------------------------------------------------------------------


def _facts_of_record(record: Record) -> Facts:
    rule, tags = record.document.get("rule"), record.document.get("tags")
    names = [rule.get(key) for key in ("id", "name", "uuid")] if isinstance(rule, dict) else []
    return Facts(
        record.kind,
        record.level,
        tuple(name for name in names if isinstance(name, str) and name),
        tuple(map(str, tags)) if isinstance(tags, list) else (),
    )
