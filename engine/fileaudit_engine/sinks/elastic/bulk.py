"""Records as the items of a bulk request, and what the node says became of each.

What is sent is the document of the store, with what its data stream needs and what only the sender knows:

    data_stream.*       which stream: alerts have one, everything else has the other
    event.sequence      its number in the store, the order of what happened within a millisecond
    event.created       when the engine handed it on: what the store calls `event.ingested`
    event.ingested      when it was sent. Kibana's alerting goes by it: what waited out an outage must not
                        look as if it had been seen already
    event.risk_score    of alerts: their severity, since Kibana gives all the same one otherwise
    host.os.type        linux: Kibana's pages about hosts, and rules made for Linux, filter by it

An id is always the record's own and items are only ever created, so that a second time is refused (409) and
does no harm. An answer is believed only if it is about the items that were sent: each in its place, by its
id.
"""

import functools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from fileaudit_engine.sinks.base import Answer, Delivered, Reject, Retry, Row
from fileaudit_engine.sinks.elastic.failures import FORBIDDEN, NOT_FOUND, UNAUTHORIZED, cut, reason_of

MOST_ITEMS: Final = 1_000
"""Of a request: more are not quicker, and are sent again together."""
MOST_ID: Final = 512
"""Bytes of an id: of a longer one the node refuses the whole request."""
FILTER: Final = (
    *("errors", "items.*._id", "items.*.status", "items.*.failure_store"),
    *("items.*.error.type", "items.*.error.reason", "items.*.error.caused_by.reason"),
)
"""What of an answer is asked for."""

ALERT: Final = "fileaudit.alert"
EVENT: Final = "fileaudit.event"
DELIVERED: Final = Delivered()

_IS_ALERT: Final = b'"alert"'
_USED: Final = "used"
_CONFLICT: Final = 409
_TOO_MANY: Final = 429
_UNAVAILABLE: Final = 503
_KNOWN_ID: Final = "version_conflict_engine_exception"
_NO_PIPELINE: Final = re.compile(r"pipeline with id \[[^\]]*\] does not exist")
_NOT_OF_THE_RECORD: Final = frozenset(
    {
        "cluster_block_exception",  # an index that takes nothing, a disk that is full
        "index_closed_exception",
        "index_not_found_exception",
        "invalid_index_name_exception",
        "resource_already_exists_exception",
        "validation_exception",  # no more shards allowed: the next index cannot be made
    }
)
"""What is refused because of how the node is: any record would be, and it will not be for ever."""
_OF_THE_RECORD: Final = frozenset(
    {"document_parsing_exception", "mapper_parsing_exception", "strict_dynamic_mapping_exception"}
)
"""What is refused because of what stands in the record."""
_INSTALL: Final = "there is no data stream for it; run 'fileaudit-engine elastic install'"

_SHORT_ESCAPE: Final = re.compile(rb'\\(["\\])')
"""A backslash in valid JSON is followed by what it escapes, so that none is found in the middle of one."""
_LINUX: Final = {"type": "linux"}
_RAW: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT: Final = msgspec.json.Decoder(str)
_encode: Final = msgspec.json.Encoder().encode


class Item(msgspec.Struct, frozen=True, gc=False):
    """A record as it is sent.

    Attributes:
        id: `event.id`.
        dataset: Whose data stream it is for.
        action: The line that says what to do.
        document: The line with it.
    """

    id: str
    dataset: str
    action: bytes
    document: bytes

    @property
    def size(self) -> int:
        """Bytes in a request, line ends included."""
        return len(self.action) + len(self.document) + 2


class Maker:
    """Makes items for the data streams of one namespace."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._streams = {dataset: self._stream(dataset) for dataset in (ALERT, EVENT)}

    def item(self, record: Row, sent: str) -> Item | Reject:
        """A record as an item, or why it can be none.

        Args:
            record: It.
            sent: When, as documents have it.
        """
        try:
            document = _RAW.decode(record.raw)
            event: dict[str, Any] = dict(_RAW.decode(document["event"]))
            identity = _TEXT.decode(event["id"])
        except (msgspec.MsgspecError, ValueError, KeyError) as error:
            return Reject(f"it is no document of ours: {cut(str(error))}")
        if not 0 < len(identity.encode(errors="replace")) <= MOST_ID:
            return Reject(f"its 'event.id' is empty, or longer than {MOST_ID} bytes")
        dataset = ALERT if bytes(event.get("kind", b"")) == _IS_ALERT else EVENT
        named, action = self._streams[dataset]
        if "ingested" in event:
            event["created"] = event["ingested"]
        if dataset == ALERT and "severity" in event:
            event["risk_score"] = event["severity"]
        event["sequence"], event["ingested"] = record.seq, sent
        host = _of_linux(bytes(document.get("host", b"{}")))
        whole: dict[str, Any] = {**document, "event": event, "host": host, "data_stream": named}
        return Item(identity, dataset, action + _encode(identity) + b"}}", _spelled(_encode(whole)))

    def _stream(self, dataset: str) -> tuple[msgspec.Raw, bytes]:
        """What a document says about its data stream, and how its action begins."""
        named = _encode({"type": "logs", "dataset": dataset, "namespace": self._namespace})
        index = _encode(f"logs-{dataset}-{self._namespace}")
        return msgspec.Raw(named), b'{"create":{"_index":' + index + b',"_id":'


def _spelled(document: bytes) -> bytes:
    r"""JSON whose backslashes and quotes are written as numbers.

    Elasticsearch 8.19.0 indexes a text whose only escapes are `\\` and `\"` with these still in it, wherever
    a field has a second form (`.caseless`, `copy_to`); 9.2.0 does not. Any other escape is understood.
    """
    return _SHORT_ESCAPE.sub(_by_number, document) if b"\\" in document else document


def _by_number(escape: re.Match[bytes]) -> bytes:
    return b"\\u005c" if escape[1] == b"\\" else b"\\u0022"


@functools.lru_cache(maxsize=64)
def _of_linux(host: bytes) -> msgspec.Raw:
    """A document's host, with its system; what is no object stays as it is. Nearly all have the same."""
    try:
        known = _RAW.decode(host)
    except msgspec.MsgspecError:
        return msgspec.Raw(host)
    return msgspec.Raw(_encode({**known, "os": _LINUX}))


