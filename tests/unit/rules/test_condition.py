from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.diagnostics import Collector, Diagnostic, Location
from fileaudit_engine.rules.ast import And, Condition, Identifier, Not, Or, Quantified
from fileaudit_engine.rules.condition import (
    MAX_CHARACTERS,
    MAX_PARENTHESES,
    names_in,
    parse_condition,
    selected,
    spelled_condition,
)

NAMES = ("selection", "selection_two", "filter_login", "filter_pam", "_private", "not_admin", "and_x")
NOWHERE = Location(file="")


def place(start: int, end: int) -> Location:
    return Location(file="c", line=1, column=start, end_column=end)


def parsed(text: str, names: Sequence[str] = NAMES) -> Condition:
    """The condition, its places taken away."""
    found = Collector()
    condition = parse_condition(text, names, place, found)
    assert condition is not None, found.diagnostics
    assert found.diagnostics == []
    return placeless(condition)


def placeless(condition: Condition) -> Condition:
    match condition:
        case Identifier() | Quantified():
            return replace(condition, location=NOWHERE)
        case Not(operand=operand):
            return Not(operand=placeless(operand))
        case And(operands=operands):
            return And(operands=tuple(map(placeless, operands)))
        case Or(operands=operands):
            return Or(operands=tuple(map(placeless, operands)))


def refused(text: str, names: Sequence[str] = NAMES) -> list[Diagnostic]:
    found = Collector()
    assert parse_condition(text, names, place, found) is None
    return found.diagnostics


def pointed_at(text: str, names: Sequence[str] = NAMES) -> tuple[str, str]:
    """The code of the only finding, and the part of the text that it marks."""
    (diagnostic,) = refused(text, names)
    return diagnostic.code, text[diagnostic.location.column : diagnostic.location.end_column]


def name(text: str) -> Identifier:
    return Identifier(name=text, location=NOWHERE)


def of(pattern: str, *names: str, every: bool = False) -> Quantified:
    return Quantified(every=every, pattern=pattern, names=names, location=NOWHERE)


A, B, C, D = (name(letter) for letter in "abcd")
LETTERS = ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", A),
        ("a and b and c", And(operands=(A, B, C))),
        ("a or b and c", Or(operands=(A, And(operands=(B, C))))),
        ("a and b or c", Or(operands=(And(operands=(A, B)), C))),
        ("not a and b", And(operands=(Not(operand=A), B))),
        ("not not a", Not(operand=Not(operand=A))),
        ("not (a or b)", Not(operand=Or(operands=(A, B)))),
        ("(a or b) and (c or d)", And(operands=(Or(operands=(A, B)), Or(operands=(C, D))))),
        ("(a and b) and c", And(operands=(And(operands=(A, B)), C))),
        ("((a))", A),
        ("a AND b Or NOT c", Or(operands=(And(operands=(A, B)), Not(operand=C)))),
        ("a\n  and\tb", And(operands=(A, B))),
        ("not(a)and(b)", And(operands=(Not(operand=A), B))),
    ],
)
def test_or_binds_looser_than_and_and_and_looser_than_not(text: str, tree: Condition) -> None:
    assert parsed(text, LETTERS) == tree


@pytest.mark.parametrize("text", ["not_admin", "and_x", "selection_two"])
def test_a_name_may_begin_with_a_word_of_the_language(text: str) -> None:
    assert parsed(text) == name(text)


@pytest.mark.parametrize(
    "text", ["or1", "not-a", "and.b", "1", "any", "all", "of", "them", "größe", "a.b-c_1"]
)
def test_whatever_is_not_and_or_not_may_be_a_name(text: str) -> None:
    assert parsed(text, [text]) == name(text)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 of filter_*", of("filter_*", "filter_login", "filter_pam")),
        ("any of filter_*", of("filter_*", "filter_login", "filter_pam")),
        ("ALL  OF filter_*", of("filter_*", "filter_login", "filter_pam", every=True)),
        ("1 of *_login", of("*_login", "filter_login")),
        ("1 of f*_*m", of("f*_*m", "filter_pam")),
        ("1 of selection", of("selection", "selection")),
        ("1 of _*", of("_*", "_private")),
        ("1 of _private", of("_private", "_private")),
        ("1 of *private", None),
    ],
)
def test_a_glob_selects_names_in_the_order_of_the_document(text: str, tree: Condition | None) -> None:
    if tree is None:
        assert pointed_at(text) == ("FA022", text)
    else:
        assert parsed(text) == tree


def test_them_leaves_out_what_begins_with_an_underscore() -> None:
    tree = parsed("1 of Them")
    assert isinstance(tree, Quantified)
    assert tree.names == tuple(each for each in NAMES if each != "_private")


def test_a_quantifier_binds_tighter_than_not() -> None:
    assert parsed("selection and not 1 of filter_*") == And(
        operands=(name("selection"), Not(operand=of("filter_*", "filter_login", "filter_pam")))
    )


def test_an_undefined_name_is_marked_and_its_family_offered() -> None:
    (found,) = refused("selection and not filter", ["selection", "filter_login"])
    assert (found.code, found.location) == ("FA021", place(18, 24))
    assert found.label == "the detection has 'selection' and 'filter_login'"
    assert found.help == "write 'filter_login', or 'not 1 of filter_*'"


