"""Documents of one outline, read a column at a time.

`reader` says what a document means, member by member, in some twenty microseconds. A shape is made for one
outline and means the same in less than one: msgspec decodes a line straight into a struct whose types accept
a part of what the reader accepts, and what types cannot say is checked on columns (`raw_types`). A line that
the shape does not take is no mistake yet: the reader decides. So a shape may refuse too much, never take too
much, and what it takes is the event that the reader would have made.

Whatever depends on more than one member (two names for one attribute, fields that only the user knows) has no
shape, but for two pairs that documents usually have: an outcome with its error number, and a command line
with its arguments.
"""

import functools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from fileaudit_engine.events.coerce import Coerce
from fileaudit_engine.events.document import ANCESTORS, LOST
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.model import FileEvent, Outcome, Process
from fileaudit_engine.events.outline import Outline, Place, dotted
from fileaudit_engine.events.raw_types import Column, RawType, ancestors_type, derived_type, raw_type
from fileaudit_engine.events.reader import PLACES, event_with, given_by

Row = Any
"""A decoded line: a struct of a shape, whose types are known when it runs."""

JOINED: Final = " joined"
"""Behind an attribute: one text that stands for the list there."""
OUTCOME: Final = "outcome"
ERRNO: Final = "errno"
_NEEDED: Final = ("ts_ns", "operation")
"""What every event has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member that gives something.

    Attributes:
        attribute: What it gives, as `reader.given_by` says it; `ANCESTORS` for those.
        raw: Its type.
        path: Where a row has it.
        value: Its raw value, of a row.
    """

    attribute: str
    raw: RawType
    path: str
    value: Callable[[Row], Any]

    def values(self, rows: Iterable[Row]) -> list[Any]:
        """The raw values, None where a row lacks it."""
        return list(map(self.value, rows))


class Shape:
    """A decoder, and what a row of it means.

    Attributes:
        outline: What it was made for.
        members: What gives something, by attribute.
    """

    def __init__(self, outline: Outline, struct: type, members: Sequence[Member]) -> None:
        self.outline = outline
        self.members = {member.attribute: member for member in members}
        self._decode: Callable[[bytes], Row] = msgspec.json.Decoder(struct).decode
        self._checked = tuple(member for member in members if member.raw.accepts is not None)
        self._joined = tuple(
            (self.members[name], self.members[name.removesuffix(JOINED)])
            for name in self.members
            if name.endswith(JOINED) and name.removesuffix(JOINED) in self.members
        )
        built = [member for member in members if member.attribute not in {OUTCOME, ANCESTORS}]
        self._makes = tuple(member.raw.make for member in built)
        self._values = operator.attrgetter(*(member.path for member in built))
        places = (member.attribute.rpartition(".") for member in built)
        self._places = tuple((place, name) for place, _, name in places)
        self._splits = tuple(
            (place, name, name.removesuffix(JOINED)) for place, name in self._places if name.endswith(JOINED)
        )

    def rows(self, lines: Sequence[bytes], *, escaped: bool = True) -> tuple[list[Row | None], list[int]]:
        """Each line as a row, None where the reader has to look at it; and the indexes of those lines.

        Args:
            lines: Of one file, in their order.
            escaped: Whether some line may have a backslash.
        """
        rows: list[Row | None] = []
        refused: list[int] = []
        rest = iter(lines)
        while len(rows) < len(lines):
            try:
                rows.extend(map(self._decode, rest))
            except (msgspec.MsgspecError, ValueError, RecursionError):  # noqa: PERF203 - once a bad line
                refused.append(len(rows))
                rows.append(None)
        if self._accepts([row for row in rows if row is not None] if refused else rows, escaped=escaped):
            return rows, refused
        rows = [row if row is not None and self._accepts([row], escaped=escaped) else None for row in rows]
        return rows, [index for index, row in enumerate(rows) if row is None]

    def _accepts(self, rows: Sequence[Row], *, escaped: bool) -> bool:
        """Whether the reader would take all these, as far as the decoder has not seen to that."""
        return (
            all(member.raw.accepts(member.values(rows)) for member in self._checked if member.raw.accepts)
            and self._outcomes_agree(rows)
            and all(_agree(joined, listed, rows, escaped=escaped) for joined, listed in self._joined)
        )

    def _outcomes_agree(self, rows: Sequence[Row]) -> bool:
        outcome, errno = self.members.get(OUTCOME), self.members.get(ERRNO)
        if outcome is None:
            return True
        if errno is None:
            return set(outcome.values(rows)) <= {None, Outcome.SUCCESS.value}
        return all(
            said is None or (said == Outcome.FAILURE.value) == bool(number and errno.raw.make(number))
            for said, number in set(zip(outcome.values(rows), errno.values(rows), strict=True))
        )

    def complete(self, row: Row) -> FileEvent:
        """The event that the reader would have made of the row's line."""
        inside: dict[str, dict[str, object]] = {place: {} for place in PLACES}
        for (place, name), make, value in zip(self._places, self._makes, self._values(row), strict=True):
            if value is not None:
                inside[place][name] = make(value)
        for place, joined, name in self._splits:
            whole = inside[place].pop(joined, None)
            if whole is not None:
                inside[place].setdefault(name, tuple(str(whole).split(" ")))
        return event_with(inside, self._ancestors(row))

    def _ancestors(self, row: Row) -> Sequence[Process]:
        member = self.members.get(ANCESTORS)
        told = member and member.value(row)
        return member.raw.make(told) if member and told is not None else ()


