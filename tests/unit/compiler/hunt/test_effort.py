"""Expressions that Lucene would not make an automaton of are not asked for: it would find nothing."""

import pytest
from tests.unit.compiler.examples import matches, text_test
from tests.unit.compiler.hunt.costly import CHEAP, COSTLY

from fileaudit_engine.compiler.hunt.conditions import Language
from fileaudit_engine.compiler.hunt.costs import GAP
from fileaudit_engine.compiler.hunt.effort import is_too_costly
from fileaudit_engine.compiler.hunt.re2 import lucene_of
from fileaudit_engine.compiler.hunt.translate import hunted
from fileaudit_engine.compiler.ir import All, Matches, Negation, Predicate, Searches, Test, Wildcard
from fileaudit_engine.events.fields import BY_NAME

LANGUAGES = pytest.mark.parametrize("language", Language)
USER = text_test("User", "root")


@pytest.mark.parametrize("expression", COSTLY)
def test_what_lucene_gives_up_on_is_too_costly(expression: str) -> None:
    assert is_too_costly(lucene_of(expression, "s", folded=False))


@pytest.mark.parametrize("expression", CHEAP)
def test_what_rules_have_is_not(expression: str) -> None:
    assert not is_too_costly(lucene_of(expression, "s", folded=False))


def test_an_expression_that_would_be_spelled_out_for_ever_is_given_up_at_once() -> None:
    assert is_too_costly(lucene_of("((((a{9}){9}b){9}c){9}d){9}", "", folded=False))


@LANGUAGES
@pytest.mark.parametrize("name", ["TargetFilename", "AncestorImages"])
def test_a_hunt_leaves_out_what_is_too_costly_and_says_so(name: str, language: Language) -> None:
    test = Test(field=BY_NAME[name], check=Searches(expression="[a-c]{1000}", flags=""))
    found = hunted(All(operands=(USER, test)), language)
    assert [gap.test for gap in found.gaps] == [test]
    assert found.condition == hunted(USER, language).condition


@LANGUAGES
@pytest.mark.parametrize("negative", [False, True])
def test_so_it_is_with_patterns(language: Language, negative: bool) -> None:  # noqa: FBT001 - a case
    check = matches(("/a", *[Wildcard.ONE] * 30), cased=True)
    assert isinstance(check, Matches)
    pattern = (Wildcard.ANY, *check.pattern)
    test = Test(field=BY_NAME["TargetFilename"], check=Matches(pattern=pattern, cased=True))
    part: Predicate = Negation(operand=test) if negative else test
    found = hunted(All(operands=(USER, part)), language)
    assert [gap.words for gap in found.gaps] == [GAP]


@LANGUAGES
def test_a_pattern_of_many_stars_is_none_of_these(language: Language) -> None:
    pattern = (Wildcard.ANY, "/tmp/", Wildcard.ANY, "passwd", Wildcard.ANY, ".bak", Wildcard.ANY)
    test = Test(field=BY_NAME["TargetFilename"], check=Matches(pattern=pattern, cased=True))
    assert hunted(test, language).gaps == ()
