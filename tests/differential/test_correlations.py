"""Two readers of correlations: pySigma's and ours find the same in a document."""

import itertools
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionNOT,
    CorrelationConditionOR,
    SigmaCorrelationCondition,
    SigmaCorrelationRule,
    SigmaCorrelationTimespan,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)
from typing_extensions import assert_never

from fileaudit_engine.diagnostics import has_errors
from fileaudit_engine.resources import rules_dir
from fileaudit_engine.rules.ast import And, Condition, Correlation, Identifier, Not, Or, Quantified
from fileaudit_engine.rules.parser import load_rules, parse_text

NAMES = ("a", "b", "c")
RULES = "".join(
    f"---\ntitle: Rule {name}\nname: {name}\nlogsource: {{product: linux}}\n"
    f"detection: {{selection: {{User: {name}}}, condition: selection}}\n"
    for name in NAMES
)
SEEDS = range(20)
CONDITIONS_OF_SEED = 15


def text_of(section: str) -> str:
    return f"title: x\ncorrelation: {{{section}}}\n{RULES}"


def ours(section: str) -> Correlation:
    loaded = parse_text(text_of(section))
    assert not has_errors(loaded.diagnostics)
    (one,) = loaded.correlations
    return one


def condition(chance: random.Random, depth: int) -> str:
    """A condition that both can read; some name in it is wanted."""
    if not depth:
        return chance.choice(NAMES)
    left, right = (condition(chance, depth - chance.choice((1, 1, depth))) for _ in range(2))
    template = chance.choice(("{} and {}", "{} or {}", "({}) and ({})", "{} and not ({})", "not {} or {}"))
    return template.format(left, right)


def holds(tree: Condition, truth: Mapping[str, bool]) -> bool:
    """What our reading says where some rules have matched."""
    match tree:
        case Identifier(name=name):
            return truth[name]
        case Not(operand=operand):
            return not holds(operand, truth)
        case And(operands=operands):
            return all(holds(operand, truth) for operand in operands)
        case Or(operands=operands):
            return any(holds(operand, truth) for operand in operands)
        case Quantified():
            raise AssertionError("no correlation has one")
        case _ as never:
            assert_never(never)


def theirs_holds(tree: object, truth: Mapping[str, bool]) -> bool:
    """What pySigma's reading says."""
    match tree:
        case SigmaRuleReference(reference=name):
            return truth[name]
        case CorrelationConditionNOT(args=(operand,)):
            return not theirs_holds(operand, truth)
        case CorrelationConditionAND(args=operands):
            return all(theirs_holds(operand, truth) for operand in operands)
        case CorrelationConditionOR(args=operands):
            return any(theirs_holds(operand, truth) for operand in operands)
        case _:
            raise AssertionError(f"pySigma has more than that: {tree!r}")


@pytest.mark.parametrize("seed", SEEDS)
def test_conditions_over_names_mean_the_same(seed: int) -> None:
    chance = random.Random(seed)
    compared = 0
    while compared < CONDITIONS_OF_SEED:
        written = condition(chance, chance.choice((1, 2, 3)))
        section = f"type: temporal, rules: [a, b, c], group-by: [], timespan: 5m, condition: {written}"
        loaded = parse_text(text_of(section))
        if not loaded.correlations:
            assert any("asks for no match" in found.message for found in loaded.diagnostics), written
            continue
        mine = loaded.correlations[0].condition
        assert mine is not None
        parsed = SigmaExtendedCorrelationCondition(written).parsed
        for values in itertools.product((False, True), repeat=len(NAMES)):
            truth = dict(zip(NAMES, values, strict=True))
            assert holds(mine, truth) == theirs_holds(parsed, truth), f"{written} where {truth}"
        compared += 1


@pytest.mark.parametrize("written", ["1s", "59s", "90m", "36h", "1d", "365d", "1w", "52w"])
def test_timespans_are_as_long(written: str) -> None:
    section = f"type: temporal, rules: [a, b], group-by: [], timespan: {written}"
    assert ours(section).timespan_ns == SigmaCorrelationTimespan(written).seconds * 10**9


@pytest.mark.parametrize(
    "section",
    [
        "type: event_count, rules: [a], group-by: [User], timespan: 5m, condition: {gte: 10}",
        "type: value_count, rules: [a, b], group-by: [], timespan: 1h, condition: {gt: 3, field: Image}",
        "type: value_avg, rules: [a], group-by: [User], timespan: 1d, condition: {lte: 2.5, field: UserId}",
        "type: value_sum, rules: a, group-by: [User, Image], timespan: 2w, condition: {neq: 3, field: Inode}",
        (
            "type: value_percentile, rules: [a], group-by: [User], timespan: 1d,"
            " condition: {lte: 2, field: UserId, percentile: 99}"
        ),
    ],
)
def test_numbers_and_fields_are_the_same(section: str) -> None:
    mine, theirs = ours(section), theirs_of({"title": "x", "correlation": yaml.safe_load(f"{{{section}}}")})
    same_head(mine, theirs)
    (comparison,) = mine.comparisons
    written = theirs.condition
    assert isinstance(written, SigmaCorrelationCondition)
    assert (written.op.name.lower(), written.count) == (comparison.comparator, comparison.number)
    assert written.percentile == mine.percentile
    assert mine.value_fields == ((written.fieldref,) if written.fieldref else ())


def test_the_shipped_correlations_are_read_alike() -> None:
    loaded = load_rules([rules_dir()])
    assert loaded.correlations
    by_title = {one.title: one for one in loaded.correlations}
    for file in {one.location.file for one in loaded.correlations}:
        for document in yaml.safe_load_all(Path(file).read_text(encoding="utf-8")):
            if "correlation" in document:
                same_head(by_title.pop(document["title"]), theirs_of(document))
    assert not by_title


def theirs_of(document: dict[str, Any]) -> SigmaCorrelationRule:
    """A document as pySigma has it."""
    read = SigmaCorrelationRule.from_dict(document)
    assert isinstance(read, SigmaCorrelationRule)
    return read


def same_head(mine: Correlation, theirs: SigmaCorrelationRule) -> None:
    """Type, rules, grouping and timespan are the same in both readings."""
    assert mine.type.name == theirs.type.name
    assert [one.name for one in mine.rules] == [one.reference for one in theirs.rules or ()]
    assert list(mine.group_by) == (theirs.group_by or [])
    assert mine.timespan_ns == theirs.timespan.seconds * 10**9
