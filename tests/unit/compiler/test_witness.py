"""Witnesses: what an event must have before a rule is worth asking."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.examples import ANY, ONE, path_test, text_test
from tests.unit.compiler.strategies import REPEATABLE, events_for, narrow_predicates, predicates

from fileaudit_engine.compiler.ir import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    EqualsNumber,
    IsNull,
    Matches,
    Negation,
    Predicate,
    Searches,
    Test,
)
from fileaudit_engine.compiler.simplify import simplify
from fileaudit_engine.compiler.witness import ALTERNATIVES, Group, Length, Literal, alternatives
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.fields import BY_NAME, WHOLE_EVENT
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.text import fold


def witness(predicate: Predicate) -> set[str] | None:
    """The literals to look for, spelled as patterns; None where there is no witness."""
    (alternative,) = alternatives(simplify(predicate))
    return None if alternative.witness is None else set(map(spelled, alternative.witness))


def spelled(literal: Literal | Length) -> str:
    if isinstance(literal, Length):
        return f"{literal.characters} characters"
    return f"{'' if literal.starts else '*'}{literal.text}{'' if literal.ends else '*'}"


def test_each_shape_of_a_value_gives_its_literal_with_its_anchors() -> None:
    assert witness(path_test("/etc/Shadow")) == {"/etc/shadow"}
    assert witness(path_test("/srv/data/", ANY)) == {"/srv/data/*"}
    assert witness(path_test(ANY, "/id_rsa")) == {"*/id_rsa"}
    assert witness(path_test(ANY, "secret", ANY)) == {"*secret*"}


def test_of_several_runs_the_rarest_is_looked_for() -> None:
    assert witness(path_test("/home/", ANY, "/.ssh/authorized_keys")) == {"*/.ssh/authorized_keys"}
    assert witness(path_test("/et", ONE, "/shadow.conf.backup", ANY)) == {"*/shadow.conf.backup*"}


def test_values_of_a_list_are_one_group() -> None:
    assert witness(AnyOf(operands=(path_test("/etc/shadow"), path_test("/etc/gshadow")))) == {
        "/etc/shadow",
        "/etc/gshadow",
    }


def test_of_a_conjunction_the_rarest_group_is_the_witness_and_the_others_follow() -> None:
    both = All(operands=(path_test("/etc/", ANY), path_test(ANY, "/extraordinary_name")))
    (alternative,) = alternatives(both)
    assert [set(map(spelled, group)) for group in alternative.groups] == [
        {"*/extraordinary_name"},
        {"/etc/*"},
    ]


def test_a_common_folder_or_ending_is_the_last_choice() -> None:
    assert witness(All(operands=(path_test("/usr/bin/", ANY), path_test(ANY, "zq.py")))) == {"*zq.py"}
    assert witness(All(operands=(path_test(ANY, "/bash"), path_test(ANY, "vault", ANY)))) == {"*vault*"}


def test_an_expression_without_a_text_may_still_need_a_length() -> None:
    def search(expression: str) -> Test:
        return Test(field=BY_NAME["TargetFilename"], check=Searches(expression=expression, flags=""))

    assert witness(search("[^/]{100,}$")) == {"100 characters"}
    assert witness(search("[a-z]{23}")) is None


def test_what_says_nothing_certain_has_no_witness() -> None:
    for predicate in (
        TRUE,
        Negation(operand=path_test("/etc/shadow")),
        path_test(ANY),
        path_test(ANY, "x", ANY),
        Test(field=BY_NAME["TargetFilename"], check=IsNull()),
        Test(field=BY_NAME["UserId"], check=EqualsNumber(number=0)),
        Test(field=BY_NAME["TargetFilename"], check=Searches(expression="[a-z]+", flags="")),
        text_test("Operation", "open"),
        AnyOf(operands=(path_test("/etc/shadow"), Negation(operand=text_test("User", "root")))),
    ):
        assert witness(predicate) is None


def test_what_can_never_be_true_has_no_alternative() -> None:
    assert alternatives(FALSE) == ()


def test_selections_joined_by_or_are_alternatives_with_groups_of_their_own() -> None:
    one = All(operands=(path_test("/srv/one"), text_test("Image", ANY, "/tool_one")))
    two = All(operands=(path_test("/srv/two"), text_test("Image", ANY, "/tool_two")))
    beside = text_test("Operation", "open")
    found = alternatives(All(operands=(beside, AnyOf(operands=(one, two)))))
    assert [len(alternative.groups) for alternative in found] == [3, 3]
    assert all("tool_one" not in spelled(literal) for group in found[1].groups for literal in group)


def test_very_many_selections_are_one_alternative_with_a_common_group() -> None:
    many = tuple(
        All(operands=(path_test(f"/srv/number_{n}"), text_test("User", f"user_{n}")))
        for n in range(ALTERNATIVES + 1)
    )
    (alternative,) = alternatives(AnyOf(operands=many))
    assert alternative.witness is not None
    assert len(alternative.witness) == len(many)


def test_long_literals_are_cut_at_the_end_that_is_not_anchored() -> None:
    long = "/" + "x" * 100
    assert witness(path_test(long, ANY)) == {long[:32] + "*"}
    assert witness(path_test(ANY, long + "end")) == {"*" + (long + "end")[-32:]}
    assert witness(path_test(long)) == {long[:32] + "*"}


def test_a_keyword_of_digits_is_no_witness_since_numbers_are_not_scanned() -> None:
    def keyword(text: str) -> Test:
        return Test(field=WHOLE_EVENT, check=Matches(pattern=(ANY, text, ANY), cased=False))

    assert witness(keyword("4242")) is None
    assert witness(keyword("-17")) is None
    assert witness(keyword("4242x")) == {"*4242x*"}


def has(event: FileEvent, group: Group) -> bool:
    """Whether an event has a literal of a group, looked at plainly."""
    return any(stands(event, literal) for literal in group)


def stands(event: FileEvent, literal: Literal | Length) -> bool:
    value = literal.field.get(event)
    texts = value if isinstance(value, tuple) else (value,)
    if isinstance(literal, Length):
        return any(isinstance(text, str) and len(text) >= literal.characters for text in texts)
    for text in (fold(text) for text in texts if isinstance(text, str)):
        begins = text.startswith(literal.text) or not literal.starts
        ends = text.endswith(literal.text) or not literal.ends
        whole = text == literal.text or not (literal.starts and literal.ends)
        if literal.text in text and begins and ends and whole:
            return True
    return False


@settings(REPEATABLE, max_examples=300)
@given(st.one_of(predicates(), narrow_predicates()), st.integers(0, 2**32))
def test_an_event_that_matches_has_every_group_of_some_alternative(predicate: Predicate, seed: int) -> None:
    holds = matcher(predicate)
    ways = alternatives(simplify(predicate))
    for event in events_for([predicate], seed=seed, count=20):
        assert not holds(event) or any(all(has(event, group) for group in way.groups) for way in ways)
