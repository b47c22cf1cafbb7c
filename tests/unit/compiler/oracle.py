"""Evaluation said plainly: slow, recursive, and right by being read.

Nothing here is shared with `detect/evaluate.py` but the field table and the folding of case.
"""

import datetime as dt
import ipaddress
import itertools
import operator
import re
import zoneinfo

from typing_extensions import assert_never

from fileaudit_engine.compiler.ir import (
    All,
    AnyOf,
    Check,
    Compares,
    DatePart,
    EqualsBoolean,
    EqualsNumber,
    InNetwork,
    IsNull,
    Matches,
    Negation,
    Operator,
    Part,
    Pattern,
    Predicate,
    SameAs,
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
    if isinstance(test.check, SameAs):
        other = test.check.other.get(event)
        others = other if isinstance(other, tuple) else () if other is None else (other,)
        return True in [_related(test.check, one, two) for one in members for two in others]
    return True in [check_holds(test.check, member) for member in members]


def _related(check: SameAs, one: str | int | bool, two: str | int | bool) -> bool:  # noqa: FBT001 - values
    prepare = str if check.cased else fold
    mine, theirs = prepare(_text(one)), prepare(_text(two))
    match check.how:
        case "startswith":
            return mine.startswith(theirs)
        case "endswith":
            return mine.endswith(theirs)
        case "contains":
            return theirs in mine
        case "whole" if int in {type(one), type(two)}:
            return not {type(one), type(two)} & {bool} and _as_number(one) == _as_number(two)
        case "whole":
            return mine == theirs
        case _ as never:
            assert_never(never)


def check_holds(  # noqa: PLR0911 - one return a check
    check: Check,
    value: str | int | bool,  # noqa: FBT001 - a field's value
) -> bool:
    """Whether one value, which is there, passes a check."""
    match check:
        case Matches(pattern=pattern, cased=cased):
            return glob_holds(pattern, _text(value) if cased else fold(_text(value)))
        case Searches(expression=expression, flags=flags):
            return re.search(expression, _text(value), sum(_FLAGS[flag] for flag in flags)) is not None
        case EqualsNumber(number=number):
            return not isinstance(value, bool) and _as_number(value) == number
        case Compares(operator=how, number=number):
            found = None if isinstance(value, bool) else _as_number(value)
            return found is not None and _ORDER[how](found, number)
        case InNetwork(network=network):
            return isinstance(value, str) and _in_network(value, network)
        case DatePart(part=part, operator=how, number=number, zone=zone):
            moment = _moment(value) if isinstance(value, str) else None
            return moment is not None and _ORDER[how](
                _part(moment.astimezone(zoneinfo.ZoneInfo(zone)), part), number
            )
        case SameAs():
            raise AssertionError("another field's value is not at hand here")
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
        elif token is Wildcard.SEGMENT:
            for end in range(len(text)):
                described[end + 1] = described[end + 1] or (described[end] and text[end] != "/")
        else:
            described = [False] + [described[end] and _fits(token, text[end]) for end in range(len(text))]
    return described[-1]


def _fits(token: str | Wildcard, character: str) -> bool:
    return token in {Wildcard.ONE, character} or (token is Wildcard.SEGMENT_ONE and character != "/")


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
    if len(value) > 64 or not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", value):
        return None
    return int(value.split(".")[0]) if re.fullmatch(r"[+-]?[0-9]+(\.0*)?", value) else float(value)


_ORDER = {
    Operator.EQ: operator.eq,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
}


def _in_network(text: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address in network or (mapped is not None and mapped in network)


def _moment(text: str) -> dt.datetime | None:
    """Python reads six digits of a second, and RFC 3339 knows nine."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", text)
    if found is None:
        return None
    zone = "+00:00" if found[4] in "zZ" else found[4]
    try:
        return dt.datetime.fromisoformat(f"{found[1]}T{found[2]}{zone}")
    except ValueError:
        return None


def _part(moment: dt.datetime, part: Part) -> int:
    return moment.isocalendar()[1] if part is Part.WEEK else int(getattr(moment, part.value))
