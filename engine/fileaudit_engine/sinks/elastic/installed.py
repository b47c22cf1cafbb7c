"""What a node has of our templates and data streams, and how that differs from what it should have."""

import enum
import fnmatch
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from fileaudit_engine import __version__
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.sinks.elastic.node import NOT_FOUND, Node, refused, told
from fileaudit_engine.sinks.elastic.templates import (
    INDEXES,
    LIFECYCLE,
    OWNER,
    Body,
    Kind,
    Template,
    content_of,
    core,
    digest_of,
    marks_in,
    merged,
    parts,
    shipped,
)
from fileaudit_engine.text import printable

STREAMS: Final = "logs-fileaudit.*"
"""The data streams of all namespaces."""

_PROBE: Final = "fileaudit-engine-probe"
"""No index is called so: a template for it shows what the node takes, and changes nothing."""
_PROBE_PRIORITY: Final = 1_987_654_321
"""Nobody's: two templates for one name must not have the same."""
_NUMBERS: Final = re.compile(r"\d{1,9}")


class State(enum.Enum):
    """How a template in the node is to the one that it should have."""

    MISSING = "missing"
    SAME = "same"
    OLDER = "older"
    """Untouched, of another version of the engine that is not newer."""
    NEWER = "newer"
    EDITED = "edited"
    """Somebody has changed it, or made it by hand."""
    YOURS = "yours"
    """The policy says something else: that is the operator's business, and stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A template and what the node has in its place.

    Attributes:
        template: As it should be.
        state: How it is.
        version: Of the engine that put what is there; empty if it does not say.
        content: What is there, dotted place to text; empty if nothing is.
    """

    template: Template
    state: State
    version: str = ""
    content: Mapping[str, str]

    @property
    def behind(self) -> bool:
        """Whether it has to be put."""
        return self.state in {State.MISSING, State.OLDER, State.EDITED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another template that wants our data streams.

    Attributes:
        name: By which the node knows it, printable.
        stream: The data stream that it wants, or the pattern of ours that overlaps with its own.
        equal: It has our priority, so that both cannot be; else it has a higher one, and decides.
    """

    name: str
    stream: str
    equal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A data stream of ours, or an index that has the name of one.

    Attributes:
        name: Of the data stream, as the node says it.
        backing: Its indices, the one that is written to last.
        marks: Of which templates that one was made: name to digest.
        plain: It is an index, made without templates before they were installed.
    """

    name: str
    backing: tuple[str, ...]
    marks: Mapping[str, str]
    plain: bool = False


class Mark(msgspec.Struct):
    """Who made a template."""

    managed_by: str = ""
    version: str = ""
    digest: str = ""


# ------------------------------------------------------------------------------------------------- parts


def parts_taken(node: Node) -> dict[str, str]:
    """Which parts a node takes, found out by trying; nothing is changed.

    Returns:
        Each part: empty if it is taken, else why not.

    Raises:
        MachineCannot: It does not take what every node takes, or cannot be asked.
    """
    every = parts()
    without = _why_not(node, [core()])
    if without:
        raise MachineCannot(f"the node does not take the templates: {without}")
    if not _why_not(node, [core(), *every.values()]) and not _no_policies(node):
        return dict.fromkeys(every, "")
    found = {name: _why_not(node, [core(), part]) for name, part in every.items()}
    found[LIFECYCLE] = found[LIFECYCLE] or _no_policies(node)
    return found


def _why_not(node: Node, insides: Sequence[Body]) -> str:
    inside: Body = {}
    for one in insides:
        inside = merged(inside, one)
    body = {
        "index_patterns": [f"{_PROBE}-*"],
        "data_stream": {},
        "priority": _PROBE_PRIORITY,
        "template": inside,
    }
    reply = node.ask("POST", "/_index_template/_simulate", body)
    if reply.ok:
        return ""
    if reply.status == 400:
        return reply.reason
    raise refused(reply, "to try templates")


def _no_policies(node: Node) -> str:
    reply = node.ask("GET", f"{Kind.POLICY.path}{_PROBE}")
    if reply.ok or reply.status == NOT_FOUND:
        return ""
    if reply.lacking:
        return "the node has no lifecycle policies"
    raise refused(reply, "to look at lifecycle policies")


# -------------------------------------------------------------------------------------------- templates


def standing_of(node: Node, template: Template) -> Standing:
    """How the node has a template.

    Raises:
        MachineCannot: It cannot be asked, or does not tell.
    """
    reply = node.ask("GET", template.path)
    if reply.status == NOT_FOUND:
        return Standing(template=template, state=State.MISSING, content={})
    body = _inside(told(reply, dict[str, Any]), template)
    found, wanted = content_of(body), content_of(template.body)
    mark = _mark(body)
    return Standing(
        template=template,
        state=_same(body, template.body) if found == wanted else _state(template, mark, digest_of(body)),
        version=printable(mark.version[:40]),
        content=found,
    )


def _inside(answer: Body, template: Template) -> Body:
    """The template itself, out of what the node wraps it in; empty where the answer is no such thing."""
    if template.kind is Kind.POLICY:
        found = answer.get(template.name)
        return {"policy": found.get("policy")} if isinstance(found, dict) else {}
    return component(answer) if template.kind is Kind.COMPONENT else _first(answer, "index_template")


def component(answer: Body) -> Body:
    """The component template that a node shows; empty where the answer is no such thing."""
    return _first(answer, "component_template")


def _first(answer: Body, kind: str) -> Body:
    listed = answer.get(f"{kind}s")
    first = listed[0] if isinstance(listed, list) and listed else None
    inside = first.get(kind) if isinstance(first, dict) else None
    return inside if isinstance(inside, dict) else {}


def _mark(body: Body) -> Mark:
    try:
        return msgspec.convert(body.get("_meta", {}), Mark)
    except msgspec.ValidationError:
        return Mark()


def _same(body: Body, wanted: Body) -> State:
    """What says the same, but not to indices what they are made of, is put again: nobody could tell later."""
    return State.SAME if marks_in(body) == marks_in(wanted) else State.OLDER


def _state(template: Template, mark: Mark, digest: str) -> State:
    """The node has something else. Whoever changed it did not change the digest with it."""
    if template.kind is Kind.POLICY:
        return State.YOURS
    if mark.managed_by != OWNER or mark.digest != digest:
        return State.EDITED
    return State.NEWER if _numbers(mark.version) > _numbers(__version__) else State.OLDER


def _numbers(version: str) -> list[int]:
    return [int(number) for number in _NUMBERS.findall(version)]


def rivals(node: Node, namespace: str) -> list[Rival]:
    """Other templates that want our data streams, and are not below ours.

    Raises:
        MachineCannot: The node does not tell.
    """
    listed = told(node.ask("GET", f"/_index_template?filter_path={_RIVAL_MEMBERS}"), _Listed)
    found = []
    for index in INDEXES:
        priority, stream = shipped(index)["priority"], f"{index}-{namespace}"
        for one in listed.index_templates:
            inside = one.index_template
            patterns = _as_list(inside.index_patterns)
            if one.name in INDEXES or inside.priority < priority:
                continue
            name = printable(one.name)
            if inside.priority == priority and any(_overlaps(pattern, f"{index}-") for pattern in patterns):
                found.append(Rival(name=name, stream=f"{index}-*", equal=True))
            elif any(map(functools.partial(_wants, stream), patterns)):
                found.append(Rival(name=name, stream=stream, equal=False))
    return found


def _wants(stream: str, pattern: str) -> bool:
    """Whether a pattern of a node, in which only `*` has a meaning, is for a data stream."""
    return fnmatch.fnmatchcase(stream, pattern.replace("[", "[[]").replace("?", "[?]"))


def _overlaps(pattern: str, beginning: str) -> bool:
    """Whether some name begins with `beginning` and is what the pattern is for."""
    end = len(beginning)
    matched = {0}
    for character in pattern:
        if character == "*" and matched:
            matched = set(range(min(matched), end + 1))
        else:
            matched = {
                at if at == end else at + 1 for at in matched if at == end or beginning[at] == character
            }
    return end in matched


_RIVAL_MEMBERS: Final = ",".join(
    f"index_templates.{member}"
    for member in ("name", "index_template.index_patterns", "index_template.priority")
)


class _Inside(msgspec.Struct):
    index_patterns: str | list[str] = []
    priority: int = 0


class _Named(msgspec.Struct):
    name: str
    index_template: _Inside = msgspec.field(default_factory=_Inside)


class _Listed(msgspec.Struct):
    index_templates: list[_Named] = []


# ----------------------------------------------------------------------------------------- data streams


def streams(node: Node) -> list[Stream]:
    """Our data streams, of all namespaces.

    Raises:
        MachineCannot: The node does not tell.
    """
    found = told(node.ask("GET", f"/_resolve/index/{STREAMS}"), _Resolved)
    if not found.data_streams and not found.indices:
        return []
    marks = _marks_by_index(node)
    return [
        *(_stream(one.name, _as_list(one.backing_indices), marks) for one in found.data_streams),
        *(
            Stream(name=one.name, backing=(one.name,), marks={}, plain=True)
            for one in found.indices
            if not one.data_stream
        ),
    ]


def _stream(name: str, backing: Sequence[str], marks: Mapping[str, Mapping[str, str]]) -> Stream:
    written = backing[-1] if backing else ""
    return Stream(name=name, backing=tuple(backing), marks=marks.get(written, {}))


def _as_list(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names


def _marks_by_index(node: Node) -> dict[str, Mapping[str, str]]:
    path = f"/{STREAMS}/_mapping?filter_path=*.mappings._meta"
    answered = told(node.ask("GET", path), dict[str, Any])
    return {index: _texts(one) for index, one in answered.items()}


def _texts(answer: object) -> Mapping[str, str]:
    try:
        return msgspec.convert(answer, _Mapped).mappings.marks
    except msgspec.ValidationError:
        return {}


def behind(found: Iterable[Stream], wanted: Mapping[str, str]) -> list[Stream]:
    """The data streams that are written by other mappings than those that are installed."""
    return [
        stream
        for stream in found
        if not stream.plain and {name: stream.marks.get(name, "") for name in wanted} != dict(wanted)
    ]


class _One(msgspec.Struct):
    name: str
    backing_indices: str | list[str] = []
    data_stream: str = ""


class _Resolved(msgspec.Struct):
    indices: list[_One] = []
    data_streams: list[_One] = []


class _Meta(msgspec.Struct):
    marks: dict[str, str] = msgspec.field(default_factory=dict, name="_meta")


class _Mapped(msgspec.Struct):
    mappings: _Meta = msgspec.field(default_factory=_Meta)
