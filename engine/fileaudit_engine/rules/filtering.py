"""Filters applied to rules: the result is rules again, and nothing behind it knows of filters.

    rule:    condition C                          ->   C and not F1 and not F2
    filters: F1, F2 (what they suppress)               detections of rule, F1 and F2 side by side

A rule with several conditions gets this for each. The detections of a filter join the rule's under names
that no condition can spell (`title/name`: a slash is no part of a word), so neither the rule's globs nor its
`them` see them; the globs of the filter were resolved before, against its own detections.

All files are read before any filter is applied, so the order of files does not matter. A filter that cannot
be applied costs no rule: without it there are more alerts, not fewer. It is an error all the same, since
somebody believes it to be at work.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import (
    And,
    Condition,
    Detection,
    Filter,
    Identifier,
    LogSourceSpec,
    Not,
    Or,
    Quantified,
    Rule,
    RuleReference,
)
from fileaudit_engine.rules.filters import EVERY_RULE
from fileaudit_engine.rules.names import RuleNames, folded_name
from fileaudit_engine.rules.size import checks, values
from fileaudit_engine.rules.wording import quoted

MAX_FILTERS: Final = 1_000
"""Filters of one pack. With the bound below, it keeps a folder of hostile files from growing rules in the
product of two sizes."""

MAX_FILTERS_OF_RULE: Final = 100
"""Filters of one rule; each is evaluated whenever the rule would match."""

MAX_ADDED_CHECKS: Final = 300_000
"""Checks that all filters add to all rules: each value of a filter, for each condition of each rule that gets
it. Compiling so many takes ten seconds; past it, filters are not applied."""

_MOST_GUESSES: Final = 5
"""Wrong names that are compared with all right ones, for the nearest: of 3,000 rules it takes 50 ms."""

_Source = tuple[str | None, str | None, str | None]


def apply_filters(
    rules: Sequence[Rule],
    filters: Sequence[Filter],
    unusable: Collection[str],
    found: Collector,
    *,
    correlations: Collection[str] = frozenset(),
) -> tuple[Rule, ...]:
    """The rules with what the filters suppress taken out; what is wrong with the filters goes to `found`.

    Args:
        rules: With unique keys.
        filters: In the order of their files.
        unusable: Folded names of documents that are there, but broken or not filterable: the filters that
            name them are not to blame.
        found: Where findings go.
        correlations: Folded names of correlations, which a filter cannot name.
    """
    if not filters:
        return tuple(rules)
    assignment = _Assignment(rules=rules, unusable=unusable, correlations=correlations, found=found)
    for one in filters[:MAX_FILTERS]:
        assignment.assign(one)
    if len(filters) > MAX_FILTERS:
        message = f"more than {MAX_FILTERS:,} filters; this one and those behind it are not applied"
        found.error("FA042", message, filters[MAX_FILTERS].location, help="join filters into one")
    return tuple(filtered(rule, assignment.of_rule.get(rule.key, ())) for rule in rules)


def filtered(rule: Rule, filters: Iterable[Filter]) -> Rule:
    """The rule without what `filters` suppress."""
    detections: dict[str, Detection] = dict(rule.detections)
    suppressed: list[Condition] = []
    titles: list[str] = []
    for one in filters:
        names = _names_beside(detections, one)
        detections |= {names[name]: detection for name, detection in one.detections.items()}
        suppressed += (Not(operand=_renamed(condition, names)) for condition in one.conditions)
        titles.append(one.title)
    if not titles:
        return rule
    conditions = tuple(And(operands=(condition, *suppressed)) for condition in rule.conditions)
    return replace(rule, detections=detections, conditions=conditions, filters=tuple(titles))


def _names_beside(taken: Mapping[str, Detection], one: Filter) -> dict[str, str]:
    """Names for a filter's detections that are not taken yet, by the names that they have."""
    prefix = one.title
    while any(f"{prefix}/{name}" in taken for name in one.detections):
        prefix += "'"
    return {name: f"{prefix}/{name}" for name in one.detections}


def _renamed(condition: Condition, names: Mapping[str, str]) -> Condition:
    match condition:
        case Identifier(name=name):
            return replace(condition, name=names[name])
        case Quantified(names=selected):
            return replace(condition, names=tuple(names[name] for name in selected))
        case Not(operand=operand):
            return Not(operand=_renamed(operand, names))
        case And(operands=operands):
            return And(operands=tuple(_renamed(operand, names) for operand in operands))
        case Or(operands=operands):
            return Or(operands=tuple(_renamed(operand, names) for operand in operands))
        case _ as never:
            assert_never(never)


