"""Correlations for people, section by section like rules, and the page of a whole pack."""

from collections.abc import Iterable, Iterator, Sequence

from fileaudit_engine.cli.explain_text import (
    DIM,
    Layout,
    heard,
    inner,
    legend,
    rule_lines,
    section,
    title_lines,
    totals,
)
from fileaudit_engine.cli.explained_correlation import Agreeing, CorrelationExplanation, Heard
from fileaudit_engine.compiler.explain import PackExplanation, RuleExplanation
from fileaudit_engine.ruletest.wording import duration
from fileaudit_engine.text import printable


def pack_lines(
    rules: Sequence[RuleExplanation],
    correlations: Sequence[CorrelationExplanation],
    pack: PackExplanation,
    layout: Layout,
) -> Iterator[str]:
    """Rules and correlations, then what the kernel's tables hold for the whole pack."""
    for rule in rules:
        yield from rule_lines(rule, layout)
        yield ""
    for one in correlations:
        yield from correlation_lines(one, layout)
        yield ""
    if rules:
        yield from layout.wrapped("", legend(), DIM)
    yield from layout.wrapped("", totals(pack), DIM)


def correlation_lines(explained: CorrelationExplanation, layout: Layout) -> Iterator[str]:
    """One correlation."""
    one = explained.correlation
    yield from title_lines(one.rule, one.rule.type.value, layout)
    yield from section("heard", heard(explained.heard_through, layout, silent=one.silent))
    yield from _section("asks for", [f"{explained.condition}, within {one.rule.timespan}"], layout)
    yield from _section("listens to", map(_heard, explained.listens_to), layout, mark="- ")
    yield from _section("groups by", _groups(explained), layout, mark="- ")
    yield from _section("tells", [f"{explained.tells}; once, until that has turned false again"], layout)
    yield from _section("remembers", explained.remembers, layout, mark="- ")
    yield from _section("lateness", [_lateness(explained.lateness_ns)], layout)
    yield from _section("cannot see", explained.blind_to, layout, mark="- ")


def _section(name: str, texts: Iterable[str], layout: Layout, *, mark: str = "") -> Iterator[str]:
    """Printable texts, wrapped, behind the name of what they are."""
    return section(name, (line for text in texts for line in inner(layout).wrapped(mark, text)))


def _heard(source: Heard) -> str:
    kind = "the correlation " if source.chained else ""
    asking = printable(", ".join(source.asked_for_by))
    alone = "silent by itself" if source.silent else f"heard by itself, too ('generate: true' of {asking})"
    return f"{kind}{printable(source.key)}: {alone}"


def _groups(explained: CorrelationExplanation) -> Iterator[str]:
    if not explained.group_by:
        yield "nothing: all events count together"
    yield from map(_agreeing, explained.group_by)


def _agreeing(name: Agreeing) -> str:
    if not name.aliased:
        return printable(name.name)
    meant = ", ".join(f"{field} of {source}" for source, field in name.fields.items())
    return printable(f"{name.name}: {meant}")


def _lateness(lateness_ns: int) -> str:
    length = duration(lateness_ns)
    return f"what comes up to {length} late is put in its place; what comes later is counted, not correlated"
