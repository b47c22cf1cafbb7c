"""Checks on one value of a field: each a function that is built once per rule.

What a text means otherwise (a number, an address, a moment) is read by functions that answer None for texts
that mean nothing of the kind. Reading an address or a date costs more than comparing it, and the same few
come again and again, so those are remembered, in bounded number.

Regular expressions are RE2's, compiled once. Bytes of a name that are no UTF-8 are shown to RE2 as U+FFFD,
one each, so that `.` matches them and no invalid byte hides a name from a rule.
"""

import functools
import ipaddress
import operator
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

import re2

from fileaudit_engine.compiler.ir import DatePart, InNetwork, Operator, Part
from fileaudit_engine.events.field import spelled
from fileaudit_engine.events.times import SECOND_NS, parse_rfc3339
from fileaudit_engine.text import fold

Scalar = str | int | bool
"""A field's value that is no list."""

TextCheck = Callable[[str], bool]
ScalarCheck = Callable[[Scalar], bool]

_NOT_UNICODE: Final = re.compile("[\ud800-\udfff]")
_NUMBER: Final = re.compile(r"([+-]?\d+)(\.0*)?|[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST_NUMBER: Final = 64
"""Characters; a longer text is no number, and converting it would cost quadratic time."""

_LARGEST_EXPONENT: Final = 400
"""Powers of ten of an exact number: no float has more, and each is a digit to compute with."""

_LONGEST_MOMENT: Final = 64
_LONGEST_ADDRESS: Final = 45
"""Characters of an IPv6 address that ends in an IPv4 one, every group in full."""

_REMEMBERED: Final = 16_384
"""Addresses and moments of which is known what they mean."""

_REGEX_MEMORY: Final = 8 << 20
"""RE2's budget per pattern, bytes: its own default, spelled out because it bounds what a rule can cost."""

_HOLDS: Final[dict[Operator, Callable[[float, float], bool]]] = {
    Operator.EQ: operator.eq,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
}


# --- texts -------------------------------------------------------------------------------------------------


def on_text(check: TextCheck, *, cased: bool) -> ScalarCheck:
    """The check on a value's text, folded unless case matters."""
    if cased:
        return lambda value: check(value if isinstance(value, str) else spelled(value))
    return lambda value: check(fold(value) if isinstance(value, str) else spelled(value))


def regex_options(flags: str) -> "re2.Options":
    """RE2's options for a rule's expression: case-sensitive and quiet unless flags say otherwise."""
    options = re2.Options()
    options.case_sensitive = "i" not in flags
    options.dot_nl = "s" in flags
    options.log_errors = False
    options.max_mem = _REGEX_MEMORY
    return options


def searches(expression: str, flags: str) -> ScalarCheck:
    """Whether the expression is found in the value's text."""
    source = f"(?m){expression}" if "m" in flags else expression
    compiled = re2.compile(source, regex_options(flags))

    def search(value: Scalar) -> bool:
        text = value if isinstance(value, str) else spelled(value)
        return compiled.search(text if text.isascii() else _NOT_UNICODE.sub("\ufffd", text)) is not None

    return search


# --- numbers and truth values ------------------------------------------------------------------------------


def compares(how: Operator, number: float) -> ScalarCheck:
    """Whether a value is a number, or a text that is one, for which the comparison holds."""
    holds = _HOLDS[how]

    def test(value: Scalar) -> bool:
        known = number_of(value)
        return known is not None and holds(known, number)

    return test


def number_of(value: Scalar) -> int | float | None:
    """The number that a value is or spells; a truth value is none.

    A whole number is exact however many digits it has. One that is too large for a float is infinite, which
    is the right answer to every comparison with a number that a rule can hold.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    found = _NUMBER.fullmatch(value) if len(value) <= _LONGEST_NUMBER else None
    if found is None:
        return None
    return int(found[1]) if found[1] else float(value)


def exact_number_of(value: object) -> int | Fraction | None:
    """The number that a value is or spells, exact; None for what is none or has hundreds of digits."""
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    if not isinstance(value, str) or len(value) > _LONGEST_NUMBER:
        return None
    found = _NUMBER.fullmatch(value)
    if found is None:
        return None
    if found[1]:
        return int(found[1])
    if found[5] and abs(int(found[5][1:])) > _LARGEST_EXPONENT:
        return None
    exact = Fraction(value)
    return exact.numerator if exact.denominator == 1 else exact


def is_boolean(wanted: bool) -> ScalarCheck:  # noqa: FBT001 - a rule's value
    """Whether a value is the truth value, or the text of it."""

    def test(value: Scalar) -> bool:
        if isinstance(value, str):
            value = _TRUTH.get(fold(value), 0)
        return value is wanted

    return test


_TRUTH: Final = {"true": True, "false": False}


# --- addresses ---------------------------------------------------------------------------------------------


def in_network(check: InNetwork) -> ScalarCheck:
    """Whether a value is an address of the network."""
    network = check.network

    def test(value: Scalar) -> bool:
        return isinstance(value, str) and any(address in network for address in addresses_of(value))

    return test


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def addresses_of(text: str) -> tuple[Address, ...]:
    """The addresses that a text is: none, one, or both of an IPv4-mapped one; a zone (`%eth0`) is cut off."""
    address, _, _ = text.partition("%")
    return _addresses(address) if 2 <= len(address) <= _LONGEST_ADDRESS else ()


@functools.lru_cache(maxsize=_REMEMBERED)
def _addresses(text: str) -> tuple[Address, ...]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ()
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (address, mapped) if mapped else (address,)


# --- moments -----------------------------------------------------------------------------------------------

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)

_PART: Final[dict[Part, Callable[[datetime], int]]] = {
    Part.MINUTE: lambda moment: moment.minute,
    Part.HOUR: lambda moment: moment.hour,
    Part.DAY: lambda moment: moment.day,
    Part.WEEK: lambda moment: moment.isocalendar()[1],
    Part.MONTH: lambda moment: moment.month,
    Part.YEAR: lambda moment: moment.year,
}


def date_part(check: DatePart) -> ScalarCheck:
    """Whether a part of the moment that a value names compares as asked."""
    zone, part, holds, number = _zone(check.zone), _PART[check.part], _HOLDS[check.operator], check.number

    def test(value: Scalar) -> bool:
        moment = _moment(value) if isinstance(value, str) and len(value) <= _LONGEST_MOMENT else None
        return moment is not None and holds(part(moment.astimezone(zone)), number)

    return test


def _zone(name: str) -> tzinfo:
    """The zone; UTC is known also where the host has no data of zones."""
    return timezone.utc if name == "UTC" else ZoneInfo(name)


@functools.lru_cache(maxsize=_REMEMBERED)
def _moment(text: str) -> datetime | None:
    """The moment that a text of RFC 3339 names, in UTC, to the second: no part is smaller."""
    try:
        return _EPOCH + timedelta(seconds=parse_rfc3339(text) // SECOND_NS)
    except ValueError:
        return None
