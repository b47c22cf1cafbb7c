"""Filters applied to rules: which rules, what they become, and what is said of filters that miss."""

from pathlib import Path

import pytest
from tests.unit.rules.test_filters import RULE, filter_text

from fileaudit_engine.diagnostics import Severity
from fileaudit_engine.rules.ast import Rule
from fileaudit_engine.rules.condition import spelled_condition
from fileaudit_engine.rules.filtering import MAX_FILTERS, MAX_FILTERS_OF_RULE
from fileaudit_engine.rules.parser import LoadedRules, load_rules, parse_text

OTHER = (
    RULE.replace("shadow\n", "delete\n", 1)
    .replace("fcc", "fcd")
    .replace("Shadow was read", "Something was deleted")
    .replace("file_access", "file_delete")
)
FILTER = filter_text("not 1 of them")


def rule(text: str) -> Rule:
    return parse_text(text).rules[0]


def conditions(one: Rule) -> list[str]:
    return [spelled_condition(condition) for condition in one.conditions]


def errors(loaded: LoadedRules) -> list[str]:
    return [found.code for found in loaded.diagnostics if found.severity is Severity.ERROR]


def naming(reference: str) -> str:
    return FILTER.replace("[shadow]", f"[{reference}]")


@pytest.mark.parametrize("reference", ["shadow", "929A690E-bef0-4204-a928-ef5e620d6fcc", "Shadow was read"])
def test_a_rule_is_named_by_its_name_id_or_title(reference: str) -> None:
    assert rule(RULE + naming(reference)).filters == ("Backup",)


def test_the_condition_becomes_one_without_what_the_filter_drops() -> None:
    one = rule(RULE + filter_text("not a"))
    assert conditions(one) == ["selection and not Backup/a"]
    assert list(one.detections) == ["selection", "Backup/a", "Backup/b"]


def test_each_of_several_conditions_is_filtered() -> None:
    text = RULE.replace("condition: selection", "condition: [selection, not selection]")
    assert conditions(rule(text + filter_text("not a"))) == [
        "selection and not Backup/a",
        "not selection and not Backup/a",
    ]


def test_several_filters_are_applied_side_by_side() -> None:
    second = filter_text("not a").replace("Backup", "Scanner")
    one = rule(f"{RULE}{filter_text('not a')}---\n{second}")
    assert conditions(one) == ["selection and not Backup/a and not Scanner/a"]
    assert one.filters == ("Backup", "Scanner")


def test_two_filters_of_one_title_do_not_mix_their_detections() -> None:
    second = filter_text("not a").replace("root", "alice")
    one = rule(f"{RULE}{filter_text('not a')}---\n{second}")
    assert len(one.detections) == 5
    assert conditions(one) == ["selection and not Backup/a and not Backup'/a"]


def test_the_detections_of_a_filter_are_not_the_globs_of_the_rule() -> None:
    text = RULE.replace("condition: selection", "condition: 1 of them")
    (condition,) = rule(text + filter_text("not a", "  selection: {User: x}\n  a: {User: y}\n")).conditions
    assert "names=('selection',)" in repr(condition)


def test_the_globs_of_a_filter_are_not_the_detections_of_the_rule() -> None:
    (condition,) = rule(RULE + filter_text("not 1 of them")).conditions
    assert "names=('Backup/a', 'Backup/b')" in repr(condition)


def test_a_detection_of_the_rule_may_have_the_name_that_a_filter_would_give() -> None:
    text = RULE.replace("  condition", "  Backup/a: {User: x}\n  condition")
    assert "Backup'/a" in rule(text + filter_text("not a")).detections


def test_a_filter_for_every_rule_reaches_those_of_its_log_source() -> None:
    everything = FILTER.replace("[shadow]", "any").replace("{product: linux}", "{category: file_delete}")
    loaded = parse_text(RULE + OTHER + everything)
    assert {one.key: one.filters for one in loaded.rules} == {"shadow": (), "delete": ("Backup",)}
    assert loaded.diagnostics == ()


def test_a_rule_without_a_product_is_one_for_linux() -> None:
    text = RULE.replace("{product: linux, category: file_access}", "{service: fileaudit}")
    assert rule(text + FILTER).filters == ("Backup",)


