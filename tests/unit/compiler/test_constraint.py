"""What the kernel is asked of a rule, clause by clause."""

from ipaddress import ip_network

import pytest
from tests.unit.compiler.examples import ANY, ONE, only, path_test, text_test, values

from fileaudit_engine.compiler.constraint import (
    CLAUSES_PER_RULE,
    KEY_BYTES,
    UNCONSTRAINED,
    UNSATISFIABLE,
    Clause,
    OneOf,
    both,
    clauses,
    conjunction,
    one_of,
    union,
)
from fileaudit_engine.compiler.ir import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    Check,
    Compares,
    DatePart,
    EqualsNumber,
    InNetwork,
    IsNull,
    Negation,
    Operator,
    Part,
    Predicate,
    SameAs,
    Searches,
    Test,
    Wildcard,
)
from fileaudit_engine.events.fields import BY_NAME, WHOLE_EVENT, Dimension
from fileaudit_engine.events.model import AccessMode, Operation, Outcome

SEGMENT, SEGMENT_ONE = Wildcard.SEGMENT, Wildcard.SEGMENT_ONE
SHADOW = path_test("/etc/shadow")


def all_of(*operands: Predicate) -> All:
    return All(operands=operands)


def any_of(*operands: Predicate) -> AnyOf:
    return AnyOf(operands=operands)


def test_a_whole_path_is_a_beginning_and_an_ending() -> None:
    clause = only(clauses(SHADOW))
    assert values(clause.prefix) == {b"/etc/shadow\0"}
    assert values(clause.suffix) == {b"/etc/shadow"}


@pytest.mark.parametrize("beginning", ["/etc/", "/etc/shadow", "/etc/sha"])
def test_a_whole_path_is_below_each_of_its_beginnings(beginning: str) -> None:
    predicate = all_of(SHADOW, path_test(beginning, ANY))
    assert values(only(clauses(predicate)).prefix) == {b"/etc/shadow\0"}


@pytest.mark.parametrize("other", ["/etc/shadow-", "/etc/shado", "/etc/passwd"])
def test_a_path_cannot_be_another_path(other: str) -> None:
    assert clauses(all_of(SHADOW, path_test(other))) == ()


def test_a_whole_path_goes_on_with_nothing() -> None:
    assert clauses(all_of(SHADOW, path_test("/etc/shadow-", ANY))) == ()


@pytest.mark.parametrize(
    ("literal", "beginning"),
    [
        ("/" + "x" * (KEY_BYTES - 2), "/" + "x" * (KEY_BYTES - 2) + "\0"),
        ("/" + "x" * (KEY_BYTES - 1), "/" + "x" * (KEY_BYTES - 1)),
        ("/etc/\u00e9", "/etc/"),
        ("/etc/a\0b", "/etc/a"),
    ],
)
def test_what_is_left_of_a_path_that_was_cut_is_only_a_beginning(literal: str, beginning: str) -> None:
    assert values(only(clauses(path_test(literal))).prefix) == {beginning.encode()}


def test_a_beginning_says_nothing_of_the_ending() -> None:
    assert clauses(path_test("/etc/", ANY)) == (Clause(prefix=OneOf(frozenset({b"/etc/"}))),)


def test_an_ending_says_nothing_of_the_beginning() -> None:
    assert clauses(path_test(ANY, "/id_rsa")) == (Clause(suffix=OneOf(frozenset({b"/id_rsa"}))),)


def test_of_an_infix_the_longest_whole_directory_name_is_tested() -> None:
    assert values(only(clauses(path_test(ANY, "x/ab/.ssh/y", ANY))).component) == {b".ssh"}


@pytest.mark.parametrize("infix", ["shadow", "/shadow", "shadow/", "/", "//", "/é/"])
def test_an_infix_without_a_whole_directory_name_in_ascii_says_nothing(infix: str) -> None:
    assert clauses(path_test(ANY, infix, ANY)) == (Clause(),)


def test_a_question_mark_beside_a_name_makes_it_no_whole_directory_name() -> None:
    assert clauses(path_test(ANY, "/ssh", ONE, "/", ANY)) == (Clause(),)


