"""One correlation document: what it says, and what is said about one that is wrong."""

from fractions import Fraction

import pytest
from tests.unit.rules.correlations import (
    COUNT,
    RULES,
    changed,
    correlation,
    finding,
    loaded,
    only,
    part,
    spelled,
)

from fileaudit_engine.diagnostics import Severity, has_errors
from fileaudit_engine.rules.ast import Comparator, Comparison, CorrelationType
from fileaudit_engine.rules.comparisons import MAX_COUNT
from fileaudit_engine.rules.condition import MAX_CHARACTERS
from fileaudit_engine.rules.correlation_condition import MAX_ALTERNATIVES, MAX_NAMES
from fileaudit_engine.rules.parser import MAX_CORRELATIONS, parse_text

TEMPORAL = "type: temporal, group-by: [], timespan: 5m"
ORDERED = "type: temporal_ordered, group-by: [], timespan: 5m"


def test_a_correlation_is_what_its_document_says() -> None:
    one = only(top="status: test\ntags: [attack.t1003]\ncustom: {a: 1}\n")
    assert (one.key, one.name, one.title) == ("one", "one", "Correlation one")
    assert (one.level, one.status, one.tags, one.custom) == (
        "high",
        "test",
        ("attack.t1003",),
        {"custom": {"a": 1}},
    )
    assert (one.type, one.sources, one.group_by) == (CorrelationType.EVENT_COUNT, ("a",), ("User",))
    assert (one.timespan, one.timespan_ns) == ("5m", 300_000_000_000)
    assert one.comparisons == (Comparison(comparator=Comparator.GTE, number=10),)
    assert (one.condition, one.value_fields, one.percentile, one.aliases) == (None, (), None, {})
    assert (one.generate, one.suspected) == (None, False)
    assert one.location.line == RULES.count("\n") + 1


@pytest.mark.parametrize("kind", CorrelationType)
def test_every_type_of_sigma_is_read(kind: CorrelationType) -> None:
    condition = {"event_count": "{gte: 10}", "temporal": "", "temporal_ordered": ""}
    text = changed(
        type=kind.value, rules="[a, b]", condition=condition.get(kind, "{lte: 10, gte: 1, field: UserId}")
    )
    assert only(text).type is kind


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1s", 1), ("90m", 5_400), ("36h", 129_600), ("7d", 604_800), ("2w", 1_209_600), ("365d", 31_536_000)],
)
def test_a_timespan_is_a_number_and_a_unit(written: str, seconds: int) -> None:
    assert only(changed(timespan=written)).timespan_ns == seconds * 10**9


def test_several_comparisons_make_a_range() -> None:
    one = only(changed(condition="{gt: 100, lte: 0xc8}"))
    assert one.comparisons == (
        Comparison(comparator=Comparator.GT, number=100),
        Comparison(comparator=Comparator.LTE, number=200),
    )


def test_a_threshold_is_exact_in_decimal() -> None:
    one = only(changed(type="value_avg", condition="{gt: 0.1, field: UserId}"))
    assert one.comparisons[0].number == Fraction(1, 10)


def test_a_percentile_may_be_left_out_and_is_exact() -> None:
    for written, percentile in (
        ("", None),
        (", percentile: 99.9", Fraction(999, 10)),
        (", percentile: 50", 50),
    ):
        text = changed(type="value_percentile", condition=f"{{lte: 1, field: UserId{written}}}")
        assert only(text).percentile == percentile


def test_combinations_of_values_are_counted() -> None:
    one = only(changed(type="value_count", condition="{gte: 5, field: [User, Image]}"))
    assert one.value_fields == ("User", "Image")


def test_a_single_rule_needs_no_list() -> None:
    assert only(changed(rules="a")).sources == ("a",)


def test_nothing_to_group_by_is_an_empty_list() -> None:
    assert only(changed(group_by="[]")).group_by == ()


