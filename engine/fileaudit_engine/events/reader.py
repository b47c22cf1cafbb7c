"""A document as a file event: the inverse of `document`.

Three spellings come to the same: the nested ECS document, its dotted form, and the flat names that Sigma
rules use. So the first thing done to a document is to flatten it:

    {"file": {"path": "/etc/shadow"}}   ─┐
    {"file.path": "/etc/shadow"}        ─┼─>  field TargetFilename = "/etc/shadow"
    {"TargetFilename": "/etc/shadow"}   ─┘

What a document says twice must agree, and what it says of a computed field must be what the others come to.
What it says only for people's sake (`document.is_derived`) is passed over. Everything else that the field
table does not know is an error, because a field that is silently ignored makes a test prove nothing; a user
who knows better allows it, and it is kept in `FileEvent.extra`.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from fileaudit_engine.diagnostics import Collector, Diagnostic, Location
from fileaudit_engine.events.coerce import (
    Coerce,
    WrongValue,
    boolean,
    coercion,
    integer,
    shown,
    text,
    texts,
    time_ns,
    ts_ns,
)
from fileaudit_engine.events.document import ANCESTORS, EXTRA, LOST, is_derived
from fileaudit_engine.events.fields import BY_NAME, Field, nearest
from fileaudit_engine.events.model import Container, FileEvent, Loss, Outcome, Process
from fileaudit_engine.text import fold

Locate = Callable[[str], Location]
"""Where a member of the document stands, by its dotted name; the document itself for the empty name."""

_DEEPEST: Final = 16
"""Objects inside objects beyond this are a value that no field has; the walk stays bounded."""
_MOST_ANCESTORS: Final = 64
"""Each ancestor is one level of nested data, and deep data exhausts whoever walks it."""
_WHOLE: Final = frozenset({EXTRA, ANCESTORS})
"""Members that are taken as they are, not flattened."""
PLACES: Final = ("", "process", "process.parent", "container")
"""Where the attributes of an event are: in itself, and in what it has."""
_LOST_COUNTS: Final = "fileaudit.lost.counts."

_PROCESS: Final[Mapping[str, Coerce]] = {
    "pid": integer,
    "start_ns": integer,
    "executable": text,
    "name": text,
    "args": texts,
    "args_truncated": boolean,
    "parent_pid": integer,
}
"""Members of a process in `fileaudit.parent` and `fileaudit.ancestors`."""

_JOINED: Final = {"CommandLine": "process.args", "ParentCommandLine": "process.parent.args"}
"""Fields that say a list of arguments as one text, and the attribute that is the list."""

_GIVES: Final[Mapping[str, tuple[str, Coerce]]] = {
    **{
        name: (f"{row.attribute} joined" if row.name in _JOINED else row.attribute, coercion(row))
        for name, row in BY_NAME.items()
        if not row.computed
    },
    **{f"fileaudit.parent.{name}": (f"process.parent.{name}", coerce) for name, coerce in _PROCESS.items()},
    "@timestamp": ("ts_ns", time_ns),
    "ts_ns": ("ts_ns", ts_ns),
}
"""What a member gives: the attribute, by its dotted place in `FileEvent`, and how its value is made."""

_COMPUTED: Final[Mapping[str, Field]] = {
    name: row for name, row in BY_NAME.items() if row.computed and not is_derived(name)
}
"""Members that give nothing, and that have to agree with what the others give."""


def given_by(name: str) -> tuple[str, Coerce] | None:
    """What a member of a document gives, by its dotted name: the attribute, and how its value is made.

    An attribute is a dotted place in `FileEvent`; with ` joined` behind it, one text that stands for the list
    there. None for members that are computed, derived, kept as they are, or unknown.
    """
    return _GIVES.get(name)


def event_of(
    document: Mapping[str, object],
    locate: Locate,
    *,
    ts_ns: int | None = None,
    allow_unknown_fields: bool = False,
) -> FileEvent | Loss | tuple[Diagnostic, ...]:
    """The event that a document describes, or everything that is wrong with it.

    Args:
        document: Nested, dotted or flat, or a whole search hit with the document in `_source`.
        locate: Places of its members, for the diagnostics.
        ts_ns: The time of an event that carries none; without it, having none is an error.
        allow_unknown_fields: Keep what the field table does not know in `FileEvent.extra`.
    """
    members = list(_members(_source(document), "", _DEEPEST))
    if ("event.action", LOST) in members:
        return _loss(dict(members), locate)
    reading = _Reading(locate=locate, allow_unknown_fields=allow_unknown_fields)
    for name, value in members:
        reading.member(name, value)
    return reading.event(ts_ns)


def _source(document: Mapping[str, object]) -> Mapping[str, object]:
    """The document inside a search hit as Kibana shows and exports it."""
    if "_index" in document:
        for key in ("_source", "fields"):
            inner = document.get(key)
            if isinstance(inner, dict):
                return inner
    return document


def _members(document: Mapping[str, object], prefix: str, depth: int) -> Iterator[tuple[str, object]]:
    """Every value with its dotted name; a name comes twice if the document says it nested and dotted."""
    for key, value in document.items():
        name = f"{prefix}{key}"
        if not isinstance(value, dict) or not depth or name in _WHOLE:
            yield name, value
        else:
            yield from _members(value, f"{name}.", depth - 1)


def _loss(members: Mapping[str, object], locate: Locate) -> Loss | tuple[Diagnostic, ...]:
    problems = Collector()

    def number(name: str) -> int:
        try:
            return ts_ns(members.get(name))
        except WrongValue as error:
            problems.error("FA073", f"'{name}': {error}", locate(name))
            return 0

    loss = Loss(
        first_ns=number("fileaudit.lost.first_ns"),
        last_ns=number("fileaudit.lost.last_ns"),
        counts={
            name.removeprefix(_LOST_COUNTS): number(name) for name in members if name.startswith(_LOST_COUNTS)
        },
    )
    return tuple(problems.diagnostics) or loss


@dataclass(slots=True)
class _Reading:
    """What is gathered from one document."""

    locate: Locate
    allow_unknown_fields: bool
    problems: Collector = field(default_factory=Collector)
    attributes: dict[str, object] = field(default_factory=dict)
    """By dotted place in `FileEvent`."""
    said_by: dict[str, str] = field(default_factory=dict)
    """Which member of the document gave an attribute."""
    broken: set[str] = field(default_factory=set)
    """Attributes that a member would have given, had its value been right."""
    ancestors: list[Process] = field(default_factory=list)
    extra: dict[str, object] = field(default_factory=dict)
    claims: list[tuple[str, object]] = field(default_factory=list)
    """What the document says of computed fields."""

    def member(self, name: str, value: object) -> None:
        """Take one member in."""
        gives = _GIVES.get(name)
        try:
            if gives is not None:
                if value is not None:
                    self._set(gives[0], gives[1](value), name, value)
            elif name == ANCESTORS:
                self.ancestors = processes(value)
            elif name == EXTRA and isinstance(value, dict):
                self.extra.update((_clean_text(str(key)), _clean(inner)) for key, inner in value.items())
            elif name in _COMPUTED:
                self.claims.append((name, value))
            elif not is_derived(name):
                self._unknown(name, value)
        except WrongValue as error:
            self.problems.error("FA073", f"'{name}': {error}", self.locate(name))
            self.broken.add(gives[0] if gives else name)

    def event(self, ts_ns: int | None) -> FileEvent | tuple[Diagnostic, ...]:
        """What all members together make."""
        for attribute in _JOINED.values():
            self._split_joined(attribute)
        self._check_outcome()
        if ts_ns is not None:
            self.attributes.setdefault("ts_ns", ts_ns)
        self._require("ts_ns", "the event has no time", "give it '@timestamp'")
        self._require("operation", "the event has no operation", "give it 'Operation' (in ECS: event.action)")
        if self.problems.diagnostics:
            return tuple(self.problems.diagnostics)
        event = self._build()
        for name, value in self.claims:
            self._check_claim(event, name, value)
        return tuple(self.problems.diagnostics) or event

    def _set(self, attribute: str, found: object, name: str, value: object) -> None:
        """Note what a member gives; several may give one attribute, if they agree."""
        known = self.attributes.setdefault(attribute, found)
        if known is found:
            self.said_by[attribute] = name
        elif known != found:
            self._contradiction(name, value, self.said_by[attribute])

    def _contradiction(self, name: str, value: object, other: str) -> None:
        self.problems.error(
            "FA074",
            f"'{name}' is {shown(value)}, but '{other}' says otherwise"
            if name != other
            else f"'{name}' is given twice, and not alike",
            self.locate(name),
            help=f"keep one of '{other}' and '{name}'" if name != other else "keep one of them",
        )

    def _unknown(self, name: str, value: object) -> None:
        if self.allow_unknown_fields:
            self.extra[_clean_text(name)] = _clean(value)
            return
        close = nearest(name)
        self.problems.error(
            "FA072",
            f"unknown field {shown(name)}",
            self.locate(name),
            help=f"did you mean '{close}'?" if close else "--allow-unknown-fields keeps fields of your own",
        )

    def _split_joined(self, attribute: str) -> None:
        """A command line gives the arguments where nothing else does, and must agree where something does."""
        joined = self.attributes.pop(f"{attribute} joined", None)
        if not isinstance(joined, str):
            return
        name = self.said_by[f"{attribute} joined"]
        args = self.attributes.setdefault(attribute, tuple(joined.split(" ")))
        if isinstance(args, tuple) and " ".join(args) != joined:
            self._contradiction(name, joined, self.said_by[attribute])

    def _check_outcome(self) -> None:
        outcome = self.attributes.pop("outcome", None)
        errno = self.attributes.get("errno")
        if not isinstance(outcome, Outcome) or "errno" in self.broken:
            return
        name = self.said_by["outcome"]
        if outcome is Outcome.FAILURE and errno is None:
            self.problems.error(
                "FA075",
                "the event failed, but has no error number",
                self.locate(name),
                help="add 'Errno', for example EACCES or 13",
            )
        elif (outcome is Outcome.FAILURE) != bool(errno):
            self._contradiction(name, outcome.value, self.said_by["errno"])

    def _check_claim(self, event: FileEvent, name: str, value: object) -> None:
        row = _COMPUTED[name]
        found = row.get(event)
        try:
            if value is None or _agrees(coercion(row)(value), found):
                return
        except WrongValue as error:
            self.problems.error("FA073", f"'{name}': {error}", self.locate(name))
            return
        words = (
            f"what the others come to is {_listed(found)}" if found else "nothing else in the event says so"
        )
        self.problems.error(
            "FA074",
            f"'{name}' is {shown(value)}, but {words}",
            self.locate(name),
            help="it follows from other fields: change those, or leave it out",
        )

    def _require(self, attribute: str, message: str, remedy: str) -> None:
        if attribute not in self.attributes and attribute not in self.broken:
            self.problems.error("FA075", message, self.locate(""), help=remedy)

    def _build(self) -> FileEvent:
        return assembled(self.attributes, self.ancestors, self.extra)


def assembled(
    attributes: Mapping[str, object],
    ancestors: Sequence[Process] = (),
    extra: Mapping[str, object] | None = None,
) -> FileEvent:
    """The event whose attributes, by their dotted places, are these. Each has its attribute's type."""
    inside: dict[str, dict[str, object]] = {place: {} for place in PLACES}
    for attribute, value in attributes.items():
        place, _, name = attribute.rpartition(".")
        inside[place][name] = value
    return event_with(inside, ancestors, extra)