def test_the_root_alone_is_no_beginning_worth_a_key() -> None:
    assert clauses(path_test("/", ANY)) == (Clause(),)


def test_literals_are_lower_cased_whether_the_rule_is_cased_or_not() -> None:
    assert clauses(path_test("/Etc/", ANY, cased=True)) == clauses(path_test("/ETC/", ANY))


def test_a_beginning_ends_where_its_first_character_outside_ascii_begins() -> None:
    assert values(only(clauses(path_test("/etc/é/x", ANY))).prefix) == {b"/etc/"}


def test_an_ending_begins_behind_its_last_character_outside_ascii() -> None:
    assert values(only(clauses(path_test(ANY, "é/xü/shadow"))).suffix) == {b"/shadow"}


def test_a_long_literal_is_cut_at_the_length_of_a_key() -> None:
    literal = "/" + "x" * 400 + "/end"
    clause = only(clauses(path_test(literal)))
    assert values(clause.prefix) == {literal[:KEY_BYTES].encode()}
    assert values(clause.suffix) == {literal[-KEY_BYTES:].encode()}


def test_wildcards_that_stop_at_a_slash_leave_the_literals_between_them_to_the_kernel() -> None:
    clause = only(clauses(path_test("/home/", SEGMENT, "/.ssh/", SEGMENT_ONE, "/keys")))
    assert values(clause.prefix) == {b"/home/"}
    assert values(clause.suffix) == {b"/keys"}
    assert values(clause.component) == {b".ssh"}


def test_a_part_of_a_name_beside_a_wildcard_is_no_whole_directory_name() -> None:
    assert only(clauses(path_test(SEGMENT, "a/b", SEGMENT, "c/d", SEGMENT))) == Clause()


def test_below_a_directory_is_a_beginning_with_its_slash() -> None:
    predicate = any_of(path_test("/etc"), path_test("/etc/", ANY))
    assert {prefix for clause in clauses(predicate) for prefix in values(clause.prefix)} == {
        b"/etc\0",
        b"/etc/",
    }


@pytest.mark.parametrize(
    "check",
    [
        Compares(operator=Operator.LT, number=5),
        EqualsNumber(number=5),
        InNetwork(network=ip_network("10.0.0.0/8")),
        SameAs(other=BY_NAME["Image"], how="whole", cased=False),
        DatePart(part=Part.HOUR, operator=Operator.EQ, number=5, zone="UTC"),
    ],
)
@pytest.mark.parametrize("field", ["TargetFilename", "Operation", "AccessMode", "Outcome"])
def test_what_compares_no_texts_of_the_rule_is_left_unconstrained(check: Check, field: str) -> None:
    test = Test(field=BY_NAME[field], check=check)
    assert clauses(test) == clauses(Negation(operand=test)) == (Clause(),)


def test_a_keyword_is_left_unconstrained() -> None:
    assert clauses(Test(field=WHOLE_EVENT, check=path_test(ANY, "/.ssh/", ANY).check)) == (Clause(),)


@pytest.mark.parametrize(
    "predicate",
    [
        Negation(operand=SHADOW),
        Test(field=BY_NAME["TargetFilename"], check=IsNull()),
        Test(field=BY_NAME["TargetFilename"], check=Searches(expression="^/etc/shadow", flags="")),
        text_test("Image", "/usr/bin/cat"),
        path_test(),
        path_test(ANY),
        path_test(ONE, ANY),
        TRUE,
    ],
)
def test_what_the_kernel_cannot_judge_is_left_unconstrained(predicate: Test) -> None:
    assert clauses(predicate) == (Clause(),)


def test_what_can_never_be_true_has_no_clause() -> None:
    assert clauses(FALSE) == ()
    assert clauses(all_of(path_test("/a", ANY), path_test("/b", ANY))) == ()
    assert clauses(all_of(text_test("Operation", "open"), text_test("Operation", "read"))) == ()
    assert clauses(text_test("Operation", "no such thing")) == ()
    assert clauses(all_of(SHADOW, FALSE)) == ()


