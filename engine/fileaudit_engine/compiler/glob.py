r"""Matching a text against a pattern of literals, `*` and `?`, in linear space and without back-tracking.

Between two `*` the leftmost fit of the run in between is always a safe choice, so one pass from left to
right decides. A literal run is found by `str.find`, one with `?` in it by a bit-parallel automaton: one step
for each character of the text, whatever rule and text hold.

Wildcards that stop at a slash break that choice: where `*/x` fits depends on what stands before. A pattern
without `**` is compared segment by segment, where nothing crosses a slash and `*` is the ordinary one; any
other runs as one automaton over the whole pattern.

Python's `re` is not used: `*a*a*a*a*b` is enough to stop it, and a rule or a file name may hold that.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Final

from fileaudit_engine.compiler.ir import Pattern, Wildcard
from fileaudit_engine.rules.values import PATH_WILDCARDS, joined

Glob = Callable[[str], bool]
"""Whether a whole text is described by a pattern."""

_Run = tuple[str | Wildcard, ...]
"""Literals and `?`, no `*`: has a fixed length."""

_AUTOMATON_BITS = 1 << 26
"""The largest automaton, 8 MB: a bit for each place in the run and each different character. A run that needs
more has some ten thousand characters, a thousand of them different: no file name, which ends at 4096."""

_Search = Callable[[str, int, int], int]
"""Finds a run between two positions of a text, leftmost; -1 where it is not."""


def compile_glob(pattern: Pattern) -> Glob:  # noqa: PLR0911 - one return a shape
    """A function that tells whether a text matches; the common shapes become one method call of `str`."""
    match pattern:
        case ():
            return lambda text: not text
        case (str(literal),):
            return lambda text: text == literal
        case (Wildcard.ANY,):
            return lambda _: True
        case (str(literal), Wildcard.ANY):
            return lambda text: text.startswith(literal)
        case (Wildcard.ANY, str(literal)):
            return lambda text: text.endswith(literal)
        case (Wildcard.ANY, str(literal), Wildcard.ANY):
            return lambda text: literal in text
        case _ if PATH_WILDCARDS.isdisjoint(pattern):
            return _general(pattern)
        case _ if Wildcard.ANY in pattern or Wildcard.ONE in pattern:
            return _automaton(pattern)
        case _:
            return _by_segment(pattern)


def _general(pattern: Pattern) -> Glob:
    first, *rest = _runs(pattern)
    if not rest:
        return lambda text: len(text) == _length(first) and _fits(first, text, 0)
    *middle, last = rest
    searches = [(_searcher(run), _length(run)) for run in middle if run]
    first_length, last_length = _length(first), _length(last)

    def matches(text: str) -> bool:
        end = len(text) - last_length
        if end < first_length or not _fits(first, text, 0) or not _fits(last, text, end):
            return False
        position = first_length
        for search, length in searches:
            position = search(text, position, end)
            if position < 0:
                return False
            position += length
        return True

    return matches


def _by_segment(pattern: Pattern) -> Glob:
    """For patterns of which no part crosses a slash: as many segments, each fitting its own."""
    segments: list[list[str | Wildcard]] = [[]]
    for token in pattern:
        if isinstance(token, str):
            first, *others = token.split("/")
            segments[-1].append(first)
            segments += [[part] for part in others]
        else:
            segments[-1].append(_WITHIN_SEGMENT[token])
    checks = [compile_glob(joined(segment)) for segment in segments]

    def matches(text: str) -> bool:
        parts = text.split("/") if text.count("/") == len(checks) - 1 else ()
        return bool(parts) and all(check(part) for check, part in zip(checks, parts, strict=True))

    return matches


_WITHIN_SEGMENT: Final = {Wildcard.SEGMENT: Wildcard.ANY, Wildcard.SEGMENT_ONE: Wildcard.ONE}


def _automaton(pattern: Pattern) -> Glob:
    """One step a character over the whole pattern, as a set of places in it.

    Bit *i* of `state` says that the first *i* tokens of one character each have been read. `*` and `**` are
    places that may be kept: with any character, or with any but a slash.
    """
    crossing, staying, length = 0, 0, 0
    run: list[str | Wildcard] = []
    for token in pattern:
        if token is Wildcard.ANY:
            crossing |= 1 << length
        elif token is Wildcard.SEGMENT:
            staying |= 1 << length
        else:
            run.append(token)
            length += len(token) if isinstance(token, str) else 1
    anything, fitting = _positions(tuple(run))
    final = 1 << length

    def matches(text: str) -> bool:
        state = 1
        for character in text:
            kept = crossing if character == "/" else crossing | staying
            state = (state & fitting.get(character, anything)) << 1 | state & kept
            if not state:
                return False
        return bool(state & final)

    return matches


def _runs(pattern: Pattern) -> list[_Run]:
    """The pattern, split at every `*`."""
    runs: list[list[str | Wildcard]] = [[]]
    for token in pattern:
        if token is Wildcard.ANY:
            runs.append([])
        else:
            runs[-1].append(token)
    return [tuple(run) for run in runs]


def _length(run: _Run) -> int:
    return sum(len(token) if isinstance(token, str) else 1 for token in run)


def _fits(run: _Run, text: str, position: int) -> bool:
    """Whether a run stands at a position of a text that is long enough for it."""
    for token in run:
        if isinstance(token, str):
            if not text.startswith(token, position):
                return False
            position += len(token)
        else:
            position += 1
    return True


def _searcher(run: _Run) -> _Search:
    if len(run) == 1 and isinstance(run[0], str):
        return lambda text, start, end: text.find(run[0], start, end)  # type: ignore[arg-type]  # checked above
    different = len(set("".join(token for token in run if isinstance(token, str))))
    return _shift_and(run) if different * _length(run) <= _AUTOMATON_BITS else _place_by_place(run)


def _place_by_place(run: _Run) -> _Search:
    length = _length(run)

    def search(text: str, start: int, end: int) -> int:
        return next((i for i in range(start, end - length + 1) if _fits(run, text, i)), -1)

    return search


def _shift_and(run: _Run) -> _Search:
    """The search for a run with `?` in it: one step a character, however often the run nearly fits.

    Bit *i* of `state` says that the first *i* + 1 characters of the run end at this character of the text.
    """
    length = _length(run)
    final = 1 << (length - 1)
    anything, fitting = _positions(run)

    def search(text: str, start: int, end: int) -> int:
        state = 0
        for index in range(start, end):
            state = (state << 1 | 1) & fitting.get(text[index], anything)
            if state & final:
                return index - length + 1
        return -1

    return search


def _positions(run: _Run) -> tuple[int, dict[str, int]]:
    """Where in the run any character fits, and where each of its own characters does, as bit sets."""
    anything, no_slash, own, position = 0, 0, defaultdict[str, int](int), 0
    for token in run:
        if isinstance(token, str):
            for offset, character in enumerate(token, position):
                own[character] |= 1 << offset
        elif token is Wildcard.SEGMENT_ONE:
            no_slash |= 1 << position
        else:
            anything |= 1 << position
        position += len(token) if isinstance(token, str) else 1
    found = {character: bits | anything | no_slash for character, bits in own.items()}
    found["/"] = own["/"] | anything
    return anything | no_slash, found
