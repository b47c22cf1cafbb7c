r"""One field of a batch, looked through for the literals of all rules at once.

A value becomes a **class**: a small number for the set of groups that have a literal in it, 0 for none. Most
columns repeat themselves, so classes are remembered by value; what is new in a batch is joined with NUL,
folded once, and scanned once by an Aho-Corasick automaton:

    column   /etc/shadow      /tmp/x     /etc/shadow          column of classes   7  0  7
    scanned  \0/etc/shadow\0/tmp/x\0                          literals            \0/etc/   shadow\0

Anchors are spelled with that NUL: a beginning has one before it, an ending behind it. A value that holds a
NUL itself may only seem to have more beginnings and endings than it has, which is sound. Members of a list
are joined in the same way, and so begin and end like values.

What is remembered is bounded, in values, characters and classes: whoever makes up names fills it, and then
it starts over. A column in which nearly everything is new goes without for a while.
"""

import functools
import operator
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, compress
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from fileaudit_engine.events.field import spelled
from fileaudit_engine.events.fields import Field, Value
from fileaudit_engine.text import fold, to_kernel

MEMO_VALUES: Final = 100_000
"""Values remembered for a field."""

MEMO_CHARACTERS: Final = 4 << 20
"""And all their characters together, as bytes; a plan has a scanner for each field that rules look into."""

CLASSES: Final = 16_384
"""Sets of groups told apart beside those of single literals; of unions of two, four times as many."""

_MISSES: Final = 0.8
"""With a larger share of new values, remembering costs more than scanning."""

_PLAIN_BATCHES: Final = 16
"""Batches that such a column goes without its memo, before it is tried again."""

_TABLE_BYTES: Final = 256 << 10
"""Automata over more pattern bytes than this are kept as sparse graphs; small ones as dense tables, twice as
fast and up to a hundred times larger."""

_PIECE_BYTES: Final = 64 << 10
"""Scanned at a time: a match is some hundred bytes of memory, and a value can match at every byte. Where
literals end alike (`a`, `aa`, `aaa`) each of them does, so that pieces are smaller by that."""

_LEAST_PIECE: Final = 2 << 10

_DENSE: Final = 4096
"""Matches in a piece beyond which nobody looks where they are: every value in it may have everything."""

_UNUSED: Final = (b"\xf8", b"\xf9", b"\xfa", b"\xfb")
"""Patterns that stand in no UTF-8 and mean nothing. Without them an automaton whose patterns all begin with
the same few bytes searches for those first, and in paths a slash is never far: four times slower."""

_SEPARATOR: Final = "\0"


class _Memo(dict[Value, int]):
    """Classes by value; what is not there yet is noted, and counts as nothing until it has been scanned."""

    def __init__(self) -> None:
        super().__init__({None: 0})
        self.new: list[Value] = []
        self.characters = 0

    def __missing__(self, value: Value) -> int:
        self.new.append(value)
        self[value] = 0
        return 0


