"""Conditions in words: what `explain` says of each check."""

import pytest
from tests.unit.rules.examples import rule_text

from fileaudit_engine.compiler.conditions import Condition, Leaf, Where, condition_tree
from fileaudit_engine.compiler.constraint import clauses
from fileaudit_engine.compiler.lower import lower
from fileaudit_engine.compiler.simplify import simplify
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import parse_text


def tree(detection: str, condition: str = "selection") -> Condition:
    options = RuleOptions(allow_unknown_fields=True, timezone="Europe/Berlin")
    (rule,) = parse_text(rule_text(detection, condition), options=options).rules
    predicate = simplify(lower(rule).predicate)
    return condition_tree(predicate, clauses(predicate))


def only_leaf(detection: str, condition: str = "selection") -> Leaf:
    found = tree(detection, condition)
    assert isinstance(found, Leaf)
    return found


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("UserId|lt: 5", "UserId is less than 5"),
        ("UserId|lte: [5, 9]", "UserId is at most one of 5, 9"),
        ("UserId|gt: 5", "UserId is greater than 5"),
        ("UserId|gte: 5", "UserId is at least 5"),
        ("Ip|cidr: 10.1.2.3/8", "Ip is in 10.0.0.0/8"),
        ("Ip|cidr|neq: [10.0.0.0/8, '::1']", "Ip is in none of 10.0.0.0/8, ::1/128"),
        ("Image|fieldref: ParentImage", "Image is the same as ParentImage"),
        ("Image|fieldref|startswith: ParentImage", "Image starts with what is in ParentImage"),
        ("Image|fieldref|neq: file.path", "Image is not the same as TargetFilename"),
        ("When|hour: [5, 6]", "When (hour, Europe/Berlin) is one of 5, 6"),
        ("When|week|lt: 5", "When (week, Europe/Berlin) is less than 5"),
        ("TargetFilename|under: /etc/", "TargetFilename is or is below /etc"),
        ("TargetFilename|under: [/etc, /srv]", "TargetFilename is or is below one of /etc, /srv"),
        ("TargetFilename|under|neq: /etc", "TargetFilename is not below /etc"),
        ("TargetFilename|path: '/home/*/x**'", "TargetFilename looks like the path /home/*/x**"),
        ("User|exists: true", "User is present"),
        ("User|exists: false", "User is absent"),
        ("'|contains': x", "any field contains x"),
        ("'|re': x.y", "any field matches x.y"),
        ("'|neq': [x, y]", "any field contains none of x, y"),
    ],
)
def test_a_check_is_put_into_words(item: str, words: str) -> None:
    leaf = only_leaf(f"{{{item}}}")
    assert f"{leaf.subject} {leaf.verb} {', '.join(leaf.values)}".rstrip() == words


def test_a_directory_is_one_question_and_the_kernels() -> None:
    leaf = only_leaf("{TargetFilename|under: [/etc, /srv]}")
    assert (leaf.where, leaf.why) == (Where.KERNEL, "")


def test_a_directory_and_what_is_below_another_are_two_questions() -> None:
    assert not isinstance(tree("[{TargetFilename: /etc}, {TargetFilename|startswith: /srv/}]"), Leaf)


def test_of_a_keyword_it_is_said_that_the_kernel_searches_no_events() -> None:
    assert only_leaf("keyword").why == "the kernel searches no whole events"


def test_a_comparison_with_another_field_says_if_case_matters() -> None:
    assert only_leaf("{Image|fieldref|cased: ParentImage}").cased
