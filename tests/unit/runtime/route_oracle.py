"""Routes, read word for word: an oracle that knows no short cuts, and what tests of routes are made of."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st

from fileaudit_engine.detect.described import SEVERITIES
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.runtime.route import Route
from fileaudit_engine.runtime.router import SINKS
from fileaudit_engine.store.stored import StoredRecord
from fileaudit_engine.text import fold

LEVELS = tuple(SEVERITIES)
LOUD = tuple(level for level in LEVELS if level != "informational")
USUAL = {"terminal": "alert", "json": "alert event engine", "elasticsearch": "alert event engine"}
USUAL["syslog"] = "alert"


def row(document: Mapping[str, Any]) -> StoredRecord:
    """A document in the store."""
    return StoredRecord(seq=1, ts_ns=0, raw=msgspec.json.encode(document))


def record(document: Mapping[str, Any]) -> Record:
    """A document on its way to a terminal."""
    return Record(
        id="x",
        kind=kind_in(document),
        ts_ns=0,
        rule=document.get("rule", {}).get("id", ""),
        level=document["fileaudit"]["rule"]["level"],
        document=document,
        event=None,
    )


def kind_in(document: Mapping[str, Any]) -> Kind:
    """What a record is, by its document."""
    event = document["event"]
    if event["kind"] == "alert":
        return Kind.ALERT
    return Kind.ENGINE if event["dataset"] == "fileaudit.engine" else Kind.EVENT


# --- the oracle ---------------------------------------------------------------------------------------------


def is_given(routes: Sequence[Route], sink: str, document: Mapping[str, Any]) -> bool:
    """Whether a sink is given a document."""
    asked = []
    for route in routes:
        if holds(route, document):
            asked.append(route)
            if not route.goes_on:
                break
    if any(sink in route.to for route in routes):
        return any(sink in route.to for route in asked)
    return kind_in(document).value in USUAL[sink].split() and all(
        route.to for route in asked if not route.goes_on
    )


def holds(route: Route, document: Mapping[str, Any]) -> bool:
    """Whether all conditions of a route hold."""
    rule = document.get("rule", {})
    names = [rule[key] for key in ("id", "name", "uuid") if key in rule]
    return (
        (not route.levels or document["fileaudit"]["rule"]["level"] in route.levels)
        and (not route.kinds or kind_in(document) in route.kinds)
        and (not route.rules or _any(route.rules, names, "."))
        and (not route.tags or _any(route.tags, document.get("tags", []), "."))
        and all(_any(globs, list(texts_at(document, place)), "[^/]") for place, globs in route.fields)
    )


def texts_at(document: Any, place: str) -> Iterator[str]:
    """What a document has at a dotted place, as texts."""
    found = document
    for key in place.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    for value in found if isinstance(found, list) else [found]:
        if isinstance(value, bool):
            yield str(value).lower()
        elif isinstance(value, str | int | float):
            yield str(value)


def _any(globs: Sequence[str], texts: Sequence[str], one: str) -> bool:
    patterns = [re.compile(_regex(fold(glob), one), re.DOTALL) for glob in globs]
    return any(pattern.fullmatch(fold(text)) for pattern in patterns for text in texts)


def _regex(glob: str, one: str) -> str:
    found = ""
    for token in re.findall(r"\\[*?\\]|\*\*+|.", glob, re.DOTALL):
        if token.startswith("**"):
            found += ".*"
        elif token in {"*", "?"}:
            found += one + ("*" if token == "*" else "")
        else:
            found += re.escape(token[1:] if len(token) == 2 else token)
    return found


# --- what they are about ------------------------------------------------------------------------------------

PLACES = ("file.path", "user.name", "event.type", "fileaudit.result", "fileaudit.args_truncated")
_letters = st.text("aA/ß.\\x", max_size=4)
_tokens = st.sampled_from(["a", "A", "/", "*", "?", "**", "ß", "\\*", "0", "true"])
_globs = st.lists(_tokens, max_size=5).map("".join)
_some_globs = st.lists(_globs, min_size=1, max_size=2).map(tuple)


def _some(values: Sequence[Any]) -> Any:
    return st.just(frozenset()) | st.frozensets(st.sampled_from(values), min_size=1, max_size=2)


routes = st.lists(
    st.builds(
        Route,
        levels=_some(LEVELS),
        kinds=_some(tuple(Kind)),
        rules=st.just(()) | _some_globs,
        tags=st.just(()) | _some_globs,
        fields=st.just(()) | st.lists(st.tuples(st.sampled_from(PLACES), _some_globs), max_size=2).map(tuple),
        to=st.lists(st.sampled_from(SINKS), max_size=2, unique=True).map(tuple),
        goes_on=st.booleans(),
    ),
    max_size=4,
)
_value = _letters | st.integers(-2, 2) | st.booleans() | st.lists(_letters, max_size=2) | st.none()


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A document with what routes look at; kind and level as the engine writes them."""
    kind = draw(st.sampled_from(Kind))
    quiet = kind is not Kind.ALERT
    level = (
        "informational" if quiet else draw(st.sampled_from([one for one in LEVELS if one != "informational"]))
    )
    engine = kind is Kind.ENGINE or (kind is Kind.ALERT and draw(st.booleans()))
    document: dict[str, Any] = {
        "event": {
            "kind": "event" if quiet else "alert",
            "dataset": "fileaudit.engine" if engine else f"fileaudit.{kind.value}",
        },
        "fileaudit": {"rule": {"level": level}},
    }
    for place in draw(st.lists(st.sampled_from(PLACES), unique=True)):
        outer, key = place.split(".")
        document.setdefault(outer, {})[key] = draw(_value)
    if draw(st.booleans()):
        document["rule"] = {key: draw(_letters) or "r" for key in ("id", "name", "uuid")}
    if draw(st.booleans()):
        document["tags"] = draw(st.lists(_letters, max_size=2))
    return document