class Scanner:
    """Classes of the values of one field.

    Attributes:
        field: Which.
        generation: Grows when classes get new meanings; whoever remembers some must forget them then.
    """

    def __init__(
        self,
        field: Field,
        literals: Iterable[tuple[str, Sequence[int]]],
        automata: "Automata",
        *,
        lengths: Sequence[tuple[int, int]] = (),
    ) -> None:
        r"""Build the automaton.

        Args:
            field: Which.
            literals: Folded texts with their anchors, and the numbers of the groups that each is in.
            automata: Those that others have built, for the same literals.
            lengths: Numbers of characters, and the group that a value is in which has as many.
        """
        self.field = field
        self.generation = 0
        self._is_mixed = field.attribute == "extra"  # where 1 and true are two values, but one key
        pairs: list[tuple[bytes, Sequence[int]]] = [(byte, ()) for byte in _UNUSED]
        pairs += sorted((to_kernel(text), groups) for text, groups in literals)
        patterns = tuple(pattern for pattern, _ in pairs)
        self._automaton = automata.get(patterns) or automata.setdefault(patterns, _automaton(patterns))
        self._piece_bytes = max(_LEAST_PIECE, _PIECE_BYTES // _nested(patterns))
        self._longest = max(map(len, patterns))
        self._anchored = [pattern.startswith(b"\0") for pattern in patterns]
        self._groups = [sum(1 << group for group in groups) for _, groups in pairs]
        self._lengths = sorted(lengths)
        self._everything = functools.reduce(operator.or_, self._groups)
        self._everything |= functools.reduce(operator.or_, (1 << group for _, group in lengths), 0)
        self._without_memo = 0
        self._scanned = 0
        self._start_over()

    def _start_over(self) -> None:
        """Forget all classes and values."""
        self.generation += 1
        self._memo = _Memo()
        self._sets: list[int] = [0]
        self._numbers: dict[int, int] = {0: 0}
        self._of_pattern = list(map(self._class_of, self._groups))
        self._first_sets = len(self._sets)
        self._merged: dict[tuple[int, int], int] = {}

    def groups(self, number: int) -> int:
        """The groups that class `number` stands for, as a bit set."""
        return self._sets[number]

    def classes(self, column: Sequence[Value]) -> Mapping[int, int]:
        """The classes of a column other than 0, by place."""
        if len(self._sets) > self._first_sets + CLASSES or len(self._merged) > 4 * CLASSES:
            self._start_over()
        if self._is_mixed:
            column = list(map(_text, column))
        if self._without_memo:
            self._without_memo -= 1
            return self._scan(column)
        return self._remembered(column)

    def _remembered(self, column: Sequence[Value]) -> Mapping[int, int]:
        memo = self._memo
        found = list(map(memo.__getitem__, column))
        new = memo.new
        if new:
            hits = self._scan(new)
            for place, number in hits.items():
                memo[new[place]] = number
            if hits:
                found = list(map(memo.__getitem__, column))
            self._bound(len(column))
        return {place: found[place] for place in compress(range(len(found)), found)}

    def _bound(self, size: int) -> None:
        """Keep the memo small, and do without it where it does not help."""
        memo = self._memo
        new, memo.new = memo.new, []
        memo.characters += self._scanned if new else 0
        if len(memo) > MEMO_VALUES or memo.characters > MEMO_CHARACTERS:
            self._memo = _Memo()
        if size > 16 and len(new) > _MISSES * size:
            self._without_memo = _PLAIN_BATCHES

    def _scan(self, values: Sequence[Value]) -> dict[int, int]:
        """The classes of those values that have one, by their place."""
        raw, lengths = _joined(values)
        self._scanned = len(raw)
        if self._lengths:
            lengths = list(lengths)
        hits = self._long(lengths) if self._lengths else {}
        starts: list[int] = []
        settled = 0
        for offset in range(0, len(raw), self._piece_bytes):
            end = offset + self._piece_bytes + self._longest
            if end <= settled:
                continue  # the value that it lies in is known to have everything
            matches = self._automaton.find_matches_as_indexes(raw[offset:end], overlapping=True)
            if not matches:
                continue
            starts = starts or list(accumulate((n + 1 for n in lengths), initial=1))
            if len(matches) > _DENSE:
                settled = self._settle(starts, offset, end, hits)
            else:
                self._note(matches, starts, offset, hits)
        return hits

    def _long(self, lengths: Iterable[int]) -> dict[int, int]:
        """The classes of values by their length in bytes, which is never less than that in characters."""
        least = self._lengths[0][0]
        return {
            place: self._class_of(functools.reduce(operator.or_, self._groups_of_length(length)))
            for place, length in enumerate(lengths)
            if length >= least
        }

    def _groups_of_length(self, length: int) -> Iterable[int]:
        return (1 << group for characters, group in self._lengths if characters <= length)

    def _settle(self, starts: Sequence[int], offset: int, end: int, hits: dict[int, int]) -> int:
        """Every value that reaches into a piece may have all groups; returns where the last of them ends."""
        first = max(0, bisect_right(starts, offset) - 1)
        last = min(len(starts) - 2, bisect_right(starts, end) - 1)
        hits.update(dict.fromkeys(range(first, last + 1), self._class_of(self._everything)))
        return starts[last + 1]

    def _note(
        self,
        matches: Iterable[tuple[int, int, int]],
        starts: Sequence[int],
        offset: int,
        hits: dict[int, int],
    ) -> None:
        """Add the groups of each match to the class of the value that it stands in."""
        anchored, of_pattern = self._anchored, self._of_pattern
        behind = len(starts) - 1
        for pattern, start, _ in matches:
            number = of_pattern[pattern]
            if number:
                place = bisect_right(starts, offset + start + anchored[pattern]) - 1
                if place == behind:  # an empty text is found behind the last value, too
                    continue
                known = hits.setdefault(place, number)
                if known != number:
                    hits[place] = self._merge(known, number)

    def _merge(self, one: int, other: int) -> int:
        """The class of what two classes stand for together."""
        number = self._merged.get((one, other))
        if number is None:
            number = self._class_of(self._sets[one] | self._sets[other])
            self._merged[one, other] = number
        return number

    def _class_of(self, groups: int) -> int:
        number = self._numbers.setdefault(groups, len(self._sets))
        if number == len(self._sets):
            self._sets.append(groups)
        return number


Automata = dict[tuple[bytes, ...], BytesAhoCorasick]
"""Automata by their patterns: a keyword is looked for in thirty fields, and in each family of operations."""


def _automaton(patterns: Sequence[bytes]) -> BytesAhoCorasick:
    dense = sum(map(len, patterns)) <= _TABLE_BYTES
    return BytesAhoCorasick(
        patterns,
        matchkind=MatchKind.Standard,
        implementation=Implementation.DFA if dense else Implementation.ContiguousNFA,
    )


def _nested(patterns: Sequence[bytes]) -> int:
    """How many patterns may end at one place."""
    known = set(patterns)
    return max((sum(p[at:] in known for at in range(len(p))) for p in known), default=1)


def anchored(text: str, *, starts: bool, ends: bool) -> str:
    """A literal as the automaton looks for it."""
    return f"{_SEPARATOR if starts else ''}{text}{_SEPARATOR if ends else ''}"


def _joined(values: Sequence[Value]) -> tuple[bytes, Iterable[int]]:
    """All values, folded, each between two NUL; and the length of each in bytes."""
    texts: list[str]
    try:
        joined = _SEPARATOR.join(["", *values, ""])  # type: ignore[list-item] # mostly texts; see below
        texts = values  # type: ignore[assignment] # they could be joined
    except TypeError:  # lists, numbers, and events that do not have the field
        texts = list(map(_text, values))
        joined = _SEPARATOR.join(["", *texts, ""])
    if joined.isascii():
        return joined.lower().encode("ascii"), map(len, texts)
    folded = [to_kernel(fold(text)) for text in texts]
    return b"\0".join([b"", *folded, b""]), map(len, folded)


def _text(value: Value) -> str:
    """A value as its text is scanned: members of a list are values of their own."""
    match value:
        case str():
            return value
        case None:
            return ""
        case tuple():
            return _SEPARATOR.join(map(_text, value))
        case _:
            return spelled(value)
