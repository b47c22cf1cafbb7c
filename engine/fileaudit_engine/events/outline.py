"""What the documents of a file have in common: which members, and of which JSON type.

Programs that write events write the same members in the same spelling line after line. An outline is that
spelling, learned from lines: the places of the members that hold values, with the types that were seen there.
Outlines are sets, so what two lines have between them is their union.

    {"file": {"path": "/a"}, "User": "alice"}   ─┐   {(("file", "path"), "text"), (("User",), "text"),
    {"file": {"path": "/b", "inode": 7}}        ─┴─>  (("file", "inode"), "number")}

`shape.Shape` makes a decoder of one. An outline promises nothing about values: what the reader would say of a
line is found out by that decoder, or by the reader itself.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from fileaudit_engine.events.document import ANCESTORS, EXTRA, is_derived
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.reader import given_by

Place = tuple[str, ...]
"""The keys on the way to a value, each as it is spelled: `("file", "path")` is not `("file.path",)`."""
Outline = frozenset[tuple[Place, str]]

TEXT: Final = "text"
NUMBER: Final = "number"
FLAG: Final = "flag"
TEXTS: Final = "texts"
"""A list of nothing but texts."""
OBJECT: Final = "object"
NULL: Final = "null"
OTHER: Final = "other"
"""A fraction, or any other list: no field has one, but what is derived may."""

_DEEPEST: Final = 8
"""Objects inside objects; every known name has fewer parts."""
_UNDER: Final = ".?"
"""Behind a name: any member of it, and none that a table lists."""
_ABOVE_FIELDS: Final = frozenset(
    name[: found.start()] for name in BY_NAME for found in re.finditer(r"\.", name)
)
"""Objects that fields live in."""
_DECODER: Final = msgspec.json.Decoder()


class _NoOutlineError(Exception):
    """The document has something that depends on more than its type."""


def dotted(place: Place) -> str:
    """The member's name as the reader knows it."""
    return ".".join(place)


def outline_of(line: bytes) -> Outline | None:
    """The outline of a line; None if it is no document, or has members that only the reader understands."""
    try:
        document = _DECODER.decode(line)
        return frozenset(_places(document, ())) if isinstance(document, dict) else None
    except (msgspec.MsgspecError, ValueError, RecursionError, _NoOutlineError):
        return None


def common(lines: Iterable[bytes], known: Outline = frozenset()) -> Outline:
    """The outline of all lines that have one, and of what was known before."""
    return known.union(*filter(None, map(outline_of, lines)))


def _places(document: Mapping[str, object], above: Place) -> Iterator[tuple[Place, str]]:
    for key, value in document.items():
        place = (*above, key)
        name = dotted(place)
        kind = _kind(value)
        if (
            isinstance(value, dict)
            and not _is_derived_whole(name)
            and name != EXTRA
            and len(place) < _DEEPEST
        ):
            yield from _places(value, place)
        elif _is_expected(name, kind):
            yield place, kind
        else:
            raise _NoOutlineError


def _is_derived_whole(name: str) -> bool:
    """Whether an object of this name says nothing, whatever is in it."""
    return name not in _ABOVE_FIELDS and is_derived(name + _UNDER)


def _is_expected(name: str, kind: str) -> bool:
    """Whether the reader takes a member of this name and type without looking at the others."""
    if given_by(name) is not None:
        return kind not in {OBJECT, OTHER}
    if name == ANCESTORS:
        return kind != OBJECT
    return _is_derived_whole(name) if kind == OBJECT else is_derived(name)


def _kind(value: object) -> str:
    if isinstance(value, list):
        return TEXTS if all(isinstance(member, str) for member in value) else OTHER
    return _KINDS.get(type(value), OTHER)


_KINDS: Final = {str: TEXT, int: NUMBER, bool: FLAG, dict: OBJECT, type(None): NULL}