@dataclass(slots=True, kw_only=True)
class _Assignment:
    """Which filters each rule gets.

    Attributes:
        rules: All rules.
        unusable: As `apply_filters`.
        correlations: As `apply_filters`.
        found: As `apply_filters`.
        of_rule: The filters of a rule, by its key.
    """

    rules: Sequence[Rule]
    unusable: Collection[str]
    correlations: Collection[str]
    found: Collector
    of_rule: dict[str, list[Filter]] = field(default_factory=lambda: defaultdict(list))
    _names: RuleNames = field(init=False)
    _sources: dict[str, LogSourceSpec] = field(init=False)
    _by_source: dict[_Source, list[str]] = field(init=False, default_factory=lambda: defaultdict(list))
    _conditions: dict[str, int] = field(init=False)
    _guesses: int = 0
    _added: int = 0

    def __post_init__(self) -> None:
        self._conditions = {rule.key: len(rule.conditions) for rule in self.rules}
        self._names = RuleNames(self.rules)
        self._sources = {rule.key: rule.logsource for rule in self.rules}
        for rule in self.rules:
            self._by_source[_facts(rule.logsource)].append(rule.key)

    def assign(self, one: Filter) -> None:
        """Give a filter to the rules that it is for, or note why it is for none."""
        keys = tuple(self._of_log_source(one) if one.rules is None else self._named(one, one.rules))
        sizes = {name: values(detection) for name, detection in one.detections.items()}
        self._added += checks(one.conditions, sizes) * sum(self._conditions[key] for key in keys)
        if self._added > MAX_ADDED_CHECKS:
            message = (
                f"filters add more than {MAX_ADDED_CHECKS:,} checks to the rules; this one is not applied"
            )
            self.found.error("FA042", message, one.location, help="name the rules that need it")
            return
        for key in keys:
            filters = self.of_rule[key]
            if len(filters) < MAX_FILTERS_OF_RULE:
                filters.append(one)
            else:
                message = (
                    f"the rule {quoted(key)} has {MAX_FILTERS_OF_RULE} filters, and does not get this one"
                )
                self.found.error("FA042", message, one.location, help="join filters into one")
                return

    def _of_log_source(self, one: Filter) -> list[str]:
        wanted = one.logsource
        keys = [key for source, keys in self._by_source.items() if _fits(wanted, source) for key in keys]
        if not keys and not self.unusable:
            message = "the filter has no effect: no rule has this log source"
            self.found.warning(
                "FA042", message, wanted.location, help="correct it, or load the rules with it"
            )
        return keys

    def _named(self, one: Filter, references: Iterable[RuleReference]) -> Iterable[str]:
        """The rules that a filter names, each once."""
        named = (key for reference in references if (key := self._key(one, reference)) is not None)
        return dict.fromkeys(named)

    def _key(self, one: Filter, reference: RuleReference) -> str | None:
        key = self._names.key(reference.name)
        if key is None:
            if folded_name(reference.name) not in self.unusable:
                self._no_such_rule(reference)
            return None
        source = self._sources[key]
        if _fits(one.logsource, _facts(source)):
            return key
        self.found.error(
            "FA042",
            f"the rule {quoted(reference.name)} has another log source than the filter, which spares it",
            reference.location,
            help=f"its log source is {_spelled(source)}: widen that of the filter, or remove the name",
        )
        return None

    def _no_such_rule(self, reference: RuleReference) -> None:
        several = self._names.keys(reference.name)
        if not several and folded_name(reference.name) in self.correlations:
            message = f"{quoted(reference.name)} is a correlation, and filters are for rules"
            remedy = "name the rules that it refers to: what they do not match, it does not see"
            self.found.error("FA042", message, reference.location, help=remedy)
            return
        remedy = "write the rule's name, id or title"
        if reference.name.lower() in EVERY_RULE:
            remedy = f"write 'rules: {reference.name}', without a list, for every rule of the log source"
        elif several or self._guesses < _MOST_GUESSES:
            self._guesses += not several
            remedy = self._names.remedy(reference.name)
        message = (
            f"{len(several) or 'no'} rule{'s are' if several else ' is'} called {quoted(reference.name)}"
        )
        self.found.error("FA042", message, reference.location, help=remedy)


def _facts(source: LogSourceSpec) -> _Source:
    """A rule's log source; its product is linux even where the rule does not say so."""
    return source.category, source.product or "linux", source.service


def _fits(wanted: LogSourceSpec, source: _Source) -> bool:
    """Whether a rule's log source has all that the filter's says; what it leaves open may be anything."""
    asked = (wanted.category, wanted.product, wanted.service)
    return all(a is None or a == has for a, has in zip(asked, source, strict=True))


def _spelled(source: LogSourceSpec) -> str:
    parts = (("product", source.product), ("category", source.category), ("service", source.service))
    return ", ".join(f"{name}: {value}" for name, value in parts if value)