def _agree(joined: Member, listed: Member, rows: Sequence[Row], *, escaped: bool) -> bool:
    """Whether each text is what the list beside it makes, where a row has both."""
    whole: Column = joined.values(rows)
    lists: Column = listed.values(rows)
    if escaped:
        whole, lists = joined.raw.column(whole, escaped=True), listed.raw.column(lists, escaped=True)
    return all(
        text is None or members is None or " ".join(members) == text
        for text, members in zip(whole, lists, strict=True)
    )


@functools.lru_cache(maxsize=64)
def shape_of(outline: Outline) -> Shape | None:
    """The shape for documents of an outline; None if there is none."""
    kinds: dict[Place, set[str]] = {}
    for place, kind in outline:
        kinds.setdefault(place, set()).add(kind)
    building = _Building()
    try:
        struct, _ = building.struct({place: frozenset(kinds[place]) for place in sorted(kinds)}, (), "")
    except _ShapelessError:
        return None
    given = [member.attribute for member in building.members]
    if len(set(given)) < len(given) or not set(_NEEDED) <= set(given):
        return None
    return Shape(outline, struct, building.members)


class _ShapelessError(Exception):
    """An outline that no struct can express."""


class _Building:
    """A struct for each object of an outline, and the members found on the way."""

    def __init__(self) -> None:
        self.members: list[Member] = []

    def struct(self, kinds: dict[Place, frozenset[str]], above: Place, path: str) -> tuple[type, bool]:
        """The struct of the object at `above`, and whether a document must have it."""
        fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
        keys: dict[str, str] = {}
        needed = False
        for number, (key, inside) in enumerate(_by_key(kinds, len(above))):
            name = f"m{number}"
            keys[name] = key
            place = (*above, key)
            if place not in inside:
                inner, must = self.struct(inside, place, f"{path}{name}.")
                fields.append((name, inner) if must else (name, inner, inner()))
            elif len(inside) > 1:
                raise _ShapelessError  # an object here, a value there
            else:
                kind, must = self._member(place, inside[place], f"{path}{name}")
                fields.append((name, kind) if must else (name, kind, None))
            needed |= must
        return msgspec.defstruct(
            "Row",
            fields,
            rename=keys,
            frozen=True,
            kw_only=True,
            eq=False,
            gc=False,
            forbid_unknown_fields=True,
        ), needed

    def _member(self, place: Place, kinds: frozenset[str], path: str) -> tuple[Any, bool]:
        """The type of a value, and whether a document must have it."""
        name = dotted(place)
        given = given_by(name)
        if name == ANCESTORS:
            attribute, raw = ANCESTORS, ancestors_type()
        elif given is None:
            return derived_type(kinds), False
        else:
            attribute, raw = given[0], _raw_type(name, given[1], kinds)
        self.members.append(Member(attribute=attribute, raw=raw, path=path, value=operator.attrgetter(path)))
        if attribute in _NEEDED:
            return raw.type, True
        return raw.type if attribute == ANCESTORS else raw.type | None, False  # type: ignore[operator]  # a type


def _raw_type(name: str, coerce: Coerce, kinds: frozenset[str]) -> RawType:
    attribute = (given_by(name) or ("", None))[0]
    field = BY_NAME.get(name)
    values = tuple(value for value in field.values if value != LOST) if field else ()
    raw = raw_type(coerce, kinds, values)
    if raw is None or attribute.rpartition(".")[0] not in PLACES:
        raise _ShapelessError
    return raw


def _by_key(
    kinds: dict[Place, frozenset[str]], depth: int
) -> Iterator[tuple[str, dict[Place, frozenset[str]]]]:
    """The places of an object by their key in it."""
    grouped: dict[str, dict[Place, frozenset[str]]] = {}
    for place, found in kinds.items():
        grouped.setdefault(place[depth], {})[place] = found
    yield from grouped.items()
