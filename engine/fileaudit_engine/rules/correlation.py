"""One correlation document becomes a `Correlation`, or diagnostics that say everything that is wrong with it.

title: Many files renamed by one process
correlation:                                 What it says of others (names of rules, the fields of their
  type: event_count                          events) is held against them when all files are read: they
  rules: [file_renamed]                      may stand behind it, or in another file. See `correlating`.
  group-by: [ProcessId]
  timespan: 1m
  condition: {gte: 50}
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.diagnostics import Collector, Location, has_errors
from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.rules.ast import (
    Comparator,
    Comparison,
    Condition,
    Correlation,
    CorrelationType,
    RuleReference,
)
from fileaudit_engine.rules.attributes import attributes_of, check_taxonomy, texts_of
from fileaudit_engine.rules.comparisons import MAX_COUNT, Number, Range, number_of, range_of
from fileaudit_engine.rules.context import Context
from fileaudit_engine.rules.correlation_condition import identifiers, read_condition
from fileaudit_engine.rules.names import folded_name
from fileaudit_engine.rules.nodes import ListNode, MapNode, Node, ScalarNode, at, text_of
from fileaudit_engine.rules.schema import validate
from fileaudit_engine.rules.wording import quoted

SECTION: Final = "correlation"
"""The attribute that makes a document a correlation."""

MAX_TIMESPAN_DAYS: Final = 365
"""A window is kept in memory, and across restarts in the store: what takes more than a year to happen is a
question for whoever keeps the events."""

COUNTING: Final = frozenset({CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT})
IN_TIME: Final = frozenset({CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED})

_CONTRADICTORY: Final = "no number fulfils all of the comparisons; correct one of them"
_TIMESPAN: Final = re.compile(r"([1-9][0-9]{0,8})([smhdw])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A correlation of which is known what it says, but not yet whom it speaks of.

    Attributes:
        correlation: Without sources; aliases and condition call them as written.
        section: Where all of that stands.
    """

    correlation: Correlation
    section: MapNode

    def place(self, *path: str | int) -> Location:
        """The place of a part of the section."""
        return at(self.section, path)


def read_correlation(root: MapNode, context: Context) -> Draft | None:
    """The correlation that `root` describes; None if it is not usable, which the context then says."""
    found = context.found
    before = len(found.diagnostics)
    validate(root, "correlation", found)
    check_taxonomy(root, found)
    section = root.values[SECTION]
    if not isinstance(section, MapNode):
        return None  # the schema has said so
    reader = _Reader(root=root, section=section, found=found)
    correlation = reader.correlation()
    if correlation is None or has_errors(found.diagnostics[before:]):
        return None
    reader.check_numbers(correlation)
    if has_errors(found.diagnostics[before:]):
        return None
    return Draft(correlation=correlation, section=section)


def _is_longer_than_one(node: Node | None) -> bool:
    return isinstance(node, ListNode) and len(node.items) > 1


