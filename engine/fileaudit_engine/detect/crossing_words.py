"""What a correlation has seen, in words, as its alerts tell it.

    57 events
    12 different files
    the sum of Bytes is 1,234,567 over 12 events
    shadow_read, then shadow_write

Names of rules and fields, and the values of groups, are printable (`text.printable`): these words stand in
messages, which are one line.
"""

from collections.abc import Mapping
from typing import Final

from fileaudit_engine.compiler.correlation_wording import asked, different, listed, measure, number
from fileaudit_engine.detect.crossing import Crossing, Number
from fileaudit_engine.events.field import Value, spelled
from fileaudit_engine.rules.ast import Correlation
from fileaudit_engine.rules.ast import CorrelationType as Type
from fileaudit_engine.text import counted, printable

LONGEST_VALUE: Final = 200
"""Characters of a group's value in a sentence; the whole value stands beside it in the document."""

_BEYOND_64_BITS: Final = 1 << 63
_LARGEST: Final = 1.7976931348623157e308
"""Of all doubles."""


def wanted(correlation: Correlation) -> str:
    """What it waits for."""
    return printable(asked(correlation))


def seen(crossing: Crossing) -> str:
    """What it has seen, or what it may have missed."""
    correlation, value = crossing.correlation.rule, crossing.value
    if crossing.suspected:
        return f"not seen, but possible since events were lost: {wanted(correlation)}"
    if value is None or correlation.condition is not None:
        return wanted(correlation)
    return printable(_numbered(correlation, value, crossing.total))


def _numbered(correlation: Correlation, value: Number, total: int) -> str:
    match correlation.type:
        case Type.EVENT_COUNT:
            return f"{number(value)} event{'' if value == 1 else 's'}"
        case Type.VALUE_COUNT if value == 1:
            return f"1 {different(correlation, one=True).removeprefix('different ')}"
        case Type.VALUE_COUNT:
            return f"{number(value)} {measure(correlation)}"
        case Type.TEMPORAL | Type.TEMPORAL_ORDERED:
            return _together(correlation, value)
        case Type.VALUE_PERCENTILE if correlation.percentile is None:
            of = " and ".join(correlation.value_fields)
            return f"the newest value of {of} makes {number(value)} % of {counted(total, 'event')}"
        case _:
            return f"{measure(correlation)} is {number(value)} over {counted(total, 'event')}"


def _together(correlation: Correlation, value: Number) -> str:
    """What came together in time."""
    ordered, sources = correlation.type is Type.TEMPORAL_ORDERED, correlation.sources
    if value == len(sources):
        return ", then ".join(sources) if ordered else listed(sources)
    return f"{number(value)} of {', '.join(sources)}{' in this order' if ordered else ''}"


def together(group: Mapping[str, Value]) -> str:
    """What the events have in common; empty where they need not have anything."""
    return ", ".join(shared(name, None if value is None else spelled(value)) for name, value in group.items())


def shared(name: str, value: str | None) -> str:
    """One value that the events have in common: `ProcessId 4242`, `no User`."""
    if value is None:
        return f"no {printable(name)}"
    shown = printable(value[:LONGEST_VALUE]) or "''"
    return f"{printable(name)} {shown}{'…' if len(value) > LONGEST_VALUE else ''}"


def as_json(value: Number) -> int | float:
    """A number as every reader of JSON takes it.

    Whole ones are exact as far as 64 bits go, others are the nearest double. What is beyond all doubles is
    the largest one: a place in an index holds numbers or words, not both.
    """
    if value.denominator == 1 and -_BEYOND_64_BITS < value < _BEYOND_64_BITS:
        return value.numerator
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return _LARGEST if value > 0 else -_LARGEST