def test_a_filter_for_every_rule_that_reaches_none_is_a_warning() -> None:
    text = FILTER.replace("[shadow]", "any").replace("{product: linux}", "{product: windows}")
    loaded = parse_text(RULE + text)
    assert [(found.code, found.severity) for found in loaded.diagnostics] == [("FA042", Severity.WARNING)]


def test_a_named_rule_of_another_log_source_is_an_error_and_the_others_are_filtered() -> None:
    text = naming("shadow, delete").replace("{product: linux}", "{category: file_access}")
    loaded = parse_text(RULE + OTHER + text)
    (found,) = loaded.diagnostics
    assert (found.code, found.severity) == ("FA042", Severity.ERROR)
    assert "product: linux, category: file_delete" in found.help
    assert [one.filters for one in loaded.rules] == [("Backup",), ()]


def test_a_name_that_no_rule_has_is_an_error_with_the_nearest_and_the_others_are_filtered() -> None:
    loaded = parse_text(RULE + naming("shadw, shadow"))
    (found,) = loaded.diagnostics
    assert (found.code, found.help) == ("FA042", "did you mean 'shadow'?")
    assert loaded.rules[0].filters == ("Backup",)


def test_a_title_that_several_rules_share_is_an_error() -> None:
    twin = OTHER.replace("Something was deleted", "Shadow was read")
    loaded = parse_text(RULE + twin + naming("Shadow was read"))
    (found,) = loaded.diagnostics
    assert (found.message, found.help) == (
        "2 rules are called 'Shadow was read'",
        "write one of shadow, delete",
    )


def test_a_word_for_every_rule_is_none_in_a_list() -> None:
    (found,) = parse_text(RULE + naming("any")).diagnostics
    assert "without a list" in found.help


def test_a_rule_that_is_broken_itself_is_not_reported_again() -> None:
    broken = RULE.replace("TargetFilename", "TargetFilenam")
    for reference in ("shadow", "Shadow was read", "929a690e-bef0-4204-a928-ef5e620d6fcc"):
        assert errors(parse_text(broken + naming(reference))) == ["FA040"]


def test_a_filter_and_a_rule_may_stand_in_any_order_and_in_any_file(tmp_path: Path) -> None:
    (tmp_path / "a_filter.yml").write_text(FILTER)
    (tmp_path / "b_rule.yml").write_text(RULE)
    loaded = load_rules([tmp_path])
    assert loaded.diagnostics == ()
    assert loaded.rules[0].filters == ("Backup",)


def test_a_filter_alone_matches_nothing_and_is_no_rule() -> None:
    loaded = parse_text(FILTER.replace("[shadow]", "any"))
    assert (loaded.rules, len(loaded.filters)) == ((), 1)


def test_filters_without_number_are_not_applied() -> None:
    many = "---\n".join(f"{filter_text('not a')}# {number}\n" for number in range(MAX_FILTERS_OF_RULE + 1))
    loaded = parse_text(RULE + many)
    assert len(loaded.rules[0].filters) == MAX_FILTERS_OF_RULE
    assert errors(loaded) == ["FA042"]


def test_a_pack_has_a_bound_of_filters() -> None:
    one = filter_text("not a").replace("linux", "windows").replace("[shadow]", "any")
    loaded = parse_text(RULE + "---\n".join([one] * (MAX_FILTERS + 1)))
    assert errors(loaded) == ["FA042"]


def test_wrong_names_without_number_are_reported_up_to_a_bound() -> None:
    names = ", ".join(f"no_such_rule_{number}" for number in range(50_000))
    loaded = parse_text(RULE + naming(names))
    assert set(errors(loaded)) == {"FA042"}
    assert len(errors(loaded)) <= 201


def test_a_mistyped_id_is_compared_with_ids_and_a_mistyped_name_with_names() -> None:
    near, far = "029a690e-bef0-4204-a928-ef5e620d6fcc", "08fbc97d-0a2f-491c-ae21-8ffcfd3174e9"
    titled = OTHER.replace("Something was deleted", "08fbc97d 0a2f 491c ae21 8ffcfd3174e9 is deleted")
    helps = [parse_text(RULE + titled + naming(name)).diagnostics[0].help for name in (near, far, "shado")]
    assert helps == ["did you mean 'shadow'?", "write the rule's name, id or title", "did you mean 'shadow'?"]