def portions(items: Sequence[Item], most_bytes: int) -> Iterator[Sequence[Item]]:
    """Items as requests; one that is larger alone is a request alone."""
    begin = size = 0
    for number, item in enumerate(items):
        if number > begin and (size + item.size > most_bytes or number - begin == MOST_ITEMS):
            yield items[begin:number]
            begin, size = number, 0
        size += item.size
    if begin < len(items):
        yield items[begin:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the items of a request.

    Attributes:
        answers: One an item, in order.
        doubtful: The places of those that may not be refused because of the record.
        kept: The places of those that the node has put elsewhere: sent again, it would do so again.
        refused: The status of an item that we may not write, and why; None if there is none.
        overwhelmed: Whether the node has too much to do.
    """

    answers: Sequence[Answer]
    doubtful: Collection[int] = ()
    kept: Collection[int] = ()
    refused: tuple[int, str] | None = None
    overwhelmed: bool = False


class Untrue(Exception):
    """What the node answered is not about what was sent."""


def outcome_of(body: object, items: Sequence[Item]) -> Outcome:
    """What an answer says about items.

    Raises:
        Untrue: It is of another form, or about others.
    """
    try:
        said = msgspec.convert(body, _Said).items
    except msgspec.ValidationError as error:
        raise Untrue(cut(str(error))) from error
    if len(said) != len(items):
        raise Untrue(f"it is about {len(said):,} items, and {len(items):,} were sent")
    results = [_result(one, item) for one, item in zip(said, items, strict=True)]
    return Outcome(
        answers=[_answer(result) for result in results],
        doubtful={n for n, one in enumerate(results) if one.error.type not in _OF_THE_RECORD},
        kept={n for n, one in enumerate(results) if one.failure_store == _USED},
        refused=next(((one.status, _reason(one)) for one in results if _is_refusal(one)), None),
        overwhelmed=any(result.status in {_TOO_MANY, _UNAVAILABLE} for result in results),
    )


def _result(said: "Mapping[str, _Result]", item: Item) -> "_Result":
    result = said.get("create")
    if result is None or len(said) != 1 or result.id != item.id:
        raise Untrue("it is about an item that was not sent, or not in this place")
    return result


def _answer(result: "_Result") -> Answer:
    status = result.status
    if status in {200, 201}:
        if result.failure_store == _USED:
            return Reject("it went to the failure store: something there could not take it")
        return DELIVERED
    if status == _CONFLICT and result.error.type in {_KNOWN_ID, ""}:
        return DELIVERED
    reason = f"{status}: {_reason(result) or 'no reason is given'}"
    if status == NOT_FOUND and result.error.type == "index_not_found_exception":
        return Retry(f"{status}: {_INSTALL}")
    if not 400 <= status < 500 or status in _LATER or _is_of_the_node(result.error):
        return Retry(reason)
    return Reject(reason)


def _is_of_the_node(error: "_Error") -> bool:
    return error.type in _NOT_OF_THE_RECORD or bool(_NO_PIPELINE.match(error.reason or ""))


def _reason(result: "_Result") -> str:
    return reason_of({"error": msgspec.to_builtins(result.error)})


_LATER: Final = frozenset({UNAUTHORIZED, FORBIDDEN, 408, _CONFLICT, _TOO_MANY})


def _is_refusal(result: "_Result") -> bool:
    return result.status in {UNAUTHORIZED, FORBIDDEN} and result.error.type not in _NOT_OF_THE_RECORD


class _Cause(msgspec.Struct):
    reason: str | None = None


class _Error(msgspec.Struct):
    type: str = ""
    reason: str | None = None
    caused_by: _Cause | None = None


class _Result(msgspec.Struct):
    status: int
    id: str = msgspec.field(name="_id")
    error: _Error = msgspec.field(default_factory=_Error)
    failure_store: str = ""


class _Said(msgspec.Struct):
    items: list[dict[str, _Result]] = []
