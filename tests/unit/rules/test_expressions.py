import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.rules.expressions import MAX_CHARACTERS, expression_problem


@pytest.mark.parametrize(
    "pattern", ["", "a.*b", r"\d+\.\w", "(?i)x", "(?P<n>x)", "(?:a|b){1,3}", r"\bword\b", "é"]
)
def test_what_re2_runs_is_no_problem(pattern: str) -> None:
    assert expression_problem(pattern, "") is None
    assert expression_problem(pattern, "ims") is None


@pytest.mark.parametrize(
    ("pattern", "part", "remedy"),
    [
        ("ab(?=c)", "(?=", "look-around"),
        ("ab(?!c)", "(?!", "look-around"),
        ("ab(?<=c)", "(?<=", "look-around"),
        (r"(a)\1", r"\1", "back-references"),
        (r"a\Z", r"\Z", r"\z"),
        ("ab*+", "*+", "possessive"),
        ("a{2000}", "{2000}", "1000"),
        ("x(a", "x(a", "')'"),
        ("x[a", "[a", "']'"),
        ("[z-a]", "z-a", "smaller"),
        ("*a", "*", "quantifier"),
    ],
)
def test_the_construct_is_found_and_a_way_around_it_named(pattern: str, part: str, remedy: str) -> None:
    problem = expression_problem(pattern, "i")
    assert problem is not None
    assert pattern[problem.start : problem.end] == part
    assert remedy in problem.help


def test_a_pattern_of_absurd_length_is_not_tried() -> None:
    assert expression_problem("a" * (MAX_CHARACTERS + 1), "") is not None


def test_re2_complains_to_us_and_not_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    expression_problem("never tried before (", "")
    assert capfd.readouterr() == ("", "")


@given(st.one_of(st.text(), st.text(alphabet=r"ab()[]{}*+?\|^$.,1-")))
def test_every_pattern_runs_or_has_a_problem_with_a_place(pattern: str) -> None:
    try:
        pattern.encode()
    except UnicodeEncodeError:
        return  # YAML text never holds a lone surrogate
    problem = expression_problem(pattern, "")
    if problem:
        assert 0 <= problem.start <= problem.end <= max(1, len(pattern))


def test_a_byte_that_is_no_character_cannot_stand_in_an_expression() -> None:
    found = expression_problem("a\udc80b", "")
    assert found is not None
    assert (found.start, found.end) == (1, 2)