@pytest.mark.parametrize(
    ("top", "inside", "generate"),
    [
        ("", "", None),
        ("generate: true\n", "", True),
        ("", ", generate: true", True),
        ("generate: false\n", ", generate: false", False),
    ],
)
def test_generate_stands_at_the_top_or_in_the_section(
    top: str,
    inside: str,
    generate: bool | None,  # noqa: FBT001 - a column
) -> None:
    assert only(COUNT + inside, top).generate is generate


def test_to_be_told_of_suspected_misses_is_asked_for_at_the_top() -> None:
    assert only(top="suspected: true\n").suspected


@pytest.mark.parametrize(
    ("section", "code", "marked", "said"),
    [
        (changed(timespan="366d"), "FA024", "366d", "longer than 365 days"),
        (changed(timespan="53w"), "FA024", "53w", "longer than 365 days"),
        (changed(timespan="5M"), "FA016", "5M", "wrong form"),
        (changed(timespan="300"), "FA012", "300", "must be a text"),
        (changed(timespan=""), "FA011", "", "'timespan' is missing"),
        (changed(group_by=""), "FA011", "", "'group-by' is missing"),
        (changed(rules=""), "FA011", "", "'rules' is missing"),
        (changed(rules="[]"), "FA016", "rules", "empty list"),
        (changed(rules="[a, a]"), "FA016", "rules", "twice"),
        (changed(rules=f"[{', '.join(f'r{n}' for n in range(101))}]"), "FA016", "rules", "101 entries"),
        (changed(group_by="User"), "FA012", "User", "must be a list"),
        (changed(condition=""), "FA011", "", "'condition' is missing"),
        (changed(condition="{}"), "FA016", "condition", "empty map"),
        (changed(condition="a and b"), "FA012", "a and b", "must be a map"),
        (changed(condition="{gte: '10'}"), "FA012", "'10'", "must be a number"),
        (changed(condition="{gte: true}"), "FA012", "true", "must be a number"),
        (changed(condition="{gte: .inf}"), "FA024", ".inf", "no number"),
        (changed(condition="{gte: .nan}"), "FA024", ".nan", "no number"),
        (changed(condition="{gte: 1.5}"), "FA024", "1.5", "no count"),
        (changed(condition="{gte: 1000001}"), "FA024", "1000001", "1,000,000"),
        (changed(condition="{gt: 5, lt: 3}"), "FA024", "condition", "nothing can fulfil"),
        (changed(condition="{lt: 1}"), "FA024", "condition", "nothing can fulfil"),
        (changed(condition="{gte: 5, field: User}"), "FA024", "User", "looks at no field"),
        (changed(condition="{gte: 5, percentile: 5}"), "FA024", "5", "has no percentile"),
        (changed(type="value_sum", condition="{field: Bytes}"), "FA024", "condition", "compares nothing"),
        (
            changed(type="value_sum", condition="{gte: 1, field: [UserId, Inode]}"),
            "FA024",
            "field",
            "computes with one field",
        ),
        (
            changed(type="value_percentile", condition="{gt: 100, field: UserId}"),
            "FA024",
            "condition",
            "nothing can fulfil",
        ),
        (
            changed(type="value_percentile", condition="{gt: 1, field: UserId, percentile: .nan}"),
            "FA024",
            ".nan",
            "no percentile",
        ),
        (changed(type="temporal", rules="[a, b]", condition="{gte: 3}"), "FA024", "condition", "nothing"),
        (changed(aliases="{who: {}}"), "FA016", "who", "empty map"),
    ],
)
def test_what_is_wrong_is_marked(section: str, code: str, marked: str, said: str) -> None:
    found = finding(section)
    assert (found.code, found.severity) == (code, Severity.ERROR)
    assert said in found.message
    assert found.help
    if marked:
        assert part(section, found) == marked


