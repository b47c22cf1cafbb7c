"""What is wrong with a store, and where: the findings of `verify`."""

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from fileaudit_engine.text import printable

_SHOWN: Final = 120
"""Characters of a name that a message shows; the row itself has all of it."""


class What(str, enum.Enum):
    """Kinds of findings. The words are part of the JSON output."""

    EDITED = "edited"
    """What a row says is not what it was linked with."""
    REORDERED = "reordered"
    """A row stands in another row's place."""
    REMOVED = "removed"
    INSERTED = "inserted"
    CUT_OFF = "cut off"
    """The newest rows are gone."""
    START_CUT_OFF = "start cut off"
    """The oldest rows are gone, and no retention vouches for that."""
    START_CHANGED = "start changed"
    """What the store says about where its chain begins is not right."""
    REWRITTEN = "rewritten"
    """The chain is whole, and is not the one that was anchored."""
    IDENTITY = "identity changed"
    DAMAGED = "damaged"
    COLUMN = "column"
    """A column says something else than its document: the row is not found by what it says."""
    NAME = "name"
    """A name was altered or is gone: rows are not found by it."""
    BLOCK = "block"
    POSTINGS = "postings"
    """The index of a block does not agree with its rows."""
    INDEX = "index"
    DICTIONARY = "dictionary"
    SCHEMA = "schema"


_HELD: Final = 16
"""Findings that wait for what they may be one with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a row says about itself; of an altered one what it says now.

    Attributes:
        ts_ns: Its time, nanoseconds since the Unix epoch.
        kind: Alert, audit event or engine record; these three are empty where its document does not say.
        rule: Its rule's key.
        path: The file that it speaks of.
    """

    ts_ns: int
    kind: str = ""
    rule: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that nobody but the engine may do was done by somebody else.

    Attributes:
        what: Its kind.
        message: What was found, in a sentence without the place; nothing in it acts on a terminal.
        first_seq: The first row that it is about; None where it is about no row.
        last_seq: The last one.
        place: What the first of them says.
    """

    what: What
    message: str
    first_seq: int | None = None
    last_seq: int | None = None
    place: Place | None = None


def at(seq: int, what: What, message: str, place: Place | None = None) -> Finding:
    """A finding about one row."""
    return Finding(what=what, message=message, first_seq=seq, last_seq=seq, place=place)


def place_of(ts_ns: int, document: Mapping[str, Any] | None) -> Place:
    """What a row says about itself, whatever was done to its document."""
    found = document or {}
    event, kind = found.get("event"), ""
    if isinstance(event, dict):
        engine = event.get("dataset") == "fileaudit.engine"
        kind = "engine" if engine else str(event.get("kind", ""))
    return Place(
        ts_ns=ts_ns, kind=kind, rule=_member(found, "rule", "id"), path=_member(found, "file", "path")
    )


def _member(document: Mapping[str, Any], part: str, name: str) -> str:
    found = document.get(part)
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""


def shown(text: str) -> str:
    """A text out of a store within a message: nothing in it acts, and a long one is cut."""
    return f"'{printable(text[:_SHOWN])}{'…' if len(text) > _SHOWN else ''}'"


def together(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Findings that say the same of rows that follow on each other are one: ten million altered rows are."""
    held: dict[tuple[What, str], Finding] = {}
    for found in findings:
        key = (found.what, found.message)
        before = held.pop(key, None)
        if before is not None and before.last_seq is not None and found.first_seq == before.last_seq + 1:
            held[key] = replace(before, last_seq=found.last_seq)
            continue
        if before is not None:
            yield before
        held[key] = found
        if len(held) > _HELD:
            yield held.pop(next(iter(held)))
    yield from held.values()
