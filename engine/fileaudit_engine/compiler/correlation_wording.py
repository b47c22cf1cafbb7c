"""What a correlation asks, in words: the same ones in explanations, in test reports and in alerts.

Keys and field names are as they are in the rules; escaping them is the business of whoever prints them.
"""

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.rules.ast import (
    And,
    Comparator,
    Comparison,
    Condition,
    Correlation,
    CorrelationType,
    Identifier,
    Not,
    Or,
    Quantified,
)

_COUNTS: Final = {
    Comparator.GT: "more than",
    Comparator.GTE: "at least",
    Comparator.LT: "fewer than",
    Comparator.LTE: "at most",
    Comparator.EQ: "exactly",
    Comparator.NEQ: "not exactly",
}
_AMOUNTS: Final = {
    Comparator.GT: "greater than",
    Comparator.GTE: "at least",
    Comparator.LT: "less than",
    Comparator.LTE: "at most",
    Comparator.EQ: "exactly",
    Comparator.NEQ: "not",
}
_THINGS: Final = {
    "TargetFilename": "file",
    "FileDirectory": "folder",
    "Image": "program",
    "ProcessId": "process",
    "ParentProcessId": "parent process",
    "User": "user",
    "UserId": "user",
    "LoginUser": "login user",
    "ContainerId": "container",
    "Hostname": "host",
}
"""What fields tell apart, in a word."""

_MOST_DIGITS: Final = 15
"""Numbers with more are told by their size: a sum of texts from events may have thousands of digits."""


def asked(correlation: Correlation) -> str:
    """What must be in the window: `at least 50 different files`."""
    fields = " and ".join(correlation.value_fields)
    bounds = correlation.comparisons
    match correlation.type:
        case CorrelationType.EVENT_COUNT:
            return f"{_compared(_COUNTS, bounds)} {_noun('event', bounds)}"
        case CorrelationType.VALUE_COUNT:
            one = len(bounds) == 1 and bounds[0].number == 1
            return f"{_compared(_COUNTS, bounds)} {different(correlation, one=one)}"
        case CorrelationType.TEMPORAL | CorrelationType.TEMPORAL_ORDERED:
            return _together(correlation)
        case CorrelationType.VALUE_PERCENTILE if correlation.percentile is None:
            return f"the newest value of {fields} makes {_compared(_AMOUNTS, bounds)} % of the events"
        case (
            CorrelationType.VALUE_SUM
            | CorrelationType.VALUE_AVG
            | CorrelationType.VALUE_MEDIAN
            | CorrelationType.VALUE_PERCENTILE
        ):
            return f"{measure(correlation)} is {_compared(_AMOUNTS, bounds)}"
        case _ as never:
            assert_never(never)


def measure(correlation: Correlation) -> str:  # noqa: PLR0911 - one return a type
    """What is counted or computed: `different files`, `the sum of FileSize`."""
    fields = " and ".join(correlation.value_fields)
    match correlation.type:
        case CorrelationType.EVENT_COUNT:
            return "events"
        case CorrelationType.VALUE_COUNT:
            return different(correlation)
        case CorrelationType.TEMPORAL:
            return "rules"
        case CorrelationType.TEMPORAL_ORDERED:
            return "rules in their order"
        case CorrelationType.VALUE_SUM:
            return f"the sum of {fields}"
        case CorrelationType.VALUE_AVG:
            return f"the average of {fields}"
        case CorrelationType.VALUE_MEDIAN:
            return f"the median of {fields}"
        case CorrelationType.VALUE_PERCENTILE if correlation.percentile is None:
            return f"the share of the newest value of {fields}, in %"
        case CorrelationType.VALUE_PERCENTILE:
            return f"percentile {number(correlation.percentile)} of {fields}"
        case _ as never:
            assert_never(never)


