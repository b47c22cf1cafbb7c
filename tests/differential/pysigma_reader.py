"""Rules as pySigma reads them, and what such a reading says of an event.

pySigma turns a rule into a tree of conditions over typed values and leaves their meaning to its backends. So
this is a backend that answers instead of writing a query: it walks the tree and evaluates each type of value
in the plainest way, by Python's own regular expressions, numbers and networks. Nothing of this engine is used
but the texts that a keyword search looks at, which is no matter of reading rules.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from ipaddress import ip_address
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.rule import SigmaRule
from sigma.types import (
    CompareOperators,
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
    TimestampPart,
)

VERSION = int(metadata.version("pysigma").partition(".")[0])
"""pySigma 2 needs Python 3.11 or later; on 3.10 there is 1, which reads some rules in another way."""

Tree = Any
"""A condition; pySigma's own name for the type differs between its versions."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
_COMPARES: Mapping[CompareOperators, Callable[[float, float], bool]] = {
    CompareOperators.LT: lambda a, b: a < b,
    CompareOperators.LTE: lambda a, b: a <= b,
    CompareOperators.GT: lambda a, b: a > b,
    CompareOperators.GTE: lambda a, b: a >= b,
}
_PARTS: Mapping[TimestampPart, Callable[[datetime], int]] = {
    TimestampPart.MINUTE: lambda moment: moment.minute,
    TimestampPart.HOUR: lambda moment: moment.hour,
    TimestampPart.DAY: lambda moment: moment.day,
    TimestampPart.WEEK: lambda moment: moment.isocalendar().week,
    TimestampPart.MONTH: lambda moment: moment.month,
    TimestampPart.YEAR: lambda moment: moment.year,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event.

    Attributes:
        fields: What it has; `None` is absence.
        texts: What a keyword is searched in.
    """

    fields: Mapping[str, object]
    texts: Sequence[str]

    def values(self, name: str) -> Sequence[object]:
        """The members of a field: none if it is absent, one if it is no list."""
        value = self.fields.get(name)
        if value is None:
            return ()
        return value if isinstance(value, list) else [value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A rule as pySigma understands it.

    Attributes:
        trees: One for each condition; the rule matches if any does.
        placeholders: What names between percent signs stand for.
    """

    trees: Sequence[Tree]
    placeholders: Mapping[str, Sequence[str]]

    def matches(self, event: Event) -> bool:
        """Whether the rule is true of the event."""
        return any(self._holds(tree, event) for tree in self.trees)

    def leaves(self) -> Iterator[tuple[str | None, object]]:
        """Fields with the values that they are held against, expansions taken apart."""
        for tree in self.trees:
            yield from self._leaves(tree)

    def _leaves(self, tree: Tree) -> Iterator[tuple[str | None, object]]:
        match tree:
            case ConditionAND() | ConditionOR() | ConditionNOT():
                for part in tree.args:
                    yield from self._leaves(part)
            case ConditionFieldEqualsValueExpression() | ConditionValueExpression():
                for value in self._alternatives(tree.value):
                    yield getattr(tree, "field", None), value

    def _holds(self, tree: Tree, event: Event) -> bool:
        match tree:
            case ConditionAND():
                return all(self._holds(part, event) for part in tree.args)
            case ConditionOR():
                return any(self._holds(part, event) for part in tree.args)
            case ConditionNOT():
                return not self._holds(tree.args[0], event)
            case ConditionFieldEqualsValueExpression():
                return any(_is(event, tree.field, value) for value in self._alternatives(tree.value))
            case ConditionValueExpression():
                return any(_is_in(event, value) for value in self._alternatives(tree.value))
            case _:
                raise AssertionError(f"a condition of an unknown type: {tree}")

    def _alternatives(self, value: object) -> Iterator[object]:
        """A value without expansions and placeholders: what stands for them, one by one."""
        if isinstance(value, SigmaExpansion):
            for each in value.values:
                yield from self._alternatives(each)
        elif isinstance(value, SigmaString) and value.contains_placeholder():
            for each in value.replace_placeholders(self._replace):
                yield from self._alternatives(each)
        else:
            yield value

    def _replace(self, placeholder: Placeholder) -> Iterator[SigmaString]:
        return map(SigmaString, self.placeholders[placeholder.name])


def read(text: str, placeholders: Mapping[str, Sequence[str]]) -> Reading:
    """The reading of one rule.

    Raises:
        sigma.exceptions.SigmaError: pySigma refuses it.
    """
    rule = SigmaRule.from_yaml(text)
    trees = [condition.parsed for condition in rule.detection.parsed_condition]
    return Reading(trees=trees, placeholders=placeholders)


def _is(event: Event, field: str, value: object) -> bool:
    """Whether the value is true of the field."""
    found = event.values(field)
    match value:
        case SigmaNull():
            return not found and event.fields.get(field) is None
        case SigmaExists():
            return value.exists == (event.fields.get(field) is not None)
        case SigmaFieldReference():
            return any(_refers(mine, other, value) for mine in found for other in event.values(value.field))
        case _:
            return any(_equals(each, value) for each in found)


def _is_in(event: Event, value: object) -> bool:
    """Whether the value stands somewhere in the event."""
    if isinstance(value, SigmaString):
        return any(_pattern(value, anywhere=True).search(text) for text in event.texts)
    if isinstance(value, SigmaNumber):
        return any(str(value.number) in text for text in event.texts)
    return any(_equals(text, value) for text in event.texts)


def _equals(found: object, value: object) -> bool:  # noqa: PLR0911 - one a type
    """Whether one member of a field is what the value asks for."""
    match value:
        case SigmaString():
            return _pattern(value).fullmatch(_spelled(found)) is not None
        case SigmaRegularExpression():
            flags = sum(value.sigma_to_python_flags[flag] for flag in value.flags)
            return re.search(str(value.regexp), _spelled(found), flags) is not None
        case SigmaTimestampPart():
            return _part(found, value) == value.number
        case SigmaNumber():
            return _number(found) == value.number
        case SigmaBool():
            return _spelled(found).lower() == str(value.boolean).lower()
        case SigmaCIDRExpression():
            return _in_network(found, value)
        case SigmaCompareExpression():
            part = value.number if isinstance(value.number, SigmaTimestampPart) else None
            number = _part(found, part) if part else _number(found)
            return number is not None and _COMPARES[value.op](number, value.number.number)
        case _:
            raise AssertionError(f"a value of an unknown type: {value}")


def _pattern(value: SigmaString, *, anywhere: bool = False) -> re.Pattern[str]:
    wildcards = {SpecialChars.WILDCARD_MULTI: ".*", SpecialChars.WILDCARD_SINGLE: "."}
    expression = "".join(
        re.escape(part) if isinstance(part, str) else wildcards[part]
        for part in value.s
        if not isinstance(part, Placeholder)
    )
    flags = re.DOTALL if isinstance(value, SigmaCasedString) else re.DOTALL | re.IGNORECASE
    return re.compile(f".*{expression}" if anywhere else expression, flags)


def _refers(mine: object, other: object, value: SigmaFieldReference) -> bool:
    is_number = isinstance(mine, int) or isinstance(other, int)
    if is_number and not (value.starts_with or value.ends_with):
        return _number(mine) == _number(other) is not None
    left, right = _spelled(mine).lower(), _spelled(other).lower()
    if value.starts_with and value.ends_with:
        return right in left
    if value.starts_with:
        return left.startswith(right)
    return left.endswith(right) if value.ends_with else left == right


def _in_network(found: object, value: SigmaCIDRExpression) -> bool:
    try:
        address = ip_address(_spelled(found))
    except ValueError:
        return False
    return address in value.network


def _part(found: object, value: SigmaTimestampPart) -> int | None:
    try:
        moment = datetime.fromisoformat(_spelled(found).replace("Z", "+00:00"))
    except ValueError:
        return None
    return _PARTS[value.timestamp_part](moment.astimezone(timezone.utc))


def _number(found: object) -> float | None:
    if isinstance(found, bool):
        return None
    if isinstance(found, int):
        return found
    if not isinstance(found, str) or not _NUMBER.fullmatch(found):
        return None
    return int(found) if found.lstrip("+-").isdecimal() else float(found)


def _spelled(found: object) -> str:
    return str(found).lower() if isinstance(found, bool) else str(found)