@pytest.mark.parametrize(
    ("section", "remedy"),
    [
        (changed(condition="{gt: 10, lt: 5}"), "no number fulfils all of the comparisons"),
        (changed(condition="{gt: 10, lt: 1}"), "a count is 1 or more"),
        (changed(type="temporal", rules="[a, b]", condition="{gte: 3}"), "which are 1 to 2"),
        (changed(type="value_percentile", condition="{gt: 100, field: User}"), "at most 100 per cent"),
        (changed(type="value_sum", condition="{gt: 5, lte: 5, field: UserId}"), "no number fulfils all"),
    ],
)
def test_of_a_condition_that_nothing_fulfils_is_said_why(section: str, remedy: str) -> None:
    assert remedy in finding(section).help


def test_generate_in_two_places_that_disagree_is_an_error_that_names_both() -> None:
    found = finding(f"{COUNT}, generate: true", "generate: false\n")
    assert (found.code, found.label) == ("FA024", f"it is false at <text>:{RULES.count(chr(10)) + 6}:11")


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{lt: 5}", "as soon as there is one match"),
        ("{lte: 5}", "as soon as there is one match"),
        ("{neq: 5}", "as soon as there is one match"),
        ("{gte: 0}", "as soon as there is one match"),
    ],
)
def test_a_condition_that_one_match_fulfils_is_a_warning(condition: str, said: str) -> None:
    section = changed(condition=condition)
    found = finding(section)
    assert (found.code, found.severity, part(section, found)) == ("FA025", Severity.WARNING, "condition")
    assert said in found.message
    assert "'gte: 1'" in found.help


def test_a_share_that_a_single_match_has_is_a_warning() -> None:
    found = finding(changed(type="value_percentile", condition="{gte: 50, field: Image}"))
    assert (found.code, "100 per cent" in found.help) == ("FA025", True)


def test_a_correlation_in_time_over_one_rule_is_a_warning() -> None:
    assert finding(f"{TEMPORAL}, rules: [a]").code == "FA025"


# Conditions over names


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a and b", "a and b"),
        ("a AND (b or not c)", "a and (b or not c)"),
        ("Not a or b", "not a or b"),
        ("((a)) and b", "a and b"),
        ("not not a and b", "not not a and b"),
    ],
)
def test_names_are_joined_by_and_or_not(text: str, read: str) -> None:
    assert spelled(only(f"{TEMPORAL}, condition: {text}").condition) == read


def test_the_names_of_a_condition_are_its_rules_where_none_are_listed() -> None:
    one = only(f"{ORDERED}, condition: b and (a or b) or c")
    assert (one.sources, [rule.name for rule in one.rules]) == (("b", "a", "c"), ["b", "a", "c"])


@pytest.mark.parametrize(
    ("text", "code", "marked", "said"),
    [
        ("a and", "FA020", "", "expected the name of a rule, found the end"),
        ("a b", "FA020", "b", "expected"),
        ("(a and b", "FA020", "", "expected ')'"),
        ("1 of a*", "FA024", "1 of a*", "no patterns of names"),
        ("a and all of them", "FA024", "all of them", "no patterns of names"),
        ("a*", "FA024", "a*", "no patterns of names"),
        ("a | count() > 5", "FA020", "|", "found '|'"),
        ("not b", "FA024", "not b", "asks for no match"),
        ("not (a or not (not b))", "FA024", "not (a or not (not b))", "asks for no match"),
    ],
)
def test_what_is_wrong_with_a_condition_is_marked_in_its_text(
    text: str, code: str, marked: str, said: str
) -> None:
    section = f"{TEMPORAL}, rules: [a, b], condition: {text}"
    found = finding(section)
    assert (found.code, part(section, found)) == (code, marked)
    assert said in found.message
    assert "detection" not in f"{found.message} {found.help}"


def test_an_order_knows_no_not() -> None:
    section = f"{ORDERED}, rules: [a, b, c], condition: a and not (b or c)"
    found = finding(section)
    assert (found.code, part(section, found)) == ("FA024", "b or c")
    assert "'type: temporal'" in found.help


