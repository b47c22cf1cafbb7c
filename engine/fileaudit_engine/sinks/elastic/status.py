"""How things stand in a node: its templates, the data streams and what is in them.

Nothing is changed. Whoever asks may be allowed less than whoever installed: what they may not see is named,
and the rest is told.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from fileaudit_engine.detect.described import SEVERITIES
from fileaudit_engine.sinks.elastic.install import Plan, plan_for
from fileaudit_engine.sinks.elastic.installed import STREAMS, Stream, streams
from fileaudit_engine.sinks.elastic.node import Node, NotAllowed, told
from fileaudit_engine.text import printable

T = TypeVar("T")

ALERTS: Final = "logs-fileaudit.alert-"
LONGEST_MESSAGE: Final = 200
"""Characters of the newest alert's message: names in it may have thousands."""
OLDEST: Final = (8, 13)
"""The first version that knows `require_data_stream`."""
TOO_OLD: Final = "Elasticsearch 8.13 or a later one is needed"
_NUMBERS: Final = re.compile(r"(\d{1,4})\.(\d{1,4})\b")
_LEVEL: Final = "fileaudit.rule.level"
_NEWEST: Final = {
    "size": 1,
    "track_total_hits": True,
    "sort": [{"@timestamp": {"order": "desc", "unmapped_type": "date"}}],
    "_source": ["@timestamp", "message", _LEVEL],
    "aggs": {"levels": {"terms": {"field": _LEVEL, "size": 10}}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a data stream holds.

    Attributes:
        stream: Which.
        documents: How many.
        size_bytes: On disk, copies included.
    """

    stream: Stream
    documents: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """The newest alert; texts are printable."""

    time: str
    level: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """The alerts in the node.

    Attributes:
        total: How many.
        levels: How many of each level, printable, the most severe first.
        newest: The latest; None: there is none.
    """

    total: int
    levels: Mapping[str, int]
    newest: Newest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How things stand.

    Attributes:
        version: Of the node; empty if it does not say.
        plan: What would be put, and what is in its way; None: not to be seen.
        holdings: The data streams; None: not to be seen.
        alerts: None: not to be seen.
        untold: What could not be seen, and why.
    """

    version: str
    plan: Plan | None
    holdings: Sequence[Holding] | None
    alerts: Alerts | None
    untold: Mapping[str, str] = field(default_factory=dict)


def status_of(node: Node, namespace: str) -> Status:
    """Look at a node.

    Args:
        node: Which.
        namespace: The last part of the data streams' names.

    Raises:
        MachineCannot: It cannot be reached, or does not know who asks.
    """
    untold: dict[str, str] = {}

    def seen(what: str, look: Callable[[], T]) -> T | None:
        try:
            return look()
        except NotAllowed as error:
            untold[what] = str(error)
            return None

    return Status(
        version=seen("version", lambda: version_of(node)) or "",
        plan=seen("templates", lambda: plan_for(node, namespace)),
        holdings=seen("data streams", lambda: holdings_of(node)),
        alerts=seen("alerts", lambda: alerts_in(node, namespace)),
        untold=untold,
    )


def version_of(node: Node) -> str:
    """The version that a node says it has, printable; empty where it does not say."""
    greeting = node.ask("GET", "/")
    if greeting.ok:
        return _version(told(greeting, _Greeting).version.number)
    if not greeting.lacking:
        told(greeting, _Greeting)
    listed = node.ask("GET", "/_nodes/_local?filter_path=nodes.*.version")  # one without its front door
    versions = [one.version for one in told(listed, _Nodes).nodes.values()] if listed.ok else []
    return _version(versions[0]) if versions else ""


def _version(said: str) -> str:
    return printable(said[:40])


def too_old(version: str) -> bool:
    """Whether a version cannot be told to make no index where a data stream is meant; an unknown one can."""
    found = _NUMBERS.match(version)
    return found is not None and (int(found[1]), int(found[2])) < OLDEST


def holdings_of(node: Node) -> list[Holding]:
    """The data streams and how much is in each.

    Raises:
        MachineCannot: The node does not tell.
    """
    found = streams(node)
    sizes: dict[str, _Size] = {}
    if found:
        members = "indices.*.primaries.docs.count,indices.*.total.store.size_in_bytes"
        stats = node.ask("GET", f"/{STREAMS}/_stats/docs,store?filter_path={members}")
        sizes = told(stats, _Stats).indices
    return [
        Holding(
            stream=stream,
            documents=sum(sizes[index].primaries.docs.count for index in stream.backing if index in sizes),
            size_bytes=sum(sizes[index].total.store.bytes for index in stream.backing if index in sizes),
        )
        for stream in found
    ]


def alerts_in(node: Node, namespace: str) -> Alerts:
    """How many alerts there are in the data stream of a namespace, of which levels, and the newest.

    Raises:
        MachineCannot: The node does not tell.
    """
    found = told(node.ask("POST", f"/{ALERTS}{namespace}/_search?ignore_unavailable=true", _NEWEST), _Found)
    levels = {printable(str(one.key)): one.doc_count for one in found.aggregations.levels.buckets}
    return Alerts(
        total=found.hits.total.value,
        levels=dict(sorted(levels.items(), key=lambda one: -SEVERITIES.get(one[0], -1))),
        newest=_newest(found.hits.hits[0].source) if found.hits.hits else None,
    )


def _newest(source: "_Source") -> Newest:
    return Newest(
        time=printable(source.timestamp),
        level=printable(source.fileaudit.rule.level),
        message=_cut(printable(source.message)),
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 1]}…"


class _Number(msgspec.Struct):
    number: str = ""


class _Greeting(msgspec.Struct):
    version: _Number = msgspec.field(default_factory=_Number)


class _Versioned(msgspec.Struct):
    version: str = ""


class _Nodes(msgspec.Struct):
    nodes: dict[str, _Versioned] = {}


class _Count(msgspec.Struct):
    count: int = 0


class _Bytes(msgspec.Struct):
    bytes: int = msgspec.field(default=0, name="size_in_bytes")


class _Primaries(msgspec.Struct):
    docs: _Count = msgspec.field(default_factory=_Count)


class _Total(msgspec.Struct):
    store: _Bytes = msgspec.field(default_factory=_Bytes)


class _Size(msgspec.Struct):
    primaries: _Primaries = msgspec.field(default_factory=_Primaries)
    total: _Total = msgspec.field(default_factory=_Total)


class _Stats(msgspec.Struct):
    indices: dict[str, _Size] = {}


class _Level(msgspec.Struct):
    level: str = ""


class _Own(msgspec.Struct):
    rule: _Level = msgspec.field(default_factory=_Level)


class _Source(msgspec.Struct):
    timestamp: str = msgspec.field(default="", name="@timestamp")
    message: str = ""
    fileaudit: _Own = msgspec.field(default_factory=_Own)


class _Hit(msgspec.Struct):
    source: _Source = msgspec.field(default_factory=_Source, name="_source")


class _Value(msgspec.Struct):
    value: int = 0


class _Hits(msgspec.Struct):
    total: _Value = msgspec.field(default_factory=_Value)
    hits: list[_Hit] = []


class _Bucket(msgspec.Struct):
    key: str | int = ""
    doc_count: int = 0


class _Buckets(msgspec.Struct):
    buckets: list[_Bucket] = []


class _Levels(msgspec.Struct):
    levels: _Buckets = msgspec.field(default_factory=_Buckets)


class _Found(msgspec.Struct):
    hits: _Hits = msgspec.field(default_factory=_Hits)
    aggregations: _Levels = msgspec.field(default_factory=_Levels)
