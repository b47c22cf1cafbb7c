"""From a predicate to a function: what user space runs on the events that survived the filter.

Functions are built once per rule from closures. Alternatives on one field are one closure: texts that must
be equal become a set, beginnings and endings become tuples that `str` tests in one call. A field's text is
folded once per group, not once per value.

Regular expressions are RE2's, compiled once. Bytes of a name that are no UTF-8 are shown to RE2 as U+FFFD,
one each, so that `.` matches them and no invalid byte hides a name from a rule.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import re2
from typing_extensions import assert_never

from fileaudit_engine.compiler.glob import compile_glob
from fileaudit_engine.compiler.ir import (
    All,
    AnyOf,
    Check,
    EqualsBoolean,
    EqualsNumber,
    IsNull,
    Matches,
    Negation,
    Predicate,
    Searches,
    Test,
    Wildcard,
)
from fileaudit_engine.events.fields import Field, Value
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.text import fold

Matcher = Callable[[FileEvent], bool]
"""Whether an event satisfies a predicate."""

_TextCheck = Callable[[str], bool]
_ScalarCheck = Callable[[str | int | bool], bool]

_NOT_UNICODE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_REGEX_MEMORY = 8 << 20
"""RE2's budget per pattern, bytes: its own default, spelled out because it bounds what a rule can cost."""


def matcher(predicate: Predicate) -> Matcher:
    """A function that evaluates the predicate."""
    match predicate:
        case Test():
            return _of_field(predicate.field, _scalar_check(predicate.check))
        case Negation(operand=operand):
            inner = matcher(operand)
            return lambda event: not inner(event)
        case All(operands=operands):
            return _conjunction([matcher(operand) for operand in operands])
        case AnyOf(operands=operands):
            return _disjunction(_alternatives(operands))
        case _ as never:
            assert_never(never)


def _conjunction(parts: Sequence[Matcher]) -> Matcher:
    match parts:
        case [a, b]:
            return lambda event: a(event) and b(event)
        case [a, b, c]:
            return lambda event: a(event) and b(event) and c(event)
        case _:
            return lambda event: all(part(event) for part in parts)


def _disjunction(parts: Sequence[Matcher]) -> Matcher:
    match parts:
        case [a]:
            return a
        case [a, b]:
            return lambda event: a(event) or b(event)
        case _:
            return lambda event: any(part(event) for part in parts)


def _alternatives(operands: Sequence[Predicate]) -> list[Matcher]:
    """One matcher for all text tests of a field, one for each other operand."""
    grouped: dict[tuple[str, bool], list[Test]] = defaultdict(list)
    others: list[Matcher] = []
    for operand in operands:
        if isinstance(operand, Test) and isinstance(operand.check, Matches):
            grouped[operand.field.name, operand.check.cased].append(operand)
        else:
            others.append(matcher(operand))
    groups = [
        _of_field(tests[0].field, _on_text(_any_text([_matches(test) for test in tests]), cased=cased))
        for (_, cased), tests in grouped.items()
    ]
    return groups + others


def _matches(test: Test) -> Matches:
    assert isinstance(test.check, Matches)  # noqa: S101 - the caller has grouped them by this
    return test.check


def _any_text(checks: Iterable[Matches]) -> _TextCheck:
    """Whether a text fits any of the patterns; the common shapes together in one call each."""
    equal: set[str] = set()
    beginnings: list[str] = []
    endings: list[str] = []
    others: list[_TextCheck] = []
    for check in checks:
        match check.pattern:
            case (str(literal),):
                equal.add(literal)
            case (str(literal), Wildcard.ANY):
                beginnings.append(literal)
            case (Wildcard.ANY, str(literal)):
                endings.append(literal)
            case pattern:
                others.append(compile_glob(pattern))
    return _first_of(frozenset(equal), tuple(beginnings), tuple(endings), tuple(others))


def _first_of(
    equal: frozenset[str],
    beginnings: tuple[str, ...],
    endings: tuple[str, ...],
    others: tuple[_TextCheck, ...],
) -> _TextCheck:
    shapes: list[_TextCheck] = []
    if equal:
        shapes.append(equal.__contains__)
    if beginnings:
        shapes.append(lambda text: text.startswith(beginnings))
    if endings:
        shapes.append(lambda text: text.endswith(endings))
    shapes += others
    if len(shapes) == 1:
        return shapes[0]
    return lambda text: any(shape(text) for shape in shapes)


def _of_field(field: Field, check: _ScalarCheck | None) -> Matcher:
    """The check on a field's value, or on any member of a list; None asks for absence."""
    get: Callable[[FileEvent], Value] = field.get
    if check is None:
        return lambda event: get(event) is None

    def test(event: FileEvent) -> bool:
        value = get(event)
        if value is None:
            return False
        if isinstance(value, tuple):
            return any(map(check, value))
        return check(value)

    return test


def _scalar_check(check: Check) -> _ScalarCheck | None:
    match check:
        case Matches(cased=cased):
            return _on_text(_any_text([check]), cased=cased)
        case Searches(expression=expression, flags=flags):
            return _search(expression, flags)
        case EqualsNumber(number=number):
            return lambda value: _number(value) == number
        case EqualsBoolean(value=wanted):
            return lambda value: _boolean(value) is wanted
        case IsNull():
            return None
        case _ as never:
            assert_never(never)


def _on_text(check: _TextCheck, *, cased: bool) -> _ScalarCheck:
    if cased:
        return lambda value: check(value if isinstance(value, str) else _spelled(value))
    return lambda value: check(fold(value) if isinstance(value, str) else _spelled(value))


def _spelled(value: int | bool) -> str:  # noqa: FBT001 - a field's value
    """A number or truth value as a rule writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: str | int | bool) -> int | float | None:  # noqa: FBT001 - a field's value
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if len(value) > 64 or not _NUMBER.fullmatch(value):
        return None
    return int(value) if value.lstrip("+-").isdecimal() else float(value)


def _boolean(value: str | int | bool) -> bool | None:  # noqa: FBT001 - a field's value
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(fold(value)) if isinstance(value, str) else None


def regex_options(flags: str) -> "re2.Options":
    """RE2's options for a rule's expression: case-sensitive and quiet unless flags say otherwise."""
    options = re2.Options()
    options.case_sensitive = "i" not in flags
    options.dot_nl = "s" in flags
    options.log_errors = False
    options.max_mem = _REGEX_MEMORY
    return options


def _search(expression: str, flags: str) -> _ScalarCheck:
    source = f"(?m){expression}" if "m" in flags else expression
    compiled = re2.compile(source, regex_options(flags))

    def search(value: str | int | bool) -> bool:  # noqa: FBT001 - a field's value
        text = value if isinstance(value, str) else _spelled(value)
        return compiled.search(text if text.isascii() else _NOT_UNICODE.sub("\ufffd", text)) is not None

    return search
