"""Evaluation said plainly: slow, recursive, and right by being read.

Nothing here is shared with `detect/evaluate.py` but the field table and the folding of case.
"""

import itertools
import operator
import re

from typing_extensions import assert_never

from fileaudit_engine.compiler.ir import (
    All,
    AnyOf,
    Check,
    EqualsBoolean,
    EqualsNumber,
    IsNull,
    Matches,
    Negation,
    Pattern,
    Predicate,
    Searches,
    Test,
    Wildcard,
)
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.text import fold

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}


def holds(predicate: Predicate, event: FileEvent) -> bool:
    """Whether an event satisfies a predicate."""
    match predicate:
        case Test():
            return _test_holds(predicate, event)
        case Negation(operand=operand):
            return not holds(operand, event)
        case All(operands=operands):
            return False not in [holds(operand, event) for operand in operands]
        case AnyOf(operands=operands):
            return True in [holds(operand, event) for operand in operands]
        case _ as never:
            assert_never(never)


def _test_holds(test: Test, event: FileEvent) -> bool:
    value = test.field.get(event)
    if value is None:
        return isinstance(test.check, IsNull)
    members = value if isinstance(value, tuple) else (value,)
    return True in [check_holds(test.check, member) for member in members]


def check_holds(check: Check, value: str | int | bool) -> bool:  # noqa: FBT001 - a field's value
    """Whether one value, which is there, passes a check."""
    match check:
        case Matches(pattern=pattern, cased=cased):
            return glob_holds(pattern, _text(value) if cased else fold(_text(value)))
        case Searches(expression=expression, flags=flags):
            return re.search(expression, _text(value), sum(_FLAGS[flag] for flag in flags)) is not None
        case EqualsNumber(number=number):
            return not isinstance(value, bool) and _as_number(value) == number
        case EqualsBoolean(value=wanted):
            return _text(value).lower() == str(wanted).lower() and type(value) is not int
        case IsNull():
            return False
        case _ as never:
            assert_never(never)


def glob_holds(pattern: Pattern, text: str) -> bool:
    """The textbook's matcher: which beginnings of the text are described by the tokens so far."""
    described = [True] + [False] * len(text)
    for token in _one_by_one(pattern):
        if token is Wildcard.ANY:
            described = list(itertools.accumulate(described, operator.or_))  # and whatever follows
        else:
            described = [False] + [
                described[end] and (token is Wildcard.ONE or token == text[end]) for end in range(len(text))
            ]
    return described[-1]


def _one_by_one(pattern: Pattern) -> list[str | Wildcard]:
    """Wildcards and single characters."""
    return [part for token in pattern for part in (token if isinstance(token, str) else (token,))]


def _text(value: str | int | bool) -> str:  # noqa: FBT001 - a field's value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _as_number(value: str | int) -> float | int | None:
    if isinstance(value, int):
        return value
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", value):
        return None
    return int(value) if re.fullmatch(r"[+-]?[0-9]+", value) else float(value)
