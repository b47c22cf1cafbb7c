"""What the documents of one file may cost together."""

import pytest

from fileaudit_engine.rules.budget import MAX_EXPRESSIONS, MAX_FORMS_OF_FILE, Budget
from fileaudit_engine.rules.refusal import UnusableValue
from fileaudit_engine.rules.size import MAX_CHECKS, MAX_CHECKS_OF_FILE


def test_the_last_expression_of_a_file_that_is_taken() -> None:
    budget = Budget(expressions=MAX_EXPRESSIONS - 1)
    budget.count_expression()
    with pytest.raises(UnusableValue, match="more than 2,000 regular expressions") as refused:
        budget.count_expression()
    assert refused.value.code == "FA034"


def test_the_last_form_of_a_file_that_is_taken() -> None:
    budget = Budget()
    budget.count_forms(MAX_FORMS_OF_FILE)
    with pytest.raises(UnusableValue, match="more than 100,000 forms"):
        budget.count_forms(1)


def test_checks_are_bounded_for_a_document_and_for_a_file() -> None:
    budget = Budget()
    asked = [MAX_CHECKS] * (MAX_CHECKS_OF_FILE // MAX_CHECKS)
    assert [budget.too_many_checks(each) for each in asked] == [""] * len(asked)
    assert budget.too_many_checks(1) == "the documents of this file make more than 500,000 checks"
    assert Budget().too_many_checks(MAX_CHECKS + 1).startswith("spelled out, the condition makes 100,001")
