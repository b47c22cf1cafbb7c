"""The shipped rules: sound, proven, and proven by cases that notice when a rule breaks."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.resources import detections_dir, rules_dir
from fileaudit_engine.rules.ast import Correlation, Detection, DetectionItem, DetectionMap, Rule, SigmaValue
from fileaudit_engine.rules.parser import LoadedRules, load_rules, parse_text
from fileaudit_engine.ruletest.cases import Case, LoadedCases
from fileaudit_engine.ruletest.load import load_cases
from fileaudit_engine.ruletest.report import CaseResult
from fileaudit_engine.ruletest.runner import CaseRunner, run_cases

T = TypeVar("T", Rule, Correlation)

FIXTURES = Path(__file__).parents[1] / "fixtures"


@cache
def pack() -> LoadedRules:
    return load_rules([rules_dir()])


@cache
def cases() -> LoadedCases:
    return load_cases(FIXTURES)


@cache
def compiled() -> Compiled:
    return compile_rules(pack().rules, pack().correlations)


def hearing(key: str) -> frozenset[str]:
    """A rule or correlation, and the correlations that hear of it, through others as well."""
    heard = {key}
    while found := {one.key for one in pack().correlations if heard & {*one.sources}} - heard:
        heard |= found
    return frozenset(heard)


def behind(keys: Collection[str]) -> frozenset[str]:
    """Rules and correlations, and all that they refer to."""
    known = set(keys)
    while found := {key for one in pack().correlations if one.key in known for key in one.sources} - known:
        known |= found
    return frozenset(known)


@cache
def cases_about(keys: frozenset[str]) -> tuple[Case, ...]:
    """The cases of all files in which one of these is expected."""
    everything = cases().cases
    files = {case.file for case in everything for one in case.expectations if one.rule in keys}
    return tuple(case for case in everything if case.file in files)


def with_change(one: T, changed: Rule | Correlation) -> T:
    """What has changed, if it is this one."""
    return changed if isinstance(changed, type(one)) and one.key == changed.key else one


def noticed(changed: Rule | Correlation) -> bool:
    """Whether some case fails because of the rule, or of a correlation that hears of it."""
    keys = hearing(changed.key)
    known = behind(keys)
    result = compile_rules(
        [with_change(one, changed) for one in pack().rules if one.key in known],
        [with_change(one, changed) for one in pack().correlations if one.key in known],
    )
    runner = CaseRunner(result.user, result.kernel, result.correlations)
    return any(not keys.isdisjoint(complaints(runner.run(case))) for case in cases_about(keys))


def complaints(result: CaseResult) -> Iterator[str]:
    """The rules whose alerts a case misses, or did not expect."""
    yield from (alert.rule for alert in result.missing)
    yield from (alert.raised.record.rule for alert in result.unexpected)


EVERYWHERE = {"whole_host", "changes_only", "denied_access", "admin_commands"}
"""Scopes of the audit trail that are about no place: no path can narrow them."""


def test_the_pack_has_no_findings_but_what_scopes_without_a_place_cost() -> None:
    assert not pack().diagnostics
    found = [(one.code, Path(one.location.file).stem) for one in compiled().diagnostics]
    assert sorted(found) == [("FA057", name) for name in sorted(EVERYWHERE)]


def test_what_is_in_force_where_nobody_names_rules_is_the_detections_alone() -> None:
    detections = load_rules([detections_dir()])
    scopes = {rule.key for rule in pack().rules} - {rule.key for rule in detections.rules}
    assert {path.stem for path in (rules_dir() / "audit").iterdir()} == scopes
    assert not compile_rules(detections.rules, detections.correlations).diagnostics


def test_a_scope_alerts_nobody_and_says_in_few_words_what_it_writes() -> None:
    scopes = load_rules([rules_dir() / "audit"]).rules
    assert {rule.level for rule in scopes} == {"informational"}
    assert all(
        rule.description and len(rule.description) < 250 for rule in scopes
    )  # it stands in every record


def test_every_case_passes_and_every_rule_is_seen_to_fire_and_to_stay_silent() -> None:
    report = run_cases(cases().cases, compiled().user, compiled().kernel, compiled().correlations)
    assert not cases().diagnostics
    assert report.failed == 0
    assert report.coverage.percent == 100


def test_what_correlations_hear_of_alerts_alone_unless_it_means_nothing_alone() -> None:
    shipped = {
        rule.rule.key for rule in compiled().user.rules if rule.rule.level not in {"low", "informational"}
    }
    silent = {compiled().user.rules[number].rule.key for number in compiled().correlations.silent}
    assert silent
    assert silent.isdisjoint(shipped)


@pytest.mark.parametrize("document", [*pack().rules, *pack().correlations], ids=lambda one: one.key)
def test_nothing_is_noticed_where_nothing_is_changed(document: Rule | Correlation) -> None:
    assert not noticed(document)


def items(detection: Detection) -> Iterator[DetectionItem]:
    if isinstance(detection, DetectionItem):
        yield detection
        return
    for part in detection.items if isinstance(detection, DetectionMap) else detection.members:
        yield from items(part)


def paths(rule: Rule) -> Iterator[SigmaValue]:
    """Every path that a rule names: what it watches and what it leaves out."""
    for detection in rule.detections.values():
        for item in items(detection):
            if item.field in {"TargetFilename", "SourceFilename"} and "fieldref" not in item.modifiers:
                yield from item.values


def broken(rule: Rule, path: SigmaValue) -> Rule:
    """The rule with one letter of one path changed."""
    place = path.location
    lines = Path(place.file).read_text(encoding="utf-8").split("\n")
    line = lines[place.line - 1]
    at = max(i for i in range(place.column - 1, place.end_column - 1) if line[i].isalpha())
    lines[place.line - 1] = line[:at] + ("q" if line[at] != "q" else "z") + line[at + 1 :]
    (other,) = (one for one in parse_text("\n".join(lines), place.file).rules if one.key == rule.key)
    return other


BREAKABLE = [
    (rule, path) for rule in pack().rules for path in paths(rule) if any(map(str.isalpha, str(path.value)))
]


@pytest.mark.parametrize(
    ("rule", "path"),
    BREAKABLE,
    ids=[f"{rule.key}:{path.location.line}:{path.value}" for rule, path in BREAKABLE],
)
def test_a_wrong_letter_in_any_path_fails_a_case_that_names_the_rule(rule: Rule, path: SigmaValue) -> None:
    assert noticed(broken(rule, path))


def changes(one: Correlation) -> Iterator[tuple[str, Correlation]]:
    """The correlation with one thing changed by as little as can be."""
    # Where a group is of one moment, no timespan is too short or too long for it.
    spans = () if "UtcTime" in one.group_by else (one.timespan_ns - 1, one.timespan_ns + 1)
    for span_ns in spans:
        yield f"timespan of {span_ns} ns", replace(one, timespan_ns=span_ns)
    for comparison in one.comparisons:
        for number in {comparison.number - 1, comparison.number + 1} - {0}:
            yield f"threshold {number}", replace(one, comparisons=(replace(comparison, number=number),))
    for name in one.group_by:
        rest = tuple(other for other in one.group_by if other != name)
        yield f"not by {name}", replace(one, group_by=rest)
    if one.condition is None and len(one.sources) > 1:
        for key in one.sources:
            yield (
                f"without {key}",
                replace(one, sources=tuple(other for other in one.sources if other != key)),
            )


CHANGED = [(f"{one.key}: {what}", other) for one in pack().correlations for what, other in changes(one)]


@pytest.mark.parametrize("changed", [other for _, other in CHANGED], ids=[what for what, _ in CHANGED])
def test_the_smallest_change_of_a_correlation_fails_a_case_that_names_it(changed: Correlation) -> None:
    assert noticed(changed)