def test_of_two_beginnings_the_longer_holds_if_it_holds_the_shorter() -> None:
    assert values(only(clauses(all_of(path_test("/a/", ANY), path_test("/a/b/", ANY)))).prefix) == {b"/a/b/"}


def test_of_two_lists_of_beginnings_only_what_is_in_both_remains() -> None:
    one, other = (any_of(*(path_test(f"/{name}/", ANY) for name in names)) for names in ("ab", "bc"))
    assert values(only(clauses(all_of(one, other))).prefix) == {b"/b/"}


def test_two_directory_names_can_both_stand_in_a_path_and_one_is_enough_to_ask_for() -> None:
    predicate = all_of(path_test(ANY, "/home/", ANY), path_test(ANY, "/.aws/", ANY))
    assert len(values(only(clauses(predicate)).component)) == 1


def test_values_of_a_list_share_a_clause() -> None:
    listed = any_of(path_test("/etc/", ANY), path_test("/usr/", ANY), path_test("/var/", ANY))
    assert values(only(clauses(listed)).prefix) == {b"/etc/", b"/usr/", b"/var/"}


def test_alternatives_that_test_different_things_keep_clauses_of_their_own() -> None:
    predicate = any_of(
        all_of(path_test("/etc/", ANY), text_test("AccessMode", "write")),
        all_of(path_test(ANY, ".pem"), text_test("AccessMode", "read")),
    )
    assert len(clauses(predicate)) == 2


def test_a_clause_that_another_one_covers_takes_no_bit() -> None:
    written = all_of(path_test("/etc/", ANY), text_test("AccessMode", "write"), path_test(ANY, ".conf"))
    assert clauses(any_of(written, path_test("/etc/", ANY))) == clauses(path_test("/etc/", ANY))
    assert clauses(any_of(path_test("/etc/", ANY), written)) == clauses(path_test("/etc/", ANY))


def test_a_clause_about_the_other_name_is_covered_by_the_same_about_the_path() -> None:
    moved = all_of(text_test("Operation", "rename"), text_test("SourceFilename", "/etc/passwd"))
    changed = all_of(
        any_of(text_test("Operation", "rename"), text_test("Operation", "link")), path_test("/etc/passwd")
    )
    clause = only(clauses(any_of(changed, moved)))
    assert clause.operation == one_of({Operation.RENAME, Operation.LINK})
    assert clause.names == {Dimension.PATH, Dimension.SOURCE}


def test_past_the_bound_the_last_clauses_become_one_that_accepts_all_of_theirs() -> None:
    modes = ("read", "write", "path", "read_write")
    alternatives = [
        all_of(
            path_test(f"/p{n}/", ANY), path_test(ANY, f"/c{n}/", ANY), text_test("AccessMode", modes[n % 4])
        )
        for n in range(3 * CLAUSES_PER_RULE)
    ]
    found = clauses(any_of(*alternatives))
    assert len(found) == CLAUSES_PER_RULE
    accepted = {literal for clause in found for literal in values(clause.prefix)}
    assert accepted == {f"/p{n}/".encode() for n in range(3 * CLAUSES_PER_RULE)}


def test_who_opens_for_reading_and_writing_does_both() -> None:
    (clause,) = clauses(text_test("AccessMode", "write"))
    assert clause.access == OneOf(frozenset({AccessMode.WRITE, AccessMode.READ_WRITE}))


def test_a_negated_access_mode_accepts_events_that_have_none() -> None:
    (clause,) = clauses(Negation(operand=text_test("AccessMode", "write")))
    assert clause.access == OneOf(frozenset({AccessMode.READ, AccessMode.PATH, None}))


def test_wildcards_select_among_the_few_values_of_a_dimension() -> None:
    (clause,) = clauses(text_test("Operation", ANY, "dir"))
    assert clause.operation == OneOf(frozenset({Operation.MKDIR, Operation.RMDIR}))


def test_a_cased_value_in_capitals_is_no_outcome() -> None:
    assert clauses(text_test("Outcome", "SUCCESS", cased=True)) == ()
    assert only(clauses(text_test("Outcome", "SUCCESS"))).outcome == OneOf(frozenset({Outcome.SUCCESS}))


