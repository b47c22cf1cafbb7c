import pytest
from tests.unit.rules.examples import HEAD, codes, found_in, marked, one, only_rule, rule_text

from fileaudit_engine.rules.section import MAX_DETECTIONS


def test_every_attribute_reaches_the_rule() -> None:
    rule = only_rule(
        rule_text(
            "{User: root}",
            head=HEAD.replace("929a", "929A")
            + "name: a_rule\nstatus: test\nauthor: me\ndate: 2024-01-02\nmodified: 2024-01-03\n"
            "license: MIT\nreferences: [https://example.org]\ntags: [attack.t1003]\n"
            "falsepositives: Backups\nfields: [User]\nx-owner: {team: blue}\n",
        )
    )
    assert (rule.key, rule.name, rule.title, rule.level, rule.status) == (
        "a_rule",
        "a_rule",
        "A rule",
        "low",
        "test",
    )
    assert rule.id == "929a690e-bef0-4204-a928-ef5e620d6fcc"
    assert (rule.date, rule.modified, rule.license, rule.author) == ("2024-01-02", "2024-01-03", "MIT", "me")
    assert (rule.references, rule.tags) == (("https://example.org",), ("attack.t1003",))
    assert (rule.falsepositives, rule.fields) == (("Backups",), ("User",))
    assert rule.custom == {"x-owner": {"team": "blue"}}
    assert str(rule.location) == "<text>:1:1"


def test_a_list_of_conditions_is_several() -> None:
    assert len(only_rule(rule_text("{User: root}", "[selection, not selection]")).conditions) == 2


def test_a_condition_may_span_lines() -> None:
    text = rule_text("{User: root}", "|\n    selection\n    and not filtr")
    found = one(text)
    assert (found.code, marked(found, text)) == ("FA021", "filtr")


def test_a_detection_with_errors_is_still_defined() -> None:
    assert codes(rule_text("{Usr: root}")) == ["FA040"]


def test_a_detection_without_detections_is_refused() -> None:
    assert codes(HEAD + "detection: {condition: selection}\n") == ["FA035", "FA021"]


def test_detections_without_number_are_refused() -> None:
    many = "".join(f"  d{n}: {{User: x}}\n" for n in range(MAX_DETECTIONS + 1))
    assert codes(f"{HEAD}detection:\n  condition: 1 of d*\n{many}") == ["FA024"]


def test_the_time_frame_of_an_aggregation_is_no_keyword() -> None:
    text = f"{HEAD}detection:\n  a: {{User: x}}\n  timeframe: 5m\n  condition: a\n"
    found = one(text)
    assert (found.code, marked(found, text)) == ("FA023", "timeframe")
    assert found.help == "write a correlation rule: 'correlation: {timespan: 5m, …}'"


@pytest.mark.parametrize("detection", ["{User: 5m}", "[mimikatz]", "mimikatz"])
def test_a_detection_may_be_called_timeframe(detection: str) -> None:
    assert codes(f"{HEAD}detection:\n  timeframe: {detection}\n  condition: timeframe\n") == []


@pytest.mark.parametrize("action", ["global", "repeat", "reset"])
def test_a_part_of_a_collection_is_told_and_not_taken_for_a_rule_without_attributes(action: str) -> None:
    text = f"title: A collection\naction: {action}\n"
    found = one(text)
    assert (found.code, marked(found, text)) == ("FA018", "action")


def test_a_whole_rule_may_have_an_action() -> None:
    assert "FA018" not in codes("action: global\n" + rule_text("{User: x}"))


def test_independent_errors_are_reported_together() -> None:
    text = rule_text(
        "{TargetFilename|startwith: /x, User: a, User: b}",
        "selection and not filter",
        HEAD + "date: 2024-13-45\n",
    )
    assert sorted(found.code for found in found_in(text)) == ["FA005", "FA014", "FA021", "FA030"]