def test_a_misspelt_name_is_compared_with_the_others() -> None:
    (found,) = refused("Selektion")
    assert found.help == "did you mean 'selection'?"


def test_every_undefined_name_is_reported() -> None:
    assert [d.location.column for d in refused("x and (selection or not y) and 1 of z*")] == [0, 24, 31]


def test_a_glob_that_only_hidden_names_would_fit_says_so() -> None:
    (found,) = refused("1 of priv*")
    assert found.code == "FA022"
    assert "'_'" in found.help


@pytest.mark.parametrize(("text", "remedy"), [("1 of them", "'1 of _*'"), ("all of THEM", "'all of _*'")])
def test_them_of_hidden_names_only_selects_nothing_and_says_why(text: str, remedy: str) -> None:
    found = Collector()
    parse_condition(text, ["_private"], lambda _start, _end: NOWHERE, found)
    (problem,) = found.diagnostics
    assert (problem.code, problem.message) == ("FA022", f"'{text.rsplit(maxsplit=1)[-1]}' selects nothing")
    assert remedy in problem.help


def test_a_glob_without_a_quantifier_is_told_what_it_needs() -> None:
    (found,) = refused("selection*")
    assert found.code == "FA020"
    assert found.help == "write '1 of selection*' or 'all of selection*'"


@pytest.mark.parametrize(
    ("text", "mark", "word"),
    [
        ("a b", "b", "expected 'and', 'or' or the end, found 'b'"),
        ("a and or b", "or", "expected the name of a detection, found 'or'"),
        ("a and", "", "found the end of the condition"),
        ("not", "", "found the end of the condition"),
        ("", "", "found the end of the condition"),
        ("(a or b", "", "expected ')', found the end of the condition"),
        ("(a or b c)", "c", "expected ')', found 'c'"),
        ("a or b)", ")", "found ')'"),
        ("()", ")", "found ')'"),
        ("a & b", "&", "found '&'"),
        ("2 of a*", "of", "found 'of'"),
        ("1 of", "of", "found 'of'"),
        ("1 of (a, b)", "of", "found 'of'"),
    ],
)
def test_a_syntax_error_says_what_was_expected_and_what_was_found(text: str, mark: str, word: str) -> None:
    (found,) = refused(text, LETTERS)
    assert pointed_at(text, LETTERS) == ("FA020", mark)
    assert word in found.message
    assert found.help


@pytest.mark.parametrize(
    "text", ["selection | count() > 5", "selection | near other", "selection|count(x) by y > 1"]
)
def test_an_aggregation_is_refused_and_correlations_are_named(text: str) -> None:
    (found,) = refused(text)
    assert pointed_at(text) == ("FA023", "|")
    assert "correlation" in found.help


def test_as_many_parentheses_as_are_allowed_are_read() -> None:
    assert parsed("(" * MAX_PARENTHESES + "selection" + ")" * MAX_PARENTHESES) == name("selection")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "(" * (MAX_PARENTHESES + 1) + "a" + ")" * (MAX_PARENTHESES + 1),
        "not " * 2_000 + "a",
        "a" * (MAX_CHARACTERS + 1),
    ],
)
def test_a_condition_without_measure_is_refused(text: str) -> None:
    (found,) = refused(text, LETTERS)
    assert found.code == "FA024"


def test_the_deepest_condition_that_is_read_can_be_worked_with() -> None:
    text = "not not not (a or " * MAX_PARENTHESES + "a" + ")" * MAX_PARENTHESES
    tree = parsed(text, LETTERS)
    assert parsed(spelled_condition(tree), LETTERS) == tree


def test_names_are_told_from_their_quantifiers() -> None:
    assert names_in(parsed("selection and not (1 of filter_* or and_x)")) == {
        *("selection", "filter_login", "filter_pam", "and_x")
    }


def test_a_glob_with_many_stars_does_not_take_forever() -> None:
    assert selected("a*" * 40 + "b", ["a" * 5_000]) == ()


globs = st.sampled_from(["selection*", "filter_*", "*", "them", "_*", "*_login", "not_admin"])
leaves = st.one_of(
    st.sampled_from(NAMES).map(name),
    st.builds(
        lambda glob, every: of(glob, *selected(glob, NAMES), every=every), glob=globs, every=st.booleans()
    ),
)


def grown(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(
        st.builds(lambda operand: Not(operand=operand), inner),
        st.builds(lambda operands: And(operands=operands), several),
        st.builds(lambda operands: Or(operands=operands), several),
    )


@given(
    st.recursive(leaves, grown, max_leaves=12).filter(
        lambda tree: "not not not not not" not in spelled_condition(tree)
    )
)
def test_a_spelled_condition_is_read_as_itself(tree: Condition) -> None:
    assert parsed(spelled_condition(tree)) == tree


@given(
    st.one_of(
        st.text(),
        st.text(alphabet="ab()*_ 1|\n"),
        st.lists(st.sampled_from(["a", "and", "or", "not", "(", ")", "1", "of", "all", "a*", "them"])).map(
            " ".join
        ),
    )
)
def test_every_text_is_a_condition_or_a_finding(text: str) -> None:
    found = Collector()
    condition = parse_condition(text, LETTERS, place, found)
    assert (condition is None) == bool(found.diagnostics)
    for diagnostic in found.diagnostics:
        assert 0 <= diagnostic.location.column <= diagnostic.location.end_column <= len(text)
