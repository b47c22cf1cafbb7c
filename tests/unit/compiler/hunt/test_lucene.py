"""How a hunt is spelled in Lucene's query language."""

import pytest
from tests.unit.compiler.examples import ANY, ONE, text_test

from fileaudit_engine.compiler.hunt.conditions import Column, Language, Not, Present, both, either
from fileaudit_engine.compiler.hunt.lucene import in_lucene
from fileaudit_engine.compiler.hunt.translate import hunted
from fileaudit_engine.compiler.ir import (
    All,
    AnyOf,
    Compares,
    EqualsBoolean,
    EqualsNumber,
    IsNull,
    Matches,
    Negation,
    Operator,
    Predicate,
    Searches,
    Test,
    Wildcard,
)
from fileaudit_engine.events.fields import BY_NAME

EXEC = text_test("Operation", "exec", cased=True)


def lucene(*predicates: Predicate) -> str:
    """The hunt for an exec of which all of these are true, behind that condition."""
    text = in_lucene(hunted(All(operands=(EXEC, *predicates)), Language.LUCENE).condition)
    return text.removeprefix('event.action:"exec" AND ')


def user(*pattern: str | Wildcard, cased: bool = True) -> str:
    """The hunt for a name of a user, without what finds the odd ones."""
    text = lucene(text_test("User", *pattern, cased=cased)).removeprefix("(").partition(" OR ")[0]
    return text.replace(":(", ":", 1)


def test_a_whole_text_is_quoted_and_only_quotes_and_backslashes_are_escaped() -> None:
    assert user('a "b" (c) \\d* AND +?') == r'user.name:"a \"b\" (c) \\d* AND +?"'


def test_what_cannot_be_seen_in_a_whole_text_is_spelled_by_number() -> None:
    assert user("a\nb\u202e\U000e0001") == r'user.name:"a\u000ab\u202e\udb40\udc01"'


def test_an_empty_text_is_one() -> None:
    assert user() == 'user.name:""'


def test_a_byte_that_is_no_utf_8_is_looked_for_as_documents_spell_it() -> None:
    assert user("a\udcff") == r'user.name:"a\\xff"'


def test_everything_special_is_escaped_beside_a_wildcard() -> None:
    special = r'+-&|!(){}[]^"~*?:\/<>= '
    assert user("x" + special, ANY) == "user.name:x" + "".join(f"\\{c}" for c in special) + "*"


def test_a_wildcard_for_one_character_is_a_question_mark() -> None:
    assert user("a", ONE, "b") == "user.name:a?b"


def test_a_character_that_cannot_be_seen_is_any_one_beside_a_wildcard() -> None:
    assert user("a\nb", ANY) == "user.name:a?b*"


def test_a_wildcard_that_stops_at_a_slash_is_a_regular_expression() -> None:
    path = text_test("TargetFilename", "/home/", Wildcard.SEGMENT, "/x.y", cased=True)
    assert r"file.path:/\/home\/[^\/]*\/x\.y/" in lucene(path)


def test_text_without_case_is_looked_for_in_the_column_without_case() -> None:
    assert user("root", cased=False) == 'user.name.caseless:"root"'


def test_anything_at_all_is_presence() -> None:
    assert user(ANY) == "_exists_:user.name"


def test_several_texts_of_a_column_stand_together() -> None:
    texts = AnyOf(operands=tuple(text_test("ContainerId", t, cased=True) for t in ("a", "b")))
    assert 'container.id:("a" OR "b")' in lucene(texts)


def test_texts_that_are_excluded_stand_together() -> None:
    excluded = [Negation(operand=text_test("ContainerId", t, cased=True)) for t in ("a", "b")]
    assert lucene(*excluded) == 'NOT container.id:("a" OR "b")'


def test_an_exclusion_alone_stands_behind_everything() -> None:
    column = Column(name="a")
    assert in_lucene(Not(Present(column=column))) == "*:* AND NOT _exists_:a"
    assert in_lucene(either((Not(Present(column=column)), Present(column=Column(name="b"))))) == (
        "(*:* AND NOT _exists_:a) OR _exists_:b"
    )


def test_nothing_and_everything_are_queries() -> None:
    assert in_lucene(both(())) == "*:*"
    assert in_lucene(either(())) == "*:* AND NOT *:*"


def test_absence_is_the_negation_of_presence() -> None:
    absent = Test(field=BY_NAME["ContainerId"], check=IsNull())
    assert lucene(absent) == "NOT _exists_:container.id"


@pytest.mark.parametrize(
    ("field", "check", "written"),
    [
        ("Errno", EqualsNumber(number=13), 'fileaudit.errno:"13"'),
        ("Result", EqualsNumber(number=-1), 'fileaudit.result:"-1"'),
        ("UserId", EqualsNumber(number=0), 'user.id:"0"'),
        ("UserId", Compares(operator=Operator.LT, number=1000), "user.id.number:[* TO 999]"),
        ("FileMode", EqualsNumber(number=0o644), 'file.mode:"0644"'),
        ("FileMode", EqualsNumber(number=0o100644), 'file.mode:"100644"'),
        ("Errno", Compares(operator=Operator.LTE, number=9.5), "fileaudit.errno:[* TO 9]"),
        ("Errno", EqualsNumber(number=0.5), "*:* AND NOT *:*"),
        (
            "AccessMode",
            Matches(pattern=("read",), cased=False),
            'fileaudit.access_mode:("read" OR "read_write")',
        ),
        ("ArgumentsTruncated", EqualsBoolean(value=False), "NOT fileaudit.args_truncated:true"),
        ("dev", Matches(pattern=("fe:01",), cased=False), 'file.device:"266338305"'),
        ("Permissions", Matches(pattern=(ANY, "7"), cased=False), "file.mode:/[0-7]*[0-7]{3}7/"),
    ],
)
def test_a_field_is_asked_as_documents_have_it(field: str, check: Matches, written: str) -> None:
    found = lucene(Test(field=BY_NAME[field], check=check))
    assert found.replace("[0-7][0-7][0-7]7", "[0-7]{3}7") == written


def test_words_for_what_was_done_become_operations() -> None:
    assert in_lucene(hunted(text_test("nametype", "DELETE"), Language.LUCENE).condition) == (
        'event.action:("rmdir" OR "unlink")'
    )


def test_a_rule_about_everything_asks_for_documents_of_events() -> None:
    null = Test(field=BY_NAME["ContainerId"], check=IsNull())
    condition = hunted(null, Language.LUCENE).condition
    assert in_lucene(condition) == "_exists_:fileaudit.event_id AND NOT _exists_:container.id"


def test_a_regular_expression_is_of_the_whole_text() -> None:
    searched = Test(field=BY_NAME["User"], check=Searches(expression="^ro|t$", flags=""))
    assert lucene(searched).startswith("(user.name:(/(ro.*|.*t)/ OR ")


def test_texts_that_are_too_long_for_the_index_are_found_whatever_they_are() -> None:
    assert lucene(text_test("ContainerId", "ab", cased=True)).endswith('OR _ignored:"container.id")')


def test_a_letter_with_two_lower_cases_is_found_whatever_stands_around_it() -> None:
    assert 'user.name.caseless:("s" OR *\u017f*)' in lucene(text_test("User", "s"))


def test_an_exclusion_takes_out_no_letter_that_only_the_index_thinks_equal() -> None:
    assert lucene(Negation(operand=text_test("User", "i"))) == (
        '((*:* AND NOT user.name.caseless:"i") OR user.name:*\u0130*)'
    )
