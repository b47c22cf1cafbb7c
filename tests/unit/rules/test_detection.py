import pytest
from tests.unit.rules.examples import codes, detection_of, item_of, marked, one, rule_text

from fileaudit_engine.rules.ast import DetectionList, DetectionMap, Scalar
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import parse_text


def values_of(yaml: str) -> list[Scalar]:
    return [value.value for value in item_of(yaml).values]


def test_a_map_asks_for_all_of_its_fields() -> None:
    detection = detection_of("{TargetFilename|startswith: /etc/, User: root}")
    assert isinstance(detection, DetectionMap)
    assert [(item.field, item.modifiers) for item in detection.items] == [
        ("TargetFilename", ("startswith",)),
        ("User", ()),
    ]


def test_a_list_of_maps_asks_for_any_of_them() -> None:
    detection = detection_of("[{User: root}, {User: alice, Image: /bin/cat}]")
    assert isinstance(detection, DetectionList)
    assert len(detection.members) == 2


def test_a_scalar_and_a_list_of_one_are_told_apart() -> None:
    assert not item_of("{User: root}").is_list
    assert item_of("{User: [root]}").is_list


def test_values_keep_their_types_case_and_escapes() -> None:
    assert values_of(r"{User: [Root, 5, 1.5, true, null, '', 'a\*\\b', 0755, yes]}") == [
        *("Root", 5, 1.5, True, None, "", r"a\*\\b", "0755", "yes")
    ]


def test_a_number_that_is_compared_as_text_is_what_was_written() -> None:
    assert values_of("{CommandLine|contains: [0x1F, 1.50]}") == ["0x1F", "1.50"]
    assert values_of("{CommandLine|cased: 0o17}") == ["0o17"]
    assert values_of("{UserId: 0x1F}") == [31]


def test_ecs_names_and_aliases_are_fields() -> None:
    assert item_of("{file.path: x}").field == "file.path"
    assert item_of("{FileName: x}").field == "FileName"


def test_an_unknown_field_is_marked_and_the_nearest_offered() -> None:
    text = rule_text("{TargetFilenme|contains: x}")
    found = one(text)
    assert (found.code, marked(found, text)) == ("FA040", "TargetFilenme")
    assert found.help == "did you mean 'TargetFilename'?"


def test_an_unknown_field_may_be_allowed() -> None:
    loaded = parse_text(rule_text("{Whatever: x}"), options=RuleOptions(allow_unknown_fields=True))
    assert loaded.diagnostics == ()
    assert len(loaded.rules) == 1


def test_a_modifier_is_marked_inside_its_key() -> None:
    text = rule_text("{TargetFilename|contains|alll: [a, b]}")
    found = one(text)
    assert (found.code, marked(found, text)) == ("FA030", "alll")


def test_field_modifier_and_value_are_reported_together() -> None:
    assert codes(rule_text("{Nope|nope: [x, [y]]}")) == ["FA040", "FA030", "FA033"]


@pytest.mark.parametrize("detection", ["text", "[a, b]", "5", "[{User: x}, keyword]", "{'|all': [a, b]}"])
def test_keyword_searches_are_refused(detection: str) -> None:
    assert codes(rule_text(detection)) == ["FA036"]


@pytest.mark.parametrize("detection", ["{}", "[]", "{User: []}", "null", "[{}]"])
def test_what_is_empty_is_refused(detection: str) -> None:
    assert codes(rule_text(detection)) == ["FA035"]


@pytest.mark.parametrize("value", ["{a: b}", "[[a]]", "[a, {b: c}]"])
def test_a_field_is_compared_with_scalars_only(value: str) -> None:
    assert codes(rule_text(f"{{User: {value}}}")) == ["FA033"]


def test_a_list_in_a_list_of_maps_is_refused() -> None:
    assert codes(rule_text("[{User: x}, [{User: y}]]")) == ["FA033"]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("CommandLine|contains: null", "expected a text or number, found null"),
        ("CommandLine|contains: true", "expected a text or number, found a truth value"),
        ("CommandLine|re: 5", "expected a text, found a number"),
        ("CommandLine|cased: null", "expected a text or number, found null"),
    ],
)
def test_a_modifier_refuses_types_that_it_does_not_take(item: str, message: str) -> None:
    found = one(rule_text(f"{{{item}}}"))
    assert (found.code, found.message) == ("FA033", message)


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan", "1e999"])
def test_a_number_that_no_event_has_is_refused(number: str) -> None:
    assert codes(rule_text(f"{{UserId: {number}}}")) == ["FA037"]


def test_the_offending_part_of_an_expression_is_marked() -> None:
    text = rule_text(r"{CommandLine|re: 'curl (?=x) y'}")
    found = one(text)
    assert (found.code, marked(found, text)) == ("FA034", "(?=")
    assert "look-around" in found.help


def test_every_broken_value_of_a_list_is_reported() -> None:
    assert codes(rule_text(r"{CommandLine|re: ['(', ok, '[']}")) == ["FA034", "FA034"]


def test_a_very_long_name_is_repeated_in_part_only() -> None:
    found = one(rule_text(f"{{{'x' * 100}: y}}"))
    assert len(found.message) < 100
