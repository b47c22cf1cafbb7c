"""`explain` for correlations: what falls silent, when they tell, and what events came to together.

The page of a whole pack is golden (`golden/plans/correlations.txt`).
"""

import json
import re
from pathlib import Path

import pytest
from tests.unit.compiler.test_explain import EVENT, GOLDEN, golden, run
from tests.unit.ruletest.correlated_packs import MANY, RENAMED, correlation
from tests.unit.ruletest.packs import compiled

from fileaudit_engine.cli.explain_correlation import correlation_lines
from fileaudit_engine.cli.explain_text import Layout
from fileaudit_engine.cli.explained_correlation import CorrelationExplanation, explained_correlations
from fileaudit_engine.detect.crossing import Limits

RULES = str(GOLDEN / "correlations.yml")
PLAIN = Layout(width=100, color=False)


def explained(*documents: str, limits: Limits = Limits()) -> list[CorrelationExplanation]:  # noqa: B008
    return list(explained_correlations(compiled(*documents).correlations, limits))


def of_renames(text: str, limits: Limits = Limits()) -> CorrelationExplanation:  # noqa: B008 - frozen
    document = correlation("it", f"rules: [renamed], group-by: [User], timespan: 10m, {text}")
    return explained(RENAMED, document, limits=limits)[0]


def rename(second: int, path: str, pid: int = 7) -> str:
    return (
        f'{{"@timestamp": "2026-01-02T03:04:{second:02}.5Z", "Operation": "rename", "ProcessId": {pid}, '
        f'"ProcessStart": 5, "TargetFilename": "{path}"}}'
    )


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Fifty renames by one process, two by another, then the shadow file is read."""
    lines = [rename(number, f"/home/{number}") for number in range(50)]
    lines += [rename(51, "/home/a", pid=8), rename(52, "/home/\\u001b[31m", pid=8)]
    read = EVENT.replace("03:04:05Z", "03:04:58Z")
    lines.append(f'{read}, "TargetFilename": "/etc/shadow", "User": "alice"}}')
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("type: event_count, condition: {gte: 5}", "at the event that makes it true"),
        ("type: value_count, condition: {gt: 5, field: User}", "at the event that makes it true"),
        ("type: event_count, condition: {lt: 5}", "or when the leaving of others makes it true"),
        ("type: value_sum, condition: {gt: 5, field: FileSize}", "or when the leaving of others makes it"),
    ],
)
def test_when_it_tells_follows_from_what_can_make_it_true(text: str, tells: str) -> None:
    assert tells in of_renames(text).tells
    assert ("leaving" in of_renames(text).tells) is ("leaving" in tells)


def test_what_it_remembers_follows_from_the_type_and_the_limits() -> None:
    limits = Limits(groups=7, events=20, entries=90)
    count = of_renames("type: event_count, condition: {gte: 5}", limits)
    assert count.remembers[0] == "of each group the newest 6 events: older ones cannot change the answer"
    assert count.remembers[1].startswith("7 groups, and 90 events of all correlations together")
    total = of_renames("type: value_sum, condition: {gt: 5, field: FileSize}", limits)
    assert total.remembers[0].startswith("of each group the newest 20 events")


def test_colours_change_nothing_but_colours() -> None:
    (one,) = explained(RENAMED, MANY)
    plain = "\n".join(correlation_lines(one, PLAIN))
    coloured = "\n".join(correlation_lines(one, Layout(width=100, color=True)))
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


def test_hostile_names_of_rules_and_fields_hold_nothing_that_acts_on_a_terminal() -> None:
    hostile = RENAMED.replace("name: renamed", 'name: "re\\e[2Jnamed"')
    many = MANY.replace("rules: [renamed]", 'rules: ["re\\e[2Jnamed"]')
    (one,) = explained(hostile, many)
    text = "\n".join(correlation_lines(one, PLAIN))
    assert "re\\x1b[2Jnamed: silent by itself" in text
    assert all(character.isprintable() for line in text.split("\n") for character in line)


def test_json_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(RULES, "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    rules = {rule["rule"]: rule for rule in document["rules"]}
    assert (rules["renamed"]["silent"], rules["renamed"]["heard_through"]) == (True, ["many_renamed"])
    assert rules["shadow_read"]["silent"] is False
    found = {one["rule"]: one for one in document["correlations"]}
    assert found["large_reads"]["comparisons"] == [{"gt": 1000}, {"lte": 2500.5}]
    assert found["large_reads"]["timespan_ns"] == 86_400 * 10**9
    assert found["read_only"]["group_by"] == [
        {"name": "who", "fields": {"shadow_read": "User", "shadow_written": "LoginUser"}}
    ]
    assert found["read_then_renamed"]["listens_to"] == [
        {"rule": "shadow_read", "correlation": False, "silent": False},
        {"rule": "many_renamed", "correlation": True, "silent": True},
    ]
    assert (found["many_renamed"]["silent"], found["read_only"]["suspected"]) == (True, True)


@pytest.mark.parametrize(
    "name", ["many_renamed", "0b1f6a0e-5f3a-4c2b-9a55-6c1f5a3f2b22", "Many files of a user get other names"]
)
def test_a_correlation_is_found_by_name_id_and_title(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(RULES, "--rule", name) == 0
    text = capsys.readouterr().out
    assert text.startswith("many_renamed  critical  value_count\n")
    assert "renamed  low  file_rename" not in text


def test_events_show_what_a_correlation_told_and_what_others_were_short_of(
    events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(RULES, "--event", str(events)) == 0
    text = capsys.readouterr().out
    ending = text[text.index("\nmany_renamed  critical") :].replace(RULES, "correlations.yml")
    assert ending == golden("correlations.events.txt", ending)


def test_of_a_correlation_the_answers_of_the_rules_behind_it_are_shown(
    events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(RULES, "--rule", "read_then_renamed", "--event", str(events), "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [answer["rule"] for answer in document["events"][0]["rules"]] == ["renamed", "shadow_read"]
    (outcome,) = document["correlations"]
    assert (outcome["rule"], outcome["crossings"]) == ("read_then_renamed", [])
    assert outcome["short_of"][0] == "shadow_read matched 1 time, many_renamed was raised 1 time"


def test_a_hostile_group_is_escaped_once_and_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules, events = tmp_path / "rules.yml", tmp_path / "events.ndjson"
    rules.write_text(f"{RENAMED}---\n{MANY.replace('ProcessId', 'TargetFilename')}", encoding="utf-8")
    events.write_text(rename(1, "/home/\\u001b[2J" + "x" * 4_000) + "\n", encoding="utf-8")
    assert run(str(rules), "--rule", "many_renamed", "--event", str(events)) == 0
    ending = capsys.readouterr().out.rpartition("silent")[2]
    assert "TargetFilename /home/\\x1b[2Jxxx" in " ".join(ending.split())
    assert len(ending) < 1_000


def test_of_a_rule_no_correlation_is_shown(events: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(RULES, "--rule", "renamed", "--event", str(events), "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["correlations"] == []


def test_a_crossing_is_told_in_json_with_its_events(events: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(RULES, "--rule", "many_renamed", "--event", str(events), "--format", "json") == 0
    ((crossing,),) = (one["crossings"] for one in json.loads(capsys.readouterr().out)["correlations"])
    assert (crossing["@timestamp"], crossing["value"]) == ("2026-01-02T03:04:49.500000000Z", 50)
    assert len(set(crossing["event_ids"])) == 50