def event_with(
    inside: Mapping[str, Mapping[str, Any]],
    ancestors: Sequence[Process] = (),
    extra: Mapping[str, object] | None = None,
) -> FileEvent:
    """As `assembled`, with the attributes by their place and then by their name."""
    process: dict[str, Any] = {"pid": 0, **inside["process"]}
    parent, container = inside["process.parent"], inside["container"]
    if parent or ancestors:
        known = Process(**{"pid": process.get("parent_pid", 0), **parent})
        process["parent"] = _descended(known, ancestors)
    return FileEvent(
        process=Process(**process),
        container=Container(**container) if container else None,
        extra=dict(extra) if extra else None,
        **inside[""],
    )


def processes(value: object) -> list[Process]:
    """The ancestors that `fileaudit.ancestors` lists, nearest first.

    Raises:
        WrongValue: It is no list of processes, or a longer one than any host has.
    """
    if not isinstance(value, list | tuple) or len(value) > _MOST_ANCESTORS:
        raise WrongValue(f"expected a list of at most {_MOST_ANCESTORS} processes")
    return [_process(member) for member in value]


def _process(value: object) -> Process:
    if not isinstance(value, dict) or "pid" not in value:
        raise WrongValue(f"expected a process with its 'pid', found {shown(value)}")
    unknown = value.keys() - _PROCESS.keys()
    if unknown:
        raise WrongValue(f"a process has no {shown(min(map(str, unknown)))}")
    return Process(**{key: _PROCESS[key](inner) for key, inner in value.items()})  # type: ignore[arg-type]  # coerced


def _descended(process: Process, ancestors: Sequence[Process]) -> Process:
    """The process with its ancestors, nearest first, behind it."""
    chain: Process | None = None
    for ancestor in reversed(ancestors):
        chain = msgspec.structs.replace(ancestor, parent=chain)
    return process if chain is None else msgspec.structs.replace(process, parent=chain)


def _agrees(said: object, found: object) -> bool:
    """Whether what is said of a computed field is so; of a list, a part is enough."""
    if isinstance(said, tuple):
        return isinstance(found, tuple) and set(map(_folded, said)) <= set(map(_folded, found))
    return _folded(said) == _folded(found)


def _folded(value: object) -> object:
    return fold(value) if isinstance(value, str) else value


def _listed(found: object) -> str:
    return ", ".join(map(shown, found)) if isinstance(found, tuple) else shown(found)


def _clean(value: object) -> object:
    """A foreign value in JSON's types, so that it can be written again whatever it was."""
    if isinstance(value, dict):
        return {_clean_text(str(key)): _clean(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(member) for member in value]
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else shown(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return None if value is None else _clean_text(str(value))


def _clean_text(value: str) -> str:
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