def _truth(node: Node | None) -> bool | None:
    return node.value if isinstance(node, ScalarNode) and isinstance(node.value, bool) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads the parts of a section, whatever is wrong with the others.

    Attributes:
        root: The document.
        section: What stands under `correlation`.
        found: Where findings go. What the schema has said is not said again.
    """

    root: MapNode
    section: MapNode
    found: Collector

    def correlation(self) -> Correlation | None:
        """What the document says, as far as it can be read; None if there is no such type."""
        kind, condition = self.kind, self.condition()
        rules, comparisons, percentile = self.rules(condition), self.comparisons(), self.percentile()
        generate, timespan_ns = self.generate(), self.timespan_ns()
        if kind is None:
            return None
        return Correlation(
            **attributes_of(self.root, "correlation"),
            type=kind,
            rules=rules,
            aliases=self.aliases(),
            group_by=texts_of(self.section, "group-by"),
            timespan=text_of(self.section, "timespan") or "",
            timespan_ns=timespan_ns,
            comparisons=comparisons,
            condition=condition,
            value_fields=self.value_fields(),
            percentile=percentile,
            generate=generate,
            suspected=_truth(self.root.values.get("suspected")) or False,
        )

    @property
    def kind(self) -> CorrelationType | None:
        """The type; None if there is no such type."""
        written = text_of(self.section, "type")
        return CorrelationType(written) if written in set(CorrelationType) else None

    @property
    def _condition_map(self) -> MapNode | None:
        node = self.section.values.get("condition")
        return node if isinstance(node, MapNode) else None

    def generate(self) -> bool | None:
        """Sigma's specification has it at the top, many rules have it in the section."""
        outside, inside = (
            _truth(self.root.values.get("generate")),
            _truth(self.section.values.get("generate")),
        )
        if outside is not None and inside is not None and outside is not inside:
            self.found.error(
                "FA024",
                "the document says 'generate' twice, and not the same",
                at(self.section, ["generate"]),
                label=f"it is {str(outside).lower()} at {at(self.root, ['generate'])}",
                help="remove one of them",
            )
        return outside if inside is None else inside

    def timespan_ns(self) -> int:
        """The length of the window."""
        parts = _TIMESPAN.fullmatch(text_of(self.section, "timespan") or "")
        if parts is None:
            return 0  # the schema has said so
        length_ns = int(parts[1]) * UNITS_NS[parts[2]]
        if length_ns > MAX_TIMESPAN_DAYS * UNITS_NS["d"]:
            self.found.error(
                "FA024",
                f"a timespan of {parts[0]} is longer than {MAX_TIMESPAN_DAYS} days",
                at(self.section, ["timespan"]),
                help=f"write at most '{MAX_TIMESPAN_DAYS}d': so long is remembered what came before",
            )
        return length_ns

    def rules(self, condition: Condition | None) -> tuple[RuleReference, ...]:
        """The rules that are listed; where there is no list, those that the condition names."""
        node = self.section.values.get("rules")
        if node is not None:
            items = node.items if isinstance(node, ListNode) else [node]
            return tuple(
                RuleReference(name=item.text, location=item.location)
                for item in items
                if isinstance(item, ScalarNode)
            )
        named: dict[str, RuleReference] = {}
        for one in identifiers(condition) if condition else ():
            named.setdefault(folded_name(one.name), RuleReference(name=one.name, location=one.location))
        return tuple(named.values())

    def aliases(self) -> Mapping[str, Mapping[str, str]]:
        """The aliases, as written."""
        node = self.section.values.get("aliases")
        if not isinstance(node, MapNode):
            return {}
        return {
            alias: {source: text_of(fields, source) or "" for source in fields.values}
            for alias, fields in node.values.items()
            if isinstance(fields, MapNode)
        }

    def condition(self) -> Condition | None:
        """The condition, where it is a text."""
        node = self.section.values.get("condition")
        if self.kind not in IN_TIME or not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            return None
        ordered = self.kind is CorrelationType.TEMPORAL_ORDERED
        return read_condition(node, ordered=ordered, found=self.found) if node.value else None

    def value_fields(self) -> tuple[str, ...]:
        """The fields whose values are looked at."""
        return texts_of(self._condition_map, "field") if self._condition_map else ()

    def comparisons(self) -> tuple[Comparison, ...]:
        """The comparisons, in the order of `Comparator`."""
        node, kind = self._condition_map, self.kind
        if node is None or kind is None:
            return ()
        self._check_attributes(kind, node)
        written = [(comparator, node.values.get(comparator.value)) for comparator in Comparator]
        if node.values and not any(value for _, value in written):
            self._wrong(
                "the condition compares nothing", ["condition"], "add 'gte: 10', or another threshold"
            )
        numbers = [(one, self._threshold(kind, one, value)) for one, value in written if value is not None]
        return tuple(
            Comparison(comparator=one, number=number) for one, number in numbers if number is not None
        )

    def _wrong(self, message: str, path: Iterable[str | int], remedy: str) -> None:
        self.found.error("FA024", message, at(self.section, [*path]), help=remedy)

    def _threshold(self, kind: CorrelationType, comparator: Comparator, node: Node) -> Number | None:
        if not isinstance(node, ScalarNode) or isinstance(node.value, bool | str | None):
            return None  # the schema has said so
        path = ["condition", comparator.value]
        number = number_of(node)
        if number is None:
            self._wrong(f"{quoted(node.text)} is no number to compare with", path, "write it in digits")
        elif kind in COUNTING | IN_TIME and not isinstance(number, int):
            self._wrong(f"no count is {node.text}", path, "write a whole number")
        elif kind in COUNTING and number > MAX_COUNT:
            message = f"{number:,} is more than the {MAX_COUNT:,} matches of one group that can be remembered"
            self._wrong(message, path, "write a smaller number, and a shorter timespan")
        return number

    def _check_attributes(self, kind: CorrelationType, node: MapNode) -> None:
        """What has no meaning for a type is an error: the writer believes it to be at work."""
        several = node.values.get("field")
        if kind in IN_TIME | {CorrelationType.EVENT_COUNT} and several is not None:
            remedy = "write 'type: value_count' to count different values, or remove 'field'"
            self._wrong(f"'{kind.value}' looks at no field", ["condition", "field"], remedy)
        elif kind is not CorrelationType.VALUE_COUNT and _is_longer_than_one(several):
            remedy = "write one field; only 'value_count' takes several"
            self._wrong(f"'{kind.value}' computes with one field", ["condition", "field"], remedy)
        if kind is not CorrelationType.VALUE_PERCENTILE and "percentile" in node.values:
            remedy = "write 'type: value_percentile', or remove it"
            self._wrong(f"'{kind.value}' has no percentile", ["condition", "percentile"], remedy)

    def percentile(self) -> Number | None:
        """Which percentile is asked for."""
        node = self._condition_map.values.get("percentile") if self._condition_map else None
        if not isinstance(node, ScalarNode) or isinstance(node.value, bool | str | None):
            return None
        number = number_of(node)
        if number is None:
            self._wrong(
                f"{quoted(node.text)} is no percentile", ["condition", "percentile"], "write 0 to 100"
            )
        return number

    def check_numbers(self, read: Correlation) -> None:
        """Refuse a condition that nothing can fulfil."""
        possible = range_of(read.type, len(read.rules), share=read.percentile is None)
        if read.comparisons and not possible.can_fulfil(read.comparisons):
            each_can_be = all(possible.can_fulfil([one]) for one in read.comparisons)
            remedy = _CONTRADICTORY if each_can_be else _remedy(read.type, possible)
            self._wrong("nothing can fulfil this condition", ["condition"], remedy)


def _remedy(kind: CorrelationType, possible: Range) -> str:
    """What a condition can be fulfilled by."""
    if kind in IN_TIME:
        return f"it counts the rules that matched, which are 1 to {possible.most}"
    if kind in COUNTING:
        return "a count is 1 or more: there is always the match that just came"
    return "a share is more than 0 and at most 100 per cent"
