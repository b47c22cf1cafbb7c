"""Records of events that somebody made so that a receiver refuses them."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from hypothesis import strategies as st
from tests.unit.events.examples import EVERYTHING, events
from tests.unit.events.records import record
from tools.elastic.node import Node

from fileaudit_engine.detect.record import Record
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.events.model import FileEvent, Loss, Process
from fileaudit_engine.text import from_kernel

LONGEST: Final = 4_096
"""Bytes of a path of Linux."""
NAMES: Final = tuple(
    from_kernel(raw)
    for raw in (
        b"\xff" * LONGEST,
        b"\\x41" * (LONGEST // 4),
        "中".encode() * (LONGEST // 3),
        "\U00010400".encode() * (LONGEST // 4),
        "\u0130\u023a".encode() * (LONGEST // 4),
        b"a/" * (LONGEST // 2),
        b"\xed\xa0\x80" * (LONGEST // 3),
        b"/tmp/a\nb\x1b[31m\x00\xe2\x80\xae {}[]\"'*?:",
        b" ",
        b"",
        b".",
        b"..",
    )
)
"""Long ones of every kind of character, and short ones that have a meaning somewhere."""
KEYS: Final = ("", ".", "..", " ", "a..b", ".a", "a.", "\x00", "_id", "_source", "*", "known.x", "x" * 60_000)
"""Keys for which a node refuses a document wherever it looks at them."""

_texts = st.sampled_from(NAMES) | st.binary(max_size=LONGEST).map(from_kernel)
_huge = st.sampled_from(
    (
        ("y" * 200_000,),
        ("",) * 10_000,
        ("中" * 40_000,),
        tuple(f"--option-{number}" for number in range(5_000)),
    )
)
_extras = st.dictionaries(
    st.sampled_from(KEYS) | st.text(max_size=9),
    st.none()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.lists(st.text(max_size=5))
    | st.recursive(
        st.text(max_size=3), lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, max_size=2)
    ),
    min_size=1,
    max_size=4,
)
_losses = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 2**63 - 1), max_size=3)
_TEXTS: Final = tuple(
    name
    for name, value in msgspec.structs.asdict(EVERYTHING).items()
    if type(value) is str and name not in {"clock", "syscall"}  # these two are the engine's own words
)


@st.composite
def hostile(draw: st.DrawFn) -> Record:
    """An alert about an event with a few texts that are as bad as can be, or about any event at all."""
    event: FileEvent = draw(st.just(EVERYTHING) | events)
    changes: dict[str, Any] = {
        name: draw(_texts) for name in draw(st.sets(st.sampled_from(_TEXTS), max_size=4))
    }
    if draw(st.booleans()):
        changes["process"] = _process(draw)
    if draw(st.booleans()):
        changes["extra"] = draw(_extras)
    losses = (Loss(first_ns=1, last_ns=2, counts=draw(_losses)),)
    return record(msgspec.structs.replace(event, **changes), losses=losses, title=draw(_titles))


_titles = st.sampled_from(("t", "中" * 20_000, "\x1b[2J", "_source"))


def _process(draw: st.DrawFn) -> Process:
    """With fifty ancestors, one of whom has an endless command line."""
    process = Process(pid=1, args=draw(_huge), executable=draw(_texts), name=draw(_texts))
    for number in range(50):
        process = Process(
            pid=number + 2, parent=process, args=("x", draw(_texts)) if number == 49 else ("x",)
        )
    return process


def bulk(records: Sequence[Record]) -> bytes:
    """The body of a request that creates their documents."""
    return b"".join(_lines(records))


def _lines(records: Sequence[Record]) -> Iterator[bytes]:
    for one in records:
        yield json.dumps({"create": {"_id": one.id}}).encode() + b"\n"
        yield encode(one.document) + b"\n"


def refusals(node: Node, stream: str, records: Sequence[Record]) -> list[tuple[int, str]]:
    """Send them; what the node refuses, and why. One that it has already is none."""
    answer = node.ask("POST", f"/{stream}/_bulk?refresh=true&require_data_stream=true", bulk(records))
    items = [item["create"] for item in answer["items"]]
    assert len(items) == len(records)
    return [(item["status"], str(item["error"])[:500]) for item in items if item["status"] not in {201, 409}]
