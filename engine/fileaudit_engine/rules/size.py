"""What a document asks of one event, counted before anything is compiled.

A few bytes can ask for a lot: an alias repeats a list of values, a pattern of names selects a thousand
detections, and a list repeats that condition. The compiler spells all of it out, a check for each value of
each detection for each time that a condition names it. So the checks are counted here, and bounded.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.rules.ast import (
    And,
    Condition,
    Detection,
    DetectionItem,
    DetectionList,
    DetectionMap,
    Identifier,
    Not,
    Or,
    Quantified,
)

MAX_CHECKS: Final = 100_000
"""Checks of one document. Compiling so many takes some seconds and 100 MB; the largest rules of a pack that
people wrote have a few hundred."""

MAX_CHECKS_OF_FILE: Final = 500_000
"""Checks of all documents of one file: more than a file full of values has without repeating any."""


def checks(conditions: Iterable[Condition], sizes: Mapping[str, int]) -> int:
    """The checks that conditions over detections of these sizes amount to, once spelled out."""
    named: Counter[str] = Counter()
    for condition in conditions:
        _count(condition, named)
    return sum(times * sizes.get(name, 0) for name, times in named.items())


def _count(condition: Condition, named: Counter[str]) -> None:
    match condition:
        case Identifier(name=name):
            named[name] += 1
        case Quantified(names=names):
            named.update(names)
        case Not(operand=operand):
            _count(operand, named)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                _count(operand, named)
        case _ as never:
            assert_never(never)


def values(detection: Detection) -> int:
    """The values of a detection, as written."""
    match detection:
        case DetectionItem(values=written):
            return len(written)
        case DetectionMap(items=items):
            return sum(map(values, items))
        case DetectionList(members=members):
            return sum(map(values, members))
        case _ as never:
            assert_never(never)
