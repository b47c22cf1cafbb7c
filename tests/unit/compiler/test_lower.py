"""What the abbreviations of a detection are spelled out to."""

from ipaddress import ip_network

from tests.unit.compiler.examples import ANY, matches, path_test, text_test
from tests.unit.rules.examples import rule_text

from fileaudit_engine.compiler.ir import (
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
)
from fileaudit_engine.compiler.lower import lower
from fileaudit_engine.compiler.simplify import simplify
from fileaudit_engine.events.fields import BY_NAME, WHOLE_EVENT
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import parse_text

OPTIONS = RuleOptions(placeholders={"two": ("a", "b*")}, timezone="Europe/Berlin")


def lowered(detection: str) -> Predicate:
    """The simplified predicate of the only detection."""
    (rule,) = parse_text(rule_text(detection), options=OPTIONS).rules
    return simplify(lower(rule).predicate)


def on(field: str, check: Check) -> Test:
    return Test(field=BY_NAME[field], check=check)


def keyword(text: str) -> Test:
    return Test(field=WHOLE_EVENT, check=matches((ANY, text, ANY)))


def test_keywords_are_tests_of_the_whole_event() -> None:
    assert lowered("[Mimi, katz]") == AnyOf(operands=(keyword("mimi"), keyword("katz")))
    assert lowered("{'|all': [mimi, katz]}") == All(operands=(keyword("mimi"), keyword("katz")))
    assert lowered("{'|re|i': m.mi}") == Test(field=WHOLE_EVENT, check=Searches(expression="m.mi", flags="i"))
    assert lowered("5") == keyword("5")


def test_presence_needs_no_check_of_its_own() -> None:
    absent = on("User", IsNull())
    assert lowered("{User|exists: false}") == lowered("{User: null}") == absent
    assert lowered("{User|exists: true}") == Negation(operand=absent)


def test_neq_is_the_negation_of_the_alternatives() -> None:
    assert lowered("{User|neq: [a, b]}") == All(
        operands=(Negation(operand=text_test("User", "a")), Negation(operand=text_test("User", "b")))
    )


def test_under_is_the_directory_or_what_begins_with_it_and_a_slash() -> None:
    assert lowered("{TargetFilename|under: /Etc/}") == AnyOf(
        operands=(path_test("/etc"), path_test("/etc/", ANY))
    )
    assert lowered("{TargetFilename|under: /}") == path_test("/", ANY)


def test_comparisons_have_a_check_each() -> None:
    assert lowered("{UserId: 5}") == on("UserId", EqualsNumber(number=5))
    assert lowered("{UserId|gte: 5}") == on("UserId", Compares(operator=Operator.GTE, number=5))
    assert lowered("{User|cidr: 10.0.0.0/8}") == on("User", InNetwork(network=ip_network("10.0.0.0/8")))
    assert lowered("{Image|endswith|fieldref|cased: FileName}") == on(
        "Image", SameAs(other=BY_NAME["TargetFilename"], how="endswith", cased=True)
    )


def test_a_part_of_a_date_takes_the_users_zone_with_it() -> None:
    assert lowered("{UtcTime|hour|lt: 6}") == on(
        "UtcTime", DatePart(part=Part.HOUR, operator=Operator.LT, number=6, zone="Europe/Berlin")
    )
    assert lowered("{UtcTime|month: 6}") == on(
        "UtcTime", DatePart(part=Part.MONTH, operator=Operator.EQ, number=6, zone="Europe/Berlin")
    )


def test_the_values_of_a_placeholder_are_alternatives_of_one_value() -> None:
    assert lowered("{User|expand|contains|all: ['%two%', x]}") == All(
        operands=(
            AnyOf(operands=(text_test("User", ANY, "a", ANY), text_test("User", ANY, "b", ANY))),
            text_test("User", ANY, "x", ANY),
        )
    )


def test_encoded_literals_are_folded_as_any_other() -> None:
    assert lowered("{CommandLine|base64: foo}") == text_test("CommandLine", "zm9v")
    assert lowered("{CommandLine|base64|cased: foo}") == text_test("CommandLine", "Zm9v", cased=True)


def test_the_numbers_of_a_text_comparison_are_texts() -> None:
    assert lowered("{CommandLine|contains: 0x1F}") == text_test("CommandLine", ANY, "0x1f", ANY)
    assert lowered("{CommandLine|wide: 5}") == text_test("CommandLine", "5\0")
