from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.rules.examples import HEAD, codes, found_in, marked, one, rule_text

from fileaudit_engine.diagnostics import InternalError
from fileaudit_engine.rules.fastcheck import certainly_valid
from fileaudit_engine.rules.schema import FORMATS, DocumentKind, frame_of, is_date, is_uuid, schema_of

RULE = rule_text("{User: root}")


def changed(**attributes: str) -> str:
    """The good rule with some attributes in the place of its own."""
    lines = [line for line in HEAD.splitlines() if line.split(":")[0] not in attributes]
    lines += [f"{name}: {value}" for name, value in attributes.items()]
    return rule_text("{User: root}", head="\n".join(lines) + "\n")


def without(name: str) -> str:
    return "".join(line for line in RULE.splitlines(keepends=True) if not line.startswith(f"{name}:"))


def test_a_missing_title_is_reported_at_the_first_attribute() -> None:
    found = one(without("title"))
    assert (found.code, found.message, found.location.line) == (
        "FA011",
        "the attribute 'title' is missing",
        1,
    )


def test_everything_that_is_missing_is_reported_once() -> None:
    assert codes("author: me\n") == ["FA011", "FA011", "FA011"]


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("2024/01/02", "write '2024-01-02'"),
        ("2024-1-2", "write '2024-01-02'"),
        ("20240102", "write '2024-01-02'"),
        ("2024-13-45", "write a day of the calendar as YYYY-MM-DD, such as 2026-01-31"),
        ("2023-02-29", "write a day of the calendar as YYYY-MM-DD, such as 2026-01-31"),
        ("yesterday", "write a day of the calendar as YYYY-MM-DD, such as 2026-01-31"),
    ],
)
def test_a_broken_date_is_marked_with_its_remedy(text: str, help_: str) -> None:
    rule = changed(date=f"'{text}'")
    found = one(rule)
    assert (found.code, marked(found, rule), found.help) == ("FA014", f"'{text}'", help_)


def test_a_leap_day_is_a_date() -> None:
    assert codes(changed(date="2024-02-29", modified="2024-03-01")) == []


@pytest.mark.parametrize(
    ("attribute", "value", "help_"),
    [
        ("status", "stabel", "did you mean 'stable'?"),
        ("level", "hihg", "did you mean 'high'?"),
        ("level", "High", "did you mean 'high'?"),
        ("level", "urgent!", "choose among 'informational', 'low', 'medium', 'high' and 'critical'"),
    ],
)
def test_a_wrong_word_is_compared_with_the_right_ones(attribute: str, value: str, help_: str) -> None:
    found = one(changed(**{attribute: value}))
    assert (found.code, found.help) == ("FA013", help_)


@pytest.mark.parametrize(
    ("text", "slip", "remedy"),
    [
        (RULE.replace("title:", "titel:"), "titel", "did you mean 'title' by 'titel'?"),
        (RULE.replace("condition:", "conditon:"), "conditon", "did you mean 'condition' by 'conditon'?"),
    ],
)
def test_what_is_missing_is_looked_for_among_the_slips(text: str, slip: str, remedy: str) -> None:
    found = one(text)
    assert (found.code, marked(found, text), found.help) == ("FA011", slip, remedy)


@pytest.mark.parametrize(
    ("attribute", "value", "remedy"),
    [
        ("title", "", "give it a value"),
        ("title", "''", "fill it in"),
        ("logsource", "", "give it a value"),
        ("status", "", "give it a value, or remove it"),
    ],
)
def test_only_what_a_rule_can_do_without_may_be_removed(attribute: str, value: str, remedy: str) -> None:
    assert remedy in {found.help for found in found_in(changed(**{attribute: value}))}


@pytest.mark.parametrize(
    ("attribute", "value", "code"),
    [
        ("id", "not-a-uuid", "FA015"),
        ("title", "5", "FA012"),
        ("title", "", "FA012"),
        ("title", "''", "FA016"),
        ("title", "x" * 257, "FA016"),
        ("tags", "attack.t1003", "FA012"),
        ("tags", "[Attack.T1003]", "FA016"),
        ("tags", "[attack.t1003, attack.t1003]", "FA016"),
        ("references", "[5]", "FA012"),
        ("falsepositives", "5", "FA012"),
        ("related", "[{id: 929a690e-bef0-4204-a928-ef5e620d6fcc, type: sibling}]", "FA013"),
        ("related", "[{type: derived}]", "FA011"),
        ("level", "5", "FA012"),
        ("logsource", "linux", "FA012"),
    ],
)
def test_what_is_malformed_has_its_code(attribute: str, value: str, code: str) -> None:
    assert codes(changed(**{attribute: value})) == [code]


def test_a_missing_condition_is_reported_at_the_detection() -> None:
    found = one(HEAD + "detection:\n  selection: {User: x}\n")
    assert (found.code, found.location.line) == ("FA011", 6)


@pytest.mark.parametrize("condition", ["5", "{a: b}", "[selection, 5]", "[]", ""])
def test_a_condition_is_a_text_or_a_list_of_texts(condition: str) -> None:
    assert codes(rule_text("{User: x}", condition)) in (["FA012"], ["FA016"])


def test_dates_and_uuids_are_told_from_what_resembles_them() -> None:
    assert is_date("2024-12-31")
    assert not is_date("2024-12-31 ")
    assert not is_date("2024-12-3१")
    assert is_uuid("929A690E-bef0-4204-a928-ef5e620d6fcc")
    assert not is_uuid("{929a690e-bef0-4204-a928-ef5e620d6fcc}")


def test_a_keyword_that_the_fast_check_does_not_know_stops_it_at_once() -> None:
    with pytest.raises(InternalError, match="dependentRequired"):
        certainly_valid({"properties": {"a": {"dependentRequired": {}}}}, FORMATS)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "x", "selection", "low", "stable", "derived", "2024-01-31", "2024-02-31", "attack.t1"]
    ),
    st.sampled_from(["A", "929a690e-bef0-4204-a928-ef5e620d6fcc", "x" * 300]),
)
names = st.sampled_from(
    [
        *schema_of("rule")["properties"],
        "filter",
        "rules",
        "type",
        "product",
        "category",
        "condition",
        "User",
        "other",
    ]
)
data = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)),
    max_leaves=12,
)
GOOD: dict[DocumentKind, dict[str, Any]] = {
    "rule": {
        "title": "x",
        "logsource": {"product": "linux"},
        "detection": {"a": {"User": "x"}, "condition": "a"},
    },
    "filter": {
        "title": "x",
        "logsource": {"product": "linux"},
        "filter": {"rules": ["x"], "a": {"User": "x"}, "condition": "not a"},
    },
}
FAST = {kind: certainly_valid(frame_of(kind), FORMATS) for kind in GOOD}
SLOW = {kind: jsonschema.Draft202012Validator(frame_of(kind)) for kind in GOOD}


@pytest.mark.parametrize("kind", GOOD)
@given(own=st.dictionaries(names, data, max_size=4))
def test_what_the_fast_check_accepts_the_validator_accepts(kind: DocumentKind, own: dict[str, Any]) -> None:
    document = {**GOOD[kind], **own}
    if FAST[kind](document):
        SLOW[kind].validate(document)


@pytest.mark.parametrize("kind", GOOD)
def test_the_fast_check_accepts_what_is_right(kind: DocumentKind) -> None:
    assert FAST[kind](GOOD[kind])
