"""What one test of a rule leaves the kernel to check.

A test of a field with few values (operation, access mode, outcome) is decided for each of them, and so is
its negation. Of a path the kernel compares the literal text at both ends and whole directory names, ASCII
only; of who does it, whole names and numbers.
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from fileaudit_engine.compiler.allowed import Constraint, OneOf, T, one_of
from fileaudit_engine.compiler.caller import comm_of, named_user_of, number_of, user_of
from fileaudit_engine.compiler.clause import END, KEY_BYTES, Clause
from fileaudit_engine.compiler.glob import compile_glob
from fileaudit_engine.compiler.ir import Check, Matches, Pattern, Test
from fileaudit_engine.events.fields import Dimension
from fileaudit_engine.events.model import AccessMode, Operation, Outcome
from fileaudit_engine.text import fold, to_kernel

_COMMONPLACE: Final = frozenset(
    b".cache .config .local bin config data dev etc home include lib lib64 local log opt proc"
    b" python3 root run sbin share site-packages src sys tmp user usr var".split()
)
"""Components of very many paths: the kernel asks for another one if a literal has one."""


def of_test(test: Test, *, negated: bool) -> Clause:
    """The clause that accepts what passes a test, or, negated, what does not."""
    match test.field.dimension:
        case None:
            return Clause()
        case Dimension.OPERATION | Dimension.ACCESS | Dimension.OUTCOME as dimension:
            return _of_few(dimension, test.check, negated) if isinstance(test.check, Matches) else Clause()
        case dimension:
            return Clause() if negated else _of_many(dimension, test.check)


@functools.lru_cache(maxsize=1024)
def _of_few(dimension: Dimension, check: Matches, negated: bool) -> Clause:  # noqa: FBT001 - a cache takes no keywords
    """What a test of a field with few values leaves; rules ask the same few things over and over."""
    if dimension is Dimension.OPERATION:
        return Clause(operation=_among(Operation, lambda o: (o.value,), check, negated=negated))
    if dimension is Dimension.OUTCOME:
        return Clause(outcome=_among(Outcome, lambda o: (o.value,), check, negated=negated))
    modes = (*AccessMode, None)
    return Clause(access=_among(modes, lambda m: m.modes if m else (), check, negated=negated))


def _of_many(dimension: Dimension, check: Check) -> Clause:
    """What a test of a field leaves whose values nobody can count."""
    match dimension:
        case Dimension.PATH | Dimension.SOURCE:
            names = frozenset({dimension})
            return replace(_of_path(check.pattern), names=names) if isinstance(check, Matches) else Clause()
        case Dimension.USER_ID:
            return Clause(user=user_of(check))
        case Dimension.USER_NAME:
            return Clause(user=named_user_of(check))
        case Dimension.PROCESS:
            return Clause(pid=number_of(check))
        case Dimension.COMM:
            return Clause(comm=comm_of(check))
        case _:
            raise AssertionError(f"{dimension} has few values")


def _among(
    domain: Iterable[T], texts: Callable[[T], tuple[str, ...]], check: Matches, *, negated: bool
) -> Constraint[T]:
    """Those of the few possible values that pass the check (or, negated, do not)."""
    passes = compile_glob(check.pattern)
    prepare = str if check.cased else fold
    return one_of(value for value in domain if any(passes(prepare(t)) for t in texts(value)) is not negated)


def _of_path(pattern: Pattern) -> Clause:
    if not pattern:
        return Clause()
    clause = Clause()
    first, last = pattern[0], pattern[-1]
    if isinstance(first, str) and (literal := _beginning(first, whole=len(pattern) == 1)) not in {b"", b"/"}:
        clause = replace(clause, prefix=OneOf(frozenset({literal})))
    if isinstance(last, str) and (literal := _ending(last)):
        clause = replace(clause, suffix=OneOf(frozenset({literal})))
    inner = (run for run in pattern[1:-1] if isinstance(run, str))
    components = [component for run in inner for component in whole_components(run)]
    if components:
        clause = replace(clause, component=OneOf(frozenset({max(components, key=_rarity)})))
    return clause


def _rarity(component: bytes) -> tuple[bool, int]:
    """Sorts components by how few paths they are likely to stand in."""
    return component not in _COMMONPLACE, len(component)


def _beginning(literal: str, *, whole: bool) -> bytes:
    """What the kernel can compare of a path's beginning: ASCII, lower-cased, bounded; `END` if `whole`."""
    raw = to_kernel(literal)
    length = next((i for i, byte in enumerate(raw) if _is_foreign(byte)), len(raw))
    if whole and length == len(raw) < KEY_BYTES:
        return raw.lower() + END
    return raw[: min(length, KEY_BYTES)].lower()


def _ending(literal: str) -> bytes:
    """What the kernel can compare of how a path ends."""
    raw = to_kernel(literal)
    start = next((i + 1 for i in range(len(raw) - 1, -1, -1) if _is_foreign(raw[i])), 0)
    return raw[max(start, len(raw) - KEY_BYTES) :].lower()


def _is_foreign(byte: int) -> bool:
    """Outside ASCII, or NUL, which no path has and which stands for its end."""
    return byte >= 0x80 or byte == 0


def whole_components(literal: str) -> list[bytes]:
    """The texts that stand between two slashes within a literal, ASCII ones only."""
    return [part.lower().encode() for part in literal.split("/")[1:-1] if part and part.isascii()]
