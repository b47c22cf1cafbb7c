"""What a document asks for, spelled out, is bounded before it is compiled."""

import pytest
from tests.unit.rules.examples import HEAD, codes, found_in, rule_text

from fileaudit_engine.rules import budget, filtering, size


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a test can reach."""
    monkeypatch.setattr(budget, "MAX_CHECKS", 10)
    monkeypatch.setattr(budget, "MAX_CHECKS_OF_FILE", 16)
    monkeypatch.setattr(filtering, "MAX_ADDED_CHECKS", 6)


def rule(values: int, condition: str) -> str:
    return rule_text(f"{{User: [{', '.join(f'v{n}' for n in range(values))}]}}", condition)


def filter_of(values: int) -> str:
    listed = ", ".join(f"v{n}" for n in range(values))
    return (
        "---\ntitle: A filter\nlogsource: {product: linux}\n"
        f"filter: {{rules: any, selection: {{User: [{listed}]}}, condition: not selection}}\n"
    )


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("values", "condition"),
    [(10, "selection"), (5, "selection or selection"), (3, "1 of sel* or not (selection and all of them)")],
)
def test_as_many_checks_as_there_may_be_are_taken(values: int, condition: str) -> None:
    assert "FA024" not in codes(rule(values, condition))


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("values", "condition"),
    [
        (11, "selection"),
        (6, "selection or selection"),
        (6, "[selection, selection]"),
        (4, "1 of sel* or not (selection and all of them)"),
    ],
)
def test_a_check_more_is_an_error_of_the_detection(values: int, condition: str) -> None:
    (found,) = [each for each in found_in(rule(values, condition)) if each.code == "FA024"]
    assert str(found.location) == "<text>:6:1"
    assert "at most 10 are made" in found.message


@pytest.mark.usefixtures("few")
def test_forms_that_modifiers_make_count_as_checks() -> None:
    assert "FA024" in codes(rule_text("{CommandLine|windash: ['-a', '-b', '-c']}"))
    assert "FA024" not in codes(rule_text("{CommandLine: ['-a', '-b', '-c']}"))


@pytest.mark.usefixtures("few")
def test_the_documents_of_a_file_share_a_bound() -> None:
    assert codes("---\n".join([rule(8, "selection")] * 3)).count("FA024") == 1


@pytest.mark.usefixtures("few")
def test_a_filter_that_would_add_too_much_is_reported_and_not_applied() -> None:
    text = rule(1, "selection")
    assert "FA042" not in codes(text + filter_of(6))
    assert "FA042" in codes(text + filter_of(7))


def test_checks_of_names_that_are_unknown_count_for_nothing() -> None:
    assert size.checks((), {"selection": 5}) == 0


def test_a_head_alone_asks_for_nothing() -> None:
    assert "FA024" not in codes(HEAD)
