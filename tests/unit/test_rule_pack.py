"""The shipped rules: sound, proven, and proven by cases that notice when a rule breaks."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.resources import rules_dir
from fileaudit_engine.rules.ast import Detection, DetectionItem, DetectionMap, Rule, SigmaValue
from fileaudit_engine.rules.parser import LoadedRules, load_rules, parse_text
from fileaudit_engine.ruletest.cases import LoadedCases
from fileaudit_engine.ruletest.load import load_cases
from fileaudit_engine.ruletest.runner import run_cases

FIXTURES = Path(__file__).parents[1] / "fixtures"


@cache
def pack() -> LoadedRules:
    return load_rules([rules_dir()])


@cache
def cases() -> LoadedCases:
    return load_cases(FIXTURES)


def test_the_pack_has_no_findings() -> None:
    loaded = pack()
    assert not loaded.diagnostics
    assert not compile_rules(loaded.rules).diagnostics


def test_every_case_passes_and_every_rule_is_seen_to_fire_and_to_stay_silent() -> None:
    compiled = compile_rules(pack().rules)
    report = run_cases(cases().cases, compiled.user, compiled.kernel)
    assert not cases().diagnostics
    assert report.failed == 0
    assert report.coverage.percent == 100


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
            if item.field in {"TargetFilename", "SourceFilename"}:
                yield from item.values


def broken(rule: Rule, path: SigmaValue) -> Rule:
    """The rule with one letter of one path changed."""
    place = path.location
    lines = Path(place.file).read_text(encoding="utf-8").split("\n")
    line = lines[place.line - 1]
    at = max(i for i in range(place.column - 1, place.end_column - 1) if line[i].isalpha())
    lines[place.line - 1] = line[:at] + ("q" if line[at] != "q" else "z") + line[at + 1 :]
    (other,) = parse_text("\n".join(lines), place.file).rules
    assert other.key == rule.key
    return other


BREAKABLE = [(rule, path) for rule in pack().rules for path in paths(rule)]


@pytest.mark.parametrize(
    ("rule", "path"),
    BREAKABLE,
    ids=[f"{rule.key}:{path.location.line}:{path.value}" for rule, path in BREAKABLE],
)
def test_a_wrong_letter_in_any_path_fails_a_case_that_names_the_rule(rule: Rule, path: SigmaValue) -> None:
    compiled = compile_rules([broken(rule, path)])
    report = run_cases(cases().cases, compiled.user, compiled.kernel)
    missing = {alert.rule for result in report.results for alert in result.missing}
    unexpected = {alert.raised.record.rule for result in report.results for alert in result.unexpected}
    assert rule.key in missing | unexpected