def test_an_empty_condition_is_none() -> None:
    assert finding(f"{TEMPORAL}, rules: [a, b], condition: ''").code == "FA016"


def test_a_condition_that_contradicts_itself_is_a_warning() -> None:
    found = finding(f"{TEMPORAL}, rules: [a, b], condition: a and b and not a")
    assert (found.code, found.severity) == ("FA056", Severity.WARNING)


def test_the_largest_threshold_and_the_longest_condition_are_taken() -> None:
    assert only(changed(condition=f"{{gte: {MAX_COUNT}}}")).comparisons[0].number == MAX_COUNT
    as_many = " or ".join(["a", "b"] * (MAX_NAMES // 2))
    assert only(f"{TEMPORAL}, condition: {as_many}").sources == ("a", "b")


def test_a_condition_has_bounds() -> None:
    many = " or ".join(["a"] * (MAX_NAMES + 1))
    assert f"more than {MAX_NAMES} names" in finding(f"{TEMPORAL}, rules: [a], condition: {many}").message
    assert "split" in finding(f"{TEMPORAL}, rules: [a], condition: {'a' * (MAX_CHARACTERS + 1)}").help
    assert "parentheses" in finding(f"{TEMPORAL}, rules: [a], condition: {'(' * 50}a{')' * 50}").message


def test_an_order_has_a_bound_of_ways() -> None:
    ways = " and ".join(["(a or b)"] * 6)
    assert MAX_ALTERNATIVES == 2**6
    assert only(f"{ORDERED}, rules: [a, b], condition: {ways}").sources == ("a", "b")
    found = finding(f"{ORDERED}, rules: [a, b], condition: {ways} and (a or b)")
    assert f"more than {MAX_ALTERNATIVES} ways" in found.message
    assert only(f"{TEMPORAL}, rules: [a, b], condition: {ways} and (a or b)").sources == ("a", "b")


# Metadata


def test_metadata_is_held_against_the_schema_as_that_of_rules_is() -> None:
    found = loaded(correlation(top="status: good\ndate: 2026-02-30\ntaxonomy: other\n"))
    assert [one.code for one in found.diagnostics] == ["FA013", "FA014", "FA013"]
    assert found.correlations == ()


def test_doubtful_metadata_is_a_warning_as_that_of_rules_is() -> None:
    top = "status: deprecated\ntags: [attack.t1]\nfields: [Usr]\nsuspect: true\n"
    found = loaded(correlation(top=top))
    assert [one.code for one in found.diagnostics] == ["FA045", "FA044", "FA045", "FA052"]
    assert "the correlation is deprecated" in found.diagnostics[0].message
    assert not has_errors(found.diagnostics)


def test_a_correlation_without_level_counts_as_medium_and_is_told_so() -> None:
    found = loaded(correlation().replace("level: high\n", ""))
    (diagnostic,) = found.diagnostics
    assert (diagnostic.code, diagnostic.message) == ("FA051", "the correlation has no level")
    assert found.correlations[0].level == "medium"


def test_a_pack_has_a_bound_of_correlations() -> None:
    one = correlation().replace("name: one\n", "").replace("id: 00000011-bef0-4204-a928-ef5e620d6fcc\n", "")
    found = loaded(*[one] * (MAX_CORRELATIONS + 2))
    assert len(found.correlations) == MAX_CORRELATIONS
    (error,) = (diagnostic for diagnostic in found.diagnostics if diagnostic.severity is Severity.ERROR)
    assert "more than 1,000 correlations" in error.message


def test_a_section_that_is_no_map_is_an_error() -> None:
    for section in ("5", "[a]", "null", "text"):
        found = parse_text(f"title: x\ncorrelation: {section}\n")
        assert [one.code for one in found.diagnostics] == ["FA012"]
