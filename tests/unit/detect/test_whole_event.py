from tests.unit.compiler.examples import event

from fileaudit_engine.detect.whole_event import SEPARATOR, joined_texts_of, texts_of
from fileaudit_engine.events.fields import WHOLE_EVENT


def test_the_texts_are_those_that_the_table_gives() -> None:
    happened = event("/Etc/x", user_name="Alice")
    assert texts_of(happened, folded=False) == WHOLE_EVENT.get(happened)
    assert {"/etc/x", "alice"} <= set(texts_of(happened, folded=True))


def test_another_event_is_looked_at_anew_even_if_it_is_equal() -> None:
    first, second = event("/a"), event("/b")
    assert "/a" in texts_of(first, folded=False)
    assert "/b" in texts_of(second, folded=False)
    assert "/a" in texts_of(first, folded=False)
    assert texts_of(event("/b"), folded=False) == texts_of(second, folded=False)


def test_a_long_text_keeps_its_length_when_it_is_folded() -> None:
    happened = event("/\u0130" * 10)
    assert [len(text) for text in texts_of(happened, folded=True)] == [
        len(text) for text in texts_of(happened, folded=False)
    ]


def test_joined_texts_hold_every_text_and_nothing_across_two() -> None:
    happened = event("/etc/Shadow", user_name="Alice")
    assert "/etc/Shadow" in joined_texts_of(happened, folded=False)
    assert "alice" in joined_texts_of(happened, folded=True)
    assert "/etc/shadow" in joined_texts_of(happened, folded=True)
    texts = texts_of(happened, folded=False)
    assert joined_texts_of(happened, folded=False).split(SEPARATOR) == list(texts)
