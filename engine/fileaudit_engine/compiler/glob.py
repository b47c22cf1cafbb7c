r"""Matching a text against a pattern of literals, `*` and `?`, in linear space and without back-tracking.

Between two `*` the leftmost fit of the run in between is always a safe choice, so one pass from left to
right decides; the worst case is the length of the text times the longest run with `?` in it, never a power.
Python's `re` is not used: `*a*a*a*a*b` is enough to stop it, and a rule or a file name may hold that.
"""

from collections.abc import Callable

from fileaudit_engine.compiler.ir import Pattern, Wildcard

Glob = Callable[[str], bool]
"""Whether a whole text is described by a pattern."""

_Run = tuple[str | Wildcard, ...]
"""Literals and `?`, no `*`: has a fixed length."""


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
        case _:
            return _general(pattern)


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


def _runs(pattern: Pattern) -> list[_Run]:
    """The pattern, split at every `*`."""
    runs: list[_Run] = [()]
    for token in pattern:
        if token is Wildcard.ANY:
            runs.append(())
        else:
            runs[-1] = (*runs[-1], token)
    return runs


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


def _searcher(run: _Run) -> Callable[[str, int, int], int]:
    """A function that finds a run between two positions, leftmost; -1 where it is not."""
    if len(run) == 1 and isinstance(run[0], str):
        return lambda text, start, end: text.find(run[0], start, end)  # type: ignore[arg-type]  # checked above
    length = _length(run)

    def search(text: str, start: int, end: int) -> int:
        return next((i for i in range(start, end - length + 1) if _fits(run, text, i)), -1)

    return search