def test_the_tighter_of_two_requirements_wins() -> None:
    assert both(UNCONSTRAINED, one_of({1})) == one_of({1})
    assert both(one_of({1, 2}), one_of({2, 3})) == one_of({2})
    assert both(one_of({1}), one_of({2})) == UNSATISFIABLE
    assert both(UNSATISFIABLE, UNCONSTRAINED) == UNSATISFIABLE


def test_the_union_of_clauses_forgets_what_only_one_of_them_asks() -> None:
    a = Clause(prefix=one_of({b"/a"}), outcome=one_of({Outcome.SUCCESS}))
    b = Clause(prefix=one_of({b"/b"}))
    assert union((a, b)) == Clause(prefix=one_of({b"/a", b"/b"}))


def test_ten_thousand_alternatives_with_two_conditions_each_are_no_quadratic_matter() -> None:
    pairs = [all_of(path_test(f"/p{n}/", ANY), path_test(ANY, f"/c{n}/", ANY)) for n in range(10_000)]
    found = clauses(any_of(*pairs))
    assert len(found) <= CLAUSES_PER_RULE
    assert {path for clause in found for path in values(clause.prefix)} == {
        f"/p{n}/".encode() for n in range(10_000)
    }


def test_a_long_list_and_another_long_list_keep_the_shorter_one() -> None:
    long = any_of(*(path_test(f"/p{n}/", ANY) for n in range(2_000)))
    longer = any_of(*(path_test(f"/p{n}/x/", ANY) for n in range(3_000)))
    assert len(values(only(clauses(all_of(long, longer))).prefix)) == 2_000


def test_a_conjunction_of_many_alternatives_stays_bounded() -> None:
    pairs = [any_of(path_test(f"/p{n}/", ANY), path_test(ANY, f"/c{n}/", ANY)) for n in range(300)]
    assert 1 <= len(clauses(all_of(*pairs))) <= CLAUSES_PER_RULE


def test_a_conjunction_past_the_bound_keeps_one_side_whole() -> None:
    def side(ending: str) -> AnyOf:
        pairs = ((f"/{ending}{n}/", f"/in{n}/") for n in range(20))
        return any_of(*(all_of(path_test(a, ANY), path_test(ANY, b, ANY)) for a, b in pairs))

    found = clauses(all_of(side("a"), side("a")), most=64)
    assert {path for clause in found for path in values(clause.prefix)} == {
        f"/a{n}/".encode() for n in range(20)
    }


def test_a_negation_of_more_than_a_test_says_nothing() -> None:
    assert clauses(Negation(operand=all_of(SHADOW, text_test("AccessMode", "read")))) == (Clause(),)


def test_the_same_path_under_different_conditions_keeps_them_apart() -> None:
    written, refused = (
        all_of(SHADOW, text_test("AccessMode", mode), text_test("Outcome", outcome))
        for mode, outcome in (("write", "success"), ("read", "failure"))
    )
    assert len(clauses(any_of(written, refused))) == 2


# --- who does it -------------------------------------------------------------------------------------------


def number(field: str, value: float) -> Test:
    return Test(field=BY_NAME[field], check=EqualsNumber(number=value))


@pytest.mark.parametrize("test", [number("UserId", 0), number("UserId", 0.0), text_test("UserId", "0")])
def test_a_user_is_asked_for_by_number(test: Test) -> None:
    assert clauses(test) == (Clause(user=one_of({0})),)


def test_a_user_is_asked_for_by_folded_name() -> None:
    assert clauses(text_test("User", "Alice", cased=True)) == (Clause(user=one_of({"alice"})),)


def test_a_process_is_asked_for_by_number() -> None:
    assert clauses(number("ProcessId", 4711)) == (Clause(pid=one_of({4711})),)


def test_a_thread_is_asked_for_by_its_lower_cased_name() -> None:
    assert clauses(text_test("ProcessName", "KWorker")) == (Clause(comm=one_of({b"kworker"})),)


