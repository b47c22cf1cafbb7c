"""Evaluation: what a rule's conditions mean for one event."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.examples import ANY, ONE, event, path_test, text_test
from tests.unit.compiler.oracle import check_holds, holds
from tests.unit.compiler.strategies import REPEATABLE, events_for, narrow_predicates, predicates, text_tests

from fileaudit_engine.compiler.ir import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    Check,
    EqualsBoolean,
    EqualsNumber,
    IsNull,
    Negation,
    Predicate,
    Searches,
    Test,
)
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.model import AccessMode, Process

LONG = "a" * 100_000
FOREIGN_DIGITS = ("\u0667", "\uff17", "\u00b2")  # an Arabic seven, a wide one, a superscript two


def check(field: str, what: Check) -> Predicate:
    return Test(field=BY_NAME[field], check=what)


def searches(expression: str, flags: str = "") -> Predicate:
    return check("TargetFilename", Searches(expression=expression, flags=flags))


@settings(REPEATABLE, max_examples=150)
@given(st.one_of(predicates(), narrow_predicates()), st.integers(0, 2**32))
def test_the_generated_function_agrees_with_the_oracle(predicate: Predicate, seed: int) -> None:
    generated = matcher(predicate)
    for happened in events_for([predicate], seed=seed, count=8):
        assert generated(happened) is holds(predicate, happened)


@settings(REPEATABLE, max_examples=200)
@given(st.lists(text_tests(), min_size=2, max_size=6), st.integers(0, 2**32))
def test_alternatives_that_share_a_closure_mean_what_they_mean_one_by_one(
    tests: list[Test], seed: int
) -> None:
    together = matcher(AnyOf(operands=tuple(tests)))
    for happened in events_for(tests, seed=seed, count=10):
        assert together(happened) is any(matcher(test)(happened) for test in tests)


def test_an_empty_conjunction_is_true_and_an_empty_disjunction_is_false() -> None:
    assert matcher(TRUE)(event())
    assert not matcher(FALSE)(event())


@pytest.mark.parametrize("count", range(1, 6))
def test_groups_of_every_size_need_all_or_any_of_their_members(count: int) -> None:
    yes, no = path_test("/etc/", ANY), text_test("User", "nobody")
    assert matcher(All(operands=(yes,) * count))(event())
    assert not matcher(All(operands=(*(yes,) * count, no)))(event())
    assert matcher(AnyOf(operands=(*(no,) * count, yes)))(event())
    assert not matcher(AnyOf(operands=(check("User", EqualsNumber(number=1)),) * count))(event())


def test_case_is_ignored_unless_the_rule_says_otherwise() -> None:
    assert matcher(path_test("/ETC/Shadow"))(event("/etc/SHADOW"))
    assert matcher(path_test("/straße/É"))(event("/STRA\u1e9eE/é"))
    assert not matcher(path_test("/etc/Shadow", cased=True))(event("/etc/shadow"))


def test_a_long_s_is_an_s_and_a_kelvin_sign_a_k_where_case_is_ignored() -> None:
    assert matcher(path_test("/root/.kube/secrets"))(event("/root/.\u212aube/\u017fecret\u017f"))
    assert not matcher(path_test("/root/.kube/", ANY, cased=True))(event("/root/.\u212aube/x"))


def test_a_whole_value_is_compared_not_a_part_of_it() -> None:
    assert not matcher(path_test("/etc/shadow"))(event("/etc/shadow-"))
    assert not matcher(path_test("shadow"))(event("/etc/shadow"))


def test_the_empty_pattern_is_the_empty_text_and_not_an_absent_field() -> None:
    assert matcher(path_test())(event(""))
    assert not matcher(path_test())(event(None))


def test_absent_is_not_empty_and_a_star_wants_a_value() -> None:
    null = check("TargetFilename", IsNull())
    assert matcher(null)(event(None))
    assert not matcher(null)(event(""))
    assert not matcher(path_test(ANY))(event(None))


def test_a_negation_is_true_for_an_absent_field() -> None:
    assert matcher(Negation(operand=text_test("User", "root")))(event(user_name=None))


def test_a_field_of_a_parent_that_is_unknown_is_absent() -> None:
    assert not matcher(text_test("ParentImage", ANY))(event())
    assert matcher(check("ParentImage", IsNull()))(event())


def test_one_member_of_a_list_is_enough() -> None:
    happened = event(process=Process(pid=1, args=("cat", "-n", "/etc/shadow")))
    assert matcher(text_test("Arguments", "-N"))(happened)
    assert not matcher(text_test("Arguments", "-n /etc/shadow"))(happened)
    assert not matcher(text_test("Arguments", ANY))(event(process=Process(pid=1, args=())))


def test_an_open_for_both_is_a_read_and_a_write() -> None:
    both = event(access_mode=AccessMode.READ_WRITE)
    assert matcher(All(operands=(text_test("AccessMode", "read"), text_test("AccessMode", "write"))))(both)
    assert not matcher(Negation(operand=text_test("AccessMode", "write")))(both)


@pytest.mark.parametrize("value", [7, "7", "+7", "07", "7.0", "7e0", "70E-1"])
def test_numbers_are_equal_as_numbers_also_where_a_text_spells_them(value: str | int) -> None:
    field = "ProcessId" if isinstance(value, int) else "User"
    happened = event(process=Process(pid=7), user_name=str(value))
    assert matcher(check(field, EqualsNumber(number=7)))(happened)
    assert matcher(check(field, EqualsNumber(number=7.0)))(happened)


@pytest.mark.parametrize(
    "text",
    ["", "7x", " 7", "7\n", "0x7", "seven", "7_0", "--7", "+-7", *FOREIGN_DIGITS, "1" * 65, "nan", "."],
)
def test_a_text_that_spells_no_number_equals_none(text: str) -> None:
    for number in (7, 70, 2, int("1" * 65)):
        assert not matcher(check("User", EqualsNumber(number=number)))(event(user_name=text))


def test_a_huge_exponent_is_a_number_and_no_error() -> None:
    assert not matcher(check("User", EqualsNumber(number=1)))(event(user_name="1e999999999"))


def test_a_number_is_text_to_a_rule_that_asks_for_text() -> None:
    assert matcher(text_test("ProcessId", "12", ANY))(event(process=Process(pid=1234)))


def test_truth_values_are_equal_to_truth_values_and_to_their_names_only() -> None:
    truncated = event(process=Process(pid=1, args_truncated=True), user_name="TRUE", user_id=1)
    for field in ("ArgumentsTruncated", "User"):
        assert matcher(check(field, EqualsBoolean(value=True)))(truncated)
        assert not matcher(check(field, EqualsBoolean(value=False)))(truncated)
    assert not matcher(check("UserId", EqualsBoolean(value=True)))(truncated)
    assert not matcher(check("ArgumentsTruncated", EqualsNumber(number=1)))(truncated)
    assert matcher(text_test("ArgumentsTruncated", "True"))(truncated)


def test_an_expression_is_found_anywhere_and_minds_the_case() -> None:
    assert matcher(searches("shad.w"))(event())
    assert not matcher(searches("SHADOW"))(event())


@pytest.mark.parametrize(
    ("expression", "flags", "path"),
    [
        ("SHADOW$", "i", "/etc/shadow"),
        ("^b$", "m", "/a\nb\nc"),
        ("a.b", "s", "/a\nb"),
        ("^A.B$", "ims", "/x\na\nb"),
    ],
)
def test_an_expression_takes_its_flags(expression: str, flags: str, path: str) -> None:
    assert matcher(searches(expression, flags))(event(path))
    assert not matcher(searches(expression))(event(path))


def test_a_byte_that_is_no_utf8_is_one_character_to_an_expression_and_hides_nothing() -> None:
    assert matcher(searches("^/etc/.shadow$"))(event("/etc/\udcffshadow"))
    assert matcher(searches("shadow"))(event("/\udc80\ud800/shadow"))


def test_a_dollar_is_the_end_of_the_text_and_not_a_newline_before_it() -> None:
    assert not matcher(searches("shadow$"))(event("/etc/shadow\n"))


@pytest.mark.parametrize(
    "expression", ["(a+)+$", "(a|aa)+$", "(.*a){20}b", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a*)*b"]
)
def test_an_expression_that_stops_other_engines_decides(expression: str) -> None:
    assert not matcher(searches(expression))(event(LONG + "!"))


def test_a_pattern_that_stops_other_engines_decides() -> None:
    stars = tuple(token for _ in range(200) for token in (ANY, "a"))
    assert not matcher(path_test(*stars, ANY, "b"))(event(LONG))
    assert not matcher(path_test(*stars, ONE, "b", ANY))(event(LONG))


def test_the_oracle_itself_knows_absent_from_false() -> None:
    assert not check_holds(IsNull(), "")
    assert not check_holds(EqualsBoolean(value=False), 0)
