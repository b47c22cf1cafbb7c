import pytest
from tests.unit.rules.examples import codes, detection_of, found_in, item_of, marked, one, rule_text

from fileaudit_engine.rules.ast import DetectionItem, DetectionList, DetectionMap, Scalar
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
    assert values_of(r"{User: [Root, 5, 1.5, true, '', 'a\*\\b', 0755, yes]}") == [
        *("Root", 5, 1.5, True, "", r"a\*\\b", "0755", "yes")
    ]
    assert values_of("{User: null}") == values_of("{User: [null]}") == [None]


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


def keywords_of(yaml: str) -> DetectionItem:
    detection = detection_of(yaml)
    assert isinstance(detection, DetectionItem)
    return detection


@pytest.mark.parametrize("yaml", ["[a, 5, 0x1F, '*b*c']", "[a, 5, 31, d]"])
def test_a_list_of_scalars_is_a_search_for_any_of_the_keywords(yaml: str) -> None:
    item = keywords_of(yaml)
    assert (item.field, item.modifiers, item.is_list) == (None, (), True)
    assert len(item.values) == 4


def test_a_scalar_is_a_search_for_one_keyword() -> None:
    item = keywords_of("mimikatz")
    assert (item.field, item.is_list, [value.value for value in item.values]) == (None, False, ["mimikatz"])


def test_a_number_among_keywords_is_what_was_written() -> None:
    assert [value.value for value in keywords_of("[0x1F, 1.50]").values] == ["0x1F", "1.50"]


def test_an_item_without_a_name_is_a_search_with_modifiers() -> None:
    item = item_of("{'|all': [a, b], User: root}")
    assert (item.field, item.modifiers) == (None, ("all",))


def test_a_list_may_mix_keywords_and_maps() -> None:
    detection = detection_of("[{User: x}, keyword, {Image: y}]")
    assert isinstance(detection, DetectionList)
    assert [type(member) for member in detection.members] == [DetectionMap, DetectionItem, DetectionMap]


@pytest.mark.parametrize(
    "key",
    ["|re", "|re|i", "|cased", "|contains", "|windash", "|base64offset", "|wide|base64offset", "|neq"],
)
def test_a_keyword_takes_the_modifiers_that_say_something_of_texts(key: str) -> None:
    assert item_of(f"{{'{key}': keyword}}").field is None


@pytest.mark.parametrize(
    "key",
    [
        *("exists", "cidr", "lt", "lte", "gt", "gte", "fieldref", "startswith", "endswith", "under", "path"),
        *("minute", "hour", "day", "week", "month", "year"),
    ],
)
def test_a_keyword_takes_no_modifier_that_needs_a_field(key: str) -> None:
    text = rule_text(f"{{'|all|{key}': [a, b]}}")
    (found, *_) = found_in(text)
    assert (found.code, marked(found, text)) == ("FA032", key)


@pytest.mark.parametrize("keyword", ["''", "'*'", "'**?'", "[a, '']", "{'|all': ['', b]}"])
def test_a_keyword_that_every_event_contains_is_refused(keyword: str) -> None:
    assert codes(rule_text(keyword)) == ["FA036"]


@pytest.mark.parametrize("keyword", ["true", "[a, false]", "[a, null]", "{'|all': [null, a]}"])
def test_a_truth_value_or_null_is_no_keyword(keyword: str) -> None:
    assert "FA033" in codes(rule_text(keyword))


@pytest.mark.parametrize("values", ["[a, null]", "['', null]", "[null, null]"])
def test_null_stands_alone(values: str) -> None:
    text = rule_text(f"{{User: {values}}}")
    found = one(text)
    assert (found.code, marked(found, text)) == ("FA033", "null")
    assert "detection of its own" in found.help


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
