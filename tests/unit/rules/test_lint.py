import pytest
from tests.unit.rules.examples import HEAD, codes, marked, one, rule_text

from fileaudit_engine.diagnostics import Severity
from fileaudit_engine.rules.parser import parse_text


def with_filter(condition: str) -> str:
    return f"{HEAD}detection:\n  selection: {{User: a}}\n  filter_x: {{User: b}}\n  condition: {condition}\n"


def test_lint_leaves_a_rule_usable() -> None:
    loaded = parse_text(with_filter("selection"))
    assert len(loaded.rules) == 1
    assert {diagnostic.severity for diagnostic in loaded.diagnostics} == {Severity.WARNING}


def test_a_detection_without_use_is_reported() -> None:
    text = with_filter("selection")
    found = one(text)
    assert (found.code, marked(found, text)) == ("FA050", "filter_x")


@pytest.mark.parametrize("condition", ["selection and not filter_x", "1 of them", "[selection, filter_x]"])
def test_a_detection_is_used_by_its_name_a_glob_or_another_condition(condition: str) -> None:
    assert codes(with_filter(condition)) == []


@pytest.mark.parametrize("name", ["id", "level", "description"])
def test_a_rule_without_what_its_alerts_need_is_reported(name: str) -> None:
    head = "".join(line for line in HEAD.splitlines(keepends=True) if not line.startswith(name))
    found = one(rule_text("{User: a}", head=head))
    assert found.code == "FA051"
    assert name in found.message


def test_an_attribute_that_looks_like_a_slip_is_reported() -> None:
    found = one(rule_text("{User: a}", head=HEAD + "refrences: [x]\n"))
    assert (found.code, found.help) == ("FA052", "did you mean 'references'?")


def test_an_attribute_of_ones_own_is_not() -> None:
    assert codes(rule_text("{User: a}", head=HEAD + "x-team: blue\n")) == []


@pytest.mark.parametrize(("written", "place"), [("[Backups, None]", "None"), ("[none.]", "none.")])
def test_a_rule_that_claims_to_have_no_false_positives_is_doubtful(written: str, place: str) -> None:
    text = rule_text("{User: a}", head=HEAD + f"falsepositives: {written}\n")
    found = one(text)
    assert (found.code, marked(found, text)) == ("FA045", place)


@pytest.mark.parametrize("written", ["[Unknown]", "[None of the usual tools]"])
def test_a_rule_that_does_not_know_any_is_not(written: str) -> None:
    assert codes(rule_text("{User: a}", head=HEAD + f"falsepositives: {written}\n")) == []


def test_a_value_that_stands_twice_is_reported_at_its_second_place() -> None:
    text = rule_text("{User: [root, alice, ROOT]}")
    found = one(text)
    assert (found.code, marked(found, text)) == ("FA053", "ROOT")


@pytest.mark.parametrize(
    "detection", ["{User|cased: [a, A]}", "{User|re: [a, A]}", "{UserId: [1, '1']}", "{User: [true, 1]}"]
)
def test_values_that_differ_are_not(detection: str) -> None:
    assert codes(rule_text(detection)) == []


def test_all_on_a_single_value_is_reported() -> None:
    assert codes(rule_text("{CommandLine|contains|all: [x]}")) == ["FA054"]


def test_a_value_that_the_field_never_has_is_reported() -> None:
    found = one(rule_text("{Operation: opne}"))
    assert (found.code, found.help) == ("FA055", "did you mean 'open'?")


@pytest.mark.parametrize("value", ["open", "OPEN", "o*", "null", "[open, create]"])
def test_a_value_that_the_field_may_have_is_not(value: str) -> None:
    assert codes(rule_text(f"{{Operation: {value}}}")) == []


@pytest.mark.parametrize(
    "condition",
    [
        "selection and not selection",
        "selection and filter_x and not 1 of filter_*",
        "not (selection or filter_x) and selection",
        "all of them and not filter_x",
        "(selection and filter_x) and not (selection and filter_x) and not selection",
    ],
)
def test_a_condition_that_nothing_fulfils_is_reported(condition: str) -> None:
    assert "FA056" in codes(with_filter(condition))


@pytest.mark.parametrize(
    "condition",
    [
        "selection and not filter_x",
        "selection and not all of them",
        "selection or not selection or filter_x",
        "not (not selection and not filter_x) and selection",
        "1 of them and not filter_x",
    ],
)
def test_a_condition_that_something_fulfils_is_not(condition: str) -> None:
    assert "FA056" not in codes(with_filter(condition))


def test_a_fragment_of_base64_that_is_to_be_the_whole_field_is_reported() -> None:
    text = rule_text("{CommandLine|base64offset: curl http}")
    found = one(text)
    assert (found.code, marked(found, text)) == ("FA048", "CommandLine|base64offset")
    assert codes(rule_text("{CommandLine|base64offset|contains: curl http}")) == []
    assert codes(rule_text("{'|base64offset': curl http}")) == []