def different(correlation: Correlation, *, one: bool = False) -> str:
    """What of a `value_count` there are different ones, in the plural unless there is `one`.

    `different files` where the field has a word, else `different values of Errno`.
    """
    fields = correlation.value_fields
    row = BY_NAME.get(fields[0]) if len(fields) == 1 else None
    word = _THINGS.get(row.name) if row else None
    if word:
        return f"different {word if one else _plural(word)}"
    what = "value" if len(fields) == 1 else "combination"
    return f"different {what}{'' if one else 's'} of {' and '.join(fields)}"


def _plural(word: str) -> str:
    return f"{word}es" if word.endswith("s") else f"{word}s"


def number(value: int | Fraction) -> str:
    """A number for people: whole ones exactly, others to six digits, very large ones by their size."""
    numerator, denominator = abs(value.numerator), value.denominator
    sign = "-" if value < 0 else ""
    if numerator // denominator >= 10**_MOST_DIGITS:
        return f"{sign}10^{math.log10(numerator) - math.log10(denominator):.1f}"
    if denominator == 1:
        return f"{sign}{numerator:,}"
    return f"{sign}{numerator / denominator:,.6g}"


def listed(names: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    return f" {last} ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _compared(words: dict[Comparator, str], comparisons: Sequence[Comparison]) -> str:
    return " and ".join(f"{words[one.comparator]} {number(one.number)}" for one in comparisons)


def _noun(noun: str, comparisons: Sequence[Comparison]) -> str:
    return noun if len(comparisons) == 1 and comparisons[0].number == 1 else f"{noun}s"


def _together(correlation: Correlation) -> str:
    """What the types in time ask for."""
    ordered = correlation.type is CorrelationType.TEMPORAL_ORDERED
    sources = correlation.sources
    if correlation.condition is not None:
        return _in_order(correlation.condition, sources) if ordered else conditional(correlation.condition)
    if correlation.comparisons:
        order = " in this order" if ordered else ""
        return f"{_compared(_COUNTS, correlation.comparisons)} of {', '.join(sources)}{order}"
    if ordered:
        return ", then ".join(sources)
    return listed(sources)


def _in_order(condition: Condition, sources: Sequence[str]) -> str:
    """A condition over rules in the order of `sources`: `a, then b or c`, where it is that simple."""
    places = _places(condition)
    order = {name: number for number, name in enumerate(sources)}
    if places is not None:
        numbered = sorted(sorted({order[name] for name in place}) for place in places)
        if all(before[-1] < after[0] for before, after in itertools.pairwise(numbered)):
            return ", then ".join(listed([sources[number] for number in place], "or") for place in numbered)
    return f"{conditional(condition)}, in the order {', '.join(sources)}"


def _places(condition: Condition) -> list[tuple[str, ...]] | None:
    """The alternatives for each of the rules that have to come; None where there is more to it."""
    match condition:
        case Identifier(name=name):
            return [(name,)]
        case And(operands=operands):
            places = [_places(operand) for operand in operands]
            return None if None in places else [one for some in places for one in some or ()]
        case Or(operands=operands):
            places = [_places(operand) for operand in operands]
            alternatives = [some[0] for some in places if some is not None and len(some) == 1]
            whole = len(alternatives) == len(places)
            return [tuple(itertools.chain.from_iterable(alternatives))] if whole else None
        case Not() | Quantified():
            return None
        case _ as never:
            assert_never(never)


def conditional(condition: Condition) -> str:
    """A condition over rules as one would write it, with brackets where they are needed."""
    match condition:
        case Identifier(name=name):
            return name
        case Quantified(every=every, names=names):
            return f"{'all' if every else 'any'} of {', '.join(names)}"
        case Not(operand=operand):
            return f"not {_bracketed(operand)}"
        case And(operands=operands):
            return " and ".join(map(_bracketed, operands))
        case Or(operands=operands):
            return " or ".join(map(_bracketed, operands))
        case _ as never:
            assert_never(never)


def _bracketed(condition: Condition) -> str:
    text = conditional(condition)
    return f"({text})" if isinstance(condition, And | Or) else text
