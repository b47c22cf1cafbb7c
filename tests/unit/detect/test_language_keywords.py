"""What keywords, which name no field, mean for an event.

Each test is a decision where the specification leaves one to the engine, or where engines go wrong.
"""

import pytest
from tests.unit.compiler.examples import event
from tests.unit.detect.language import holds

from fileaudit_engine.events.model import Process

BUSY = event(
    "/etc/shadow",
    user_name="Alice",
    user_id=1000,
    process=Process(pid=4711, executable="/usr/bin/cat", args=("cat", "-n", "/etc/shadow")),
    extra={"Note": "deep", "Inner": {"list": ["Mimi Katz", 77]}},
)


@pytest.mark.parametrize(
    "keyword",
    [
        "shadow",
        "ALICE",
        "4711",
        "471",
        "'cat -n'",
        "'s?ad*w'",
        "'mimi katz'",
        "77",
        r"[nope, 'usr/bin']",
        "1000",
    ],
)
def test_a_keyword_is_found_in_any_text_of_the_event(keyword: str) -> None:
    assert holds(keyword, BUSY)


@pytest.mark.parametrize("keyword", ["mallory", "'shadow alice'", r"'s\?ad'", "0x1267", "'/etc/shadow?'"])
def test_a_keyword_that_stands_in_no_text_is_not_found(keyword: str) -> None:
    assert not holds(keyword, BUSY)


def test_all_keywords_may_stand_in_different_fields() -> None:
    assert holds("{'|all': [alice, shadow, '4711']}", BUSY)
    assert not holds("{'|all': [alice, shadow, mallory]}", BUSY)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("'|re': '^/etc/sha.ow$'", True),
        ("'|re': ETC", False),
        ("'|re|i': ETC", True),
        ("'|cased': alice", False),
        ("'|cased|all': [Alice, Mimi]", True),
        ("'|contains': lic", True),
        ("'|windash': ' /n '", True),
        ("'|neq': alice", False),
        ("'|neq': [mallory, eve]", True),
        ("'|expand': '%admins%'", True),
    ],
)
def test_keywords_take_modifiers(item: str, expected: bool) -> None:  # noqa: FBT001
    assert holds(f"{{{item}}}", BUSY) is expected


def test_a_list_of_keywords_and_maps_asks_for_any_of_them() -> None:
    assert holds("[{User: mallory}, deep]", BUSY)
    assert holds("[{User: alice}, nope]", BUSY)
    assert not holds("[{User: mallory}, nope]", BUSY)


def test_keywords_and_fields_of_a_map_are_all_asked_for() -> None:
    assert holds("{User: alice, '|all': [shadow, deep]}", BUSY)
    assert not holds("{User: mallory, '|all': [shadow, deep]}", BUSY)


def test_no_keyword_is_in_an_event_that_says_nothing_of_it() -> None:
    assert holds("mallory", BUSY, condition="not selection")