@pytest.mark.parametrize(
    "predicate",
    [
        number("UserId", -1),
        number("UserId", 2**32),
        number("UserId", 0.5),
        number("UserId", float("inf")),
        number("UserId", float("nan")),
        text_test("UserId", "00"),
        text_test("UserId", "\u0661"),
        text_test("UserId", "1", ANY),
        text_test("UserId", "9999999999"),
        text_test("User", "a", ANY),
        text_test("User"),
        number("User", 0),
        text_test("ProcessName", "sixteen-letters-"),
        text_test("ProcessName", "caf\u00e9"),
        text_test("ProcessName", "a\0b"),
        text_test("ProcessName", ANY, "sh"),
        number("ProcessName", 0),
        Test(field=BY_NAME["UserId"], check=Compares(operator=Operator.LT, number=5)),
        Test(field=BY_NAME["User"], check=Searches(expression="^root$", flags="")),
        Test(field=BY_NAME["ProcessId"], check=IsNull()),
    ],
)
def test_a_caller_that_no_table_can_hold_is_left_unconstrained(predicate: Test) -> None:
    assert clauses(predicate) == (Clause(),)


@pytest.mark.parametrize(
    "test", [number("UserId", 0), text_test("User", "root"), number("ProcessId", 1), text_test("comm", "sh")]
)
def test_who_it_is_not_says_nothing(test: Test) -> None:
    assert clauses(Negation(operand=test)) == (Clause(),)


def test_a_number_and_a_name_may_be_the_same_user() -> None:
    assert clauses(all_of(number("UserId", 0), text_test("User", "root"))) == (Clause(user=one_of({0})),)


def test_two_names_or_two_numbers_are_two_users() -> None:
    assert clauses(all_of(text_test("User", "root"), text_test("User", "alice"))) == ()
    assert clauses(all_of(number("UserId", 0), number("UserId", 1))) == ()


def test_of_numbers_and_names_those_that_can_be_one_user_remain() -> None:
    one = any_of(number("UserId", 0), text_test("User", "alice"), text_test("User", "bob"))
    other = any_of(number("UserId", 0), number("UserId", 1), text_test("User", "alice"))
    assert values(only(clauses(all_of(one, other))).user) == {0, 1, "alice"}


# --- the other name of a rename ----------------------------------------------------------------------------


def source_test(*pattern: str | Wildcard) -> Test:
    return text_test("SourceFilename", *pattern)


def test_the_other_name_is_tested_like_the_path() -> None:
    clause, same = only(clauses(source_test("/etc/", ANY))), only(clauses(path_test("/etc/", ANY)))
    assert clause.prefix == same.prefix
    assert clause.names == {Dimension.SOURCE}
    assert same.names == {Dimension.PATH}


def test_of_both_names_the_path_is_asked_for() -> None:
    clause = only(clauses(all_of(source_test("/tmp/", ANY), path_test("/etc/", ANY))))
    assert values(clause.prefix) == {b"/etc/"}
    assert clause.names == {Dimension.PATH}


def test_two_requirements_on_the_other_name_are_one() -> None:
    clause = only(clauses(all_of(source_test("/a/", ANY), source_test("/a/b/", ANY))))
    assert values(clause.prefix) == {b"/a/b/"}
    assert clause.names == {Dimension.SOURCE}
    assert clauses(all_of(source_test("/a"), source_test("/b"))) == ()


def test_either_name_is_no_requirement_on_one_of_them() -> None:
    either = union(clauses(any_of(source_test("/a/", ANY), path_test("/b/", ANY))))
    assert either.names == {Dimension.SOURCE, Dimension.PATH}
    for test in (path_test("/c/", ANY), source_test("/c/", ANY)):
        asked = conjunction(either, only(clauses(test)))
        assert asked.prefix == one_of({b"/c/"})
        assert list(asked.names) == [test.field.dimension]
    twice = conjunction(either, union(clauses(any_of(source_test("/d/", ANY), path_test("/e/", ANY)))))
    assert twice.satisfiable
    assert values(twice.prefix) in ({b"/a/", b"/b/"}, {b"/d/", b"/e/"})
